//! Where a run whose step sizes were found ended worse than it began. No method promises to descend in `F(x, y(x))`, and sizes that
//! nobody chose may lead uphill, so such a run is compared with its start: the lower level is solved from there as well, and the upper
//! objective compared. When the start is better, it is kept, or the iterate with the smallest measure where that is better still, and
//! the verdict says so. Sizes that are written are obeyed, and methods that are asked for their own last iterate (`finish = false`)
//! return it.

use crate::check::answered;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::solvers::Point;
use crate::solvers::options::FINISH;
use crate::status::long;

/// How much better the start must be, relative to `1 + |F|`.
const MARGIN: f64 = 1e-6;

/// Followers in rows with more unknowns take long to solve again, and are not.
const SMALL: usize = 200;

/// What was kept instead of the end of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fallback {
    /// `F` where the run ended, with the lower level solved, minimised; infinite where that is not known.
    pub ended: f64,
    /// Whether the start is kept; else it is the iterate with the smallest measure.
    pub to_start: bool,
}

impl Fallback {
    /// The end of a sentence. `sign`: that of the upper objective.
    pub(crate) fn words(self, sign: f64) -> String {
        let what = if self.to_start { "start" } else { "iterate with the smallest measure" };
        let ended = if self.ended.is_finite() {
            format!("at an upper objective of {}, which is worse than at its start", long(sign * self.ended))
        } else {
            "where the upper objective is not known".to_string()
        };
        format!("; the run ended {ended}, so its {what} is kept, with the lower level solved")
    }
}

/// Whether runs with these settings are compared with their start.
pub(crate) fn compares(problem: &Problem, settings: &Settings) -> bool {
    let follower = problem.constrained.as_ref().and_then(|c| c.follower.as_ref());
    let small = follower.is_none_or(|follower| follower.nlp.len() + follower.rows.len() <= SMALL);
    problem.has_lower && small && settings.finds_steps() && settings.says(FINISH)
}

/// The point to return instead of one where the upper objective is `ended`; `None` when `start` is no better.
pub(crate) fn instead(
    problem: &mut Problem,
    ended: f64,
    start: &Point,
    best: &Point,
    budget: usize,
) -> Option<(Point, Fallback)> {
    let (y, at_start) = answered(problem, &start.x, &start.y, budget)?;
    let margin = MARGIN.max(1e3 * problem.roundoff) * (1.0 + at_start.abs());
    if at_start >= ended - margin {
        return None;
    }
    let other = answered(problem, &best.x, &best.y, budget).filter(|(_, value)| *value < at_start - margin);
    let to_start = other.is_none();
    let (x, y) = other.map_or_else(|| (start.x.clone(), y), |(y, _)| (best.x.clone(), y));
    Some((Point { x, y }, Fallback { ended, to_start }))
}
