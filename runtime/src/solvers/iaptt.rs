//! `iaptt`: initialisation auxiliary and pessimistic trajectory truncation, for lower levels that are not convex.
//!
//! Assumes that the global lower solutions are reached from some start. The start `z` of the lower steps is a variable of its own. Per
//! iteration, from `y_0 = z`: `y_{k+1} = P(y_k − s ∇y f(x, y_k))` for `K = lower_steps`; `k̄` is the first of `1, …, K` where `F(x, y_k)` is largest; a
//! sweep back from `k̄` to 0 gives the gradients of `F(x, y_k̄)` by `x` and by `z`; then a step on `x`, and one on `z` within `bound` of the model's
//! start. Stops when the steps on both, of size 1, are at most `tolerance` long together. Costs `K` gradients and values of `F`, and `k̄` fused
//! products; the memory of `K` lower vectors or of checkpoints.
//!
//! Not guaranteed: a stationary point only, and `k̄` may jump from one iteration to the next: a minimum of `max_k F(x, y_k)` is often where two
//! of them meet, and a constant step goes to and fro there (`schedule = power(0.6)` settles). Several starts are worth their time. Without the
//! truncation the learned start would make up for the lower steps and reach the unconstrained minimiser of `F` (`bilevel` with
//! `init = learned` and `truncate = full` shows it). The steps must be small: with a size that follows the curvature it can end in any
//! valley.
//!
//! Source: R. Liu, Y. Liu, S. Zeng, J. Zhang, "Towards gradient-based bilevel optimization with non-convex followers and beyond",
//! NeurIPS 2021, arXiv 2110.00455, algorithm 1.

use super::bilevel::Composition;
use super::bilevel::hypergradient::reverse::REVERSE;
use super::bilevel::init::learned::{LEARNED, OPTIONS};
use super::bilevel::lower;
use super::bilevel::truncate::argmax_upper::ARGMAX_UPPER;
use super::bilevel::upper::step::step;
use super::options::{LOWER_MOMENTUM, LOWER_RULE_UNROLLED, LOWER_STEP, RUN, UPPER, lower_steps};
use super::{Levels, Solver};
use crate::settings::{OptionSpec, Preset, Settings};

const LOWER: &[OptionSpec] = &[lower_steps(40.0), LOWER_STEP, LOWER_RULE_UNROLLED, LOWER_MOMENTUM];

/// The solver.
pub(crate) static IAPTT: Solver = Solver {
    name: "iaptt",
    summary: "a learned start of the lower steps, differentiated from the worst iterate: for lower levels that are not convex",
    source: "Liu et al. 2021, arXiv 2110.00455",
    groups: &[RUN, LOWER, OPTIONS, UPPER],
    paper: &[
        ("steps", Preset::Number(500.0)),
        ("lower_steps", Preset::Number(40.0)),
        ("lower_step", Preset::Number(5e-4)),
        ("init_step", Preset::Number(0.1)),
        ("upper_step", Preset::Number(0.1)),
    ],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    Composition {
        init: LEARNED.with(settings),
        lower: lower::by_rule(settings),
        truncate: ARGMAX_UPPER.with(settings),
        hypergradient: REVERSE.with(settings),
        upper: step(settings),
    }
}
