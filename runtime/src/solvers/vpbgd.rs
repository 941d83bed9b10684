//! `vpbgd`: gradient descent on the value-function penalty (V-PBGD).
//!
//! Assumes smooth `F`, `f`; `f(x, ·)` convex or of Polyak–Łojasiewicz type, so that gradient steps reach a global lower
//! minimiser. Per iteration, with `γ = penalty(k)`: `lower_steps` steps on `f(x, ·)` from the last copy `z`; then
//! `(x, y) ← P((x, y) − step · (dF + γ (∇x f(x, y) − ∇x f(x, z), ∇y f(x, y))) / max(1, γ))`, with separate steps for `x` and `y`.
//! Stops when the projected length of that direction is at most `tolerance`. Costs `lower_steps` lower gradients, one full lower
//! gradient, one in `x` alone and one upper gradient; no second derivatives; memory of a few vectors.
//!
//! Not guaranteed: the limit is the minimiser of `F + γ (f − min f)`, biased by order `1/γ`; with few lower steps the copy lags
//! behind, and a step on `x` that is long against `lower_steps · lower_step` diverges.
//!
//! Source: H. Shen, T. Chen, "On penalty-based bilevel gradient descent method", ICML 2023, arXiv 2302.05185, algorithm 1.

use super::options::{LOWER_COPY, RUN, UPPER};
use super::penalty::copy::LowerCopy;
use super::penalty::{Order, Penalty, Y_STEP, penalty};
use super::run::{Method, Point};
use super::step_size::StepSize;
use super::{Levels, Solver, gap_needs};
use crate::problem::Problem;
use crate::settings::{OptionSpec, Preset, Settings};

const OWN: &[OptionSpec] = &[penalty(Preset::Power(1.0, 0.5)), Y_STEP];

/// The solver.
pub static VPBGD: Solver = Solver {
    name: "vpbgd",
    summary: "gradient descent on the upper objective plus a growing penalty on the lower value gap",
    source: "Shen and Chen 2023, arXiv 2302.05185",
    groups: &[RUN, LOWER_COPY, OWN, UPPER],
    levels: Levels::Two,
    handles: &[],
    needs: gap_needs,
    build,
};

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let size = StepSize::lower(problem, settings, start, 1.0, 0.0);
    let copy = LowerCopy::new(problem, settings, start, size);
    Box::new(Penalty::new(problem, settings, start, copy, Order::Together))
}
