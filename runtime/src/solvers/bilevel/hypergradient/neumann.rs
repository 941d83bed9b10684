//! The hypergradient `neumann`: `v = η Σ (I − η H)^q ∇y F` for `q = 0, …, terms`. On active lower domains `H` is that of the face.
//!
//! The series is `H⁻¹ ∇y F` up to `(1 − η mu)^(terms + 1)` with `mu` the smallest curvature; it diverges for `η > 2/L`. It does not mind
//! a singular `H`.
//!
//! Source: J. Lorraine, P. Vicol, D. Duvenaud, "Optimizing millions of hyperparameters by implicit differentiation", AISTATS 2020,
//! arXiv 1911.02590, algorithm 3.

use super::HypergradientRecord;
use super::implicit::{Adjoint, OF_F_ALONE, needs, with};
use crate::hypergradient::Implicit;
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Piece, Preset};
use crate::solvers::bilevel::lower::Solves;

/// The size of the steps on the adjoint.
pub(super) const ADJOINT_STEP: OptionSpec = OptionSpec {
    name: "adjoint_step",
    kind: Kind::PositiveOr("auto"),
    default: Preset::Word("auto"),
    doc: "The factor of the series (eta); `auto` is the size of the lower steps.",
};

/// The options.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "terms",
        kind: Kind::Count(0),
        default: Preset::Number(20.0),
        doc: "The highest power in the series (Q): as many products with the lower Hessian per outer iteration.",
    },
    ADJOINT_STEP,
];

pub(crate) static NEUMANN: HypergradientRecord = HypergradientRecord {
    piece: Piece {
        name: "neumann",
        doc: "implicit differentiation; the adjoint by a truncated Neumann series",
        assumes: "a solved lower level; a series long enough for its conditioning",
        cost: "`terms` Hessian products and one fused product, 8 lower vectors",
        source: "Lorraine et al. 2020, arXiv 1911.02590",
        groups: &[OPTIONS],
        requires: &[OF_F_ALONE],
    },
    needs,
    build: |context, own| {
        with(context, Neumann { terms: own.count("terms"), size: own.number("adjoint_step") })
    },
};

struct Neumann {
    terms: usize,
    /// `None` is the size of the lower steps.
    size: Option<f64>,
}

impl Adjoint for Neumann {
    fn solve(
        &mut self,
        implicit: &mut Implicit,
        problem: &mut Problem,
        (x, y): (&[f64], &[f64]),
        lower: &mut dyn Solves,
        g: &mut [f64],
    ) -> f64 {
        let size = self.size.unwrap_or_else(|| lower.step_size(problem, x, y));
        implicit.evaluate_neumann(problem, x, y, self.terms, size, g)
    }
}
