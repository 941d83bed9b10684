//! Sums of products become contractions, and contractions shed everything that is not one: broadcasts, transposes, scales,
//! signs, factors that do not depend on the contracted axes. The planning is in [`super::product`].

use super::pattern::{binary_of, broadcast_of, either_of, inputs, is_real};
use super::product::{SumOfProduct, is_thin};
use crate::ir::graph::{Attrs, DotAxes, Graph, NodeId};
use crate::ops;
use crate::ops::axes::kept;
use crate::types::{Axes, Shape};

/// `sum(a b)` where a factor does not vary along some axis of the product: what does not vary along the summed axes goes
/// outside, axes along which one factor varies are summed on it first, and axes along which two vary become a contraction.
/// Real only. A product in which every factor varies along all axes stays as it is: one fused reduction.
pub fn sum_of_product(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    if !g.is(id, &ops::SUM) || !is_real(g, id) {
        return None;
    }
    let y = inputs(g, id)[0];
    let Attrs::Axes(axes) = &g.node(id).attrs else { return None };
    let rank = g.shape(y).len();
    let mut sum = SumOfProduct::new(g.shape(y).clone(), kept(rank, axes));
    if !is_thin(g, y) || rank > LABELS {
        return None;
    }
    sum.multiply(g, y, (0..rank).collect());
    let value = sum.build(g);
    (value != id).then_some(value)
}

/// `sum(dot(a, b))` over an axis that only one of the two has is a contraction with that operand summed; over an axis that
/// both have, one more contracted axis.
pub fn sum_of_dot(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    if !g.is(id, &ops::SUM) {
        return None;
    }
    let y = inputs(g, id)[0];
    let Attrs::Axes(axes) = &g.node(id).attrs else { return None };
    let stay = kept(g.shape(y).len(), axes);
    contraction(g, y, Some(stay))
}

/// A contraction takes its operands before any broadcast or transpose: a transpose changes the paired axes, an axis along
/// which an operand repeats is left to the other one (summed first, or repeated afterwards).
pub fn dot_views(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (a, b) = binary_of(g, id, &ops::DOT)?;
    let is_view = |x: NodeId| g.is(x, &ops::BROADCAST) || g.is(x, &ops::TRANSPOSE);
    if is_view(a) || is_view(b) { contraction(g, id, None).filter(|&value| value != id) } else { None }
}

/// Signs, scales and other factors of an operand that do not depend on the contracted axes go outside; those that do go to
/// the operand where they cost least.
pub fn dot_factors(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (a, b) = binary_of(g, id, &ops::DOT)?;
    let takes_apart = |x: NodeId| g.is(x, &ops::NEG) || is_thin(g, x);
    if takes_apart(a) || takes_apart(b) {
        contraction(g, id, None).filter(|&value| value != id)
    } else {
        None
    }
}

/// A contraction without contracted axes is an elementwise product of broadcasts, and one without free axes a sum of an
/// elementwise product: both can be fused with their surroundings.
pub fn dot_elementwise(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (axes, left, right) = free_axes(g, id)?;
    let elementwise = axes.contract.is_empty() || (left.is_empty() && right.is_empty());
    if elementwise { contraction(g, id, None) } else { None }
}

/// The operand with the result's axes comes first, and contracted axes are listed in its order.
pub fn dot_order(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (axes, left, right) = free_axes(g, id)?;
    let in_order =
        axes.contract.is_sorted() && axes.batch.is_sorted() && (right.is_empty() || !left.is_empty());
    if in_order { None } else { contraction(g, id, None).filter(|&value| value != id) }
}

/// `x (x A) = x (A x)`: a quadratic form is summed along the rows of its matrix, where its elements lie together.
pub fn quadratic_form(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let Attrs::Axes(axes) = &g.node(id).attrs else { return None };
    if !g.is(id, &ops::SUM) || axes.len() != 1 {
        return None;
    }
    let product = inputs(g, id)[0];
    let (x, dot) = either_of(g, product, &ops::MUL, |x| {
        let other = inputs(g, product).iter().copied().find(|&o| o != x);
        other.is_some_and(|dot| binary_of(g, dot, &ops::DOT).is_some_and(|(_, b)| b == x))
    })?;
    let (a, _) = binary_of(g, dot, &ops::DOT)?;
    let Attrs::Dot(paired) = &g.node(dot).attrs else { return None };
    let by_column = paired.batch.is_empty() && paired.contract.as_slice() == [(0, 0)];
    if g.shape(product).len() != 1 || g.shape(a).len() != 2 || !by_column {
        return None;
    }
    let by_row = g.contract(a, x, &[], &[(1, 0)]);
    let product = g.mul(x, by_row);
    Some(g.sum(product, &[0]))
}

