//! Solving from several starts: the model's own and drawn ones, each with the whole budget. The answer is the best that the
//! independent check let pass; of the others a line is kept.

use blo_runtime::problem::Problem;
use blo_runtime::solution::{self, Solution, solve_from};
use blo_runtime::solvers::Point;
use blo_runtime::starts;
use blo_runtime::state::Snapshot;

use crate::files::Trouble;
use crate::session::Plan;
use crate::watch::Watch;

/// How a run from one start ended.
#[derive(Clone, Debug)]
pub struct Start {
    /// Its number; 0 is the model's own.
    pub number: usize,
    /// Whether the point is one the model allows, by the check.
    pub feasible: bool,
    /// The upper objective where the lower level has been solved again, in the user's sign.
    pub objective: f64,
    /// Evaluations by the solver.
    pub evaluations: u64,
    /// Seconds of the solver.
    pub seconds: f64,
    /// Why it stopped, in one word.
    pub termination: &'static str,
}

/// The best of several runs, and a line about each.
pub struct Best {
    /// The number of its start.
    pub number: usize,
    /// What it found.
    pub solution: Solution,
    /// When each traced iteration ended, in seconds from its start.
    pub times: Vec<(usize, f64)>,
    /// Every run, in order.
    pub starts: Vec<Start>,
    /// What went wrong beside the runs.
    pub trouble: Option<Trouble>,
}

/// Goes on with the run from `first` that this is a state of.
pub fn resume(problem: &mut Problem, plan: &Plan, first: Point, snapshot: &Snapshot, watch: Watch) -> Best {
    run(problem, 0, watch, |problem, watch| {
        solution::resume(problem, plan.solver, &plan.settings, first, snapshot, watch)
    })
}

/// Runs the plan from each start in turn, the first from `first`; `watch` makes the watcher of a start. An interrupt ends all.
pub fn solve(
    problem: &mut Problem,
    plan: &Plan,
    first: Point,
    count: usize,
    seed: u64,
    mut watch: impl FnMut(usize) -> Watch,
) -> Best {
    let sign = problem.upper_sign;
    let from = |start: Point| {
        |problem: &mut Problem, watch: &mut Watch| {
            solve_from(problem, plan.solver, &plan.settings, start, watch)
        }
    };
    let mut best = run(problem, 0, watch(0), from(first));
    for number in 1..count {
        let ended = best.starts.last().map(|start| start.termination);
        if matches!(ended, Some("interrupted" | "refused")) {
            break;
        }
        let start = starts::start(problem, number, seed);
        let next = run(problem, number, watch(number), from(start));
        let mut lines = std::mem::take(&mut best.starts);
        lines.extend(next.starts.iter().cloned());
        if better(&next.solution, &best.solution, sign) {
            best = next;
        }
        best.starts = lines;
    }
    best
}

fn run(
    problem: &mut Problem,
    number: usize,
    mut watch: Watch,
    solve: impl FnOnce(&mut Problem, &mut Watch) -> Solution,
) -> Best {
    let solution = solve(problem, &mut watch);
    watch.finish();
    let line = Start {
        number,
        feasible: solution.is_feasible(),
        objective: solution.upper_objective_checked,
        evaluations: solution.evaluations(),
        seconds: watch.seconds(),
        termination: solution.termination.name(),
    };
    let trouble = watch.take_trouble();
    Best { number, solution, times: watch.into_times(), starts: vec![line], trouble }
}

/// Whether a point is worth more: allowed before not allowed, then by the upper objective where the lower level has been solved
/// again. `sign`: −1 where the model maximises.
fn better(a: &Solution, b: &Solution, sign: f64) -> bool {
    let worth = |s: &Solution| (s.is_feasible(), sign * s.upper_objective_checked);
    let ((a_fits, a), (b_fits, b)) = (worth(a), worth(b));
    if a_fits == b_fits { a < b || (b.is_nan() && !a.is_nan()) } else { a_fits }
}
