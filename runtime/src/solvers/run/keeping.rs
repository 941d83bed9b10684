//! Runs that are kept between two iterations and go on from there.

use super::{Ended, Evaluation, Method, Point, Run};
use crate::problem::Problem;
use crate::state::{Keep, PutBack, Snapshot, State};

impl Run<'_> {
    /// Runs the method from the state of a snapshot; `None` when that is not one of this method and problem, or when the method
    /// does not show its memory.
    pub(crate) fn resume(
        mut self,
        snapshot: &Snapshot,
        mut method: Box<dyn Method>,
        problem: &mut Problem,
        mut point: Point,
    ) -> Option<Ended> {
        let mut state = PutBack::new(&snapshot.words);
        if let Some(again) = &mut self.again {
            state.count(&mut again.retreats);
            if again.retreats > 0 {
                method = again.method(problem);
            }
        }
        let shown = self.state(&mut state, method.as_mut(), problem, &mut point);
        if !shown || !state.fits() {
            return None;
        }
        self.next_look = problem.calls().saturating_add(self.monitor.interval());
        Some(self.drive_from(snapshot.iteration, method, problem, point))
    }

    /// The run, its method and its iterate between two iterations; false when the method does not show all of its memory.
    fn state(
        &mut self,
        state: &mut dyn State,
        method: &mut dyn Method,
        problem: &mut Problem,
        point: &mut Point,
    ) -> bool {
        problem.calls_state(&self.calls_before, state);
        if let Some(proximal) = &mut problem.proximal {
            proximal.state(state);
        }
        point.state(state);
        self.good.state(state);
        self.best.state(state);
        state.count(&mut self.iteration);
        let Evaluation { upper, lower, measure } = &mut self.known;
        for value in [upper, lower, measure, &mut self.best_measure] {
            state.number(value);
        }
        if let Some((kept, at, measure)) = &mut self.kept {
            kept.state(state);
            state.count(at);
            state.number(measure);
        }
        state.number(&mut self.epochs);
        state.numbers(&mut self.reports);
        let mut reported = self.reported.unwrap_or(usize::MAX);
        state.count(&mut reported);
        self.reported = (reported != usize::MAX).then_some(reported);
        self.trace.state(state);
        method.state(state)
    }

    /// Gives the watcher the run as it is before iteration `k`, where it wants that.
    pub(super) fn offer(
        &mut self,
        k: usize,
        method: &mut dyn Method,
        problem: &mut Problem,
        point: &mut Point,
    ) {
        if self.monitor.wants_snapshot(k) {
            let mut state = Keep::default();
            if let Some(again) = &mut self.again {
                state.count(&mut again.retreats);
            }
            if self.state(&mut state, method, problem, point) {
                self.monitor.keep(Snapshot { iteration: k, words: state.words });
            }
        }
    }
}
