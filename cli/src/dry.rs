//! What an iteration of a method evaluates, counted by making two of them: how often a method asks depends on its options and on what it
//! finds, so nothing short of running it tells.

use std::time::{Duration, Instant};

use blo_compiler::model::Model;
use blo_compiler::session::{CodeCache, Surroundings};
use blo_runtime::derivatives::Quantity;
use blo_runtime::monitor::{Control, Monitor, Progress, StopReason};
use blo_runtime::solution::solve;
use blo_runtime::status::Termination;

use crate::cache::Cache;
use crate::compile;
use crate::output::cost::Iteration;
use crate::session::Plan;
use crate::stopwatch::Stopwatch;

/// How long the iterations may take; a method that needs more is not counted.
const MOST: Duration = Duration::from_secs(2);

/// Ends a run after so many iterations, or when it takes too long.
struct Few {
    last: usize,
    begun: Instant,
}

impl Monitor for Few {
    fn observe(&mut self, _: &Progress<'_>) -> Control {
        if self.begun.elapsed() > MOST { Control::Stop(StopReason::TimeLimit) } else { Control::Continue }
    }

    fn last(&self) -> usize {
        self.last
    }
}

/// The evaluations of the second iteration; `None` where data are missing, the method does not get so far, or evaluates nothing that is
/// counted.
pub fn iteration(model: &Model, plan: &Plan, seed: u64) -> Option<Iteration> {
    if model.data.iter().any(|data| data.value.is_none()) {
        return None;
    }
    let clock = Stopwatch::start();
    let cache = Cache::open();
    let around = Surroundings {
        observer: &clock,
        cache: cache.as_ref().map(|cache| cache as &dyn CodeCache),
        keep: None,
    };
    let mut problem = compile::problem(&mut model.clone(), plan, seed, around).ok()?;
    let mut calls = |last: usize| -> Option<Vec<(Quantity, u64)>> {
        let mut few = Few { last, begun: Instant::now() };
        let solution = solve(&mut problem, plan.solver, &plan.settings, &mut few);
        let whole = solution.termination == Termination::Steps && solution.iterations == last;
        whole.then_some(solution.calls)
    };
    let (one, two) = (calls(1)?, calls(2)?);
    let before = |wanted: Quantity| one.iter().find(|(q, _)| *q == wanted).map_or(0, |(_, count)| *count);
    let more = two.iter().map(|(quantity, count)| (*quantity, count.saturating_sub(before(*quantity))));
    let calls: Vec<_> = more.filter(|(q, count)| *count > 0 && *q != Quantity::Reports).collect();
    (!calls.is_empty()).then_some(Iteration { method: plan.solver.name, calls })
}
