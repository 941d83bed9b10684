//! Products of vectors, and diagonals.

use super::super::Checker;
use super::super::arithmetic::{same_axis, union};
use super::super::value::{Axes, Label, Value};
use super::Call;
use crate::ops;

/// `dot(x, y)`: the sum of products over two arrays of one shape.
pub fn dot(c: &mut Checker, call: &Call, values: &[Value]) -> Option<Value> {
    let (a, b) = (&values[0], &values[1]);
    c.numeric(a.clone(), call.arguments[0].span, "`dot`")?;
    c.numeric(b.clone(), call.arguments[1].span, "`dot`")?;
    let same = a.rank() == b.rank() && a.shape.iter().zip(&b.shape).all(|(x, y)| same_axis(x, y).is_some());
    if !same {
        return c.shapes_differ("`dot`", call.name.span, (a, call.arguments[0]), (b, call.arguments[1]));
    }
    let (a, b) = (c.real(a), c.real(b));
    Some(c.inner(&a, &b))
}

/// `outer(x, y)`: all products of two vectors' elements.
pub fn outer(c: &mut Checker, call: &Call, values: &[Value]) -> Option<Value> {
    for (value, e) in values.iter().zip(call.arguments) {
        c.numeric(value.clone(), e.span, "`outer`")?;
        if value.rank() != 1 {
            let label = format!("this is {}", c.value_text(value));
            return c.error("E0203", "`outer` needs two vectors", e.span, label);
        }
    }
    let (a, b) = (c.real(&values[0]), c.real(&values[1]));
    let (la, lb) = (Checker::labels(&a, |_| 0), Checker::labels(&b, |_| 1));
    let loops = union(&a.loops, &b.loops);
    let out: Vec<Label> =
        loops.iter().map(|&l| Label::Loop(l)).chain([Label::Own(0), Label::Own(1)]).collect();
    let node = c.einsum((a.node, &la), (b.node, &lb), &out);
    Some(c.value(node, loops, Axes::from_slice(&[a.shape[0], b.shape[0]])))
}

/// The sum of the diagonal.
pub fn trace(c: &mut Checker, call: &Call, values: &[Value]) -> Option<Value> {
    let diagonal = diagonal(c, call, &values[0])?;
    let at = diagonal.loops.len();
    let node = c.graph.sum(diagonal.node, &[at]);
    Some(c.value(node, diagonal.loops, Axes::new()))
}

/// The diagonal of a square matrix, or the matrix with a vector on its diagonal.
pub fn diag(c: &mut Checker, call: &Call, values: &[Value]) -> Option<Value> {
    let value = &values[0];
    if value.rank() != 1 {
        return diagonal(c, call, value);
    }
    let value = c.numeric(value.clone(), call.arguments[0].span, "`diag`")?;
    let value = c.real(&value);
    let axis = value.shape[0];
    let shape = Axes::from_slice(&[axis, axis]);
    let sizes = c.sizes(&value.loops, &shape);
    let outer = value.loops.len();
    let map: Vec<usize> = (0..=outer).collect();
    let spread = c.graph.broadcast(value.node, &sizes, &map);
    let positions = c.graph.iota(axis.size);
    let rows = c.graph.broadcast(positions, &sizes, &[outer]);
    let columns = c.graph.broadcast(positions, &sizes, &[outer + 1]);
    let same = c.graph.binary(&ops::EQ, rows, columns);
    let zero = c.graph.fill(0.0, &sizes);
    let node = c.graph.select(same, spread, zero);
    Some(c.value(node, value.loops, shape))
}

fn diagonal(c: &mut Checker, call: &Call, value: &Value) -> Option<Value> {
    let value = &c.numeric(value.clone(), call.arguments[0].span, &format!("`{}`", call.name.name))?;
    let square = value.rank() == 2 && same_axis(&value.shape[0], &value.shape[1]).is_some();
    if !square {
        let label = format!("this is {}", c.value_text(value));
        let message = format!("`{}` needs a square matrix", call.name.name);
        return c.error("E0203", message, call.arguments[0].span, label);
    }
    // Position i of row i: a gather whose batch axes are the loops and the rows.
    let n = value.shape[0].size;
    let sizes = c.sizes(&value.loops, &value.shape[..1]);
    let positions = c.graph.iota(n);
    let index = c.graph.broadcast(positions, &sizes, &[sizes.len() - 1]);
    let node = c.graph.gather(value.node, index, sizes.len());
    Some(c.value(node, value.loops.clone(), Axes::from_slice(&value.shape[..1])))
}
