//! Watches a run: shows progress on a terminal, ends it at the time limit or on Ctrl-C. This is where the clock is.

use std::cell::{Cell, RefCell};
use std::io::IsTerminal;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use blo_runtime::monitor::{Control, Judgement, Monitor, Pace, Progress, StopReason, UNLIMITED};
use blo_runtime::state::Snapshot;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::checkpoint::Keeping;
use crate::files::Trouble;
use crate::halt::Halt;
use crate::output::human::number;
use crate::stopwatch::Stopwatch;

/// One line that fits in 80 columns as a rule.
const LINE: &str = "{bar:16} {pos}/{len} {speed} {eta} left  {msg}";

/// The same for a run that only its time ends.
const TIMED_LINE: &str = "{spinner} {pos} steps {elapsed}  {msg}";

/// Seconds between two looks at the clock.
const LOOK_EVERY: f64 = 0.05;

/// Set by Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// How often Ctrl-C may go unanswered before it ends the program.
static PATIENCE: AtomicUsize = AtomicUsize::new(1);

/// How often it has.
static PRESSED: AtomicUsize = AtomicUsize::new(0);

/// Forgets that Ctrl-C was pressed: a new piece of work begins. From now on it ends the program only after being pressed so often.
pub fn forget_interrupts(patience: usize) {
    PATIENCE.store(patience, Ordering::Relaxed);
    PRESSED.store(0, Ordering::Relaxed);
    INTERRUPTED.store(false, Ordering::Relaxed);
}

/// Lets the first Ctrl-C end the run with what it has, and the second the program.
pub fn catch_interrupts() {
    let caught = ctrlc::set_handler(|| {
        INTERRUPTED.store(true, Ordering::Relaxed);
        if PRESSED.fetch_add(1, Ordering::Relaxed) >= PATIENCE.load(Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    // Without a handler Ctrl-C ends the program at once, which is what it would do anyway.
    drop(caught);
}

/// The state of a run, and the memory of what ends it, where they are kept.
pub type Slot = RefCell<Option<(Snapshot, Vec<u64>)>>;

/// Where a run is kept in memory, to go on later.
#[derive(Clone)]
pub struct Shelf {
    /// What is kept.
    pub slot: Rc<Slot>,
    /// The iteration at which the run ends, where that is before the method's own last one.
    pub last: usize,
    /// The one before which it is kept in any case.
    pub end: usize,
}

/// Seconds between two states that are kept in memory, and how many times longer than keeping one took.
const SHELVE_EVERY: f64 = 0.05;
const SHELVE_SHARE: u32 = 20;

/// A watcher with a clock.
pub struct Watch {
    started: Instant,
    last: Instant,
    limit: Option<Duration>,
    pace: Pace,
    bar: Option<ProgressBar>,
    /// Whether the bar has its length yet.
    sized: Cell<bool>,
    clock: Rc<Stopwatch>,
    /// What runs, where several runs follow one another.
    label: String,
    /// What ends the run by its reports.
    halt: Option<Halt>,
    /// Where the run is kept, when that was done last, and what went wrong with it.
    keeping: Option<Keeping>,
    shelf: Option<Shelf>,
    kept: Instant,
    /// When a state was asked for, and the time until the next one.
    asked: Instant,
    pause: Duration,
    trouble: Option<Trouble>,
    /// When each traced iteration ended, in seconds from the start.
    times: Vec<(usize, f64)>,
    /// Seconds when the solver ended.
    ended: f64,
}

impl Watch {
    /// Starts the clock. `show`: whether progress may be shown at all; it is shown on a terminal only.
    /// `clock` learns when the solver has ended.
    pub fn new(limit: Option<f64>, show: bool, clock: Rc<Stopwatch>) -> Self {
        let bar = (show && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(0);
            // The template is fixed, and a test builds it.
            if let Ok(style) = ProgressStyle::with_template(LINE) {
                bar.set_style(style.with_key("speed", speed));
            }
            bar
        });
        let now = Instant::now();
        let limit = limit.map(|s| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX));
        let (pace, sized) = (Pace::new(LOOK_EVERY), Cell::new(false));
        Watch {
            started: now,
            last: now,
            limit,
            pace,
            bar,
            sized,
            clock,
            label: String::new(),
            halt: None,
            keeping: None,
            shelf: None,
            kept: now,
            asked: now,
            pause: Duration::from_secs_f64(SHELVE_EVERY),
            trouble: None,
            times: Vec::new(),
            ended: 0.0,
        }
    }

    /// With a name in front of what is shown.
    #[must_use]
    pub fn labelled(self, label: &str) -> Self {
        Watch { label: format!("{label}  "), ..self }
    }

    /// Ending the run by its reports.
    #[must_use]
    pub fn halting(self, halt: Option<Halt>) -> Self {
        Watch { halt, ..self }
    }

    /// Keeping the run in a file.
    #[must_use]
    pub fn keeping(self, keeping: Option<Keeping>) -> Self {
        Watch { keeping, ..self }
    }

    /// Keeping the run in memory.
    #[must_use]
    pub fn shelving(self, shelf: Option<Shelf>) -> Self {
        Watch { shelf, ..self }
    }

    /// What went wrong while it ran.
    pub fn take_trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    /// How long the solver took, once it has ended.
    pub fn seconds(&self) -> f64 {
        self.ended
    }

    /// When each traced iteration ended, in seconds from the start.
    pub fn into_times(self) -> Vec<(usize, f64)> {
        self.times
    }

    /// Whether Ctrl-C has been pressed.
    pub fn interrupted() -> bool {
        INTERRUPTED.load(Ordering::Relaxed)
    }

    /// Removes the progress display.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn show(&self, progress: &Progress<'_>) {
        let Some(bar) = &self.bar else { return };
        if !self.sized.replace(true) {
            bar.set_length(progress.steps as u64);
            if let (true, Ok(style)) = (progress.steps >= UNLIMITED, ProgressStyle::with_template(TIMED_LINE))
            {
                bar.set_style(style);
            }
        }
        bar.set_position(progress.iteration as u64);
        bar.set_message(format!("{}{}", self.label, message(progress)));
    }
}

