//! The elementwise product.

use super::elementwise::{binary_samples, number_binary, operand, zip};
use super::{Derivative, Instruction, Lowering, Operator, Surface};

/// The elementwise product.
pub static MUL: Operator = Operator {
    name: "mul",
    definition: "mul(a, b) = a * b, elementwise on two real or two int arrays of one shape",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: number_binary,
    value: |_, x, _| zip(x[0], x[1], |a, b| a * b),
    derivative: Derivative::Partials(|g, node, k| Some(operand(g, node, 1 - k))),
    lowering: Lowering::Instruction(Instruction::Mul),
    samples: || binary_samples(&[(-1.5, 2.0), (0.0, 0.3), (2.5, 2.4), (1e-3, -4.0), (3.0, 0.7)]),
};
