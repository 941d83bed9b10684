//! `:solve`, `:step`, `:continue`: the model is solved as by `blo run`, and what was found becomes the current point.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use blo_compiler::ir::eval::Array;
use blo_runtime::problem::Problem;
use blo_runtime::solvers::Point;
use clap::Parser;

use super::super::kept::{Kept, Subject, inherit, steps};
use super::super::state::{Course, Fault, Repl};
use super::{Command, Next, Takes, before_flags, refused};
use crate::args::{Cli, Command as Shell, RunArgs};
use crate::commands::run::{Solved, prepare, solve as solve_prepared};
use crate::files::Trouble;
use crate::output::RunResult;
use crate::output::human::{number, summary};
use crate::session::Session;
use crate::watch::{Shelf, Slot};

/// `:solve`.
pub static SOLVE: Command = Command {
    name: "solve",
    arguments: "[METHOD(…)] [FLAGS]",
    summary: "Solve the model from its starts, with its own method or another",
    more: "The flags are those of `blo run`, such as `--time-limit 5`, `--starts 4`, `--stop 'accuracy >= 0.9'`, `--out DIR`. Ctrl-C \
ends it and keeps the iterate. What was found is the current point of every expression from then on.",
    example: ":solve cg(steps = 200) --time-limit 10",
    takes: Takes::Method,
    run: |repl, rest| run(repl, rest, Start::Model, None),
};

/// `:step`.
pub static STEP: Command = Command {
    name: "step",
    arguments: "[N]",
    summary: "Go N iterations on from the current point, by default 1",
    more: "The method, its options and `--stop` are those of the last run, else the model's. What it remembers beside the point, such as momentum, \
is kept too: steps are the same to the bit as those of one long run. It begins anew at the point where the model, the data, the method or the point \
changed in between; then that is said.",
    example: ":step 100",
    takes: Takes::Nothing,
    run: step,
};

/// `:continue`.
pub static CONTINUE: Command = Command {
    name: "continue",
    arguments: "[FLAGS]",
    summary: "Go on with the last run: what is left of its iterations, or as many again",
    more: "As `:step` in everything else. A run that Ctrl-C or its time ended goes on from a moment before.",
    example: ":continue --time-limit 10",
    takes: Takes::Nothing,
    run: |repl, rest| {
        let (extra, flags) = before_flags(rest);
        if !extra.is_empty() {
            return Err(Trouble::new(format!("`:continue` does not know what `{extra}` is"))
                .help("another method begins with `:solve METHOD`")
                .into());
        }
        let method = repl.method.clone().unwrap_or_default();
        run(repl, &format!("{method} {}", quoted(&flags)), Start::Current, None)
    },
};

/// Where a run begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Model,
    Current,
}

/// Flags as they were written.
fn quoted(flags: &[String]) -> String {
    flags.iter().map(|flag| format!("'{flag}' ")).collect()
}

fn step(repl: &mut Repl, rest: &str) -> Result<Next, Fault> {
    let count = match rest {
        "" => 1,
        rest => rest.parse::<u64>().ok().filter(|n| *n > 0 && *n < 1 << 53).ok_or_else(|| {
            Trouble::new(format!("`{rest}` is no number of iterations")).help("write `:step 100`")
        })?,
    };
    let method = repl.method.clone().unwrap_or_default();
    run(repl, &method, Start::Current, Some(count))
}

