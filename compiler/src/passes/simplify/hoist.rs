//! Elementwise operators under rearrangements: broadcasts and transposes move towards the root, so that the work is done on
//! the smaller array, and sums and contractions, which can absorb them, meet them.

use super::pattern::{broadcast_of, fill_of, inputs, is_elementwise, transpose_of, with_inputs};
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::ops;
use crate::types::{Axes, Shape, Type};

/// `f(broadcast(x), broadcast(y), ...) = broadcast(f(...))`: axes along which every operand repeats are left to one
/// broadcast of the result. The operands may repeat along further axes.
pub fn elementwise_broadcast(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let shape = g.shape(id).clone();
    if !is_elementwise(g.node(id).op.0) || shape.is_empty() {
        return None;
    }
    let operands: Vec<(NodeId, Axes)> =
        inputs(g, id).iter().map(|&x| broadcast_of(g, x)).collect::<Option<_>>()?;
    let varying: Axes =
        (0..shape.len()).filter(|k| operands.iter().any(|(_, map)| map.contains(k))).collect();
    if varying.len() == shape.len() {
        return None;
    }
    let small: Shape = varying.iter().map(|&k| shape[k]).collect();
    let mut reduced = Vec::new();
    for (x, map) in operands {
        let map: Axes = map.iter().filter_map(|k| varying.iter().position(|v| v == k)).collect();
        reduced.push(g.broadcast(x, &small, &map));
    }
    let value = with_inputs(g, id, &reduced);
    Some(g.broadcast(value, &shape, &varying))
}

/// `f(transpose(x), transpose(y), c) = transpose(f(x, y, c))` for one permutation (and fills `c`), and the same for reshapes
/// from one shape. The arrangement moves towards the root; the work is the same.
pub fn elementwise_view(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    if !is_elementwise(g.node(id).op.0) {
        return None;
    }
    let operands = inputs(g, id);
    let view = operands.iter().copied().find(|&x| g.fill_value(x).is_none())?;
    let is_reshape = g.is(view, &ops::RESHAPE);
    if !is_reshape && transpose_of(g, view).is_none() {
        return None;
    }
    let attrs = g.node(view).attrs.clone();
    let source = g.shape(inputs(g, view)[0]).clone();
    let mut originals = Vec::new();
    for &x in &operands {
        if let Some(value) = g.fill_value(x) {
            let ty = Type { elem: g.ty(x).elem, shape: source.clone() };
            originals.push(fill_of(g, value, &ty));
        } else if g.node(x).attrs == attrs && *g.shape(inputs(g, x)[0]) == source {
            originals.push(inputs(g, x)[0]);
        } else {
            return None;
        }
    }
    let value = with_inputs(g, id, &originals);
    match attrs {
        Attrs::Permutation(perm) => Some(g.transpose(value, &perm)),
        Attrs::Shape(shape) => Some(g.reshape(value, &shape)),
        _ => None,
    }
}
