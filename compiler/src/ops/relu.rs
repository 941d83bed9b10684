//! The positive part.

use super::curvature::{Bend, Shape, Smoothness, shapes};
use super::curvature::interval::Interval;
use super::elementwise::{fill_like, map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The positive part.
pub static RELU: Operator = Operator {
    name: "relu",
    definition: "relu(x) = max(x, 0), elementwise",
    domain: "everywhere; NaN stays; the derivative at 0 is taken as 0",
    surface: Surface::Elementwise("relu"),
    shape: real_unary,
    value: |_, x, _| map(x[0], |x| if x <= 0.0 { 0.0 } else { x }),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        Some(g.unary(&super::STEP, x))
    }),
    curvature: Curvature::Scalar(shape),
    lowering: Lowering::Expand(|g, node| {
        let x = operand(g, node, 0);
        let zero = fill_like(g, node, 0.0);
        g.max(x, zero)
    }),
    samples: || unary_samples(&[-3.0, -0.01, 0.2, 1.5]),
};

/// Convex and rising; straight on either side of 0.
fn shape(x: Interval) -> Shape {
    let one_side = x.is_nonnegative() || x.is_nonpositive();
    let (bend, smooth) =
        if one_side { (Bend::Affine, Smoothness::Smooth) } else { (Bend::Convex, Smoothness::Kinked) };
    Shape { smooth, ..shapes::rising(x, |x| x.max(0.0), bend) }
}
