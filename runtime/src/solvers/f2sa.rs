//! `f2sa`: the fully first-order method with two copies of the lower variables and a growing multiplier (F2SA; with a constant
//! `penalty` F2BA).
//!
//! Assumes smooth `F`, `f` and a lower level that is strongly convex in `y`. Per iteration, with `λ = penalty(k)`: `lower_steps`
//! steps on `f(x, ·)` from the last copy `z`; `y_steps` steps on `(F + λ f)(x, ·) / max(1, λ)` from the last `y`; then
//! `x ← P(x − step (∇x F(x, y) + λ (∇x f(x, y) − ∇x f(x, z))))`, whose direction tends to the hypergradient. Stops when the projected
//! length of both directions is at most `tolerance`. With a number as `batch` every step takes the gradients of a new batch, and the
//! directions are looked at once in a pass. Costs `lower_steps + y_steps` lower gradients, `y_steps + 1` upper gradients
//! one full lower gradient and one in `x` alone; no second derivatives; memory of a few vectors.
//!
//! Not guaranteed: the limit is biased by order `1/λ`, and differences of gradients that are multiplied by `λ` lose digits: `λ`
//! beyond `1e6` helps nobody.
//!
//! Sources: J. Kwon, D. Kwon, S. Wright, R. Nowak, "A fully first-order method for stochastic bilevel optimization", ICML 2023,
//! arXiv 2301.10945, algorithm 1. The scaled step on `y`: L. Chen, Y. Ma, J. Zhang, "Near-optimal nonconvex-
//! strongly-convex bilevel optimization with fully first-order oracles", 2023, arXiv 2306.14853.

use super::options::{LOWER_COPY, RUN, UPPER};
use super::penalty::copy::LowerCopy;
use super::penalty::{Order, Penalty, Y_STEP, Y_STEPS, penalty};
use super::run::{Method, Point};
use super::step_size::StepSize;
use super::stochastic::{self, BATCH};
use super::{Levels, Solver, gap_needs};
use crate::problem::Problem;
use crate::settings::{OptionSpec, Preset, Settings};

const OWN: &[OptionSpec] = &[
    penalty(Preset::Linear(1.0, 0.1)),
    Y_STEP,
    Y_STEPS,
    OptionSpec { default: Preset::Word("all"), ..BATCH },
];

/// The solver.
pub static F2SA: Solver = Solver {
    name: "f2sa",
    summary: "first-order hypergradients from two copies of the lower variables and a growing multiplier",
    source: "Kwon et al. 2023, arXiv 2301.10945",
    groups: &[RUN, LOWER_COPY, OWN, UPPER],
    levels: Levels::Two,
    handles: &[],
    needs: gap_needs,
    build,
};

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    if super::batch(settings).is_some() {
        return stochastic::f2sa::build(problem, settings, start);
    }
    let size = StepSize::lower(problem, settings, start, 1.0, 0.0);
    let copy = LowerCopy::new(problem, settings, start, size);
    let order = Order::LowerFirst(settings.count("y_steps"));
    Box::new(Penalty::new(problem, settings, start, copy, order))
}
