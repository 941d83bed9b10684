//! Logarithms and quotients of what is made of exponentials. Such an expression is positive, and its logarithm is known without
//! computing it: `log(exp(a) exp(b)) = a + b`, `log(sum(exp(z))) = logsumexp(z)`. So no exponential overflows on the way to a
//! logarithm, none vanishes, and derivatives, which are taken afterwards, do neither.

use super::pattern::{
    along, binary_of, either_of, fill_like, inputs, is_fill, is_real, select_of, unary_of, with_inputs,
};
use super::weights::WeightedSum;
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::ops::{self, Operator};
use crate::types::Elem;

/// How many nodes one search may look at.
const BUDGET: usize = 64;

/// What shows elements of its first operand.
pub static VIEWS: [&Operator; 5] =
    [&ops::BROADCAST, &ops::TRANSPOSE, &ops::RESHAPE, &ops::SLICE, &ops::GATHER];

/// The logarithm of a positive expression.
pub struct Log {
    /// The logarithm.
    pub node: NodeId,
    /// Whether the expression itself has an exponential of unbounded size.
    pub large: bool,
}

/// `log(y)` for a `y` made of exponentials, sigmoids, softmaxes and positive constants, without them.
pub fn log_of_exponentials(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let y = unary_of(g, id, &ops::LOG)?;
    if g.fill_value(y).is_some() {
        return None;
    }
    Some(log(g, y)?.node)
}

/// `log(a b) = log(a) + log(b)` and the same for quotients, where one of the two is made of exponentials: the other has the sign
/// of the whole.
pub fn log_of_product(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let y = unary_of(g, id, &ops::LOG)?;
    let is_product = g.is(y, &ops::MUL);
    let (a, b) = binary_of(g, y, if is_product { &ops::MUL } else { &ops::DIV })?;
    if g.fill_value(a).or(g.fill_value(b)).is_some() {
        return None;
    }
    let left = log(g, a);
    let right = if left.is_none() { Some(log(g, b)?) } else { None };
    let mut either = |known: Option<Log>, x| known.map_or_else(|| g.unary(&ops::LOG, x), |log| log.node);
    let (left, right) = (either(left, a), either(right, b));
    Some(if is_product { g.add(left, right) } else { g.sub(left, right) })
}

/// `log(cosh(x)) = log_cosh(x)`.
pub fn log_of_cosh(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let y = unary_of(g, id, &ops::LOG)?;
    let x = unary_of(g, y, &ops::COSH)?;
    Some(g.unary(&ops::LOG_COSH, x))
}

/// `log1p(y) = softplus(log(y))` for a `y` made of exponentials: together with `log(1 + y) = log1p(y)`,
/// `log(1 + exp(x)) = softplus(x)`.
pub fn softplus(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let y = unary_of(g, id, &ops::LOG1P)?;
    let log = log(g, y).filter(|log| log.large)?;
    Some(g.unary(&ops::SOFTPLUS, log.node))
}

/// `y / s` for a sum `s` of exponentials, where `y` is made of exponentials or has a factor that is: `exp(log(y) - log(s))`, and
/// `p / (p + q) = sigmoid(log(p) - log(q))`. Also `x / (1 + exp(z)) = x sigmoid(-z)` for every `x`.
pub fn quotient(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (y, s) = binary_of(g, id, &ops::DIV)?;
    let total = if is_sum(g, s) { log(g, s).filter(|log| log.large)? } else { return None };
    if let Some((_, rest)) = either_of(g, s, &ops::ADD, |p| p == y) {
        let (p, q) = (log(g, y)?, log(g, rest)?);
        let ahead = g.sub(p.node, q.node);
        return Some(g.unary(&ops::SIGMOID, ahead));
    }
    let divided = |g: &mut Graph, log: NodeId| {
        let rest = g.sub(log, total.node);
        g.unary(&ops::EXP, rest)
    };
    if g.fill_value(y).is_none()
        && let Some(log) = log(g, y)
    {
        return Some(divided(g, log.node));
    }
    if let Some((log, other)) = exponential_factor(g, y) {
        let share = divided(g, log);
        return Some(g.mul(share, other));
    }
    let (one, e) = binary_of(g, s, &ops::ADD)?;
    let z = if is_fill(g, one, 1.0) { unary_of(g, e, &ops::EXP)? } else { return None };
    let opposite = g.neg(z);
    let share = g.unary(&ops::SIGMOID, opposite);
    Some(g.mul(y, share))
}

