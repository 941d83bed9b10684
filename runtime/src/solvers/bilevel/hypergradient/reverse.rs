//! The hypergradient `reverse`: the gradient of what the lower steps lead to, by a sweep back through them. For gradient steps, with
//! `a = ∇y F(x, y_K)` and `g = ∇x F(x, y_K)`, for `k = K−1, …, 0`: `g ← g − s ∇²xy f a`, `a ← a − s ∇²yy f a` at `(x, y_k)`, through the
//! derivative of the projection; other lower steps have their own transposes. What is left of `a` is the derivative by the start.
//!
//! The exact gradient of `F(x, y_K(x))`, which for finitely many steps is not that of the bilevel problem. Iterates that do not fit
//! into memory are computed again from checkpoints, to the same bits.
//!
//! Source: L. Franceschi, M. Donini, P. Frasconi, M. Pontil, "Forward and reverse gradient-based hyperparameter optimization", ICML
//! 2017, arXiv 1703.01785, algorithm 1.

use super::HypergradientRecord;
use super::unrolled::Unrolled;
use crate::derivatives::Quantity;
use crate::settings::{Piece, Requirement};

pub(crate) static REVERSE: HypergradientRecord = HypergradientRecord {
    piece: Piece {
        name: "reverse",
        doc: "the exact gradient of what the lower steps lead to, by a sweep back through them",
        assumes: "differentiable steps; one lower solution that they reach, unless they are aggregated",
        cost: "a fused second-order product per step, the memory of the iterates or of checkpoints",
        source: "Franceschi et al. 2017, arXiv 1703.01785",
        groups: &[],
        requires: &[Requirement {
            option: "lower",
            one_of: &["gradient", "momentum", "nesterov", "aggregated"],
            because: "the sweep needs steps that it can go back through",
        }],
    },
    needs: |_, _| vec![Quantity::LowerSecondOrder],
    build: |context, _| {
        let Some(dynamics) = context.lower.record.build.dynamics else {
            panic!("blo has a bug: lower steps without a sweep were not refused");
        };
        let dynamics = dynamics(context, &context.lower.settings);
        Box::new(Unrolled::new(context, dynamics))
    },
};
