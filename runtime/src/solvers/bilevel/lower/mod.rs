//! The lower steps: as an algorithm that can be differentiated, as a solver of the lower level at a fixed `x`, or as both.

pub(crate) mod adam;
pub(crate) mod aggregated;
pub(crate) mod conjugate_gradient;
pub(crate) mod gradient;
pub(crate) mod lbfgs;
pub(crate) mod momentum;
pub(crate) mod nesterov;

use super::{Chosen, Context, Record, named, pieces};
use crate::derivatives::Quantity;
use crate::hypergradient::dynamics::{Dynamics, Momentum};
use crate::problem::Problem;
use crate::settings::{Piece, Requirement, Settings};
use crate::solvers::rule::Kind;
use crate::solvers::step::{LowerSteps, rates};
use crate::solvers::step_size::StepSize;
use crate::state::State;

pub(crate) type LowerRecord = Record<Build>;

/// All lower steps.
pub(crate) static ALL: [&LowerRecord; 7] = [
    &gradient::GRADIENT,
    &momentum::MOMENTUM,
    &nesterov::NESTEROV,
    &adam::ADAM,
    &aggregated::AGGREGATED,
    &conjugate_gradient::CONJUGATE_GRADIENT,
    &lbfgs::LBFGS,
];
/// As an option lists them.
pub(crate) static PIECES: [&Piece; 7] = pieces(ALL);

/// How one of the forms of lower steps is put together.
type Make<T> = fn(&mut Context<'_>, &Settings) -> T;

/// What lower steps can be put together as. Where neither fits the hypergradient, the records refuse the composition.
pub(crate) struct Build {
    /// Steps that can be differentiated.
    pub(crate) dynamics: Option<Make<Box<dyn Dynamics>>>,
    /// The same, gradient steps with or without momentum, where products may be found in another way.
    pub(crate) momentum: Option<Make<Momentum>>,
    /// Steps that are not differentiated.
    pub(crate) solver: Make<Box<dyn Solves>>,
}

/// Lower steps at a fixed `x`.
pub(crate) trait Solves {
    /// Moves `y` towards the lower solution, asking `poll` whether to stop: `None` when it said so, otherwise `f(x, y)` where it is
    /// known and NaN where it is not.
    fn run(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        poll: &mut dyn FnMut(&Problem) -> bool,
    ) -> Option<f64>;

    /// The size of a gradient step at `(x, y)`.
    fn step_size(&mut self, problem: &mut Problem, x: &[f64], y: &[f64]) -> f64;

    /// The relative accuracy of the last run, where it was run to one.
    fn accuracy(&self) -> Option<f64> {
        None
    }

    /// `v ← B v` with an estimate `B` of the inverse of the lower Hessian; false when there is none.
    fn inverse(&self, _: &mut [f64]) -> bool {
        false
    }

    /// Shows what an earlier outer iteration left and a later one reads; false where not all of it is shown.
    fn state(&mut self, _: &mut dyn State) -> bool {
        false
    }
}

/// What gradients of `f` alone, and a size that may be automatic, take.
pub(crate) fn descent_needs(settings: &Settings, _: &Settings) -> Vec<Quantity> {
    let mut needs = vec![Quantity::LowerGradient];
    needs.extend(crate::solvers::step_needs(settings));
    needs
}

/// As the option `lower_rule` says.
pub(crate) fn by_rule(settings: &Settings) -> Chosen<Build> {
    named(&ALL, settings.word("lower_rule"), settings)
}

/// The size of the lower steps at the start.
pub(crate) fn size(context: &mut Context<'_>) -> StepSize {
    StepSize::lower(context.problem, context.settings, context.start, 1.0, 0.0)
}

/// Steps by a rule.
fn by(kind: Kind, context: &mut Context<'_>) -> Box<dyn Solves> {
    let size = size(context);
    Box::new(Steps(LowerSteps::by(kind, context.settings, &context.problem.lower, size)))
}

/// Gradient steps with or without momentum.
fn momentum(context: &mut Context<'_>, momentum: f64, ahead: bool) -> Momentum {
    Momentum::new(context.problem, momentum, ahead, rates(context.settings, &context.problem.lower))
}

/// A fixed number of descent steps.
struct Steps(LowerSteps);

impl Solves for Steps {
    fn run(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        poll: &mut dyn FnMut(&Problem) -> bool,
    ) -> Option<f64> {
        self.0.run(problem, x, y, None, poll).then_some(f64::NAN)
    }

    fn step_size(&mut self, problem: &mut Problem, x: &[f64], y: &[f64]) -> f64 {
        self.0.follow(problem, x, y);
        self.0.size()
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.0.state(state);
        true
    }
}

/// Steps that no sweep can go back through.
const IMPLICIT_ONLY: Requirement = Requirement {
    option: "hypergradient",
    one_of: &[
        "conjugate_gradient",
        "neumann",
        "fixed_point",
        "direct",
        "quasi_newton",
        "first_order",
        "rank_one",
        "displacement",
    ],
    because: "its steps are not differentiated",
};
