//! The whole solver: the method the model was compiled for, from its start or another, with a limit of time.

use std::ffi::{CStr, c_char};
use std::time::{Duration, Instant};

use blo_runtime::monitor::{Control, Monitor, Pace, Progress, StopReason};
use blo_runtime::solution::solve_from;
use blo_runtime::solvers::Point;
use blo_runtime::status::PointStatus;

use crate::Code;
use crate::handle::{Failure, Handle, copy_text, numbers, places};

/// How to solve. A zeroed struct with its size set, or a null pointer, means: as compiled.
#[repr(C)]
pub struct Options {
    /// The size of this struct.
    size: usize,
    /// Where to begin (n); null: the model's start.
    x: *const f64,
    /// Where to begin (m); null: the model's start.
    y: *const f64,
    /// Seconds after which the run ends with the last iterate; 0: none.
    time_limit: f64,
    /// How many options of the method are given.
    count: usize,
    /// Their names.
    names: *const *const c_char,
    /// Their values.
    values: *const f64,
}

/// What was found. The caller sets the size and the pointers, any of which may be null.
#[repr(C)]
pub struct Solution {
    /// The size of this struct.
    size: usize,
    /// The upper variables (n).
    x: *mut f64,
    /// The lower variables (m).
    y: *mut f64,
    /// The reported numbers.
    reports: *mut f64,
    /// A sentence about the point.
    verdict: *mut c_char,
    /// Bytes for it.
    verdict_room: usize,
    /// Why the run ended, in a word.
    termination: [c_char; 32],
    /// What the point is worth.
    status: i32,
    /// Whether the independent check lets it pass.
    feasible: i32,
    /// Outer iterations.
    iterations: u64,
    /// Evaluations by the method.
    evaluations: u64,
    /// `F` in the model's sign.
    upper_objective: f64,
    /// `f` in the model's sign; NaN without a lower level.
    lower_objective: f64,
    /// How far `f` is from the best the check found.
    lower_gap: f64,
    /// The length of the projected gradient of the lower level.
    lower_stationarity: f64,
    /// The length of the projected hypergradient; NaN where there is none.
    hypergradient_norm: f64,
    /// The largest violation of a constraint; NaN without any.
    violation: f64,
}

/// Stops a run when its time is up.
struct Deadline {
    at: Option<Instant>,
    last: Instant,
    pace: Pace,
}

impl Monitor for Deadline {
    fn observe(&mut self, _: &Progress<'_>) -> Control {
        let now = Instant::now();
        self.pace.passed((now - self.last).as_secs_f64());
        self.last = now;
        let over = self.at.is_some_and(|at| now >= at);
        if over { Control::Stop(StopReason::TimeLimit) } else { Control::Continue }
    }

    fn interval(&self) -> u64 {
        if self.at.is_some() { self.pace.interval() } else { u64::MAX }
    }
}

/// Solves the model.
///
/// # Safety
/// `handle` must be open; `options` null or valid, `out` valid, with vectors of the lengths the handle says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn blo_kernel_solve(
    handle: *const Handle,
    options: *const Options,
    out: *mut Solution,
) -> i32 {
    // SAFETY: as promised by the caller.
    let (handle, options, out) = unsafe { (handle.as_ref(), options.as_ref(), out.as_mut()) };
    let (Some(handle), Some(out)) = (handle, out) else { return Code::Argument as i32 };
    handle.call(|inner| {
        let wrong =
            |what: &str| (Code::Argument, format!("the size of `{what}` is not that of this version"));
        if out.size != size_of::<Solution>() {
            return Err(wrong("solution"));
        }
        if options.is_some_and(|o| o.size != size_of::<Options>()) {
            return Err(wrong("options"));
        }
        let mut start = Point::start(&inner.thawed.problem);
        let mut given = Vec::new();
        let mut limit = 0.0;
        if let Some(options) = options {
            // SAFETY: as promised by the caller.
            unsafe {
                if !options.x.is_null() {
                    start.x = numbers(options.x, start.x.len(), "x")?.to_vec();
                }
                if !options.y.is_null() {
                    start.y = numbers(options.y, start.y.len(), "y")?.to_vec();
                }
                given = names(options)?;
            }
            limit = options.time_limit;
        }
        let settings = inner.thawed.settings_with(&given).map_err(|words| (Code::Argument, words))?;
        let now = Instant::now();
        let at = (limit > 0.0).then(|| Duration::try_from_secs_f64(limit).ok()).flatten();
        let mut deadline =
            Deadline { at: at.and_then(|limit| now.checked_add(limit)), last: now, pace: Pace::new(0.01) };
        let thawed = &mut inner.thawed;
        let solver = thawed.solver;
        let found = thawed
            .problem
            .whole_where_resized(|problem| solve_from(problem, solver, &settings, start, &mut deadline));
        thawed.problem.take_fault();
        // SAFETY: as promised by the caller.
        unsafe { write(&found, out) }
    })
}

/// The given options of the method.
///
/// # Safety
/// `names` and `values` must have `count` entries.
unsafe fn names(options: &Options) -> Result<Vec<(String, f64)>, Failure> {
    // SAFETY: as promised by the caller.
    let values = unsafe { numbers(options.values, options.count, "values") }?;
    if options.count > 0 && options.names.is_null() {
        return Err((Code::Argument, "`names` is null".to_owned()));
    }
    let name = |(k, value): (usize, &f64)| {
        // SAFETY: as promised by the caller.
        let name = unsafe { *options.names.add(k) };
        if name.is_null() {
            return Err((Code::Argument, "the name of an option is null".to_owned()));
        }
        // SAFETY: as promised by the caller.
        Ok((unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned(), *value))
    };
    values.iter().enumerate().map(name).collect()
}

/// Writes what was found.
///
/// # Safety
/// The pointers of `out` must be null or have the lengths of what is written.
unsafe fn write(found: &blo_runtime::solution::Solution, out: &mut Solution) -> Result<(), Failure> {
    let reports: Vec<f64> = found.reports.iter().map(|(_, value)| *value).collect();
    let vectors = [(out.x, &found.x), (out.y, &found.y), (out.reports, &reports)];
    // SAFETY: as promised by the caller; the array of the word is its own.
    unsafe {
        for (to, from) in vectors.into_iter().filter(|(to, _)| !to.is_null()) {
            places(to, from.len(), "out")?.copy_from_slice(from);
        }
        copy_text(&found.verdict, out.verdict, out.verdict_room);
        let room = out.termination.len();
        copy_text(found.termination.name(), out.termination.as_mut_ptr(), room);
    }
    out.status = match found.point {
        PointStatus::Unknown => -1,
        PointStatus::NotSolved | PointStatus::NotAttained => 0,
        PointStatus::Feasible => 1,
        PointStatus::Stationary => 2,
        PointStatus::Optimal => 3,
    };
    out.feasible = i32::from(found.is_feasible());
    out.iterations = found.iterations as u64;
    out.evaluations = found.evaluations();
    out.upper_objective = found.upper_objective;
    out.lower_objective = found.lower_objective.unwrap_or(f64::NAN);
    let lower = found.check.lower.as_ref();
    out.lower_gap = lower.map_or(f64::NAN, |lower| lower.gap);
    out.lower_stationarity = lower.map_or(f64::NAN, |lower| lower.stationarity);
    out.hypergradient_norm = found.check.hypergradient_norm.unwrap_or(f64::NAN);
    out.violation = found.check.violation.unwrap_or(f64::NAN);
    Ok(())
}
