//! `blo run`: check, compile, solve, and say what came out.

use std::process::ExitCode;

use blo_compiler::model::Model;
use blo_compiler::session::{CodeCache, Surroundings};
use blo_compiler::{blame, expectations, follower_objectives};
use blo_runtime::problem::Problem;
use blo_runtime::solution::{Solution, solve};
use blo_runtime::status::{PointStatus, Termination};
use blo_runtime::threads;

use super::{FINE, NOT_SOLVED, WRONG_INPUT, emit, end, refuse};
use crate::args::{Format, RunArgs};
use crate::cache::Cache;
use crate::compile;
use crate::method::Flags;
use crate::output::folder::Folder;
use crate::output::{Lower, RunResult, Seconds, Variable, human, json};
use crate::session::{Plan, Session};
use crate::watch::{Watch, catch_interrupts};

/// Runs the command.
pub fn run(args: &RunArgs) -> ExitCode {
    allow_threads(args.threads);
    let mut session = match Session::open(&args.model) {
        Ok(session) => session,
        Err(mut renderer) => return end(&mut renderer, "", &[], WRONG_INPUT),
    };
    let flags = flags(args);
    if let Some(stage) = args.model.emit {
        return emit(&mut session, &args.model, &flags, stage);
    }
    let Some(prepared) = prepare(&mut session, args, &flags) else { return refuse(&mut session.renderer) };
    finish(session, args, prepared)
}

/// Lets programs use so many threads, or all the machine has.
pub fn allow_threads(wanted: Option<u64>) {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    threads::allow(wanted.map_or_else(all, |n| usize::try_from(n).unwrap_or(1)));
}

fn flags(args: &RunArgs) -> Flags {
    Flags { method: args.method.clone(), options: args.options.clone(), iterations: args.iterations }
}

/// A model ready to be solved.
struct Prepared {
    model: Model,
    plan: Plan,
    problem: Problem,
    folder: Option<Folder>,
    /// Whether its code was found in the cache.
    cached: bool,
}

/// Everything that can fail because of wrong input, so that nothing is solved in vain.
fn prepare(session: &mut Session, args: &RunArgs, flags: &Flags) -> Option<Prepared> {
    let mut model = session.model(&args.model, true)?;
    let plan = session.plan(&model, flags, args.model.seed)?;
    let cache = if args.no_cache { None } else { Cache::open() };
    let around = Surroundings {
        observer: &*session.clock,
        cache: cache.as_ref().map(|cache| cache as &dyn CodeCache),
    };
    let problem = match compile::problem(&mut model, &plan, args.model.seed, around) {
        Ok(problem) => with_memory(problem, args.memory),
        Err(diagnostics) => {
            session.tell(&diagnostics);
            return None;
        }
    };
    let folder = match args.out.as_deref().map(Folder::prepare).transpose() {
        Ok(folder) => folder,
        Err(trouble) => {
            session.renderer.trouble(&trouble);
            return None;
        }
    };
    let cached = cache.is_some_and(|cache| cache.found());
    Some(Prepared { model, plan, problem, folder, cached })
}

/// The problem with the memory the run may use for iterates, where it says so.
fn with_memory(mut problem: Problem, memory: Option<usize>) -> Problem {
    problem.memory = memory.unwrap_or(problem.memory);
    problem
}

/// Solves, and writes the result wherever it was asked for.
fn finish(mut session: Session, args: &RunArgs, prepared: Prepared) -> ExitCode {
    let Prepared { model, plan, mut problem, folder, cached } = prepared;
    session.clock.solving();
    catch_interrupts();
    let for_people = !args.json && args.model.format == Format::Text;
    let mut watch = Watch::new(args.time_limit, !args.quiet && for_people, session.clock.clone());
    let solution = solve(&mut problem, plan.solver, &plan.settings, &mut watch);
    watch.finish();
    let seconds = seconds(&session, &model, cached);
    let result = result(&model, &problem, &solution, seconds, args.model.seed);
    let result = RunResult { because: plan.because, ..result };
    tell_fault(&mut session, &model, &solution);
    if let Some(folder) = folder {
        let trace = &solution.trace;
        if let Err(trouble) = folder.write(&result, trace.columns(), trace.rows()) {
            session.renderer.trouble(&trouble);
            return refuse(&mut session.renderer);
        }
    }
    let fine = ended_as_asked(&solution) && result.expects.iter().all(|(_, holds)| *holds);
    let timings = if args.timings { human::timings(&result.seconds) } else { String::new() };
    let text =
        if args.json { format!("{:#}\n", json::result(&result)) } else { human::summary(&result) + &timings };
    let parts = [("result", json::result(&result))];
    end(&mut session.renderer, &text, &parts, if fine { FINE } else { NOT_SOLVED })
}

