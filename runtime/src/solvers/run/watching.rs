//! What a watcher sees of a run: where it stands, its trace, the reports, and the iterates that the watcher keeps.

use super::{Evaluation, Method, Point, Run};
use crate::derivatives::{Derivatives, Quantity};
use crate::monitor::{Control, Judgement, Monitor, Progress, StopReason};
use crate::problem::Problem;
use crate::status::Termination;

impl Run<'_> {
    /// Lets the watcher look when enough work has passed; true when the run is to stop. Cheap: one comparison mostly.
    pub fn poll(&mut self, problem: &Problem) -> bool {
        if problem.calls() >= self.next_look {
            let control = self.shown(problem, |monitor, progress| monitor.observe(progress));
            if let Control::Stop(reason) = control {
                self.stopped = Some(reason);
            }
            self.next_look = problem.calls().saturating_add(self.monitor.interval().max(1));
        }
        self.stopped.is_some()
    }

    /// Lets the watcher look now, for work that is no evaluation; true when the run is to stop.
    pub fn look(&mut self, problem: &Problem) -> bool {
        self.next_look = problem.calls();
        self.poll(problem)
    }

    /// Shows the watcher where the run stands.
    fn shown<R>(&mut self, problem: &Problem, look: impl FnOnce(&mut dyn Monitor, &Progress<'_>) -> R) -> R {
        let progress = Progress {
            iteration: self.iteration,
            steps: self.steps,
            calls: problem.calls(),
            upper_objective: self.signs.0 * self.known.upper,
            lower_objective: self.signs.1 * self.known.lower,
            measure: self.known.measure,
            reports: &self.reports,
        };
        look(self.monitor, &progress)
    }

    /// Asks the watcher for its opinion of the iterate of iteration `k`.
    pub(super) fn judge(&mut self, problem: &mut Problem, point: &Point, k: usize) {
        self.read_reports(problem, k);
        let Judgement { keep, stop } = self.shown(problem, |monitor, progress| monitor.judge(progress));
        if let (true, Some((kept, at, measure))) = (keep, &mut self.kept) {
            kept.copy(point);
            (*at, *measure) = (k, self.known.measure);
        }
        self.stopped = self.stopped.or(stop);
    }

    fn read_reports(&mut self, problem: &mut Problem, k: usize) {
        if !self.reports.is_empty() && self.reported != Some(k) {
            problem.reports(&self.good.x, &self.good.y, &mut self.reports);
            self.reported = Some(k);
        }
    }

    pub(super) fn record(&mut self, problem: &mut Problem, k: usize, method: &dyn Method) {
        let epochs = method.epochs().map(|epochs| self.epochs + epochs);
        self.read_reports(problem, k);
        let Evaluation { upper, lower, measure } = self.known;
        let done = (evaluations(problem) - self.before) as f64;
        let head = [k as f64, self.signs.0 * upper, self.signs.1 * lower, measure, done];
        self.trace.push(head, epochs, &self.reports);
        self.monitor.traced(k);
    }
}

/// The evaluations of a problem so far without those of its reports, which the trace asks for.
pub fn evaluations(problem: &Problem) -> u64 {
    problem.calls() - problem.calls_of(Quantity::Reports)
}

pub(super) fn stopped(reason: StopReason) -> Termination {
    match reason {
        StopReason::TimeLimit => Termination::TimeLimit,
        StopReason::Interrupted => Termination::Interrupted,
        StopReason::Goal => Termination::Goal,
        StopReason::Patience => Termination::Patience,
    }
}
