//! `shine`: the lower level by a quasi-Newton method, whose estimate of the inverse Hessian serves the adjoint system too.
//!
//! Assumes that `f(x, ·)` has one minimiser with a positive definite Hessian. Per iteration: limited-memory BFGS on `f` from the last `y` to
//! `lower_tolerance`; `v = B ∇y F` with its estimate `B` of the inverse Hessian, refined by `refinements` steps of conjugate gradients;
//! `g = ∇x F − ∇²xy f · v`; then a step on `x`. Stops when `‖x − P(x − g)‖ ≤ tolerance`. Costs the lower gradients the accuracy takes, `refinements + 1`
//! Hessian products and one fused product; memory of about 24 lower vectors.
//!
//! Not guaranteed: `B` is good in the directions the lower steps went; without refinement the hypergradient can be badly biased. Where
//! there is no estimate, conjugate gradients solve the system.
//!
//! Source: Z. Ramzi, F. Mannel, S. Bai, J.-L. Starck, P. Ciuciu, T. Moreau, "SHINE: sharing the inverse estimate from the forward pass for
//! bi-level optimization and implicit models", ICLR 2022, arXiv 2106.00553.

use super::bilevel::Composition;
use super::bilevel::hypergradient::quasi_newton::{OPTIONS, QUASI_NEWTON};
use super::bilevel::init::warm::WARM;
use super::bilevel::lower::lbfgs::{LBFGS, OPTIONS as LOWER};
use super::bilevel::truncate::full::FULL;
use super::bilevel::upper::step::step;
use super::options::{RUN, UPPER};
use super::{Levels, Solver};
use crate::settings::Settings;

/// The solver.
pub(crate) static SHINE: Solver = Solver {
    name: "shine",
    summary: "quasi-Newton lower steps, whose estimate of the inverse Hessian serves the adjoint system",
    source: "Ramzi et al. 2022, arXiv 2106.00553",
    groups: &[RUN, LOWER, OPTIONS, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    Composition {
        init: WARM.with(settings),
        lower: LBFGS.with(settings),
        truncate: FULL.with(settings),
        hypergradient: QUASI_NEWTON.with(settings),
        upper: step(settings),
    }
}
