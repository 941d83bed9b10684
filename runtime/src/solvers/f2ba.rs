//! `f2ba`: the fully first-order method with two copies of the lower variables and a constant multiplier (F2BA).
//!
//! Assumes smooth `F`, `f` and a lower level that is strongly convex in `y`. Per iteration, with `λ = penalty`: `lower_steps` steps on
//! `f(x, ·)` from the last copy `z`; `y_steps` steps on `F/λ + f` (for `λ ≥ 1`) from the last `y`; then
//! `x ← P(x − step (∇x F(x, y) + λ (∇x f(x, y) − ∇x f(x, z))))`. Stops when the projected length of both directions is at most
//! `tolerance`. Costs `lower_steps + y_steps` lower gradients, `y_steps + 1` upper gradients, one full lower gradient and one in `x`
//! alone; no second derivatives; memory of a few vectors.
//!
//! Not guaranteed: the limit is stationary for `F + λ (f − min f)`, biased by order `1/λ`.
//!
//! Source: L. Chen, Y. Ma, J. Zhang, "Near-optimal nonconvex-strongly-convex bilevel optimization with fully first-order oracles",
//! 2023, arXiv 2306.14853, algorithm 1.

use super::options::{LOWER_COPY, RUN, UPPER};
use super::penalty::order::lower_first::LOWER_FIRST;
use super::penalty::surrogate::copy::COPY;
use super::penalty::weight::growing::GROWING;
use super::penalty::{Composition, Scale, Y_STEP, Y_STEPS, penalty};
use super::{Levels, Solver};
use crate::settings::{OptionSpec, Preset, Settings};

const OWN: &[OptionSpec] = &[penalty(Preset::Number(10.0)), Y_STEP, Y_STEPS];

/// The solver.
pub static F2BA: Solver = Solver {
    name: "f2ba",
    summary: "first-order hypergradients from two copies of the lower variables and a constant multiplier",
    source: "Chen et al. 2023, arXiv 2306.14853",
    groups: &[RUN, LOWER_COPY, OWN, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
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
