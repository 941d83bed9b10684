//! The elementwise product.

use super::curvature::{Fact, Facts, products};
use super::curvature::interval::Interval;
use crate::ir::graph::{Graph, NodeId};
use super::elementwise::{binary_samples, number_binary, operand, zip};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};

/// The elementwise product.
pub static MUL: Operator = Operator {
    name: "mul",
    definition: "mul(a, b) = a * b, elementwise on two real or two int arrays of one shape",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: number_binary,
    value: |_, x, _| zip(x[0], x[1], |a, b| a * b),
    derivative: Derivative::Partials(|g, node, k| Some(operand(g, node, 1 - k))),
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Instruction(Instruction::Mul),
    samples: || binary_samples(&[(-1.5, 2.0), (0.0, 0.3), (2.5, 2.4), (1e-3, -4.0), (3.0, 0.7)]),
};

/// Squares and entropies beside plain products.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let (a, b) = (operand(g, id, 0), operand(g, id, 1));
    if a == b {
        return products::square(facts, id, a, facts.of(a).range.map(Interval::squared));
    }
    let range = facts.of(a).range.zip(&facts.of(b).range, Interval::times);
    for (x, log) in [(a, b), (b, a)] {
        if products::entropy(g, facts, x, log) {
            return products::entropy_fact(facts, x, range);
        }
    }
    products::product(facts, id, a, b, range)
}
