//! Rearrangements of rearrangements: each kind composes with itself, and the kinds stand in one order (from the root:
//! broadcast, transpose, and the rest), so that equal arrays become one node.

use super::pattern::{broadcast_of, fill_like, fill_of, inputs, is_fill, transpose_of};
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::ops;
use crate::ops::transpose::inverse;
use crate::types::{Axes, Shape};

/// A rearrangement that changes nothing is its operand.
pub fn no_move(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let node = g.node(id);
    let &x = node.inputs.first()?;
    let nothing = match &node.attrs {
        Attrs::Permutation(perm) => perm.iter().enumerate().all(|(k, &axis)| k == axis),
        Attrs::Broadcast { shape, map } => map.len() == shape.len(),
        Attrs::Shape(shape) => shape == g.shape(x),
        Attrs::Slice { start, .. } => start.iter().all(|&s| s == 0) && node.ty.shape == *g.shape(x),
        Attrs::Pad { before, after } => before.iter().chain(after).all(|&n| n == 0),
        Attrs::Axes(axes) => axes.is_empty(),
        Attrs::Axis(_) => g.is(id, &ops::CONCAT) && node.inputs.len() == 1,
        _ => false,
    };
    nothing.then_some(x)
}

/// `broadcast(broadcast(x)) = broadcast(x)`.
pub fn broadcast_broadcast(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (inner, outer_map) = broadcast_of(g, id)?;
    let (x, inner_map) = broadcast_of(g, inner)?;
    let map: Axes = inner_map.iter().map(|&k| outer_map[k]).collect();
    let shape = g.shape(id).clone();
    Some(g.broadcast(x, &shape, &map))
}

/// `transpose(transpose(x)) = transpose(x)`.
pub fn transpose_transpose(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (inner, outer) = transpose_of(g, id)?;
    let (x, perm) = transpose_of(g, inner)?;
    let perm: Axes = outer.iter().map(|&k| perm[k]).collect();
    Some(g.transpose(x, &perm))
}

/// `transpose(broadcast(x)) = broadcast(transpose(x))`: the smaller array is transposed, often not at all.
pub fn transpose_broadcast(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (inner, perm) = transpose_of(g, id)?;
    let (x, map) = broadcast_of(g, inner)?;
    let place = inverse(&perm);
    let mut axes: Vec<(usize, usize)> = map.iter().enumerate().map(|(k, &to)| (place[to], k)).collect();
    axes.sort_unstable();
    let order: Axes = axes.iter().map(|&(_, k)| k).collect();
    let map: Axes = axes.iter().map(|&(to, _)| to).collect();
    let x = g.transpose(x, &order);
    let shape = g.shape(id).clone();
    Some(g.broadcast(x, &shape, &map))
}

/// `transpose(dot(a, b)) = dot(b, a)` when the permutation exchanges the free axes of the two and leaves the batch axes.
pub fn transpose_dot(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (dot, perm) = transpose_of(g, id)?;
    let Attrs::Dot(axes) = &g.node(dot).attrs else { return None };
    let (a, b) = (g.node(dot).inputs[0], g.node(dot).inputs[1]);
    let batch = axes.batch.len();
    let left = axes.free_left(g.shape(a).len()).len();
    let swapped: Axes = (0..batch).chain(batch + left..perm.len()).chain(batch..batch + left).collect();
    if perm != swapped {
        return None;
    }
    let mut axes = axes.clone();
    axes.batch.iter_mut().chain(&mut axes.contract).for_each(|pair| *pair = (pair.1, pair.0));
    axes.contract.sort_unstable();
    Some(g.dot(b, a, *axes))
}

/// `reshape(reshape(x)) = reshape(x)`.
pub fn reshape_reshape(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let Attrs::Shape(shape) = &g.node(id).attrs else { return None };
    let inner = inputs(g, id)[0];
    if !g.is(inner, &ops::RESHAPE) {
        return None;
    }
    let (x, shape) = (inputs(g, inner)[0], shape.clone());
    Some(g.reshape(x, &shape))
}

/// A reshape that only inserts axes of size 1 is a broadcast; a reshape of a repeated scalar is that scalar repeated; a
/// reshape that drops axes of size 1 along which a broadcast repeats is a smaller broadcast.
pub fn reshape_broadcast(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    if !g.is(id, &ops::RESHAPE) {
        return None;
    }
    let x = inputs(g, id)[0];
    let (from, to) = (g.shape(x).clone(), g.shape(id).clone());
    if let Some(map) = embedding(&from, &to) {
        return Some(g.broadcast(x, &to, &map));
    }
    let (y, map) = broadcast_of(g, x)?;
    if map.is_empty() {
        return Some(g.broadcast_scalar(y, &to));
    }
    let stays = |k: usize| from[k] != 1 || map.contains(&k);
    let places: Axes = (0..from.len()).filter(|&k| stays(k)).collect();
    if places.len() == from.len() || !places.iter().map(|&k| &from[k]).eq(&to) {
        return None;
    }
    let map: Axes = map.iter().filter_map(|k| places.iter().position(|p| p == k)).collect();
    Some(g.broadcast(y, &to, &map))
}

