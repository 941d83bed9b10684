//! From sums of products to contractions. Every axis of the product has a label; a factor carries the labels of the axes it
//! varies along. Two factors are contracted over the summed labels that no other factor has.
//!
//! A contraction reads both factors from memory, while a fused loop computes elementwise factors as it goes. So a factor that
//! varies along all axes of the product is contracted only if it is in memory anyway: data, an input, or the result of an
//! operator that is not elementwise. Two factors that both vary along all axes are contracted only if both are inputs.

use crate::ir::graph::{DotAxes, Graph, NodeId, Role};
use crate::ops::axes::{kept, reduced_axes};
use crate::ops::{self, Lowering};
use crate::passes::mask::collapse;
use crate::types::{Axes, Shape};

use super::rearrange::repeated_axes;
use super::{matching, operands};

/// An array and the label of each of its axes.
#[derive(Clone, Debug)]
pub struct Factor {
    pub node: NodeId,
    pub labels: Vec<usize>,
}

impl Factor {
    fn has(&self, label: usize) -> bool {
        self.labels.contains(&label)
    }
}

/// The rule for `sum`: contracts one pair of factors, pulls out one factor that is not summed over, or multiplies two factors
/// where that prepares a contraction.
pub fn sum_of_products(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [product] = operands(g, id);
    if !g.is(product, &ops::MUL) {
        return None;
    }
    let shape = g.shape(product).clone();
    let summed: Vec<usize> = reduced_axes(&g.node(id).attrs).to_vec();
    let mut factors = Vec::new();
    collect(g, product, &mut factors);
    if factors.len() > 4 {
        return None;
    }
    let factors: Vec<Factor> = factors.into_iter().map(|node| labelled(g, node)).collect();
    let out: Vec<usize> = kept(shape.len(), &summed).to_vec();
    pull_out(g, &factors, &summed, &shape, &out)
        .or_else(|| contract_pair(g, &factors, &summed, &shape, &out))
        .or_else(|| merge_pair(g, &factors, &summed, &shape))
}

/// The factors of a product of products.
fn collect(g: &Graph, x: NodeId, factors: &mut Vec<NodeId>) {
    match matching::<2>(g, x, &ops::MUL) {
        Some([a, b]) if factors.len() < 8 => {
            collect(g, a, factors);
            collect(g, b, factors);
        }
        _ => factors.push(x),
    }
}

/// A factor without the axes along which it only repeats.
fn labelled(g: &mut Graph, node: NodeId) -> Factor {
    let rank = g.shape(node).len();
    let repeated = repeated_axes(g, node);
    let small = collapse(g, node, &repeated).unwrap_or(node);
    Factor { node: small, labels: kept(rank, &repeated).to_vec() }
}

/// The factor repeated to all axes of the product (`shape`).
fn repeated(g: &mut Graph, factor: &Factor, shape: &Shape) -> NodeId {
    g.broadcast(factor.node, shape, &factor.labels)
}

/// The sum of the product of `factors` over `summed`.
fn rebuild(g: &mut Graph, factors: &[Factor], summed: &[usize], shape: &Shape) -> Option<NodeId> {
    let (first, rest) = factors.split_first()?;
    let mut product = repeated(g, first, shape);
    for factor in rest {
        let factor = repeated(g, factor, shape);
        product = g.mul(product, factor);
    }
    Some(g.sum(product, summed))
}

fn others(factors: &[Factor], without: &[usize]) -> Vec<Factor> {
    let rest = factors.iter().enumerate().filter(|(k, _)| !without.contains(k));
    rest.map(|(_, factor)| factor.clone()).collect()
}

/// A factor that is constant along all summed axes multiplies the sum of the others.
fn pull_out(
    g: &mut Graph,
    factors: &[Factor],
    summed: &[usize],
    shape: &Shape,
    out: &[usize],
) -> Option<NodeId> {
    let k = factors.iter().position(|factor| summed.iter().all(|&label| !factor.has(label)))?;
    let sum = rebuild(g, &others(factors, &[k]), summed, shape)?;
    let map: Vec<usize> = out
        .iter()
        .enumerate()
        .filter(|&(_, &label)| factors[k].has(label))
        .map(|(position, _)| position)
        .collect();
    let sum_shape = g.shape(sum).clone();
    let factor = g.broadcast(factors[k].node, &sum_shape, &map);
    Some(g.mul(factor, sum))
}

