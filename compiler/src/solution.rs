//! What only the model can say about a point: which of its conditions hold there, and which expression is to blame for a
//! value that is not finite.

use blo_grammar::diagnostic::Diagnostic;

use crate::ir::eval::{Array, Bindings, evaluate, first_non_finite};
use crate::ir::graph::{Attrs, NodeId};
use crate::model::{Level, Model, Var};

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

/// The expression whose value is the first not to be finite at a point, as a diagnostic; `None` when both objectives and their
/// pieces are finite there (then a derivative or the solver's own arithmetic overflowed).
pub fn blame(model: &Model, x: &[f64], y: &[f64]) -> Option<Diagnostic> {
    let levels: Vec<&Level> = model.lower.iter().chain([&model.upper]).collect();
    let bindings = point(model, x, y);
    for level in levels {
        let Ok(Some(node)) = first_non_finite(&model.graph, &[level.objective], &bindings) else { continue };
        return Some(not_finite(model, level, node));
    }
    None
}

/// The complaint about a node: a datum or parameter whose own value is to blame, or an expression.
fn not_finite(model: &Model, level: &Level, node: NodeId) -> Diagnostic {
    let written = model.graph.node(node);
    if let Attrs::Input(input) = written.attrs
        && !model.graph.input_info(input).name.is_empty()
    {
        let name = &model.graph.input_info(input).name;
        let data = model.data.iter().find(|d| d.input == input);
        let bad =
            data.and_then(|d| d.value.as_ref()).and_then(|v| v.iter().copied().find(|x| !x.is_finite()));
        let label = bad.map_or("not finite".to_owned(), |bad| format!("`{name}` holds {bad}"));
        let place = data.map_or(level.objective_span, |d| d.span);
        return Diagnostic::error("E0402", format!("`{name}` is not finite"), place, label)
            .label(level.objective_span, "this objective reads it");
    }
    let place = written.span.unwrap_or(level.objective_span);
    let label = "NaN or infinite here, though everything it reads is finite";
    let diagnostic =
        Diagnostic::error("E0402", "an expression is not finite where the run stopped", place, label);
    if place == level.objective_span {
        return diagnostic;
    }
    diagnostic.label(level.objective_span, "part of this objective")
}

/// Data and variables bound to their values.
fn point(model: &Model, x: &[f64], y: &[f64]) -> Bindings {
    let mut bindings = data_bindings(model);
    bind_flat(&mut bindings, &model.upper.vars, x);
    if let Some(lower) = &model.lower {
        bind_flat(&mut bindings, &lower.vars, y);
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

fn bind_flat(bindings: &mut Bindings, vars: &[Var], flat: &[f64]) {
    let mut offset = 0;
    for var in vars {
        let len = var.ty.len();
        let values = flat[offset..offset + len].to_vec();
        match Array::from_shape_vec(var.ty.shape.to_vec(), values) {
            Ok(array) => bindings.set(var.input, array),
            Err(e) => crate::bug!("variable `{}` does not fit its shape: {e}", var.name),
        }
        offset += len;
    }
}
