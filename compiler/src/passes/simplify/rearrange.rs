//! Rules for rearrangements: two of a kind become one, views move towards the inputs, repetition moves towards the outputs.

use crate::ir::graph::{Graph, NodeId};
use crate::ops::axes::kept;
use crate::ops::broadcast::parameters as broadcast_parameters;
use crate::ops::slice::bounds;
use crate::ops::transpose::permutation;
use crate::ops::{self, Lowering};
use crate::passes::mask::collapse;
use crate::types::{Axes, Shape};

use super::{Rule, matching, operands};

pub static RULES: &[Rule] = &[
    Rule::at(&ops::BROADCAST, "broadcast of a broadcast", |g, id| {
        let [x] = operands(g, id);
        let [y] = matching(g, x, &ops::BROADCAST)?;
        let (shape, outer) = broadcast_parameters(&g.node(id).attrs);
        let (_, inner) = broadcast_parameters(&g.node(x).attrs);
        let map: Axes = inner.iter().map(|&axis| outer[axis]).collect();
        let shape = shape.clone();
        Some(g.broadcast(y, &shape, &map))
    }),
    Rule::at(&ops::TRANSPOSE, "transpose of a transpose", |g, id| {
        let [x] = operands(g, id);
        let [y] = matching(g, x, &ops::TRANSPOSE)?;
        let (outer, inner) = (permutation(&g.node(id).attrs), permutation(&g.node(x).attrs));
        let perm: Axes = outer.iter().map(|&axis| inner[axis]).collect();
        Some(g.transpose(y, &perm))
    }),
    Rule::at(&ops::TRANSPOSE, "transpose of a broadcast", transpose_of_broadcast),
    Rule::at(&ops::RESHAPE, "reshape of a reshape", |g, id| {
        let [x] = operands(g, id);
        let [y] = matching(g, x, &ops::RESHAPE)?;
        let shape = g.shape(id).clone();
        Some(g.reshape(y, &shape))
    }),
    Rule::at(&ops::RESHAPE, "reshape of a repeated scalar", |g, id| {
        let [x] = operands(g, id);
        let [y] = matching(g, x, &ops::BROADCAST)?;
        let shape = g.shape(id).clone();
        g.shape(y).is_empty().then(|| g.broadcast_scalar(y, &shape))
    }),
    Rule::at(&ops::SLICE, "slice of a slice", |g, id| {
        let [x] = operands(g, id);
        let [y] = matching(g, x, &ops::SLICE)?;
        let ((start, end), (offset, _)) = (bounds(&g.node(id).attrs), bounds(&g.node(x).attrs));
        let start: Axes = start.iter().zip(offset).map(|(a, b)| a + b).collect();
        let end: Axes = end.iter().zip(offset).map(|(a, b)| a + b).collect();
        Some(g.slice(y, &start, &end))
    }),
    Rule::at(&ops::SLICE, "slice of a broadcast", slice_of_broadcast),
    Rule::at(&ops::SLICE, "slice of a pad", slice_of_pad),
    Rule::at(&ops::SLICE, "slice of a part", slice_of_concat),
    Rule::at(&ops::PAD, "pad of a pad", |g, id| {
        let [x] = operands(g, id);
        let [y] = matching(g, x, &ops::PAD)?;
        let ((before, after), (first, last)) =
            (ops::pad::widths(&g.node(id).attrs), ops::pad::widths(&g.node(x).attrs));
        let before: Axes = before.iter().zip(first).map(|(a, b)| a + b).collect();
        let after: Axes = after.iter().zip(last).map(|(a, b)| a + b).collect();
        Some(g.pad(y, &before, &after))
    }),
    Rule::at(&ops::PAD, "pad of zeros", zeros_of_zeros),
    Rule::at(&ops::SCATTER_ADD, "scatter of zeros", zeros_of_zeros),
    Rule::at(&ops::CUMSUM, "running sum of zeros", zeros_of_zeros),
    Rule::at(&ops::GATHER, "gather of everything", |g, id| {
        let [x, index] = operands(g, id);
        let batch = ops::gather::batch(&g.node(id).attrs);
        let everything = g.is(index, &ops::IOTA) && batch == 0 && g.shape(index)[0] == g.shape(x)[0];
        everything.then_some(x)
    }),
    Rule::everywhere("elementwise on repeated operands", elementwise_on_broadcasts),
];

