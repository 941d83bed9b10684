//! The inverse sine.

use super::elementwise::{fill_like, map, operand, real_unary, unary_samples};
use super::{Derivative, Lowering, Operator, Surface};

/// The inverse sine.
pub static ASIN: Operator = Operator {
    name: "asin",
    definition: "asin(x) = the angle in [-pi/2, pi/2] whose sine is x, elementwise",
    domain: "-1 <= x <= 1, NaN outside; the derivative is infinite at both ends",
    surface: Surface::Elementwise("asin"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::asin),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        let square = g.mul(x, x);
        let one = fill_like(g, node, 1.0);
        let rest = g.sub(one, square);
        let root = g.unary(&super::SQRT, rest);
        Some(g.reciprocal(root))
    }),
    lowering: Lowering::Kernel("asin"),
    samples: || unary_samples(&[-0.9, -0.5, 0.0, 0.1, 0.7, 0.95]),
};
