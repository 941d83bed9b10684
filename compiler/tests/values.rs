//! The language by value: every `cases/values/*.blo` is a model whose `expect` lines hold at the start of its variables, as
//! written and in simplest form (or only there, where the first line says so). Every `report` is differentiated: its gradient and a product with its Hessian are finite and
//! agree with differences.

#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
// Helpers of tests stop the test when something is wrong, as tests do.
#![allow(clippy::unwrap_used)]

mod memory;
#[path = "memory/start.rs"]
mod start;

use std::fs;
use std::path::{Path, PathBuf};

use blo_compiler::analyse;
use blo_compiler::ir::eval::{Array, Bindings, evaluate};
use blo_compiler::ir::graph::{InputId, NodeId, Role};
use blo_compiler::model::{Model, Var};
use blo_compiler::passes::differentiate::{gradient, jvp};
use blo_compiler::passes::simplify::simplify;
use blo_compiler::session::Options;
use blo_compiler::types::Elem;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::source::Sources;
use memory::Memory;
use start::{start, vars};

/// A fixed direction for each variable.
fn directions(vars: &[Var]) -> Vec<Array> {
    let mut k = 0.0;
    let mut next = || {
        k += 1.0;
        f64::cos(k)
    };
    vars.iter().map(|var| Array::from_shape_simple_fn(var.ty.shape.to_vec(), &mut next)).collect()
}

/// The point a step along the directions away.
fn moved(point: &Bindings, vars: &[Var], directions: &[Array], step: f64) -> Bindings {
    let mut bindings = point.clone();
    for (var, direction) in vars.iter().zip(directions) {
        bindings.set(var.input, point.get(var.input).unwrap() + &(direction * step));
    }
    bindings
}

fn flat(model: &Model, nodes: &[NodeId], point: &Bindings) -> Vec<f64> {
    let arrays = evaluate(&model.graph, nodes, point).unwrap();
    arrays.iter().flat_map(|a| a.iter().copied().collect::<Vec<_>>()).collect()
}

/// Compares derivatives with differences; what is wrong, in words.
fn far(what: &str, found: &[f64], wanted: &[f64], tolerance: f64) -> Option<String> {
    let bad = found.iter().zip(wanted).position(|(a, b)| {
        let off = (a - b).abs() > tolerance * b.abs().max(1.0);
        off || !a.is_finite()
    })?;
    Some(format!("{what}: entry {bad} is {}, by differences {}", found[bad], wanted[bad]))
}

/// Gradient and Hessian product of a real scalar against differences.
fn derivatives(model: &mut Model, root: NodeId, point: &Bindings) -> Option<String> {
    let vars = vars(model);
    let nodes: Vec<NodeId> = vars.iter().map(|v| v.node).collect();
    let simple = simplify(&mut model.graph, &[root])[0];
    let gradients = match gradient(&mut model.graph, simple, &nodes) {
        Ok(gradients) => simplify(&mut model.graph, &gradients),
        Err(why) => return Some(format!("no gradient: {}", why.reason)),
    };
    let directions = directions(&vars);
    let mut bound = point.clone();
    let mut tangents = Vec::new();
    for (var, direction) in vars.iter().zip(&directions) {
        let (input, node): (InputId, NodeId) =
            model.graph.add_input("direction", Role::UpperDirection, var.ty.clone());
        bound.set(input, direction.clone());
        tangents.push((var.node, node));
    }
    let products = match jvp(&mut model.graph, &gradients, &tangents) {
        Ok(products) => simplify(&mut model.graph, &products),
        Err(why) => return Some(format!("no second derivative: {}", why.reason)),
    };
    let step = 1e-5;
    let along = |nodes: &[NodeId]| -> Vec<f64> {
        let ahead = flat(model, nodes, &moved(point, &vars, &directions, step));
        let behind = flat(model, nodes, &moved(point, &vars, &directions, -step));
        ahead.iter().zip(behind).map(|(a, b)| (a - b) / (2.0 * step)).collect()
    };
    let found = flat(model, &gradients, point);
    let flat_direction: Vec<f64> = directions.iter().flat_map(|d| d.iter().copied()).collect();
    let slope: f64 = found.iter().zip(&flat_direction).map(|(g, d)| g * d).sum();
    let finite = found.iter().all(|g| g.is_finite());
    let first = far("slope", &[if finite { slope } else { f64::NAN }], &along(&[simple]), 1e-6);
    first.or_else(|| far("Hessian product", &flat(model, &products, &bound), &along(&gradients), 1e-5))
}

/// What does not hold in one model.
fn faults(text: &str) -> Vec<String> {
    let mut sources = Sources::new();
    let main = sources.add("model", text);
    let options = Options { need_data: true, ..Options::default() };
    let (model, diagnostics) = analyse(&mut sources, main, &mut Memory::default(), &options);
    let said = |d: &Diagnostic| format!("{}: {} in `{}`", d.code, d.message, sources.snippet(d.span()));
    let Some(mut model) = model else { return diagnostics.iter().map(said).collect() };
    let point = start(&model);
    let mut faults = Vec::new();
    let only_simplest = text.starts_with("# in simplest form");
    for expect in model.expects.clone() {
        let simple = simplify(&mut model.graph, &[expect.node])[0];
        let values = evaluate(&model.graph, &[expect.node, simple], &point).unwrap();
        for (value, form) in values.iter().zip(["as written", "in simplest form"]) {
            if !(form == "as written" && only_simplest) && value.iter().next() != Some(&1.0) {
                faults.push(format!("does not hold {form}: {}", expect.text));
            }
        }
    }
    for report in model.reports.clone() {
        if model.graph.ty(report.node).elem == Elem::Real
            && let Some(fault) = derivatives(&mut model, report.node, &point)
        {
            faults.push(format!("report {}: {fault}", report.name));
        }
    }
    assert!(!model.expects.is_empty() || !model.reports.is_empty(), "nothing is checked");
    faults
}

#[test]
fn every_model_has_its_values() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/values");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "blo"));
    files.sort();
    assert!(!files.is_empty(), "no models in {}", folder.display());
    let mut wrong = String::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        for fault in faults(&fs::read_to_string(&file).unwrap()) {
            wrong += &format!("{name}: {fault}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
