//! An expression as a sum of terms: `c * (f + g)`, `sum(f - g)` and the like are taken apart, so that each term can be judged
//! by the means that suit it and named in an explanation.

use super::walk::Walk;
use crate::ir::graph::{Graph, NodeId};
use crate::ops::{self, Curvature};
use crate::types::Elem;

/// More terms than this are left together.
const MOST: usize = 200;

/// The terms, with their signs and constant factors, whose sum is `root`, and whether each was written with a minus that does
/// not belong to its place in the source. New nodes keep the places of the terms.
pub fn terms(g: &mut Graph, walk: &mut Walk, root: NodeId) -> Vec<(NodeId, bool)> {
    let outer = g.set_span(None);
    let mut room = MOST;
    let found = split(g, walk, root, &mut room);
    g.set_span(outer);
    found
}

/// What stands around a term: operators that are linear in it.
enum Around {
    /// Nothing but a sum: the operand itself, or its opposite.
    Sign(bool),
    /// The operator of the node with this operand replaced.
    Operand(usize),
}

fn split(g: &mut Graph, walk: &mut Walk, id: NodeId, room: &mut usize) -> Vec<(NodeId, bool)> {
    let parts = parts(g, walk, id);
    if parts.is_empty() || *room == 0 {
        return vec![(id, false)];
    }
    *room -= 1;
    let mut found = Vec::new();
    for (part, around) in parts {
        for (term, minus) in split(g, walk, part, room) {
            let span = g.node(term).span;
            g.set_span(span);
            let whole = match around {
                Around::Sign(false) => term,
                Around::Sign(true) => g.neg(term),
                Around::Operand(k) => {
                    let node = g.node(id);
                    let (op, attrs, mut inputs) = (node.op.0, node.attrs.clone(), node.inputs.clone());
                    inputs[k] = term;
                    g.apply(op, attrs, &inputs)
                }
            };
            let turned = matches!(around, Around::Sign(true));
            found.push((whole, minus != turned));
        }
    }
    found
}

/// The operands that a node is a sum of, if it is one.
fn parts(g: &Graph, walk: &mut Walk, id: NodeId) -> Vec<(NodeId, Around)> {
    let inputs = g.node(id).inputs.clone();
    let mut constant = |k: usize| walk.fact(g, inputs[k]).is_constant();
    if g.is(id, &ops::ADD) {
        return vec![(inputs[0], Around::Sign(false)), (inputs[1], Around::Sign(false))];
    }
    if g.is(id, &ops::SUB) {
        return vec![(inputs[0], Around::Sign(false)), (inputs[1], Around::Sign(true))];
    }
    if g.is(id, &ops::NEG) {
        return vec![(inputs[0], Around::Sign(true))];
    }
    if g.is(id, &ops::MUL) && constant(0) {
        return vec![(inputs[1], Around::Operand(1))];
    }
    if (g.is(id, &ops::MUL) || g.is(id, &ops::DIV)) && constant(1) {
        return vec![(inputs[0], Around::Operand(0))];
    }
    let sum = matches!(g.node(id).op.0.curvature, Curvature::Sum(_));
    if sum && inputs.len() == 1 && g.ty(inputs[0]).elem == Elem::Real {
        return vec![(inputs[0], Around::Operand(0))];
    }
    Vec::new()
}
