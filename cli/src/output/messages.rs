//! Messages for tools: every diagnostic as one JSON object. `docs/diagnostics.md` is the description.

use blo_grammar::diagnostic::{Diagnostic, Severity};
use blo_grammar::source::Sources;
use blo_grammar::span::Span;
use serde_json::{Value, json};

use crate::files::Trouble;

/// A diagnostic, with its drawing for people.
pub fn diagnostic(sources: &Sources, diagnostic: &Diagnostic, drawn: &str) -> Value {
    let labels: Vec<Value> = diagnostic
        .labels
        .iter()
        .map(|label| {
            let mut value = place(sources, label.span);
            value["text"] = json!(label.text);
            value
        })
        .collect();
    let edit = diagnostic.edit.as_ref().map(|edit| {
        let mut value = place(sources, edit.span);
        value["replacement"] = json!(edit.text);
        value
    });
    json!({
        "severity": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "code": diagnostic.code,
        "message": diagnostic.message,
        "labels": labels,
        "notes": diagnostic.notes,
        "help": diagnostic.help,
        "edit": edit,
        "rendered": drawn,
    })
}

/// Something without a place in the model: a file that cannot be read, a binding that fits no datum.
pub fn trouble(trouble: &Trouble, drawn: &str) -> Value {
    json!({
        "severity": "error",
        "code": null,
        "message": trouble.message,
        "labels": [],
        "notes": [],
        "help": trouble.help,
        "edit": null,
        "rendered": drawn,
    })
}

/// Bytes from 0, the end excluded; lines and columns from 1, columns in characters.
pub fn place(sources: &Sources, span: Span) -> Value {
    let source = sources.get(span.file);
    let length = source.text.len() as u32;
    let (start, end) = (span.start.min(length), span.end.clamp(span.start.min(length), length));
    let at = |byte: u32| sources.line_column(Span { start: byte, end: byte, ..span });
    let ((line, column), (end_line, end_column)) = (at(start), at(end));
    json!({
        "file": source.name,
        "start": start,
        "end": end,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    })
}
