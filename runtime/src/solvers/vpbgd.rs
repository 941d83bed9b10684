//! `vpbgd`: gradient descent on the value-function penalty (V-PBGD).
//!
//! Assumes smooth `F`, `f`; `f(x, ·)` convex or of Polyak–Łojasiewicz type, so that gradient steps reach a global lower
//! minimiser. Per iteration, with `γ = penalty(k)`: `lower_steps` steps on `f(x, ·)` from the last copy `z`; then
//! `(x, y) ← P((x, y) − step · (dF + γ (∇x f(x, y) − ∇x f(x, z), ∇y f(x, y))) / max(1, γ))`, with separate steps for `x` and `y`.
//! Stops when the projected length of that direction is at most `tolerance`. Costs `lower_steps` lower gradients, one full lower
//! gradient, one in `x` alone and one upper gradient; no second derivatives; memory of a few vectors.
//!
//! Not guaranteed: the limit is the minimiser of `F + γ (f − min f)`, biased by order `1/γ`; with few lower steps the copy lags
//! behind, and a step on `x` that is long against `lower_steps · lower_step` diverges. One size for `y` and the copy
//! (`y_step`, `lower_step`) keeps them equally far while both are on their way.
//!
//! Source: H. Shen, T. Chen, "On penalty-based bilevel gradient descent method", ICML 2023, arXiv 2302.05185, algorithm 1.

use super::options::{LOWER_COPY, RUN, UPPER};
use super::penalty::order::together::TOGETHER;
use super::penalty::surrogate::copy::COPY;
use super::penalty::weight::growing::GROWING;
use super::penalty::{Composition, Scale, Y_STEP, penalty};
use super::{Levels, Solver};
use crate::settings::{OptionSpec, Preset, Settings};

const OWN: &[OptionSpec] = &[penalty(Preset::Power(1.0, 0.5)), Y_STEP];

/// The solver.
pub static VPBGD: Solver = Solver {
    name: "vpbgd",
    summary: "gradient descent on the upper objective plus a growing penalty on the lower value gap",
    source: "Shen and Chen 2023, arXiv 2302.05185",
    groups: &[RUN, LOWER_COPY, OWN, UPPER],
    paper: &[
        ("steps", Preset::Number(40000.0)),
        ("lower_steps", Preset::Number(1.0)),
        ("lower_step", Preset::Number(0.01)),
        ("y_step", Preset::Number(0.1)),
        ("upper_step", Preset::Number(0.1)),
        ("penalty", Preset::Ramp(0.2, 30000.0)),
    ],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    Composition {
        surrogate: COPY.with(settings),
        weight: GROWING.with(settings),
        order: TOGETHER.with(settings),
        scale: Scale::Bounded,
        joint: false,
        capped: false,
    }
}
