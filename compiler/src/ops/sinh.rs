//! The hyperbolic sine.

use super::curvature::shapes;
use super::curvature::Bend;
use super::elementwise::{map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The hyperbolic sine.
pub static SINH: Operator = Operator {
    name: "sinh",
    definition: "sinh(x) = (e^x - e^-x) / 2, elementwise",
    domain: "everywhere; infinite beyond 710.48",
    surface: Surface::Elementwise("sinh"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::sinh),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        Some(g.unary(&super::COSH, x))
    }),
    curvature: Curvature::Scalar(|x| shapes::rising(x, libm::sinh, shapes::turning(x, Bend::Concave))),
    lowering: Lowering::Kernel("sinh"),
    samples: || unary_samples(&[-5.0, -0.3, 0.0, 1e-06, 0.8, 4.0]),
};
