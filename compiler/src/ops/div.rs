//! The elementwise quotient.

use super::curvature::{Bend, Fact, Facts, Slope, Smoothness, combine, products, shapes};
use crate::ir::graph::{Graph, NodeId};
use super::elementwise::{binary_samples, operand, real_binary, zip};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};

/// The elementwise quotient.
pub static DIV: Operator = Operator {
    name: "div",
    definition: "div(a, b) = a / b, elementwise on two real arrays of one shape",
    domain: "b != 0; otherwise the IEEE quotient (infinite or NaN)",
    surface: Surface::Hidden,
    shape: real_binary,
    value: |_, x, _| zip(x[0], x[1], |a, b| a / b),
    derivative: Derivative::Partials(|g, node, k| {
        let divisor = operand(g, node, 1);
        if k == 0 {
            return Some(g.reciprocal(divisor));
        }
        let negative = g.neg(node);
        Some(g.div(negative, divisor))
    }),
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Instruction(Instruction::Div),
    samples: || binary_samples(&[(-1.5, 2.0), (0.0, 0.3), (2.5, 2.4), (1e-3, -4.0), (3.0, 0.7)]),
};

/// Quotients by and of constants, and a sum of squares over something concave and positive.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let (a, b) = (operand(g, id, 0), operand(g, id, 1));
    let (x, y) = (facts.of(a), facts.of(b));
    let range = x.range.zip(&y.range, |x, y| x.times(y.reciprocal()));
    let reciprocal = combine::apply(facts, id, b, "1 / x", &|x| shapes::power(x, -1.0));
    if y.is_constant() {
        return products::scaled(facts, id, &reciprocal, a, range);
    }
    if x.is_constant() {
        let sign = x.range.hull();
        let (bend, slope) = if sign.is_nonnegative() {
            (reciprocal.bend, reciprocal.slope)
        } else if sign.is_nonpositive() {
            (reciprocal.bend.flipped(), reciprocal.slope.flipped())
        } else {
            (Bend::Unknown, Slope::Unknown)
        };
        let fault = (bend == Bend::Unknown).then(|| {
            let why = || format!("a constant in {sign} over something that varies, so its sign is not known");
            reciprocal.fault.clone().unwrap_or_else(|| combine::fault_of(facts, &[b], id, why))
        });
        let log = if sign.is_nonnegative() { y.log.flipped() } else { Bend::Unknown };
        return Fact { range, bend, slope, log, fault, ..reciprocal };
    }
    let over_concave = x.squares && y.bend.is_concave() && y.range.hull().is_nonnegative();
    let log = match (x.log, y.log) {
        (Bend::Unknown, _) | (_, Bend::Unknown) => Bend::Unknown,
        (p, q) => p.join(q.flipped()),
    };
    let apart = y.range.hull().lo > 0.0 || y.range.hull().hi < 0.0;
    let smooth = if apart { Smoothness::Smooth } else { Smoothness::Jumps };
    let why = || "a quotient of two expressions that both vary".into();
    Fact {
        range,
        bend: if over_concave { Bend::Convex } else { Bend::Unknown },
        log,
        smooth: smooth.max(x.smooth).max(y.smooth),
        fault: (!over_concave).then(|| combine::fault_of(facts, &[a, b], id, why)),
        degree: None,
        squares: false,
        slope: Slope::Unknown,
    }
}
