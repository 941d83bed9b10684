//! The logarithm of the hyperbolic cosine.

use super::curvature::interval::Interval;
use super::curvature::{Bend, Shape, Slope, Smoothness, shapes};
use super::elementwise::{fill_like, map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};
use crate::ir::graph::NodeId;

/// The logarithm of the hyperbolic cosine.
pub static LOG_COSH: Operator = Operator {
    name: "log_cosh",
    definition: "log_cosh(x) = log((e^x + e^-x) / 2), elementwise",
    domain: "everywhere; does not overflow; exact to rounding also near 0, where it is x^2 / 2",
    surface: Surface::Elementwise("log_cosh"),
    shape: real_unary,
    value: |_, x, _| map(x[0], value),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        Some(g.unary(&super::TANH, x))
    }),
    curvature: Curvature::Scalar(shape),
    // Near 0, cosh(x) - 1 = 2 sinh(x / 2)^2 keeps the digits that 1 + x^2 / 2 loses.
    lowering: Lowering::Expand(|g, node| {
        let x = operand(g, node, 0);
        let size = g.unary(&super::ABS, x);
        let limit = fill_like(g, x, NEAR);
        let near = g.binary(&super::LT, size, limit);
        let half = g.scale(size, 0.5);
        // Beyond the limit the sinh is not used, and kept from overflowing.
        let half = g.min(half, limit);
        let sinh = g.unary(&super::SINH, half);
        let square = g.mul(sinh, sinh);
        let twice = g.scale(square, 2.0);
        let small: NodeId = g.unary(&super::LOG1P, twice);
        let opposite = g.scale(size, -2.0);
        let rest = g.unary(&super::SOFTPLUS, opposite);
        let large = g.add(size, rest);
        let shift = fill_like(g, x, -std::f64::consts::LN_2);
        let large = g.add(large, shift);
        g.select(near, small, large)
    }),
    samples: || unary_samples(&[-800.0, -3.0, -0.3, 0.0, 1e-06, 0.8, 1.5, 20.0]),
};

/// Where one formula takes over from the other.
const NEAR: f64 = 1.0;

fn value(x: f64) -> f64 {
    let s = libm::sinh(0.5 * x);
    let far = x.abs() + libm::log1p(libm::exp(-2.0 * x.abs())) - std::f64::consts::LN_2;
    if x.abs() < NEAR { libm::log1p(2.0 * s * s) } else { far }
}

/// Convex, falling below 0 and rising above.
fn shape(x: Interval) -> Shape {
    if x.is_nonnegative() {
        return shapes::rising(x, value, Bend::Convex);
    }
    if x.is_nonpositive() {
        return shapes::falling(x, value, Bend::Convex);
    }
    let range = Interval::new(0.0, value(x.magnitude())).rounded();
    Shape { range, slope: Slope::Unknown, bend: Bend::Convex, smooth: Smoothness::Smooth }
}
