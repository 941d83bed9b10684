//! `blo compare`: one model, one start, one budget, several methods; every answer checked in the same way and ranked.

use std::process::ExitCode;

use blo_compiler::model::{Model, OptionValue};
use blo_compiler::session::{CodeCache, Surroundings};
use blo_runtime::derivatives::Quantity;
use blo_runtime::monitor::UNLIMITED;
use blo_runtime::problem::Problem;
use blo_runtime::solution::{Solution, since};
use blo_runtime::solvers::{self, Point};
use blo_runtime::status::Termination;

use super::run::allow_threads;
use super::{FINE, NOT_SOLVED, WRONG_INPUT, end, print_out, refuse};
use crate::answer::{result, tell_fault};
use crate::args::{CompareArgs, Format, MethodArgs};
use crate::cache::Cache;
use crate::compile;
use crate::files::Trouble;
use crate::method;
use crate::output::Seconds;
use crate::output::comparison::{Answer, Budget, Comparison, Course, Entry};
use crate::output::folder::Folder;
use crate::plot;
use crate::rank::{Candidate, rank};
use crate::session::{Plan, Session};
use crate::starts::{self, Best};
use crate::warm;
use crate::watch::{Watch, catch_interrupts};

/// Runs the command.
pub fn run(args: &CompareArgs) -> ExitCode {
    allow_threads(args.threads);
    let mut session = match Session::open(&args.model) {
        Ok(session) => session,
        Err(mut renderer) => return end(&mut renderer, "", &[], WRONG_INPUT),
    };
    match comparison(&mut session, args) {
        Some(comparison) => finish(session, args, &comparison),
        None => refuse(&mut session.renderer),
    }
}

/// The comparison; `None` when the input is wrong, which has been told.
pub fn comparison(session: &mut Session, args: &CompareArgs) -> Option<Comparison> {
    let prepared = prepare(session, args)?;
    Some(compare(session, args, prepared))
}

/// A method that takes part, and the place of its problem.
struct Contender {
    label: String,
    plan: Plan,
    /// Why it cannot run on this model, or where its program is.
    problem: Result<usize, String>,
}

/// A model compiled for all methods that evaluate the same quantities.
struct Compiled {
    single_level: bool,
    needs: Vec<Quantity>,
    batch: Option<usize>,
    problem: Problem,
    /// The model as this program was made from it.
    model: Model,
    /// Where its runs begin.
    first: Point,
}

/// Everything that can fail because of wrong input, done before anything is solved.
struct Prepared {
    maximize: bool,
    contenders: Vec<Contender>,
    compiled: Vec<Compiled>,
}

fn prepare(session: &mut Session, args: &CompareArgs) -> Option<Prepared> {
    let model = session.model(&args.model, true)?;
    let plans = plans(session, &model, args)?;
    let trouble = args.out.as_deref().and_then(|out| Folder::prepare(out).err());
    let troubles =
        trouble.into_iter().chain(args.plot.iter().filter_map(|path| plot::unwritable("plot", path)));
    let troubles: Vec<Trouble> = troubles.collect();
    troubles.iter().for_each(|trouble| session.renderer.trouble(trouble));
    if !troubles.is_empty() {
        return None;
    }
    let cache = if args.no_cache { None } else { Cache::open() };
    let mut compiled: Vec<Compiled> = Vec::new();
    let mut contenders = Vec::new();
    let mut wrong = false;
    for (label, plan) in plans {
        let needs = solvers::needs(plan.solver, &plan.settings);
        let single_level = plan.solver.levels.has_rows();
        let batch = solvers::batch(&plan.settings);
        let same = |c: &Compiled| c.single_level == single_level && c.needs == needs && c.batch == batch;
        let known = compiled.iter().position(same);
        let problem = match known {
            Some(at) => Ok(at),
            None => {
                let around = Surroundings {
                    observer: &*session.clock,
                    cache: cache.as_ref().map(|cache| cache as &dyn CodeCache),
                    keep: None,
                };
                // Each program comes from the model as it was checked, as in a run of that method alone.
                let mut model = model.clone();
                match compile::problem(&mut model, &plan, args.model.input.seed, around) {
                    Ok(mut problem) => {
                        problem.memory = args.memory.unwrap_or(problem.memory);
                        let first = match &args.start {
                            Some(path) => session.settled(warm::start(path, &model, &problem))?,
                            None => Point::start(&problem),
                        };
                        compiled.push(Compiled { single_level, needs, batch, problem, model, first });
                        Ok(compiled.len() - 1)
                    }
                    Err(diagnostics) if args.methods.is_some() => {
                        wrong |= session.tell(&diagnostics);
                        continue;
                    }
                    Err(diagnostics) => {
                        Err(diagnostics.first().map_or_else(String::new, |d| d.message.clone()))
                    }
                }
            }
        };
        contenders.push(Contender { label, plan, problem });
    }
    (!wrong).then_some(Prepared { maximize: model.upper.maximize, contenders, compiled })
}

