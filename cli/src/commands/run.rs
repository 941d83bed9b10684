//! `blo run`: check, compile, solve, and say what came out.

use std::process::ExitCode;
use std::time::Duration;

use blo_compiler::model::Model;
use blo_compiler::session::{CodeCache, Surroundings};
use blo_runtime::problem::Problem;
use blo_runtime::solution::Solution;
use blo_runtime::solvers::Point;
use blo_runtime::state::Snapshot;
use blo_runtime::threads;

use super::{FINE, NOT_SOLVED, WRONG_INPUT, backend, compiled, emit, end, refuse};
use crate::answer::{ended_as_asked, result, seconds, tell_fault};
use crate::args::{Format, RunArgs};
use crate::cache::Cache;
use crate::checkpoint::{self, Identity, Keeping};
use crate::compile;
use crate::halt::{Halt, Wishes};
use crate::native;
use crate::output::comparison::Course;
use crate::output::folder::Folder;
use crate::output::{RunResult, Starts, human, json};
use crate::plot::unwritable;
use crate::report::Report;
use crate::session::{Plan, Session};
use crate::starts::{self, Best};
use crate::warm;
use crate::watch::{Shelf, Watch, catch_interrupts};

/// Runs the command.
pub fn run(args: &RunArgs) -> ExitCode {
    allow_threads(args.threads);
    if native::is_library(&args.model.model) {
        return compiled::run(args);
    }
    let mut session = match Session::open(&args.model) {
        Ok(session) => session,
        Err(mut renderer) => return end(&mut renderer, "", &[], WRONG_INPUT),
    };
    if let Some(backend) = args.backend {
        return backend::run(session, args, backend);
    }
    if let Some(stage) = args.emit {
        return emit(&mut session, &args.model, &args.flags, stage);
    }
    let Some(prepared) = prepare(&mut session, args) else { return refuse(&mut session.renderer) };
    finish(session, args, prepared)
}

/// Lets programs use so many threads, or all the machine has.
pub fn allow_threads(wanted: Option<u64>) {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    threads::allow(wanted.map_or_else(all, |n| usize::try_from(n).unwrap_or(1)));
}

/// Seconds between two checkpoints unless `--every` says otherwise.
const EVERY: f64 = 60.0;

/// A model ready to be solved.
pub struct Prepared {
    /// The model.
    pub model: Model,
    /// How it will be solved.
    pub plan: Plan,
    /// Its program.
    pub problem: Problem,
    /// Where it begins.
    pub first: Point,
    /// What ends it by its reports.
    pub halt: Option<Halt>,
    /// The state it goes on from.
    pub snapshot: Option<Snapshot>,
    /// Where it is kept: in memory, in a file.
    pub shelf: Option<Shelf>,
    keeping: Option<Keeping>,
    folder: Option<Folder>,
    /// Whether its code was found in the cache.
    cached: bool,
}

/// Everything that can fail because of wrong input, so that nothing is solved in vain.
pub fn prepare(session: &mut Session, args: &RunArgs) -> Option<Prepared> {
    let mut model = session.model(&args.model, true)?;
    let plan = session.plan(&model, &args.flags, args.model.input.seed)?;
    let wishes = Wishes { stop: args.stop.as_deref(), watch: args.watch.as_deref(), patience: args.patience };
    let mut halt = session.settled(Halt::new(wishes, &model))?;
    let cache = if args.no_cache { None } else { Cache::open() };
    let around = Surroundings {
        observer: &*session.clock,
        cache: cache.as_ref().map(|cache| cache as &dyn CodeCache),
        keep: None,
    };
    let problem = match compile::problem(&mut model, &plan, args.model.input.seed, around) {
        Ok(problem) => with_memory(problem, args.memory),
        Err(diagnostics) => {
            session.tell(&diagnostics);
            return None;
        }
    };
    let first = match &args.start {
        Some(path) => session.settled(warm::start(path, &model, &problem))?,
        None => Point::start(&problem),
    };
    let identity = || {
        let halt = halt.as_ref().map_or_else(String::new, Halt::description);
        Identity::new(&session.sources, &model, &plan, &first, halt)
    };
    let identity = (args.checkpoint.is_some() || args.resume.is_some()).then(identity);
    let (mut snapshot, mut keeping) = (None, None);
    if let (Some(path), Some(identity)) = (&args.resume, &identity) {
        let (state, watched) = session.settled(checkpoint::read(path, identity))?;
        halt = halt.map(|halt| halt.remembering(&watched));
        snapshot = Some(state);
    }
    if let (Some(path), Some(identity)) = (&args.checkpoint, identity) {
        let every = Duration::try_from_secs_f64(args.every.unwrap_or(EVERY)).unwrap_or(Duration::MAX);
        keeping = Some(session.settled(Keeping::prepare(path, identity, every))?);
    }
    if let Some(trouble) = args.report.as_deref().and_then(|path| unwritable("report", path)) {
        session.renderer.trouble(&trouble);
        return None;
    }
    let folder = session.settled(args.out.as_deref().map(Folder::prepare).transpose())?;
    let cached = cache.is_some_and(|cache| cache.found());
    Some(Prepared { model, plan, problem, first, halt, snapshot, shelf: None, keeping, folder, cached })
}

