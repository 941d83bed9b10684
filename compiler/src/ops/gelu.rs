//! The Gaussian error linear unit.

use super::curvature::shapes;
use super::elementwise::{fill_like, map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};
use crate::ir::graph::{Graph, NodeId};

/// The Gaussian error linear unit.
pub static GELU: Operator = Operator {
    name: "gelu",
    definition: "gelu(x) = x * (1 + erf(x / sqrt(2))) / 2, elementwise",
    domain: "everywhere",
    surface: Surface::Elementwise("gelu"),
    shape: real_unary,
    value: |_, x, _| map(x[0], value),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        let below = normal_cdf(g, x);
        let square = g.mul(x, x);
        let exponent = g.scale(square, -0.5);
        let bell = g.unary(&super::EXP, exponent);
        let density = g.scale(bell, 0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2);
        let rest = g.mul(x, density);
        Some(g.add(below, rest))
    }),
    curvature: Curvature::Scalar(|x| shapes::gelu(x, value)),
    lowering: Lowering::Expand(|g, node| {
        let x = operand(g, node, 0);
        let below = normal_cdf(g, x);
        g.mul(x, below)
    }),
    samples: || unary_samples(&[-3.0, -0.5, 0.0, 1e-06, 0.4, 2.0]),
};

/// The standard normal distribution function at `x`.
fn normal_cdf(g: &mut Graph, x: NodeId) -> NodeId {
    let scaled = g.scale(x, std::f64::consts::FRAC_1_SQRT_2);
    let erf = g.unary(&super::ERF, scaled);
    let one = fill_like(g, x, 1.0);
    let sum = g.add(one, erf);
    g.scale(sum, 0.5)
}

fn value(x: f64) -> f64 {
    0.5 * x * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2))
}
