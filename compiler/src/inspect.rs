//! Values, formulas and derivatives of single expressions of a model at a point, for somebody who looks around in it.

use std::collections::BTreeMap;

use blo_runtime::space::Space;

use crate::instantiate::space;
use crate::ir::eval::{Array, Bindings, EvalError, evaluate};
use crate::ir::graph::{Graph, NodeId};
use crate::model::{Level, Model, Var};
use crate::notation::{self, Texts};
use crate::passes::differentiate::gradient;
use crate::passes::simplify::simplify;
use crate::solution::data_bindings;

/// Elements of a variable that are moved to take differences.
const PROBED: usize = 20;

/// The values that a model's inputs have: its data, its variables as far as `known` has them in the right shape and otherwise at
/// their starts, and the findings of a solve. A variable whose start needs data that are not bound stays without a value.
pub fn values_at(
    model: &Model,
    known: &BTreeMap<String, Array>,
    findings: &[(&str, f64)],
    seed: u64,
) -> Bindings {
    let mut bindings = data_bindings(model);
    for level in std::iter::once(&model.upper).chain(&model.lower) {
        let start = start(model, level, seed);
        for var in &level.vars {
            let kept = known.get(&var.name).filter(|value| value.shape() == var.ty.shape.as_slice());
            let value = kept.cloned().or_else(|| start.as_ref()?.get(&var.name).cloned());
            if let Some(value) = value {
                bindings.set(var.input, value);
            }
        }
        for input in level.multipliers() {
            let about = model.graph.input_info(input);
            let kept = known.get(&about.name).filter(|value| value.shape() == about.ty.shape.as_slice());
            bindings.set(input, kept.cloned().unwrap_or_else(|| Array::zeros(about.ty.shape.to_vec())));
        }
    }
    for result in &model.results {
        let found = findings.iter().find(|(name, _)| *name == result.name).map(|(_, value)| *value);
        if let Some(value) = found {
            bindings.set(result.input, ndarray::arr0(value).into_dyn());
        }
    }
    bindings
}

/// Where the variables of a level start, by name.
fn start(model: &Model, level: &Level, seed: u64) -> Option<BTreeMap<String, Array>> {
    let space: Space = space(&model.graph, level, &data_bindings(model), seed).ok()?;
    let flat = space.start();
    Some(space.blocks().iter().map(|b| (b.name.clone(), space.view(b, &flat).to_owned())).collect())
}

/// The value of an expression, as the checks of solutions compute it: in simplest form, so that `log(sum(exp(z)))` and its like do
/// not overflow.
///
/// Errors: an input that it reads has no value.
pub fn value(model: &Model, node: NodeId, bindings: &Bindings) -> Result<Array, EvalError> {
    let mut graph = model.graph.clone();
    let node = simplify(&mut graph, &[node])[0];
    Ok(evaluate(&graph, &[node], bindings)?.swap_remove(0))
}

/// The formula of an expression in simplest form.
pub fn formula(model: &Model, node: NodeId) -> Texts {
    let mut graph = model.graph.clone();
    let node = simplify(&mut graph, &[node])[0];
    notation::formulas(model, &graph, &[node])
}

/// A partial derivative beside the difference quotient at the element of a variable where they differ most.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The variable.
    pub variable: String,
    /// The element, by its position in row-major order.
    pub element: usize,
    /// How many elements were compared.
    pub compared: usize,
    /// The derivative.
    pub derivative: f64,
    /// The central difference.
    pub difference: f64,
    /// Their distance, relative to the larger of 1 and the derivative.
    pub error: f64,
}

/// Why derivatives could not be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incomparable {
    /// There is no derivative, for this reason.
    Derivative(String),
    /// There is no value.
    Value(EvalError),
}

/// Compares the gradient of a scalar expression by every variable that it reads, and is asked for, with central differences.
pub fn differences(
    model: &Model,
    node: NodeId,
    bindings: &Bindings,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Compared>, Incomparable> {
    let mut graph = model.graph.clone();
    let node = simplify(&mut graph, &[node])[0];
    let read = graph.reachable(&[node]);
    let levels = std::iter::once(&model.upper).chain(&model.lower);
    let vars: Vec<&Var> =
        levels.flat_map(|level| &level.vars).filter(|v| wanted(&v.name) && read.contains(&v.node)).collect();
    let by: Vec<NodeId> = vars.iter().map(|var| var.node).collect();
    let partials =
        gradient(&mut graph, node, &by).map_err(|why| Incomparable::Derivative(why.reason.to_string()))?;
    let partials = simplify(&mut graph, &partials);
    let gradients = evaluate(&graph, &partials, bindings).map_err(Incomparable::Value)?;
    vars.iter().zip(gradients).map(|(var, gradient)| worst(&graph, node, bindings, var, &gradient)).collect()
}

/// The element of a variable where derivative and difference differ most.
fn worst(
    graph: &Graph,
    node: NodeId,
    bindings: &Bindings,
    var: &Var,
    gradient: &Array,
) -> Result<Compared, Incomparable> {
    let at = bindings.get(var.input).cloned().unwrap_or_else(|| Array::zeros(var.ty.shape.to_vec()));
    let value = |element: usize, step: f64| -> Result<f64, Incomparable> {
        let mut moved = at.clone();
        if let Some(x) = moved.iter_mut().nth(element) {
            *x += step;
        }
        let mut bindings = bindings.clone();
        bindings.set(var.input, moved);
        let found = evaluate(graph, &[node], &bindings).map_err(Incomparable::Value)?;
        Ok(found[0].iter().copied().next().unwrap_or(f64::NAN))
    };
    let len = at.len();
    let stride = len.div_ceil(PROBED).max(1);
    let mut found = Compared {
        variable: var.name.clone(),
        element: 0,
        compared: 0,
        derivative: 0.0,
        difference: 0.0,
        error: -1.0,
    };
    for element in (0..len).step_by(stride) {
        let x = at.iter().copied().nth(element).unwrap_or(0.0);
        let step = 1e-5 * x.abs().max(1.0);
        let difference = (value(element, step)? - value(element, -step)?) / (2.0 * step);
        let derivative = gradient.iter().copied().nth(element).unwrap_or(f64::NAN);
        let error = (derivative - difference).abs() / derivative.abs().max(1.0);
        found.compared += 1;
        if error > found.error || error.is_nan() {
            found = Compared { element, derivative, difference, error, ..found };
        }
        if error.is_nan() {
            break;
        }
    }
    Ok(found)
}