/// The methods with their labels; `None` when something is wrong with them, which has been told.
fn plans(session: &mut Session, model: &Model, args: &CompareArgs) -> Option<Vec<(String, Plan)>> {
    let asks: Vec<_> = model.asks().into_iter().map(|(feature, _)| feature).collect();
    let written = match &args.methods {
        Some(text) => method::list(text),
        None => solvers::fitting(model.lower.is_some(), &asks).map(|s| s.name.to_owned()).collect(),
    };
    if let Some(at) = (1..written.len()).find(|&at| written[..at].contains(&written[at])) {
        let trouble = Trouble::new(format!("`{}` is named twice in `--methods`", written[at]));
        session.renderer.trouble(
            &trouble.help("with other options it may take part a second time: bome, bome(lower_steps=20)"),
        );
        return None;
    }
    if written.is_empty() {
        // Says why no method fits.
        session.plan(model, &MethodArgs::default(), args.model.input.seed)?;
        session
            .renderer
            .trouble(&Trouble::new("`--methods` names no method").help("write --methods bome,cg"));
        return None;
    }
    let mut plans = Vec::new();
    let mut wrong = false;
    for label in written {
        let iterations = steps(&label, model, args);
        let flags =
            MethodArgs { method: Some(label.clone()), iterations, listed: true, ..MethodArgs::default() };
        match session.plan(model, &flags, args.model.input.seed) {
            Some(plan) => plans.push((label, plan)),
            None => wrong = true,
        }
    }
    (!wrong).then_some(plans)
}

/// The iterations of a method that has no number of its own.
fn steps(written: &str, model: &Model, args: &CompareArgs) -> Option<u64> {
    let (name, own) = method::named_options(written);
    // The steps of `kkt` are further starts, not iterations.
    let other = solvers::named(&name).is_some_and(|solver| solver.levels.has_rows());
    if other || own.iter().any(|option| option == "steps") {
        return None;
    }
    let of_model = || {
        let options = &model.solve.as_ref()?.options;
        options.iter().find_map(|(option, value, _)| match value {
            OptionValue::Number(steps) if option == "steps" => Some(*steps as u64),
            _ => None,
        })
    };
    match (args.steps, args.budget) {
        (Some(steps), _) => Some(steps),
        (None, Some(_)) => Some(UNLIMITED as u64),
        (None, None) => of_model(),
    }
}

/// Lets every method solve.
fn compare(session: &mut Session, args: &CompareArgs, prepared: Prepared) -> Comparison {
    let Prepared { maximize, contenders, mut compiled } = prepared;
    session.clock.solving();
    catch_interrupts();
    let for_people = !args.json && !args.csv && args.model.input.format == Format::Text;
    let show = !args.quiet && for_people;
    let total = contenders.len();
    let mut entries = Vec::new();
    for (at, Contender { label, plan, problem }) in contenders.into_iter().enumerate() {
        let outcome = match problem {
            _ if Watch::interrupted() => Err("interrupted before its turn".to_owned()),
            Err(reason) => Err(reason),
            Ok(place) => {
                let title = format!("{label} {}/{total}", at + 1);
                answer(session, args, &mut compiled[place], &plan, &title, show)
            }
        };
        entries.push(Entry { label, rank: None, reason: String::new(), outcome });
    }
    ranked(&mut entries, maximize);
    Comparison {
        model: args.model.model.display().to_string(),
        seed: args.model.input.seed,
        starts: args.starts,
        budget: Budget { seconds: args.budget, steps: args.steps },
        maximize,
        entries,
    }
}

