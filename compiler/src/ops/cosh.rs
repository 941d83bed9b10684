//! The hyperbolic cosine.

use super::curvature::{Bend, Shape, Slope, Smoothness, shapes};
use super::curvature::interval::Interval;
use super::elementwise::{map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The hyperbolic cosine.
pub static COSH: Operator = Operator {
    name: "cosh",
    definition: "cosh(x) = (e^x + e^-x) / 2, elementwise",
    domain: "everywhere; infinite beyond 710.48",
    surface: Surface::Elementwise("cosh"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::cosh),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        Some(g.unary(&super::SINH, x))
    }),
    curvature: Curvature::Scalar(shape),
    lowering: Lowering::Kernel("cosh"),
    samples: || unary_samples(&[-5.0, -0.3, 0.0, 1e-06, 0.8, 4.0]),
};

/// Convex, falling below 0 and rising above.
fn shape(x: Interval) -> Shape {
    if x.is_nonnegative() {
        return shapes::rising(x, libm::cosh, Bend::Convex);
    }
    if x.is_nonpositive() {
        return shapes::falling(x, libm::cosh, Bend::Convex);
    }
    let range = Interval::new(1.0, libm::cosh(x.magnitude())).rounded();
    Shape { range, slope: Slope::Unknown, bend: Bend::Convex, smooth: Smoothness::Smooth }
}
