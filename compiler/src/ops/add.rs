//! The sum of two arrays.

use super::elementwise::{binary_samples, number_binary, zip};
use super::{Derivative, Instruction, Lowering, Operator, Surface};

/// The sum of two arrays.
pub static ADD: Operator = Operator {
    name: "add",
    definition: "add(a, b) = a + b, elementwise on two real or two int arrays of one shape",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: number_binary,
    value: |_, x, _| zip(x[0], x[1], |a, b| a + b),
    derivative: Derivative::Rule {
        jvp: |g, _, tangents| match *tangents {
            [Some(a), Some(b)] => Some(g.add(a, b)),
            [a, b] => a.or(b),
            _ => None,
        },
        vjp: |_, _, cotangent, _| Some(cotangent),
    },
    lowering: Lowering::Instruction(Instruction::Add),
    samples: || binary_samples(&[(-1.5, 2.0), (0.0, 0.3), (2.5, 2.4), (1e-3, -4.0), (3.0, 0.7)]),
};
