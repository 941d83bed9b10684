//! Rules for truth values, choices and casts.

use crate::ir::graph::{Graph, NodeId};
use crate::ops;
use crate::types::Elem;

use super::{Rule, matching, operands};

pub static RULES: &[Rule] = &[
    Rule::at(&ops::NOT, "not not x", |g, id| {
        let [x] = operands(g, id);
        matching(g, x, &ops::NOT).map(|[y]| y)
    }),
    Rule::at(&ops::AND, "and with a constant", |g, id| with_constant(g, id, 1.0)),
    Rule::at(&ops::OR, "or with a constant", |g, id| with_constant(g, id, 0.0)),
    Rule::at(&ops::SELECT, "choice by a constant", |g, id| {
        let [c, a, b] = operands(g, id);
        g.fill_value(c).map(|c| if c == 0.0 { b } else { a })
    }),
    Rule::at(&ops::SELECT, "choice between equals", |g, id| {
        let [_, a, b] = operands(g, id);
        (a == b).then_some(a)
    }),
    Rule::at(&ops::SELECT, "choice by a negation", |g, id| {
        let [c, a, b] = operands(g, id);
        let [c] = matching(g, c, &ops::NOT)?;
        Some(g.select(c, b, a))
    }),
    Rule::at(&ops::SELECT, "the same choice twice", |g, id| {
        let [c, a, b] = operands(g, id);
        let inner = |g: &Graph, x: NodeId| matching(g, x, &ops::SELECT).filter(|[d, _, _]| *d == c);
        let yes = inner(g, a).map(|[_, yes, _]| yes);
        let no = inner(g, b).map(|[_, _, no]| no);
        (yes.is_some() || no.is_some()).then(|| g.select(c, yes.unwrap_or(a), no.unwrap_or(b)))
    }),
    Rule::at(&ops::CAST, "cast of a cast", |g, id| {
        let [x] = operands(g, id);
        let [y] = matching(g, x, &ops::CAST)?;
        let elem: Elem = g.ty(id).elem;
        Some(g.cast(y, elem))
    }),
];

/// `and` and `or`: the neutral constant disappears, the other one decides.
fn with_constant(g: &mut Graph, id: NodeId, neutral: f64) -> Option<NodeId> {
    let [a, b] = operands(g, id);
    if a == b {
        return Some(a);
    }
    for (constant, other) in [(a, b), (b, a)] {
        if let Some(value) = g.fill_value(constant) {
            return Some(if value == neutral { other } else { constant });
        }
    }
    None
}
