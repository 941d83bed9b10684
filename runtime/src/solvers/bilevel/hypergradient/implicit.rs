//! What the implicit hypergradients share: the lower level is solved, then the adjoint system `H v = ∇y F`, and `g = ∇x F − ∇²xy f · v`.
//! They differ in how they solve the system.

use super::Differentiates;
use crate::derivatives::{Derivatives, Quantity};
use crate::hypergradient::Implicit;
use crate::problem::Problem;
use crate::settings::{Requirement, Settings};
use crate::solvers::bilevel::lower::Solves;
use crate::solvers::bilevel::{Context, Sensitivity};
use crate::state::State;

/// What every implicit hypergradient needs of the lower steps.
pub(super) const OF_F_ALONE: Requirement = Requirement {
    option: "lower",
    one_of: &["gradient", "momentum", "nesterov", "adam", "conjugate_gradient", "lbfgs"],
    because: "the adjoint system is that of `f` alone, and the steps must lead to its solution",
};

/// What every implicit hypergradient evaluates. On domains the face is found by a lower gradient.
pub(super) fn needs(_: &Settings, _: &Settings) -> Vec<Quantity> {
    vec![Quantity::LowerGradient, Quantity::LowerHessian, Quantity::LowerSecondOrder]
}

/// A way to solve the adjoint system.
pub(super) trait Adjoint {
    /// `F(x, y)` and, in `g`, the hypergradient at `y`, where the lower steps of `lower` ended.
    fn solve(
        &mut self,
        implicit: &mut Implicit,
        problem: &mut Problem,
        at: (&[f64], &[f64]),
        lower: &mut dyn Solves,
        g: &mut [f64],
    ) -> f64;

    /// Why it cannot be used on the problem.
    fn refusal(&self) -> Option<String> {
        None
    }
}

/// Lower steps and an adjoint.
struct Implicitly<A> {
    lower: Box<dyn Solves>,
    implicit: Implicit,
    adjoint: A,
}

/// Puts the lower steps of a context and an adjoint together.
pub(super) fn with(context: &mut Context<'_>, adjoint: impl Adjoint + 'static) -> Box<dyn Differentiates> {
    let lower = (context.lower.record.build.solver)(context, &context.lower.settings);
    Box::new(Implicitly { lower, implicit: Implicit::new(context.problem), adjoint })
}

impl<A: Adjoint> Differentiates for Implicitly<A> {
    fn evaluate(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        poll: &mut dyn FnMut(&Problem) -> bool,
        into: &mut Sensitivity,
    ) -> Option<(f64, f64)> {
        let Implicitly { lower: steps, implicit, adjoint } = self;
        let mut lower = steps.run(problem, x, y, poll)?;
        let upper = adjoint.solve(implicit, problem, (x, y), steps.as_mut(), &mut into.x);
        if lower.is_nan() {
            lower = problem.lower_value(x, y);
        }
        Some((upper, lower))
    }

    fn accuracy(&self) -> Option<f64> {
        self.lower.accuracy()
    }

    fn refusal(&self) -> Option<String> {
        self.adjoint.refusal()
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        state.numbers(&mut self.implicit.adjoint);
        state.number(&mut self.implicit.damping);
        self.lower.state(state)
    }
}
