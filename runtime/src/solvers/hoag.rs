//! `hoag`: hyperparameter optimisation with approximate gradients. The lower level and the adjoint are solved to an accuracy that grows finer,
//! and the upper step finds its size.
//!
//! Assumes that `f(x, ·)` has one minimiser with a positive definite Hessian `H`; made for few upper variables. Per iteration `k`: limited-memory
//! BFGS on `f` from the last `y` to the relative accuracy `ε_k = lower_tolerance · refine(k)`, at least 1e-12; conjugate gradients on `H v = ∇y F` from the
//! last `v` to the same accuracy; `g = ∇x F − ∇²xy f · v`; then `x ← P(x − g / L)`, where `L` shrinks after a step that lowers `F` as it should, within
//! the accuracy, and doubles after one that does not; a step that raises `F` by a fifth is taken back. Stops when
//! `‖x − P(x − g)‖ ≤ tolerance`. Costs the lower gradients and Hessian products the accuracy takes; memory of about 24 lower vectors.
//!
//! Not guaranteed: a stationary point; with coarse accuracy the first steps may go uphill.
//!
//! Source: F. Pedregosa, "Hyperparameter optimization with approximate gradient", ICML 2016, arXiv 1602.02355, algorithm 1. The released code takes
//! its step twice per iteration; here it is taken once.

use super::bilevel::Composition;
use super::bilevel::hypergradient::conjugate_gradient::{CONJUGATE_GRADIENT, OPTIONS};
use super::bilevel::init::warm::WARM;
use super::bilevel::lower::lbfgs::{self, LBFGS};
use super::bilevel::truncate::full::FULL;
use super::bilevel::upper::backtracking::BACKTRACKING;
use super::options::RUN;
use super::{Levels, Solver};
use crate::settings::{OptionSpec, Preset, Settings};

const LOWER: &[OptionSpec] = &[
    OptionSpec { default: Preset::Number(1e-3), ..lbfgs::OPTIONS[0] },
    OptionSpec { default: Preset::Call("geometric", 0.9), ..lbfgs::OPTIONS[1] },
    lbfgs::OPTIONS[2],
];

const ADJOINT: &[OptionSpec] =
    &[OptionSpec { default: Preset::Number(200.0), ..OPTIONS[0] }, OPTIONS[1], OPTIONS[2]];

/// The solver.
pub(crate) static HOAG: Solver = Solver {
    name: "hoag",
    summary: "implicit differentiation to an accuracy that grows finer, with a step size that is found",
    source: "Pedregosa 2016, arXiv 1602.02355",
    groups: &[RUN, LOWER, ADJOINT],
    paper: &[
        ("steps", Preset::Number(100.0)),
        ("lower_tolerance", Preset::Number(1e-3)),
        ("refine", Preset::Call("geometric", 0.9)),
    ],
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
        hypergradient: CONJUGATE_GRADIENT.with(settings),
        upper: BACKTRACKING.with(settings),
    }
}
