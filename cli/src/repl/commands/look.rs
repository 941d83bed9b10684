//! `:type`, `:shape`, `:time`, `:check`: looking at one expression.

use std::time::Instant;

use blo_compiler::inspect::{Compared, Incomparable, differences};
use blo_compiler::ir::eval::EvalError;
use blo_compiler::model::Report;
use blo_compiler::types::Elem;
use blo_grammar::ast::ExprKind;
use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::solvers::Point;
use std::fmt::Write as _;

use super::super::state::{Asked, Fault, Repl};
use super::super::value::{is_open, type_text};
use super::{Command, Next, Takes};
use crate::files::Trouble;
use crate::output::human::number;

/// Relative errors up to this are those of the differences.
const SMALL: f64 = 1e-5;

/// Seconds that `:time` spends, and the most calls in them.
const SPENT: f64 = 0.3;
const CALLS: usize = 1_000_000;

/// `:type`.
pub static TYPE: Command = Command {
    name: "type",
    arguments: "EXPR",
    summary: "Tell the type of an expression, with the names and sizes of its dimensions",
    more: "Nothing is computed, so data may be absent.",
    example: ":type X' @ X",
    takes: Takes::Expression,
    run: |repl, rest| {
        let asked = repl.ask(rest)?;
        repl.say(&format!("{}\n", type_text(&asked.model, &asked.answer)));
        Ok(Next::Goes)
    },
};

/// `:shape`.
pub static SHAPE: Command = Command {
    name: "shape",
    arguments: "EXPR",
    summary: "Tell the sizes of an expression, and how many elements it has",
    more: "",
    example: ":shape X' @ X",
    takes: Takes::Expression,
    run: |repl, rest| {
        let asked = repl.ask(rest)?;
        let ty = asked.model.graph.ty(asked.answer.node);
        if (0..ty.shape.len()).any(|axis| is_open(&asked.answer, axis)) {
            repl.say(&format!(
                "{}  sizes of data that are not bound yet\n",
                type_text(&asked.model, &asked.answer)
            ));
            return Ok(Next::Goes);
        }
        let sizes: Vec<String> = ty.shape.iter().map(usize::to_string).collect();
        let noun = if ty.len() == 1 { "element" } else { "elements" };
        repl.say(&format!("[{}]  {} {noun}\n", sizes.join(", "), ty.len()));
        Ok(Next::Goes)
    },
};

/// `:time`.
pub static TIME: Command = Command {
    name: "time",
    arguments: "EXPR",
    summary: "Compile an expression and tell how long one evaluation takes",
    more: "The machine code is that of a solve. The time is the shortest of many calls at the current point. `F`, `f` and `grad(F, x)` \
are expressions too.",
    example: ":time grad(F, w)",
    takes: Takes::Expression,
    run: time,
};

/// `:check`.
pub static CHECK: Command = Command {
    name: "check",
    arguments: "[NAME]",
    summary: "Compare derivatives with central differences at the current point",
    more: "Of a variable: those of both objectives. Of a report, a `let` or any scalar expression: those by every variable it reads. \
Without a name: those of both objectives by all variables. Of large variables some elements are moved.",
    example: ":check w",
    takes: Takes::Name,
    run: check,
};

fn time(repl: &mut Repl, rest: &str) -> Result<Next, Fault> {
    let Asked { mut model, answer, expr } = repl.ask(rest)?;
    let ty = model.graph.ty(answer.node).clone();
    let bindings = repl.bindings(&model);
    model.reports = vec![Report { name: "expression".into(), node: answer.node, span: expr.span }];
    let begin = Instant::now();
    let compiled = blo_compiler::compile(&mut model, &[Quantity::Reports], repl.seed);
    let compiling = begin.elapsed().as_secs_f64();
    let mut problem = match compiled {
        Ok(problem) => problem,
        Err(diagnostics) => {
            let sources = repl.sources.clone();
            repl.draw(&sources, &diagnostics)?;
            return Err(Fault::Told);
        }
    };
    let mut point = Point::start(&problem);
    let levels = std::iter::once((&model.upper, true)).chain(model.lower.iter().map(|level| (level, false)));
    for (level, is_upper) in levels {
        let values = level.vars.iter().filter_map(|var| bindings.get(var.input)).flatten().copied();
        let flat = if is_upper { &mut point.x } else { &mut point.y };
        flat.iter_mut().zip(values).for_each(|(x, value)| *x = value);
    }
    let mut out = vec![0.0; ty.len()];
    let (mut least, mut calls) = (f64::INFINITY, 0);
    let begin = Instant::now();
    while calls < CALLS && (calls == 0 || begin.elapsed().as_secs_f64() < SPENT) {
        // The smallest change of a point keeps what was computed for it from being taken again.
        point.x.iter_mut().chain(&mut point.y).for_each(|x| *x = nudged(*x, calls));
        let call = Instant::now();
        problem.tolerantly(|problem| problem.reports(&point.x, &point.y, &mut out));
        least = least.min(call.elapsed().as_secs_f64());
        calls += 1;
    }
    let what = if ty.elem == Elem::Real { "" } else { ", as numbers" };
    repl.say(&format!(
        "{} per evaluation (the least of {calls}){what}; {} to compile\n",
        seconds(least),
        seconds(compiling)
    ));
    Ok(Next::Goes)
}

