//! `darts`: differentiable architecture search. One lower step is looked through, with differences of gradients for its derivative.
//!
//! Assumes that one step from the last `y` says how the lower level answers. Per iteration: `y' = y − s ∇y f(x, y)` (or more steps);
//! `g = ∇x F(x, y') − s (∇x f(x, y + ε v) − ∇x f(x, y − ε v)) / 2ε` with `v = ∇y F(x, y')`; then a step on `x`, and the next iteration goes on from `y'`. With
//! `order = 1` the second term is dropped. Stops when `‖x − P(x − g)‖ ≤ tolerance`. Costs three gradients of `f` and one of `F`; no
//! second derivatives, the memory of a few lower vectors.
//!
//! Not guaranteed: the fixed point is that of one step, `x = 1/(1 + s)` on `f = ½ y² − x y`, `F = ½ y² + ½ (x − 1)²` (bilevel: ½); with
//! `order = 1` the coupling is ignored and it is 1. In the paper `y` moves after `x`; the fixed points are the same.
//!
//! Source: H. Liu, K. Simonyan, Y. Yang, "DARTS: differentiable architecture search", ICLR 2019, arXiv 1806.09055, algorithm 1.

use super::bilevel::Composition;
use super::bilevel::hypergradient::finite_difference::{FINITE_DIFFERENCE, OPTIONS};
use super::bilevel::hypergradient::first_order::FIRST_ORDER;
use super::bilevel::init::warm::WARM;
use super::bilevel::lower;
use super::bilevel::truncate::full::FULL;
use super::bilevel::upper::step::step;
use super::options::{LOWER_MOMENTUM, LOWER_RULE_UNROLLED, LOWER_STEP, RUN, UPPER, lower_steps};
use super::{Levels, Solver};
use crate::settings::{Kind, OptionSpec, Preset, Settings};

const LOWER: &[OptionSpec] = &[lower_steps(1.0), LOWER_STEP, LOWER_RULE_UNROLLED, LOWER_MOMENTUM];

const ORDER: &[OptionSpec] = &[OptionSpec {
    name: "order",
    kind: Kind::Within(1, 2),
    default: Preset::Number(2.0),
    doc: "2 looks through the lower steps, 1 ignores that they depend on `x`.",
}];

/// The solver.
pub(crate) static DARTS: Solver = Solver {
    name: "darts",
    summary: "one lower step looked through, with differences of gradients, or ignored",
    source: "Liu, Simonyan, Yang 2019, arXiv 1806.09055",
    groups: &[RUN, LOWER, OPTIONS, ORDER, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    Composition {
        init: WARM.with(settings),
        lower: lower::by_rule(settings),
        truncate: FULL.with(settings),
        hypergradient: if settings.count("order") == 1 {
            FIRST_ORDER.with(settings)
        } else {
            FINITE_DIFFERENCE.with(settings)
        },
        upper: step(settings),
    }
}
