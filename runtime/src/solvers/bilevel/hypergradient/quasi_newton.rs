//! The hypergradient `quasi_newton`: the estimate of the inverse Hessian that the lower solver has built up is used again for the adjoint,
//! `v = B ∇y F`, and refined by a few conjugate gradient steps from there. Without refinement there are no Hessian products at all.
//!
//! The estimate is good in the directions the lower solver went, which need not contain `∇y F`: unrefined it can be badly biased. Safeguard:
//! where there is no estimate (no lower step was taken, or the lower variables have domains) or `‖v‖` is more than `safeguard` times
//! `‖∇y F‖`, the system is solved by conjugate gradients from zero.
//!
//! Source: Z. Ramzi, F. Mannel, S. Bai, J.-L. Starck, P. Ciuciu, T. Moreau, "SHINE: sharing the inverse estimate from the forward pass for
//! bi-level optimization and implicit models", ICLR 2022, arXiv 2106.00553. There the safeguard falls back on `v = ∇y F`.

use super::HypergradientRecord;
use super::implicit::{Adjoint, needs, with};
use crate::hypergradient::Implicit;
use crate::linear::blas1::norm2;
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Piece, Preset, Requirement};
use crate::solvers::bilevel::lower::Solves;
use crate::solvers::options::POSITIVE;

/// Steps of conjugate gradients where there is no estimate.
const FALLBACK: (usize, f64) = (20, 1e-10);

/// The options.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "refinements",
        kind: Kind::Count(0),
        default: Preset::Number(5.0),
        doc: "Steps of conjugate gradients from the estimate.",
    },
    OptionSpec {
        name: "safeguard",
        kind: POSITIVE,
        default: Preset::Number(1e6),
        doc: "How much longer than the upper gradient the estimated adjoint may be before it is dropped.",
    },
];

pub(crate) static QUASI_NEWTON: HypergradientRecord = HypergradientRecord {
    piece: Piece {
        name: "quasi_newton",
        doc: "implicit differentiation; the adjoint by the lower solver's estimate of the inverse Hessian",
        assumes: "a solved lower level without domains; unrefined, an upper gradient in directions the lower solver went",
        cost: "`refinements` + 1 Hessian products and one fused product; without refinement no Hessian product",
        source: "Ramzi et al. 2022, arXiv 2106.00553",
        groups: &[OPTIONS],
        requires: &[Requirement {
            option: "lower",
            one_of: &["lbfgs"],
            because: "only a quasi-Newton method leaves an estimate of the inverse Hessian",
        }],
    },
    needs,
    build: |context, own| {
        let (refinements, safeguard) = (own.count("refinements"), own.real("safeguard"));
        with(context, QuasiNewton { refinements, safeguard })
    },
};

struct QuasiNewton {
    refinements: usize,
    safeguard: f64,
}

impl Adjoint for QuasiNewton {
    fn solve(
        &mut self,
        implicit: &mut Implicit,
        problem: &mut Problem,
        (x, y): (&[f64], &[f64]),
        lower: &mut dyn Solves,
        g: &mut [f64],
    ) -> f64 {
        let mut found = false;
        let value = implicit.evaluate_by(problem, x, y, g, |system| {
            system.adjoint.copy_from_slice(system.rhs);
            found =
                lower.inverse(system.adjoint) && norm2(system.adjoint) <= self.safeguard * norm2(system.rhs);
        });
        if found && self.refinements == 0 {
            return value;
        }
        let (steps, tolerance) = if found { (self.refinements, FALLBACK.1) } else { FALLBACK };
        if !found {
            implicit.adjoint.fill(0.0);
        }
        implicit.evaluate(problem, x, y, steps, tolerance, g).0
    }
}
