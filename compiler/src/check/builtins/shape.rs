//! Functions that put arrays together or give them another shape.

use blo_grammar::ast::Expr;
use blo_grammar::span::Span;

use super::super::Checker;
use super::super::arithmetic::{same_axis, union};
use super::super::value::{Axes, Axis, Loops, Value};
use super::Call;
use super::construct::{list, sizes};
use crate::types::Elem;

/// `concat([x, y], axis)`: along an existing axis, the first unless given.
pub fn concat(c: &mut Checker, call: &Call) -> Option<Value> {
    let items = list(c, call)?;
    let values = elements(c, items)?;
    let rank = values[0].rank();
    if rank == 0 {
        return c.error("E0203", "`concat` needs arrays", items[0].span, "this is a scalar");
    }
    let axis = match call.arguments.get(1) {
        Some(e) => c.axis_argument(e, rank)?,
        None => 0,
    };
    for (value, item) in values.iter().zip(items).skip(1) {
        let same = value.rank() == rank
            && (0..rank).all(|k| k == axis || same_axis(&value.shape[k], &values[0].shape[k]).is_some());
        if !same {
            return c.shapes_differ("`concat`", call.name.span, (&values[0], &items[0]), (value, item));
        }
    }
    let mut shape = values[0].shape.clone();
    shape[axis] = Axis {
        size: values.iter().map(|v| v.shape[axis].size).sum(),
        dim: None,
        assumed: values.iter().any(|v| v.shape[axis].assumed),
    };
    Some(c.join_along(&values, axis, shape))
}

/// `stack([x, y], axis)`: along a new axis, the first unless given.
pub fn stack(c: &mut Checker, call: &Call) -> Option<Value> {
    let items = list(c, call)?;
    let values = elements(c, items)?;
    let axis = match call.arguments.get(1) {
        Some(e) => c.axis_argument(e, values[0].rank() + 1)?,
        None => 0,
    };
    c.stack_values(&values, items, axis, call.name.span)
}

/// Elaborates all items and gives them one element type.
fn elements(c: &mut Checker, items: &[Expr]) -> Option<Vec<Value>> {
    let values: Vec<Option<Value>> = items.iter().map(|e| c.expr(e)).collect();
    let values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
    c.one_element_type(values, items)
}

/// `reshape(x, n, …)`: the same elements, row by row.
pub fn reshape(c: &mut Checker, call: &Call) -> Option<Value> {
    let value = c.expr(call.arguments[0]);
    let shape = sizes(c, &call.arguments[1..]);
    let (value, shape) = (value?, shape?);
    let count = |axes: &[Axis]| axes.iter().map(|a| a.size).product::<usize>();
    let assumed = value.shape.iter().chain(&shape).any(|a| a.assumed);
    if count(&value.shape) != count(&shape) && assumed {
        return Some(stand_in(c, &value, &shape));
    }
    if count(&value.shape) != count(&shape) {
        let (from, to) = (c.value_text(&value), c.type_text(value.elem.name(), &shape));
        let label = format!("{} elements into {}", count(&value.shape), count(&shape));
        return c.error("E0203", format!("{from} cannot be reshaped to {to}"), call.span, label);
    }
    let sizes = c.sizes(&value.loops, &shape);
    let node = c.graph.reshape(value.node, &sizes);
    Some(c.value(node, value.loops, shape))
}

/// For sizes that were made up because no data is bound: an array of the wanted shape that depends on what the true one will.
fn stand_in(c: &mut Checker, value: &Value, shape: &[Axis]) -> Value {
    let count = |axes: &[Axis]| axes.iter().map(|a| a.size).product::<usize>();
    let (have, want) = (count(&value.shape), count(shape));
    let outer = c.sizes(&value.loops, &[]);
    let with = |last: usize| outer.iter().copied().chain([last]).collect::<Vec<usize>>();
    let zeros = vec![0; outer.len() + 1];
    let mut node = c.graph.reshape(value.node, &with(have));
    node = c.graph.slice(node, &zeros, &with(have.min(want)));
    let mut after = zeros.clone();
    after[outer.len()] = want.saturating_sub(have);
    node = c.graph.pad(node, &zeros, &after);
    let sizes = c.sizes(&value.loops, shape);
    let node = c.graph.reshape(node, &sizes);
    c.value(node, value.loops.clone(), Axes::from_slice(shape))
}

/// All elements in one axis, row by row.
pub fn flatten(c: &mut Checker, _call: &Call, values: &[Value]) -> Option<Value> {
    let value = &values[0];
    if value.rank() == 1 {
        return Some(value.clone());
    }
    let size = value.shape.iter().map(|a| a.size).product();
    let axis = Axis { size, dim: None, assumed: value.shape.iter().any(|a| a.assumed) };
    let sizes = c.sizes(&value.loops, &[axis]);
    let node = c.graph.reshape(value.node, &sizes);
    Some(c.value(node, value.loops.clone(), Axes::from_slice(&[axis])))
}

impl Checker<'_> {
    /// Widens whole numbers when some item is real; numbers and truth values do not mix.
    pub fn one_element_type(&mut self, values: Vec<Value>, items: &[Expr]) -> Option<Vec<Value>> {
        let truth = |v: &Value| v.elem == Elem::Bool;
        if let Some(k) = values.iter().position(|v| truth(v) != truth(&values[0])) {
            let label = format!("this is {}", self.value_text(&values[k]));
            return self.error(
                "E0204",
                "numbers and truth values do not mix in one array",
                items[k].span,
                label,
            );
        }
        if values.iter().any(|v| v.elem == Elem::Real) {
            return Some(
                values.iter().map(|v| if v.elem == Elem::Real { v.clone() } else { self.real(v) }).collect(),
            );
        }
        Some(values)
    }

    /// Values of one shape along a new axis.
    pub fn stack_values(
        &mut self,
        values: &[Value],
        items: &[Expr],
        axis: usize,
        span: Span,
    ) -> Option<Value> {
        let mut common = values[0].shape.clone();
        for (value, item) in values.iter().zip(items).skip(1) {
            let same = value.rank() == common.len();
            let axes: Option<Axes> = common.iter().zip(&value.shape).map(|(a, b)| same_axis(a, b)).collect();
            match axes.filter(|_| same) {
                Some(axes) => common = axes,
                None => {
                    return self.shapes_differ(
                        "an array of arrays",
                        span,
                        (&values[0], &items[0]),
                        (value, item),
                    );
                }
            }
        }
        let mut shape = common.clone();
        shape.insert(axis, Axis::of(1));
        let raised: Vec<Value> = values
            .iter()
            .map(|v| {
                let sizes = self.sizes(&v.loops, &shape);
                let node = self.graph.reshape(v.node, &sizes);
                self.value(node, v.loops.clone(), shape.clone())
            })
            .collect();
        shape[axis] = Axis::of(values.len());
        Some(self.join_along(&raised, axis, shape))
    }

    /// Concatenates along an own axis after bringing all to the same loops.
    fn join_along(&mut self, values: &[Value], axis: usize, shape: Axes) -> Value {
        let loops = values.iter().fold(Loops::new(), |all, v| union(&all, &v.loops));
        let nodes: Vec<_> = values.iter().map(|v| self.spread(v, &loops, &v.shape)).collect();
        let node = if nodes.len() == 1 { nodes[0] } else { self.graph.concat(&nodes, loops.len() + axis) };
        self.value(node, loops, shape)
    }
}
