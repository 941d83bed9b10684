//! One run of a method: the outer loop, its stopping tests and the iterates kept for a bad end. The mathematics is left to the
//! [`Method`], the watcher to [`watching`].

mod keeping;
mod method;
mod retreat;
mod watching;

use crate::linear::blas1::within;
use crate::monitor::{Monitor, StopReason, Trace};
use crate::problem::Problem;
use crate::status::Termination;
pub use method::{Evaluation, Method, Point};
use retreat::Again;
pub use watching::evaluations;
use watching::stopped;

/// An iterate has diverged when it is this much larger than the start.
const DIVERGED: f64 = 1e10;

/// The state of a run outside of the method.
pub struct Run<'a> {
    monitor: &'a mut dyn Monitor,
    steps: usize,
    tolerance: f64,
    next_look: u64,
    stopped: Option<StopReason>,
    iteration: usize,
    known: Evaluation,
    signs: (f64, f64),
    /// The last complete iterate.
    good: Point,
    /// The complete iterate with the smallest measure.
    best: Point,
    best_measure: f64,
    /// What the watcher keeps: the point, its iteration and its measure.
    kept: Option<(Point, usize, f64)>,
    /// The size from which on an iterate has diverged.
    limit: f64,
    /// How to go back from where sizes that were found led astray; `None` where the sizes are written.
    again: Option<Again<'a>>,
    /// Passes over the data of the methods before the last retreat.
    epochs: f64,
    reports: Vec<f64>,
    /// The iteration that `reports` belong to.
    reported: Option<usize>,
    /// Evaluations before the run, reports left out, and of every quantity.
    before: u64,
    calls_before: Vec<u64>,
    /// The rows recorded.
    pub trace: Trace,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// Why it stopped.
    pub termination: Termination,
    /// Complete iterations.
    pub iterations: usize,
    /// What the watcher kept, else the last complete iterate; after divergence the one with the smallest measure.
    pub point: Point,
    /// The complete iterate with the smallest measure.
    pub best: Point,
    /// The iteration of the iterate that the watcher kept.
    pub kept: Option<usize>,
    /// The solver's measure at the end, or at the iterate that was kept.
    pub measure: f64,
    /// Passes over the terms of the sampled sums; `None` for a method that does not sample.
    pub epochs: Option<f64>,
    /// The trace.
    pub trace: Trace,
}

impl<'a> Run<'a> {
    /// A run of at most `steps` updates from `start` that stops when the measure is at most `tolerance`.
    pub fn new(
        problem: &Problem,
        start: &Point,
        steps: usize,
        tolerance: f64,
        monitor: &'a mut dyn Monitor,
    ) -> Self {
        let judges = monitor.judges();
        Run {
            next_look: problem.calls().saturating_add(monitor.interval()),
            monitor,
            steps,
            tolerance,
            stopped: None,
            iteration: 0,
            known: Evaluation::NONE,
            signs: (problem.upper_sign, problem.lower_sign),
            good: start.clone(),
            best: start.clone(),
            best_measure: f64::INFINITY,
            kept: judges.then(|| (start.clone(), 0, f64::NAN)),
            limit: DIVERGED * (1.0 + start.size().0),
            again: None,
            epochs: 0.0,
            reports: vec![f64::NAN; problem.report_names.len()],
            reported: None,
            before: evaluations(problem),
            calls_before: problem.all_calls(),
            trace: Trace::new(steps, false, &problem.report_names),
        }
    }

    /// The same run, with the method's passes over the data in the trace, if it counts them.
    #[must_use]
    pub fn counting(mut self, method: &dyn Method, problem: &Problem) -> Self {
        if method.epochs().is_some() {
            self.trace = Trace::new(self.steps, true, &problem.report_names);
        }
        self
    }

    /// The same run, with evaluations counted from earlier numbers of [`evaluations`] and of every quantity.
    #[must_use]
    pub(crate) fn counting_from(self, before: u64, calls_before: Vec<u64>) -> Self {
        Run { before, calls_before, ..self }
    }

