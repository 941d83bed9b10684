//! The exponential function.

use super::curvature::{Bend, Fact, Facts, combine, shapes};
use crate::ir::graph::{Graph, NodeId};
use super::elementwise::{map, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The exponential function.
pub static EXP: Operator = Operator {
    name: "exp",
    definition: "exp(x) = e^x, elementwise",
    domain: "everywhere; inf above 709.78, 0 below -745.13",
    surface: Surface::Elementwise("exp"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::exp),
    derivative: Derivative::Partials(|_, node, _| Some(node)),
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Kernel("exp"),
    samples: || unary_samples(&[-30.0, -1.5, -0.1, 0.0, 0.7, 3.0, 20.0]),
};

/// The logarithm of the result bends as the operand does.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let x = g.node(id).inputs[0];
    let fact = combine::apply(facts, id, x, "exp", &|x| shapes::rising(x, libm::exp, Bend::Convex));
    Fact { log: facts.of(x).bend, ..fact }
}
