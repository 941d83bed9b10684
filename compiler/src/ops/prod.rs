//! Products over axes.

use super::curvature::{Fact, Facts, combine};
use super::curvature::interval::Interval;
use super::curvature::range::Range;
use super::axes::{fold_rows, kept, reduced_axes, reduction, reduction_samples, spread};
use super::elementwise::{operand, real};
use super::{Curvature, Derivative, Lowering, Operator, Reduction, Sample, Surface};
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::types::Shape;

/// Product over axes.
pub static PROD: Operator = Operator {
    name: "prod",
    definition: "prod(x) = the product of x over the given axes, which disappear; real or int; 1 over nothing",
    domain: "everywhere; the derivative by a factor is the product of the others, also when some factors are 0",
    surface: Surface::Reduction("prod"),
    shape: reduction,
    value: |attrs, x, _| fold_rows(x[0], reduced_axes(attrs), |row| row.product()),
    derivative: Derivative::Rule {
        jvp: |g, node, tangents| {
            let tangent = tangents[0]?;
            let axes = reduced_axes(&g.node(node).attrs).clone();
            let others = products_of_others(g, node);
            let terms = g.mul(tangent, others);
            Some(g.sum(terms, &axes))
        },
        vjp: |g, node, cotangent, _| {
            let axes = reduced_axes(&g.node(node).attrs).clone();
            let others = products_of_others(g, node);
            let shape = g.shape(others).clone();
            let cotangent = spread(g, cotangent, &shape, &axes);
            Some(g.mul(cotangent, others))
        },
    },
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Reduce(Reduction::Prod),
    samples: || {
        let zeros = |shape: &[usize], axes: &[usize], values: &[f64]| Sample {
            attrs: Attrs::Axes(axes.into()),
            inputs: vec![real(shape, values)],
        };
        let mut samples = reduction_samples();
        samples.push(zeros(&[4], &[0], &[2.0, 0.0, -1.5, 0.5]));
        samples.push(zeros(&[3, 3], &[1], &[2.0, 0.0, 1.5, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0]));
        samples
    },
};

/// For every element the product of the others that are reduced with it. Neighbouring halves are multiplied up to the
/// whole product, and the way back multiplies each half by the other one: linear cost, and no division that a zero would spoil.
fn products_of_others(g: &mut Graph, node: NodeId) -> NodeId {
    let x = operand(g, node, 0);
    let axes = reduced_axes(&g.node(node).attrs).clone();
    let shape = g.shape(x).clone();
    let mut perm = kept(shape.len(), &axes);
    let rows = perm.len();
    perm.extend_from_slice(&axes);
    let moved = g.transpose(x, &perm);
    let moved_shape = g.shape(moved).clone();
    let length = moved_shape[rows..].iter().product();
    let mut row_shape: Shape = moved_shape[..rows].into();
    row_shape.push(length);
    let factors = g.reshape(moved, &row_shape);
    let others = others_along_last(g, factors);
    let others = g.reshape(others, &moved_shape);
    let mut inverse = perm.clone();
    for (to, &from) in perm.iter().enumerate() {
        inverse[from] = to;
    }
    g.transpose(others, &inverse)
}

fn others_along_last(g: &mut Graph, factors: NodeId) -> NodeId {
    let mut levels = Vec::new();
    let mut current = factors;
    while length(g, current) > 1 {
        let half = length(g, current).div_ceil(2);
        let padded = lengthen(g, current, 2 * half);
        let first = part(g, padded, 0, half);
        let second = part(g, padded, half, 2 * half);
        levels.push((length(g, current), first, second));
        current = g.mul(first, second);
    }
    let shape = g.shape(current).clone();
    let mut others = g.fill(1.0, &shape);
    for (length, first, second) in levels.into_iter().rev() {
        let of_first = g.mul(others, second);
        let of_second = g.mul(others, first);
        let both = g.concat(&[of_first, of_second], shape.len() - 1);
        others = part(g, both, 0, length);
    }
    others
}

fn length(g: &Graph, x: NodeId) -> usize {
    g.shape(x).last().copied().unwrap_or(1)
}

/// Elements `from..to` along the last axis.
fn part(g: &mut Graph, x: NodeId, from: usize, to: usize) -> NodeId {
    let mut end = g.shape(x).clone();
    let mut start: Shape = end.iter().map(|_| 0).collect();
    if let (Some(first), Some(last)) = (start.last_mut(), end.last_mut()) {
        (*first, *last) = (from, to);
    }
    g.slice(x, &start, &end)
}

/// Ones put behind the last axis up to `length`.
fn lengthen(g: &mut Graph, x: NodeId, to: usize) -> NodeId {
    let mut shape = g.shape(x).clone();
    let Some(last) = shape.last_mut() else { return x };
    if *last == to {
        return x;
    }
    *last = to - *last;
    let ones = g.fill(1.0, &shape);
    g.concat(&[x, ones], shape.len() - 1)
}

/// A product bends as its logarithm, the sum of those of the factors, allows.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let x = facts.of(operand(g, id, 0));
    let place = x.range.hull();
    let range = if place.lo >= 0.0 && place.hi <= 1.0 {
        Interval::UNIT
    } else if place.is_nonnegative() {
        Interval { lo: 0.0, hi: f64::INFINITY }
    } else {
        Interval::ALL
    };
    let fault = combine::fault_of(facts, &[operand(g, id, 0)], id, || "a product of expressions that vary".into());
    let fact = Fact::unknown(id, "", Range::uniform(range));
    Fact { log: x.log, smooth: x.smooth, fault: Some(fault), ..fact }
}
