//! What a method gives to a run: how it finds what it needs at an iterate and moves it.

use super::Run;
use crate::hypergradient::Trajectory;
use crate::linear::blas1::largest;
use crate::problem::Problem;
use crate::state::State;
use crate::status::{Part, Termination};

/// An iterate: `x` (n) and `y` (m).
#[derive(Clone, Debug, Default)]
pub struct Point {
    /// The upper variables.
    pub x: Vec<f64>,
    /// The lower variables.
    pub y: Vec<f64>,
}

impl Point {
    /// The start of both levels.
    pub fn start(problem: &Problem) -> Self {
        Point { x: problem.upper.start(), y: problem.lower.start() }
    }

    pub(super) fn state(&mut self, state: &mut dyn State) {
        state.numbers(&mut self.x);
        state.numbers(&mut self.y);
    }

    pub(super) fn copy(&mut self, from: &Point) {
        self.x.copy_from_slice(&from.x);
        self.y.copy_from_slice(&from.y);
    }

    pub(super) fn size(&self) -> (f64, Part) {
        Part::largest(largest(&self.x), largest(&self.y), 0.0)
    }
}

/// What is known about an iterate, both objectives minimised.
#[derive(Clone, Copy, Debug)]
pub struct Evaluation {
    /// `F(x, y)`.
    pub upper: f64,
    /// `f(x, y)`; NaN without a lower level.
    pub lower: f64,
    /// What the method drives to zero.
    pub measure: f64,
}

impl Evaluation {
    /// Nothing is known.
    pub const NONE: Evaluation = Evaluation { upper: f64::NAN, lower: f64::NAN, measure: f64::INFINITY };
}

/// An iterative method. The run alternates `evaluate` and `update`; after the last update there is one more `evaluate`.
pub trait Method {
    /// Finds what the next update needs at `point.x`. May move `point.y` (a method that solves the lower level at `x`), and
    /// may return early with anything once [`Run::poll`] has said so.
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation;

    /// Moves the iterate; `k` counts from 0. `Some` ends the run.
    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination>;

    /// Shows its memory as it is between two iterations: all that an earlier iteration left and a later one reads, the iterate
    /// itself left out. False when it does not show all of it; then a run cannot be kept and go on later.
    fn state(&mut self, _state: &mut dyn State) -> bool {
        false
    }

    /// Whether the last evaluation is of the current iterate. A method on batches looks at the full objectives now and then and
    /// repeats what it saw in between.
    fn is_fresh(&self) -> bool {
        true
    }

    /// How often it has gone through the terms of the sampled sums; `None` for a method that does not sample.
    fn epochs(&self) -> Option<f64> {
        None
    }

    /// How it holds the iterates it differentiates through; `None` for a method that does not. One whose iterates do not fit is
    /// not run.
    fn trajectory(&self) -> Option<Trajectory> {
        None
    }

    /// Why it cannot be run on its problem, as a sentence without a full stop; `None` when it can.
    fn refusal(&self) -> Option<String> {
        None
    }
}
