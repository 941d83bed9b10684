//! The softplus function.

use super::curvature::shapes;
use super::curvature::Bend;
use super::elementwise::{map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The softplus function.
pub static SOFTPLUS: Operator = Operator {
    name: "softplus",
    definition: "softplus(x) = log(1 + e^x), elementwise",
    domain: "everywhere; does not overflow",
    surface: Surface::Elementwise("softplus"),
    shape: real_unary,
    value: |_, x, _| map(x[0], value),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        Some(g.unary(&super::SIGMOID, x))
    }),
    curvature: Curvature::Scalar(|x| shapes::rising(x, value, Bend::Convex)),
    lowering: Lowering::Kernel("softplus"),
    samples: || unary_samples(&[-30.0, -4.0, -0.5, 0.0, 0.3, 5.0, 40.0]),
};

fn value(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}