fn run(repl: &mut Repl, rest: &str, start: Start, count: Option<u64>) -> Result<Next, Fault> {
    let (method, given) = before_flags(rest);
    let mut args = arguments(repl, &method, &given)?;
    let goes_on = start == Start::Current && args.start.is_none();
    if let (true, Some(last)) = (goes_on, &repl.last) {
        inherit(&mut args, last);
    }
    let earlier = repl.kept.take().filter(|_| goes_on && args.starts.is_none());
    // A run that kept nothing: of a method that does not show its memory, of several starts, or one that ended at once.
    let lost = goes_on && repl.last.is_some() && earlier.is_none();
    let count = count.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let (known, text) = (repl.known.clone(), repl.statements.text(&repl.sources));
    let wish = Wish { goes_on, count, known, text };
    let ran = repl.with_session(|session| make(session, &mut args, earlier, &wish))?;
    let Some(ran) = ran else { return Err(Fault::Told) };
    let why = ran.anew.or(lost.then_some("nothing is kept of the run before"));
    let (done, measure) = (ran.done, ran.solved.solution.measure);
    (repl.method, repl.last) = (Some(method), Some(args));
    let result = take_over(repl, ran, goes_on)?;
    if let Some(why) = why {
        repl.say(&format!("{} begins anew at the current point: {why}\n", result.method));
    }
    if count.is_none() {
        repl.say(&summary(&result));
        return Ok(Next::Goes);
    }
    let lower = result.lower.map_or(String::new(), |lower| {
        format!("  f {}  lower gap {}", number(lower.objective), number(lower.gap))
    });
    let now = result.iterations - done.min(result.iterations);
    let noun = if now == 1 { "iteration" } else { "iterations" };
    let of = if done > 0 { format!(", {} in all", result.iterations) } else { String::new() };
    repl.say(&format!(
        "{} {now} {noun}{of} ({}): F {}{lower}  measure {}\n",
        result.method,
        result.termination,
        number(result.upper_objective),
        number(measure)
    ));
    Ok(Next::Goes)
}

/// What is asked of a run.
struct Wish {
    /// Whether it begins at the current point.
    goes_on: bool,
    /// Iterations to make now.
    count: Option<usize>,
    /// The current point.
    known: BTreeMap<String, Array>,
    /// The model.
    text: String,
}

/// A run that was made.
struct Ran {
    solved: Solved,
    /// What it was of, the iterations it was to make in the end and at first, and where it began.
    subject: Subject,
    steps: (usize, usize),
    first: Point,
    /// Its state.
    slot: Rc<Slot>,
    /// Iterations made before.
    done: usize,
    /// Why it is not the one before.
    anew: Option<&'static str>,
    /// The course of the runs before the one that it goes on with.
    before: Option<Course>,
}

/// Goes on with the earlier run where it is one of this, or makes a new one; `None` when something is wrong, which has been told.
fn make(session: &mut Session, args: &mut RunArgs, earlier: Option<Kept>, wish: &Wish) -> Option<Ran> {
    let written = args.flags.iterations;
    if let Some(kept) = &earlier {
        let done = kept.snapshot.iteration;
        let own = if done < kept.steps { kept.steps - done } else { kept.own };
        let more = wish.count.or(written.map(|n| n as usize)).unwrap_or(own);
        args.flags.iterations = Some(kept.steps.max(done.saturating_add(more)) as u64);
    }
    let mut prepared = prepare(session, args)?;
    let subject = Subject::new(wish.text.clone(), &prepared.model, &prepared);
    let anew = earlier.as_ref().and_then(|kept| kept.misfit(&subject, &wish.known));
    let earlier = earlier.filter(|_| anew.is_none());
    if earlier.is_none() && args.flags.iterations != written {
        args.flags.iterations = written;
        prepared = prepare(session, args)?;
    }
    let mut all = steps(&prepared.plan.settings);
    let (mut done, mut own) = (0, all);
    if let Some(kept) = &earlier {
        (done, own) = (kept.snapshot.iteration, kept.own);
        prepared.first = kept.first.clone();
        prepared.snapshot = Some(kept.snapshot.clone());
        prepared.halt = prepared.halt.map(|halt| halt.remembering(&kept.watched));
    } else {
        if let Some(count) = wish.count.filter(|count| *count > all) {
            args.flags.iterations = Some(count as u64);
            prepared = prepare(session, args)?;
            all = count;
        }
        if wish.goes_on {
            prepared.first = point(&prepared.problem, |name, shape| {
                let value = wish.known.get(name).filter(|value| value.shape() == shape)?;
                Some(value.iter().copied().collect())
            });
        }
    }
    let last = wish.count.map_or(usize::MAX, |count| done.saturating_add(count));
    let slot = Rc::default();
    prepared.shelf = Some(Shelf { slot: Rc::clone(&slot), last, end: last.min(all) });
    let first = prepared.first.clone();
    let solved = solve_prepared(session, args, prepared, true);
    let before = earlier.map(|kept| kept.before);
    Some(Ran { solved, subject, steps: (all, own), first, slot, done, anew, before })
}