fn contract_pair(
    g: &mut Graph,
    factors: &[Factor],
    summed: &[usize],
    shape: &Shape,
    out: &[usize],
) -> Option<NodeId> {
    for p in 0..factors.len() {
        for q in p + 1..factors.len() {
            let rest = others(factors, &[p, q]);
            let (a, b) = (&factors[p], &factors[q]);
            let gone: Vec<usize> = summed
                .iter()
                .copied()
                .filter(|&label| rest.iter().all(|factor| !factor.has(label)))
                .collect();
            if !gone.iter().any(|&label| a.has(label) && b.has(label)) || !worth_contracting(g, a, b) {
                continue;
            }
            // Labels of the pair that stay, in the order of the product.
            let stay: Vec<usize> = (0..shape.len())
                .filter(|&label| (a.has(label) || b.has(label)) && !gone.contains(&label))
                .collect();
            let node = contract(g, a, b, &stay);
            let left: Vec<usize> = summed.iter().copied().filter(|label| !gone.contains(label)).collect();
            if rest.is_empty() {
                // Every kept axis belongs to one of the two: an axis along which both repeat was moved outwards before.
                return (stay == out).then_some(node);
            }
            // Axes that are gone have no length any more: the rest is a product over fewer axes.
            let mut remaining = rest;
            remaining.push(Factor { node, labels: stay });
            return relabelled(g, remaining, &gone, &left, shape);
        }
    }
    None
}

/// Drops the labels `gone` from a product and sums the rest over `summed`.
fn relabelled(
    g: &mut Graph,
    factors: Vec<Factor>,
    gone: &[usize],
    summed: &[usize],
    shape: &Shape,
) -> Option<NodeId> {
    let renamed = |label: usize| label - gone.iter().filter(|&&other| other < label).count();
    let factors: Vec<Factor> = factors
        .into_iter()
        .map(|factor| Factor {
            labels: factor.labels.iter().map(|&label| renamed(label)).collect(),
            ..factor
        })
        .collect();
    let summed: Vec<usize> = summed.iter().map(|&label| renamed(label)).collect();
    let shape = ops::axes::without(shape, gone);
    rebuild(g, &factors, &summed, &shape)
}

/// Whether reading both factors from memory is better than computing their product on the fly.
fn worth_contracting(g: &Graph, a: &Factor, b: &Factor) -> bool {
    let a_full = b.labels.iter().all(|&label| a.has(label));
    let b_full = a.labels.iter().all(|&label| b.has(label));
    match (a_full, b_full) {
        (true, true) => g.is(a.node, &ops::INPUT) && g.is(b.node, &ops::INPUT),
        (true, false) => in_memory(g, a.node),
        (false, true) => in_memory(g, b.node),
        (false, false) => true,
    }
}

/// Whether the node has a buffer anyway.
fn in_memory(g: &Graph, x: NodeId) -> bool {
    let node = g.node(x);
    match node.op.0.lowering {
        _ if node.stage == Role::Data => true,
        Lowering::View => in_memory(g, node.inputs[0]),
        Lowering::Instruction(_) | Lowering::Kernel(_) | Lowering::Expand(_) => false,
        _ => true,
    }
}

/// Of three factors or more, multiplies two whose product varies along fewer axes than the whole: the smallest such pair.
fn merge_pair(g: &mut Graph, factors: &[Factor], summed: &[usize], shape: &Shape) -> Option<NodeId> {
    if factors.len() < 3 {
        return None;
    }
    let mut best: Option<(usize, usize, usize)> = None;
    for p in 0..factors.len() {
        for q in 0..factors.len() {
            let (small, large) = (&factors[p], &factors[q]);
            let fits = p != q && small.labels.iter().all(|&label| large.has(label));
            let size = g.ty(large.node).len();
            if fits && large.labels.len() < shape.len() && best.is_none_or(|(least, _, _)| size < least) {
                best = Some((size, p, q));
            }
        }
    }
    let (_, p, q) = best?;
    let (small, large) = (&factors[p], &factors[q]);
    let large_shape = g.shape(large.node).clone();
    let map: Vec<usize> = (0..large.labels.len()).filter(|&k| small.has(large.labels[k])).collect();
    let spread = g.broadcast(small.node, &large_shape, &map);
    let node = g.mul(spread, large.node);
    let mut merged = others(factors, &[p, q]);
    merged.push(Factor { node, labels: large.labels.clone() });
    rebuild(g, &merged, summed, shape)
}

