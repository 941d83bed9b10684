//! The hypergradient `finite_difference`: the sweep of `reverse` with central differences of gradients in place of second-order products:
//! `∇²f · v ≈ (∇f(x, y + ε v) − ∇f(x, y − ε v)) / 2ε` with `ε = radius / max(‖v‖, 1)`, for `∇x` and `∇y` at once. With one lower step this is
//! the second-order approximation of DARTS. No second derivatives; an error of order `ε²`.
//!
//! Trap: `ε = radius / ‖v‖`, as released, explodes where `v` vanishes; the maximum with 1 keeps it at `radius`.
//!
//! Source: H. Liu, K. Simonyan, Y. Yang, "DARTS: differentiable architecture search", ICLR 2019, arXiv 1806.09055, section 2.3.

use super::HypergradientRecord;
use super::unrolled::Unrolled;
use crate::derivatives::Quantity;
use crate::hypergradient::dynamics::{Differences, Products};
use crate::settings::{OptionSpec, Piece, Preset, Requirement};
use crate::solvers::options::POSITIVE;

/// The options.
pub(crate) const OPTIONS: &[OptionSpec] = &[OptionSpec {
    name: "radius",
    kind: POSITIVE,
    default: Preset::Number(0.01),
    doc: "How far from an iterate the gradients are taken whose difference replaces a second-order product.",
}];

pub(crate) static FINITE_DIFFERENCE: HypergradientRecord = HypergradientRecord {
    piece: Piece {
        name: "finite_difference",
        doc: "as `reverse`, with differences of gradients in place of second-order products",
        assumes: "as `reverse`; a radius small against the changes of the Hessian and large against rounding",
        cost: "two gradients by both variables per step, the memory of the iterates",
        source: "Liu, Simonyan, Yang 2019, arXiv 1806.09055",
        groups: &[OPTIONS],
        requires: &[Requirement {
            option: "lower",
            one_of: &["gradient", "momentum", "nesterov"],
            because: "only their sweep is made of products of `f` alone",
        }],
    },
    needs: |_, _| vec![Quantity::LowerGradients],
    build: |context, own| {
        let Some(momentum) = context.lower.record.build.momentum else {
            panic!("blo has a bug: lower steps without differences were not refused");
        };
        let differences = Differences::new(context.problem, own.real("radius"));
        let dynamics = momentum(context, &context.lower.settings).with(Products::Differences(differences));
        Box::new(Unrolled::new(context, Box::new(dynamics)))
    },
};
