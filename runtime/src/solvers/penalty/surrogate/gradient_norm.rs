//! Surrogate `gradient_norm`: `½ ‖∇y f(x, y)‖²`. Its gradients are one fused second-order product along `v = ∇y f`.

use super::{Surrogate, SurrogateRecord, around};
use crate::derivatives::{Derivatives, Quantity};
use crate::linear::blas1::dot;
use crate::problem::Problem;
use crate::settings::Piece;
use crate::solvers::penalty::combine;
use crate::solvers::run::{Point, Run};
use crate::solvers::step_needs;
use crate::solvers::step_size::StepSize;
use crate::state::State;

pub(crate) static GRADIENT_NORM: SurrogateRecord = SurrogateRecord {
    piece: Piece {
        name: "gradient_norm",
        doc: "`½ ‖∇y f(x, y)‖²`",
        assumes: "that every stationary point of `f(x, ·)` is a lower solution; a singular lower Hessian has false stationary points",
        cost: "one lower gradient and one fused second-order product",
        source: "Shen and Chen 2023, arXiv 2302.05185",
        groups: &[],
        requires: &[],
    },
    needs: |settings, _| {
        let mut needs = vec![Quantity::LowerGradient, Quantity::LowerSecondOrder];
        needs.extend(step_needs(settings));
        needs
    },
    build: |problem, settings, _, start, rest| {
        let surrogate = GradientNorm {
            size: StepSize::lower(problem, settings, start, 1.0, 0.0),
            slope: start.y.clone(),
            gap: start.clone(),
        };
        around(problem, settings, start, surrogate, rest)
    },
};

/// Work vectors, and the inverse of the lower curvature.
struct GradientNorm {
    size: StepSize,
    /// `∇y f`.
    slope: Vec<f64>,
    /// Its products with the second derivatives: the gradients of the gap.
    gap: Point,
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

    fn gradients(&mut self, problem: &mut Problem, point: &Point) -> f64 {
        let Point { x, y } = point;
        let value = problem.lower_gradient(x, y, &mut self.slope);
        problem.lower_second_order(x, y, &self.slope, &mut self.gap.y, &mut self.gap.x);
        value
    }

    fn gradient_x(&mut self, problem: &mut Problem, point: &Point) -> f64 {
        self.gradients(problem, point)
    }

    fn gradient_y(&mut self, problem: &mut Problem, point: &Point) {
        self.gradients(problem, point);
    }

    fn gap(&self) -> f64 {
        0.5 * dot(&self.slope, &self.slope)
    }

    fn add_x(&self, a: f64, b: f64, d: &mut [f64]) {
        combine(a, b, &self.gap.x, d);
    }

    fn add_y(&self, _: &Point, a: f64, b: f64, d: &mut [f64]) {
        combine(a, b, &self.gap.y, d);
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.size.state(state);
        true
    }
}
