//! The natural logarithm of 1 + x, exact for small x.

use super::elementwise::{fill_like, map, operand, real_unary, unary_samples};
use super::{Derivative, Lowering, Operator, Surface};

/// The natural logarithm of 1 + x, exact for small x.
pub static LOG1P: Operator = Operator {
    name: "log1p",
    definition: "log1p(x) = log(1 + x), elementwise",
    domain: "x > -1; -inf at -1, NaN below",
    surface: Surface::Elementwise("log1p"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::log1p),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        let one = fill_like(g, node, 1.0);
        let sum = g.add(one, x);
        Some(g.reciprocal(sum))
    }),
    lowering: Lowering::Kernel("log1p"),
    samples: || unary_samples(&[-0.9, -0.1, -1e-09, 0.0, 1e-09, 0.5, 100.0]),
};