/// Points at the expression to blame for a run that met a number that is not finite.
fn tell_fault(session: &mut Session, model: &Model, solution: &Solution) {
    if let (Termination::NonFinite { .. }, Some(fault)) = (&solution.termination, &solution.fault) {
        let diagnostics: Vec<_> = blame(model, &fault.x, &fault.y).into_iter().collect();
        session.tell(&diagnostics);
    }
}

/// Whether the run came to its own end and the point passes the check of the lower level.
fn ended_as_asked(solution: &Solution) -> bool {
    let ended = match solution.termination {
        Termination::Tolerance | Termination::Steps | Termination::Stalled { .. } => true,
        Termination::TimeLimit
        | Termination::Interrupted
        | Termination::NonFinite { .. }
        | Termination::Diverged { .. }
        | Termination::LineSearchFailed { .. }
        | Termination::Refused { .. } => false,
    };
    ended && matches!(solution.point, PointStatus::Stationary | PointStatus::Feasible)
}

/// Solves without progress, files or a summary; `None` when the input is wrong, which has been told.
pub fn outcome(session: &mut Session, args: &RunArgs) -> Option<RunResult> {
    let Prepared { model, plan, mut problem, cached, .. } = prepare(session, args, &flags(args))?;
    session.clock.solving();
    let mut watch = Watch::new(args.time_limit, false, session.clock.clone());
    let solution = solve(&mut problem, plan.solver, &plan.settings, &mut watch);
    let seconds = seconds(session, &model, cached);
    tell_fault(session, &model, &solution);
    let result = result(&model, &problem, &solution, seconds, args.model.seed);
    Some(RunResult { because: plan.because, ..result })
}

/// The times so far.
fn seconds(session: &Session, model: &Model, cached: bool) -> Seconds {
    let data = model.data.iter().filter_map(|d| d.value.as_ref()).map(|v| v.len()).sum();
    Seconds { parts: session.clock.read(), cached, data }
}

/// The result in the terms of the model.
fn result(model: &Model, problem: &Problem, solution: &Solution, seconds: Seconds, seed: u64) -> RunResult {
    let hypergradient_norm = solution.check.hypergradient_norm.unwrap_or(f64::NAN);
    let lower = solution.lower_objective.map(|objective| {
        let check = solution.check.lower.as_ref();
        Lower {
            objective,
            gap: check.map_or(f64::NAN, |c| c.gap),
            stationarity: check.map_or(f64::NAN, |c| c.stationarity),
        }
    });
    let found = [
        ("lower.gap", lower.map_or(f64::NAN, |l| l.gap)),
        ("lower.stationarity", lower.map_or(f64::NAN, |l| l.stationarity)),
        ("hypergradient_norm", hypergradient_norm),
    ];
    let followers = follower_objectives(model, &solution.x, &solution.y);
    let expects = expectations(model, &solution.x, &solution.y, &found);
    let status = match solution.point {
        PointStatus::Stationary => "solved",
        PointStatus::Feasible => "feasible",
        PointStatus::NotSolved | PointStatus::Unknown => "not_solved",
    };
    // Multipliers that the model reads follow the lower variables.
    let lower_variables = model.lower.as_ref().map_or(0, |lower| lower.vars.len());
    let variables = solution.upper.iter().chain(solution.lower.iter().take(lower_variables));
    RunResult {
        status: status.into(),
        termination: solution.termination.name().into(),
        verdict: solution.verdict.clone(),
        upper_objective: solution.upper_objective,
        lower,
        followers,
        hypergradient_norm,
        violation: solution.check.violation,
        variables: variables
            .map(|v| Variable {
                name: v.name.clone(),
                shape: v.values.shape().to_vec(),
                values: v.values.iter().copied().collect(),
                labels: labels(model, &v.name),
            })
            .collect(),
        reports: solution.reports.clone(),
        expects: expects.into_iter().map(|e| (e.text, e.holds)).collect(),
        method: solution.solver.into(),
        because: None,
        iterations: solution.iterations,
        epochs: solution.epochs,
        trajectory: solution.trajectory.map(|trajectory| trajectory.to_string()),
        calls: problem.call_table().iter().map(|(q, n)| (q.name().to_string(), *n)).collect(),
        seconds,
        seed,
    }
}

/// The labels of a variable's axes.
fn labels(model: &Model, name: &str) -> Vec<Option<Vec<String>>> {
    let levels = std::iter::once(&model.upper).chain(&model.lower);
    let var = levels.flat_map(|level| &level.vars).find(|var| var.name == name);
    let labels_of = |dim: &String| model.dims.iter().find(|d| d.name == *dim)?.labels.clone();
    var.map_or_else(Vec::new, |var| var.dims.iter().map(|dim| labels_of(dim.as_ref()?)).collect())
}