fn zeros_of_zeros(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let x = g.node(id).inputs[0];
    (g.fill_value(x) == Some(0.0)).then(|| g.zeros_like(id))
}

fn transpose_of_broadcast(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [x] = operands(g, id);
    let [y] = matching(g, x, &ops::BROADCAST)?;
    let perm = permutation(&g.node(id).attrs).clone();
    let (_, map) = broadcast_parameters(&g.node(x).attrs);
    // Result axes that come from the operand, in result order, and the operand axis that each comes from.
    let placed: Vec<(usize, usize)> = (0..perm.len())
        .filter_map(|k| map.iter().position(|&to| to == perm[k]).map(|axis| (k, axis)))
        .collect();
    let (map, order): (Vec<usize>, Vec<usize>) = placed.into_iter().unzip();
    let shape = g.shape(id).clone();
    let turned = g.transpose(y, &order);
    Some(g.broadcast(turned, &shape, &map))
}

fn slice_of_broadcast(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [x] = operands(g, id);
    let [y] = matching(g, x, &ops::BROADCAST)?;
    let map = broadcast_parameters(&g.node(x).attrs).1.clone();
    let (start, end) = bounds(&g.node(id).attrs);
    let start: Axes = map.iter().map(|&axis| start[axis]).collect();
    let end: Axes = map.iter().map(|&axis| end[axis]).collect();
    let shape = g.shape(id).clone();
    let part = g.slice(y, &start, &end);
    Some(g.broadcast(part, &shape, &map))
}

/// A slice that stays within what was padded.
fn slice_of_pad(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [x] = operands(g, id);
    let [y] = matching(g, x, &ops::PAD)?;
    let before = ops::pad::widths(&g.node(x).attrs).0;
    let (start, end) = bounds(&g.node(id).attrs);
    let inside = (0..before.len()).all(|k| start[k] >= before[k] && end[k] <= before[k] + g.shape(y)[k]);
    if !inside {
        return None;
    }
    let start: Axes = start.iter().zip(before).map(|(a, b)| a - b).collect();
    let end: Axes = end.iter().zip(before).map(|(a, b)| a - b).collect();
    Some(g.slice(y, &start, &end))
}

/// A slice that stays within one part of a `concat`.
fn slice_of_concat(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [x] = operands(g, id);
    if !g.is(x, &ops::CONCAT) {
        return None;
    }
    let (start, end) = bounds(&g.node(id).attrs);
    for (k, &part) in g.node(x).inputs.iter().enumerate() {
        let (first, last) = ops::concat::part(g, x, k);
        if (0..first.len()).all(|axis| start[axis] >= first[axis] && end[axis] <= last[axis]) {
            let start: Axes = start.iter().zip(&first).map(|(a, b)| a - b).collect();
            let end: Axes = end.iter().zip(&first).map(|(a, b)| a - b).collect();
            return Some(g.slice(part, &start, &end));
        }
    }
    None
}

/// The axes along which a node is a plain repetition.
pub fn repeated_axes(g: &Graph, x: NodeId) -> Axes {
    if !g.is(x, &ops::BROADCAST) {
        return Axes::new();
    }
    let (shape, map) = broadcast_parameters(&g.node(x).attrs);
    kept(shape.len(), map)
}

/// An elementwise operator on operands that are all repeated along an axis: computed once, then repeated.
fn elementwise_on_broadcasts(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let node = g.node(id);
    let elementwise =
        matches!(node.op.0.lowering, Lowering::Instruction(_) | Lowering::Kernel(_) | Lowering::Expand(_));
    if !elementwise || node.inputs.is_empty() || node.ty.shape.is_empty() {
        return None;
    }
    let mut common = repeated_axes(g, node.inputs[0]);
    for &input in &node.inputs[1..] {
        let repeated = repeated_axes(g, input);
        common.retain(|axis| repeated.contains(axis));
    }
    if common.is_empty() {
        return None;
    }
    let (op, attrs, inputs) = (node.op, node.attrs.clone(), node.inputs.clone());
    let shape: Shape = node.ty.shape.clone();
    let small: Option<Vec<NodeId>> = inputs.iter().map(|&input| collapse(g, input, &common)).collect();
    let result = g.apply(op.0, attrs, &small?);
    Some(g.broadcast(result, &shape, &kept(shape.len(), &common)))
}
