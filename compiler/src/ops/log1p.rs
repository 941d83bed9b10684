//! The natural logarithm of 1 + x, exact for small x.

use super::curvature::{Bend, Fact, Facts, combine, shapes};
use crate::ir::graph::{Graph, NodeId};
use super::elementwise::{fill_like, map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};

/// The natural logarithm of 1 + x, exact for small x.
pub static LOG1P: Operator = Operator {
    name: "log1p",
    definition: "log1p(x) = log(1 + x), elementwise",
    domain: "x > -1; -inf at -1, NaN below",
    surface: Surface::Elementwise("log1p"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::log1p),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        let one = fill_like(g, node, 1.0);
        let sum = g.add(one, x);
        Some(g.reciprocal(sum))
    }),
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Kernel("log1p"),
    samples: || unary_samples(&[-0.9, -0.1, -1e-09, 0.0, 1e-09, 0.5, 100.0]),
};

/// `log(1 + x)` is convex where the logarithm of `x` is.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let x = g.node(id).inputs[0];
    let fact = combine::apply(facts, id, x, "log1p", &|x| shapes::root_like(x, -1.0, libm::log1p));
    let convex = matches!(facts.of(x).log, Bend::Affine | Bend::Convex);
    if fact.bend == Bend::Unknown && convex { Fact { bend: Bend::Convex, ..fact } } else { fact }
}
