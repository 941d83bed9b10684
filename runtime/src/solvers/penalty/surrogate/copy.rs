//! Surrogate `copy`: `f(x, y) − f(x, z)`, with `z` a second copy of the lower variables that follows the lower level by gradient steps and
//! is held constant in the gradients (the envelope theorem: `∇x min_z f(x, z) = ∇x f(x, z*)`). It goes on from where it was.

use super::{Surrogate, SurrogateRecord, around, copy_needs};
use crate::derivatives::Derivatives;
use crate::problem::Problem;
use crate::settings::{Piece, Settings};
use crate::solvers::penalty::{Rest, combine, combine_difference};
use crate::solvers::run::{Point, Run};
use crate::solvers::step::LowerSteps;
use crate::solvers::step_size::StepSize;
use crate::state::State;

pub(crate) static COPY: SurrogateRecord = SurrogateRecord {
    piece: Piece {
        name: "copy",
        doc: "`f(x, y) − f(x, z)`, where `z` follows the lower level by `lower_steps` gradient steps from where it was",
        assumes: "that gradient steps reach a global lower minimiser; few steps leave `z` behind when `x` moves",
        cost: "`lower_steps` gradients, one full lower gradient, one in `x`",
        source: "Shen and Chen 2023, arXiv 2302.05185",
        groups: &[],
        requires: &[],
    },
    needs: copy_needs,
    build: |problem, settings, _, start, rest| {
        let copy = Copy::new(problem, settings, start, &rest, false);
        around(problem, settings, start, copy, rest)
    },
};

/// The copy.
pub(super) struct Copy {
    lower: LowerSteps,
    z: Vec<f64>,
    /// Whether the copy starts at `y` in every iteration.
    restarts: bool,
    /// Whether the weight asks for the gap.
    valued: bool,
    /// `f` and its gradients at `(x, y)`.
    value: f64,
    at: Point,
    /// Whether they are those of the point that `advance` saw.
    known: bool,
    /// Whether the copy has moved since what follows was evaluated.
    stale: bool,
    /// `f` and `∇x f` at the copy.
    least: f64,
    at_z: Vec<f64>,
}

impl Copy {
    /// A copy that starts at `start.y`.
    pub(super) fn new(
        problem: &mut Problem,
        settings: &Settings,
        start: &Point,
        rest: &Rest,
        restarts: bool,
    ) -> Self {
        let size = StepSize::lower(problem, settings, start, 1.0, 0.0);
        Copy {
            lower: LowerSteps::new(settings, &problem.lower, size),
            z: start.y.clone(),
            restarts,
            valued: rest.weight.is_of_gap(),
            value: f64::NAN,
            at: start.clone(),
            known: false,
            stale: true,
            least: f64::NAN,
            at_z: start.x.clone(),
        }
    }

    fn at_copy(&mut self, problem: &mut Problem, x: &[f64]) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        self.least = match self.valued {
            true => problem.lower_gradient_x(x, &self.z, &mut self.at_z),
            false => problem.lower_gradient_x_only(x, &self.z, &mut self.at_z),
        };
    }
}

impl Surrogate for Copy {
    fn y_step(&self) -> f64 {
        if self.restarts { self.lower.size() } else { 0.5 * self.lower.size() }
    }

    fn advance(&mut self, problem: &mut Problem, point: &Point, run: &mut Run<'_>) -> bool {
        let Point { x, y } = point;
        self.stale = true;
        if !self.restarts {
            return self.lower.run(problem, x, &mut self.z, None, |p| run.poll(p));
        }
        // The first step of the copy is along the gradient at `y`, which the gap needs as well.
        self.value = problem.lower_gradients(x, y, &mut self.at.x, &mut self.at.y);
        self.known = true;
        self.z.copy_from_slice(y);
        self.lower.run(problem, x, &mut self.z, Some((self.value, &self.at.y)), |p| run.poll(p))
    }

    fn gradients(&mut self, problem: &mut Problem, point: &Point) -> f64 {
        self.at_copy(problem, &point.x);
        if !std::mem::take(&mut self.known) {
            self.value = problem.lower_gradients(&point.x, &point.y, &mut self.at.x, &mut self.at.y);
        }
        self.value
    }

    fn gradient_x(&mut self, problem: &mut Problem, point: &Point) -> f64 {
        self.at_copy(problem, &point.x);
        if !std::mem::take(&mut self.known) {
            self.value = problem.lower_gradient_x(&point.x, &point.y, &mut self.at.x);
        }
        self.value
    }

    fn gradient_y(&mut self, problem: &mut Problem, point: &Point) {
        self.known = false;
        let Point { x, y } = point;
        self.value = match self.valued {
            true => problem.lower_gradient(x, y, &mut self.at.y),
            false => problem.lower_gradient_only(x, y, &mut self.at.y),
        };
        if self.valued {
            self.at_copy(problem, x);
        }
    }

    fn gap(&self) -> f64 {
        self.value - self.least
    }

    fn add_x(&self, a: f64, b: f64, d: &mut [f64]) {
        combine_difference(a, b, &self.at.x, &self.at_z, d);
    }

    fn add_y(&self, _: &Point, a: f64, b: f64, d: &mut [f64]) {
        combine(a, b, &self.at.y, d);
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.lower.state(state);
        state.numbers(&mut self.z);
        state.flag(&mut self.known);
        state.flag(&mut self.stale);
        true
    }
}