/// Where the axes of `from` are in `to`, if `to` has nothing else but axes of size 1.
fn embedding(from: &Shape, to: &Shape) -> Option<Axes> {
    let mut map = Axes::new();
    for (k, &n) in to.iter().enumerate() {
        if from.get(map.len()) == Some(&n) {
            map.push(k);
        } else if n != 1 {
            return None;
        }
    }
    (map.len() == from.len()).then_some(map)
}

/// `slice(slice(x)) = slice(x)`.
pub fn slice_slice(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (inner, start, end) = slice_of(g, id)?;
    let (x, offset, _) = slice_of(g, inner)?;
    let shift = |bounds: &Axes| -> Axes { bounds.iter().zip(&offset).map(|(b, o)| b + o).collect() };
    Some(g.slice(x, &shift(&start), &shift(&end)))
}

/// `slice(broadcast(x)) = broadcast(slice(x))`.
pub fn slice_broadcast(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (inner, start, end) = slice_of(g, id)?;
    let (x, map) = broadcast_of(g, inner)?;
    let restrict = |bounds: &Axes| -> Axes { map.iter().map(|&k| bounds[k]).collect() };
    let x = g.slice(x, &restrict(&start), &restrict(&end));
    let shape = g.shape(id).clone();
    Some(g.broadcast(x, &shape, &map))
}

/// A slice of a `concat` that lies in one part is a slice of that part.
pub fn slice_concat(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (inner, mut start, mut end) = slice_of(g, id)?;
    if !g.is(inner, &ops::CONCAT) {
        return None;
    }
    let Attrs::Axis(axis) = g.node(inner).attrs else { return None };
    let mut before = 0;
    for part in inputs(g, inner) {
        let size = g.shape(part)[axis];
        if before <= start[axis] && end[axis] <= before + size {
            start[axis] -= before;
            end[axis] -= before;
            return Some(g.slice(part, &start, &end));
        }
        before += size;
    }
    None
}

/// A slice of a `pad` that has none of the padding is a slice of the operand; one that has nothing else is zeros.
pub fn slice_pad(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (inner, start, end) = slice_of(g, id)?;
    let Attrs::Pad { before, .. } = &g.node(inner).attrs else { return None };
    let (x, before) = (inputs(g, inner)[0], before.clone());
    let shape = g.shape(x).clone();
    let axes = || (0..shape.len()).map(|k| (start[k], end[k], before[k], before[k] + shape[k]));
    if axes().all(|(start, end, from, to)| from <= start && end <= to) {
        let shift = |bounds: &Axes| -> Axes { bounds.iter().zip(&before).map(|(b, o)| b - o).collect() };
        return Some(g.slice(x, &shift(&start), &shift(&end)));
    }
    let outside = axes().any(|(start, end, from, to)| end <= from || to <= start);
    outside.then(|| fill_like(g, 0.0, id))
}

/// `pad(pad(x)) = pad(x)`.
pub fn pad_pad(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let Attrs::Pad { before, after } = &g.node(id).attrs else { return None };
    let inner = g.node(id).inputs[0];
    let Attrs::Pad { before: first, after: second } = &g.node(inner).attrs else { return None };
    let total = |a: &Axes, b: &Axes| -> Axes { a.iter().zip(b).map(|(a, b)| a + b).collect() };
    let (before, after) = (total(before, first), total(after, second));
    let x = g.node(inner).inputs[0];
    Some(g.pad(x, &before, &after))
}

/// A `concat` of fills of one value is a fill.
pub fn concat_fills(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    if !g.is(id, &ops::CONCAT) {
        return None;
    }
    let parts = inputs(g, id);
    let value = g.fill_value(*parts.first()?)?;
    parts.iter().all(|&part| is_fill(g, part, value)).then(|| fill_like(g, value, id))
}

/// A `gather` from a fill is a fill (every position holds the value; the checker and the evaluator see to the bounds).
pub fn gather_fill(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    if !g.is(id, &ops::GATHER) {
        return None;
    }
    let value = g.fill_value(inputs(g, id)[0])?;
    let ty = g.ty(id).clone();
    Some(fill_of(g, value, &ty))
}

fn slice_of(g: &Graph, id: NodeId) -> Option<(NodeId, Axes, Axes)> {
    match &g.node(id).attrs {
        Attrs::Slice { start, end } => Some((g.node(id).inputs[0], start.clone(), end.clone())),
        _ => None,
    }
}
