//! Masked cotangents. A branch that is not taken must not spoil a gradient: where `c` is false, `select(c, g, 0) * partial`
//! is NaN if `partial` is infinite there, while `select(c, g * partial, 0)` is 0. So the select is kept outermost on the
//! way back from operand to operand: this module knows how products, sums and rearrangements move through it.
//!
//! Where an operand entry feeds several result entries under different conditions (contractions, broadcasts along which the
//! condition varies), the mask stays inside; outside goes that *any* of them counts, if something further back can be infinite.

use crate::ir::graph::{Attrs, Graph, NodeId, OpRef};
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

/// `x * partial`, the select outermost if `x` is masked, or if `partial` is a truth value (as for `max`). Factors 1 and -1 are not
/// multiplied.
pub fn times(g: &mut Graph, x: NodeId, partial: NodeId) -> NodeId {
    if g.is(partial, &ops::CAST) {
        let condition = g.node(partial).inputs[0];
        if g.ty(condition).elem == Elem::Bool {
            return restore(g, condition, true, x);
        }
    }
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

/// Whether the derivative of an operator can be infinite or overflow, so that 0 times it is NaN.
pub fn unbounded(op: OpRef) -> bool {
    let list = [
        &ops::DIV,
        &ops::POW,
        &ops::SQRT,
        &ops::LOG,
        &ops::LOG1P,
        &ops::EXP,
        &ops::EXPM1,
        &ops::SINH,
        &ops::COSH,
        &ops::TAN,
        &ops::ASIN,
        &ops::ACOS,
        &ops::SOLVE,
        &ops::INV,
        &ops::LOGDET,
        &ops::CHOLESKY,
    ];
    list.into_iter().any(|other| OpRef(other) == op)
}

/// The cotangent of operand `k` by `rule` (linear in the cotangent), selects outermost where that is cheap: of nested masks
/// each is carried back that can be, and the others stay inside. With `guard`, what those that stay inside say together is
/// carried back as well, and so is what a slice or a gather leaves out.
pub fn through(
    g: &mut Graph,
    node: NodeId,
    k: usize,
    cotangent: NodeId,
    guard: bool,
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
                if guard {
                    let counts = if mask.when { mask.condition } else { g.not(mask.condition) };
                    carried.push((any_of_operand(g, node, k, counts), true));
                }
            }
        }
    }
    for (condition, when) in kept.into_iter().rev() {
        value = restore(g, condition, when, value);
    }
    let mut result = rule(g, value)?;
    if guard && let Some(read) = read_by(g, node, k) {
        carried.push((read, true));
    }
    for (condition, when) in carried.into_iter().rev() {
        result = restore(g, condition, when, result);
    }
    Some(result)
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

/// The entries of operand `k` that a slice or a gather shows; the others count for nothing.
fn read_by(g: &mut Graph, node: NodeId, k: usize) -> Option<NodeId> {
    let shape = g.shape(node).clone();
    let gathers = k == 0 && g.is(node, &ops::GATHER);
    if !gathers && !g.is(node, &ops::SLICE) {
        return None;
    }
    let yes = g.boolean(true);
    let all = g.broadcast_scalar(yes, &shape);
    if gathers { Some(any_of_operand(g, node, k, all)) } else { condition_of_operand(g, node, k, all) }
}

/// For every entry of operand `k`, whether some result entry that it feeds counts.
fn any_of_operand(g: &mut Graph, node: NodeId, k: usize, counts: NodeId) -> NodeId {
    let shape = g.shape(g.node(node).inputs[k]).clone();
    let whole = g.cast(counts, Elem::Int);
    // The axes of the operand in the result, and where the operand has them.
    let (mut axes, mut places) = (Axes::new(), Axes::new());
    match g.node(node).attrs.clone() {
        Attrs::Broadcast { map, .. } => {
            places = (0..map.len()).collect();
            axes = map;
        }
        Attrs::Dot(pairs) => {
            let (left, right) = (g.node(node).inputs[0], g.node(node).inputs[1]);
            let left = pairs.free_left(g.shape(left).len());
            let right = pairs.free_right(g.shape(right).len());
            places.extend(pairs.batch.iter().map(|p| if k == 0 { p.0 } else { p.1 }));
            axes.extend(0..pairs.batch.len());
            let first = pairs.batch.len() + if k == 0 { 0 } else { left.len() };
            let own = if k == 0 { left } else { right };
            axes.extend((0..own.len()).map(|j| first + j));
            places.extend(own);
        }
        Attrs::Gather { batch } if k == 0 => {
            let index = g.node(node).inputs[1];
            let number = g.scatter_add(whole, index, batch, shape[batch]);
            let zero = g.zeros_like(number);
            return g.binary(&ops::NE, number, zero);
        }
        // Of other operators it is enough to know whether anything counts at all.
        _ => {}
    }
    let others = ops::axes::kept(g.shape(node).len(), &axes);
    let largest = g.max_over(whole, &others);
    let zero = g.zeros_like(largest);
    let any = g.binary(&ops::NE, largest, zero);
    let mut order: Vec<(usize, usize)> = places.into_iter().zip(0..).collect();
    order.sort_unstable();
    let turned: Axes = order.iter().map(|&(_, from)| from).collect();
    let map: Axes = order.iter().map(|&(to, _)| to).collect();
    let any = g.transpose(any, &turned);
    g.broadcast(any, &shape, &map)
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
