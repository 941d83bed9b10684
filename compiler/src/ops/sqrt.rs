//! The square root.

use super::elementwise::{fill_like, map, real_unary, unary_samples};
use super::{Derivative, Instruction, Lowering, Operator, Surface};

/// The square root.
pub static SQRT: Operator = Operator {
    name: "sqrt",
    definition: "sqrt(x) = the y >= 0 with y * y = x, elementwise",
    domain: "x >= 0, NaN below; at 0 the derivative is inf, so 0 times it is NaN: a norm is differentiable only away from 0",
    surface: Surface::Elementwise("sqrt"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::sqrt),
    derivative: Derivative::Partials(|g, node, _| {
        let half = fill_like(g, node, 0.5);
        Some(g.div(half, node))
    }),
    lowering: Lowering::Instruction(Instruction::Sqrt),
    samples: || unary_samples(&[1e-08, 0.01, 0.25, 1.0, 7.0, 1000000.0]),
};
