//! The sign.

use super::elementwise::{map, real_unary, unary_samples};
use super::{Derivative, Instruction, Lowering, Operator, Surface};

/// The sign.
pub static SIGN: Operator = Operator {
    name: "sign",
    definition: "sign(x) = -1, 0 or 1, elementwise",
    domain: "everywhere; NaN stays; the derivative is taken as 0 everywhere",
    surface: Surface::Elementwise("sign"),
    shape: real_unary,
    value: |_, x, _| {
        map(x[0], |x| {
            if x > 0.0 {
                1.0
            } else if x < 0.0 {
                -1.0
            } else {
                x * 0.0
            }
        })
    },
    derivative: Derivative::Zero,
    lowering: Lowering::Instruction(Instruction::Sign),
    samples: || unary_samples(&[-3.0, -0.01, 0.2, 1.5]),
};
