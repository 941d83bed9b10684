//! How the upper variables move.

pub(crate) mod backtracking;
pub(crate) mod step;

use super::{Context, Record, pieces};
use crate::problem::Problem;
use crate::settings::{Piece, Settings};
use crate::state::State;

pub(crate) type Build = fn(&mut Context<'_>, &Settings) -> Box<dyn Upper>;
pub(crate) type UpperRecord = Record<Build>;

/// All upper steps.
pub(crate) static ALL: [&UpperRecord; 2] = [&step::STEP, &backtracking::BACKTRACKING];
/// As an option lists them.
pub(crate) static PIECES: [&Piece; 2] = pieces(ALL);

/// What is known where a step begins.
pub(crate) struct Seen<'a> {
    /// The hypergradient (n).
    pub(crate) gradient: &'a [f64],
    /// `F(x, y(x))`.
    pub(crate) value: f64,
    /// The relative accuracy of the lower solution, where it was solved to one; else 0.
    pub(crate) accuracy: f64,
}

/// An upper step.
pub(crate) trait Upper {
    /// Moves `x` after outer iteration `k`.
    fn update(&mut self, problem: &Problem, k: usize, seen: Seen<'_>, x: &mut [f64]);

    /// Shows what an earlier outer iteration left and a later one reads; false where not all of it is shown.
    fn state(&mut self, _: &mut dyn State) -> bool {
        false
    }
}
