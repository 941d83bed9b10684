//! Masked cotangents. A branch that is not taken must not spoil a gradient: where `c` is false, `select(c, g, 0) * partial`
//! is NaN if `partial` is infinite there, while `select(c, g * partial, 0)` is 0. So the select is kept outermost on the
//! way back from operand to operand: this module knows how products, sums and rearrangements move through it.
//!
//! Masks are lost where an operand entry feeds several result entries under different conditions (contractions, broadcasts
//! along which a condition on variables varies): there the plain rule is used. Behind a broadcast along which a condition on
//! data varies, an entry is masked where none of the entries it feeds counts.

use crate::ir::graph::{Graph, NodeId, OpRef, Role};
use crate::ops::{self, Derivative};
use crate::types::{Axes, Elem};

/// A cotangent that is zero wherever `condition` differs from `when`.
struct Masked {
    condition: NodeId,
    when: bool,
    value: NodeId,
}

fn is_zero(g: &Graph, x: NodeId) -> bool {
    g.fill_value(x) == Some(0.0)
}

fn masked(g: &Graph, x: NodeId) -> Option<Masked> {
    if !g.is(x, &ops::SELECT) {
        return None;
    }
    let inputs = &g.node(x).inputs;
    let (condition, a, b) = (inputs[0], inputs[1], inputs[2]);
    if is_zero(g, b) {
        Some(Masked { condition, when: true, value: a })
    } else if is_zero(g, a) {
        Some(Masked { condition, when: false, value: b })
    } else {
        None
    }
}

fn restore(g: &mut Graph, condition: NodeId, when: bool, value: NodeId) -> NodeId {
    let zero = g.zeros_like(value);
    if when { g.select(condition, value, zero) } else { g.select(condition, zero, value) }
}

/// `x * partial`, the select outermost if `x` is masked. Factors 1 and -1 are not multiplied.
pub fn times(g: &mut Graph, x: NodeId, partial: NodeId) -> NodeId {
    if let Some(Masked { condition, when, value }) = masked(g, x) {
        let product = times(g, value, partial);
        return restore(g, condition, when, product);
    }
    match (g.fill_value(x), g.fill_value(partial)) {
        (_, Some(1.0)) => x,
        (Some(1.0), _) => partial,
        (_, Some(-1.0)) => g.neg(x),
        _ => g.mul(x, partial),
    }
}

/// `a + b`. The sum of two masked cotangents is masked by both, so that neither is spoilt further back; `last` says that
/// there is nothing further back.
pub fn plus(g: &mut Graph, a: NodeId, b: NodeId, last: bool) -> NodeId {
    let (Some(left), Some(right)) = (masked(g, a), masked(g, b)) else { return g.add(a, b) };
    if left.condition == right.condition {
        if left.when == right.when {
            let sum = plus(g, left.value, right.value, last);
            return restore(g, left.condition, left.when, sum);
        }
        let (yes, no) = if left.when { (left, right) } else { (right, left) };
        return g.select(yes.condition, yes.value, no.value);
    }
    let sum = g.add(a, b);
    if last {
        return sum;
    }
    let left = if left.when { left.condition } else { g.not(left.condition) };
    let right = if right.when { right.condition } else { g.not(right.condition) };
    let either = g.or(left, right);
    restore(g, either, true, sum)
}

/// The cotangent of operand `k` by `rule` (linear in the cotangent), selects outermost where that is cheap: of nested masks
/// each is carried back that can be, and the others stay inside.
pub fn through(
    g: &mut Graph,
    node: NodeId,
    k: usize,
    cotangent: NodeId,
    rule: &dyn Fn(&mut Graph, NodeId) -> Option<NodeId>,
) -> Option<NodeId> {
    let mut value = cotangent;
    let (mut carried, mut kept) = (Vec::new(), Vec::new());
    while let Some(mask) = masked(g, value) {
        value = mask.value;
        match condition_of_operand(g, node, k, mask.condition) {
            Some(condition) => carried.push((condition, mask.when)),
            None => {
                kept.push((mask.condition, mask.when));
                if let Some(reached) = reached(g, node, mask.condition, mask.when) {
                    carried.push((reached, true));
                }
            }
        }
    }
    for (condition, when) in kept.into_iter().rev() {
        value = restore(g, condition, when, value);
    }
    let mut result = rule(g, value)?;
    for (condition, when) in carried.into_iter().rev() {
        result = restore(g, condition, when, result);
    }
    Some(result)
}

