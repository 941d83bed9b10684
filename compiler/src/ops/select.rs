//! Choice between two arrays.

use ndarray::Zip;

use super::curvature::{Bend, Fact, Facts, Fault, combine, products};
use super::curvature::interval::Interval;
use crate::ir::graph::{Graph, NodeId};
use super::elementwise::{boolean, expect_elem, operand, operands, real};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Sample, Surface};
use crate::ir::graph::Attrs;
use crate::types::Elem;

/// Elementwise choice.
pub static SELECT: Operator = Operator {
    name: "select",
    definition: "select(c, a, b) = a where c, b elsewhere; c is bool, a and b are of one type, all of one shape",
    domain: "everywhere; the value that is not chosen counts for nothing, even if it is NaN",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [c, a, b] = operands(types)?;
        expect_elem(c, Elem::Bool)?;
        if *attrs != Attrs::None {
            return Err(format!("takes no parameters, not {attrs:?}"));
        }
        if a != b || a.shape != c.shape {
            return Err(format!("operands differ: {c}, {a} and {b}"));
        }
        Ok(a.clone())
    },
    value: |_, x, _| {
        Zip::from(x[0]).and(x[1]).and(x[2]).map_collect(|&c, &a, &b| if c != 0.0 { a } else { b })
    },
    derivative: Derivative::Linear(|g, node, cotangent, k| {
        let condition = operand(g, node, 0);
        let zero = g.zeros_like(cotangent);
        if k == 1 { g.select(condition, cotangent, zero) } else { g.select(condition, zero, cotangent) }
    }),
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Instruction(Instruction::Select),
    samples: || {
        let sample = |shape: &[usize]| Sample {
            attrs: Attrs::None,
            inputs: vec![
                boolean(shape, &[1.0, 0.0, 0.0]),
                real(shape, &[0.5, -1.0, 2.0, 3.5]),
                real(shape, &[-0.3, 0.8]),
            ],
        };
        vec![sample(&[]), sample(&[5]), sample(&[2, 3])]
    },
};

/// A choice that the variables do not make keeps what both branches have in common. Of the others, those that are known to be
/// something else: the larger or smaller of two, a norm with its slope at 0, an entropy with its value at 0.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let (condition, yes, no) = (operand(g, id, 0), operand(g, id, 1), operand(g, id, 2));
    let (a, b) = (facts.of(yes), facts.of(no));
    let c = facts.of(condition);
    if c.is_constant() {
        return chosen_by_parameters(facts, id, (condition, yes, no));
    }
    if let Some(bend) = extreme_of(g, condition, yes, no) {
        let op = if bend == Bend::Convex { f64::max } else { f64::min };
        let mut fact = combine::extreme_of(facts, id, &[yes, no], bend);
        fact.range = a.range.zip(&b.range, |a, b| Interval::new(op(a.lo, b.lo), op(a.hi, b.hi)));
        return fact;
    }
    if is_root_with_slope_at_zero(g, condition, yes, no) {
        return b.clone();
    }
    let guarded = |zero: NodeId, value: NodeId, x: Option<NodeId>| -> bool {
        let (Some(x), true) = (x, g.is(value, &super::MUL)) else { return false };
        let [p, q] = [operand(g, value, 0), operand(g, value, 1)];
        let entropy = (p == x && products::entropy(g, facts, p, q)) || (q == x && products::entropy(g, facts, q, p));
        entropy && g.fill_value(zero) == Some(0.0) && facts.of(x).range.hull().is_nonnegative()
    };
    if guarded(no, yes, positive(g, condition)) {
        return a.clone();
    }
    let range = a.range.zip(&b.range, Interval::hull);
    let branches = [condition, yes, no];
    let fault = combine::fault_of(facts, &branches[1..], id, || "a choice that the variables make".into());
    Fact { fault: Some(fault), ..Fact::unknown(id, "", range) }
}

/// A choice between two branches that does not depend on the variables; one that is never taken does not count.
fn chosen_by_parameters(facts: &Facts, id: NodeId, (condition, yes, no): (NodeId, NodeId, NodeId)) -> Fact {
    let (a, b) = (facts.of(yes), facts.of(no));
    let truth = facts.of(condition).range.hull();
    if truth.lo > 0.0 {
        return a.clone();
    }
    if truth.hi == 0.0 {
        return b.clone();
    }
    let both = a.range.zip(&b.range, Interval::hull);
    let exact = facts.of(condition).range.zip(&a.range, |c, a| if c.lo > 0.0 { a } else { Interval::ALL });
    let exact = exact.zip(&both, |a, both| if a == Interval::ALL { both } else { a });
    let other = facts.of(condition).range.zip(&b.range, |c, b| if c.hi == 0.0 { b } else { Interval::ALL });
    let bend = a.bend.join(b.bend);
    let log = if a.log == Bend::Unknown || b.log == Bend::Unknown { Bend::Unknown } else { a.log.join(b.log) };
    let fault: Option<Fault> = (bend == Bend::Unknown)
        .then(|| combine::fault_of(facts, &[yes, no], id, || "a choice between something convex and something concave".into()));
    Fact {
        range: exact.zip(&other, Interval::meet),
        bend,
        slope: a.slope.join(b.slope),
        degree: a.degree.zip(b.degree).map(|(a, b)| a.max(b)),
        squares: a.squares && b.squares,
        log,
        smooth: a.smooth.max(b.smooth),
        fault,
    }
}

/// `if p < q then q else p` is the larger, `if p < q then p else q` the smaller of two.
fn extreme_of(g: &Graph, condition: NodeId, yes: NodeId, no: NodeId) -> Option<Bend> {
    if !g.is(condition, &super::LT) && !g.is(condition, &super::LE) {
        return None;
    }
    let (p, q) = (operand(g, condition, 0), operand(g, condition, 1));
    if (yes, no) == (q, p) {
        Some(Bend::Convex)
    } else if (yes, no) == (p, q) {
        Some(Bend::Concave)
    } else {
        None
    }
}

/// `if s == 0 then 0 else sqrt(s)`, which is how `norm` is written.
fn is_root_with_slope_at_zero(g: &Graph, condition: NodeId, yes: NodeId, no: NodeId) -> bool {
    g.is(condition, &super::EQ)
        && g.is(no, &super::SQRT)
        && operand(g, condition, 0) == operand(g, no, 0)
        && g.fill_value(operand(g, condition, 1)) == Some(0.0)
        && g.fill_value(yes) == Some(0.0)
}

/// The `x` of `x > 0`.
fn positive(g: &Graph, condition: NodeId) -> Option<NodeId> {
    (g.is(condition, &super::LT) && g.fill_value(operand(g, condition, 0)) == Some(0.0))
        .then(|| operand(g, condition, 1))
}
