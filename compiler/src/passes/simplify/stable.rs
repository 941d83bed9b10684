//! Compositions that lose digits or overflow, replaced by the operator that does not. `sqrt(x)^2` and `exp(log x)` stay:
//! they are not `x` outside their domain.

use super::pattern::{binary_of, broadcast_of, either_of, fill_like, is_fill, unary_of};
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::ops::axes::kept;
use crate::ops::{self, Operator};

/// `1 + y` in canonical order: the operand `y`.
fn one_plus(g: &Graph, id: NodeId) -> Option<NodeId> {
    either_of(g, id, &ops::ADD, |a| is_fill(g, a, 1.0)).map(|(_, y)| y)
}

/// Operand and axis, if `id` is an application of an operator along one axis.
fn along(g: &Graph, id: NodeId, op: &'static Operator) -> Option<(NodeId, usize)> {
    match g.node(id).attrs {
        Attrs::Axis(axis) if g.is(id, op) => Some((g.node(id).inputs[0], axis)),
        _ => None,
    }
}

/// `z` and the axis, if `id` is `sum(exp(z))` over one axis.
fn sum_of_exp(g: &Graph, id: NodeId) -> Option<(NodeId, usize)> {
    let y = unary_of(g, id, &ops::SUM)?;
    let Attrs::Axes(axes) = &g.node(id).attrs else { return None };
    let z = unary_of(g, y, &ops::EXP)?;
    (axes.len() == 1).then(|| (z, axes[0]))
}

/// `log(sigmoid(x)) = -softplus(-x)`.
pub fn log_sigmoid(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let y = unary_of(g, id, &ops::LOG)?;
    let x = unary_of(g, y, &ops::SIGMOID)?;
    let opposite = g.neg(x);
    let softplus = g.unary(&ops::SOFTPLUS, opposite);
    Some(g.neg(softplus))
}

/// `log(softmax(x)) = log_softmax(x)`.
pub fn log_softmax(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let y = unary_of(g, id, &ops::LOG)?;
    let (x, axis) = along(g, y, &ops::SOFTMAX)?;
    Some(g.log_softmax(x, axis))
}

/// `exp(log_softmax(x)) = softmax(x)`.
pub fn exp_log_softmax(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let y = unary_of(g, id, &ops::EXP)?;
    let (x, axis) = along(g, y, &ops::LOG_SOFTMAX)?;
    Some(g.softmax(x, axis))
}

/// `log(sum(exp(z))) = logsumexp(z)` over one axis; `log(c sum(exp(z))) = log(c) + logsumexp(z)` for a constant `c > 0`, and
/// the same for a quotient by one.
pub fn log_sum_exp(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let y = unary_of(g, id, &ops::LOG)?;
    if let Some((z, axis)) = sum_of_exp(g, y) {
        return Some(g.logsumexp(z, axis));
    }
    let (factor, sum) = match either_of(g, y, &ops::MUL, |a| g.fill_value(a).is_some()) {
        Some((c, sum)) => (g.fill_value(c)?, sum),
        None => {
            let (sum, c) = binary_of(g, y, &ops::DIV)?;
            (1.0 / g.fill_value(c)?, sum)
        }
    };
    let (z, axis) = sum_of_exp(g, sum)?;
    if !factor.is_normal() || factor < 0.0 {
        return None;
    }
    let offset = fill_like(g, libm::log(factor), id);
    let rest = g.logsumexp(z, axis);
    Some(g.add(offset, rest))
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

/// `log1p(exp(x)) = softplus(x)`; together with [`log_one_plus`], `log(1 + exp(x)) = softplus(x)`.
pub fn softplus(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let y = unary_of(g, id, &ops::LOG1P)?;
    let x = unary_of(g, y, &ops::EXP)?;
    Some(g.unary(&ops::SOFTPLUS, x))
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
