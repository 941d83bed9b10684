//! The cosine.

use super::curvature::shapes;
use super::elementwise::{map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The cosine.
pub static COS: Operator = Operator {
    name: "cos",
    definition: "cos(x), x in radians, elementwise",
    domain: "everywhere finite",
    surface: Surface::Elementwise("cos"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::cos),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        let sin = g.unary(&super::SIN, x);
        Some(g.neg(sin))
    }),
    curvature: Curvature::Scalar(|x| shapes::wave(x, 1.0)),
    lowering: Lowering::Kernel("cos"),
    samples: || unary_samples(&[-4.0, -1.0, 0.0, 0.3, 1.5, 10.0]),
};
