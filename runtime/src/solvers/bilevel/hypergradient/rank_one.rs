//! The hypergradient `rank_one`: the lower Hessian is replaced by `∇y f ∇y fᵀ` where the lower steps end, so that
//! `g = ∇x F − (∇y F · ∇y f / (‖∇y f‖² + epsilon)) ∇x f`. First derivatives only.
//!
//! Means nothing at a lower solution, where both factors vanish; `epsilon` keeps the quotient finite. Meant for few lower steps. Where
//! `∇x f` vanishes with `∇y f` it is stuck: on the two-variable counterexample of descent aggregation it never leaves `x = 0`.
//!
//! Source: T. Giovannelli, G. Kent, L. N. Vicente, "Inexact bilevel stochastic gradient methods for constrained and unconstrained
//! lower-level problems", 2021, arXiv 2110.00604 (BSG-1).

use super::{Differentiates, HypergradientRecord};
use crate::derivatives::{Derivatives, Quantity};
use crate::linear::blas1::{axpy, dot};
use crate::problem::Problem;
use crate::settings::{OptionSpec, Piece, Preset};
use crate::solvers::bilevel::Sensitivity;
use crate::solvers::bilevel::lower::Solves;
use crate::solvers::options::POSITIVE;
use crate::state::State;

/// The options.
const OPTIONS: &[OptionSpec] = &[OptionSpec {
    name: "epsilon",
    kind: POSITIVE,
    default: Preset::Number(1e-12),
    doc: "Added to the square of the lower gradient's norm.",
}];

pub(crate) static RANK_ONE: HypergradientRecord = HypergradientRecord {
    piece: Piece {
        name: "rank_one",
        doc: "the lower Hessian replaced by the square of the lower gradient",
        assumes: "few lower steps, so that the lower gradient is not zero",
        cost: "one gradient of each objective by both variables",
        source: "Giovannelli et al. 2021, arXiv 2110.00604",
        groups: &[OPTIONS],
        requires: &[],
    },
    needs: |_, _| vec![Quantity::LowerGradients],
    build: |context, own| {
        let (n, m) = (context.start.x.len(), context.start.y.len());
        Box::new(RankOne {
            lower: (context.lower.record.build.solver)(context, &context.lower.settings),
            epsilon: own.real("epsilon"),
            fx: vec![0.0; n],
            fy: vec![0.0; m],
            uy: vec![0.0; m],
        })
    },
};

struct RankOne {
    lower: Box<dyn Solves>,
    epsilon: f64,
    fx: Vec<f64>,
    fy: Vec<f64>,
    uy: Vec<f64>,
}

impl Differentiates for RankOne {
    fn evaluate(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        poll: &mut dyn FnMut(&Problem) -> bool,
        into: &mut Sensitivity,
    ) -> Option<(f64, f64)> {
        self.lower.run(problem, x, y, poll)?;
        let upper = problem.upper_gradients(x, y, &mut into.x, &mut self.uy);
        let lower = problem.lower_gradients(x, y, &mut self.fx, &mut self.fy);
        let ratio = dot(&self.uy, &self.fy) / (dot(&self.fy, &self.fy) + self.epsilon);
        axpy(-ratio, &self.fx, &mut into.x);
        Some((upper, lower))
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.lower.state(state)
    }
}