/// Which entries of a broadcast's operand feed an entry whose condition is `when`: the others have the cotangent 0, whatever
/// comes further back. Only for conditions on data, which cost nothing in a run.
fn reached(g: &mut Graph, node: NodeId, condition: NodeId, when: bool) -> Option<NodeId> {
    if !g.is(node, &ops::BROADCAST) || g.node(condition).stage != Role::Data {
        return None;
    }
    let (_, map) = ops::broadcast::parameters(&g.node(node).attrs);
    let repeated = ops::axes::kept(g.shape(node).len(), map);
    let wanted = if when { condition } else { g.not(condition) };
    let whole = g.cast(wanted, Elem::Int);
    let most = g.max_over(whole, &repeated);
    let none = g.zeros_like(most);
    Some(g.binary(&ops::NE, most, none))
}

/// Carries a condition on the entries of a result back to the entries of operand `k`: true where all result entries that the
/// operand's entry feeds have a true condition, false where all have a false one; `None` if some entry feeds both kinds.
fn condition_of_operand(g: &mut Graph, node: NodeId, k: usize, condition: NodeId) -> Option<NodeId> {
    let op = g.node(node).op;
    let is = |candidates: &[&'static ops::Operator]| candidates.iter().any(|&c| OpRef(c) == op);
    let operand = g.node(node).inputs[k];
    let shape = g.shape(operand).clone();
    if is(&[&ops::SELECT]) {
        return Some(condition);
    }
    if is(&[
        &ops::SUM,
        &ops::RESHAPE,
        &ops::TRANSPOSE,
        &ops::SLICE,
        &ops::PAD,
        &ops::CONCAT,
        &ops::SCATTER_ADD,
    ]) && let Derivative::Linear(transposed) = op.0.derivative
    {
        return Some(transposed(g, node, condition, k));
    }
    if is(&[&ops::PROD, &ops::MAX_OVER, &ops::MIN_OVER]) {
        let axes = ops::axes::reduced_axes(&g.node(node).attrs).clone();
        return Some(ops::axes::spread(g, condition, &shape, &axes));
    }
    if is(&[&ops::LOGSUMEXP]) {
        let axis = ops::axes::along_axis(&g.node(node).attrs);
        return Some(ops::axes::spread(g, condition, &shape, &[axis]));
    }
    let rank = g.shape(node).len();
    if is(&[&ops::BROADCAST]) {
        let (_, map) = ops::broadcast::parameters(&g.node(node).attrs);
        let repeated = ops::axes::kept(rank, map);
        return collapse(g, condition, &repeated);
    }
    let all: Axes = (0..rank).collect();
    let uniform = collapse(g, condition, &all)?;
    Some(g.broadcast_scalar(uniform, &shape))
}

/// An array without `axes` that `x` is a broadcast of along them, if `x` is seen not to vary along them: it is a broadcast
/// itself, or computed from such arrays element by element.
pub fn collapse(g: &mut Graph, x: NodeId, axes: &[usize]) -> Option<NodeId> {
    if axes.is_empty() {
        return Some(x);
    }
    if g.is(x, &ops::BROADCAST) {
        let (shape, map) = ops::broadcast::parameters(&g.node(x).attrs);
        if map.iter().any(|to| axes.contains(to)) {
            return None;
        }
        let shape = ops::axes::without(shape, axes);
        let map: Axes = map.iter().map(|to| to - axes.iter().filter(|axis| *axis < to).count()).collect();
        let operand = g.node(x).inputs[0];
        return Some(g.broadcast(operand, &shape, &map));
    }
    let node = g.node(x);
    let shape = &node.ty.shape;
    let elementwise = matches!(node.op.0.lowering, ops::Lowering::Instruction(_) | ops::Lowering::Kernel(_));
    if !elementwise || node.inputs.iter().any(|&input| g.shape(input) != shape) {
        return None;
    }
    let (op, attrs, inputs) = (node.op, node.attrs.clone(), node.inputs.clone());
    let collapsed: Option<Vec<NodeId>> = inputs.iter().map(|&input| collapse(g, input, axes)).collect();
    Some(g.apply(op.0, attrs, &collapsed?))
}
