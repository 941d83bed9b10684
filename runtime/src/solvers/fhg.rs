//! `fhg`: forward differentiation of a fixed number of lower steps, for few upper coordinates.
//!
//! Assumes what `rhg` does, and gives the same gradient: the derivative of the lower iterates by each upper coordinate is carried along
//! with the steps, `Z ← (I − s ∇²yy f) Z − s ∇²yx f`, and `g = ∇x F + Zᵀ ∇y F`; then a step on `x`. Stops when `‖x − P(x − g)‖ ≤ tolerance`.
//! Costs, per lower step, a gradient and for each of the `n` upper coordinates two products; the memory of `n` lower vectors, whatever
//! the number of steps.
//!
//! Not guaranteed: as for `rhg`.
//!
//! Source: L. Franceschi, M. Donini, P. Frasconi, M. Pontil, "Forward and reverse gradient-based hyperparameter optimization", ICML
//! 2017, arXiv 1703.01785, algorithm 2.

use super::bilevel::Composition;
use super::bilevel::hypergradient::forward::FORWARD;
use super::bilevel::truncate::full::FULL;
use super::bilevel::upper::step::step;
use super::bilevel::{init, lower};
use super::options::{LOWER_UNROLLED, RUN, UPPER};
use super::{Levels, Solver};
use crate::settings::Settings;

/// The solver.
pub(crate) static FHG: Solver = Solver {
    name: "fhg",
    summary: "forward differentiation of a fixed number of lower steps, for few upper coordinates",
    source: "Franceschi et al. 2017, arXiv 1703.01785",
    groups: &[RUN, LOWER_UNROLLED, UPPER],
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
        hypergradient: FORWARD.with(settings),
        upper: step(settings),
    }
}
