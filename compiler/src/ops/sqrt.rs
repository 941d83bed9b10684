//! The square root.

use super::curvature::{Bend, Fact, Facts, Smoothness, combine, shapes};
use crate::ir::graph::{Graph, NodeId};
use super::elementwise::{fill_like, map, real_unary, unary_samples};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};

/// The square root.
pub static SQRT: Operator = Operator {
    name: "sqrt",
    definition: "sqrt(x) = the y >= 0 with y * y = x, elementwise",
    domain: "x >= 0, NaN below; at 0 the derivative is inf, so 0 times it is NaN: a norm is differentiable only away from 0",
    surface: Surface::Elementwise("sqrt"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::sqrt),
    derivative: Derivative::Partials(|g, node, _| {
        let half = fill_like(g, node, 0.5);
        Some(g.div(half, node))
    }),
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Instruction(Instruction::Sqrt),
    samples: || unary_samples(&[1e-08, 0.01, 0.25, 1.0, 7.0, 1000000.0]),
};

/// The root of a sum of squares of affine expressions is a norm: convex, with a kink where the sum may be 0.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let operand = g.node(id).inputs[0];
    let x = facts.of(operand);
    let mut fact = combine::apply(facts, id, operand, "sqrt", &|x| shapes::root_like(x, 0.0, libm::sqrt));
    if x.squares && !x.is_constant() {
        fact.bend = Bend::Convex;
        let smooth = if x.range.hull().lo > 0.0 { Smoothness::Smooth } else { Smoothness::Kinked };
        fact.smooth = smooth.max(x.smooth);
    }
    Fact { log: x.log, ..fact }
}
