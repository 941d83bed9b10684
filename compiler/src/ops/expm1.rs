//! The exponential function minus 1, exact for small x.

use super::curvature::shapes;
use super::curvature::Bend;
use super::elementwise::{map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The exponential function minus 1, exact for small x.
pub static EXPM1: Operator = Operator {
    name: "expm1",
    definition: "expm1(x) = e^x - 1, elementwise",
    domain: "everywhere; inf above 709.78, -1 far below 0",
    surface: Surface::Elementwise("expm1"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::expm1),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        Some(g.unary(&super::EXP, x))
    }),
    curvature: Curvature::Scalar(|x| shapes::rising(x, libm::expm1, Bend::Convex)),
    lowering: Lowering::Kernel("expm1"),
    samples: || unary_samples(&[-8.0, -0.1, -1e-09, 0.0, 1e-09, 0.5, 6.0]),
};
