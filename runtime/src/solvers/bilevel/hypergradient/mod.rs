//! How the gradient of `x ↦ F(x, y(x))` is found, together with the lower steps it needs: sweeps back through them, forward along
//! them, implicit differentiation at their end, or less.

pub(crate) mod conjugate_gradient;
pub(crate) mod direct;
pub(crate) mod displacement;
pub(crate) mod finite_difference;
pub(crate) mod first_order;
pub(crate) mod fixed_point;
pub(crate) mod forward;
mod implicit;
pub(crate) mod neumann;
pub(crate) mod quasi_newton;
pub(crate) mod rank_one;
pub(crate) mod reverse;
mod unrolled;

use super::{Context, Record, Sensitivity, pieces};
use crate::hypergradient::Trajectory;
use crate::problem::Problem;
use crate::settings::{Piece, Settings};
use crate::state::State;

pub(crate) type Build = fn(&mut Context<'_>, &Settings) -> Box<dyn Differentiates>;
pub(crate) type HypergradientRecord = Record<Build>;

/// All hypergradients.
pub(crate) static ALL: [&HypergradientRecord; 11] = [
    &reverse::REVERSE,
    &forward::FORWARD,
    &finite_difference::FINITE_DIFFERENCE,
    &conjugate_gradient::CONJUGATE_GRADIENT,
    &neumann::NEUMANN,
    &fixed_point::FIXED_POINT,
    &direct::DIRECT,
    &quasi_newton::QUASI_NEWTON,
    &rank_one::RANK_ONE,
    &first_order::FIRST_ORDER,
    &displacement::DISPLACEMENT,
];
/// As an option lists them.
pub(crate) static PIECES: [&Piece; 11] = pieces(ALL);

/// Lower steps and the hypergradient they lead to.
pub(crate) trait Differentiates {
    /// Runs the lower steps from `y`, which becomes their end, and fills what it knows of `into`. `F` and `f` at the end; `None` when
    /// `poll` said to stop.
    fn evaluate(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        poll: &mut dyn FnMut(&Problem) -> bool,
        into: &mut Sensitivity,
    ) -> Option<(f64, f64)>;

    /// The relative accuracy of the last lower solution, where it was solved to one.
    fn accuracy(&self) -> Option<f64> {
        None
    }

    /// How it holds the iterates it differentiates through.
    fn trajectory(&self) -> Option<Trajectory> {
        None
    }

    /// Why it cannot be used on the problem.
    fn refusal(&self) -> Option<String> {
        None
    }

    /// Shows what an earlier outer iteration left and a later one reads; false where not all of it is shown.
    fn state(&mut self, _: &mut dyn State) -> bool {
        false
    }
}
