//! The tangent.

use super::curvature::shapes;
use super::elementwise::{fill_like, map, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The tangent.
pub static TAN: Operator = Operator {
    name: "tan",
    definition: "tan(x) = sin(x) / cos(x), x in radians, elementwise",
    domain: "away from the zeros of the cosine",
    surface: Surface::Elementwise("tan"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::tan),
    derivative: Derivative::Partials(|g, node, _| {
        let square = g.mul(node, node);
        let one = fill_like(g, node, 1.0);
        Some(g.add(one, square))
    }),
    curvature: Curvature::Scalar(shapes::tangent),
    lowering: Lowering::Kernel("tan"),
    samples: || unary_samples(&[-1.2, -0.5, 0.0, 0.3, 1.3, 3.0]),
};
