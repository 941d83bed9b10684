//! Rules for contractions.

use crate::ir::graph::{DotAxes, Graph, NodeId};
use crate::ops::axes::{kept, without};
use crate::ops::{self};
use crate::passes::mask::collapse;
use crate::types::Axes;

use super::contraction::{Factor, contract};
use super::rearrange::repeated_axes;
use super::{Rule, as_scaled, matching, operands, scaled};

pub static RULES: &[Rule] = &[
    Rule::at(&ops::DOT, "contraction with zeros", |g, id| {
        let [a, b] = operands(g, id);
        let zero = g.fill_value(a) == Some(0.0) || g.fill_value(b) == Some(0.0);
        zero.then(|| g.zeros_like(id))
    }),
    Rule::at(&ops::DOT, "contraction of k x", |g, id| {
        let [a, b] = operands(g, id);
        let (left, right) = (as_scaled(g, a), as_scaled(g, b));
        if left.is_none() && right.is_none() {
            return None;
        }
        let (j, x) = left.unwrap_or((1.0, a));
        let (k, y) = right.unwrap_or((1.0, b));
        let axes = ops::dot::axes(&g.node(id).attrs).clone();
        let product = g.dot(x, y, axes);
        Some(scaled(g, j * k, product))
    }),
    Rule::at(&ops::DOT, "contraction of a transpose", of_transpose),
    Rule::at(&ops::DOT, "contraction of a repetition", of_broadcast),
    Rule::at(&ops::DOT, "contraction over nothing", |g, id| {
        let [a, b] = operands(g, id);
        if !ops::dot::axes(&g.node(id).attrs).contract.is_empty() {
            return None;
        }
        let (left, right, out) = labelled(g, id);
        Some(contract(g, &Factor { node: a, labels: left }, &Factor { node: b, labels: right }, &out))
    }),
    Rule::at(&ops::TRANSPOSE, "transpose of a contraction", of_swapped),
    Rule::at(&ops::ADD, "sum of contractions with a common operand", |g, id| {
        common_operand(g, id, Graph::add)
    }),
    Rule::at(&ops::SUB, "difference of contractions with a common operand", |g, id| {
        common_operand(g, id, Graph::sub)
    }),
];

/// A label for every axis of the operands and the result of a contraction: paired axes share one.
pub fn labelled(g: &Graph, id: NodeId) -> (Vec<usize>, Vec<usize>, Vec<usize>) {
    let [a, b] = operands(g, id);
    let axes = ops::dot::axes(&g.node(id).attrs);
    let left: Vec<usize> = (0..g.shape(a).len()).collect();
    let rank = left.len();
    let mut right: Vec<usize> = (rank..rank + g.shape(b).len()).collect();
    for &(l, r) in axes.batch.iter().chain(&axes.contract) {
        right[r] = l;
    }
    let mut out: Vec<usize> = axes.batch.iter().map(|&(l, _)| l).collect();
    out.extend(axes.free_left(rank));
    out.extend(axes.free_right(right.len()).iter().map(|&k| right[k]));
    (left, right, out)
}

/// Transposed operands are contracted as they lie in memory, if the free axes stay in order.
fn of_transpose(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [a, b] = operands(g, id);
    let axes = ops::dot::axes(&g.node(id).attrs);
    let ascending = |free: &[usize], perm: &[usize]| free.is_sorted_by(|&x, &y| perm[x] < perm[y]);
    let untransposed = |x: NodeId, free: &[usize]| -> Option<(NodeId, Axes)> {
        let [y] = matching(g, x, &ops::TRANSPOSE)?;
        let perm = ops::transpose::permutation(&g.node(x).attrs);
        ascending(free, perm).then(|| (y, perm.clone()))
    };
    let left = untransposed(a, &axes.free_left(g.shape(a).len()));
    let right = untransposed(b, &axes.free_right(g.shape(b).len()));
    if left.is_none() && right.is_none() {
        return None;
    }
    let moved =
        |side: &Option<(NodeId, Axes)>, axis: usize| side.as_ref().map_or(axis, |(_, perm)| perm[axis]);
    let pair = |&(l, r): &(usize, usize)| (moved(&left, l), moved(&right, r));
    let axes = DotAxes {
        batch: axes.batch.iter().map(pair).collect(),
        contract: axes.contract.iter().map(pair).collect(),
    };
    let (a, b) = (left.map_or(a, |(y, _)| y), right.map_or(b, |(y, _)| y));
    Some(g.dot(a, b, axes))
}

/// An operand that repeats along some axes is contracted without them.
fn of_broadcast(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [a, b] = operands(g, id);
    let (left_repeated, right_repeated) = (repeated_axes(g, a), repeated_axes(g, b));
    if left_repeated.is_empty() && right_repeated.is_empty() {
        return None;
    }
    let (left, right, out) = labelled(g, id);
    let sizes: Vec<(usize, usize)> = left.iter().copied().zip(g.shape(a).iter().copied()).collect();
    let a =
        Factor { node: collapse(g, a, &left_repeated)?, labels: without(&left, &left_repeated).into_vec() };
    let b = Factor {
        node: collapse(g, b, &right_repeated)?,
        labels: without(&right, &right_repeated).into_vec(),
    };
    let known = |label: &usize| a.labels.contains(label) || b.labels.contains(label);
    let small_out: Vec<usize> = out.iter().copied().filter(|label| known(label)).collect();
    let lost = sizes.iter().filter(|(label, _)| !known(label) && !out.contains(label));
    let count: usize = lost.map(|&(_, size)| size).product();
    let result = contract(g, &a, &b, &small_out);
    let result = scaled(g, count as f64, result);
    let shape = g.shape(id).clone();
    let gone: Axes = (0..out.len()).filter(|&k| !known(&out[k])).collect();
    Some(g.broadcast(result, &shape, &kept(out.len(), &gone)))
}

/// A transpose that exchanges the free axes of left and right exchanges the operands.
fn of_swapped(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [x] = operands(g, id);
    let [a, b] = matching(g, x, &ops::DOT)?;
    let axes = ops::dot::axes(&g.node(x).attrs);
    let batch = axes.batch.len();
    let left = axes.free_left(g.shape(a).len()).len();
    let rank = g.shape(x).len();
    let swapped: Axes = (0..batch).chain(batch + left..rank).chain(batch..batch + left).collect();
    if *ops::transpose::permutation(&g.node(id).attrs) != swapped {
        return None;
    }
    let pair = |&(l, r): &(usize, usize)| (r, l);
    let axes = DotAxes {
        batch: axes.batch.iter().map(pair).collect(),
        contract: axes.contract.iter().map(pair).collect(),
    };
    Some(g.dot(b, a, axes))
}

/// `a·x + a·y` is `a·(x + y)`: one contraction instead of two.
fn common_operand(
    g: &mut Graph,
    id: NodeId,
    combine: fn(&mut Graph, NodeId, NodeId) -> NodeId,
) -> Option<NodeId> {
    let [p, q] = operands(g, id);
    let [a, x] = matching(g, p, &ops::DOT)?;
    let [b, y] = matching(g, q, &ops::DOT)?;
    if g.node(p).attrs != g.node(q).attrs || g.shape(a) != g.shape(b) || g.shape(x) != g.shape(y) {
        return None;
    }
    let axes = ops::dot::axes(&g.node(p).attrs).clone();
    if a == b {
        let both = combine(g, x, y);
        return Some(g.dot(a, both, axes));
    }
    if x == y {
        let both = combine(g, a, b);
        return Some(g.dot(both, x, axes));
    }
    None
}
