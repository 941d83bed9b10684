//! The square root.

use super::curvature::{Bend, Fact, Facts, Smoothness, combine, shapes};
use super::elementwise::{fill_like, map, operand, real_unary, unary_samples};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};
use crate::ir::graph::{Attrs, Graph, NodeId, Role};

/// The square root.
pub static SQRT: Operator = Operator {
    name: "sqrt",
    definition: "sqrt(x) = the y >= 0 with y * y = x, elementwise",
    domain: "x >= 0, NaN below; the derivative at 0 is inf, but 0 for the root of a sum of squares (a norm), as for abs",
    surface: Surface::Elementwise("sqrt"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::sqrt),
    derivative: Derivative::Partials(|g, node, _| {
        let half = fill_like(g, node, 0.5);
        let rate = g.div(half, node);
        let x = operand(g, node, 0);
        if !is_sum_of_squares(g, x, &mut MOST_NODES.to_owned()) {
            return Some(rate);
        }
        let zero = fill_like(g, node, 0.0);
        let flat = g.binary(&super::EQ, x, zero);
        Some(g.select(flat, zero, rate))
    }),
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Instruction(Instruction::Sqrt),
    samples: || unary_samples(&[1e-08, 0.01, 0.25, 1.0, 7.0, 1000000.0]),
};

/// The root of a sum of squares of affine expressions is a norm: convex, with a kink where the sum may be 0.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let operand = g.node(id).inputs[0];
    let x = facts.of(operand);
    let mut fact = combine::apply(facts, id, operand, "sqrt", &|x| shapes::root_like(x, 0.0, libm::sqrt));
    if x.squares && !x.is_constant() {
        fact.bend = Bend::Convex;
        let smooth = if x.range.hull().lo > 0.0 { Smoothness::Smooth } else { Smoothness::Kinked };
        fact.smooth = smooth.max(x.smooth);
    }
    Fact { log: x.log, ..fact }
}

/// How many nodes are looked at to recognise a sum of squares.
const MOST_NODES: usize = 64;

/// Whether `x` is a sum of squares, perhaps with weights that are no variables or are positive. The root of one is a norm: where it
/// is 0 it has a kink, not an infinite slope, and the product of the two derivatives would be 0 times inf.
fn is_sum_of_squares(g: &Graph, x: NodeId, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else { return false };
    *left = rest;
    let node = g.node(x);
    let is = |ops: &[&'static Operator]| ops.iter().any(|op| g.is(x, op));
    let (a, b) = (node.inputs.first().copied(), node.inputs.get(1).copied());
    let (Some(a), Some(b)) = (a, b.or(a)) else { return g.fill_value(x) == Some(0.0) };
    if is(&[&super::SUM, &super::TRANSPOSE, &super::RESHAPE, &super::SLICE, &super::GATHER, &super::SCATTER_ADD]) {
        return is_sum_of_squares(g, a, left);
    }
    if is(&[&super::BROADCAST]) {
        return g.fill_value(x) == Some(0.0) || is_sum_of_squares(g, a, left);
    }
    if is(&[&super::ADD]) {
        return is_sum_of_squares(g, a, left) && is_sum_of_squares(g, b, left);
    }
    if is(&[&super::SELECT]) {
        return node.inputs[1..].iter().all(|&branch| is_sum_of_squares(g, branch, left));
    }
    if is(&[&super::POW]) {
        return g.fill_value(b).is_some_and(|p| p > 0.0 && p % 2.0 == 0.0);
    }
    if is(&[&super::DIV]) {
        return is_sum_of_squares(g, a, left) && (is_weight(g, b) || is_sum_of_squares(g, b, left));
    }
    let paired = match &node.attrs {
        Attrs::Dot(axes) => axes.batch.iter().chain(&axes.contract).all(|(l, r)| l == r),
        _ => true,
    };
    if !is(&[&super::MUL, &super::DOT]) {
        return false;
    }
    (a == b && paired)
        || (is_weight(g, a) && is_sum_of_squares(g, b, left))
        || (is_weight(g, b) && is_sum_of_squares(g, a, left))
}

/// Whether `x` is a factor that leaves a sum of squares one: not a variable, or positive by its form.
fn is_weight(g: &Graph, x: NodeId) -> bool {
    let positive = [&super::EXP, &super::SIGMOID, &super::SOFTMAX, &super::SOFTPLUS];
    g.node(x).stage == Role::Data || positive.into_iter().any(|op| g.is(x, op))
}
