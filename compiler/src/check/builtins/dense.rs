//! Dense linear algebra: `solve`, `inv`, `cholesky` and `logdet`. The last two axes are rows and columns; leading axes and
//! loops are batches.

use blo_grammar::ast::Expr;
use blo_grammar::diagnostic::Diagnostic;

use super::super::Checker;
use super::super::arithmetic::{same_axis, union};
use super::super::value::{Axes, Loops, Value};
use super::Call;
use crate::ir::graph::NodeId;
use crate::ops::{self, Operator};

/// `inv(A)`.
pub fn inv(c: &mut Checker, call: &Call, values: &[Value]) -> Option<Value> {
    of_square(c, call, &values[0], &ops::INV)
}

/// `cholesky(A)`.
pub fn cholesky(c: &mut Checker, call: &Call, values: &[Value]) -> Option<Value> {
    of_square(c, call, &values[0], &ops::CHOLESKY)
}

/// `logdet(A)`.
pub fn logdet(c: &mut Checker, call: &Call, values: &[Value]) -> Option<Value> {
    let mut value = of_square(c, call, &values[0], &ops::LOGDET)?;
    value.shape.truncate(value.shape.len() - 2);
    Some(c.value(value.node, value.loops, value.shape))
}

/// Applies an operator to a square matrix; the result is given the matrix's axes.
fn of_square(c: &mut Checker, call: &Call, value: &Value, op: &'static Operator) -> Option<Value> {
    let a = square(c, call, value)?;
    let node = c.graph.unary(op, a.node);
    Some(Value { node, ..a })
}

/// The first argument as a real square matrix.
fn square(c: &mut Checker, call: &Call, value: &Value) -> Option<Value> {
    let (what, e) = (format!("`{}`", call.name.name), call.arguments[0]);
    let value = c.numeric(value.clone(), e.span, &what)?;
    if let [.., rows, columns] = *value.shape
        && same_axis(&rows, &columns).is_some()
    {
        return Some(c.real(&value));
    }
    let label = format!("this is {}", c.value_text(&value));
    let mut diagnostic = Diagnostic::error("E0203", format!("{what} needs a square matrix"), e.span, label);
    if let [.., rows, columns] = *value.shape {
        let (m, n) = (c.axis_text(&rows), c.axis_text(&columns));
        diagnostic = diagnostic.note(format!("{m} is not {n}"));
        if rows.size == columns.size && !rows.assumed && !columns.assumed {
            let (m, n) = (c.axis_name(&rows), c.axis_name(&columns));
            let help = format!("if they are meant to be the same, declare `dim {n} = {m}`");
            diagnostic = diagnostic.help(help);
        }
    }
    c.emit(diagnostic);
    None
}

/// `solve(A, b)` for a vector or a matrix `b`.
pub fn solve(c: &mut Checker, call: &Call, values: &[Value]) -> Option<Value> {
    let a = square(c, call, &values[0]);
    let b = c.numeric(values[1].clone(), call.arguments[1].span, "`solve`");
    let (a, b) = (a?, b?);
    let lead = a.rank() - 2;
    let fits = (b.rank() == lead + 1 || b.rank() == lead + 2)
        && (0..=lead).all(|k| same_axis(&a.shape[k], &b.shape[k]).is_some());
    if !fits {
        return sides_differ(c, call, (&a, call.arguments[0]), (&b, call.arguments[1]));
    }
    let b = c.real(&b);
    // Loops that only b depends on become columns: one factorisation serves all turns.
    let extra: Loops = b.loops.iter().copied().filter(|l| !a.loops.contains(l)).collect();
    let loops = union(&a.loops, &b.loops);
    let outer = a.loops.len();
    let shared = union(&a.loops, &extra);
    let spread = c.spread(&b, &shared, &b.shape.clone());
    let position = |l| shared.iter().position(|m| m == l).unwrap_or_else(|| crate::bug!("a lost loop"));
    let order: Vec<usize> = (a.loops.iter().map(position))
        .chain((0..=lead).map(|k| shared.len() + k))
        .chain(extra.iter().map(position))
        .chain((lead + 1..b.rank()).map(|k| shared.len() + k))
        .collect();
    let turned = c.graph.transpose(spread, &order);
    let sizes = c.graph.shape(turned).clone();
    let (rows, columns) = sizes.split_at(outer + lead + 1);
    let matrix = [rows, &[columns.iter().product()]].concat();
    let side = c.graph.reshape(turned, &matrix);
    let x = c.graph.solve(a.node, side, false);
    let x = c.graph.reshape(x, &sizes);
    let node: NodeId = c.graph.transpose(x, &ops::transpose::inverse(&order));
    let shape: Axes = b.shape.clone();
    Some(c.value(node, loops, shape))
}

fn sides_differ(
    c: &mut Checker,
    call: &Call,
    (a, left): (&Value, &Expr),
    (b, right): (&Value, &Expr),
) -> Option<Value> {
    let lead = a.rank() - 2;
    let differing = a.shape[..=lead].iter().zip(&b.shape).find(|(x, y)| same_axis(x, y).is_none());
    let label = match differing {
        Some((x, y)) => format!("{} does not match {}", c.axis_text(x), c.axis_text(y)),
        None => "the right-hand side is neither a vector nor a matrix".to_owned(),
    };
    let mut diagnostic = Diagnostic::error("E0203", "shapes do not match in `solve`", call.name.span, label)
        .label(left.span, format!("this matrix is {}", c.value_text(a)))
        .label(right.span, format!("this right-hand side is {}", c.value_text(b)));
    let turned = lead == 0 && b.rank() == 2 && same_axis(&a.shape[0], &b.shape[1]).is_some();
    if turned {
        let text = c.source_text(right.span);
        let text = text.strip_suffix('\'').map_or_else(|| format!("{text}'"), str::to_owned);
        diagnostic = diagnostic.help(format!("`{text}` has the right shape"));
    }
    c.emit(diagnostic);
    None
}
