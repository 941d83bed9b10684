//! Logarithms and quotients of what is made of exponentials. Such an expression is positive, and its logarithm is known without
//! computing it: `log(exp(a) exp(b)) = a + b`, `log(sum(exp(z))) = logsumexp(z)`. So no exponential overflows on the way to a
//! logarithm, none vanishes, and derivatives, which are taken afterwards, do neither.

use smallvec::SmallVec;

use super::pattern::{
    along, binary_of, either_of, fill_like, inputs, is_fill, is_real, select_of, unary_of, with_inputs,
};
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::ops::axes::{kept, spread, without};
use crate::ops::{self, Operator};
use crate::types::Axes;

/// How many nodes one search may look at.
const BUDGET: usize = 64;

/// What shows elements of its first operand.
static VIEWS: [&Operator; 5] = [&ops::BROADCAST, &ops::TRANSPOSE, &ops::RESHAPE, &ops::SLICE, &ops::GATHER];

/// The logarithm of a positive expression.
struct Log {
    node: NodeId,
    /// Whether the expression itself has an exponential of unbounded size.
    large: bool,
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
fn exponential_factor(g: &mut Graph, y: NodeId) -> Option<(NodeId, NodeId)> {
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
fn log(g: &mut Graph, x: NodeId) -> Option<Log> {
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
    if let Some(log) = log_of_term(g, y, budget) {
        return log.large.then(|| Log { node: log_sum_exp(g, log.node, &axes), large: true });
    }
    let (a, b) = binary_of(g, y, &ops::MUL)?;
    for (weight, e) in [(a, b), (b, a)] {
        if let Some(log) = log_of(g, e, budget).filter(|log| log.large) {
            return Some(Log { node: weighted(g, weight, log.node, &axes)?, large: true });
        }
    }
    None
}

/// [`log_of`] for a term of a sum, which may also be left out: `log(0) = -inf` adds nothing there.
fn log_of_term(g: &mut Graph, y: NodeId, budget: &mut usize) -> Option<Log> {
    let nothing = fill_like(g, f64::NEG_INFINITY, y);
    match select_of(g, y) {
        Some((c, a, b)) if is_fill(g, b, 0.0) => {
            let log = log_of(g, a, budget)?;
            Some(Log { node: g.select(c, log.node, nothing), ..log })
        }
        Some((c, a, b)) if is_fill(g, a, 0.0) => {
            let log = log_of(g, b, budget)?;
            Some(Log { node: g.select(c, nothing, log.node), ..log })
        }
        _ => log_of(g, y, budget),
    }
}

/// `log(sum(exp(z)))` over axes.
fn log_sum_exp(g: &mut Graph, z: NodeId, axes: &[usize]) -> NodeId {
    axes.iter().rev().fold(z, |z, &axis| g.logsumexp(z, axis))
}

/// `log(sum(w exp(z)))` over axes for any weights: the largest exponent that has a weight is taken out. It is no function of
/// the result's derivatives, because the whole does not depend on it.
fn weighted(g: &mut Graph, w: NodeId, z: NodeId, axes: &[usize]) -> Option<NodeId> {
    if is_shifted(g, z, 5) {
        return None;
    }
    let zero = g.zeros_like(w);
    let counts = g.binary(&ops::NE, w, zero);
    let nothing = fill_like(g, f64::NEG_INFINITY, z);
    let candidates = g.select(counts, z, nothing);
    let largest = g.max_over(candidates, axes);
    let lowest = fill_like(g, f64::NEG_INFINITY, largest);
    let some = g.binary(&ops::LT, lowest, largest);
    let none = g.zeros_like(largest);
    let shift = g.select(some, largest, none);
    let shift = g.stop_gradient(shift);
    let shape = g.shape(z).clone();
    let repeated = spread(g, shift, &shape, axes);
    let away = g.sub(z, repeated);
    let away = g.select(counts, away, zero);
    let e = g.unary(&ops::EXP, away);
    let terms = g.mul(w, e);
    let sum = g.sum(terms, axes);
    let log = g.unary(&ops::LOG, sum);
    Some(g.add(shift, log))
}

/// Whether an exponent has its largest value taken out already.
fn is_shifted(g: &Graph, z: NodeId, depth: usize) -> bool {
    g.is(z, &ops::STOP_GRADIENT)
        || (depth > 0 && g.node(z).inputs.iter().any(|&input| is_shifted(g, input, depth - 1)))
}

/// [`log_of`] for a contraction of exponentials with an array that has no axes of its own.
fn log_of_contraction(g: &mut Graph, x: NodeId, budget: &mut usize) -> Option<Log> {
    let (a, b) = binary_of(g, x, &ops::DOT)?;
    let axes = ops::dot::axes(&g.node(x).attrs).clone();
    let mirrored = |pairs: &[(usize, usize)]| pairs.iter().map(|&(l, r)| (r, l)).collect();
    let straight = |pairs: &[(usize, usize)]| pairs.iter().copied().collect();
    for (w, e, flip) in [(a, b, false), (b, a, true)] {
        let pairs = |p: &[(usize, usize)]| -> SmallVec<[(usize, usize); 4]> {
            if flip { mirrored(p) } else { straight(p) }
        };
        // Pairs of axes of the weights and of the exponentials.
        let (batch, contract) = (pairs(&axes.batch), pairs(&axes.contract));
        if batch.len() + contract.len() != g.shape(w).len() {
            continue;
        }
        let Some(log) = log_of(g, e, budget).filter(|log| log.large) else { continue };
        let mut places: Vec<(usize, usize)> = batch.iter().chain(&contract).map(|&(w, e)| (e, w)).collect();
        places.sort_unstable();
        let order: Axes = places.iter().map(|&(_, w)| w).collect();
        let map: Axes = places.iter().map(|&(e, _)| e).collect();
        let shape = g.shape(e).clone();
        let mut summed: Axes = contract.iter().map(|&(_, e)| e).collect();
        summed.sort_unstable();
        let repeat = |g: &mut Graph, w: NodeId| {
            let turned = g.transpose(w, &order);
            g.broadcast(turned, &shape, &map)
        };
        let node = match log_of(g, w, budget) {
            Some(weight) => {
                let weight = repeat(g, weight.node);
                let exponent = g.add(weight, log.node);
                log_sum_exp(g, exponent, &summed)
            }
            None => {
                let weight = repeat(g, w);
                weighted(g, weight, log.node, &summed)?
            }
        };
        // Batch axes come first in a contraction; here they stand where the exponentials have them.
        let stay = kept(shape.len(), &summed);
        let first: Axes = batch.iter().map(|&(_, e)| e).collect();
        let rest = stay.iter().copied().filter(|k| !first.contains(k));
        let wanted = first.iter().copied().chain(rest);
        let perm: Axes = wanted.filter_map(|k| stay.iter().position(|&s| s == k)).collect();
        debug_assert_eq!(perm.len(), without(&shape, &summed).len());
        return Some(Log { node: g.transpose(node, &perm), large: true });
    }
    None
}
