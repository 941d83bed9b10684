//! The logarithm of softmax along an axis.

use super::curvature::{Bend, Fact, Facts, Slope, combine};
use super::curvature::interval::Interval;
use super::curvature::range::Range;
use crate::ir::graph::{Graph, NodeId};
use super::axes::{along, along_axis, along_samples, log_sum_exp, map_rows, spread};
use super::elementwise::operand;
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The logarithm of softmax along an axis.
pub static LOG_SOFTMAX: Operator = Operator {
    name: "log_softmax",
    definition: "log_softmax(x) = x - logsumexp(x) along an axis, which stays; real arrays",
    domain: "everywhere finite; does not overflow",
    surface: Surface::Along("log_softmax"),
    shape: along,
    value: |attrs, x, _| {
        map_rows(x[0], along_axis(attrs), |mut row| {
            let total = log_sum_exp(row.view());
            row.mapv_inplace(|x| x - total);
        })
    },
    derivative: Derivative::Rule {
        jvp: |g, node, tangents| {
            let tangent = tangents[0]?;
            let axis = along_axis(&g.node(node).attrs);
            let x = operand(g, node, 0);
            let softmax = g.softmax(x, axis);
            let weighted = g.mul(softmax, tangent);
            let mean = g.sum(weighted, &[axis]);
            let shape = g.shape(node).clone();
            let mean = spread(g, mean, &shape, &[axis]);
            Some(g.sub(tangent, mean))
        },
        vjp: |g, node, cotangent, _| {
            let axis = along_axis(&g.node(node).attrs);
            let x = operand(g, node, 0);
            let softmax = g.softmax(x, axis);
            let total = g.sum(cotangent, &[axis]);
            let shape = g.shape(node).clone();
            let total = spread(g, total, &shape, &[axis]);
            let shared = g.mul(softmax, total);
            Some(g.sub(cotangent, shared))
        },
    },
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Rows("log_softmax"),
    samples: along_samples,
};

/// Concave for an affine operand: an element less the logarithm of the sum of exponentials.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let operand = g.node(id).inputs[0];
    let x = facts.of(operand);
    let bend = if x.bend.is_affine() { Bend::Concave } else { Bend::Unknown };
    let why = || format!("`log_softmax` is concave, and is applied to something {}", x.bend.word());
    Fact {
        range: Range::uniform(Interval { lo: f64::NEG_INFINITY, hi: 0.0 }),
        bend,
        slope: Slope::Unknown,
        degree: None,
        squares: false,
        log: Bend::Unknown,
        smooth: x.smooth,
        fault: (bend == Bend::Unknown).then(|| combine::fault_of(facts, &[operand], id, why)),
    }
}
