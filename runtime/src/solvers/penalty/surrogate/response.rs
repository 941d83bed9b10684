//! Surrogate `response`: `f(x, y)` for `y` alone. The value function that others subtract is left out, and with it the gap's gradient in `x`:
//! `y` goes to the response of `F/w + f`, and `x` follows `∇x F` there.

use super::{Surrogate, SurrogateRecord, around};
use crate::derivatives::{Derivatives, Quantity};
use crate::linear::blas1::scale;
use crate::problem::Problem;
use crate::settings::Piece;
use crate::solvers::penalty::combine;
use crate::solvers::run::{Point, Run};
use crate::solvers::step_needs;
use crate::solvers::step_size::StepSize;
use crate::state::State;

pub(crate) static RESPONSE: SurrogateRecord = SurrogateRecord {
    piece: Piece {
        name: "response",
        doc: "`f(x, y)` in the steps on `y`, nothing in those on `x`",
        assumes: "an `F` that is flat along the follower's response; otherwise the limit is that of two players who move at the same time",
        cost: "one lower gradient",
        source: "Jiang et al. 2025, arXiv 2507.20400",
        groups: &[],
        requires: &[],
    },
    needs: |settings, _| {
        let mut needs = vec![Quantity::LowerGradient, Quantity::LowerValue];
        needs.extend(step_needs(settings));
        needs
    },
    build: |problem, settings, _, start, rest| {
        let size = StepSize::lower(problem, settings, start, 1.0, 0.0);
        let surrogate = Response { size, value: f64::NAN, slope: start.y.clone() };
        around(problem, settings, start, surrogate, rest)
    },
};

struct Response {
    size: StepSize,
    value: f64,
    slope: Vec<f64>,
}

impl Surrogate for Response {
    fn y_step(&self) -> f64 {
        0.5 * self.size.get()
    }

    fn advance(&mut self, problem: &mut Problem, point: &Point, run: &mut Run<'_>) -> bool {
        self.size.follow(problem, &point.x, &point.y);
        !run.poll(problem)
    }

    fn gradients(&mut self, problem: &mut Problem, point: &Point) -> f64 {
        self.gradient_y(problem, point);
        self.value
    }

    fn gradient_x(&mut self, problem: &mut Problem, point: &Point) -> f64 {
        self.value = problem.lower_value(&point.x, &point.y);
        self.value
    }

    fn gradient_y(&mut self, problem: &mut Problem, point: &Point) {
        self.value = problem.lower_gradient(&point.x, &point.y, &mut self.slope);
    }

    fn gap(&self) -> f64 {
        self.value
    }

    fn add_x(&self, a: f64, _: f64, d: &mut [f64]) {
        scale(a, d);
    }

    fn add_y(&self, _: &Point, a: f64, b: f64, d: &mut [f64]) {
        combine(a, b, &self.slope, d);
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.size.state(state);
        true
    }
}