/// Steps per second, whole above 10.
fn speed(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    let rate = state.per_sec();
    // A line of progress that cannot be written is left out.
    let _ = if rate < 10.0 { write!(out, "{rate:.1}/s") } else { write!(out, "{rate:.0}/s") };
}

fn message(progress: &Progress<'_>) -> String {
    let upper = format!("F {}", number(progress.upper_objective));
    let measure = format!("measure {:.1e}", progress.measure);
    if progress.lower_objective.is_nan() {
        return format!("{upper}  {measure}");
    }
    format!("{upper}  f {}  {measure}", number(progress.lower_objective))
}

impl Monitor for Watch {
    fn observe(&mut self, progress: &Progress<'_>) -> Control {
        let now = Instant::now();
        self.pace.passed((now - self.last).as_secs_f64());
        self.last = now;
        self.show(progress);
        if Watch::interrupted() {
            return Control::Stop(StopReason::Interrupted);
        }
        match self.limit {
            Some(limit) if now - self.started >= limit => Control::Stop(StopReason::TimeLimit),
            _ => Control::Continue,
        }
    }

    fn interval(&self) -> u64 {
        self.pace.interval()
    }

    fn traced(&mut self, iteration: usize) {
        self.times.push((iteration, self.started.elapsed().as_secs_f64()));
    }

    fn judges(&self) -> bool {
        self.halt.is_some()
    }

    fn judge(&mut self, progress: &Progress<'_>) -> Judgement {
        self.halt.as_mut().map_or_else(Judgement::default, |halt| halt.judge(progress))
    }

    fn keeps(&self) -> bool {
        self.keeping.is_some() || self.shelf.is_some()
    }

    fn insists(&self) -> bool {
        self.keeping.is_some()
    }

    fn wants_snapshot(&mut self, k: usize) -> bool {
        // The time of the last look: a clock read per iteration of a toy would be too much.
        let since = self.last - self.kept;
        if let Some(keeping) = &self.keeping {
            return since >= keeping.every;
        }
        let wants = self.shelf.as_ref().is_some_and(|shelf| k >= shelf.end || since >= self.pause);
        if wants {
            self.asked = Instant::now();
        }
        wants
    }

    fn last(&self) -> usize {
        self.shelf.as_ref().map_or(usize::MAX, |shelf| shelf.last)
    }

    fn keep(&mut self, snapshot: Snapshot) {
        let watched = self.halt.as_ref().map_or_else(Vec::new, Halt::memory);
        if let Some(shelf) = &self.shelf {
            *shelf.slot.borrow_mut() = Some((snapshot, watched));
            let took = self.asked.elapsed();
            self.pause = Duration::from_secs_f64(SHELVE_EVERY).max(took * SHELVE_SHARE);
        } else if let Some(keeping) = &self.keeping
            && let Err(trouble) = keeping.write(&snapshot, &watched)
        {
            self.trouble = Some(trouble);
        }
        self.kept = self.last;
    }

    fn ended(&mut self) {
        self.ended = self.started.elapsed().as_secs_f64();
        self.clock.answering();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(lower_objective: f64) -> Progress<'static> {
        Progress {
            iteration: 3,
            steps: 10,
            calls: 30,
            upper_objective: 7.25,
            lower_objective,
            measure: 1e-3,
            reports: &[],
        }
    }

    #[test]
    fn the_template_is_valid_and_the_message_short() {
        assert!(
            ProgressStyle::with_template(LINE).is_ok() && ProgressStyle::with_template(TIMED_LINE).is_ok()
        );
        assert_eq!(message(&progress(f64::NAN)), "F 7.25  measure 1.0e-3");
        assert_eq!(message(&progress(0.5)), "F 7.25  f 0.5  measure 1.0e-3");
    }

    #[test]
    fn the_limit_stops_the_run() {
        let watch = |limit| Watch::new(limit, false, Rc::new(Stopwatch::start()));
        assert_eq!(watch(Some(1e9)).observe(&progress(0.0)), Control::Continue);
        assert_eq!(watch(None).observe(&progress(0.0)), Control::Continue);
        let mut late = watch(Some(1e-9));
        while late.started.elapsed().is_zero() {}
        assert_eq!(late.observe(&progress(0.0)), Control::Stop(StopReason::TimeLimit));
    }
}
