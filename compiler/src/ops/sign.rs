//! The sign.

use super::curvature::interval::Interval;
use super::elementwise::{map, real_unary, unary_samples};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};

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
    curvature: Curvature::Steps(|_, _, _| Interval { lo: -1.0, hi: 1.0 }),
    lowering: Lowering::Instruction(Instruction::Sign),
    samples: || unary_samples(&[-3.0, -0.01, 0.2, 1.5]),
};
