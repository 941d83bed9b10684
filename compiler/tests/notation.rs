//! What the printer of formulas writes is read back as the same values: every `report` of `cases/values/*.blo`, its gradient
//! and a product with its Hessian.

#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test when something is wrong, as tests do")]

mod memory;
#[path = "memory/start.rs"]
mod start;

use std::fs;
use std::path::Path;

use blo_compiler::ir::eval::{Bindings, evaluate};
use blo_compiler::ir::graph::{Graph, NodeId, Role};
use blo_compiler::model::Model;
use blo_compiler::notation::{declarations, formulas, levels};
use blo_compiler::passes::differentiate::{gradient, jvp};
use blo_compiler::passes::simplify::simplify;
use blo_compiler::types::Elem;
use blo_grammar::parse::parse;
use blo_grammar::source::Sources;
use memory::{Memory, model};
use start::{start, vars};

/// The sum of the squares of all elements less 0.3, which a report can hold.
fn digest(values: &[f64]) -> f64 {
    values.iter().map(|v| (v - 0.3) * (v - 0.3)).sum()
}

/// The declarations of a file and its levels written anew, with these lines in the upper one.
fn rewritten(source: &str, model: &Model, lines: &str) -> String {
    let mut sources = Sources::new();
    let file = sources.add("test.blo", source);
    let (ast, _) = parse(file, source);
    let written = levels(model);
    assert_eq!(written.missing, None);
    let (upper, lower) = written.text.split_once("\n}").unwrap();
    format!("{}{upper}\n{lines}}}{lower}", declarations(source, &ast))
}

/// Real nodes as report lines named `name_0`, `name_1`, …, with their values; `None` when the language has no words for them.
fn lines(
    model: &Model,
    graph: &Graph,
    name: &str,
    nodes: &[NodeId],
    point: &Bindings,
) -> Option<(String, Vec<f64>)> {
    let texts = formulas(model, graph, nodes);
    if texts.missing.is_some() {
        return None;
    }
    let mut out = String::new();
    for (shared, formula) in &texts.shared {
        out += &format!("  let {name}_{shared} = {}\n", renamed(formula, &texts.shared, name));
    }
    for (k, formula) in texts.formulas.iter().enumerate() {
        let formula = renamed(formula, &texts.shared, name);
        out += &format!("  report {name}_{k} = sum((({formula}) - 0.3)^2)\n");
    }
    let values = evaluate(graph, nodes, point).unwrap();
    Some((out, values.iter().map(|v| digest(&v.iter().copied().collect::<Vec<_>>())).collect()))
}

/// The formula with shared parts called after the report, so that those of several reports can stand together.
fn renamed(formula: &str, shared: &[(String, String)], name: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = formula;
    while let Some(c) = rest.chars().next() {
        let end = rest.find(|d| word(d) != word(c)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        if shared.iter().any(|(part, _)| part == token) {
            out += &format!("{name}_");
        }
        out += token;
        rest = after;
    }
    out
}

/// Checks a file; how many formulas were compared.
fn check(path: &Path) -> usize {
    let source = fs::read_to_string(path).unwrap();
    let mut model_ = model(&source, Memory::default());
    let point = start(&model_);
    let vars = vars(&model_);
    let nodes: Vec<NodeId> = vars.iter().map(|var| var.node).collect();
    let mut point = point;
    let mut graph = std::mem::take(&mut model_.graph);
    let mut directions = Vec::new();
    for var in &vars {
        let (input, node) = graph.add_input(format!("direction_{}", var.name), Role::Data, var.ty.clone());
        point.set(input, ndarray::ArrayD::from_elem(var.ty.shape.to_vec(), 1.0));
        directions.push((var.node, node));
    }
    let mut all = String::new();
    let mut wanted: Vec<(String, f64)> = Vec::new();
    let reports = model_.reports.clone();
    model_.graph = graph;
    let mut graph = model_.graph.clone();
    for (k, report) in reports.iter().enumerate() {
        if model_.graph.ty(report.node).elem != Elem::Real {
            continue;
        }
        let simple = simplify(&mut graph, &[report.node])[0];
        let partials = gradient(&mut graph, simple, &nodes).unwrap();
        let products = jvp(&mut graph, &partials, &directions).unwrap();
        for (kind, nodes) in [("v", vec![report.node]), ("g", partials), ("h", products)] {
            let nodes = simplify(&mut graph, &nodes);
            let name = format!("{kind}{k}");
            if let Some((text, values)) = lines(&model_, &graph, &name, &nodes, &point) {
                all += &text;
                wanted.extend(values.iter().enumerate().map(|(k, v)| (format!("{name}_{k}"), *v)));
            }
        }
    }
    let mut text = rewritten(&source, &model_, &all);
    for var in &vars {
        let sizes: Vec<String> = var.ty.shape.iter().map(usize::to_string).collect();
        let sizes = if sizes.is_empty() { String::new() } else { format!("[{}]", sizes.join(", ")) };
        text = format!("param direction_{}: real{sizes} = 1\n{text}", var.name);
    }
    let again = model(&text, Memory::default());
    let point = start(&again);
    let roots: Vec<NodeId> = again.reports.iter().map(|report| report.node).collect();
    let found = evaluate(&again.graph, &roots, &point).unwrap();
    for (name, value) in &wanted {
        let k = again.reports.iter().position(|report| report.name == *name).unwrap();
        let found = found[k].iter().next().copied().unwrap();
        let same = (found - value).abs() <= 1e-9 * value.abs().max(1.0) || (found.is_nan() && value.is_nan());
        assert!(same, "{}: {name} is {found}, not {value}\n{text}", path.display());
    }
    wanted.len()
}

#[test]
fn what_is_written_is_read_back() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/values");
    let mut compared = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "blo") {
            compared += check(&path);
        }
    }
    assert!(compared > 400, "{compared} formulas");
}
