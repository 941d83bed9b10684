//! What stands for the distance of `y` from a lower solution.

pub(crate) mod copy;
pub(crate) mod gradient_norm;
pub(crate) mod moreau;
pub(crate) mod regularised;
pub(crate) mod response;
pub(crate) mod restarted;

use super::{Penalty, Record, Rest, pieces};
use crate::derivatives::Quantity;
use crate::problem::Problem;
use crate::settings::{Piece, Settings};
use crate::solvers::run::{Method, Point, Run};
use crate::state::State;

/// Puts a loop with the surrogate together, from the settings of the method and the piece's own.
pub(crate) type Build = fn(&mut Problem, &Settings, &Settings, &Point, Rest) -> Box<dyn Method>;
pub(crate) type SurrogateRecord = Record<Build>;

/// All surrogates.
pub(crate) static ALL: [&SurrogateRecord; 6] = [
    &copy::COPY,
    &restarted::RESTARTED,
    &moreau::MOREAU,
    &gradient_norm::GRADIENT_NORM,
    &regularised::REGULARISED,
    &response::RESPONSE,
];
/// As an option lists them.
pub(crate) static PIECES: [&Piece; 6] = pieces(ALL);

/// A surrogate. `gradients`, `gradient_x` and `gradient_y` evaluate at a point, the rest is about the last evaluation.
pub(crate) trait Surrogate {
    /// The longest step on `y` that suits the gap.
    fn y_step(&self) -> f64;

    /// Whether the gap has a nonsmooth part that the steps on `y` are to treat by its proximal operator, where the problem has one.
    fn is_proximal(&self) -> bool {
        false
    }

    /// Moves its state after the iterate; false when the run was asked to stop.
    fn advance(&mut self, problem: &mut Problem, point: &Point, run: &mut Run<'_>) -> bool;

    /// Evaluates both gradients of the gap; returns `f(x, y)`.
    fn gradients(&mut self, problem: &mut Problem, point: &Point) -> f64;

    /// Evaluates the gradient in `x` alone; returns `f(x, y)`.
    fn gradient_x(&mut self, problem: &mut Problem, point: &Point) -> f64;

    /// Evaluates the gradient in `y` alone.
    fn gradient_y(&mut self, problem: &mut Problem, point: &Point);

    /// The gap, where the weight asks for it; otherwise anything.
    fn gap(&self) -> f64;

    /// `d ← a d + b ∇x gap`.
    fn add_x(&self, a: f64, b: f64, d: &mut [f64]);

    /// `d ← a d + b ∇y gap`; what it adds to `F` itself counts with `a`.
    fn add_y(&self, point: &Point, a: f64, b: f64, d: &mut [f64]);

    /// The square of the last move of its state divided by the step size; 0 where that is not part of the measure.
    fn moved(&self) -> f64 {
        0.0
    }

    /// Shows what an earlier outer iteration left and a later one reads; false where not all of it is shown.
    fn state(&mut self, _: &mut dyn State) -> bool {
        false
    }
}

/// The loop around a surrogate.
fn around(
    problem: &mut Problem,
    settings: &Settings,
    start: &Point,
    surrogate: impl Surrogate + 'static,
    rest: Rest,
) -> Box<dyn Method> {
    Box::new(Penalty::new(problem, settings, start, surrogate, rest))
}

/// What surrogates need that compare `f` at the lower variables and at a copy of them.
fn copy_needs(settings: &Settings, _: &Settings) -> Vec<Quantity> {
    crate::solvers::gap_needs(settings)
}