/// The diagonal of a matrix product is the products of rows and columns of one number: `diag(A B)[i] = sum(A[i] B[:, i])`.
pub fn diagonal_of_dot(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let Attrs::Gather { batch } = g.node(id).attrs else { return None };
    let (dot, index) = (inputs(g, id)[0], inputs(g, id)[1]);
    let (axes, left, right) = free_axes(g, dot)?;
    let (&l, &r) = (left.last()?, right.first()?);
    let shared = axes.batch.len();
    // The last batch axis of the gather is the last free axis of the left operand, and the axis that is read the first of the
    // right one, at positions equal to the index.
    let positions = match broadcast_of(g, index) {
        Some((x, map)) if map.as_slice() == [batch - 1] => x,
        Some(_) => return None,
        None => index,
    };
    let diagonal =
        batch == shared + left.len() && g.shape(index).len() == batch && g.is(positions, &ops::IOTA);
    if !diagonal || g.shape(positions).len() != 1 || (positions == index && batch != 1) {
        return None;
    }
    let mut pairs = axes.batch.clone();
    pairs.push((l, r));
    let (a, b) = binary_of(g, dot, &ops::DOT)?;
    let product = g.contract(a, b, &pairs, &axes.contract);
    let others = left.len() - 1;
    let order: Axes = (0..shared)
        .chain(shared + 1..shared + 1 + others)
        .chain(std::iter::once(shared))
        .chain(shared + 1 + others..shared + others + right.len())
        .collect();
    Some(g.transpose(product, &order))
}

fn free_axes(g: &Graph, id: NodeId) -> Option<(DotAxes, Axes, Axes)> {
    let Attrs::Dot(axes) = &g.node(id).attrs else { return None };
    let (a, b) = (g.node(id).inputs[0], g.node(id).inputs[1]);
    let (left, right) = (axes.free_left(g.shape(a).len()), axes.free_right(g.shape(b).len()));
    Some((axes.as_ref().clone(), left, right))
}

/// Label sets are words of 64 bits.
const LABELS: usize = 64;

/// The contraction `dot` planned anew, summed over its axes other than `stay` (all stay if `None`).
fn contraction(g: &mut Graph, dot: NodeId, stay: Option<Axes>) -> Option<NodeId> {
    let (axes, free_left, free_right) = free_axes(g, dot)?;
    let (a, b) = (g.node(dot).inputs[0], g.node(dot).inputs[1]);
    let rank = g.shape(dot).len();
    if rank + axes.contract.len() > LABELS {
        return None;
    }
    let contracted = axes.contract.iter().map(|&(left, _)| g.shape(a)[left]);
    let sizes: Shape = g.shape(dot).iter().copied().chain(contracted).collect();
    let (mut left, mut right) = (Axes::from_elem(0, g.shape(a).len()), Axes::from_elem(0, g.shape(b).len()));
    for (label, &(l, r)) in axes.batch.iter().enumerate() {
        (left[l], right[r]) = (label, label);
    }
    for (k, &(l, r)) in axes.contract.iter().enumerate() {
        (left[l], right[r]) = (rank + k, rank + k);
    }
    let batch = axes.batch.len();
    for (k, &l) in free_left.iter().enumerate() {
        left[l] = batch + k;
    }
    for (k, &r) in free_right.iter().enumerate() {
        right[r] = batch + free_left.len() + k;
    }
    let mut sum = SumOfProduct::new(sizes, stay.unwrap_or_else(|| (0..rank).collect()));
    sum.multiply(g, a, left);
    sum.multiply(g, b, right);
    Some(sum.build(g))
}
