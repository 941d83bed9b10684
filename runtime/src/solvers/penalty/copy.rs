//! The surrogate `f(x, y) − f(x, z)`, with `z` a second copy of the lower variables that follows the lower level by gradient
//! steps and is held constant in the gradients (the envelope theorem: `∇x min_z f(x, z) = ∇x f(x, z*)`).

use super::Surrogate;
use crate::derivatives::Derivatives;
use crate::linear::blas1::axpy;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::solvers::run::{Point, Run};
use crate::solvers::step::LowerSteps;
use crate::solvers::step_size::StepSize;

/// The copy: kept between iterations, not started at `y` again.
pub(in crate::solvers) struct LowerCopy {
    lower: LowerSteps,
    z: Vec<f64>,
    /// `∇x f` at the copy.
    at_z: Vec<f64>,
}

impl LowerCopy {
    /// A copy that starts at `start.y`.
    pub(in crate::solvers) fn new(
        problem: &Problem,
        settings: &Settings,
        start: &Point,
        size: StepSize,
    ) -> Self {
        LowerCopy {
            lower: LowerSteps::new(settings, &problem.lower, size),
            z: start.y.clone(),
            at_z: start.x.clone(),
        }
    }
}

impl Surrogate for LowerCopy {
    fn y_step(&self) -> f64 {
        0.5 * self.lower.size()
    }

    fn advance(&mut self, problem: &mut Problem, point: &Point, run: &mut Run<'_>) -> bool {
        self.lower.run(problem, &point.x, &mut self.z, None, |p| run.poll(p))
    }

    fn gradients(&mut self, problem: &mut Problem, point: &Point, gap: &mut Point) -> f64 {
        problem.lower_gradient_x_only(&point.x, &self.z, &mut self.at_z);
        let value = problem.lower_gradients(&point.x, &point.y, &mut gap.x, &mut gap.y);
        axpy(-1.0, &self.at_z, &mut gap.x);
        value
    }

    fn gradient(&mut self, problem: &mut Problem, point: &Point, gy: &mut [f64]) {
        problem.lower_gradient(&point.x, &point.y, gy);
    }
}
