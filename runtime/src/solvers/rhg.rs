//! `rhg`: reverse differentiation of the lower algorithm (unrolling), in full or truncated.
//!
//! Assumes that `f(x, ·)` has one minimiser that projected gradient steps reach, and that `F`, `f` are twice differentiable.
//! Per iteration, from `y_0` (the model's start, or with `warm` the last `y_K`):
//! `y_{k+1} = P(y_k − s ∇y f(x, y_k))` (or heavy ball) for `K = lower_steps`; then with `a = ∇y F(x, y_K)`, `g = ∇x F(x, y_K)`,
//! for `k = K−1, …, K−K'`: `g ← g − s ∇²xy f a`, `a ← a − s ∇²yy f a` at `(x, y_k)`, through the derivative of `P`; then a step on `x`.
//! Stops when `‖x − P(x − g)‖ ≤ tolerance`. Costs `K` gradients and `K' = truncate` fused second-order products (about `4 K`
//! gradients in full) and the memory of `K'` lower vectors; where that is more than the run may use, of a checkpoint now and then, at
//! the cost of up to `K'` gradients more and with the same result to the bit.
//!
//! Not guaranteed: with finite `K` the limit is stationary for `F(x, y_K(x))`, not for the bilevel problem; the bias decays
//! like `(1 − s mu)^K` on a strongly convex lower level. Where lower solutions are not unique it may be wrong for every `K`.
//! With `warm` the dependence of `y_0` on `x` is neglected.
//!
//! Sources: L. Franceschi, M. Donini, P. Frasconi, M. Pontil, "Forward and reverse gradient-based hyperparameter
//! optimization", ICML 2017, arXiv 1703.01785 (algorithm 1). Truncation: A. Shaban, C.-A. Cheng, N. Hatch, B. Boots,
//! "Truncated back-propagation for bilevel optimization", AISTATS 2019, arXiv 1810.10667.

use super::bilevel::Composition;
use super::bilevel::hypergradient::reverse::REVERSE;
use super::bilevel::upper::step::step;
use super::bilevel::{init, lower, truncate};
use super::options::{LOWER_UNROLLED, RUN, TRUNCATE, UPPER};
use super::{Levels, Solver};
use crate::settings::{Preset, Settings};

/// The solver.
pub static RHG: Solver = Solver {
    name: "rhg",
    summary: "reverse differentiation of a fixed number of lower steps, in full or truncated",
    source: "Franceschi et al. 2017, arXiv 1703.01785; Shaban et al. 2019, arXiv 1810.10667",
    groups: &[RUN, LOWER_UNROLLED, TRUNCATE, UPPER],
    paper: &[
        ("lower_steps", Preset::Number(100.0)),
        ("lower_step", Preset::Number(0.1)),
        ("upper_step", Preset::Number(1.0)),
        ("upper_rule", Preset::Word("momentum")),
        ("momentum", Preset::Number(0.9)),
    ],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    Composition {
        init: init::by_warm(settings),
        lower: lower::by_rule(settings),
        truncate: truncate::by_number(settings),
        hypergradient: REVERSE.with(settings),
        upper: step(settings),
    }
}
