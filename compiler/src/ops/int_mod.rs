//! The whole-number remainder.

use super::curvature::interval::Interval;
use super::elementwise::{int_binary, int_samples, zip};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};

/// The whole-number remainder.
pub static INT_MOD: Operator = Operator {
    name: "int_mod",
    definition: "int_mod(a, b) = a - b * int_div(a, b), with the sign of b, elementwise on two int arrays of one shape",
    domain: "b != 0; the result is 0 where b = 0",
    surface: Surface::Elementwise("mod"),
    shape: int_binary,
    value: |_, x, _| zip(x[0], x[1], |a, b| if b == 0.0 { 0.0 } else { a - b * libm::floor(a / b) }),
    derivative: Derivative::Zero,
    curvature: Curvature::Steps(|_, _, _| Interval::ALL),
    lowering: Lowering::Instruction(Instruction::IntMod),
    samples: || int_samples(&[(7.0, 2.0), (-7.0, 2.0), (7.0, -2.0), (6.0, 3.0), (1.0, 0.0)]),
};
