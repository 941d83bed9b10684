//! From a model to the entries that are compiled: for every quantity a solver asked for, the graph nodes of its outputs.
//!
//! Gradients are reverse mode. Second-order products are forward over reverse: the tangent of the gradient along a
//! direction `v` in the lower variables. Since `d/dε ∇x f(x, y + εv) = ∇²xy f · v`, one sweep yields `∇²yy f · v` and
//! `∇²xy f · v` with everything they share. An objective is simplified before it is differentiated: the derivative of
//! `log(1 + exp(x))` as written overflows where that of `softplus(x)` does not.

use blo_grammar::diagnostic::Diagnostic;
use blo_runtime::derivatives::Quantity;

use crate::entry::{Entry, Layout};
use crate::ir::eval::Bindings;
use crate::ir::graph::{Attrs, Graph, InputId, NodeId, Role};
use crate::model::{Level, Model};
use crate::ops;
use crate::passes::chains::associate;
use crate::passes::differentiate::{DerivativeError, gradient, jvp};
use crate::passes::proximal::{Split, split};
use crate::passes::simplify::simplify;
use crate::session::{Observer, Phase};
use crate::types::Elem;

/// The variables of one level and a direction in their space.
struct Variables {
    nodes: Vec<NodeId>,
    inputs: Vec<InputId>,
    directions: Vec<NodeId>,
    direction_inputs: Vec<InputId>,
}

impl Variables {
    /// The variables of a level, and behind them the multipliers that the model reads of its constraints.
    fn new(graph: &mut Graph, level: Option<&Level>, role: Role) -> Self {
        let mut inputs: Vec<InputId> = level.iter().flat_map(|l| &l.vars).map(|v| v.input).collect();
        inputs.extend(level.iter().flat_map(|l| l.multipliers()));
        let direction = |graph: &mut Graph, input: InputId| {
            let info = graph.input_info(input).clone();
            graph.add_input(info.name, role, info.ty)
        };
        let (direction_inputs, directions) = inputs.iter().map(|&i| direction(graph, i)).unzip();
        let read = |graph: &mut Graph, input: InputId| graph.apply(&ops::INPUT, Attrs::Input(input), &[]);
        let nodes = inputs.iter().map(|&i| read(graph, i)).collect();
        Variables { nodes, inputs, directions, direction_inputs }
    }

    fn tangents(&self) -> Vec<(NodeId, NodeId)> {
        self.nodes.iter().copied().zip(self.directions.iter().copied()).collect()
    }
}

/// The entries for `needs`, simplified, and the layout of the flat vectors they read.
///
/// Quantities of the lower level are ignored when the model has none, those of its smooth and its proximal part when nothing
/// proximal was found in it; `data` helps to find it. An expression that cannot be differentiated on an
/// active path is the model's fault and comes back as a diagnostic.
pub fn entries(
    model: &mut Model,
    needs: &[Quantity],
    data: &Bindings,
    observer: &dyn Observer,
) -> Result<(Layout, Vec<Entry>), Vec<Diagnostic>> {
    observer.begins(Phase::Optimise);
    let graph = &mut model.graph;
    let parts = model.lower.as_ref().filter(|_| needs.contains(&Quantity::ProximalWeights));
    let parts = parts.map(|level| split(graph, level, data)).filter(|parts| !parts.weights.is_empty());
    let parts = parts.map(|parts| Split { smooth: simplify(graph, &[parts.smooth])[0], ..parts });
    for level in std::iter::once(&mut model.upper).chain(&mut model.lower) {
        level.objective = simplify(graph, &[level.objective])[0];
    }
    let upper = Variables::new(graph, Some(&model.upper), Role::UpperDirection);
    let lower = Variables::new(graph, model.lower.as_ref(), Role::LowerDirection);
    let reports: Vec<NodeId> = model.reports.iter().map(|r| r.node).collect();

    let mut needs: Vec<Quantity> = needs.to_vec();
    needs.sort_unstable();
    needs.dedup();
    let mut entries = Vec::new();
    for quantity in needs {
        let level = if is_lower(quantity) { model.lower.as_ref() } else { Some(&model.upper) };
        let Some(level) = level else { continue };
        let objective = match (quantity, &parts) {
            (Quantity::SmoothGradient | Quantity::SmoothHessian, Some(parts)) => parts.smooth,
            (Quantity::SmoothGradient | Quantity::SmoothHessian, None) => continue,
            _ => level.objective,
        };
        let vectors = match (quantity, &parts) {
            (Quantity::ProximalWeights, Some(parts)) => &parts.weights,
            (Quantity::ProximalWeights, None) => continue,
            _ => &reports,
        };
        observer.begins(Phase::Differentiate);
        let outputs = outputs(graph, quantity, objective, &upper, &lower, vectors)
            .map_err(|e| vec![not_differentiable(graph, level, quantity.name(), &e)])?;
        let flat: Vec<NodeId> = outputs.iter().flatten().copied().collect();
        observer.begins(Phase::Optimise);
        let simple = simplify(graph, &flat);
        let mut simple = associate(graph, &simple, is_repeated(quantity)).into_iter();
        let outputs = outputs.iter().map(|o| simple.by_ref().take(o.len()).collect()).collect();
        entries.push(Entry { quantity, outputs });
    }
    let layout = Layout {
        upper: upper.inputs,
        lower: lower.inputs,
        upper_direction: upper.direction_inputs,
        lower_direction: lower.direction_inputs,
        batches: Vec::new(),
        proximal: parts.map(|parts| parts.proximal),
    };
    Ok((layout, entries))
}