/// Makes what a run found the current point, and keeps the run.
fn take_over(repl: &mut Repl, ran: Ran, goes_on: bool) -> Result<RunResult, Fault> {
    let Ran { solved, subject, steps: (steps, own), first, slot, before, .. } = ran;
    let Solved { solution, result, folder, course, .. } = solved;
    if let Some(folder) = folder {
        folder.write(&result, &course)?;
    }
    for variable in solution.upper.iter().chain(&solution.lower) {
        repl.known.insert(variable.name.clone(), variable.values.clone());
    }
    repl.findings = vec![("hypergradient_norm", result.hypergradient_norm)];
    if let Some(lower) = result.lower {
        repl.findings.extend([("lower.gap", lower.gap), ("lower.stationarity", lower.stationarity)]);
    }
    let rows: Vec<Vec<f64>> = solution.trace.rows().map(<[f64]>::to_vec).collect();
    let before = before.unwrap_or_else(|| if goes_on { repl.course.clone() } else { Course::default() });
    repl.course = before.clone();
    follow(&mut repl.course, solution.trace.columns(), rows);
    repl.names.borrow_mut().columns = repl.course.columns.clone();
    repl.kept = slot.take().map(|(snapshot, watched)| {
        let known = repl.known.clone();
        Kept { subject, steps, own, first, snapshot, watched, known, before }
    });
    Ok(result)
}

/// The arguments of the `blo run` that this is.
fn arguments(repl: &Repl, method: &str, given: &[String]) -> Result<Box<RunArgs>, Fault> {
    let mut words: Vec<String> = vec!["blo".into(), "run".into(), "MODEL".into()];
    if !method.is_empty() {
        words.extend(["--method".into(), method.to_owned()]);
    }
    words.extend(given.iter().cloned());
    let parsed = Cli::try_parse_from(&words).map_err(|e| refused(&e, "solve"))?;
    let Some(Shell::Run(mut args)) = parsed.command else { return Err(Fault::Told) };
    let odd = [
        (args.emit.is_some(), "--emit"),
        (args.json, "--json"),
        (args.checkpoint.is_some(), "--checkpoint"),
        (args.resume.is_some(), "--resume"),
    ];
    if let Some((_, flag)) = odd.into_iter().find(|(given, _)| *given) {
        let trouble = Trouble::new(format!("`{flag}` is not for a session"));
        return Err(trouble.help("`:save` writes the model, and `blo run` takes all flags").into());
    }
    args.model.model = PathBuf::from(repl.model_path());
    args.model.input.data.splice(0..0, repl.data.iter().cloned());
    args.model.input.seed = if args.model.input.seed == 0 { repl.seed } else { args.model.input.seed };
    Ok(args)
}

/// The start of a problem with the values of the current point where it has some.
fn point(problem: &Problem, known: impl Fn(&str, &[usize]) -> Option<Vec<f64>>) -> Point {
    let mut point = Point::start(problem);
    let upper = problem.upper.blocks().iter().map(|block| (block, true));
    for (block, is_upper) in upper.chain(problem.lower.blocks().iter().map(|block| (block, false))) {
        let Some(values) = known(&block.name, &block.shape) else { continue };
        let flat = if is_upper { &mut point.x } else { &mut point.y };
        flat[block.offset..block.offset + block.len].copy_from_slice(&values);
    }
    point
}

/// Puts the course of a run behind that of the runs it goes on from.
fn follow(course: &mut Course, columns: &[String], rows: Vec<Vec<f64>>) {
    if course.columns != columns || course.rows.is_empty() {
        *course = Course { columns: columns.to_vec(), rows };
        return;
    }
    let offset = course.rows.last().map_or(0.0, |row| row[0]);
    course.rows.extend(rows.into_iter().skip(1).map(|mut row| {
        row[0] += offset;
        row
    }));
}
