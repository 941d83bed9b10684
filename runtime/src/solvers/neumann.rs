//! `neumann`: implicit differentiation with a truncated Neumann series.
//!
//! Assumes that `f(x, ·)` has one minimiser with a positive definite Hessian `H`. Per iteration: `lower_steps` steps on `f` from the
//! last `y` (with `warm`); `v = η Σ (I − η H)^q ∇y F` for `q = 0, …, Q` with `Q = terms` and `η = adjoint_step`;
//! `g = ∇x F − ∇²xy f · v`; then a step on `x`. On active lower domains `H` is that of the face. Stops when
//! `‖x − P(x − g)‖ ≤ tolerance`. Costs `lower_steps` gradients, `terms` Hessian products and one fused product; memory of about 8
//! lower vectors.
//!
//! Not guaranteed: the series is `H⁻¹ ∇y F` up to `(1 − η mu)^(Q+1)` with `mu` the smallest curvature, and the limit is biased by as
//! much; it diverges for `η > 2/L`. `cg` needs fewer products for the same accuracy; the series does not mind a singular `H`.
//!
//! Source: J. Lorraine, P. Vicol, D. Duvenaud, "Optimizing millions of hyperparameters by implicit differentiation", AISTATS 2020,
//! arXiv 1911.02590 (algorithm 3).

use super::implicit::{self, Adjoint};
use super::options::{LOWER_IMPLICIT, RUN, UPPER};
use super::{Levels, Solver};
use crate::settings::{Kind, OptionSpec, Preset};

const OWN: &[OptionSpec] = &[
    OptionSpec {
        name: "terms",
        kind: Kind::Count(0),
        default: Preset::Number(20.0),
        doc: "The highest power in the series (Q): as many products with the lower Hessian per outer iteration.",
    },
    OptionSpec {
        name: "adjoint_step",
        kind: Kind::PositiveOr("auto"),
        default: Preset::Word("auto"),
        doc: "The factor of the series (eta); `auto` is the size of the lower steps.",
    },
];

/// The solver.
pub static NEUMANN: Solver = Solver {
    name: "neumann",
    summary: "implicit differentiation: lower steps, then a truncated Neumann series for the adjoint",
    source: "Lorraine et al. 2020, arXiv 1911.02590",
    groups: &[RUN, LOWER_IMPLICIT, OWN, UPPER],
    levels: Levels::Two,
    handles: &[],
    needs: implicit::needs,
    build: |problem, settings, start| {
        let adjoint =
            Adjoint::Neumann { terms: settings.count("terms"), size: settings.number("adjoint_step") };
        implicit::build(problem, settings, start, adjoint)
    },
};
