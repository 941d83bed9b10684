//! `gpbgd`: gradient descent on the gradient-norm penalty (G-PBGD).
//!
//! Assumes twice differentiable `f`, smooth `F`, and that every stationary point of `f(x, ·)` is a lower solution. Per
//! iteration, with `γ = penalty(k)` and `v = ∇y f(x, y)`: `(x, y) ← P((x, y) − step · (dF + γ (∇²xy f v, ∇²yy f v)) / max(1, γ))`,
//! with separate steps for `x` and `y`. Stops when the projected length of that direction is at most `tolerance`. Costs one
//! lower gradient, one fused second-order product and one upper gradient; memory of a few vectors.
//!
//! Not guaranteed: the limit is biased by order `1/γ`; where `∇²yy f` is singular it may be a stationary point of `‖∇y f‖²` that is
//! no stationary point of `f`.
//!
//! Source: H. Shen, T. Chen, "On penalty-based bilevel gradient descent method", ICML 2023, arXiv 2302.05185, section 3.2.

use super::options::{LOWER_STEP, RUN, UPPER};
use super::penalty::order::together::TOGETHER;
use super::penalty::surrogate::gradient_norm::GRADIENT_NORM;
use super::penalty::weight::growing::GROWING;
use super::penalty::{Composition, Scale, Y_STEP, penalty};
use super::{Levels, Solver};
use crate::settings::{OptionSpec, Preset, Settings};

const OWN: &[OptionSpec] = &[
    OptionSpec {
        doc: "Inverse of the lower level's largest curvature, which `y_step = auto` follows; `auto` estimates it again as the variables move.",
        ..LOWER_STEP
    },
    penalty(Preset::Power(1.0, 0.5)),
    Y_STEP,
];

/// The solver.
pub static GPBGD: Solver = Solver {
    name: "gpbgd",
    summary: "gradient descent on the upper objective plus a growing penalty on the squared lower gradient",
    source: "Shen and Chen 2023, arXiv 2302.05185",
    groups: &[RUN, OWN, UPPER],
    paper: &[
        ("steps", Preset::Number(50000.0)),
        ("y_step", Preset::Number(0.5)),
        ("upper_step", Preset::Number(0.5)),
        ("penalty", Preset::Ramp(37.0, 30000.0)),
    ],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    Composition {
        surrogate: GRADIENT_NORM.with(settings),
        weight: GROWING.with(settings),
        order: TOGETHER.with(settings),
        scale: Scale::Bounded,
        joint: false,
        capped: false,
    }
}
