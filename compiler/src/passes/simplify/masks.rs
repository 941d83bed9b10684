//! Choices with a zero branch, as they come up in derivatives of `select`: arithmetic moves into the branch that counts, so
//! that infinities of the other one are never multiplied by zero.

use super::pattern::{binary_of, either_of, fill_like, is_fill, select_of, unary_of};
use crate::ir::graph::{Graph, NodeId};
use crate::ops;
use crate::types::Elem;

/// Whether a node is a choice with a branch of zeros.
fn is_mask(g: &Graph, id: NodeId) -> bool {
    select_of(g, id).is_some_and(|(_, a, b)| is_fill(g, a, 0.0) || is_fill(g, b, 0.0))
}

/// `select(c, g, 0) p = select(c, g p, 0)`, also mirrored and for quotients; likewise `cast(c) p = select(c, p, 0)` for a
/// truth value `c`. A constant `p` stays outside: it is finite, and outside it meets other constants.
pub fn mul_select(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    if let Some((mask, p)) = binary_of(g, id, &ops::DIV) {
        return if is_mask(g, mask) && g.fill_value(p).is_none() {
            into_branches(g, mask, |g, x| g.div(x, p))
        } else {
            None
        };
    }
    if let Some((mask, p)) = either_of(g, id, &ops::MUL, |x| is_mask(g, x)) {
        return if g.fill_value(p).is_none() { into_branches(g, mask, |g, x| g.mul(x, p)) } else { None };
    }
    let is_truth = |x: NodeId| unary_of(g, x, &ops::CAST).is_some_and(|c| g.ty(c).elem == Elem::Bool);
    let (mask, p) = either_of(g, id, &ops::MUL, is_truth)?;
    let condition = unary_of(g, mask, &ops::CAST)?;
    if g.fill_value(p).is_some() {
        return None;
    }
    let zero = fill_like(g, 0.0, p);
    Some(g.select(condition, p, zero))
}

/// `cast(select(c, 1, 0)) = select(c, cast(1), cast(0))`: a choice of constants is a mask in any element type.
pub fn cast_select(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let choice = unary_of(g, id, &ops::CAST)?;
    let (c, a, b) = select_of(g, choice)?;
    let (a, b) = (g.fill_value(a)?, g.fill_value(b)?);
    let (a, b) = (fill_like(g, a, id), fill_like(g, b, id));
    Some(g.select(c, a, b))
}

/// Applies `f` to the branch of a mask that is not zero.
fn into_branches(g: &mut Graph, mask: NodeId, f: impl Fn(&mut Graph, NodeId) -> NodeId) -> Option<NodeId> {
    let (c, a, b) = select_of(g, mask)?;
    Some(if is_fill(g, b, 0.0) {
        let value = f(g, a);
        g.select(c, value, b)
    } else {
        let value = f(g, b);
        g.select(c, a, value)
    })
}

/// `-select(c, g, 0) = select(c, -g, 0)`, and mirrored.
pub fn neg_select(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let mask = unary_of(g, id, &ops::NEG)?;
    if is_mask(g, mask) { into_branches(g, mask, Graph::neg) } else { None }
}

/// `select(c, a, 0) + select(c, b, 0) = select(c, a + b, 0)` and `select(c, a, 0) + select(c, 0, b) = select(c, a, b)`, also
/// mirrored and for differences: at most one sum remains per branch.
pub fn add_selects(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let is_add = g.is(id, &ops::ADD);
    let (x, y) = binary_of(g, id, if is_add { &ops::ADD } else { &ops::SUB })?;
    let ((c, a, b), (d, p, q)) = (select_of(g, x)?, select_of(g, y)?);
    let zero = |x: NodeId| is_fill(g, x, 0.0);
    let easy = (zero(a) || zero(p)) as u8 + (zero(b) || zero(q)) as u8;
    if c != d || easy == 0 {
        return None;
    }
    let (left, right) = if is_add { (g.add(a, p), g.add(b, q)) } else { (g.sub(a, p), g.sub(b, q)) };
    Some(g.select(c, left, right))
}
