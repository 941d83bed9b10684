//! A barrier for derivatives.

use super::curvature::{Fact, Facts};
use crate::ir::graph::{Graph, NodeId};
use super::elementwise::{operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The value without its derivative.
pub static STOP_GRADIENT: Operator = Operator {
    name: "stop_gradient",
    definition: "stop_gradient(x) = x, but counts as constant in derivatives; real arrays",
    domain: "everywhere",
    surface: Surface::Elementwise("stop_gradient"),
    shape: real_unary,
    value: |_, x, _| x[0].clone(),
    derivative: Derivative::Zero,
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Expand(|g, node| operand(g, node, 0)),
    samples: || unary_samples(&[-1.5, 0.0, 2.0]),
};

/// Solvers see a constant where the value varies, so nothing is claimed.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let range = facts.of(operand(g, id, 0)).range.clone();
    Fact::unknown(id, "`stop_gradient` hides from solvers how this varies", range)
}
