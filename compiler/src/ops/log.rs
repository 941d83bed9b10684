//! The natural logarithm.

use super::curvature::{Bend, Fact, Facts, combine, shapes};
use crate::ir::graph::{Graph, NodeId};
use super::elementwise::{map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The natural logarithm.
pub static LOG: Operator = Operator {
    name: "log",
    definition: "log(x) = the y with e^y = x, elementwise",
    domain: "x > 0; -inf at 0, NaN below",
    surface: Surface::Elementwise("log"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::log),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        Some(g.reciprocal(x))
    }),
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Kernel("log"),
    samples: || unary_samples(&[1e-06, 0.01, 0.5, 1.0, 2.5, 1000000.0]),
};

/// What is known of the operand's logarithm counts beside the rule of composition.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let x = g.node(id).inputs[0];
    let fact = combine::apply(facts, id, x, "log", &|x| shapes::root_like(x, 0.0, libm::log));
    if fact.bend == Bend::Unknown { Fact { bend: facts.of(x).log, ..fact } } else { fact }
}
