//! Sorting. The order of the elements is an operator; the sorted elements are read at those positions, so their derivative is
//! that of the elements that they are.

use blo_grammar::ast::Expr;
use blo_grammar::diagnostic::Diagnostic;

use super::super::Checker;
use super::super::value::{Axis, Value};
use super::Call;
use crate::ir::graph::NodeId;
use crate::ops::transpose::inverse;

/// `sort(x)` or `sort(x, axis)`: from the smallest element to the largest along an axis, the last unless given.
pub fn sort(c: &mut Checker, call: &Call) -> Option<Value> {
    let (value, axis) = operand(c, call, call.arguments.get(1))?;
    let node = c.sorted(&value, axis, None);
    Some(c.value(node, value.loops, value.shape))
}

/// `top_k(x, k)` or `top_k(x, k, axis)`: the largest `k` elements along an axis, the largest first.
pub fn top_k(c: &mut Checker, call: &Call) -> Option<Value> {
    let found = operand(c, call, call.arguments.get(2));
    let count = c.dimension(call.arguments[1]);
    let ((value, axis), mut count) = (found?, count?);
    let given = value.shape[axis];
    if count.size > given.size {
        if !given.assumed && !count.assumed {
            let label = format!("{} of {}", c.axis_text(&count), c.axis_text(&given));
            let message = "`top_k` takes more elements than there are";
            let diagnostic = Diagnostic::error("E0213", message, call.arguments[1].span, label);
            let text = format!("this is {}", c.value_text(&value));
            c.emit(diagnostic.label(call.arguments[0].span, text));
            return None;
        }
        // A size that was made up says nothing.
        count = Axis { size: given.size, dim: None, assumed: true };
    }
    let node = c.sorted(&value, axis, Some(count.size));
    let mut shape = value.shape;
    shape[axis] = count;
    Some(c.value(node, value.loops, shape))
}

/// The array, and the axis to sort along.
fn operand(c: &mut Checker, call: &Call, axis: Option<&&Expr>) -> Option<(Value, usize)> {
    let e = call.arguments[0];
    let value = c.expr(e)?;
    let what = format!("`{}`", call.name.name);
    let value = c.numeric(value, e.span, &what)?;
    if value.rank() == 0 {
        return c.error("E0203", format!("{what} needs an array"), e.span, "this is a scalar");
    }
    let axis = match axis {
        Some(e) => c.axis_argument(e, value.rank())?,
        None => value.rank() - 1,
    };
    Some((value, axis))
}

impl Checker<'_> {
    /// All elements along an axis from the smallest, or so many from the largest.
    fn sorted(&mut self, value: &Value, axis: usize, largest: Option<usize>) -> NodeId {
        let rank = value.loops.len() + value.rank();
        let at = value.loops.len() + axis;
        let last: Vec<usize> = (0..rank).filter(|k| *k != at).chain([at]).collect();
        let x = self.graph.transpose(value.node, &last);
        let keys = self.real(value).node;
        let mut keys = self.graph.transpose(keys, &last);
        if largest.is_some() {
            keys = self.graph.neg(keys);
        }
        let mut order = self.graph.argsort(keys, rank - 1);
        if let Some(count) = largest {
            let mut end = self.graph.shape(order).to_vec();
            end[rank - 1] = count;
            order = self.graph.slice(order, &vec![0; rank], &end);
        }
        let sorted = self.graph.gather(x, order, rank - 1);
        self.graph.transpose(sorted, &inverse(&last))
    }
}
