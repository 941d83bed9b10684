//! The elementwise quotient.

use super::elementwise::{binary_samples, operand, real_binary, zip};
use super::{Derivative, Instruction, Lowering, Operator, Surface};

/// The elementwise quotient.
pub static DIV: Operator = Operator {
    name: "div",
    definition: "div(a, b) = a / b, elementwise on two real arrays of one shape",
    domain: "b != 0; otherwise the IEEE quotient (infinite or NaN)",
    surface: Surface::Hidden,
    shape: real_binary,
    value: |_, x, _| zip(x[0], x[1], |a, b| a / b),
    derivative: Derivative::Partials(|g, node, k| {
        let divisor = operand(g, node, 1);
        if k == 0 {
            return Some(g.reciprocal(divisor));
        }
        let negative = g.neg(node);
        Some(g.div(negative, divisor))
    }),
    lowering: Lowering::Instruction(Instruction::Div),
    samples: || binary_samples(&[(-1.5, 2.0), (0.0, 0.3), (2.5, 2.4), (1e-3, -4.0), (3.0, 0.7)]),
};
