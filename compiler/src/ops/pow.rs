//! The power.

use super::curvature::{Bend, Fact, Facts, Shape, Slope, Smoothness, combine, shapes};
use super::curvature::interval::Interval;
use super::curvature::range::Range;
use super::elementwise::{binary_samples, fill_like, operand, real_binary, zip};
use super::{Curvature, Derivative, Lowering, Operator, Surface};
use crate::ir::graph::{Graph, NodeId};

/// The power.
pub static POW: Operator = Operator {
    name: "pow",
    definition: "pow(a, b) = a^b, elementwise on two real arrays of one shape; a^0 = 1",
    domain: "a > 0 with any b, a = 0 with b >= 0, a < 0 with whole b (NaN otherwise). The derivative by b at a = 0 is taken as 0",
    surface: Surface::Elementwise("pow"),
    shape: real_binary,
    value: |_, x, _| zip(x[0], x[1], libm::pow),
    derivative: Derivative::Partials(|g, node, k| {
        Some(if k == 0 { by_base(g, node) } else { by_exponent(g, node) })
    }),
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Kernel("pow"),
    samples: || binary_samples(&[(0.5, 2.0), (2.0, -1.5), (3.0, 0.0), (1e-2, 0.5), (1.0, 3.3), (40.0, 1.0)]),
};

/// `b a^(b - 1)`, and 0 where `a` and `b` are 0 (there `a^(b - 1)` is infinite). A constant exponent needs no case distinction
/// and stays constant, so that whole powers of negative bases have derivatives of every order.
fn by_base(g: &mut Graph, node: NodeId) -> NodeId {
    let (a, b) = (operand(g, node, 0), operand(g, node, 1));
    match g.fill_value(b) {
        Some(0.0) => fill_like(g, node, 0.0),
        Some(1.0) => fill_like(g, node, 1.0),
        Some(2.0) => g.scale(a, 2.0),
        Some(p) => {
            let lower = fill_like(g, node, p - 1.0);
            let power = g.pow(a, lower);
            g.scale(power, p)
        }
        None => {
            let one = fill_like(g, node, 1.0);
            let lower = g.sub(b, one);
            let power = g.pow(a, lower);
            let rate = g.mul(b, power);
            let zero = fill_like(g, node, 0.0);
            let base_zero = g.binary(&super::EQ, a, zero);
            let exponent_zero = g.binary(&super::EQ, b, zero);
            let flat = g.and(base_zero, exponent_zero);
            g.select(flat, zero, rate)
        }
    }
}

/// `a^b log a`, and 0 where `a` is 0.
fn by_exponent(g: &mut Graph, node: NodeId) -> NodeId {
    let a = operand(g, node, 0);
    let log = g.unary(&super::LOG, a);
    let rate = g.mul(node, log);
    let zero = fill_like(g, node, 0.0);
    let at_zero = g.binary(&super::EQ, a, zero);
    g.select(at_zero, zero, rate)
}

/// Known exponents; exponents in a range that keeps the shape; exponentials of a constant base.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let (base, exponent) = (operand(g, id, 0), operand(g, id, 1));
    let (x, p) = (facts.of(base), facts.of(exponent));
    if let Some(p) = p.range.value().filter(|_| p.is_constant()) {
        let mut fact = combine::apply(facts, id, base, &format!("x^{p}"), &|x| shapes::power(x, p));
        fact.degree = x.degree.filter(|&d| p == 2.0 && d <= 1).map(|d| 2 * d).or(fact.degree);
        fact.squares = fact.squares || (p == 2.0 && x.bend.is_affine());
        fact.log = if p >= 0.0 { x.log } else { x.log.flipped() };
        return fact;
    }
    if p.is_constant() {
        let exponents = p.range.hull();
        return combine::apply(facts, id, base, "x^p", &|x| power_between(x, exponents));
    }
    if x.is_constant() && x.range.hull().is_nonnegative() {
        // a^y is e^(y log a), whose logarithm is affine in y.
        let sign = x.range.map(|a| Interval::new(libm::log(a.lo), libm::log(a.hi)).rounded()).hull();
        let log = if p.bend.is_affine() || sign.is_nonnegative() {
            p.bend
        } else if sign.is_nonpositive() {
            p.bend.flipped()
        } else {
            Bend::Unknown
        };
        let range = Range::uniform(Interval { lo: 0.0, hi: f64::INFINITY });
        let mut fact = Fact::unknown(id, "a power whose exponent varies", range);
        fact.log = log;
        fact.smooth = p.smooth;
        return fact;
    }
    let above = if x.range.hull().is_nonnegative() { Interval { lo: 0.0, hi: f64::INFINITY } } else { Interval::ALL };
    Fact::unknown(id, "a power whose base and exponent both vary", Range::uniform(above))
}

/// `x^p` for any one `p` of an interval, the same for all elements or not.
fn power_between(x: Interval, p: Interval) -> Shape {
    let unknown = Shape {
        range: if x.is_nonnegative() { Interval { lo: 0.0, hi: f64::INFINITY } } else { Interval::ALL },
        slope: Slope::Unknown,
        bend: Bend::Unknown,
        smooth: Smoothness::Jumps,
    };
    if !x.is_nonnegative() {
        return unknown;
    }
    let smooth = if x.lo > 0.0 { Smoothness::Smooth } else { Smoothness::Steep };
    if p.lo >= 1.0 {
        Shape { slope: Slope::Up, bend: Bend::Convex, smooth, ..unknown }
    } else if p.lo >= 0.0 && p.hi <= 1.0 {
        Shape { slope: Slope::Up, bend: Bend::Concave, smooth, ..unknown }
    } else if p.hi <= 0.0 {
        Shape { slope: Slope::Down, bend: Bend::Convex, smooth, ..unknown }
    } else {
        unknown
    }
}
