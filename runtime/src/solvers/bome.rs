//! `bome`: a first-order method on the value function, with a dynamic barrier.
//!
//! Assumes differentiable `F`, `f`; the lower level may be nonconvex where gradient steps from `y` lead to one attraction
//! point. Per iteration: `ŷ` is the result of `lower_steps` steps on `f(x, ·)` from `y`, then held constant;
//! `q = f(x, y) − f(x, ŷ)`, `dq = (∇x f(x, y) − ∇x f(x, ŷ), ∇y f(x, y))`, `dF = (∇x F, ∇y F)`;
//! `λ = max((psi − ⟨dF, dq⟩) / (‖dq‖² + epsilon), 0)` with `psi = eta ‖dq‖²` (written `λ = max(eta − ⟨dF, dq⟩/(‖dq‖² + epsilon), 0)`)
//! or `psi = eta q`; `(x, y) ← P((x, y) − step (dF + λ dq))`, with separate steps for `x` and `y`. Domains apply to `ŷ` as well.
//! Stops when the projected length of `dF + λ dq` is at most `tolerance`. Costs `lower_steps` lower gradients,
//! one of them in full, one in `x` alone and one upper gradient, no second derivatives; an automatic `y_step` a few upper gradients
//! more at the start and where variables have moved; memory of a few vectors.
//!
//! Not guaranteed: finite `lower_steps` leaves a bias that decays geometrically in it; `epsilon` leaves one of order
//! `epsilon^(1/3)`. The multiplier grows without bound near `q = 0`.
//!
//! Source: M. Ye, B. Liu, S. Wright, P. Stone, Q. Liu, "BOME! Bilevel optimization made easy: a simple first-order approach",
//! NeurIPS 2022, arXiv 2209.08709, algorithm 1.

use super::options::{LOWER_COPY, RUN, UPPER};
use super::penalty::order::together::TOGETHER;
use super::penalty::surrogate::restarted::RESTARTED;
use super::penalty::weight::dynamic_barrier::{BARRIER, DYNAMIC_BARRIER};
use super::penalty::{Composition, Scale, Y_STEP};
use super::{Levels, Solver};
use crate::settings::{OptionSpec, Preset, Settings};

const OWN: &[OptionSpec] = &[OptionSpec {
    doc: "Outer step size of the lower variables; `auto` suits the curvature of F + λ f, at most the lower step and `upper_step`.",
    ..Y_STEP
}];

/// The solver.
pub static BOME: Solver = Solver {
    name: "bome",
    summary: "first-order descent on the upper objective with a dynamic barrier on the lower value gap",
    source: "Ye et al. 2022, arXiv 2209.08709",
    groups: &[RUN, LOWER_COPY, OWN, BARRIER, UPPER],
    paper: &[
        ("steps", Preset::Number(5000.0)),
        ("lower_steps", Preset::Number(10.0)),
        ("lower_step", Preset::Number(0.05)),
        ("y_step", Preset::Number(0.05)),
        ("upper_step", Preset::Number(0.05)),
        ("eta", Preset::Number(0.5)),
    ],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    Composition {
        surrogate: RESTARTED.with(settings),
        weight: DYNAMIC_BARRIER.with(settings),
        order: TOGETHER.with(settings),
        scale: Scale::None,
        joint: true,
        capped: true,
    }
}
