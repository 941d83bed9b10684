//! Softmax along an axis.

use super::curvature::{Bend, Fact, Facts, Smoothness, combine};
use super::curvature::interval::Interval;
use super::curvature::range::Range;
use super::axes::{along, along_axis, along_samples, largest, map_rows, spread};
use super::{Curvature, Derivative, Lowering, Operator, Surface};
use crate::ir::graph::{Graph, NodeId};

/// Softmax along an axis.
pub static SOFTMAX: Operator = Operator {
    name: "softmax",
    definition: "softmax(x) = e^x / (sum of e^x along an axis), which stays; real arrays",
    domain: "everywhere finite; does not overflow",
    surface: Surface::Along("softmax"),
    shape: along,
    value: |attrs, x, _| {
        map_rows(x[0], along_axis(attrs), |mut row| {
            let shift = largest(row.view());
            row.mapv_inplace(|x| libm::exp(x - shift));
            let total = row.sum();
            row.mapv_inplace(|e| e / total);
        })
    },
    derivative: Derivative::Rule {
        jvp: |g, node, tangents| tangents[0].map(|tangent| apply_jacobian(g, node, tangent)),
        vjp: |g, node, cotangent, _| Some(apply_jacobian(g, node, cotangent)),
    },
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Rows("softmax"),
    samples: along_samples,
};

/// `s * (v - sum(s * v))`: the Jacobian `diag(s) - s s'` is symmetric, so both modes apply the same matrix.
fn apply_jacobian(g: &mut Graph, node: NodeId, v: NodeId) -> NodeId {
    let axis = along_axis(&g.node(node).attrs);
    let weighted = g.mul(node, v);
    let mean = g.sum(weighted, &[axis]);
    let shape = g.shape(node).clone();
    let mean = spread(g, mean, &shape, &[axis]);
    let deviation = g.sub(v, mean);
    g.mul(node, deviation)
}

/// Neither convex nor concave; the logarithm is concave for an affine operand.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let operand = g.node(id).inputs[0];
    let x = facts.of(operand);
    let fault = combine::fault_of(facts, &[operand], id, || "`softmax` is neither convex nor concave".into());
    let log = if x.bend.is_affine() { Bend::Concave } else { Bend::Unknown };
    let smooth = x.smooth.max(Smoothness::Smooth);
    Fact { log, smooth, fault: Some(fault), ..Fact::unknown(id, "", Range::uniform(Interval::UNIT)) }
}
