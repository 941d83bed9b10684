//! The sine.

use super::curvature::shapes;
use super::elementwise::{map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The sine.
pub static SIN: Operator = Operator {
    name: "sin",
    definition: "sin(x), x in radians, elementwise",
    domain: "everywhere finite",
    surface: Surface::Elementwise("sin"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::sin),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        Some(g.unary(&super::COS, x))
    }),
    curvature: Curvature::Scalar(|x| shapes::wave(x, 0.0)),
    lowering: Lowering::Kernel("sin"),
    samples: || unary_samples(&[-4.0, -1.0, 0.0, 0.3, 1.5, 10.0]),
};
