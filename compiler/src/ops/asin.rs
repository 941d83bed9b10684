//! The inverse sine.

use super::curvature::{Bend, Shape, Smoothness, shapes};
use super::curvature::interval::Interval;
use super::elementwise::{fill_like, map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The inverse sine.
pub static ASIN: Operator = Operator {
    name: "asin",
    definition: "asin(x) = the angle in [-pi/2, pi/2] whose sine is x, elementwise",
    domain: "-1 <= x <= 1, NaN outside; the derivative is infinite at both ends",
    surface: Surface::Elementwise("asin"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::asin),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        let square = g.mul(x, x);
        let one = fill_like(g, node, 1.0);
        let rest = g.sub(one, square);
        let root = g.unary(&super::SQRT, rest);
        Some(g.reciprocal(root))
    }),
    curvature: Curvature::Scalar(inverse),
    lowering: Lowering::Kernel("asin"),
    samples: || unary_samples(&[-0.9, -0.5, 0.0, 0.1, 0.7, 0.95]),
};

/// Between -1 and 1; steep at both ends.
fn inverse(x: Interval) -> Shape {
    let inside = x.meet(Interval { lo: -1.0, hi: 1.0 });
    let inside = if inside.magnitude() <= 1.0 { inside } else { Interval { lo: -1.0, hi: 1.0 } };
    let steep = x.lo <= -1.0 || x.hi >= 1.0;
    let smooth = if steep { Smoothness::Steep } else { Smoothness::Smooth };
    Shape { smooth, ..shapes::rising(inside, libm::asin, shapes::turning(x, Bend::Concave)) }
}
