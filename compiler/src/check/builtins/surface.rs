//! Operators of the graph called by their surface names.

use blo_grammar::diagnostic::Diagnostic;

use super::super::Checker;
use super::super::value::{Affine, Value};
use super::Call;
use crate::ir::graph::Attrs;
use crate::ops::{self, Operator, Surface};
use crate::types::Elem;

/// The number of operands of an elementwise operator.
pub fn operands(op: &'static Operator) -> usize {
    (op.samples)().first().map_or(1, |sample| sample.inputs.len())
}

/// Whether the operator keeps whole numbers whole.
fn keeps_whole(op: &'static Operator) -> bool {
    ["abs", "min", "max"].contains(&op.name)
}

/// Whether the operator is for whole numbers only.
fn whole_only(op: &'static Operator) -> bool {
    std::ptr::eq(op, &raw const ops::INT_DIV) || std::ptr::eq(op, &raw const ops::INT_MOD)
}

impl Checker<'_> {
    /// Elaborates the call of an operator.
    pub fn surface(&mut self, op: &'static Operator, call: &Call) -> Option<Value> {
        match op.surface {
            Surface::Elementwise(_) => {
                let values: Vec<Option<Value>> = call.arguments.iter().map(|e| self.expr(e)).collect();
                let values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
                self.elementwise(op, call, &values)
            }
            Surface::Along(_) => self.along(op, call, false),
            Surface::AlongReduced(_) => self.along(op, call, true),
            Surface::Reduction(_) | Surface::Hidden => {
                crate::bug!("`{}` is no function of the language", op.name)
            }
        }
    }

    /// Applies an elementwise operator of one or two operands.
    pub fn elementwise(&mut self, op: &'static Operator, call: &Call, values: &[Value]) -> Option<Value> {
        let what = format!("`{}`", call.name.name);
        for (value, e) in values.iter().zip(call.arguments) {
            self.numeric(value.clone(), e.span, &what)?;
            if whole_only(op) && value.elem != Elem::Int {
                let label = format!("this is {}", self.value_text(value));
                let [x, y] = [0, 1].map(|k| self.source_text(call.arguments[k].span));
                let help = match call.name.name.as_str() {
                    "div" => format!("write `floor({x} / {y})` for reals"),
                    _ => format!("write `{x} - {y} * floor({x} / {y})` for reals"),
                };
                let diagnostic =
                    Diagnostic::error("E0204", format!("{what} is for whole numbers"), e.span, label);
                self.emit(diagnostic.help(help));
                return None;
            }
        }
        match values {
            [x] => {
                let x = if keeps_whole(op) { x.clone() } else { self.real(x) };
                let node = self.graph.unary(op, x.node);
                Some(self.value(node, x.loops, x.shape))
            }
            [x, y] => {
                let whole = x.elem == Elem::Int && y.elem == Elem::Int;
                if let Some(value) = known_whole(op, x, y).filter(|_| whole) {
                    return Some(Value { assumed: x.assumed || y.assumed, ..self.int(value) });
                }
                let (a, b) = if whole && (keeps_whole(op) || whole_only(op)) {
                    (x.clone(), y.clone())
                } else {
                    (self.real(x), self.real(y))
                };
                let build = |c: &mut Self, x, y| c.graph.binary(op, x, y);
                let (left, right) = (call.arguments[0], call.arguments[1]);
                self.pairwise(build, &what, call.name.span, (&a, left), (&b, right))
            }
            _ => crate::bug!("`{}` with {} operands", op.name, values.len()),
        }
    }

    /// Applies an operator along one own axis, the last unless given.
    fn along(&mut self, op: &'static Operator, call: &Call, disappears: bool) -> Option<Value> {
        let value = self.expr(call.arguments[0])?;
        let what = format!("`{}`", call.name.name);
        let value = self.numeric(value, call.arguments[0].span, &what)?;
        if value.rank() == 0 {
            return self.error(
                "E0203",
                format!("{what} needs an array"),
                call.arguments[0].span,
                "this is a scalar",
            );
        }
        let axis = match call.arguments.get(1) {
            Some(e) => self.axis_argument(e, value.rank())?,
            None => value.rank() - 1,
        };
        let runs = std::ptr::eq(op, &raw const ops::CUMSUM);
        let value = if runs { value } else { self.real(&value) };
        let at = value.loops.len() + axis;
        let attrs = if runs { Attrs::Scan { axis: at, reverse: false } } else { Attrs::Axis(at) };
        let node = self.graph.apply(op, attrs, &[value.node]);
        let mut shape = value.shape.clone();
        if disappears {
            shape.remove(axis);
        }
        Some(self.value(node, value.loops, shape))
    }
}

/// The result on constants.
fn known_whole(op: &'static Operator, x: &Value, y: &Value) -> Option<i64> {
    let constant = |v: &Value| v.affine.filter(|a: &Affine| a.index.is_none()).map(|a| a.offset);
    let (a, b) = (constant(x)?, constant(y)?);
    match op.name {
        "min" => Some(a.min(b)),
        "max" => Some(a.max(b)),
        _ if std::ptr::eq(op, &raw const ops::INT_DIV) => {
            (b != 0).then(|| (a as f64 / b as f64).floor() as i64)
        }
        _ if std::ptr::eq(op, &raw const ops::INT_MOD) => {
            (b != 0).then(|| a - b * (a as f64 / b as f64).floor() as i64)
        }
        _ => None,
    }
}
