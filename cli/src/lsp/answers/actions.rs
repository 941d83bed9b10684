//! The changes that put mistakes right, where it is certain what to write.

use std::collections::HashMap;

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionResponse, TextEdit,
    WorkspaceEdit,
};

use crate::lsp::{Refusal, Server, position, shown};

pub fn answer(server: &mut Server, params: CodeActionParams) -> Result<Option<CodeActionResponse>, Refusal> {
    let uri = params.text_document.uri;
    let known = server.known(&uri)?;
    let touched =
        |d: &lsp_types::Diagnostic| d.range.start <= params.range.end && params.range.start <= d.range.end;
    let mut actions = Vec::new();
    for diagnostic in &known.diagnostics {
        let Some(edit) = diagnostic.edit.as_ref().filter(|edit| edit.span.file == known.main) else {
            continue;
        };
        let told = shown(known, &uri, diagnostic);
        if !touched(&told) {
            continue;
        }
        let change = TextEdit::new(position::range(known.text(), edit.span), edit.text.clone());
        // The protocol's own type; the addresses in it do not change.
        #[expect(clippy::mutable_key_type)]
        let changes = HashMap::from([(uri.clone(), vec![change])]);
        let title = match edit.text.as_str() {
            "" => format!("Remove `{}`", known.sources.snippet(edit.span)),
            text => format!("Write `{}`", text.trim()),
        };
        actions.push(CodeActionOrCommand::CodeAction(CodeAction {
            title,
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![told]),
            edit: Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }),
            is_preferred: Some(true),
            ..CodeAction::default()
        }));
    }
    Ok(Some(actions))
}
