//! Array literals. A literal of plain numbers becomes data of its own; any other is stacked from its elements.

use std::sync::Arc;

use blo_grammar::ast::{Expr, ExprKind, UnaryOp};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Checker;
use super::messages::count;
use super::value::{Axes, Axis, Loops, Value};
use crate::ir::eval::Array;
use crate::ir::graph::Role;
use crate::model::Data;
use crate::types::{Elem, Type};

/// A literal made of plain numbers or truth values.
struct Plain {
    shape: Vec<usize>,
    values: Vec<f64>,
    elem: Elem,
}

impl Checker<'_> {
    /// `[a, b, …]`.
    pub fn array(&mut self, items: &[Expr], span: Span) -> Option<Value> {
        if items.is_empty() {
            return self.error("E0203", "an empty array has no element type", span, "give it an element");
        }
        if let Some((array, elem)) = self.plain_array(items) {
            return Some(self.anonymous(array, elem, span));
        }
        let before = self.diagnostics.len();
        self.rectangular(items);
        if self.diagnostics.len() > before {
            return None;
        }
        let values: Vec<Option<Value>> = items.iter().map(|e| self.expr(e)).collect();
        let values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
        let values = self.one_element_type(values, items)?;
        self.stack_values(&values, items, 0, span)
    }

    /// The elements of a literal of plain numbers; `None` for any other.
    pub fn plain_array(&mut self, items: &[Expr]) -> Option<(Array, Elem)> {
        let plain = plain_list(items)?;
        let array = Array::from_shape_vec(plain.shape, plain.values).ok()?;
        Some((array, plain.elem))
    }

    /// Data without a name.
    pub fn anonymous(&mut self, array: Array, elem: Elem, span: Span) -> Value {
        let known = self
            .data
            .iter()
            .find(|d| d.span == span && d.name.is_empty() && d.value.as_deref() == Some(&array));
        let shape: Axes = array.shape().iter().map(|&s| Axis::of(s)).collect();
        if let Some(data) = known {
            let node = self.graph.apply(&crate::ops::INPUT, crate::ir::graph::Attrs::Input(data.input), &[]);
            return self.value(node, Loops::new(), shape);
        }
        let ty = Type::new(elem, array.shape().iter().copied());
        let dims = vec![None; array.ndim()];
        let array = Arc::new(array);
        let (input, node) = self.graph.add_input("", Role::Data, ty);
        self.bindings.set(input, array.clone());
        self.data.push(Data::new("", input, Some(array), dims, span));
        self.value(node, Loops::new(), shape)
    }

    /// Complains about rows of different lengths in nested literals.
    fn rectangular(&mut self, items: &[Expr]) {
        let length = |e: &Expr| match &e.kind {
            ExprKind::Array(inner) => Some(inner.len()),
            _ => None,
        };
        let Some(first) = length(&items[0]) else { return };
        for item in &items[1..] {
            if let Some(other) = length(item).filter(|o| *o != first) {
                let diagnostic = Diagnostic::error(
                    "E0203",
                    "the rows of this array have different lengths",
                    item.span,
                    format!("this row has {}", count(other, "element")),
                );
                self.emit(
                    diagnostic
                        .label(items[0].span, format!("the first row has {}", count(first, "element")))
                        .help("give every row the same number of elements"),
                );
                return;
            }
        }
    }
}

fn plain_list(items: &[Expr]) -> Option<Plain> {
    let mut parts = items.iter().map(plain);
    let mut all = parts.next()??;
    for part in parts {
        let part = part?;
        if part.shape != all.shape || (part.elem == Elem::Bool) != (all.elem == Elem::Bool) {
            return None;
        }
        all.values.extend(part.values);
        all.elem = all.elem.max(part.elem);
    }
    all.shape.insert(0, items.len());
    Some(all)
}

fn plain(e: &Expr) -> Option<Plain> {
    let scalar = |value: f64, elem| Some(Plain { shape: Vec::new(), values: vec![value], elem });
    match &e.kind {
        ExprKind::Number { value, integer } => scalar(*value, if *integer { Elem::Int } else { Elem::Real }),
        ExprKind::Bool(value) => scalar(f64::from(u8::from(*value)), Elem::Bool),
        ExprKind::Unary { op: UnaryOp::Neg, operand } => {
            let mut inner = plain(operand)?;
            if inner.elem == Elem::Bool {
                return None;
            }
            inner.values.iter_mut().for_each(|v| *v = -*v);
            Some(inner)
        }
        ExprKind::Array(items) if !items.is_empty() => plain_list(items),
        _ => None,
    }
}