/// The logarithm of a factor of `y` that is made of exponentials, and the other factor, if the product stands outermost or under
/// rearrangements.
pub fn exponential_factor(g: &mut Graph, y: NodeId) -> Option<(NodeId, NodeId)> {
    if VIEWS.into_iter().any(|op| g.is(y, op)) {
        let mut operands = inputs(g, y);
        let (log, other) = exponential_factor(g, operands[0])?;
        operands[0] = log;
        let log = with_inputs(g, y, &operands);
        operands[0] = other;
        return Some((log, with_inputs(g, y, &operands)));
    }
    let (a, b) = binary_of(g, y, &ops::MUL)?;
    let found = |log: Option<Log>| log.filter(|log| log.large).map(|log| log.node);
    if let Some(log) = found(log(g, a)) {
        return Some((log, b));
    }
    found(log(g, b)).map(|log| (log, a))
}

/// Whether `x` is a sum, perhaps rearranged.
fn is_sum(g: &Graph, mut x: NodeId) -> bool {
    while VIEWS.into_iter().any(|op| g.is(x, op)) {
        x = g.node(x).inputs[0];
    }
    [&ops::ADD, &ops::SUM, &ops::DOT].into_iter().any(|op| g.is(x, op))
}

/// `(exp(a) - exp(b)) / (exp(a) + exp(b)) = tanh((a - b) / 2)`, and `expm1(z) / (1 + exp(z)) = tanh(z / 2)`.
pub fn tanh_of_exponentials(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (difference, sum) = binary_of(g, id, &ops::DIV)?;
    let (p, q) = binary_of(g, sum, &ops::ADD)?;
    let twice = if let Some(z) = unary_of(g, difference, &ops::EXPM1) {
        let e = if is_fill(g, p, 1.0) { q } else { return None };
        unary_of(g, e, &ops::EXP).filter(|&x| x == z)?
    } else {
        let (a, b) = binary_of(g, difference, &ops::SUB)?;
        if (a, b) != (p, q) && (a, b) != (q, p) {
            return None;
        }
        let (a, b) = (unary_of(g, a, &ops::EXP)?, unary_of(g, b, &ops::EXP)?);
        g.sub(a, b)
    };
    let half = g.scale(twice, 0.5);
    Some(g.unary(&ops::TANH, half))
}

/// [`log_of`] for an expression of reasonable size.
pub fn log(g: &mut Graph, x: NodeId) -> Option<Log> {
    let mut budget = BUDGET;
    log_of(g, x, &mut budget)
}

/// The logarithm of `x`, if `x` is made of exponentials, sigmoids, softmaxes and positive constants by products, quotients, sums,
/// choices and rearrangements.
fn log_of(g: &mut Graph, x: NodeId, budget: &mut usize) -> Option<Log> {
    *budget = budget.checked_sub(1)?;
    if !is_real(g, x) {
        return None;
    }
    if let Some(value) = g.fill_value(x) {
        let positive = value.is_normal() && value > 0.0;
        return positive.then(|| Log { node: fill_like(g, libm::log(value), x), large: false });
    }
    if let Some(z) = unary_of(g, x, &ops::EXP) {
        return Some(Log { node: z, large: true });
    }
    if let Some(z) = unary_of(g, x, &ops::SIGMOID) {
        let opposite = g.neg(z);
        let softplus = g.unary(&ops::SOFTPLUS, opposite);
        return Some(Log { node: g.neg(softplus), large: false });
    }
    if let Some((z, axis)) = along(g, x, &ops::SOFTMAX) {
        return Some(Log { node: g.log_softmax(z, axis), large: false });
    }
    if VIEWS.into_iter().any(|op| g.is(x, op)) {
        let mut operands = inputs(g, x);
        let log = log_of(g, operands[0], budget)?;
        operands[0] = log.node;
        return Some(Log { node: with_inputs(g, x, &operands), ..log });
    }
    if let Some((c, a, b)) = select_of(g, x) {
        let (a, b) = (log_of(g, a, budget)?, log_of(g, b, budget)?);
        return Some(Log { node: g.select(c, a.node, b.node), large: a.large || b.large });
    }
    log_of_pair(g, x, budget).or_else(|| log_of_reduction(g, x, budget))
}

