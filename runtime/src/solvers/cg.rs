//! `cg`: implicit differentiation with conjugate gradients (AID-CG).
//!
//! Assumes that `f(x, ·)` has one minimiser with a positive definite Hessian `H`. Per iteration: `lower_steps` steps on `f`
//! from the last `y` (with `warm`); at most `cg_steps` steps of conjugate gradients on `H v = ∇y F`, from the last `v` (with
//! `warm_adjoint`), to the relative residual `cg_tolerance`; `g = ∇x F − ∇²xy f · v`; then a step on `x`. On active lower
//! domains the system is that of the face. Stops when `‖x − P(x − g)‖ ≤ tolerance`. Costs `lower_steps` gradients,
//! `cg_steps + 1` Hessian products and one fused product; memory of about 8 lower vectors.
//!
//! Not guaranteed: `g` is the hypergradient only at the exact lower solution and for a solved system. A direction of zero or
//! negative curvature stops the inner method and `v` is used as it is; the final check then reports that the hypergradient is
//! not defined.
//!
//! Sources: F. Pedregosa, "Hyperparameter optimization with approximate gradient", ICML 2016, arXiv 1602.02355; R. Grazzi,
//! L. Franceschi, M. Pontil, S. Salzo, "On the iteration complexity of hypergradient computation", ICML 2020, arXiv 2006.16218.

use super::implicit::{self, Adjoint};
use super::options::{LOWER_IMPLICIT, RUN, UPPER};
use super::{Levels, Solver};
use crate::settings::{Kind, OptionSpec, Preset};

const OWN: &[OptionSpec] = &[
    OptionSpec {
        name: "cg_steps",
        kind: Kind::Count(1),
        default: Preset::Number(20.0),
        doc: "Steps of conjugate gradients per outer iteration, at most.",
    },
    OptionSpec {
        name: "cg_tolerance",
        kind: Kind::Real { min: 0.0, max: 1.0, open: false },
        default: Preset::Number(1e-10),
        doc: "Relative residual at which conjugate gradients stop.",
    },
    OptionSpec {
        name: "warm_adjoint",
        kind: Kind::Flag,
        default: Preset::Bool(true),
        doc: "Start conjugate gradients from the last adjoint, not from zero.",
    },
];

/// The solver.
pub static CG: Solver = Solver {
    name: "cg",
    summary: "implicit differentiation: lower steps, then conjugate gradients on the adjoint system",
    source: "Pedregosa 2016, arXiv 1602.02355; Grazzi et al. 2020, arXiv 2006.16218",
    groups: &[RUN, LOWER_IMPLICIT, OWN, UPPER],
    levels: Levels::Two,
    handles: &[],
    needs: implicit::needs,
    build: |problem, settings, start| {
        let adjoint = Adjoint::ConjugateGradients {
            steps: settings.count("cg_steps"),
            tolerance: settings.real("cg_tolerance"),
            warm: settings.flag("warm_adjoint"),
        };
        implicit::build(problem, settings, start, adjoint)
    },
};
