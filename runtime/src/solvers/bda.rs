//! `bda`: bilevel descent aggregation. The lower steps go down both objectives, so that of many lower solutions the one that is best
//! for `F` is found, and are differentiated in reverse.
//!
//! Assumes a lower level that is convex in `y`, whose solutions may be many, and an `F` strongly convex in `y`. Per iteration, for
//! `k = 0, …, lower_steps − 1`: `y ← P(y − (1 − a_k) s ∇y f − a_k t ∇y F)` with `a_k = alpha · share(k)`; then the gradient of `F(x, y_K(x))` by a
//! sweep back, for each step `g ← g − ((1 − a_k) s ∇²xy f + a_k t ∇²xy F) a` and the same with `yy` for `a`; then a step on `x`. Stops when
//! `‖x − P(x − g)‖ ≤ tolerance`. Costs a gradient and a fused second-order product of both objectives per lower step, about twice `rhg`.
//!
//! Not guaranteed: with a share that does not vanish the limit is biased even for infinitely many steps; with one that does, a cold start
//! needs many steps (`warm` helps).
//!
//! Source: R. Liu, P. Mu, X. Yuan, S. Zeng, J. Zhang, "A generic first-order algorithmic framework for bi-level programming beyond
//! lower-level singleton", ICML 2020, arXiv 2006.04045.

use super::bilevel::Composition;
use super::bilevel::hypergradient::reverse::REVERSE;
use super::bilevel::lower::aggregated::{AGGREGATED, OPTIONS};
use super::bilevel::upper::step::step;
use super::bilevel::{init, truncate};
use super::options::{LOWER_STEP, RUN, TRUNCATE, UPPER, lower_steps, warm};
use super::{Levels, Solver};
use crate::settings::{OptionSpec, Preset, Settings};

const LOWER: &[OptionSpec] = &[lower_steps(100.0), LOWER_STEP, warm(false)];

/// The solver.
pub(crate) static BDA: Solver = Solver {
    name: "bda",
    summary: "lower steps down both objectives, so that the best of many lower solutions is found, differentiated in reverse",
    source: "Liu et al. 2020, arXiv 2006.04045",
    groups: &[RUN, LOWER, OPTIONS, TRUNCATE, UPPER],
    paper: &[
        ("lower_steps", Preset::Number(5.0)),
        ("lower_step", Preset::Number(0.1)),
        ("pull_step", Preset::Number(0.1)),
        ("alpha", Preset::Number(0.6)),
        ("share", Preset::Call("geometric", 0.9)),
        ("upper_step", Preset::Number(0.001)),
        ("upper_rule", Preset::Word("adam")),
    ],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    Composition {
        init: init::by_warm(settings),
        lower: AGGREGATED.with(settings),
        truncate: truncate::by_number(settings),
        hypergradient: REVERSE.with(settings),
        upper: step(settings),
    }
}
