//! The logistic function.

use super::curvature::{Bend, Fact, Facts, combine, shapes};
use crate::ir::graph::{Graph, NodeId};
use super::elementwise::{fill_like, map, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The logistic function.
pub static SIGMOID: Operator = Operator {
    name: "sigmoid",
    definition: "sigmoid(x) = 1 / (1 + e^-x), elementwise",
    domain: "everywhere; does not overflow",
    surface: Surface::Elementwise("sigmoid"),
    shape: real_unary,
    value: |_, x, _| map(x[0], logistic),
    derivative: Derivative::Partials(|g, node, _| {
        let one = fill_like(g, node, 1.0);
        let rest = g.sub(one, node);
        Some(g.mul(node, rest))
    }),
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Kernel("sigmoid"),
    samples: || unary_samples(&[-30.0, -4.0, -0.5, 0.0, 0.3, 5.0]),
};

/// Never takes the exponential of a positive number, so nothing overflows and small values keep their digits.
fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + libm::exp(-x))
    } else {
        let e = libm::exp(x);
        e / (1.0 + e)
    }
}

/// Convex below 0 and concave above; its logarithm is concave and rising everywhere.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let x = g.node(id).inputs[0];
    let shape = |x| shapes::rising(x, logistic, shapes::turning(x, Bend::Convex));
    let fact = combine::apply(facts, id, x, "sigmoid", &shape);
    let concave = facts.of(x).bend.is_concave();
    Fact { log: if concave { Bend::Concave } else { Bend::Unknown }, ..fact }
}
