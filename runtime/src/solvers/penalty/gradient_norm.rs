//! The surrogate `½ ‖∇y f(x, y)‖²`. Its gradients are one fused second-order product along `v = ∇y f`.

use super::Surrogate;
use crate::derivatives::Derivatives;
use crate::problem::Problem;
use crate::solvers::run::{Point, Run};
use crate::solvers::step_size::StepSize;

/// Work vectors, and the inverse of the lower curvature.
pub(in crate::solvers) struct GradientNorm {
    size: StepSize,
    direction: Vec<f64>,
    cross: Vec<f64>,
}

impl GradientNorm {
    /// Room for a problem with this start; `size` is 1/L of the lower level.
    pub(in crate::solvers) fn new(start: &Point, size: StepSize) -> Self {
        let zeros = vec![0.0; start.y.len()];
        GradientNorm { size, direction: zeros, cross: vec![0.0; start.x.len()] }
    }
}

impl Surrogate for GradientNorm {
    /// The curvature of `½ ‖∇y f‖²` is about `L²`.
    fn y_step(&self) -> f64 {
        0.5 * self.size.get() * self.size.get()
    }

    fn advance(&mut self, problem: &mut Problem, point: &Point, run: &mut Run<'_>) -> bool {
        self.size.follow(problem, &point.x, &point.y);
        !run.poll(problem)
    }

    fn gradients(&mut self, problem: &mut Problem, point: &Point, gap: &mut Point) -> f64 {
        let Point { x, y } = point;
        let value = problem.lower_gradient(x, y, &mut self.direction);
        problem.lower_second_order(x, y, &self.direction, &mut gap.y, &mut gap.x);
        value
    }

    fn gradient(&mut self, problem: &mut Problem, point: &Point, gy: &mut [f64]) {
        let Point { x, y } = point;
        problem.lower_gradient(x, y, &mut self.direction);
        problem.lower_second_order(x, y, &self.direction, gy, &mut self.cross);
    }
}
