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

use super::bilevel::Composition;
use super::bilevel::hypergradient::neumann::{self, OPTIONS};
use super::bilevel::truncate::full::FULL;
use super::bilevel::upper::step::step;
use super::bilevel::{init, lower};
use super::options::{LOWER_IMPLICIT, RUN, UPPER};
use super::{Levels, Solver};
use crate::settings::Settings;

/// The solver.
pub static NEUMANN: Solver = Solver {
    name: "neumann",
    summary: "implicit differentiation: lower steps, then a truncated Neumann series for the adjoint",
    source: "Lorraine et al. 2020, arXiv 1911.02590",
    groups: &[RUN, LOWER_IMPLICIT, OPTIONS, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    Composition {
        init: init::by_warm(settings),
        lower: lower::by_rule(settings),
        truncate: FULL.with(settings),
        hypergradient: neumann::NEUMANN.with(settings),
        upper: step(settings),
    }
}
