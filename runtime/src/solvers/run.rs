//! One run of a method: the outer loop, its stopping tests, the iterates kept for a bad end, the trace and the watcher. The
//! mathematics is left to the [`Method`].

use crate::derivatives::{Derivatives, Quantity};
use crate::hypergradient::Trajectory;
use crate::linear::blas1::{largest, within};
use crate::monitor::{Control, Judgement, Monitor, Progress, StopReason, Trace};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::solvers::Solver;
use crate::state::{Keep, PutBack, Snapshot, State};
use crate::status::{Part, Termination};

/// An iterate has diverged when it is this much larger than the start.
const DIVERGED: f64 = 1e10;

/// An iterate of sizes that were found has gone astray when it is this much larger than the start, and its measure this much larger
/// than the smallest so far.
const ASTRAY: f64 = 1e3;

/// What is left of sizes that were found when they led astray.
const CAUTION: f64 = 0.25;

/// How often a run goes back before it ends where it went astray.
const RETREATS: usize = 12;

/// An iterate: `x` (n) and `y` (m).
#[derive(Clone, Debug, Default)]
pub struct Point {
    /// The upper variables.
    pub x: Vec<f64>,
    /// The lower variables.
    pub y: Vec<f64>,
}

impl Point {
    /// The start of both levels.
    pub fn start(problem: &Problem) -> Self {
        Point { x: problem.upper.start(), y: problem.lower.start() }
    }

    fn state(&mut self, state: &mut dyn State) {
        state.numbers(&mut self.x);
        state.numbers(&mut self.y);
    }

    fn copy(&mut self, from: &Point) {
        self.x.copy_from_slice(&from.x);
        self.y.copy_from_slice(&from.y);
    }

    fn size(&self) -> (f64, Part) {
        Part::largest(largest(&self.x), largest(&self.y), 0.0)
    }
}

/// What is known about an iterate, both objectives minimised.
#[derive(Clone, Copy, Debug)]
pub struct Evaluation {
    /// `F(x, y)`.
    pub upper: f64,
    /// `f(x, y)`; NaN without a lower level.
    pub lower: f64,
    /// What the method drives to zero.
    pub measure: f64,
}

impl Evaluation {
    /// Nothing is known.
    pub const NONE: Evaluation = Evaluation { upper: f64::NAN, lower: f64::NAN, measure: f64::INFINITY };
}

/// An iterative method. The run alternates `evaluate` and `update`; after the last update there is one more `evaluate`.
pub trait Method {
    /// Finds what the next update needs at `point.x`. May move `point.y` (a method that solves the lower level at `x`), and
    /// may return early with anything once [`Run::poll`] has said so.
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation;

    /// Moves the iterate; `k` counts from 0. `Some` ends the run.
    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination>;

    /// Shows its memory as it is between two iterations: all that an earlier iteration left and a later one reads, the iterate
    /// itself left out. False when it does not show all of it; then a run cannot be kept and go on later.
    fn state(&mut self, _state: &mut dyn State) -> bool {
        false
    }

    /// Whether the last evaluation is of the current iterate. A method on batches looks at the full objectives now and then and
    /// repeats what it saw in between.
    fn is_fresh(&self) -> bool {
        true
    }

    /// How often it has gone through the terms of the sampled sums; `None` for a method that does not sample.
    fn epochs(&self) -> Option<f64> {
        None
    }

    /// How it holds the iterates it differentiates through; `None` for a method that does not. One whose iterates do not fit is
    /// not run.
    fn trajectory(&self) -> Option<Trajectory> {
        None
    }

    /// Why it cannot be run on its problem, as a sentence without a full stop; `None` when it can.
    fn refusal(&self) -> Option<String> {
        None
    }
}

/// What a method is made of, to make it again with smaller steps.
struct Again<'a> {
    solver: &'a Solver,
    settings: &'a Settings,
    start: Point,
    retreats: usize,
}

impl Again<'_> {
    /// The method with the sizes that are left.
    fn method(&self, problem: &mut Problem) -> Box<dyn Method> {
        let caution = CAUTION.powi(self.retreats as i32);
        (self.solver.build)(problem, &self.settings.cautious(caution), &self.start)
    }
}

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

    /// The same run, which goes back to its best iterate with smaller steps where sizes that `solver` found by itself led astray.
    #[must_use]
    pub(crate) fn retreating(mut self, solver: &'a Solver, settings: &'a Settings, start: &Point) -> Self {
        if settings.finds_steps() {
            self.again = Some(Again { solver, settings, start: start.clone(), retreats: 0 });
        }
        self
    }

    /// The same run, with evaluations counted from earlier numbers of [`evaluations`] and of every quantity.
    #[must_use]
    pub(crate) fn counting_from(self, before: u64, calls_before: Vec<u64>) -> Self {
        Run { before, calls_before, ..self }
    }

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

    /// Runs the method from `point`.
    pub fn drive(self, method: Box<dyn Method>, problem: &mut Problem, point: Point) -> Ended {
        self.drive_from(0, method, problem, point)
    }

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
    fn offer(&mut self, k: usize, method: &mut dyn Method, problem: &mut Problem, point: &mut Point) {
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

    /// Whether a run that can go back should.
    fn astray(&self, point: &Point, evaluation: &Evaluation, k: usize) -> Option<Termination> {
        let again = self.again.as_ref().filter(|again| again.retreats < RETREATS)?;
        let (size, part) = point.size();
        let far = size > ASTRAY * (1.0 + again.start.size().0);
        (far && evaluation.measure > ASTRAY * self.best_measure).then_some(Termination::Diverged {
            iteration: k,
            size,
            part,
        })
    }

    /// Goes back to the best iterate with smaller steps, where sizes that were found led to this end.
    fn retreat(
        &mut self,
        end: &Termination,
        method: &dyn Method,
        problem: &mut Problem,
        point: &mut Point,
    ) -> Option<Box<dyn Method>> {
        let led_astray = matches!(end, Termination::Diverged { .. } | Termination::NonFinite { .. });
        if !led_astray {
            return None;
        }
        let again = self.again.as_mut().filter(|again| again.retreats < RETREATS)?;
        again.retreats += 1;
        self.epochs += method.epochs().unwrap_or(0.0);
        problem.take_fault();
        point.copy(&self.best);
        self.good.copy(&self.best);
        Some(again.method(problem))
    }

    /// Asks the watcher for its opinion of the iterate of iteration `k`.
    fn judge(&mut self, problem: &mut Problem, point: &Point, k: usize) {
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

    fn record(&mut self, problem: &mut Problem, k: usize, method: &dyn Method) {
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

fn stopped(reason: StopReason) -> Termination {
    match reason {
        StopReason::TimeLimit => Termination::TimeLimit,
        StopReason::Interrupted => Termination::Interrupted,
        StopReason::Goal => Termination::Goal,
        StopReason::Patience => Termination::Patience,
    }
}
