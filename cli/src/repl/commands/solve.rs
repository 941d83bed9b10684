//! `:solve`, `:step`, `:continue`: the model is solved as by `blo run`, and what was found becomes the current point.

use std::path::PathBuf;

use blo_runtime::problem::Problem;
use blo_runtime::solvers::Point;
use clap::Parser;

use super::super::state::{Course, Fault, Repl};
use super::{Command, Next, Takes, before_flags, refused};
use crate::args::{Cli, Command as Shell, RunArgs};
use crate::commands::run::{Solved, flags, prepare, solve as solve_prepared};
use crate::files::Trouble;
use crate::output::human::{number, summary};

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
    more: "The method is that of the last `:solve`, else the model's. It begins anew at the point: what it remembers beside the point, \
such as momentum, is not kept.",
    example: ":step 100",
    takes: Takes::Nothing,
    run: step,
};

/// `:continue`.
pub static CONTINUE: Command = Command {
    name: "continue",
    arguments: "[FLAGS]",
    summary: "Solve on from the current point, with the method of the last `:solve`",
    more: "The method begins anew at the point, with its own number of iterations.",
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

fn run(repl: &mut Repl, rest: &str, start: Start, steps: Option<u64>) -> Result<Next, Fault> {
    let (method, given) = before_flags(rest);
    let args = arguments(repl, &method, &given, steps)?;
    let known = repl.known.clone();
    let solved = repl.with_session(|session| {
        let flags = flags(&args);
        let mut prepared = prepare(session, &args, &flags)?;
        if start == Start::Current && args.start.is_none() {
            prepared.first = point(&prepared.problem, |name, shape| {
                let value = known.get(name).filter(|value| value.shape() == shape)?;
                Some(value.iter().copied().collect())
            });
        }
        Some(solve_prepared(session, &args, prepared, true))
    })?;
    let Some(Solved { solution, result, folder, .. }) = solved else { return Err(Fault::Told) };
    if let Some(folder) = folder {
        folder.write(&result, solution.trace.columns(), solution.trace.rows())?;
    }
    for variable in solution.upper.iter().chain(&solution.lower) {
        repl.known.insert(variable.name.clone(), variable.values.clone());
    }
    repl.findings = vec![("hypergradient_norm", result.hypergradient_norm)];
    if let Some(lower) = result.lower {
        repl.findings.extend([("lower.gap", lower.gap), ("lower.stationarity", lower.stationarity)]);
    }
    let rows: Vec<Vec<f64>> = solution.trace.rows().map(<[f64]>::to_vec).collect();
    follow(&mut repl.course, solution.trace.columns(), rows, start == Start::Current);
    repl.names.borrow_mut().columns = repl.course.columns.clone();
    repl.method = Some(method);
    if steps.is_none() {
        repl.say(&summary(&result));
        return Ok(Next::Goes);
    }
    let lower = result.lower.map_or(String::new(), |lower| {
        format!("  f {}  lower gap {}", number(lower.objective), number(lower.gap))
    });
    let done = solution.iterations;
    let noun = if done == 1 { "iteration" } else { "iterations" };
    repl.say(&format!(
        "{} {done} {noun} ({}): F {}{lower}  measure {}\n",
        result.method,
        result.termination,
        number(result.upper_objective),
        number(solution.measure)
    ));
    Ok(Next::Goes)
}

/// The arguments of the `blo run` that this is.
fn arguments(repl: &Repl, method: &str, given: &[String], steps: Option<u64>) -> Result<Box<RunArgs>, Fault> {
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
    args.iterations = steps.or(args.iterations);
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
fn follow(course: &mut Course, columns: &[String], rows: Vec<Vec<f64>>, goes_on: bool) {
    if !goes_on || course.columns != columns {
        *course = Course { columns: columns.to_vec(), rows };
        return;
    }
    let offset = course.rows.last().map_or(0.0, |row| row[0]);
    course.rows.extend(rows.into_iter().skip(1).map(|mut row| {
        row[0] += offset;
        row
    }));
}