    /// Runs the method from `point`.
    pub fn drive(self, method: Box<dyn Method>, problem: &mut Problem, point: Point) -> Ended {
        self.drive_from(0, method, problem, point)
    }

    fn drive_from(
        mut self,
        from: usize,
        mut method: Box<dyn Method>,
        problem: &mut Problem,
        mut point: Point,
    ) -> Ended {
        let keeps = self.monitor.keeps();
        let last = self.steps.min(self.monitor.last());
        let mut k = from;
        let termination = loop {
            if keeps {
                self.offer(k, method.as_mut(), problem, &mut point);
            }
            let evaluation = method.evaluate(problem, &mut point, &mut self);
            if let Some(end) = self.complete(method.as_ref(), problem, &point, k, evaluation) {
                match self.retreat(&end, method.as_ref(), problem, &mut point) {
                    Some(again) => method = again,
                    None => break end,
                }
                continue;
            }
            if k >= last {
                break Termination::Steps;
            }
            if let Some(end) = method.update(problem, &mut point, k) {
                break end;
            }
            k += 1;
        };
        let unseen = self.trace.last_iteration() != Some(self.iteration) && self.known.upper.is_finite();
        if unseen && method.is_fresh() {
            self.record(problem, self.iteration, method.as_ref());
        }
        let diverged = matches!(termination, Termination::Diverged { .. });
        let last = if diverged { self.best.clone() } else { self.good };
        let (point, kept, measure) = match self.kept {
            // A measure that is NaN is that of the start, before anything was judged.
            Some((point, at, measure)) if !measure.is_nan() => (point, Some(at), measure),
            _ => (last, None, self.known.measure),
        };
        let epochs = method.epochs().map(|epochs| self.epochs + epochs);
        Ended {
            iterations: self.iteration,
            point,
            best: self.best,
            kept,
            measure,
            epochs,
            trace: self.trace,
            termination,
        }
    }

    /// Takes an evaluated iterate into account; `Some` ends the run.
    fn complete(
        &mut self,
        method: &dyn Method,
        problem: &mut Problem,
        point: &Point,
        k: usize,
        evaluation: Evaluation,
    ) -> Option<Termination> {
        if let Some(end) = self.broken(problem, point, k) {
            return Some(end);
        }
        if let Some(reason) = self.stopped {
            return Some(stopped(reason));
        }
        if method.is_fresh()
            && let Some(end) = self.astray(point, &evaluation, k)
        {
            return Some(end);
        }
        self.iteration = k;
        self.known = evaluation;
        self.good.copy(point);
        if evaluation.measure < self.best_measure {
            self.best_measure = evaluation.measure;
            self.best.copy(point);
        }
        if self.trace.due(k) && method.is_fresh() {
            self.record(problem, k, method);
        }
        if self.kept.is_some() && method.is_fresh() {
            self.judge(problem, point, k);
            if let Some(reason) = self.stopped {
                return Some(stopped(reason));
            }
        }
        if self.tolerance > 0.0 && evaluation.measure <= self.tolerance {
            return Some(Termination::Tolerance);
        }
        // One look more than the calls ask for would be a clock read per iteration of a toy.
        self.poll(problem);
        self.stopped.map(stopped)
    }

    /// Values that are not finite, and iterates that have grown out of all proportion.
    fn broken(&self, problem: &Problem, point: &Point, k: usize) -> Option<Termination> {
        if let Some(fault) = problem.fault() {
            return Some(if fault.size > self.limit {
                Termination::Diverged { iteration: k, size: fault.size, part: fault.part }
            } else {
                Termination::NonFinite { quantity: fault.quantity, iteration: k }
            });
        }
        if within(&point.x, self.limit) && within(&point.y, self.limit) {
            return None;
        }
        let (size, part) = point.size();
        Some(Termination::Diverged { iteration: k, size, part })
    }
}