/// [`log_of`] for products, quotients and sums of two.
fn log_of_pair(g: &mut Graph, x: NodeId, budget: &mut usize) -> Option<Log> {
    let op = [&ops::MUL, &ops::DIV, &ops::ADD].into_iter().find(|op| g.is(x, op))?;
    let (a, b) = binary_of(g, x, op)?;
    let left = log_of(g, a, budget)?;
    let right = log_of(g, b, budget)?;
    let large = left.large || right.large;
    let node = if g.is(x, &ops::MUL) {
        g.add(left.node, right.node)
    } else if g.is(x, &ops::DIV) {
        g.sub(left.node, right.node)
    } else if !large {
        // Nothing overflows in a sum of probabilities, and it costs less.
        return None;
    } else if is_fill(g, a, 1.0) {
        g.unary(&ops::SOFTPLUS, right.node)
    } else {
        log_add(g, left.node, right.node)
    };
    Some(Log { node, large })
}

/// `log(exp(a) + exp(b))`: the larger, and `softplus` of the other's distance from it. The choice is written so that either side
/// has the exact derivatives of the whole, also where the two are equal.
fn log_add(g: &mut Graph, a: NodeId, b: NodeId) -> NodeId {
    let ahead = g.sub(a, b);
    let zero = g.zeros_like(ahead);
    let first = g.binary(&ops::LT, zero, ahead);
    let behind = g.neg(ahead);
    let distance = g.select(first, behind, ahead);
    let rest = g.unary(&ops::SOFTPLUS, distance);
    let larger = g.select(first, a, b);
    g.add(larger, rest)
}

/// [`log_of`] for sums, products and contractions over axes.
fn log_of_reduction(g: &mut Graph, x: NodeId, budget: &mut usize) -> Option<Log> {
    if g.is(x, &ops::DOT) {
        return log_of_contraction(g, x, budget);
    }
    let is_product = g.is(x, &ops::PROD);
    let Attrs::Axes(axes) = g.node(x).attrs.clone() else { return None };
    if !is_product && !g.is(x, &ops::SUM) {
        return None;
    }
    let y = inputs(g, x)[0];
    if is_product {
        let log = log_of(g, y, budget)?;
        return Some(Log { node: g.sum(log.node, &axes), ..log });
    }
    log_of_terms(g, y, &axes, budget).filter(|log| log.large)
}

/// [`log_of`] for the terms of a sum over axes, of which some may be left out: `log(0) = -inf` adds nothing. Where all are, the
/// result is chosen to be `-inf`, so that no derivative is taken of it there.
fn log_of_terms(g: &mut Graph, y: NodeId, axes: &[usize], budget: &mut usize) -> Option<Log> {
    let choice = select_of(g, y).and_then(|(c, a, b)| {
        let (first, second) = (is_fill(g, b, 0.0), is_fill(g, a, 0.0));
        if first { Some((c, a)) } else { second.then(|| (g.not(c), b)) }
    });
    let Some((counts, term)) = choice else {
        let log = log_of(g, y, budget)?;
        return Some(Log { node: log_sum_exp(g, log.node, axes), ..log });
    };
    let log = log_of(g, term, budget)?;
    let nothing = fill_like(g, f64::NEG_INFINITY, y);
    let exponent = g.select(counts, log.node, nothing);
    let sum = log_sum_exp(g, exponent, axes);
    let number = g.cast(counts, Elem::Int);
    let number = g.max_over(number, axes);
    let zero = g.zeros_like(number);
    let some = g.binary(&ops::NE, number, zero);
    let nothing = fill_like(g, f64::NEG_INFINITY, sum);
    Some(Log { node: g.select(some, sum, nothing), ..log })
}

/// `log(sum(exp(z)))` over axes.
fn log_sum_exp(g: &mut Graph, z: NodeId, axes: &[usize]) -> NodeId {
    axes.iter().rev().fold(z, |z, &axis| g.logsumexp(z, axis))
}

/// [`log_of`] for a contraction of two arrays made of exponentials, of which one has no axes of its own.
fn log_of_contraction(g: &mut Graph, x: NodeId, budget: &mut usize) -> Option<Log> {
    for flip in [false, true] {
        let Some(sum) = WeightedSum::new(g, x, flip) else { continue };
        let (weight, other) = (log_of(g, sum.weight, budget)?, log_of(g, sum.other, budget)?);
        let weight_node = sum.repeat(g, weight.node);
        let exponent = g.add(weight_node, other.node);
        let node = log_sum_exp(g, exponent, &sum.summed);
        let node = sum.arrange(g, node);
        return (weight.large || other.large).then_some(Log { node, large: true });
    }
    None
}