/// What one method finds; `Err` with the reason when it refuses.
fn answer(
    session: &mut Session,
    args: &CompareArgs,
    compiled: &mut Compiled,
    plan: &Plan,
    title: &str,
    show: bool,
) -> Result<Box<Answer>, String> {
    let Compiled { problem, model, first, .. } = compiled;
    let before = problem.call_table();
    let clock = session.clock.clone();
    let spent = clock.read();
    let watch = |number: usize| {
        let title = if args.starts > 1 { format!("{title}, start {}", number + 1) } else { title.to_owned() };
        Watch::new(args.budget, show, clock.clone()).labelled(&title)
    };
    let count = usize::try_from(args.starts).unwrap_or(usize::MAX);
    let best = starts::solve(problem, plan, first.clone(), count, args.model.input.seed, watch);
    session.clock.solving();
    tell_fault(session, model, &best.solution);
    let Best { number, solution, times, starts, .. } = best;
    if let Termination::Refused { reason } = solution.termination {
        return Err(reason);
    }
    let mut parts = session.clock.read();
    parts.iter_mut().zip(spent).for_each(|(part, before)| *part -= before);
    let seconds = Seconds { parts, cached: false, data: 0 };
    let calls = since(&problem.call_table(), &before);
    let result = result(model, &solution, &calls, seconds, args.model.input.seed);
    Ok(Box::new(Answer {
        misfit: misfit(&solution),
        checked: solution.upper_objective_checked,
        evaluations: solution.evaluations(),
        seconds: starts.iter().find(|s| s.number == number).map_or(f64::NAN, |s| s.seconds),
        course: Course::new(&solution.trace, &times),
        number,
        starts,
        result: crate::output::RunResult { because: plan.because.clone(), ..result },
    }))
}

/// What the model does not allow about a point.
fn misfit(solution: &Solution) -> Option<String> {
    if solution.is_feasible() {
        return None;
    }
    let check = &solution.check;
    Some(match (&check.lower, check.violation) {
        (Some(lower), _) if !lower.solved => {
            format!("the lower level is not solved (gap {:.1e})", lower.gap)
        }
        (_, Some(violation)) => format!("a constraint is violated by {violation:.1e}"),
        _ => "the point could not be checked".to_owned(),
    })
}

/// Gives every entry its place.
fn ranked(entries: &mut [Entry], maximize: bool) {
    let candidates: Vec<Candidate> = entries
        .iter()
        .map(|entry| match &entry.outcome {
            Ok(answer) => Candidate {
                misfit: answer.misfit.clone(),
                claimed: answer.result.upper_objective,
                objective: answer.checked,
                evaluations: answer.evaluations,
            },
            Err(reason) => Candidate {
                misfit: Some(reason.clone()),
                claimed: f64::NAN,
                objective: f64::NAN,
                evaluations: 0,
            },
        })
        .collect();
    for (entry, place) in entries.iter_mut().zip(rank(&candidates, maximize)) {
        (entry.rank, entry.reason) = (place.rank, place.reason);
    }
}

/// Writes the comparison wherever it was asked for.
fn finish(mut session: Session, args: &CompareArgs, comparison: &Comparison) -> ExitCode {
    let written =
        args.out.as_deref().map_or(Ok(()), |out| Folder::prepare(out)?.write_comparison(comparison));
    let drawn = args.plot.iter().try_for_each(|path| plot::write(path, comparison));
    if let Err(trouble) = written.and(drawn) {
        session.renderer.trouble(&trouble);
        return refuse(&mut session.renderer);
    }
    let status = if comparison.entries.iter().any(|entry| entry.rank.is_some()) { FINE } else { NOT_SOLVED };
    if args.csv {
        return print_out(&mut session.renderer, &comparison.csv(), status);
    }
    let text = if args.json { format!("{:#}\n", comparison.json()) } else { comparison.text() };
    end(&mut session.renderer, &text, &[("comparison", comparison.json())], status)
}
