//! `pbgd_free`: penalty gradient descent without the value function (PBGD-Free).
//!
//! Assumes smooth `F`, `f`, a lower level that gradient steps solve, and an `F` that is flat along the follower's response. Per iteration,
//! with `γ = penalty(k)`: `y_steps` steps on `F/γ + f` (for `γ ≥ 1`) from the last `y`; then `x ← P(x − step ∇x F(x, y))`. Stops when the
//! projected length of both directions is at most `tolerance`. Costs `y_steps + 1` lower and upper gradients; memory of a few vectors.
//!
//! Not guaranteed: what is left out is `γ (∇x f(x, y) − ∇x f(x, y*(x)))`, which tends to the whole indirect part of the hypergradient.
//! Where `F` depends on `x` through `y` in earnest the limit is wrong however large `γ` is, as that of `alternating` is.
//!
//! Source: "Beyond value functions: single-loop bilevel optimization under flatness conditions", NeurIPS 2025, arXiv 2507.20400.

use super::options::{LOWER_STEP, RUN, UPPER};
use super::penalty::order::lower_first::LOWER_FIRST;
use super::penalty::surrogate::response::RESPONSE;
use super::penalty::weight::growing::GROWING;
use super::penalty::{Composition, Scale, Y_STEP, Y_STEPS, penalty};
use super::{Levels, Solver};
use crate::settings::{OptionSpec, Preset, Settings};

const OWN: &[OptionSpec] = &[
    OptionSpec {
        doc: "Inverse of the lower level's largest curvature, which `y_step = auto` follows; `auto` estimates it again as the variables move.",
        ..LOWER_STEP
    },
    penalty(Preset::Power(1.0, 0.5)),
    Y_STEP,
    Y_STEPS,
];

/// The solver.
pub static PBGD_FREE: Solver = Solver {
    name: "pbgd_free",
    summary: "penalty gradient descent without the value function, for responses that the upper objective is flat along",
    source: "Jiang et al. 2025, arXiv 2507.20400",
    groups: &[RUN, OWN, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    Composition {
        surrogate: RESPONSE.with(settings),
        weight: GROWING.with(settings),
        order: LOWER_FIRST.with(settings),
        scale: Scale::Lower,
        joint: false,
        capped: false,
    }
}
