//! The types of what is declared without one: `let` and `param`, and reports.

use blo_grammar::ast::{Ident, Item, ItemKind};
use lsp_types::{InlayHint, InlayHintKind, InlayHintLabel, InlayHintParams};

use crate::lsp::document::Knowledge;
use crate::lsp::{Refusal, Server, position};

pub fn answer(server: &mut Server, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>, Refusal> {
    let known = server.known(&params.text_document.uri)?;
    let from = position::byte(known.text(), params.range.start) as u32;
    let to = position::byte(known.text(), params.range.end) as u32;
    let mut hints = Vec::new();
    hint(known, &known.ast.items, &mut hints);
    hints.retain(|(at, _)| from <= *at && *at <= to);
    Ok(Some(hints.into_iter().map(|(_, hint)| hint).collect()))
}

fn hint(known: &Knowledge, items: &[Item], hints: &mut Vec<(u32, InlayHint)>) {
    for item in items {
        let name: &Ident = match &item.kind {
            ItemKind::Let(binding) if binding.ty.is_none() => &binding.name,
            ItemKind::Param { name, ty: None, .. } | ItemKind::Report { name, .. } => name,
            ItemKind::Level(level) => {
                hint(known, &level.items, hints);
                continue;
            }
            _ => continue,
        };
        let Some(note) = known.note_of(name.span) else { continue };
        let hint = InlayHint {
            position: position::position(known.text(), name.span.end as usize),
            label: InlayHintLabel::String(format!(": {}", note.ty)),
            kind: Some(InlayHintKind::TYPE),
            text_edits: None,
            tooltip: None,
            padding_left: None,
            padding_right: None,
            data: None,
        };
        hints.push((name.span.end, hint));
    }
}
