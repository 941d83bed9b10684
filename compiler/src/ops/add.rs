//! The sum of two arrays.

use super::curvature::combine;
use super::elementwise::{binary_samples, fill_like, number_binary, operand, zip};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};

/// The sum of two arrays.
pub static ADD: Operator = Operator {
    name: "add",
    definition: "add(a, b) = a + b, elementwise on two real or two int arrays of one shape",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: number_binary,
    value: |_, x, _| zip(x[0], x[1], |a, b| a + b),
    derivative: Derivative::Partials(|g, node, _| Some(fill_like(g, node, 1.0))),
    curvature: Curvature::Rule(|g, facts, id| combine::sum(facts, id, operand(g, id, 0), operand(g, id, 1), false)),
    lowering: Lowering::Instruction(Instruction::Add),
    samples: || binary_samples(&[(-1.5, 2.0), (0.0, 0.3), (2.5, 2.4), (1e-3, -4.0), (3.0, 0.7)]),
};
