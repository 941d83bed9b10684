//! `f2sa`: the fully first-order method with two copies of the lower variables and a growing multiplier (F2SA; with a
//! constant one `f2ba`).
//!
//! Assumes smooth `F`, `f` and a lower level that is strongly convex in `y`. Per iteration, with `λ = penalty(k)`: `lower_steps`
//! steps on `f(x, ·)` from the last copy `z`; `y_steps` steps on `(F + λ f)(x, ·) / max(1, λ)` from the last `y`; then
//! `x ← P(x − step (∇x F(x, y) + λ (∇x f(x, y) − ∇x f(x, z))))`, whose direction tends to the hypergradient. Stops when the projected
//! length of both directions is at most `tolerance`. With a number as `batch` every step takes the gradients of a new batch, and the
//! directions are looked at once in a pass. Costs `lower_steps + y_steps` lower gradients, `y_steps + 1` upper gradients,
//! one full lower gradient and one in `x` alone; no second derivatives; memory of a few vectors.
//!
//! Not guaranteed: the limit is biased by order `1/λ`, and differences of gradients that are multiplied by `λ` lose digits: `λ`
//! beyond `1e6` helps nobody. As long as the copies are far from where they go, what `x` sees is also how far each of them has come: with
//! few steps per iteration give both one size (`lower_step`, `y_step`), as the automatic ones differ.
//!
//! Sources: J. Kwon, D. Kwon, S. Wright, R. Nowak, "A fully first-order method for stochastic bilevel optimization", ICML 2023,
//! arXiv 2301.10945, algorithm 1. The scaled step on `y`: L. Chen, Y. Ma, J. Zhang, "Near-optimal nonconvex-
//! strongly-convex bilevel optimization with fully first-order oracles", 2023, arXiv 2306.14853.

use super::options::{LOWER_COPY, RUN, UPPER};
use super::penalty::order::lower_first::LOWER_FIRST;
use super::penalty::surrogate::copy::COPY;
use super::penalty::weight::growing::GROWING;
use super::penalty::{Composition, Scale, Y_STEP, Y_STEPS, penalty};
use super::stochastic::{self, BATCH};
use super::{Levels, Solver};
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
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| match super::batch(settings) {
        Some(_) => stochastic::f2sa::build(problem, settings, start),
        None => composition(settings).build(problem, settings, start),
    },
};

fn composition(settings: &Settings) -> Composition {
    Composition {
        surrogate: COPY.with(settings),
        weight: GROWING.with(settings),
        order: LOWER_FIRST.with(settings),
        scale: Scale::Lower,
        joint: false,
        capped: false,
    }
}
