//! Reductions of rearrangements, of reductions, and of sums.

use super::pattern::{broadcast_of, either_of, inputs, scaled, transpose_of, unary_of};
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::ops::axes::{kept, without};
use crate::ops::{self, Operator};
use crate::types::Axes;

/// Operand and axes, if `id` is a reduction by one of `ops`.
fn reduction_of(
    g: &Graph,
    id: NodeId,
    ops: &[&'static Operator],
) -> Option<(NodeId, Axes, &'static Operator)> {
    let op = ops.iter().copied().find(|&op| g.is(id, op))?;
    match &g.node(id).attrs {
        Attrs::Axes(axes) => Some((g.node(id).inputs[0], axes.clone(), op)),
        _ => None,
    }
}

fn any_reduction(g: &Graph, id: NodeId) -> Option<(NodeId, Axes, &'static Operator)> {
    reduction_of(g, id, &[&ops::SUM, &ops::PROD, &ops::MAX_OVER, &ops::MIN_OVER])
}

fn reduce(g: &mut Graph, op: &'static Operator, x: NodeId, axes: Axes) -> NodeId {
    if axes.is_empty() { x } else { g.apply(op, Attrs::Axes(axes), &[x]) }
}

/// The sum of a broadcast counts repetitions: `sum(broadcast(x)) = n sum(x)`, repeated along the axes that stay. The largest
/// and the smallest of a broadcast need no count (unless there are no repetitions at all).
pub fn reduce_broadcast(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (y, axes, op) = reduction_of(g, id, &[&ops::SUM, &ops::MAX_OVER, &ops::MIN_OVER])?;
    let (x, map) = broadcast_of(g, y)?;
    let shape = g.shape(y).clone();
    let count: usize = axes.iter().filter(|k| !map.contains(k)).map(|&k| shape[k]).product();
    let is_sum = g.is(id, &ops::SUM);
    if count == 0 && !is_sum {
        return None;
    }
    let inner: Axes = (0..map.len()).filter(|&k| axes.contains(&map[k])).collect();
    let reduced = reduce(g, op, x, inner);
    let reduced = if is_sum { scaled(g, count as f64, reduced) } else { reduced };
    let stay = kept(shape.len(), &axes);
    let map: Axes = map.iter().filter_map(|k| stay.iter().position(|s| s == k)).collect();
    Some(g.broadcast(reduced, &without(&shape, &axes), &map))
}

/// `sum(sum(x)) = sum(x)` over both sets of axes; likewise products, largest and smallest.
pub fn reduce_reduce(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (y, outer, op) = any_reduction(g, id)?;
    let (x, inner, _) = reduction_of(g, y, &[op])?;
    let stay = kept(g.shape(x).len(), &inner);
    let mut axes: Axes = outer.iter().map(|&k| stay[k]).chain(inner).collect();
    axes.sort_unstable();
    Some(reduce(g, op, x, axes))
}

/// `sum(transpose(x)) = transpose(sum(x))` over the axes as they were; likewise products, largest and smallest.
pub fn reduce_transpose(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (y, axes, op) = any_reduction(g, id)?;
    let (x, perm) = transpose_of(g, y)?;
    let mut inner: Axes = axes.iter().map(|&k| perm[k]).collect();
    inner.sort_unstable();
    let stay = kept(perm.len(), &inner);
    let order: Axes =
        kept(perm.len(), &axes).iter().filter_map(|&k| stay.iter().position(|&s| s == perm[k])).collect();
    let reduced = reduce(g, op, x, inner);
    Some(g.transpose(reduced, &order))
}

/// A reduction of everything does not mind how it was arranged: `sum(reshape(x)) = sum(x)`.
pub fn reduce_reshape(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (y, axes, op) = any_reduction(g, id)?;
    if !g.is(y, &ops::RESHAPE) || axes.len() != g.shape(y).len() {
        return None;
    }
    let x = inputs(g, y)[0];
    let all: Axes = (0..g.shape(x).len()).collect();
    Some(reduce(g, op, x, all))
}

/// A reduction over an axis of size 1 only drops the axis.
pub fn reduce_unit_axis(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (x, axes, op) = any_reduction(g, id)?;
    let shape = g.shape(x).clone();
    let unit: Axes = axes.iter().copied().filter(|&k| shape[k] == 1).collect();
    if unit.is_empty() {
        return None;
    }
    let rest: Axes = axes.iter().copied().filter(|&k| shape[k] != 1).collect();
    let reduced = reduce(g, op, x, rest);
    let result = g.shape(id).clone();
    Some(g.reshape(reduced, &result))
}

/// `sum(-x) = -sum(x)`.
pub fn sum_neg(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (y, axes, op) = reduction_of(g, id, &[&ops::SUM])?;
    let x = unary_of(g, y, &ops::NEG)?;
    let sum = reduce(g, op, x, axes);
    Some(g.neg(sum))
}

/// `sum(c x) = c sum(x)` for a constant `c`, real or int.
pub fn sum_scaled(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (y, axes, op) = reduction_of(g, id, &[&ops::SUM])?;
    let (c, x) = either_of(g, y, &ops::MUL, |a| g.fill_value(a).is_some())?;
    let c = g.fill_value(c)?;
    let sum = reduce(g, op, x, axes);
    Some(scaled(g, c, sum))
}

/// `sum(pad(x)) = sum(x)` when every padded axis is summed over.
pub fn sum_pad(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (y, axes, op) = reduction_of(g, id, &[&ops::SUM])?;
    let Attrs::Pad { before, after } = &g.node(y).attrs else { return None };
    let inside = (0..before.len()).all(|k| before[k] + after[k] == 0 || axes.contains(&k));
    let x = g.node(y).inputs[0];
    inside.then(|| reduce(g, op, x, axes))
}
