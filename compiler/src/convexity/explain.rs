//! Which part of an expression keeps it from being convex, and why.

use super::walk::Walk;
use crate::ir::graph::{Graph, NodeId};
use crate::ops::curvature::{Bend, Fact};
use crate::ops::{self, Curvature};

/// The deepest part of `id` that is not as `wanted`, with a phrase about it. `None` if all is as wanted.
pub fn culprit(g: &Graph, walk: &Walk, id: NodeId, wanted: Bend) -> Option<(NodeId, String)> {
    let fact = walk.known(id)?;
    if fits(fact, wanted) {
        return None;
    }
    let inputs = &g.node(id).inputs;
    let below = |k: usize, wanted: Bend| culprit(g, walk, inputs[k], wanted);
    let sign = |k: usize| walk.known(inputs[k]).filter(|f| f.is_constant()).map(|f| f.range.hull());
    let found = if g.is(id, &ops::ADD) {
        below(0, wanted).or_else(|| below(1, wanted))
    } else if g.is(id, &ops::SUB) {
        below(0, wanted).or_else(|| below(1, wanted.flipped()))
    } else if g.is(id, &ops::NEG) {
        below(0, wanted.flipped())
    } else if g.is(id, &ops::MUL) || g.is(id, &ops::DIV) {
        let factors = [(0, 1), (1, 0)].into_iter().filter(|&(_, other)| g.is(id, &ops::MUL) || other == 0);
        let factors: Vec<(usize, usize)> = factors.collect();
        factors.into_iter().find_map(|(k, other)| {
            let sign = sign(k)?;
            if sign.is_nonnegative() {
                below(other, wanted)
            } else if sign.is_nonpositive() {
                below(other, wanted.flipped())
            } else {
                None
            }
        })
    } else if matches!(g.node(id).op.0.curvature, Curvature::Sum(_)) {
        (0..inputs.len()).find_map(|k| below(k, wanted))
    } else {
        None
    };
    found.or_else(|| match &fact.fault {
        Some(fault) => Some((fault.node, fault.why.clone())),
        None => Some((id, format!("this is {}", fact.bend.word()))),
    })
}

fn fits(fact: &Fact, wanted: Bend) -> bool {
    match wanted {
        Bend::Convex => fact.bend.is_convex(),
        Bend::Concave => fact.bend.is_concave(),
        _ => fact.bend.is_affine(),
    }
}
