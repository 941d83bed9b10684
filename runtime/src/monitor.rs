//! Watching and stopping a run, and the trace it leaves. The runtime has no clock: whoever watches has one, and says through
//! [`Monitor::interval`] how much work may pass between two looks.

use crate::state::{Snapshot, State};

/// Why a watcher stopped a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The time is up.
    TimeLimit,
    /// The user asked for it.
    Interrupted,
    /// What the watcher waited for has been reached.
    Goal,
    /// What the watcher looks at has not become better for long.
    Patience,
}

/// What a watcher wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Stop as soon as possible with the last complete iterate.
    Stop(StopReason),
}

/// What a watcher thinks of an iterate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// It is the best so far: keep it, and return it at the end instead of the last one.
    pub keep: bool,
    /// End the run here.
    pub stop: Option<StopReason>,
}

/// Where a run stands. Values are those of the last complete iteration (NaN before the first), in the user's sign.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The number of complete outer iterations.
    pub iteration: usize,
    /// The number of iterations asked for.
    pub steps: usize,
    /// Evaluations of derivatives and values so far.
    pub calls: u64,
    /// The upper objective.
    pub upper_objective: f64,
    /// The lower objective; NaN without a lower level.
    pub lower_objective: f64,
    /// What the solver drives to zero; its stopping test.
    pub measure: f64,
    /// The reported scalars of the last traced iteration; for [`Monitor::judge`] those of this one.
    pub reports: &'a [f64],
}

/// A watcher of a run.
pub trait Monitor {
    /// Called between two evaluations once at least [`Monitor::interval`] evaluations have passed since the last call: after
    /// complete iterations, and inside of long ones.
    fn observe(&mut self, progress: &Progress<'_>) -> Control;

    /// The number of evaluations that may pass until the next observation; asked after each one, so that it can follow the
    /// clock (see [`Pace`]).
    fn interval(&self) -> u64 {
        1
    }

    /// Called when a row was added to the trace: a watcher with a clock can note when.
    fn traced(&mut self, _iteration: usize) {}

    /// Whether [`Monitor::judge`] is to see every complete iterate, at the cost of evaluating the reports there.
    fn judges(&self) -> bool {
        false
    }

    /// What it thinks of a complete iterate.
    fn judge(&mut self, _progress: &Progress<'_>) -> Judgement {
        Judgement::default()
    }

    /// Whether [`Monitor::keep`] may be called during the run.
    fn keeps(&self) -> bool {
        false
    }

    /// Whether a method whose memory cannot be kept is refused where [`Monitor::keeps`]; otherwise it runs and is not kept.
    fn insists(&self) -> bool {
        true
    }

    /// Asked before iteration `k`, where [`Monitor::keeps`]: whether the run is to be kept as it is now.
    fn wants_snapshot(&mut self, _k: usize) -> bool {
        false
    }

    /// The iteration at which the run ends as if it had been asked for no more; its method still knows how many there were to be.
    fn last(&self) -> usize {
        usize::MAX
    }

    /// Receives the run as it is between two iterations.
    fn keep(&mut self, _snapshot: Snapshot) {}

    /// Called when the solver has ended; what follows is the check of its answer.
    fn ended(&mut self) {}
}

/// Watches nothing and never stops a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn observe(&mut self, _: &Progress<'_>) -> Control {
        Control::Continue
    }

    fn interval(&self) -> u64 {
        u64::MAX
    }
}

/// Finds the number of evaluations that take about a given time, for monitors that have a clock.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    target: f64,
    interval: u64,
}

impl Pace {
    /// Aims at `target` seconds between observations; begins with one evaluation.
    pub fn new(target: f64) -> Self {
        Pace { target, interval: 1 }
    }

    /// The evaluations to wait for.
    pub fn interval(&self) -> u64 {
        self.interval
    }

    /// Takes note that the last interval took `seconds`.
    pub fn passed(&mut self, seconds: f64) {
        if seconds < 0.5 * self.target {
            self.interval = self.interval.saturating_mul(2).min(1 << 40);
        } else if seconds > 2.0 * self.target {
            self.interval = (self.interval / 2).max(1);
        }
    }
}

/// Steps of a run that only the watcher or a test ends.
pub const UNLIMITED: usize = 1 << 40;

/// Rows of numbers over the run, evenly spaced: at most about [`Trace::ROWS`] where the number of steps is known, otherwise up
/// to twice that. Objectives are in the user's sign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    columns: Vec<String>,
    values: Vec<f64>,
    stride: usize,
    epochs: bool,
}

impl Trace {
    /// The number of rows a trace is planned for.
    pub const ROWS: usize = 1000;

    /// The names of the columns before the reports, and before `epochs` where the method counts them.
    pub const FIXED: [&str; 5] =
        ["iteration", "upper_objective", "lower_objective", "measure", "evaluations"];

    /// An empty trace of a run of `steps`, with the columns of [`Trace::FIXED`], `epochs` if asked for, and the reports.
    pub fn new(steps: usize, epochs: bool, reports: &[String]) -> Self {
        let fixed = Self::FIXED.iter().copied().chain(epochs.then_some("epochs"));
        let columns: Vec<String> = fixed.map(str::to_string).chain(reports.iter().cloned()).collect();
        let rows = if steps >= UNLIMITED { 2 * Self::ROWS } else { steps.min(Self::ROWS) };
        let values = Vec::with_capacity((rows + 2) * columns.len());
        Trace { values, columns, stride: Self::stride(steps), epochs }
    }

    /// Iterations from one row to the next in a run of `steps`.
    pub(crate) fn stride(steps: usize) -> usize {
        if steps >= UNLIMITED { 1 } else { steps.div_ceil(Self::ROWS).max(1) }
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows, each with one value per column.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.columns.len().max(1))
    }

    /// Whether iteration `k` belongs into the trace.
    pub(crate) fn due(&self, k: usize) -> bool {
        k.is_multiple_of(self.stride)
    }

    /// The iteration of the last row.
    pub(crate) fn last_iteration(&self) -> Option<usize> {
        self.rows().last().map(|row| row[0] as usize)
    }

    /// Adds a row. `head`: the values of [`Trace::FIXED`].
    pub(crate) fn push(&mut self, head: [f64; 5], epochs: Option<f64>, reports: &[f64]) {
        if self.values.len() >= 2 * Self::ROWS * self.columns.len() {
            self.thin();
        }
        self.values.extend_from_slice(&head);
        if self.epochs {
            self.values.push(epochs.unwrap_or(f64::NAN));
        }
        self.values.extend_from_slice(reports);
    }

    /// The rows so far. Rows of another number are put back by adding or dropping some first.
    pub(crate) fn state(&mut self, state: &mut dyn State) {
        state.count(&mut self.stride);
        let mut rows = self.values.len() / self.columns.len();
        state.count(&mut rows);
        // More than a trace can have come from words that are not those of a trace.
        self.values.resize(rows.min(2 * Self::ROWS + 2) * self.columns.len(), 0.0);
        state.numbers(&mut self.values);
    }

    /// Keeps every other row.
    fn thin(&mut self) {
        self.stride *= 2;
        let width = self.columns.len();
        let mut kept = 0;
        for row in 0..self.values.len() / width {
            if row.is_multiple_of(2) {
                self.values.copy_within(row * width..(row + 1) * width, kept * width);
                kept += 1;
            }
        }
        self.values.truncate(kept * width);
    }
}
