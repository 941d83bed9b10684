//! The objectives estimated by some terms of their sampled sums: the model that stochastic methods evaluate on batches.
//!
//! Which terms, and how often each counts, are inputs of the program, so that a new batch costs no compilation. The terms of one
//! index of a level are cut into as many parts as the level has batches, whose sizes differ by 1 at most; a part counts as many
//! times as there are batches. So the mean over the batches is the objective itself, and a batch that is drawn uniformly gives an
//! unbiased estimate wherever the objective is affine in its sums. Sums over equally many terms share a part.

use crate::ir::graph::{Graph, InputId, NodeId, Role};
use crate::model::{Level, Model, Sampled};
use crate::ops;
use crate::passes::rows::Rows;
use crate::passes::substitute::substitute_all;
use crate::types::{Elem, Type};

/// A model whose objectives read batches.
pub struct Estimates {
    /// The model, without reports.
    pub model: Model,
    /// Positions and weights of the terms, for every index of the lower level and then of the upper level.
    pub inputs: Vec<[InputId; 2]>,
    /// How many terms the indices of the lower level and of the upper level run over.
    pub sizes: [Vec<usize>; 2],
    /// The number of batches of the lower level and of the upper level.
    pub batches: [usize; 2],
}

/// The estimates of a checked model by batches of at most `batch` terms; `None` when neither objective has a sum that can be sampled.
pub fn estimates(model: &Model, batch: usize) -> Option<Estimates> {
    let mut model = model.clone();
    model.reports.clear();
    let mut made = Estimates { model, inputs: Vec::new(), sizes: [Vec::new(), Vec::new()], batches: [1, 1] };
    let Model { graph, lower, upper, sampled, .. } = &mut made.model;
    for (k, level) in [lower.as_mut(), Some(upper)].into_iter().enumerate() {
        let Some(level) = level else { continue };
        let (objective, sizes, inputs) = estimated(graph, level, sampled, batch.max(1));
        level.objective = objective;
        made.batches[k] = sizes.iter().map(|n| n.div_ceil(batch.max(1))).max().unwrap_or(1);
        made.sizes[k] = sizes;
        made.inputs.extend(inputs);
    }
    (!made.inputs.is_empty()).then_some(made)
}

/// The objective of a level with its sampled sums estimated, how many terms they have, and the inputs.
fn estimated(
    g: &mut Graph,
    level: &Level,
    sampled: &[Sampled],
    batch: usize,
) -> (NodeId, Vec<usize>, Vec<[InputId; 2]>) {
    let read = g.reachable(&[level.objective]);
    let mut sums: Vec<(NodeId, usize)> = Vec::new();
    for &(sum, axis) in sampled.iter().filter_map(|s| s.terms.as_ref()) {
        // Of several sampled indices of one sum the first is sampled.
        if read.contains(&sum) && g.ty(sum).elem == Elem::Real && !sums.iter().any(|s| s.0 == sum) {
            sums.push((sum, axis));
        }
    }
    let size = |g: &Graph, (sum, axis): (NodeId, usize)| g.shape(g.node(sum).inputs[0])[axis];
    let mut sizes: Vec<usize> = sums.iter().map(|&s| size(g, s)).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let batches = sizes.iter().map(|n| n.div_ceil(batch)).max().unwrap_or(1);
    let mut inputs = Vec::new();
    let mut rows = Vec::new();
    for &n in &sizes {
        let capacity = n.div_ceil(batches);
        let add = |g: &mut Graph, name: &str, elem| {
            g.add_input(
                format!("{name} of {n} terms"),
                Role::Batch,
                Type { elem, shape: [capacity].as_slice().into() },
            )
        };
        let (places, index) = add(g, "positions", Elem::Int);
        let (weights, weight) = add(g, "weights", Elem::Real);
        inputs.push([places, weights]);
        rows.push((Rows::new(index), weight));
    }
    let mut pairs = Vec::new();
    for (sum, axis) in sums {
        let n = size(g, (sum, axis));
        let Some((rows, weight)) = sizes.iter().position(|&s| s == n).map(|k| &mut rows[k]) else { continue };
        pairs.push((sum, estimate(g, sum, axis, rows, *weight)));
    }
    (substitute_all(g, &[level.objective], &pairs)[0], sizes, inputs)
}

/// A sum over the rows alone, each with its weight.
pub(crate) fn estimate(g: &mut Graph, sum: NodeId, axis: usize, rows: &mut Rows, weight: NodeId) -> NodeId {
    let node = g.node(sum).clone();
    let outer = g.set_span(node.span);
    let terms = rows.of(g, node.inputs[0], axis);
    let shape = g.shape(terms).clone();
    let weights = g.broadcast(weight, &shape, &[axis]);
    let terms = g.mul(weights, terms);
    let mut inputs = vec![terms];
    if g.is(sum, &ops::SCATTER_ADD) {
        inputs.push(rows.of(g, node.inputs[1], axis));
    }
    let made = g.apply(node.op.0, node.attrs, &inputs);
    g.set_span(outer);
    made
}
