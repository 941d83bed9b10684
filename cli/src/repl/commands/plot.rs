//! `:plot`: curves and matrices in the terminal.

use ndarray::Ix2;

use blo_compiler::inspect::value;
use blo_grammar::parse::nearest;

use super::super::chart::{curve, shades};
use super::super::state::{Course, Fault, Repl};
use super::{Command, Next, Takes};
use crate::files::Trouble;
use crate::plot::array::has_order;

/// Elements of a vector that are drawn over their positions in any case.
const POSITIONS: usize = 120;

/// `:plot`.
pub static PLOT: Command = Command {
    name: "plot",
    arguments: "trace [COLUMN] | EXPR",
    summary: "Draw the course of the last solve, or a vector or matrix, in the terminal",
    more: "Columns of the trace are the upper objective (the default), `lower_objective`, `measure`, `evaluations` and the reports. What \
is positive and spans more than a factor of 1000 is drawn logarithmically. A vector is drawn over its positions, or by size where it is long and in no \
order, a matrix in shades.",
    example: ":plot trace measure",
    takes: Takes::Plottable,
    run: |repl, rest| {
        let text = match rest.strip_prefix("trace") {
            Some(column) if column.is_empty() || column.starts_with(' ') => {
                trace(&repl.course, column.trim())?
            }
            _ if rest.is_empty() => trace(&repl.course, "")?,
            _ => expression(repl, rest)?,
        };
        repl.say(&text);
        Ok(Next::Goes)
    },
};

fn trace(course: &Course, column: &str) -> Result<String, Trouble> {
    if course.rows.is_empty() {
        return Err(Trouble::new("there is no trace yet").help("`:solve` makes one"));
    }
    let column = if column.is_empty() { "upper_objective" } else { column };
    let Some(at) = course.columns.iter().position(|name| name == column) else {
        let trouble = Trouble::new(format!("the trace has no column `{column}`"));
        return Err(match nearest(column, course.columns.iter().map(String::as_str)) {
            Some(near) => trouble.help(format!("did you mean `{near}`?")),
            None => trouble.help(format!("it has {}", course.columns.join(", "))),
        });
    };
    let points: Vec<(f64, f64)> = course.rows.iter().map(|row| (row[0], row[at])).collect();
    Ok(curve(&format!("{column} over iterations"), &points))
}

fn expression(repl: &mut Repl, text: &str) -> Result<String, Fault> {
    let asked = repl.ask(text)?;
    let bindings = repl.bindings(&asked.model);
    let array = value(&asked.model, asked.answer.node, &bindings)
        .map_err(|e| Trouble::new(format!("this has no value yet: {e}")))?;
    match array.ndim() {
        1 => {
            let mut values: Vec<f64> = array.iter().copied().collect();
            // A long vector in no order would be a scribble.
            let over = if values.len() <= POSITIONS || has_order(&values) {
                "over positions"
            } else {
                values.sort_by(f64::total_cmp);
                "by size"
            };
            let points: Vec<(f64, f64)> = values.iter().enumerate().map(|(i, v)| (i as f64, *v)).collect();
            Ok(curve(&format!("{text} {over}"), &points))
        }
        2 => match array.view().into_dimensionality::<Ix2>() {
            Ok(matrix) => Ok(shades(text, &matrix)),
            Err(_) => Err(Fault::Told),
        },
        0 => Err(Trouble::new("a number is no picture")
            .help("`:plot trace` draws the course of a solve")
            .into()),
        axes => Err(Trouble::new(format!("this has {axes} axes, and a picture two"))
            .help(format!("choose a part: `:plot {text}[0]`"))
            .into()),
    }
}
