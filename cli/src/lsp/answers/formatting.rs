//! The usual form, as `blo fmt` writes it. A text with mistakes is left as it is.

use blo_grammar::format::tidy;
use lsp_types::{DocumentFormattingParams, Position, Range, TextEdit};

use crate::lsp::{Refusal, Server, position};

pub fn answer(
    server: &mut Server,
    params: DocumentFormattingParams,
) -> Result<Option<Vec<TextEdit>>, Refusal> {
    let known = server.known(&params.text_document.uri)?;
    let text = known.text();
    let tidied = tidy(known.main, text)
        .map_err(|found| Refusal(format!("not formatted: {}", found.first().map_or("", |d| &d.message))))?;
    if tidied == text {
        return Ok(Some(Vec::new()));
    }
    let all = Range::new(Position::new(0, 0), position::position(text, text.len()));
    Ok(Some(vec![TextEdit::new(all, tidied)]))
}
