//! `meha`: a single-loop Moreau envelope method, first order and without Hessians.
//!
//! Assumes a smooth upper objective and a lower objective `f + g`: `f` smooth and weakly convex in `y` over its domain (modulus
//! `rho`), with `gamma < 1/(2 rho)`, and `g` nonsmooth with a proximal operator ([`crate::proximal`]), if there is such a part. Per
//! iteration `k`, in this order, with `c_k = c (k + 1)^p` and `prox` that of `g` and the domain:
//! `θ ← prox_{eta g(x,·)}(θ − eta (∇y f(x, θ) + (θ − y)/gamma))`,
//! `x⁺ = P(x − alpha (∇x F(x, y)/c_k + ∇x (f + g)(x, y) − ∇x (f + g)(x, θ)))`,
//! `y⁺ = prox_{beta g(x⁺,·)}(y − beta (∇y F(x⁺, y)/c_k + ∇y f(x⁺, y) − (y − θ)/gamma))`.
//! `F` is divided by the growing `c_k`. `alpha` is `upper_step`, `beta` `y_step`, `eta` `lower_step`. With a part `g` the step on
//! `y` is plain, of the rule `gradient`: the operator is that of its metric. Stops when the moves
//! divided by their step sizes, `‖(Δx/alpha, Δy/beta, Δθ/eta)‖`, are at most `tolerance`. Costs two lower gradients in `y`, two
//! in `x`, one upper gradient in `x` and one in full, and the weights of `g` once; memory of a few vectors.
//!
//! Not guaranteed: with constant `c_k` (`p = 0`) the limit is biased by order `1/c`. With a nonconvex lower level `y` becomes
//! stationary for `f`, which may be a maximiser.
//!
//! Source: R. Liu, Z. Liu, W. Yao, S. Zeng, J. Zhang, "Moreau envelope for nonconvex bi-level optimization: a single-loop and
//! Hessian-free solution strategy", ICML 2024, arXiv 2405.09927, algorithm 1.

use super::options::{LOWER_PROXIMAL, POSITIVE, RUN, UPPER};
use super::penalty::order::upper_first::UPPER_FIRST;
use super::penalty::surrogate::moreau::{GAMMA, MOREAU};
use super::penalty::weight::growing::GROWING;
use super::penalty::{Composition, Scale, Y_STEP};
use super::{Levels, Solver};
use crate::settings::{Kind, OptionSpec, Preset, Settings};

const OWN: &[OptionSpec] = &[
    OptionSpec {
        doc: "Step size of the lower variables (beta); `auto` suits the curvature of F/c_k + f, at most the step of the proximal copy.",
        ..Y_STEP
    },
    GAMMA,
    OptionSpec {
        name: "c",
        kind: POSITIVE,
        default: Preset::Number(1.0),
        doc: "Penalty at the first iteration.",
    },
    OptionSpec {
        name: "p",
        kind: Kind::Real { min: 0.0, max: 0.5, open: false },
        default: Preset::Number(0.3),
        doc: "Growth of the penalty, c (k+1)^p.",
    },
];

/// The solver.
pub static MEHA: Solver = Solver {
    name: "meha",
    summary: "single-loop first-order method on the Moreau envelope of the lower level",
    source: "Liu et al. 2024, arXiv 2405.09927",
    groups: &[RUN, LOWER_PROXIMAL, OWN, UPPER],
    paper: &[
        ("lower_step", Preset::Number(0.009)),
        ("y_step", Preset::Number(0.1)),
        ("upper_step", Preset::Number(0.012)),
        ("gamma", Preset::Number(5.0)),
        ("c", Preset::Number(0.6)),
        ("p", Preset::Number(0.49)),
    ],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    Composition {
        surrogate: MOREAU.with(settings),
        weight: GROWING.with(&Settings::of_power("penalty", settings.real("c"), settings.real("p"))),
        order: UPPER_FIRST.with(settings),
        scale: Scale::Weight,
        joint: true,
        capped: false,
    }
}
