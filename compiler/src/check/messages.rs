//! Words for messages: near names, shapes as the user wrote them, and lists.

use blo_grammar::span::Span;

use super::Checker;
use super::value::{Axis, Value};

/// The number of insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = usize::from(a[i - 1] != b[j - 1]);
                let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

/// The candidate that `name` was probably meant to be.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let length = name.chars().count();
    let limit = match length {
        0 | 1 => 0,
        2..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .filter(|c| *c != name && c.chars().count() > 1)
        .map(|c| {
            let same_letters = c.eq_ignore_ascii_case(name) || c.to_lowercase() == name.to_lowercase();
            (if same_letters { 0 } else { distance(name, c) }, c)
        })
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// `did you mean `x`?`, where a name is near.
pub fn did_you_mean<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    nearest(name, candidates).map(|c| format!("did you mean `{c}`?"))
}

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

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names() {
        assert_eq!(nearest("thete", ["theta", "sigmoid"]), Some("theta"));
        assert_eq!(nearest("smu", ["sum", "mean"]), Some("sum"));
        assert_eq!(nearest("W", ["w1", "b"]), None);
        assert_eq!(nearest("Sigmoid", ["sigmoid"]), Some("sigmoid"));
        assert_eq!(nearest("entirely", ["sum", "mean"]), None);
    }
}
