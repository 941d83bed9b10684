//! Sparse matrices: contractions and sums become sparse products, a selection of rows selects the stretches of nonzeros, and
//! elementwise functions that keep zeros apply to the nonzeros. What is left of a sparse matrix after these rules asks for all
//! of its elements; the checker refuses that.

use super::pattern::{binary_of, broadcast_of, either_of, fill_like, inputs, unary_of};
use crate::ir::graph::{Attrs, Graph, NodeId, Role};
use crate::ops::sparse::parts;
use crate::ops::sparse_dot::times;
use crate::ops::{self, Operator};
use crate::types::Axes;

/// Functions with `f(0) = 0`.
static KEEP_ZERO: &[&Operator] = &[
    &ops::NEG,
    &ops::ABS,
    &ops::SIGN,
    &ops::SQRT,
    &ops::FLOOR,
    &ops::RELU,
    &ops::LOG1P,
    &ops::EXPM1,
    &ops::SIN,
    &ops::TAN,
    &ops::ASIN,
    &ops::ATAN,
    &ops::SINH,
    &ops::TANH,
    &ops::ERF,
];

/// A contraction of a sparse matrix with a dense array along one axis.
pub fn sparse_product(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (a, b) = binary_of(g, id, &ops::DOT)?;
    let Attrs::Dot(axes) = &g.node(id).attrs else { return None };
    let (&[(left, right)], true) = (axes.contract.as_slice(), axes.batch.is_empty()) else { return None };
    match (g.is(a, &ops::SPARSE), g.is(b, &ops::SPARSE)) {
        (true, false) => {
            let b = axis_first(g, b, right);
            Some(times(g, a, left == 0, b))
        }
        (false, true) => {
            let a = axis_first(g, a, left);
            let product = times(g, b, right == 0, a);
            let last = g.shape(product).len() - 1;
            let order: Axes = (1..=last).chain([0]).collect();
            Some(g.transpose(product, &order))
        }
        _ => None,
    }
}

/// The same with a single row of a sparse matrix, which is a vector.
pub fn sparse_row_product(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (a, b) = binary_of(g, id, &ops::DOT)?;
    let Attrs::Dot(axes) = &g.node(id).attrs else { return None };
    let (&[(left, right)], true) = (axes.contract.as_slice(), axes.batch.is_empty()) else { return None };
    let (row, dense, axis) = match (only_row(g, a), only_row(g, b)) {
        (Some(row), None) => (row, b, right),
        (None, Some(row)) => (row, a, left),
        _ => return None,
    };
    let shape = g.shape(id).clone();
    let dense = axis_first(g, dense, axis);
    let product = times(g, row, false, dense);
    Some(g.reshape(product, &shape))
}

/// The sparse matrix with one row whose reshape to a vector `id` is.
fn only_row(g: &Graph, id: NodeId) -> Option<NodeId> {
    let row = unary_of(g, id, &ops::RESHAPE)?;
    (g.is(row, &ops::SPARSE) && g.shape(row)[0] == 1 && g.shape(id).len() == 1).then_some(row)
}

/// `sum(A)` over rows, columns or both.
pub fn sparse_sum(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let Attrs::Axes(axes) = &g.node(id).attrs else { return None };
    let x = *inputs(g, id).first()?;
    if !g.is(id, &ops::SUM) || !g.is(x, &ops::SPARSE) {
        return None;
    }
    let (axes, sizes) = (axes.clone(), g.shape(x).clone());
    let over_rows = axes.as_slice() == [0];
    let ones = g.fill(1.0, &[if over_rows { sizes[0] } else { sizes[1] }]);
    let sums = times(g, x, over_rows, ones);
    Some(if axes.len() == 2 { g.sum(sums, &[0]) } else { sums })
}

/// A stretch of rows.
pub fn sparse_rows(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let Attrs::Slice { start, end } = &g.node(id).attrs else { return None };
    let x = inputs(g, id)[0];
    if !g.is(x, &ops::SPARSE) || start[1] != 0 || end[1] != g.shape(x)[1] {
        return None;
    }
    let (from, to) = (start[0], end[0]);
    Some(selected(g, x, |g, list| g.slice(list, &[from], &[to])))
}

