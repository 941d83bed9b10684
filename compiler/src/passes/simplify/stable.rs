//! Compositions that lose digits or overflow, replaced by the operator that does not; logarithms of exponentials are in
//! [`super::logs`]. `sqrt(x)^2` and `exp(log x)` stay: they are not `x` outside their domain.

use super::pattern::{along, binary_of, broadcast_of, either_of, is_fill, unary_of};
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::ops;
use crate::ops::axes::kept;

/// `1 + y` in canonical order: the operand `y`.
fn one_plus(g: &Graph, id: NodeId) -> Option<NodeId> {
    either_of(g, id, &ops::ADD, |a| is_fill(g, a, 1.0)).map(|(_, y)| y)
}

/// `z` and the axis, if `id` is `sum(exp(z))` over one axis.
fn sum_of_exp(g: &Graph, id: NodeId) -> Option<(NodeId, usize)> {
    let y = unary_of(g, id, &ops::SUM)?;
    let Attrs::Axes(axes) = &g.node(id).attrs else { return None };
    let z = unary_of(g, y, &ops::EXP)?;
    (axes.len() == 1).then(|| (z, axes[0]))
}

/// `exp(log_softmax(x)) = softmax(x)`.
pub fn exp_log_softmax(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let y = unary_of(g, id, &ops::EXP)?;
    let (x, axis) = along(g, y, &ops::LOG_SOFTMAX)?;
    Some(g.softmax(x, axis))
}

/// `log(1 + x) = log1p(x)` and `log(1 - x) = log1p(-x)`.
pub fn log_one_plus(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let y = unary_of(g, id, &ops::LOG)?;
    if let Some(x) = one_plus(g, y) {
        return Some(g.unary(&ops::LOG1P, x));
    }
    let (one, x) = binary_of(g, y, &ops::SUB)?;
    is_fill(g, one, 1.0).then(|| {
        let opposite = g.neg(x);
        g.unary(&ops::LOG1P, opposite)
    })
}

/// `exp(x) - 1 = expm1(x)` and `1 - exp(x) = -expm1(x)`.
pub fn exp_minus_one(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    if let Some((_, y)) = either_of(g, id, &ops::ADD, |a| is_fill(g, a, -1.0)) {
        let x = unary_of(g, y, &ops::EXP)?;
        return Some(g.unary(&ops::EXPM1, x));
    }
    let (one, y) = binary_of(g, id, &ops::SUB)?;
    let x = unary_of(g, y, &ops::EXP)?;
    is_fill(g, one, 1.0).then(|| {
        let value = g.unary(&ops::EXPM1, x);
        g.neg(value)
    })
}

/// `1 / (1 + exp(y)) = sigmoid(-y)` and `exp(y) / (1 + exp(y)) = sigmoid(y)`.
pub fn logistic(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (a, b) = binary_of(g, id, &ops::DIV)?;
    let e = one_plus(g, b)?;
    let y = unary_of(g, e, &ops::EXP)?;
    if a == e {
        return Some(g.unary(&ops::SIGMOID, y));
    }
    is_fill(g, a, 1.0).then(|| {
        let opposite = g.neg(y);
        g.unary(&ops::SIGMOID, opposite)
    })
}

/// `1 - sigmoid(x) = sigmoid(-x)`, which keeps its digits where the sigmoid is almost 1.
pub fn one_minus_sigmoid(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (one, y) = binary_of(g, id, &ops::SUB)?;
    let x = unary_of(g, y, &ops::SIGMOID)?;
    is_fill(g, one, 1.0).then(|| {
        let opposite = g.neg(x);
        g.unary(&ops::SIGMOID, opposite)
    })
}

/// `x - logsumexp(x) = log_softmax(x)` and `exp(x) / sum(exp(x)) = softmax(x)`, along one axis.
pub fn normalised(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let is_sub = g.is(id, &ops::SUB);
    let (a, b) = binary_of(g, id, if is_sub { &ops::SUB } else { &ops::DIV })?;
    let (total, map) = broadcast_of(g, b)?;
    let (x, axis) = if is_sub { along(g, total, &ops::LOGSUMEXP)? } else { sum_of_exp(g, total)? };
    let same = if is_sub { a == x } else { unary_of(g, a, &ops::EXP) == Some(x) };
    if !same || map != kept(g.shape(id).len(), &[axis]) {
        return None;
    }
    Some(if is_sub { g.log_softmax(x, axis) } else { g.softmax(x, axis) })
}
