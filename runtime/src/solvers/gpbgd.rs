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
use super::penalty::gradient_norm::GradientNorm;
use super::penalty::{Order, Penalty, Y_STEP, penalty};
use super::run::{Method, Point};
use super::step_size::StepSize;
use super::{Levels, Solver, step_needs};
use crate::derivatives::Quantity;
use crate::problem::Problem;
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
    levels: Levels::Two,
    handles: &[],
    needs: |settings| {
        let mut needs = vec![Quantity::LowerGradient, Quantity::LowerSecondOrder, Quantity::UpperGradients];
        needs.extend(step_needs(settings));
        needs
    },
    build,
};

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let size = StepSize::lower(problem, settings, start, 1.0, 0.0);
    let surrogate = GradientNorm::new(start, size);
    Box::new(Penalty::new(problem, settings, start, surrogate, Order::Together))
}
