//! `blo run MODEL --backend NAME`: the single-level form is solved by another program, and its answer checked like that of any method.

use std::process::ExitCode;

use blo_compiler::export::Single;
use blo_compiler::model::Model;
use blo_compiler::session::{CodeCache, Surroundings};
use blo_grammar::diagnostic::Diagnostic;
use blo_runtime::solution::judge;
use blo_runtime::solvers::Point;
use blo_runtime::status::Termination;

use super::refuse;
use super::run::{Solved, deliver};
use crate::answer::{result, seconds, tell_fault};
use crate::args::{MethodArgs, RunArgs};
use crate::backend::{BACKENDS, Backend, End, Outcome, Task, Unfit, found};
use crate::cache::Cache;
use crate::compile;
use crate::files::Trouble;
use crate::output::RunResult;
use crate::output::comparison::Course;
use crate::output::folder::Folder;
use crate::plot::unwritable;
use crate::session::Session;
use crate::watch::catch_interrupts;

/// A method that works on the single-level form: its programs are what the check needs.
const FORM: &str = "tree";

/// Runs the command.
pub fn run(mut session: Session, args: &RunArgs, backend: &'static Backend) -> ExitCode {
    match solved(&mut session, args, backend) {
        Some(solved) => deliver(session, args, solved),
        None => refuse(&mut session.renderer),
    }
}

/// The checked answer; `None` where the input is wrong, which has been told.
fn solved(session: &mut Session, args: &RunArgs, backend: &'static Backend) -> Option<Solved> {
    let program = session.settled(found(backend.name).ok_or_else(|| absent(backend)))?;
    let mut model = session.model(&args.model, true)?;
    if let Some(misfit) = misfit(&model, backend) {
        session.tell(&[misfit]);
        return None;
    }
    let single = Single::new(&model).map_err(Unfit::Model);
    let mut single = single.map_err(|unfit| tell(session, backend, unfit)).ok()?;
    if let Some(trouble) = args.report.as_deref().and_then(|path| unwritable("report", path)) {
        session.renderer.trouble(&trouble);
        return None;
    }
    let folder = session.settled(args.out.as_deref().map(Folder::prepare).transpose())?;
    let flags = MethodArgs { method: Some(format!("{FORM}()")), ..MethodArgs::default() };
    let plan = session.plan(&model, &flags, args.model.input.seed)?;
    let cache = if args.no_cache { None } else { Cache::open() };
    let kept = cache.as_ref().map(|cache| cache as &dyn CodeCache);
    let around = Surroundings { observer: &*session.clock, cache: kept, keep: None };
    let compiled = compile::problem(&mut model, &plan, args.model.input.seed, around);
    let compiled = compiled.map_err(|diagnostics| session.tell(&diagnostics));
    let mut problem = compiled.ok()?;
    catch_interrupts();
    let task = session.settled(Task::new(program, args.time_limit))?;
    session.clock.solving();
    let outcome = (backend.solve)(&mut single, &task).map_err(|unfit| tell(session, backend, unfit)).ok()?;
    session.clock.answering();
    let point = match &outcome.values {
        Some(values) => {
            let (x, y) = single.split(values, problem.upper.len(), problem.lower.len());
            Point { x, y }
        }
        None => Point::start(&problem),
    };
    let ended = (termination(backend, &outcome), outcome.runs);
    let solution = judge(&mut problem, backend.name, point, ended, &plan.settings);
    let cached = cache.is_some_and(|cache| cache.found());
    let seconds = seconds(session, &model, cached);
    let result = result(&model, &solution, &problem.call_table(), seconds, args.model.input.seed);
    tell_fault(session, &model, &solution);
    let message = Some(outcome.message).filter(|message| !message.is_empty());
    let course = Course::new(&solution.trace, &[]);
    Some(Solved { solution, result: RunResult { message, ..result }, folder, course, model })
}

fn termination(backend: &Backend, outcome: &Outcome) -> Termination {
    match outcome.end {
        End::Solved => Termination::Tolerance,
        End::TimeLimit => Termination::TimeLimit,
        End::Interrupted => Termination::Interrupted,
        End::Failed => Termination::Refused {
            reason: format!("`{}` found no answer: {}", backend.name, outcome.message),
        },
    }
}

fn absent(backend: &Backend) -> Trouble {
    let others: Vec<&str> =
        BACKENDS.iter().map(|other| other.name).filter(|name| found(name).is_some()).collect();
    let there =
        if others.is_empty() { String::new() } else { format!("; `{}` is there", others.join("`, `")) };
    Trouble::new(format!("there is no program `{}` in the folders of PATH", backend.name))
        .help(format!("install it ({}), or leave `--backend` out{there}", backend.install))
}

/// What the model asks for that the program does not have.
fn misfit(model: &Model, backend: &Backend) -> Option<Diagnostic> {
    let asks = model.asks().into_iter();
    let (feature, place) = asks.into_iter().find(|(feature, _)| !backend.handles.contains(feature))?;
    let message = format!("`{}` is not for this model", backend.name);
    let label = format!("the model has {} here", feature.words());
    Some(Diagnostic::error("E0502", message, place, label).help(format!("it is for {}", backend.takes)))
}

fn tell(session: &mut Session, backend: &Backend, unfit: Unfit) {
    let help = format!("it is for {}", backend.takes);
    match unfit {
        Unfit::Model(diagnostics) => {
            session.tell(&diagnostics);
            let message = format!("`{}` is not for this model", backend.name);
            session.renderer.trouble(&Trouble::new(message).help(help));
        }
        Unfit::Program(trouble) => {
            session.renderer.trouble(&Trouble { help: trouble.help.or(Some(help)), ..trouble })
        }
    }
}
