//! Rules for sums. A sum of products whose factors are repeated along some axes becomes a contraction, which does not
//! write the product down; see [`super::contraction`] for which ones.

use crate::ir::graph::{Graph, NodeId};
use crate::ops::axes::{kept, reduced_axes, without};
use crate::ops::transpose::permutation;
use crate::ops::{self};
use crate::passes::mask::collapse;
use crate::types::Axes;

use super::rearrange::repeated_axes;
use super::{Rule, as_scaled, contraction, fill_like, matching, operands, scaled};

pub static RULES: &[Rule] = &[
    Rule::at(&ops::SUM, "sum of a sum", |g, id| {
        let [x] = operands(g, id);
        let [y] = matching(g, x, &ops::SUM)?;
        let inner = reduced_axes(&g.node(x).attrs);
        let left = kept(g.shape(y).len(), inner);
        let mut axes = inner.clone();
        axes.extend(reduced_axes(&g.node(id).attrs).iter().map(|&axis| left[axis]));
        Some(g.sum(y, &axes))
    }),
    Rule::at(&ops::SUM, "sum of k x", |g, id| {
        let [x] = operands(g, id);
        let (k, y) = as_scaled(g, x)?;
        let axes = reduced_axes(&g.node(id).attrs).clone();
        let sum = g.sum(y, &axes);
        Some(scaled(g, k, sum))
    }),
    Rule::at(&ops::SUM, "sum of a repetition", sum_of_broadcast),
    Rule::at(&ops::SUM, "sum of a transpose", sum_of_transpose),
    Rule::at(&ops::SUM, "sum of all of a rearrangement", sum_of_everything),
    Rule::at(&ops::SUM, "sum of single entries", |g, id| {
        let [x] = operands(g, id);
        let axes = reduced_axes(&g.node(id).attrs);
        let shape = g.shape(id).clone();
        axes.iter().all(|&axis| g.shape(x)[axis] == 1).then(|| g.reshape(x, &shape))
    }),
    Rule::at(&ops::SUM, "sum of x / c", |g, id| {
        let [x] = operands(g, id);
        let [above, below] = matching(g, x, &ops::DIV)?;
        let axes = reduced_axes(&g.node(id).attrs).clone();
        let below = collapse(g, below, &axes)?;
        let sum = g.sum(above, &axes);
        Some(g.div(sum, below))
    }),
    Rule::at(&ops::SUM, "sum of a contraction", sum_of_dot),
    Rule::at(&ops::SUM, "sum of products to contraction", contraction::sum_of_products),
];

/// Summing along a repeated axis multiplies by its length.
fn sum_of_broadcast(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [x] = operands(g, id);
    let axes = reduced_axes(&g.node(id).attrs).clone();
    let mut along = repeated_axes(g, x);
    along.retain(|axis| axes.contains(axis));
    if along.is_empty() {
        return None;
    }
    let count: usize = along.iter().map(|&axis| g.shape(x)[axis]).product();
    let small = collapse(g, x, &along)?;
    let rest: Axes = axes
        .iter()
        .filter(|axis| !along.contains(axis))
        .map(|axis| axis - along.iter().filter(|gone| *gone < axis).count())
        .collect();
    let sum = g.sum(small, &rest);
    let count = fill_like(g, id, count as f64);
    Some(g.mul(count, sum))
}

/// The operand's axes are summed instead; what is left may still have to be transposed.
fn sum_of_transpose(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [x] = operands(g, id);
    let [y] = matching(g, x, &ops::TRANSPOSE)?;
    let perm = permutation(&g.node(x).attrs).clone();
    let axes = reduced_axes(&g.node(id).attrs);
    let summed: Axes = axes.iter().map(|&axis| perm[axis]).collect();
    let order: Axes = without(&perm, axes);
    let perm: Axes = order.iter().map(|axis| order.iter().filter(|other| *other < axis).count()).collect();
    let sum = g.sum(y, &summed);
    Some(g.transpose(sum, &perm))
}

/// The sum of all entries does not care about sizes, order and padding.
fn sum_of_everything(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [x] = operands(g, id);
    if !g.shape(id).is_empty() || !(g.is(x, &ops::RESHAPE) || g.is(x, &ops::PAD)) {
        return None;
    }
    let [y] = operands(g, x);
    Some(g.sum_all(y))
}

/// Free axes of a contraction are summed in the operand, before the contraction.
fn sum_of_dot(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [x] = operands(g, id);
    let [a, b] = matching(g, x, &ops::DOT)?;
    let axes = reduced_axes(&g.node(id).attrs).clone();
    let (left, right, result) = super::dot::labelled(g, x);
    let summed: Vec<usize> = axes.iter().map(|&axis| result[axis]).collect();
    let batch = ops::dot::axes(&g.node(x).attrs).batch.len();
    if axes.iter().any(|&axis| axis < batch) {
        return None;
    }
    let left_sum: Axes = (0..left.len()).filter(|&k| summed.contains(&left[k])).collect();
    let right_sum: Axes = (0..right.len()).filter(|&k| summed.contains(&right[k])).collect();
    let a = contraction::Factor { node: g.sum(a, &left_sum), labels: without(&left, &left_sum).into_vec() };
    let b =
        contraction::Factor { node: g.sum(b, &right_sum), labels: without(&right, &right_sum).into_vec() };
    let out: Vec<usize> = without(&result, &axes).into_vec();
    Some(contraction::contract(g, &a, &b, &out))
}
