//! The hypergradient `conjugate_gradient`: `H v = ∇y F` by at most `cg_steps` steps of conjugate gradients to a relative residual, from the
//! last `v` or from 0. On active lower domains the system is that of the face.
//!
//! The hypergradient only at the exact lower solution and for a solved system. A direction of zero curvature stops the method and `v`
//! is used as it is. Where a direction of negative curvature is met, `y` is no lower minimiser and the system no Newton system: it is
//! solved again from a short multiple of `∇y F` with `H + δ I`, `δ` twice the curvature met, and half as much in the next outer iteration. As `δ` grows, `v`
//! turns from the Newton direction to a short multiple of `∇y F`.
//!
//! Sources: F. Pedregosa, ICML 2016, arXiv 1602.02355; R. Grazzi, L. Franceschi, M. Pontil, S. Salzo, "On the iteration complexity of
//! hypergradient computation", ICML 2020, arXiv 2006.16218.

use super::HypergradientRecord;
use super::implicit::{Adjoint, OF_F_ALONE, needs, with};
use crate::hypergradient::Implicit;
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Piece, Preset};
use crate::solvers::bilevel::lower::Solves;

/// The options.
pub(crate) const OPTIONS: &[OptionSpec] = &[
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
        doc: "Relative residual at which conjugate gradients stop; that of lower steps run to a coarser one, if larger.",
    },
    OptionSpec {
        name: "warm_adjoint",
        kind: Kind::Flag,
        default: Preset::Bool(true),
        doc: "Start conjugate gradients from the last adjoint, not from zero.",
    },
];

pub(crate) static CONJUGATE_GRADIENT: HypergradientRecord = HypergradientRecord {
    piece: Piece {
        name: "conjugate_gradient",
        doc: "implicit differentiation; the adjoint system by conjugate gradients",
        assumes: "a solved lower level with a positive definite Hessian",
        cost: "`cg_steps` + 1 Hessian products and one fused product, 8 lower vectors",
        source: "Pedregosa 2016, arXiv 1602.02355; Grazzi et al. 2020, arXiv 2006.16218",
        groups: &[OPTIONS],
        requires: &[OF_F_ALONE],
    },
    needs,
    build: |context, own| {
        let adjoint = ConjugateGradient {
            steps: own.count("cg_steps"),
            tolerance: own.real("cg_tolerance"),
            warm: own.flag("warm_adjoint"),
        };
        with(context, adjoint)
    },
};

struct ConjugateGradient {
    steps: usize,
    tolerance: f64,
    warm: bool,
}

impl Adjoint for ConjugateGradient {
    fn solve(
        &mut self,
        implicit: &mut Implicit,
        problem: &mut Problem,
        (x, y): (&[f64], &[f64]),
        lower: &mut dyn Solves,
        g: &mut [f64],
    ) -> f64 {
        if !self.warm {
            implicit.adjoint.fill(0.0);
        }
        let tolerance = lower.accuracy().map_or(self.tolerance, |accuracy| accuracy.max(self.tolerance));
        implicit.evaluate_damped(problem, x, y, self.steps, tolerance, g)
    }
}
