//! `cg`: implicit differentiation with conjugate gradients (AID-CG).
//!
//! Assumes that `f(x, ·)` has one minimiser with a positive definite Hessian `H`. Per iteration: `lower_steps` steps on `f`
//! from the last `y` (with `warm`); at most `cg_steps` steps of conjugate gradients on `H v = ∇y F`, from the last `v` (with
//! `warm_adjoint`), to the relative residual `cg_tolerance`; `g = ∇x F − ∇²xy f · v`; then a step on `x`. On active lower
//! domains the system is that of the face. Stops when `‖x − P(x − g)‖ ≤ tolerance`. Costs `lower_steps` gradients,
//! `cg_steps + 1` Hessian products and one fused product; memory of about 8 lower vectors.
//!
//! Not guaranteed: `g` is the hypergradient only at the exact lower solution and for a solved system. A direction of zero curvature
//! stops the inner method and `v` is used as it is; one of negative curvature has the system solved again with `H + δ I`; the final
//! check then reports that the hypergradient is not defined.
//!
//! Sources: F. Pedregosa, "Hyperparameter optimization with approximate gradient", ICML 2016, arXiv 1602.02355; R. Grazzi,
//! L. Franceschi, M. Pontil, S. Salzo, "On the iteration complexity of hypergradient computation", ICML 2020, arXiv 2006.16218.

use super::bilevel::Composition;
use super::bilevel::hypergradient::conjugate_gradient::{CONJUGATE_GRADIENT, OPTIONS};
use super::bilevel::truncate::full::FULL;
use super::bilevel::upper::step::step;
use super::bilevel::{init, lower};
use super::options::{LOWER_IMPLICIT, RUN, UPPER};
use super::{Levels, Solver};
use crate::settings::Settings;

/// The solver.
pub static CG: Solver = Solver {
    name: "cg",
    summary: "implicit differentiation: lower steps, then conjugate gradients on the adjoint system",
    source: "Pedregosa 2016, arXiv 1602.02355; Grazzi et al. 2020, arXiv 2006.16218",
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
        hypergradient: CONJUGATE_GRADIENT.with(settings),
        upper: step(settings),
    }
}