/// Rows at positions known before the solve.
pub fn sparse_pick(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let Attrs::Gather { batch: 0 } = g.node(id).attrs else { return None };
    let (x, index) = (inputs(g, id)[0], inputs(g, id)[1]);
    if !g.is(x, &ops::SPARSE) || g.shape(index).len() > 1 || g.node(index).stage != Role::Data {
        return None;
    }
    let list_of_one = g.shape(index).is_empty();
    let at = if list_of_one { g.reshape(index, &[1]) } else { index };
    let rows = selected(g, x, |g, list| g.gather(list, at, 0));
    let shape = g.shape(id).clone();
    Some(g.reshape(rows, &shape))
}

/// A function of one element that keeps zero, a product or quotient by a number, a power, or a product, sum or difference of two
/// matrices with the same places.
pub fn sparse_elementwise(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let node = g.node(id);
    if let [x] = *node.inputs {
        if !g.is(x, &ops::SPARSE) || !KEEP_ZERO.iter().any(|op| g.is(id, op)) {
            return None;
        }
        let op = node.op.0;
        return Some(on_values(g, x, |g, values| g.unary(op, values)));
    }
    let [a, b] = *node.inputs else { return None };
    let op = node.op.0;
    let kept = |x: NodeId, other: NodeId| {
        let number = g.fill_value(other)?;
        let fits = match op.name {
            "mul" => number.is_finite(),
            "div" => x == a && number != 0.0,
            "pow" => x == a && number > 0.0,
            _ => false,
        };
        (fits && g.is(x, &ops::SPARSE)).then_some((x, number))
    };
    if let Some((x, number)) = kept(a, b).or_else(|| kept(b, a)) {
        return Some(on_values(g, x, |g, values| {
            let number = fill_like(g, number, values);
            g.binary(op, values, number)
        }));
    }
    let same = [&ops::MUL, &ops::ADD, &ops::SUB].into_iter().any(|op| g.is(id, op))
        && g.is(a, &ops::SPARSE)
        && g.is(b, &ops::SPARSE)
        && parts(g, a)[1..] == parts(g, b)[1..];
    let other = same.then(|| parts(g, b)[0])?;
    Some(on_values(g, a, |g, values| g.binary(op, values, other)))
}

/// `A / t` for a `t` that does not vary along some axis is the product with `1 / t`, which can be taken apart.
pub fn sparse_quotient(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (a, b) = binary_of(g, id, &ops::DIV)?;
    let (divisor, _) = broadcast_of(g, b)?;
    let factor = |x: NodeId| g.is(x, &ops::SPARSE);
    if g.fill_value(b).is_some() || !(factor(a) || either_of(g, a, &ops::MUL, factor).is_some()) {
        return None;
    }
    let Attrs::Broadcast { shape, map } = g.node(b).attrs.clone() else { return None };
    let inverse = g.reciprocal(divisor);
    let inverse = g.broadcast(inverse, &shape, &map);
    Some(g.mul(a, inverse))
}

/// The same matrix with other values.
fn on_values(g: &mut Graph, x: NodeId, change: impl FnOnce(&mut Graph, NodeId) -> NodeId) -> NodeId {
    let ([values, columns, start, end], attrs) = (parts(g, x), g.node(x).attrs.clone());
    let values = change(g, values);
    g.apply(&ops::SPARSE, attrs, &[values, columns, start, end])
}

/// The matrix with other rows: `select` is applied to the starts and ends of its rows.
fn selected(g: &mut Graph, x: NodeId, select: impl Fn(&mut Graph, NodeId) -> NodeId) -> NodeId {
    let ([values, columns, start, end], attrs) = (parts(g, x), g.node(x).attrs.clone());
    let (start, end) = (select(g, start), select(g, end));
    g.apply(&ops::SPARSE, attrs, &[values, columns, start, end])
}

/// The axis in front of the others.
fn axis_first(g: &mut Graph, x: NodeId, axis: usize) -> NodeId {
    let rank = g.shape(x).len();
    let order: Axes = [axis].into_iter().chain((0..rank).filter(|&k| k != axis)).collect();
    g.transpose(x, &order)
}
