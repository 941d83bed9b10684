//! The inverse cosine.

use super::curvature::{Bend, Shape, Smoothness, shapes};
use super::curvature::interval::Interval;
use super::elementwise::{fill_like, map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The inverse cosine.
pub static ACOS: Operator = Operator {
    name: "acos",
    definition: "acos(x) = the angle in [0, pi] whose cosine is x, elementwise",
    domain: "-1 <= x <= 1, NaN outside; the derivative is infinite at both ends",
    surface: Surface::Elementwise("acos"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::acos),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        let square = g.mul(x, x);
        let one = fill_like(g, node, 1.0);
        let rest = g.sub(one, square);
        let root = g.unary(&super::SQRT, rest);
        let minus_one = fill_like(g, node, -1.0);
        Some(g.div(minus_one, root))
    }),
    curvature: Curvature::Scalar(inverse),
    lowering: Lowering::Kernel("acos"),
    samples: || unary_samples(&[-0.9, -0.5, 0.0, 0.1, 0.7, 0.95]),
};

/// Between -1 and 1; steep at both ends.
fn inverse(x: Interval) -> Shape {
    let inside = x.meet(Interval { lo: -1.0, hi: 1.0 });
    let inside = if inside.magnitude() <= 1.0 { inside } else { Interval { lo: -1.0, hi: 1.0 } };
    let steep = x.lo <= -1.0 || x.hi >= 1.0;
    let smooth = if steep { Smoothness::Steep } else { Smoothness::Smooth };
    Shape { smooth, ..shapes::falling(inside, libm::acos, shapes::turning(x, Bend::Convex)) }
}
