//! The difference of two arrays.

use super::curvature::combine;
use super::elementwise::{binary_samples, fill_like, number_binary, operand, zip};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};

/// The difference of two arrays.
pub static SUB: Operator = Operator {
    name: "sub",
    definition: "sub(a, b) = a - b, elementwise on two real or two int arrays of one shape",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: number_binary,
    value: |_, x, _| zip(x[0], x[1], |a, b| a - b),
    derivative: Derivative::Partials(|g, node, k| Some(fill_like(g, node, if k == 0 { 1.0 } else { -1.0 }))),
    curvature: Curvature::Rule(|g, facts, id| combine::sum(facts, id, operand(g, id, 0), operand(g, id, 1), true)),
    lowering: Lowering::Instruction(Instruction::Sub),
    samples: || binary_samples(&[(-1.5, 2.0), (0.0, 0.3), (2.5, 2.4), (1e-3, -4.0), (3.0, 0.7)]),
};
