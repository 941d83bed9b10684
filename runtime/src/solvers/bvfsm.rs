//! `bvfsm`: value-function-based sequential minimisation with a squared penalty (BVFSM).
//!
//! Assumes smooth `F`, `f`; the lower level may be nonconvex where gradient steps reach global minimisers of its regularised form. Per
//! iteration `k`, with `mu_k = mu (k+1)^-fade`, `theta_k` alike and `sigma_k = sigma(k)`: `lower_steps` steps on `f(x, z) + mu_k ‖z‖²`
//! from the last `z`, which end at the value `f_z`; `y_steps` steps on `F(x, y) + theta_k ‖y‖² + sigma_k/2 max(f(x, y) − f_z, 0)²` from
//! the last `y`, with the weight `w = sigma_k max(f(x, y) − f_z, 0)` of the lower gradient and divided by `max(1, w)`; then
//! `x ← P(x − step (∇x F + w (∇x f(x, y) − ∇x f(x, z))))`. Stops when the projected length of both directions is at most `tolerance`.
//! Costs `lower_steps + y_steps` lower gradients, one full lower gradient, one in `x`, and `y_steps + 1` upper gradients; memory of a
//! few vectors.
//!
//! Not guaranteed: at a finite `sigma` a lower gap of order `sigma^(-2/3)` is left. The published code takes a logarithmic barrier
//! of strength 0.001 instead, with which its own example ends near the unconstrained minimiser of `F`; `penalty(surrogate =
//! regularised_copy, weight = log_barrier, order = lower_first)` is that family.
//!
//! Source: R. Liu, X. Liu, S. Zeng, J. Zhang, Y. Zhang, "Value-function-based sequential minimization for bi-level optimization",
//! TPAMI 2023, arXiv 2110.04974, algorithm 1 with the quadratic penalty function.

use super::options::{LOWER_STEP, RUN, UPPER, lower_steps};
use super::penalty::order::lower_first::LOWER_FIRST;
use super::penalty::surrogate::regularised::{FADING, REGULARISED};
use super::penalty::weight::quadratic::{QUADRATIC, SIGMA};
use super::penalty::{Composition, Scale, Y_STEP, Y_STEPS};
use super::{Levels, Solver};
use crate::settings::{OptionSpec, Preset, Settings};

const OWN: &[OptionSpec] =
    &[lower_steps(50.0), LOWER_STEP, SIGMA, OptionSpec { default: Preset::Number(25.0), ..Y_STEPS }, Y_STEP];

/// The solver.
pub static BVFSM: Solver = Solver {
    name: "bvfsm",
    summary: "sequential minimisation with a squared penalty on the regularised lower value gap",
    source: "Liu et al. 2023, arXiv 2110.04974",
    groups: &[RUN, OWN, FADING, UPPER],
    paper: &[
        ("steps", Preset::Number(500.0)),
        ("lower_steps", Preset::Number(50.0)),
        ("lower_step", Preset::Number(0.01)),
        ("y_steps", Preset::Number(25.0)),
        ("y_step", Preset::Number(0.01)),
        ("mu", Preset::Number(0.01)),
        ("theta", Preset::Number(0.01)),
        ("upper_step", Preset::Number(0.01)),
        ("upper_rule", Preset::Word("adam")),
    ],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    Composition {
        surrogate: REGULARISED.with(settings),
        weight: QUADRATIC.with(settings),
        order: LOWER_FIRST.with(settings),
        scale: Scale::Lower,
        joint: false,
        capped: false,
    }
}