/// A number and its neighbour in turn.
fn nudged(x: f64, turn: usize) -> f64 {
    if turn.is_multiple_of(2) { x.next_up() } else { x.next_down() }
}

fn seconds(s: f64) -> String {
    match s {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

fn check(repl: &mut Repl, rest: &str) -> Result<Next, Fault> {
    let mut out = String::new();
    let mut worst = 0.0_f64;
    let objectives =
        |repl: &mut Repl, variable: Option<&str>| -> Result<Vec<(String, Vec<Compared>)>, Fault> {
            let mut found = Vec::new();
            let draft = repl.check(None)?;
            let Some(model) = draft.model else { return Err(Fault::Told) };
            let bindings = repl.bindings(&model);
            for (level, letter) in [(Some(&model.upper), "F"), (model.lower.as_ref(), "f")] {
                let Some(level) = level else { continue };
                let wanted = |name: &str| variable.is_none_or(|v| v == name);
                found.push((
                    letter.to_owned(),
                    differences(&model, level.objective, &bindings, &wanted).map_err(words)?,
                ));
            }
            Ok(found)
        };
    let is_var = |repl: &mut Repl, name: &str| -> Result<bool, Fault> {
        let draft = repl.check(None)?;
        let levels =
            draft.model.iter().flat_map(|m| std::iter::once(&m.upper).chain(&m.lower).map(|l| &l.vars));
        Ok(levels.flatten().any(|var| var.name == name))
    };
    let found = if rest.is_empty() {
        objectives(repl, None)?
    } else if is_var(repl, rest)? {
        objectives(repl, Some(rest))?
    } else {
        let Asked { model, answer, expr } = repl.ask(rest)?;
        let ty = model.graph.ty(answer.node);
        if !ty.shape.is_empty() || ty.elem != Elem::Real {
            let text = if matches!(expr.kind, ExprKind::Name(_)) { rest } else { "this" };
            return Err(Trouble::new(format!("{text} is a {}, and derivatives are of real scalars", ty))
                .help("reduce it with `sum` or `mean`")
                .into());
        }
        let bindings = repl.bindings(&model);
        vec![(rest.to_owned(), differences(&model, answer.node, &bindings, &|_| true).map_err(words)?)]
    };
    for (what, all) in &found {
        for one in all {
            let Compared { variable, element, compared, derivative, difference, error } = one;
            worst = if error.is_nan() { f64::INFINITY } else { worst.max(*error) };
            let mark = if *error <= SMALL { '✓' } else { '✗' };
            let _ = writeln!(
                out,
                "{mark} grad({what}, {variable}): error {} over {compared} elements, the largest at [{element}] with {} beside {}",
                number(*error),
                number(*derivative),
                number(*difference)
            );
        }
    }
    if out.is_empty() {
        out = "nothing to compare: no variable is read\n".into();
    }
    repl.say(&out);
    if worst > SMALL {
        return Err(Trouble::new("a derivative and its difference differ")
            .help("a kink near the point or huge values make differences wrong; move the point with `:step` and look again")
            .into());
    }
    Ok(Next::Goes)
}

fn words(why: Incomparable) -> Fault {
    Fault::Trouble(match why {
        Incomparable::Derivative(reason) => Trouble::new(format!("there is no derivative: {reason}")),
        Incomparable::Value(EvalError::Stopped) => Trouble::new("interrupted"),
        Incomparable::Value(e) => Trouble::new(format!("there is no value: {e}")),
    })
}
