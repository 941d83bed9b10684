//! The error function.

use super::curvature::shapes;
use super::curvature::Bend;
use super::elementwise::{map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The error function.
pub static ERF: Operator = Operator {
    name: "erf",
    definition: "erf(x) = 2 / sqrt(pi) * integral of e^(-t^2) from 0 to x, elementwise",
    domain: "everywhere",
    surface: Surface::Elementwise("erf"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::erf),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        let square = g.mul(x, x);
        let exponent = g.neg(square);
        let bell = g.unary(&super::EXP, exponent);
        Some(g.scale(bell, std::f64::consts::FRAC_2_SQRT_PI))
    }),
    curvature: Curvature::Scalar(|x| shapes::rising(x, libm::erf, shapes::turning(x, Bend::Convex))),
    lowering: Lowering::Kernel("erf"),
    samples: || unary_samples(&[-3.0, -0.5, 0.0, 1e-06, 0.4, 2.0]),
};
