//! What a checked model is, as a short text for people: the answer of `blo check` when nothing is wrong.

use std::fmt::Write as _;

use blo_compiler::model::{Data, Level, Model, Side};

use super::human::table;
use crate::session::Plan;

/// The overview, ending in a newline. `name`: the model's file.
pub fn overview(name: &str, model: &Model, plan: Option<&Plan>) -> String {
    let kind = if model.lower.is_some() { "a bilevel model" } else { "a model with one level" };
    let mut out = format!("{name}: no errors; {kind}\n\n");
    let mut rows: Vec<(&str, String)> = Vec::new();
    let dims: Vec<String> = model
        .dims
        .iter()
        .map(|dim| match dim.assumed {
            true => format!("{} (of data that are not bound)", dim.name),
            false => format!("{} = {}", dim.name, dim.size),
        })
        .collect();
    rows.extend(list("dims", dims));
    let named = model.data.iter().filter(|data| !data.name.is_empty());
    rows.extend(list("data", named.map(|data| datum(model, data)).collect()));
    rows.push(("upper", level(&model.upper)));
    rows.extend(model.lower.as_ref().map(|lower| ("lower", level(lower))));
    let followers = model.lower.iter().flat_map(|lower| &lower.followers);
    rows.extend(list("followers", followers.map(|follower| follower.name.clone()).collect()));
    rows.extend(list("reports", model.reports.iter().map(|report| report.name.clone()).collect()));
    rows.extend(list("expects", model.expects.iter().map(|expect| expect.text.clone()).collect()));
    let method = match plan {
        None => "none of this version solves the model".to_owned(),
        Some(Plan { solver, because: Some(because), .. }) => format!("{}, because {because}", solver.name),
        Some(plan) if model.solve.is_some() => plan.solver.name.to_owned(),
        Some(plan) => format!("{} (the model names none)", plan.solver.name),
    };
    rows.push(("method", method));
    table(&mut out, &rows);
    out
}

/// A row, where there is anything to list.
fn list(name: &'static str, entries: Vec<String>) -> Option<(&'static str, String)> {
    (!entries.is_empty()).then(|| (name, entries.join(", ")))
}

fn datum(model: &Model, data: &Data) -> String {
    let ty = &model.graph.input_info(data.input).ty;
    let missing = if data.value.is_some() { "" } else { " (not bound)" };
    match data.matrix {
        Some(sizes @ [rows, columns]) if data.value.is_some() => {
            let share = 100.0 * ty.len() as f64 / (rows as f64 * columns as f64);
            let name = shaped(&data.name, &sizes, &data.dims);
            format!("{name} (sparse: {} nonzeros, {share:.3} %)", ty.len())
        }
        Some(sizes) => format!("{} (sparse){missing}", shaped(&data.name, &sizes, &data.dims)),
        None => format!("{}{missing}", shaped(&data.name, &ty.shape, &data.dims)),
    }
}

fn level(level: &Level) -> String {
    let sense = if level.maximize { "maximize" } else { "minimize" };
    let vars: Vec<String> =
        level.vars.iter().map(|var| shaped(&var.name, &var.ty.shape, &var.dims)).collect();
    // Both sides of a chain are one constraint to its writer.
    let constraints = match level.constraints.iter().filter(|c| c.side != Side::High).count() {
        0 => String::new(),
        1 => ", 1 constraint".to_owned(),
        n => format!(", {n} constraints"),
    };
    format!("{sense} over {}{constraints}", vars.join(", "))
}

/// `W[d, 10]`: a name with its dimensions, by name where they have one.
fn shaped(name: &str, sizes: &[usize], dims: &[Option<String>]) -> String {
    let mut out = name.to_string();
    for (k, size) in sizes.iter().enumerate() {
        let open = if k == 0 { "[" } else { ", " };
        let _ = match dims.get(k).and_then(Option::as_ref) {
            Some(dim) => write!(out, "{open}{dim}"),
            None => write!(out, "{open}{size}"),
        };
    }
    if !sizes.is_empty() {
        out.push(']');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_written_with_the_names_of_dimensions() {
        assert_eq!(shaped("x", &[], &[]), "x");
        assert_eq!(shaped("W", &[784, 10], &[Some("d".into()), None]), "W[d, 10]");
    }
}
