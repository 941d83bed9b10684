//! The hyperbolic tangent.

use super::curvature::shapes;
use super::curvature::Bend;
use super::elementwise::{fill_like, map, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The hyperbolic tangent.
pub static TANH: Operator = Operator {
    name: "tanh",
    definition: "tanh(x) = sinh(x) / cosh(x), elementwise",
    domain: "everywhere",
    surface: Surface::Elementwise("tanh"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::tanh),
    derivative: Derivative::Partials(|g, node, _| {
        let square = g.mul(node, node);
        let one = fill_like(g, node, 1.0);
        Some(g.sub(one, square))
    }),
    curvature: Curvature::Scalar(|x| shapes::rising(x, libm::tanh, shapes::turning(x, Bend::Convex))),
    lowering: Lowering::Kernel("tanh"),
    samples: || unary_samples(&[-3.0, -0.3, 0.0, 1e-06, 0.8, 4.0]),
};
