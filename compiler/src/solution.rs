//! What only the model can say about a point: which of its conditions hold there, and which expression is to blame for a
//! value that is not finite.

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::ir::eval::{Array, Bindings, evaluate, first_non_finite};
use crate::ir::graph::{Attrs, Graph, Input, InputId, NodeId};
use crate::model::{Level, Model, Var};
use crate::passes::differentiate::gradient;
use crate::passes::simplify::simplify;

/// Whether one `expect` line holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The condition as written.
    pub text: String,
    /// The verdict; `false` when a value it reads is not known (a gap that could not be computed).
    pub holds: bool,
}

/// Evaluates every `expect` at a point. `x`, `y`: the flat upper and lower variables; `results`: the numbers found by the run,
/// by dotted name (an unknown one is NaN, and no comparison with it holds).
pub fn expectations(model: &Model, x: &[f64], y: &[f64], results: &[(&str, f64)]) -> Vec<Expectation> {
    let mut bindings = point(model, x, y);
    for input in &model.results {
        let value = results.iter().find(|(name, _)| *name == input.name).map_or(f64::NAN, |(_, v)| *v);
        bindings.set(input.input, ndarray::arr0(value).into_dyn());
    }
    let holds = |node: NodeId| {
        let values = evaluate(&model.graph, &[node], &bindings);
        values.is_ok_and(|v| v[0].iter().all(|&b| b != 0.0))
    };
    model.expects.iter().map(|e| Expectation { text: e.text.clone(), holds: holds(e.node) }).collect()
}

/// The objective of every follower with a name, in the model's own sense.
pub fn follower_objectives(model: &Model, x: &[f64], y: &[f64]) -> Vec<(String, f64)> {
    let bindings = point(model, x, y);
    let value = |node: NodeId| evaluate(&model.graph, &[node], &bindings).ok()?[0].iter().copied().next();
    let followers = model.lower.iter().flat_map(|level| &level.followers);
    followers
        .map(|f| {
            let sign = if f.maximize { -1.0 } else { 1.0 };
            (f.name.clone(), sign * value(f.objective).unwrap_or(f64::NAN))
        })
        .collect()
}

/// The expression to blame for a NaN or an infinity at a point, as a diagnostic: one whose value is not finite though all that
/// it reads is, or else one whose derivative is not. `None` when both objectives and their gradients are finite there (then a
/// second derivative or the solver's own arithmetic overflowed).
pub fn blame(model: &Model, x: &[f64], y: &[f64]) -> Option<Diagnostic> {
    let levels: Vec<&Level> = model.lower.iter().chain([&model.upper]).collect();
    let bindings = point(model, x, y);
    let objectives: Vec<(NodeId, Span)> = levels.iter().flat_map(|level| objectives(level)).collect();
    for &(objective, place) in &objectives {
        let Ok(Some(node)) = first_non_finite(&model.graph, &[objective], &bindings) else { continue };
        return Some(not_finite(model, place, node));
    }
    let variables: Vec<NodeId> = levels.iter().flat_map(|level| &level.vars).map(|v| v.node).collect();
    let mut graph = model.graph.clone();
    for &(objective, place) in &objectives {
        let Ok(partials) = gradient(&mut graph, objective, &variables) else { continue };
        let partials = simplify(&mut graph, &partials);
        let Ok(Some(node)) = first_non_finite(&graph, &partials, &bindings) else { continue };
        let title = "a derivative is not finite".to_owned();
        let label = "the derivative of this is NaN or infinite, though its value is finite";
        return Some(culprit(&graph, place, node, title, label));
    }
    None
}

/// The objectives of a level with their places: one per follower.
fn objectives(level: &Level) -> Vec<(NodeId, Span)> {
    match level.followers.as_slice() {
        [] => vec![(level.objective, level.objective_span)],
        followers => followers.iter().map(|f| (f.objective, f.objective_span)).collect(),
    }
}

fn culprit(graph: &Graph, objective: Span, node: NodeId, title: String, label: &str) -> Diagnostic {
    let span = graph.node(node).span.unwrap_or(objective);
    Diagnostic::error("E0402", title, span, label).label(objective, "part of this objective")
}

/// The complaint about a node: a datum or parameter whose own value is to blame, or an expression.
fn not_finite(model: &Model, objective: Span, node: NodeId) -> Diagnostic {
    let written = model.graph.node(node);
    if let Attrs::Input(input) = written.attrs
        && !model.graph.input_info(input).name.is_empty()
    {
        let name = &model.graph.input_info(input).name;
        let data = model.data.iter().find(|d| d.input == input);
        let bad =
            data.and_then(|d| d.value.as_ref()).and_then(|v| v.iter().copied().find(|x| !x.is_finite()));
        let label = bad.map_or("not finite".to_owned(), |bad| format!("`{name}` holds {bad}"));
        let place = data.map_or(objective, |d| d.span);
        return Diagnostic::error("E0402", format!("`{name}` is not finite"), place, label)
            .label(objective, "this objective reads it");
    }
    let place = written.span.unwrap_or(objective);
    let label = "NaN or infinite here, though everything it reads is finite";
    let diagnostic =
        Diagnostic::error("E0402", "an expression is not finite where the run stopped", place, label);
    if place == objective {
        return diagnostic;
    }
    diagnostic.label(objective, "part of this objective")
}

/// Data and variables bound to their values.
fn point(model: &Model, x: &[f64], y: &[f64]) -> Bindings {
    let mut bindings = data_bindings(model);
    bind_flat(&mut bindings, &model.graph, &inputs(&model.upper.vars), x);
    if let Some(lower) = &model.lower {
        let (mut inputs, mut multipliers) = (inputs(&lower.vars), lower.multipliers().collect());
        inputs.append(&mut multipliers);
        bind_flat(&mut bindings, &model.graph, &inputs, y);
    }
    bindings
}

/// Data alone; what no data was bound to stays unbound.
pub fn data_bindings(model: &Model) -> Bindings {
    let mut bindings = Bindings::new();
    for data in &model.data {
        if let Some(value) = &data.value {
            bindings.set(data.input, value.clone());
        }
    }
    bindings
}

fn inputs(vars: &[Var]) -> Vec<InputId> {
    vars.iter().map(|var| var.input).collect()
}

fn bind_flat(bindings: &mut Bindings, graph: &Graph, inputs: &[InputId], flat: &[f64]) {
    let mut offset = 0;
    for &input in inputs {
        let Input { name, ty, .. } = graph.input_info(input);
        let len = ty.len();
        let values = flat[offset..offset + len].to_vec();
        match Array::from_shape_vec(ty.shape.to_vec(), values) {
            Ok(array) => bindings.set(input, array),
            Err(e) => crate::bug!("`{name}` does not fit its shape: {e}"),
        }
        offset += len;
    }
}