/// The problem with the memory the run may use for iterates, where it says so.
fn with_memory(mut problem: Problem, memory: Option<usize>) -> Problem {
    problem.memory = memory.unwrap_or(problem.memory);
    problem
}

/// Solves, and writes the result wherever it was asked for.
fn finish(mut session: Session, args: &RunArgs, prepared: Prepared) -> ExitCode {
    catch_interrupts();
    let for_people = !args.json && args.model.input.format == Format::Text;
    let solved = solve(&mut session, args, prepared, !args.quiet && for_people);
    deliver(session, args, solved)
}

/// Writes the result wherever it was asked for, and ends.
pub fn deliver(mut session: Session, args: &RunArgs, solved: Solved) -> ExitCode {
    let Solved { solution, result, folder, course, model } = solved;
    if let Some(folder) = folder
        && let Err(trouble) = folder.write(&result, &course)
    {
        session.renderer.trouble(&trouble);
        return refuse(&mut session.renderer);
    }
    if let Some(path) = &args.report {
        let source = session.sources.get(session.main);
        let command: Vec<String> = std::env::args().collect();
        let (name, text) = (source.name.as_str(), source.text.as_str());
        let report =
            Report { name, text, model: &model, result: &result, course: &course, command: &command };
        if let Err(trouble) = report.write(path) {
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

/// Solves without progress, files or a summary; `None` when the input is wrong, which has been told.
pub fn outcome(session: &mut Session, args: &RunArgs) -> Option<RunResult> {
    let prepared = prepare(session, args)?;
    Some(solve(session, args, prepared, false).result)
}

/// What came out.
pub struct Solved {
    /// The point and the course of the run.
    pub solution: Solution,
    /// The same in the terms of the model.
    pub result: RunResult,
    /// Where it is to be written.
    pub folder: Option<Folder>,
    /// Its trace, for pictures.
    pub course: Course,
    /// The model.
    pub model: Model,
}

/// Solves from every start, and reads the best answer; `show`: whether progress may be shown.
pub fn solve(session: &mut Session, args: &RunArgs, prepared: Prepared, show: bool) -> Solved {
    let Prepared { model, plan, mut problem, first, halt, snapshot, shelf, keeping, folder, cached } =
        prepared;
    session.clock.solving();
    let count = args.starts.map_or(1, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let clock = session.clock.clone();
    let watch = |number: usize| {
        // Of several runs none is the one to go on with.
        let shelf = shelf.clone().filter(|_| count == 1);
        let watch = Watch::new(args.time_limit, show, clock.clone())
            .halting(halt.clone())
            .keeping(keeping.clone())
            .shelving(shelf);
        if count > 1 { watch.labelled(&format!("start {}/{count}", number + 1)) } else { watch }
    };
    let best = match &snapshot {
        Some(snapshot) => starts::resume(&mut problem, &plan, first, snapshot, watch(0)),
        None => starts::solve(&mut problem, &plan, first, count, args.model.input.seed, watch),
    };
    let Best { number, solution, starts, trouble, times } = best;
    if let Some(trouble) = trouble {
        session.renderer.trouble(&trouble);
    }
    let seconds = seconds(session, &model, cached);
    let result = result(&model, &solution, &problem.call_table(), seconds, args.model.input.seed);
    let starts = if count > 1 { Some(Starts { number, lines: starts }) } else { None };
    let result = RunResult { because: plan.because, starts, ..result };
    tell_fault(session, &model, &solution);
    let course = Course::new(&solution.trace, &times);
    Solved { solution, result, folder, course, model }
}
