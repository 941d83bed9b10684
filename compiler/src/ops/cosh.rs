//! The hyperbolic cosine.

use super::elementwise::{map, operand, real_unary, unary_samples};
use super::{Derivative, Lowering, Operator, Surface};

/// The hyperbolic cosine.
pub static COSH: Operator = Operator {
    name: "cosh",
    definition: "cosh(x) = (e^x + e^-x) / 2, elementwise",
    domain: "everywhere; infinite beyond 710.48",
    surface: Surface::Elementwise("cosh"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::cosh),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        Some(g.unary(&super::SINH, x))
    }),
    lowering: Lowering::Kernel("cosh"),
    samples: || unary_samples(&[-5.0, -0.3, 0.0, 1e-06, 0.8, 4.0]),
};
