//! Sums of exponentials with weights of any sign, `sum(w exp(z))`. Such a sum may be negative, so it has no logarithm that can be
//! taken term by term; instead its largest exponent is taken out, `exp(m) sum(w exp(z - m))`, where it meets a logarithm or a
//! quotient. The largest is that among the terms that have a weight, and it is a constant to derivatives, because the whole does
//! not depend on it.

use super::logs::{VIEWS, exponential_factor, log};
use super::pattern::{binary_of, either_of, fill_like, inputs, unary_of, with_inputs};
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::ops;
use crate::ops::axes::{kept, spread};
use crate::types::{Axes, Shape};

/// How deep an exponent is searched for the mark that its largest value is out already.
const DEPTH: usize = 5;

/// `exp(shift) rest`.
struct Shifted {
    shift: NodeId,
    rest: NodeId,
}

/// `log(sum(w exp(z)))`, also with a positive constant before it.
pub fn log_of_weighted(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let y = unary_of(g, id, &ops::LOG)?;
    let positive = |x: NodeId| g.fill_value(x).is_some_and(|c| c.is_normal() && c > 0.0);
    let (sum, offset) = match either_of(g, y, &ops::MUL, positive) {
        Some((c, sum)) => (sum, g.fill_value(c).map(libm::log)),
        None => match binary_of(g, y, &ops::DIV).filter(|&(_, c)| positive(c)) {
            Some((sum, c)) => (sum, g.fill_value(c).map(|c| -libm::log(c))),
            None => (y, None),
        },
    };
    let Shifted { shift, rest } = shifted(g, sum)?;
    let log = g.unary(&ops::LOG, rest);
    let log = g.add(shift, log);
    Some(match offset {
        Some(offset) => {
            let offset = fill_like(g, offset, log);
            g.add(offset, log)
        }
        None => log,
    })
}

/// `y / sum(w exp(z))`, where `y` is made of exponentials or has a factor that is.
pub fn quotient_by_weighted(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (y, s) = binary_of(g, id, &ops::DIV)?;
    if g.fill_value(y).is_some() {
        return None;
    }
    let (exponent, other) = match log(g, y) {
        Some(log) => (log.node, None),
        None => exponential_factor(g, y).map(|(log, other)| (log, Some(other)))?,
    };
    let Shifted { shift, rest } = shifted(g, s)?;
    let away = g.sub(exponent, shift);
    let e = g.unary(&ops::EXP, away);
    let above = other.map_or(e, |other| g.mul(e, other));
    Some(g.div(above, rest))
}

/// A sum of exponentials with weights, perhaps rearranged, with its largest exponent taken out.
fn shifted(g: &mut Graph, x: NodeId) -> Option<Shifted> {
    if VIEWS.into_iter().any(|op| g.is(x, op)) {
        let mut operands = inputs(g, x);
        let Shifted { shift, rest } = shifted(g, operands[0])?;
        operands[0] = shift;
        let shift = with_inputs(g, x, &operands);
        operands[0] = rest;
        return Some(Shifted { shift, rest: with_inputs(g, x, &operands) });
    }
    if g.is(x, &ops::DOT) {
        let sum = [false, true].into_iter().find_map(|flip| {
            let sum = WeightedSum::new(g, x, flip)?;
            let exponent = log(g, sum.other).filter(|log| log.large)?;
            Some((sum, exponent.node))
        });
        let (sum, exponent) = sum?;
        let weight = sum.repeat(g, sum.weight);
        let Shifted { shift, rest } = take_out(g, weight, exponent, &sum.summed)?;
        return Some(Shifted { shift: sum.arrange(g, shift), rest: sum.arrange(g, rest) });
    }
    let terms = unary_of(g, x, &ops::SUM)?;
    let Attrs::Axes(axes) = g.node(x).attrs.clone() else { return None };
    let (a, b) = binary_of(g, terms, &ops::MUL)?;
    let (weight, exponent) = [(a, b), (b, a)].into_iter().find_map(|(weight, e)| {
        let exponent = log(g, e).filter(|log| log.large)?;
        Some((weight, exponent.node))
    })?;
    take_out(g, weight, exponent, &axes)
}

