//! The inverse tangent.

use super::curvature::shapes;
use super::curvature::Bend;
use super::elementwise::{fill_like, map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The inverse tangent.
pub static ATAN: Operator = Operator {
    name: "atan",
    definition: "atan(x) = the angle in (-pi/2, pi/2) whose tangent is x, elementwise",
    domain: "everywhere",
    surface: Surface::Elementwise("atan"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::atan),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        let square = g.mul(x, x);
        let one = fill_like(g, node, 1.0);
        let sum = g.add(one, square);
        Some(g.reciprocal(sum))
    }),
    curvature: Curvature::Scalar(|x| shapes::rising(x, libm::atan, shapes::turning(x, Bend::Convex))),
    lowering: Lowering::Kernel("atan"),
    samples: || unary_samples(&[-20.0, -1.0, -0.2, 0.0, 0.6, 5.0]),
};
