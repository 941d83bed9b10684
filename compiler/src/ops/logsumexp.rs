//! The logarithm of a sum of exponentials along an axis.

use super::curvature::{Bend, Fact, Facts, Slope, combine};
use super::curvature::interval::Interval;
use super::curvature::range::Range;
use crate::ir::graph::{Graph, NodeId};
use super::axes::{along_axis, along_reduced, along_samples, fold_rows, log_sum_exp, spread};
use super::elementwise::operand;
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The logarithm of the sum of exponentials along an axis.
pub static LOGSUMEXP: Operator = Operator {
    name: "logsumexp",
    definition: "logsumexp(x) = log(sum of e^x along an axis), which disappears; real arrays; -inf over nothing",
    domain: "everywhere; does not overflow",
    surface: Surface::AlongReduced("logsumexp"),
    shape: along_reduced,
    value: |attrs, x, _| fold_rows(x[0], &[along_axis(attrs)], log_sum_exp),
    derivative: Derivative::Rule {
        jvp: |g, node, tangents| {
            let tangent = tangents[0]?;
            let axis = along_axis(&g.node(node).attrs);
            let x = operand(g, node, 0);
            let softmax = g.softmax(x, axis);
            let weighted = g.mul(softmax, tangent);
            Some(g.sum(weighted, &[axis]))
        },
        vjp: |g, node, cotangent, _| {
            let axis = along_axis(&g.node(node).attrs);
            let x = operand(g, node, 0);
            let softmax = g.softmax(x, axis);
            let shape = g.shape(x).clone();
            let cotangent = spread(g, cotangent, &shape, &[axis]);
            Some(g.mul(cotangent, softmax))
        },
    },
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Rows("logsumexp"),
    samples: along_samples,
};

/// Convex and rising in every element: convex for a convex operand.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let operand = g.node(id).inputs[0];
    let x = facts.of(operand);
    let terms = g.shape(operand)[along_axis(&g.node(id).attrs)];
    let place = x.range.hull();
    let most = libm::log(terms.max(1) as f64);
    let range = Interval::new(place.lo, place.hi).plus(Interval::new(0.0, most)).rounded();
    let bend = if x.bend.is_convex() { Bend::Convex } else { Bend::Unknown };
    let why = || format!("`logsumexp` is convex and rising, and is applied to something {}", x.bend.word());
    Fact {
        range: Range::uniform(if terms == 0 { Interval::ALL } else { range }),
        bend,
        slope: Slope::Up.after(x.slope),
        degree: None,
        squares: false,
        log: Bend::Unknown,
        smooth: x.smooth,
        fault: (bend == Bend::Unknown).then(|| combine::fault_of(facts, &[operand], id, why)),
    }
}
