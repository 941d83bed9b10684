//! Another name for what a file defines, wherever it is read.

use std::collections::HashMap;

use blo_grammar::parse::is_name;
use lsp_types::{PrepareRenameResponse, RenameParams, TextDocumentPositionParams, TextEdit, WorkspaceEdit};

use crate::lsp::{Refusal, Server, position};

pub fn prepare(
    server: &mut Server,
    params: TextDocumentPositionParams,
) -> Result<Option<PrepareRenameResponse>, Refusal> {
    let known = server.known(&params.text_document.uri)?;
    let byte = position::byte(known.text(), params.position);
    let Some(id) = known.names.at(byte) else {
        return Err(Refusal("nothing that this file defines stands here".into()));
    };
    let places = known.names.places(id);
    let here = places.iter().find(|span| span.start as usize <= byte && byte <= span.end as usize);
    Ok(here.map(|span| PrepareRenameResponse::Range(position::range(known.text(), *span))))
}

pub fn answer(server: &mut Server, params: RenameParams) -> Result<Option<WorkspaceEdit>, Refusal> {
    let uri = params.text_document_position.text_document.uri;
    let known = server.known(&uri)?;
    let byte = position::byte(known.text(), params.text_document_position.position);
    let Some(id) = known.names.at(byte) else {
        return Err(Refusal("nothing that this file defines stands here".into()));
    };
    let new = params.new_name;
    if !is_name(&new) {
        return Err(Refusal(format!("`{new}` cannot be a name")));
    }
    let places = known.names.places(id);
    let taken = |place: &blo_grammar::span::Span| {
        known.names.known_at(place.start as usize).into_iter().find(|d| d.name == new)
    };
    if let Some(other) = places.iter().find_map(taken) {
        let (line, _) = known.sources.line_column(other.span);
        return Err(Refusal(format!("`{new}` is already a {} (line {line})", other.kind.words())));
    }
    let edits = places.iter().map(|span| TextEdit::new(position::range(known.text(), *span), new.clone()));
    let edits = edits.collect();
    // The protocol's own type; the addresses in it do not change.
    #[expect(clippy::mutable_key_type)]
    let changes = HashMap::from([(uri, edits)]);
    Ok(Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }))
}