/// `sum(w exp(z))` over axes. Where no term has a weight, nothing is taken out.
fn take_out(g: &mut Graph, w: NodeId, z: NodeId, axes: &[usize]) -> Option<Shifted> {
    if is_shifted(g, z, DEPTH) {
        return None;
    }
    let zero = g.zeros_like(w);
    let counts = g.binary(&ops::NE, w, zero);
    let nothing = fill_like(g, f64::NEG_INFINITY, z);
    let candidates = g.select(counts, z, nothing);
    let largest = g.max_over(candidates, axes);
    let lowest = fill_like(g, f64::NEG_INFINITY, largest);
    let some = g.binary(&ops::LT, lowest, largest);
    let none = g.zeros_like(largest);
    let shift = g.select(some, largest, none);
    let shift = g.stop_gradient(shift);
    let shape = g.shape(z).clone();
    let repeated = spread(g, shift, &shape, axes);
    let away = g.sub(z, repeated);
    let away = g.select(counts, away, zero);
    let e = g.unary(&ops::EXP, away);
    let terms = g.mul(w, e);
    Some(Shifted { shift, rest: g.sum(terms, axes) })
}

/// Whether an exponent has its largest value taken out already.
fn is_shifted(g: &Graph, z: NodeId, depth: usize) -> bool {
    g.is(z, &ops::STOP_GRADIENT)
        || (depth > 0 && g.node(z).inputs.iter().any(|&input| is_shifted(g, input, depth - 1)))
}

/// A contraction of an array with weights that have no axes of their own, read as a sum of the array's elements times weights.
pub struct WeightedSum {
    /// The operand that is repeated over the other's axes.
    pub weight: NodeId,
    /// The operand with all axes.
    pub other: NodeId,
    /// The axes of `other` that are summed over.
    pub summed: Axes,
    shape: Shape,
    order: Axes,
    map: Axes,
    perm: Axes,
}

impl WeightedSum {
    /// A contraction whose left operand (or, with `flip`, right one) has no axes of its own.
    pub fn new(g: &Graph, dot: NodeId, flip: bool) -> Option<Self> {
        let (left, right) = binary_of(g, dot, &ops::DOT)?;
        let axes = ops::dot::axes(&g.node(dot).attrs);
        let (weight, other) = if flip { (right, left) } else { (left, right) };
        // Pairs of an axis of `other` and one of `weight`.
        let pair = |&(l, r): &(usize, usize)| if flip { (l, r) } else { (r, l) };
        if axes.batch.len() + axes.contract.len() != g.shape(weight).len() {
            return None;
        }
        let mut pairs: Vec<(usize, usize)> = axes.batch.iter().chain(&axes.contract).map(pair).collect();
        pairs.sort_unstable();
        let mut summed: Axes = axes.contract.iter().map(|p| pair(p).0).collect();
        summed.sort_unstable();
        let shape = g.shape(other).clone();
        // Batch axes come first in a contraction; in a sum they stand where `other` has them.
        let stay = kept(shape.len(), &summed);
        let first: Axes = axes.batch.iter().map(|p| pair(p).0).collect();
        let rest = stay.iter().copied().filter(|k| !first.contains(k));
        let wanted = first.iter().copied().chain(rest);
        let perm = wanted.filter_map(|k| stay.iter().position(|&s| s == k)).collect();
        let order = pairs.iter().map(|&(_, w)| w).collect();
        let map = pairs.iter().map(|&(e, _)| e).collect();
        Some(WeightedSum { weight, other, summed, shape, order, map, perm })
    }

    /// An array with the axes of the weights, repeated to those of the other operand.
    pub fn repeat(&self, g: &mut Graph, weight: NodeId) -> NodeId {
        let turned = g.transpose(weight, &self.order);
        g.broadcast(turned, &self.shape, &self.map)
    }

    /// A sum over the summed axes, with its axes in the order of the contraction.
    pub fn arrange(&self, g: &mut Graph, sum: NodeId) -> NodeId {
        g.transpose(sum, &self.perm)
    }
}
