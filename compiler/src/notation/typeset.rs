//! A model as it would stand in a paper.

use std::fmt::Write as _;

use super::formula::Formula;
use super::latex::{latex, name};
use super::read::{Notes, Reader};
use crate::ir::graph::{Graph, NodeId};
use crate::model::{Constraint, Domain, Level, Model, Relation, Var};

/// The model, for `amsmath`: the leader's problem, and the follower's as the set that the response is taken from.
pub fn typeset(model: &Model) -> String {
    let mut reader = Reader::new(model, &model.graph).indexed();
    let levels: Vec<&Level> = std::iter::once(&model.upper).chain(&model.lower).collect();
    let rows_of = |level: &&Level| 1 + level.constraints.len();
    let nodes = levels.iter().flat_map(|level| {
        std::iter::once(level.objective).chain(level.constraints.iter().map(|constraint| constraint.residual))
    });
    let nodes: Vec<NodeId> = nodes.collect();
    let Notes { shared, roots } = reader.read(&nodes);
    let (first, second) = roots.split_at(rows_of(&levels[0]));
    // The optimistic leader chooses among the follower's answers.
    let lower_vars =
        model.lower.iter().filter(|lower| lower.pessimistic.is_none()).flat_map(|lower| &lower.vars);
    let choice: Vec<String> = model.upper.vars.iter().chain(lower_vars).map(|var| name(&var.name)).collect();
    let mut rows = vec![format!(
        "\\{}_{{{}}}\\quad & {}",
        sense(&model.upper),
        choice.join(",\\, "),
        latex(&objective(&model.upper, &first[0]))
    )];
    let mut below = conditions(&mut reader, model, &model.upper, &first[1..]);
    if let Some(lower) = &model.lower {
        below.push(response(lower, &second[0]));
        for (k, text) in conditions(&mut reader, model, lower, &second[1..]).into_iter().enumerate() {
            below.push(format!(
                "\\qquad {}{text}",
                if k == 0 { "\\text{s.t.}\\; " } else { "\\phantom{\\text{s.t.}\\;} " }
            ));
        }
    }
    for (k, text) in below.into_iter().enumerate() {
        rows.push(format!("{}& {text}", if k == 0 { "\\text{s.t.}\\quad " } else { "" }));
    }
    for (k, (part, formula)) in shared.iter().enumerate() {
        let head = if k == 0 { "\\text{where}\\quad " } else { "" };
        rows.push(format!("{head}& {} = {}", name(part), latex(formula)));
    }
    format!("\\begin{{aligned}}\n{}\n\\end{{aligned}}\n", rows.join(" \\\\\n"))
}

fn sense(level: &Level) -> &'static str {
    if level.maximize { "max" } else { "min" }
}

fn objective(level: &Level, formula: &Formula) -> Formula {
    if level.maximize { formula.clone().negated() } else { formula.clone() }
}

/// `y ∈ argmin_y f`.
fn response(lower: &Level, formula: &Formula) -> String {
    let names: Vec<String> = lower.vars.iter().map(|var| name(&var.name)).collect();
    let all = names.join(", ");
    let answer = if names.len() == 1 { all.clone() } else { format!("({all})") };
    let word = sense(lower);
    format!(
        "{answer} \\in \\operatorname*{{arg\\,{word}}}_{{{all}}}\\; {}",
        latex(&objective(lower, formula))
    )
}

/// Constraints and domains of a level.
fn conditions(reader: &mut Reader<'_>, model: &Model, level: &Level, residuals: &[Formula]) -> Vec<String> {
    let rows = level.constraints.iter().zip(residuals).map(|(constraint, formula)| row(constraint, formula));
    let mut rows: Vec<String> = rows.collect();
    rows.extend(level.vars.iter().filter_map(|var| domain(reader, &model.graph, var)));
    rows
}

/// `a ≤ b` from the residual `a − b`.
fn row(constraint: &Constraint, residual: &Formula) -> String {
    let sign = match constraint.relation {
        Relation::AtMost => "\\le",
        Relation::Equal => "=",
    };
    format!("{} {sign} 0", latex(residual))
}

/// `x ∈ [0, 1]^n`; nothing for a free variable.
fn domain(reader: &mut Reader<'_>, graph: &Graph, var: &Var) -> Option<String> {
    let symbol = name(&var.name);
    let mut text = match &var.domain {
        Domain::Free if var.integer => format!("{symbol} \\in \\mathbb{{Z}}"),
        Domain::Free => return None,
        Domain::Simplex => format!("{symbol} \\in \\Delta"),
        Domain::Ball(radius) => {
            format!("\\left\\|{symbol}\\right\\|_2 \\le {}", bound(reader, graph, *radius))
        }
        Domain::Interval(lo, hi) => {
            let (low, high) = (bound(reader, graph, *lo), bound(reader, graph, *hi));
            match (low.as_str(), high.as_str()) {
                (_, "\\infty") => format!("{symbol} \\ge {low}"),
                ("-\\infty", _) => format!("{symbol} \\le {high}"),
                _ => format!("{low} \\le {symbol} \\le {high}"),
            }
        }
    };
    if var.integer && !matches!(var.domain, Domain::Free) {
        let _ = write!(text, ",\\; {symbol} \\text{{ integer}}");
    }
    Some(text)
}

fn bound(reader: &mut Reader<'_>, graph: &Graph, node: NodeId) -> String {
    match graph.fill_value(node) {
        Some(value) => latex(&Formula::Number(value)),
        None => latex(&reader.whole(node)),
    }
}
