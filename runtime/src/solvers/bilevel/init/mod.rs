//! Where the lower steps of an outer iteration start.

pub(crate) mod cold;
pub(crate) mod learned;
pub(crate) mod shared;
pub(crate) mod warm;

use super::{Chosen, Context, Record, Sensitivity, pieces};
use crate::problem::Problem;
use crate::settings::{Piece, Settings};
use crate::state::State;

pub(crate) type Build = fn(&mut Context<'_>, &Settings) -> Box<dyn Init>;
pub(crate) type InitRecord = Record<Build>;

/// All starts.
pub(crate) static ALL: [&InitRecord; 4] = [&cold::COLD, &warm::WARM, &learned::LEARNED, &shared::SHARED];
/// As an option lists them.
pub(crate) static PIECES: [&Piece; 4] = pieces(ALL);

/// A start of the lower steps.
pub(crate) trait Init {
    /// Sets `y`, which holds the end of the last lower steps, to where they start at `x`.
    fn begin(&mut self, problem: &Problem, x: &[f64], y: &mut [f64]);

    /// Whether the lower steps go on where they ended.
    fn goes_on(&self) -> bool {
        false
    }

    /// Adds what the hypergradient owes to a start that depends on `x`. Returns the stationarity of variables of its own, 0 without.
    fn chain(&mut self, _: &Problem, _: &mut Sensitivity) -> f64 {
        0.0
    }

    /// Moves variables of its own, after outer iteration `k`; `g` is the derivative by the start.
    fn update(&mut self, _: &Problem, _: usize, _: &[f64]) {}

    /// Why it cannot be used on the problem.
    fn refusal(&self) -> Option<String> {
        None
    }

    /// Shows what an earlier outer iteration left and a later one reads; false where not all of it is shown.
    fn state(&mut self, _: &mut dyn State) -> bool {
        false
    }
}

/// As the option `warm` says.
pub(crate) fn by_warm(settings: &Settings) -> Chosen<Build> {
    let record = if settings.flag("warm") { &warm::WARM } else { &cold::COLD };
    record.with(settings)
}