/// Whether methods evaluate it many times for one `x`, and for one point if it takes a direction: while they solve the lower level
/// or an adjoint system.
fn is_repeated(quantity: Quantity) -> bool {
    matches!(
        quantity,
        Quantity::LowerValue
            | Quantity::LowerGradient
            | Quantity::LowerHessian
            | Quantity::SmoothGradient
            | Quantity::SmoothHessian
    )
}

fn is_lower(quantity: Quantity) -> bool {
    !matches!(
        quantity,
        Quantity::UpperValue
            | Quantity::UpperGradients
            | Quantity::UpperGradientX
            | Quantity::UpperSecondOrder
            | Quantity::Reports
    )
}

/// The output vectors of one quantity, each a list of nodes to be flattened one after another. `listed`: what reports and weights
/// are.
fn outputs(
    graph: &mut Graph,
    quantity: Quantity,
    objective: NodeId,
    upper: &Variables,
    lower: &Variables,
    listed: &[NodeId],
) -> Result<Vec<Vec<NodeId>>, DerivativeError> {
    Ok(match quantity {
        Quantity::LowerValue | Quantity::UpperValue => vec![vec![objective]],
        Quantity::LowerGradient | Quantity::SmoothGradient => {
            vec![vec![objective], gradient(graph, objective, &lower.nodes)?]
        }
        Quantity::LowerGradients | Quantity::UpperGradients => {
            let (gx, gy) = both_gradients(graph, objective, upper, lower)?;
            vec![vec![objective], gx, gy]
        }
        Quantity::LowerGradientX | Quantity::UpperGradientX => {
            vec![vec![objective], gradient(graph, objective, &upper.nodes)?]
        }
        Quantity::LowerHessian | Quantity::SmoothHessian => {
            let gy = gradient(graph, objective, &lower.nodes)?;
            vec![jvp(graph, &gy, &lower.tangents())?]
        }
        Quantity::LowerDirections => {
            let (gx, gy) = both_gradients(graph, objective, upper, lower)?;
            let products: Vec<NodeId> = gy.iter().chain(&gx).copied().collect();
            let mut hv = jvp(graph, &products, &lower.tangents())?;
            let xv = hv.split_off(gy.len());
            vec![gy, hv, xv]
        }
        Quantity::LowerSecondOrder | Quantity::UpperSecondOrder => {
            let (gx, gy) = both_gradients(graph, objective, upper, lower)?;
            let products: Vec<NodeId> = gy.iter().chain(&gx).copied().collect();
            let mut hv = jvp(graph, &products, &lower.tangents())?;
            let xv = hv.split_off(gy.len());
            vec![hv, xv]
        }
        Quantity::LowerCross => {
            let gy = gradient(graph, objective, &lower.nodes)?;
            vec![jvp(graph, &gy, &upper.tangents())?]
        }
        Quantity::Reports | Quantity::ProximalWeights => {
            vec![listed.iter().map(|&r| graph.cast(r, Elem::Real)).collect()]
        }
    })
}

/// `∇x` and `∇y` of the objective from one reverse sweep.
fn both_gradients(
    graph: &mut Graph,
    objective: NodeId,
    upper: &Variables,
    lower: &Variables,
) -> Result<(Vec<NodeId>, Vec<NodeId>), DerivativeError> {
    let wrt: Vec<NodeId> = upper.nodes.iter().chain(&lower.nodes).copied().collect();
    let mut gx = gradient(graph, objective, &wrt)?;
    let gy = gx.split_off(upper.nodes.len());
    Ok((gx, gy))
}

/// The complaint about an expression that `asked` needs the derivative of.
pub(crate) fn not_differentiable(
    graph: &Graph,
    level: &Level,
    asked: &str,
    error: &DerivativeError,
) -> Diagnostic {
    let node = graph.node(error.node);
    let span = node.span.unwrap_or(level.objective_span);
    Diagnostic::error(
        "E0401",
        format!("`{}` cannot be differentiated", node.op.0.name),
        span,
        error.reason.to_string(),
    )
    .label(level.objective_span, "the objective that needs its derivative")
    .note(format!("the solver asked for `{asked}`"))
}
