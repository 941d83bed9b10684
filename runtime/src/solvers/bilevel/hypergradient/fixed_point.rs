//! The hypergradient `fixed_point`: `v ← v − η (H v − ∇y F)`, at most `adjoint_steps` times, from the last `v` or from 0. From 0, `J` steps are the
//! Neumann series up to the power `J − 1`; from the last `v` the iteration goes on, and its fixed point is the solution whatever `J`.
//!
//! Diverges for `η > 2/L`, where `L` counts the curvature that the boundary of a ball adds; an automatic `η` is halved when the residual
//! grows. Stops when the residual is small against `∇y F`.
//!
//! Source: R. Grazzi, L. Franceschi, M. Pontil, S. Salzo, "On the iteration complexity of hypergradient computation", ICML 2020,
//! arXiv 2006.16218 (AID-FP).

use super::HypergradientRecord;
use super::implicit::{Adjoint, OF_F_ALONE, needs, with};
use super::neumann::ADJOINT_STEP;
use crate::hypergradient::Implicit;
use crate::linear::blas1::{axpy, norm2};
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Piece, Preset};
use crate::solvers::bilevel::lower::Solves;

/// The options.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "adjoint_steps",
        kind: Kind::Count(1),
        default: Preset::Number(20.0),
        doc: "Steps on the adjoint per outer iteration, at most: as many products with the lower Hessian.",
    },
    OptionSpec {
        doc: "Size of the steps on the adjoint; `auto` is that of the lower steps, halved while the residual grows.",
        ..ADJOINT_STEP
    },
    OptionSpec {
        name: "adjoint_tolerance",
        kind: Kind::Real { min: 0.0, max: 1.0, open: false },
        default: Preset::Number(1e-10),
        doc: "Relative residual at which the steps on the adjoint stop.",
    },
    OptionSpec {
        name: "warm_adjoint",
        kind: Kind::Flag,
        default: Preset::Bool(true),
        doc: "Start from the last adjoint, not from zero.",
    },
];

pub(crate) static FIXED_POINT: HypergradientRecord = HypergradientRecord {
    piece: Piece {
        name: "fixed_point",
        doc: "implicit differentiation; the adjoint by gradient steps on its system",
        assumes: "a solved lower level with a positive definite Hessian",
        cost: "`adjoint_steps` Hessian products and one fused product, 8 lower vectors",
        source: "Grazzi et al. 2020, arXiv 2006.16218",
        groups: &[OPTIONS],
        requires: &[OF_F_ALONE],
    },
    needs,
    build: |context, own| {
        let adjoint = FixedPoint {
            steps: own.count("adjoint_steps"),
            size: own.number("adjoint_step"),
            tolerance: own.real("adjoint_tolerance"),
            warm: own.flag("warm_adjoint"),
        };
        with(context, adjoint)
    },
};

struct FixedPoint {
    steps: usize,
    size: Option<f64>,
    tolerance: f64,
    warm: bool,
}

impl Adjoint for FixedPoint {
    fn solve(
        &mut self,
        implicit: &mut Implicit,
        problem: &mut Problem,
        (x, y): (&[f64], &[f64]),
        lower: &mut dyn Solves,
        g: &mut [f64],
    ) -> f64 {
        let automatic = self.size.is_none();
        let mut size = self.size.unwrap_or_else(|| lower.step_size(problem, x, y));
        if !self.warm {
            implicit.adjoint.fill(0.0);
        }
        let FixedPoint { steps, tolerance, .. } = *self;
        implicit.evaluate_by(problem, x, y, g, |system| {
            let limit = tolerance * norm2(system.rhs);
            let mut before = f64::INFINITY;
            for _ in 0..steps {
                system.residual();
                let residual = norm2(system.work);
                if automatic && residual > before {
                    size *= 0.5;
                }
                axpy(size, system.work, system.adjoint);
                if residual <= limit {
                    break;
                }
                before = residual;
            }
        })
    }
}
