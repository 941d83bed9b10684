//! An expression as a sum of terms: `c * (f + g)`, `sum(f - g)` and the like are taken apart, so that each term can be judged
//! by the means that suit it and named in an explanation.

use super::walk::Walk;
use crate::ir::graph::{Graph, NodeId};
use crate::ops::{self, Curvature};
use crate::types::Elem;
use blo_grammar::span::Span;

/// More terms than this are left together.
const MOST: usize = 200;

/// A term.
#[derive(Clone, Copy)]
pub struct Part {
    /// The term, with its sign and its constant factors.
    pub node: NodeId,
    /// The smallest expression around it that stands in the text at hand, not in a function that it calls.
    pub shown: Option<Span>,
    /// Whether it counts with a minus that stands outside of that.
    pub minus: bool,
}

/// The terms whose sum is `root`, which stands at `place`; `opposite`: what stands there is its opposite, as with `maximize`. New
/// nodes keep the places of the terms.
pub fn terms(g: &mut Graph, walk: &mut Walk, root: NodeId, place: Span, opposite: bool) -> Vec<Part> {
    let outer = g.set_span(None);
    let mut room = MOST;
    let inner = (opposite && g.is(root, &ops::NEG)).then(|| g.node(root).inputs[0]);
    let mut found = split(g, walk, inner.unwrap_or(root), place, &mut room);
    if inner.is_some() {
        for term in &mut found {
            term.node = rebuilt(g, root, term.node, Around::Sign(true));
            term.minus = !term.minus;
        }
    }
    g.set_span(outer);
    found
}

/// What stands around a term: operators that are linear in it.
#[derive(Clone, Copy)]
enum Around {
    /// Nothing but a sum: the operand itself, or its opposite.
    Sign(bool),
    /// The operator of the node with this operand replaced.
    Operand(usize),
}

fn split(g: &mut Graph, walk: &mut Walk, id: NodeId, place: Span, room: &mut usize) -> Vec<Part> {
    let own = g.node(id).span.filter(|span| covers(place, *span));
    let parts = parts(g, walk, id);
    if parts.is_empty() || *room == 0 {
        return vec![Part { node: id, shown: own, minus: false }];
    }
    *room -= 1;
    let single = parts.len() == 1;
    let mut found = Vec::new();
    for (k, &(operand, around)) in parts.iter().enumerate() {
        let terms = split(g, walk, operand, place, room);
        let whole = single && terms.len() == 1;
        let rest = own.map(|own| beside(g, own, &parts, k));
        for term in terms {
            let node = rebuilt(g, id, term.node, around);
            let turned = matches!(around, Around::Sign(true));
            found.push(match (term.shown, rest) {
                // Inside of a function nothing is shown but the call around it.
                (_, None) => Part { node, shown: None, minus: false },
                (_, _) if whole => Part { node, shown: own, minus: false },
                (Some(_), _) => Part { node, minus: term.minus != turned, ..term },
                (None, rest) => Part { node, shown: rest, minus: turned },
            });
        }
    }
    found
}

/// What stands around `term` in the node `id`, put around it again.
fn rebuilt(g: &mut Graph, id: NodeId, term: NodeId, around: Around) -> NodeId {
    let span = g.node(term).span;
    g.set_span(span);
    match around {
        Around::Sign(false) => term,
        Around::Sign(true) => g.neg(term),
        Around::Operand(k) => {
            let node = g.node(id);
            let (op, attrs, mut inputs) = (node.op.0, node.attrs.clone(), node.inputs.clone());
            inputs[k] = term;
            g.apply(op, attrs, &inputs)
        }
    }
}

/// The place of operand `k` of a sum at `own`, whose nodes may have places elsewhere: what the other operand leaves.
fn beside(g: &Graph, own: Span, parts: &[(NodeId, Around)], k: usize) -> Span {
    let other = parts.get(1 - k.min(1)).filter(|_| parts.len() == 2);
    match other.and_then(|&(node, _)| g.node(node).span).filter(|span| covers(own, *span)) {
        Some(other) if k == 0 && other.start > own.start => Span { end: other.start, ..own },
        Some(other) if k == 1 && other.end < own.end => Span { start: other.end, ..own },
        _ => own,
    }
}

/// Whether `inner` lies in `outer`.
pub fn covers(outer: Span, inner: Span) -> bool {
    outer.file == inner.file && outer.start <= inner.start && inner.end <= outer.end
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
