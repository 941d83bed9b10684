//! Which nonsmooth terms of the lower objective have a proximal operator, and which have none: part of `blo check --explain`.

use std::fmt::Write as _;

use blo_compiler::Split;
use blo_grammar::source::Sources;
use blo_grammar::span::Span;
use blo_runtime::proximal::Norm;
use serde_json::{Value, json};

use super::messages::place;

/// Terms that are listed; of more only the number is said.
const MOST: usize = 8;
/// Characters of an expression that are quoted.
const QUOTED: usize = 60;

/// The account, with an empty line behind it; empty where nothing has a kink.
pub fn account(sources: &Sources, found: &Split) -> String {
    let mut out = String::new();
    if !found.taken.is_empty() {
        out.push_str("nonsmooth terms of the lower objective with a proximal operator\n");
        for term in found.taken.iter().take(MOST) {
            let _ = writeln!(out, "  {}: {}", quoted(sources, term.span), words(term.norm, term.count));
        }
        more(&mut out, found.taken.len());
    }
    if !found.left.is_empty() {
        out.push_str("nonsmooth terms of the lower objective without a proximal operator that is known\n");
        for term in found.left.iter().take(MOST) {
            let _ = writeln!(out, "  {} {}", quoted(sources, term.span), term.reason);
        }
        more(&mut out, found.left.len());
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// The same for tools.
pub fn document(sources: &Sources, found: &Split) -> Value {
    let at = |span: Option<Span>| span.map_or(json!({}), |span| place(sources, span));
    let taken = found.taken.iter().map(|term| {
        let mut value = at(term.span);
        value["norm"] = json!(term.norm.words());
        value["count"] = json!(term.count);
        value
    });
    let left = found.left.iter().map(|term| {
        let mut value = at(term.span);
        value["reason"] = json!(term.reason);
        value
    });
    json!({ "taken": taken.collect::<Vec<_>>(), "left": left.collect::<Vec<_>>() })
}

fn words(norm: Norm, count: usize) -> String {
    match (norm, count) {
        (Norm::Absolute, 1) => "the absolute value of one entry".into(),
        (Norm::Absolute, _) => format!("absolute values of {count} entries"),
        (Norm::Euclidean, 1) => "the Euclidean norm of one group".into(),
        (Norm::Euclidean, _) => format!("Euclidean norms of {count} groups"),
    }
}

fn more(out: &mut String, count: usize) {
    if count > MOST {
        let _ = writeln!(out, "  … and {} more", count - MOST);
    }
}

/// A piece of the source on one line.
fn quoted(sources: &Sources, span: Option<Span>) -> String {
    let Some(span) = span else { return "a term".into() };
    let text: Vec<&str> = sources.snippet(span).split_whitespace().collect();
    let text = text.join(" ");
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}
