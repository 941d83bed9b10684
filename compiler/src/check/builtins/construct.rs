//! Arrays made from sizes.

use blo_grammar::ast::{Expr, ExprKind};

use super::super::Checker;
use super::super::value::{Axes, Axis, Loops, Value};
use super::Call;
use crate::ir::graph::NodeId;
use crate::ops;
use crate::types::Elem;

/// The identity matrix of a size.
pub fn eye(c: &mut Checker, call: &Call) -> Option<Value> {
    let axis = c.dimension(call.arguments[0])?;
    let n = axis.size;
    let position = c.graph.iota(n);
    let rows = c.graph.broadcast(position, &[n, n], &[0]);
    let columns = c.graph.broadcast(position, &[n, n], &[1]);
    let same = c.graph.binary(&ops::EQ, rows, columns);
    let node = c.graph.cast(same, Elem::Real);
    Some(c.value(node, Loops::new(), Axes::from_slice(&[axis, axis])))
}

/// All zeros.
pub fn zeros(c: &mut Checker, call: &Call) -> Option<Value> {
    let node = c.graph.constant(0.0);
    repeated(c, node, call.arguments)
}

/// All ones.
pub fn ones(c: &mut Checker, call: &Call) -> Option<Value> {
    let node = c.graph.constant(1.0);
    repeated(c, node, call.arguments)
}

/// `full(value, n, …)`: one scalar everywhere.
pub fn full(c: &mut Checker, call: &Call) -> Option<Value> {
    let value = c.expr(call.arguments[0]);
    let shape = sizes(c, &call.arguments[1..]);
    let (value, shape) = (value?, shape?);
    if value.rank() > 0 {
        let label = format!("this is {}", c.value_text(&value));
        return c.error("E0203", "`full` repeats a scalar", call.arguments[0].span, label);
    }
    let node = c.spread(&value, &value.loops.clone(), &shape);
    Some(c.value(node, value.loops, shape))
}

fn repeated(c: &mut Checker, node: NodeId, arguments: &[&Expr]) -> Option<Value> {
    let shape = sizes(c, arguments)?;
    let sizes = c.sizes(&Loops::new(), &shape);
    let node = c.graph.broadcast_scalar(node, &sizes);
    Some(c.value(node, Loops::new(), shape))
}

/// The axes that sizes given as arguments make.
pub fn sizes(c: &mut Checker, arguments: &[&Expr]) -> Option<Axes> {
    let axes: Vec<Option<Axis>> = arguments.iter().map(|e| c.dimension(e)).collect();
    axes.into_iter().collect()
}

/// `arange(n)` or `arange(start, end)`: whole numbers in steps of one.
pub fn arange(c: &mut Checker, call: &Call) -> Option<Value> {
    let [start, end] = call.arguments else {
        let axis = c.dimension(call.arguments[0])?;
        let node = c.graph.iota(axis.size);
        return Some(c.value(node, Loops::new(), Axes::from_slice(&[axis])));
    };
    let (from, to) = (c.whole_number(start, "the start"), c.whole_number(end, "the end"));
    let ((from, a), (to, b)) = (from?, to?);
    if to <= from {
        let label = format!("{from}..{to} holds no numbers");
        return c.error("E0213", "the range is empty", call.span, label);
    }
    let size = (to - from) as usize;
    let shift = c.graph.int(from);
    let shift = c.graph.broadcast_scalar(shift, &[size]);
    let positions = c.graph.iota(size);
    let node = c.graph.add(positions, shift);
    Some(c.value(node, Loops::new(), Axes::from_slice(&[Axis { size, dim: None, assumed: a || b }])))
}

/// `one_hot(y, k)`: a new last axis that is 1 at the label and 0 elsewhere.
pub fn one_hot(c: &mut Checker, call: &Call) -> Option<Value> {
    let labels = c.expr(call.arguments[0]);
    let axis = c.dimension(call.arguments[1]);
    let (labels, axis) = (labels?, axis?);
    if labels.elem != Elem::Int {
        let label = format!("this is {}", c.value_text(&labels));
        return c.error("E0204", "`one_hot` needs whole numbers", call.arguments[0].span, label);
    }
    let mut shape = labels.shape.clone();
    shape.push(axis);
    let sizes = c.sizes(&labels.loops, &shape);
    let outer: Vec<usize> = (0..sizes.len() - 1).collect();
    let wanted = c.graph.broadcast(labels.node, &sizes, &outer);
    let positions = c.graph.iota(axis.size);
    let positions = c.graph.broadcast(positions, &sizes, &[sizes.len() - 1]);
    let same = c.graph.binary(&ops::EQ, wanted, positions);
    let node = c.graph.cast(same, Elem::Real);
    Some(c.value(node, labels.loops, shape))
}

/// The items of a list given as an argument.
pub fn list<'e>(c: &mut Checker, call: &'e Call) -> Option<&'e [Expr]> {
    match &call.arguments[0].kind {
        ExprKind::Array(items) if !items.is_empty() => Some(items),
        _ => {
            let message = format!("`{}` needs a list of arrays", call.name.name);
            c.error("E0206", message, call.arguments[0].span, "write `[x, y]`")
        }
    }
}
