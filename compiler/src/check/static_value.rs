//! Values needed while checking: whole numbers for sizes, axes and range ends, and numbers for distributions and options.

use blo_grammar::ast::Expr;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Checker;
use super::value::Value;
use crate::ir::eval::{Array, evaluate};
use crate::ir::graph::{Attrs, NodeId, Role};
use crate::types::Elem;

impl Checker<'_> {
    /// The elements of a value that depends on bound data alone.
    pub fn known_array(&mut self, value: &Value) -> Option<Array> {
        if self.graph.node(value.node).stage != Role::Data {
            return None;
        }
        let place = self.graph.node(value.node).span.unwrap_or(Span::new(self.main_file(), 0, 0));
        let node = self.without_sparse(value.node, place)?;
        self.decided_by(&[node]);
        evaluate(&self.graph, &[node], &self.bindings).ok()?.pop()
    }

    /// Remembers that the values of what these nodes read decide what the model is.
    pub fn decided_by(&mut self, nodes: &[NodeId]) {
        let read = self.graph.reachable(nodes);
        for node in read {
            if let Attrs::Input(input) = self.graph.node(node).attrs {
                self.decided.insert(input);
            }
        }
    }

    /// A whole number known now, with whether it rests on a made-up size.
    pub fn whole_number(&mut self, e: &Expr, what: &str) -> Option<(i64, bool)> {
        let value = self.expr(e)?;
        self.whole_number_of(&value, e.span, what)
    }

    /// The same for a value that is elaborated already.
    pub fn whole_number_of(&mut self, value: &Value, span: Span, what: &str) -> Option<(i64, bool)> {
        if let Some(n) = value.constant() {
            return Some((n, value.assumed));
        }
        if !value.loops.is_empty() {
            let message = format!("{what} must be the same in every turn of a loop");
            return self.error("E0215", message, span, "this changes from turn to turn");
        }
        if value.rank() == 0
            && value.elem == Elem::Int
            && let Some(array) = self.known_array(value)
        {
            return array.iter().next().map(|&n| (n as i64, false));
        }
        let found = if self.graph.node(value.node).stage != Role::Data {
            "this depends on variables".to_owned()
        } else {
            format!("this is {}", self.value_text(value))
        };
        let message = format!("{what} must be a whole number known before the solve");
        let help = if value.rank() > 0 {
            "an index runs over positions, `x[i] for i in n`; the argument of a function names them in its type: `fn f(x: real[n]) = …`"
        } else {
            "write a literal without a point, a dimension, or a `param` with a whole value"
        };
        self.emit(Diagnostic::error("E0215", message, span, found).help(help));
        None
    }

    /// A size: a whole number that is at least one.
    pub fn size(&mut self, e: &Expr, what: &str) -> Option<(usize, bool)> {
        let (n, assumed) = self.whole_number(e, what)?;
        match usize::try_from(n) {
            Ok(size) if size > 0 => Some((size, assumed)),
            _ => self.error("E0215", format!("{what} must be at least 1"), e.span, format!("this is {n}")),
        }
    }

    /// A number known now.
    pub fn known_number(&mut self, e: &Expr, what: &str) -> Option<f64> {
        self.known_number_or("E0215", e, what)
    }

    /// A number known now; anything else is an error with this code.
    pub fn known_number_or(&mut self, code: &'static str, e: &Expr, what: &str) -> Option<f64> {
        let value = self.expr(e)?;
        if value.rank() == 0
            && value.loops.is_empty()
            && value.elem != Elem::Bool
            && let Some(array) = self.known_array(&value)
        {
            return array.iter().next().copied();
        }
        let found = format!("this is {}", self.value_text(&value));
        self.error(code, format!("{what} must be a number known before the solve"), e.span, found)
    }
}
