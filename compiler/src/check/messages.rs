//! Words for messages: near names, shapes as the user wrote them, and lists.

use blo_grammar::span::Span;

use super::Checker;
use super::value::{Axis, Value};

/// `1 argument`, `2 arguments`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

impl Checker<'_> {
    /// An axis in the user's words: `n`, `n = 100`, or `3`.
    pub fn axis_text(&self, axis: &Axis) -> String {
        match axis.dim.map(|d| &self.dims[d.0]) {
            None if axis.assumed => "a size not known yet".to_owned(),
            None => axis.size.to_string(),
            Some(dim) if axis.assumed => dim.name.clone(),
            Some(dim) => format!("{} = {}", dim.name, axis.size),
        }
    }

    /// A type in the user's words: `real[n, 3]`.
    pub fn value_text(&self, value: &Value) -> String {
        self.type_text(value.elem.name(), &value.shape)
    }

    /// An element type with axes in the user's words.
    pub fn type_text(&self, elem: &str, shape: &[Axis]) -> String {
        if shape.is_empty() {
            return elem.to_owned();
        }
        let names: Vec<String> = shape.iter().map(|a| self.axis_name(a)).collect();
        format!("{elem}[{}]", names.join(", "))
    }

    /// The short name of an axis: `n` or `3`.
    pub fn axis_name(&self, axis: &Axis) -> String {
        match axis.dim {
            Some(d) => self.dims[d.0].name.clone(),
            None if axis.assumed => "?".to_owned(),
            None => axis.size.to_string(),
        }
    }

    /// The source under a span, on one line.
    pub fn source_text(&self, span: Span) -> String {
        let text = self.sources.snippet(span);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
