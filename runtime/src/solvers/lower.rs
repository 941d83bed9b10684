//! Solving the lower level at a fixed `x`: descent steps, or conjugate gradients on the quadratic model of `f`.

use super::step::LowerSteps;
use super::step_size::StepSize;
use crate::derivatives::Derivatives;
use crate::face::Face;
use crate::hypergradient::Descent;
use crate::linear::blas1::axpy;
use crate::linear::cg::{CgEnd, ConjugateGradients};
use crate::problem::Problem;
use crate::settings::Settings;

/// The word of the option `lower_rule` for [`Newton`].
const CONJUGATE: &str = "conjugate_gradient";

/// How often a step that goes uphill is halved before it is given up.
const HALVINGS: usize = 40;

/// The algorithm for the lower level.
#[derive(Clone, Debug)]
pub(crate) enum Lower {
    /// A fixed number of steps by a descent rule.
    Descent(Box<LowerSteps>),
    /// One truncated Newton step.
    Newton(Box<Newton>),
}

impl Lower {
    /// As the options of the lower level say, with descent steps of size `size`.
    pub(crate) fn new(settings: &Settings, problem: &Problem, size: StepSize) -> Self {
        if settings.word("lower_rule") == CONJUGATE {
            Lower::Newton(Box::new(Newton::new(settings, problem, size)))
        } else {
            Lower::Descent(Box::new(LowerSteps::new(settings, &problem.lower, size)))
        }
    }

    /// Moves `y` towards the lower solution, asking `poll` whether to go on: `None` when it asked to stop, otherwise `f(x, y)`
    /// where it is known and NaN where it is not.
    pub(crate) fn run(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        mut poll: impl FnMut(&Problem) -> bool,
    ) -> Option<f64> {
        match self {
            Lower::Descent(steps) => steps.run(problem, x, y, None, poll).then_some(f64::NAN),
            Lower::Newton(newton) => {
                if poll(problem) {
                    return None;
                }
                newton.run(problem, x, y, poll)
            }
        }
    }

    /// The size of a descent step at `(x, y)`.
    pub(crate) fn step_size(&mut self, problem: &mut Problem, x: &[f64], y: &[f64]) -> f64 {
        let steps = match self {
            Lower::Descent(steps) => steps,
            Lower::Newton(newton) => &mut newton.steps,
        };
        steps.follow(problem, x, y);
        steps.size()
    }
}

/// One truncated Newton step: conjugate gradients on `H d = −∇y f`, then `y ← P(y + t d)` with the largest `t = 1, ½, ¼, …` that
/// does not lead uphill. Where a domain is active the system is that of the face, found by a projected gradient step first;
/// where the very first direction has no positive curvature a gradient step is all that is taken.
#[derive(Clone, Debug)]
pub(crate) struct Newton {
    count: usize,
    /// A single gradient step.
    steps: LowerSteps,
    solver: ConjugateGradients,
    face: Face,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    start: Vec<f64>,
}

impl Newton {
    fn new(settings: &Settings, problem: &Problem, size: StepSize) -> Self {
        let m = problem.lower.len();
        Newton {
            count: settings.count("lower_steps"),
            steps: LowerSteps::single(settings, &problem.lower, size),
            solver: ConjugateGradients::new(m),
            face: Face::new(problem),
            gradient: vec![0.0; m],
            direction: vec![0.0; m],
            start: vec![0.0; m],
        }
    }

    fn run(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        mut poll: impl FnMut(&Problem) -> bool,
    ) -> Option<f64> {
        let free = problem.lower.is_free();
        if !free && !self.steps.run(problem, x, y, None, &mut poll) {
            return None;
        }
        let value = problem.lower_gradient(x, y, &mut self.gradient);
        if !free {
            self.face.locate(problem, y, &self.gradient);
            self.face.tangent(&problem.lower, &mut self.gradient);
        }
        crate::linear::blas1::scale(-1.0, &mut self.gradient);
        self.direction.fill(0.0);
        let (face, tolerance) = (&self.face, problem.roundoff);
        let report =
            self.solver.solve(&self.gradient, &mut self.direction, self.count, tolerance, |v, hv| {
                problem.lower_hessian(x, y, v, hv);
                if !free {
                    face.add_curvature(&problem.lower, v, hv);
                    face.tangent(&problem.lower, hv);
                }
            });
        if report.steps == 0 && matches!(report.end, CgEnd::Negative | CgEnd::Singular) {
            return self.steps.run(problem, x, y, None, poll).then_some(f64::NAN);
        }
        Some(self.advance(problem, x, y, value))
    }

    /// Goes along the direction; `value` is that of `f` at `y`. The value at the new `y`.
    fn advance(&mut self, problem: &mut Problem, x: &[f64], y: &mut [f64], value: f64) -> f64 {
        self.start.copy_from_slice(y);
        let mut length = 1.0;
        for _ in 0..HALVINGS {
            axpy(length, &self.direction, y);
            problem.lower.project(y);
            let last = problem.tolerantly(|p| p.lower_value(x, y));
            if (Descent { first: value, last }).is_downhill(problem.roundoff) {
                return last;
            }
            y.copy_from_slice(&self.start);
            length *= 0.5;
        }
        value
    }
}
