//! Levels and models in the language's own notation. What is written is a model again: it checks, and has the same values.

use std::fmt::Write as _;

use super::formula::Formula;
use super::read::{Notes, Reader};
use super::text::{number, text};
use crate::ir::graph::{Graph, NodeId};
use crate::model::{Constraint, Domain, Init, Level, Model, Relation, Var};

/// The levels of a model, each in braces; `note` gives a comment line to put before a constraint of the upper level. The second
/// value is what the language has no words for.
pub fn levels(model: &Model, note: &dyn Fn(usize) -> Option<&'static str>) -> (String, Option<&'static str>) {
    let mut out = String::new();
    let mut missing = level(model, &model.upper, "upper", note, &mut out);
    if let Some(lower) = &model.lower {
        out.push('\n');
        let word = if lower.pessimistic.is_some() { "lower pessimistic" } else { "lower" };
        missing = missing.or(level(model, lower, word, &|_| None, &mut out));
    }
    (out, missing)
}

fn level(
    model: &Model,
    level: &Level,
    word: &str,
    note: &dyn Fn(usize) -> Option<&'static str>,
    out: &mut String,
) -> Option<&'static str> {
    let mut reader = Reader::new(model, &model.graph);
    let mut roots = vec![level.objective];
    roots.extend(level.constraints.iter().map(|constraint| constraint.residual));
    let _ = writeln!(out, "{word} {{");
    // Before anything is shared: bounds and starts read data alone, not what is local to the level.
    for var in &level.vars {
        let _ = writeln!(out, "  var {}", variable(&mut reader, &model.graph, var));
    }
    let Notes { shared, roots } = reader.read(&roots);
    for (name, formula) in &shared {
        let _ = writeln!(out, "  let {name} = {}", text(formula));
    }
    match level.maximize {
        true => writeln!(out, "  maximize {}", text(&roots[0].clone().negated())),
        false => writeln!(out, "  minimize {}", text(&roots[0])),
    }
    .unwrap_or_default();
    for (k, (constraint, formula)) in level.constraints.iter().zip(&roots[1..]).enumerate() {
        if let Some(note) = note(k) {
            let _ = writeln!(out, "  # {note}");
        }
        let _ = writeln!(out, "  subject to {}", row(constraint, formula));
    }
    out.push_str("}\n");
    reader.unwritable()
}

/// A constraint from its residual.
fn row(constraint: &Constraint, residual: &Formula) -> String {
    let name = constraint.name.as_ref().map_or(String::new(), |name| format!("{name}: "));
    let sign = match constraint.relation {
        Relation::AtMost => "<=",
        Relation::Equal => "==",
    };
    let residual = match residual {
        Formula::If(_) => format!("({})", text(residual)),
        residual => text(residual),
    };
    format!("{name}{residual} {sign} 0")
}

fn variable(reader: &mut Reader<'_>, graph: &Graph, var: &Var) -> String {
    let mut out = format!("{}: {}", var.name, if var.integer { "int" } else { "real" });
    if !var.ty.shape.is_empty() {
        let sizes = var.ty.shape.iter().zip(&var.dims);
        let sizes: Vec<String> =
            sizes.map(|(size, dim)| dim.clone().unwrap_or_else(|| size.to_string())).collect();
        let _ = write!(out, "[{}]", sizes.join(", "));
    }
    match &var.domain {
        Domain::Free => {}
        Domain::Simplex => out.push_str(" in simplex"),
        Domain::Ball(radius) => {
            let _ = write!(out, " in ball({})", text(&reader.whole(*radius)));
        }
        Domain::Interval(lo, hi) => {
            let (lo, hi) = (bound(reader, graph, *lo), bound(reader, graph, *hi));
            if lo == "0" && hi == "inf" {
                out.push_str(" in nonneg");
            } else {
                let _ = write!(out, " in [{lo}, {hi}]");
            }
        }
    }
    match &var.init {
        Init::Normal(mean, sd) => {
            let _ = write!(out, " ~ normal({}, {})", number(*mean), number(*sd));
        }
        Init::Uniform(a, b) => {
            let _ = write!(out, " ~ uniform({}, {})", number(*a), number(*b));
        }
        Init::Value(node) => match bound(reader, graph, *node) {
            zero if zero == "0" => {}
            value => {
                let _ = write!(out, " = {value}");
            }
        },
    }
    out
}

/// A value of data; a repeated number as a number.
fn bound(reader: &mut Reader<'_>, graph: &Graph, node: NodeId) -> String {
    match graph.fill_value(node) {
        Some(value) => number(value),
        None => text(&reader.whole(node)),
    }
}
