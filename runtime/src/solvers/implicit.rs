//! What the methods of implicit differentiation share: the lower level is solved from the last `y`, then the adjoint system, and a
//! step on `x` follows. They differ in how they solve `H v = ∇y F`.

use super::lower::Lower;
use super::run::{Evaluation, Method, Point, Run};
use super::step::Step;
use super::step_size::StepSize;
use crate::derivatives::{Derivatives, Quantity};
use crate::hypergradient::Implicit;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::status::Termination;

/// The quantities of such a method.
pub(crate) fn needs(_: &Settings) -> Vec<Quantity> {
    vec![
        Quantity::LowerValue,
        Quantity::LowerGradient,
        Quantity::LowerHessian,
        Quantity::LowerSecondOrder,
        Quantity::UpperGradients,
    ]
}

/// How the adjoint system is solved.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Adjoint {
    /// At most `steps` steps of conjugate gradients to the relative residual `tolerance`, from the last adjoint if `warm`.
    ConjugateGradients { steps: usize, tolerance: f64, warm: bool },
    /// The Neumann series up to the power `terms`; the size `None` is that of the lower steps.
    Neumann { terms: usize, size: Option<f64> },
}

/// A method.
struct Implicitly {
    lower: Lower,
    adjoint: Adjoint,
    implicit: Implicit,
    upper: Step,
    cold: Option<Vec<f64>>,
    gradient: Vec<f64>,
    scratch: Vec<f64>,
}

/// Puts a method together.
pub(crate) fn build(
    problem: &mut Problem,
    settings: &Settings,
    start: &Point,
    adjoint: Adjoint,
) -> Box<dyn Method> {
    let size = StepSize::lower(problem, settings, start, 1.0, 0.0);
    Box::new(Implicitly {
        lower: Lower::new(settings, problem, size),
        adjoint,
        implicit: Implicit::new(problem),
        upper: Step::upper(settings, &problem.upper),
        cold: (!settings.flag("warm")).then(|| start.y.clone()),
        gradient: vec![0.0; start.x.len()],
        scratch: vec![0.0; start.x.len()],
    })
}

impl Method for Implicitly {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        let Point { x, y } = point;
        if let Some(start) = &self.cold {
            y.copy_from_slice(start);
        }
        let Some(mut lower) = self.lower.run(problem, x, y, |p| run.poll(p)) else { return Evaluation::NONE };
        let upper = match self.adjoint {
            Adjoint::ConjugateGradients { steps, tolerance, warm } => {
                if !warm {
                    self.implicit.adjoint.fill(0.0);
                }
                self.implicit.evaluate(problem, x, y, steps, tolerance, &mut self.gradient).0
            }
            Adjoint::Neumann { terms, size } => {
                let size = size.unwrap_or_else(|| self.lower.step_size(problem, x, y));
                self.implicit.evaluate_neumann(problem, x, y, terms, size, &mut self.gradient)
            }
        };
        if lower.is_nan() {
            lower = problem.lower_value(x, y);
        }
        let measure = problem.upper.stationarity(x, &self.gradient, &mut self.scratch);
        Evaluation { upper, lower, measure }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        self.upper.apply(&problem.upper, k, &self.gradient, &mut point.x);
        None
    }
}
