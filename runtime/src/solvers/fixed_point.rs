//! `fixed_point`: implicit differentiation with gradient steps on the adjoint system (AID-FP).
//!
//! Assumes that `f(x, ·)` has one minimiser with a positive definite Hessian `H`. Per iteration: `lower_steps` steps on `f` from the last `y` (with
//! `warm`); `v ← v − η (H v − ∇y F)`, `adjoint_steps` times, from the last `v` (with `warm_adjoint`); `g = ∇x F − ∇²xy f · v`; then a step on `x`. On active
//! lower domains the system is that of the face. Stops when `‖x − P(x − g)‖ ≤ tolerance`. Costs `lower_steps` gradients, `adjoint_steps` Hessian
//! products and one fused product; memory of about 8 lower vectors.
//!
//! Not guaranteed: without `warm_adjoint` the limit is biased like that of `neumann` with one term less; diverges for `η > 2/L`. `cg` needs fewer
//! products.
//!
//! Source: R. Grazzi, L. Franceschi, M. Pontil, S. Salzo, "On the iteration complexity of hypergradient computation", ICML 2020,
//! arXiv 2006.16218.

use super::bilevel::Composition;
use super::bilevel::hypergradient::fixed_point::{self, OPTIONS};
use super::bilevel::truncate::full::FULL;
use super::bilevel::upper::step::step;
use super::bilevel::{init, lower};
use super::options::{LOWER_IMPLICIT, RUN, UPPER};
use super::{Levels, Solver};
use crate::settings::Settings;

/// The solver.
pub(crate) static FIXED_POINT: Solver = Solver {
    name: "fixed_point",
    summary: "implicit differentiation: lower steps, then gradient steps on the adjoint system",
    source: "Grazzi et al. 2020, arXiv 2006.16218",
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
        hypergradient: fixed_point::FIXED_POINT.with(settings),
        upper: step(settings),
    }
}
