//! Negations: they move towards the root through sums and products until they meet another sign.

use super::pattern::{binary_of, coefficient, either_of, fill_like, inputs, scaled, unary_of, with_inputs};
use crate::ir::graph::{Graph, NodeId};
use crate::ops;

/// `--x = x`, `-(a - b) = b - a`, `-(c x) = (-c) x` and `-(c + x) = -c - x`.
pub fn neg_inside(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let x = unary_of(g, id, &ops::NEG)?;
    if let Some((a, b)) = binary_of(g, x, &ops::SUB) {
        return Some(g.sub(b, a));
    }
    let (c, y) = coefficient(g, x);
    if y != x {
        return Some(scaled(g, -c, y));
    }
    let (c, y) = either_of(g, x, &ops::ADD, |a| g.fill_value(a).is_some())?;
    let offset = g.fill_value(c)?;
    let offset = fill_like(g, -offset, y);
    Some(g.sub(offset, y))
}

/// `a + (-b) = a - b`, `a - (-b) = a + b` and `(-a) - b = -(a + b)`; a negation under a rearrangement counts.
pub fn add_neg(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    if let Some((a, b)) = binary_of(g, id, &ops::ADD) {
        if let Some(b) = negated(g, b) {
            return Some(g.sub(a, b));
        }
        return negated(g, a).map(|a| g.sub(b, a));
    }
    let (a, b) = binary_of(g, id, &ops::SUB)?;
    if let Some(b) = negated(g, b) {
        return Some(g.add(a, b));
    }
    let a = negated(g, a)?;
    let sum = g.add(a, b);
    Some(g.neg(sum))
}

/// `y` with `x = -y`, if the negation stands outermost or under rearrangements.
fn negated(g: &mut Graph, x: NodeId) -> Option<NodeId> {
    if let Some(y) = unary_of(g, x, &ops::NEG) {
        return Some(y);
    }
    let view = [&ops::BROADCAST, &ops::TRANSPOSE, &ops::RESHAPE].into_iter().any(|op| g.is(x, op));
    if !view {
        return None;
    }
    let y = unary_of(g, inputs(g, x)[0], &ops::NEG)?;
    Some(with_inputs(g, x, &[y]))
}

/// `(-a) b = -(a b)`, `(-a) / b = -(a / b)` and `a / (-b) = -(a / b)`.
pub fn mul_neg(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    if let Some((a, b)) = either_of(g, id, &ops::MUL, |a| g.is(a, &ops::NEG)) {
        let a = unary_of(g, a, &ops::NEG)?;
        let product = g.mul(a, b);
        return Some(g.neg(product));
    }
    let (a, b) = binary_of(g, id, &ops::DIV)?;
    let ratio = match (unary_of(g, a, &ops::NEG), unary_of(g, b, &ops::NEG)) {
        (Some(a), Some(b)) => return Some(g.div(a, b)),
        (Some(a), None) => g.div(a, b),
        (None, Some(b)) => g.div(a, b),
        (None, None) => return None,
    };
    Some(g.neg(ratio))
}