/// The product of two factors summed over all labels that are not in `out`, its axes in the order of `out`. Every label of
/// `out` belongs to a factor. Labels of one factor alone are summed before; without a common one the result is a plain product.
pub fn contract(g: &mut Graph, a: &Factor, b: &Factor, out: &[usize]) -> NodeId {
    let a = sum_alone(g, a, b, out);
    let b = sum_alone(g, b, &a, out);
    let common = |label: &usize| b.has(*label);
    if !a.labels.iter().any(|label| common(label) && !out.contains(label)) {
        return plain_product(g, &a, &b, out);
    }
    // The order of the operands that needs no transpose afterwards, if there is one.
    let (first, second) =
        if dot_labels(&a, &b, out) == out || dot_labels(&b, &a, out) != out { (a, b) } else { (b, a) };
    let position = |factor: &Factor, label: usize| factor.labels.iter().position(|&other| other == label);
    let pairs = |stays: bool| {
        let shared = first.labels.iter().enumerate().filter(|&(_, label)| out.contains(label) == stays);
        shared.filter_map(|(k, &label)| position(&second, label).map(|other| (k, other))).collect()
    };
    let axes = DotAxes { batch: pairs(true), contract: pairs(false) };
    let result = g.dot(first.node, second.node, axes);
    let labels = dot_labels(&first, &second, out);
    let perm: Axes = out.iter().filter_map(|label| labels.iter().position(|other| other == label)).collect();
    g.transpose(result, &perm)
}

/// The labels of the result of a contraction: batch, free left, free right.
fn dot_labels(a: &Factor, b: &Factor, out: &[usize]) -> Vec<usize> {
    let batch = a.labels.iter().filter(|&&label| b.has(label) && out.contains(&label));
    let left = a.labels.iter().filter(|&&label| !b.has(label));
    let right = b.labels.iter().filter(|&&label| !a.has(label));
    batch.chain(left).chain(right).copied().collect()
}

/// `factor` summed over the labels that neither the other factor nor the result has.
fn sum_alone(g: &mut Graph, factor: &Factor, other: &Factor, out: &[usize]) -> Factor {
    let alone: Axes = (0..factor.labels.len())
        .filter(|&k| !other.has(factor.labels[k]) && !out.contains(&factor.labels[k]))
        .collect();
    let node = g.sum(factor.node, &alone);
    Factor { node, labels: ops::axes::without(&factor.labels, &alone).into_vec() }
}

fn plain_product(g: &mut Graph, a: &Factor, b: &Factor, out: &[usize]) -> NodeId {
    let size = |g: &Graph, label: usize| {
        let find =
            |factor: &Factor| factor.labels.iter().position(|&l| l == label).map(|k| g.shape(factor.node)[k]);
        find(a).or_else(|| find(b)).unwrap_or(1)
    };
    let shape: Shape = out.iter().map(|&label| size(g, label)).collect();
    let a = placed(g, a, &shape, out);
    let b = placed(g, b, &shape, out);
    g.mul(a, b)
}

/// `factor` repeated to the axes `out`, its own axes turned to their order.
fn placed(g: &mut Graph, factor: &Factor, shape: &Shape, out: &[usize]) -> NodeId {
    let map: Axes = (0..out.len()).filter(|&k| factor.has(out[k])).collect();
    let perm: Axes =
        map.iter().filter_map(|&k| factor.labels.iter().position(|&label| label == out[k])).collect();
    let turned = g.transpose(factor.node, &perm);
    g.broadcast(turned, shape, &map)
}
