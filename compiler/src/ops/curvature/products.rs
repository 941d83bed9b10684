//! Facts of products: by a constant, of an expression with itself, with its logarithm, and of two that both vary.

use super::combine::{composed, fault_of};
use super::range::Range;
use super::{Bend, Fact, Facts, Slope, Smoothness};
use crate::ir::graph::{Graph, NodeId};
use crate::ops;

/// A constant factor: keeps the form of the other one, turns it over, or, if its sign is not known, keeps only affine ones.
/// `range` is that of the product.
pub fn scaled(facts: &Facts, id: NodeId, factor: &Fact, other: NodeId, range: Range) -> Fact {
    let x = facts.of(other);
    let sign = factor.range.hull();
    let (bend, slope) = if sign.is_nonnegative() {
        (x.bend, x.slope)
    } else if sign.is_nonpositive() {
        (x.bend.flipped(), x.slope.flipped())
    } else if x.bend.is_affine() {
        (x.bend, Slope::Unknown)
    } else {
        (Bend::Unknown, Slope::Unknown)
    };
    Fact {
        range,
        bend,
        slope,
        degree: x.degree,
        squares: x.squares && sign.is_nonnegative(),
        log: if sign.is_nonnegative() { x.log } else { Bend::Unknown },
        smooth: x.smooth,
        fault: (bend == Bend::Unknown).then(|| {
            fault_of(facts, &[other], id, || {
                format!(
                    "something {} times a factor that lies in {sign}, so its sign is not known",
                    x.bend.word()
                )
            })
        }),
    }
}

/// The square of an expression. `range` is that of the result.
pub fn square(facts: &Facts, id: NodeId, a: NodeId, range: Range) -> Fact {
    let x = facts.of(a);
    let sign = x.range.hull();
    let rising = if sign.is_nonnegative() {
        Slope::Up
    } else if sign.is_nonpositive() {
        Slope::Down
    } else {
        Slope::Unknown
    };
    let bend = composed(Bend::Convex, rising, x.bend);
    Fact {
        range,
        bend,
        slope: rising.after(x.slope),
        degree: x.degree.filter(|&d| d <= 1).map(|d| 2 * d),
        squares: x.bend.is_affine(),
        log: x.log,
        smooth: x.smooth,
        fault: (bend == Bend::Unknown).then(|| {
            fault_of(facts, &[a], id, || match x.bend {
                Bend::Convex => format!(
                    "the square of something convex that lies in {sign}: it would have to be at least 0"
                ),
                _ => format!(
                    "the square of something concave that lies in {sign}: it would have to be at most 0"
                ),
            })
        }),
    }
}

/// `a * b`, element by element or summed. `range` is that of the result.
pub fn product(facts: &Facts, id: NodeId, a: NodeId, b: NodeId, range: Range) -> Fact {
    let (x, y) = (facts.of(a), facts.of(b));
    if x.is_constant() {
        return scaled(facts, id, x, b, range);
    }
    if y.is_constant() {
        return scaled(facts, id, y, a, range);
    }
    let log = match (x.log, y.log) {
        (Bend::Unknown, _) | (_, Bend::Unknown) => Bend::Unknown,
        (p, q) => p.join(q),
    };
    let both_rise = x.range.hull().is_nonnegative() && y.range.hull().is_nonnegative();
    let slope = if both_rise { x.slope.join(y.slope) } else { Slope::Unknown };
    Fact {
        range,
        bend: Bend::Unknown,
        slope,
        degree: x.degree.zip(y.degree).map(|(a, b)| a + b).filter(|&d| d <= 2),
        squares: false,
        log,
        smooth: x.smooth.max(y.smooth),
        fault: Some(fault_of(facts, &[a, b], id, || "a product of two expressions that both vary".into())),
    }
}

/// The fact of a sum of `terms` elements, each with this fact but for the range: a logarithm stays convex, not concave.
#[must_use]
pub fn summed(fact: Fact, terms: usize) -> Fact {
    let log = match fact.log {
        log if terms <= 1 => log,
        Bend::Affine | Bend::Convex => Bend::Convex,
        Bend::Constant => Bend::Constant,
        _ => Bend::Unknown,
    };
    Fact { log, ..fact }
}

/// The relative entropy `a * log(a / c)`, or `a * log(a)`, of affine expressions that are not negative: convex in both
/// together. `b` is the logarithm.
pub fn entropy(g: &Graph, facts: &Facts, a: NodeId, b: NodeId) -> bool {
    if !g.is(b, &ops::LOG) || !facts.of(a).bend.is_affine() {
        return false;
    }
    let ratio = g.node(b).inputs[0];
    if ratio == a {
        return true;
    }
    let inputs = &g.node(ratio).inputs;
    let nonnegative = |x: NodeId| facts.of(x).range.hull().is_nonnegative();
    if g.is(ratio, &ops::DIV) && inputs[0] == a {
        let c = facts.of(inputs[1]);
        return nonnegative(inputs[1]) && (c.is_constant() || (c.bend.is_affine() && nonnegative(a)));
    }
    g.is(ratio, &ops::MUL)
        && [(0, 1), (1, 0)]
            .iter()
            .any(|&(k, c)| inputs[k] == a && facts.of(inputs[c]).is_constant() && nonnegative(inputs[c]))
}

/// The fact of a product for which [`entropy`] holds. `range` is that of the result.
pub fn entropy_fact(facts: &Facts, a: NodeId, range: Range) -> Fact {
    let x = facts.of(a);
    let smooth = if x.range.hull().lo > 0.0 { Smoothness::Smooth } else { Smoothness::Steep };
    Fact {
        range,
        bend: Bend::Convex,
        slope: Slope::Unknown,
        degree: None,
        squares: false,
        log: Bend::Unknown,
        smooth: smooth.max(x.smooth),
        fault: None,
    }
}
