//! Places as editors count them: lines, and UTF-16 units within a line; here they are bytes.

use blo_grammar::span::Span;
use lsp_types::{Position, Range};

/// The byte at a position; the end of the line, or of the text, where the position lies behind it.
pub fn byte(text: &str, position: Position) -> usize {
    let mut start = 0;
    for _ in 0..position.line {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => return text.len(),
        }
    }
    let line = text[start..].split('\n').next().unwrap_or_default();
    let mut units = 0;
    for (at, c) in line.char_indices() {
        if units >= position.character as usize {
            return start + at;
        }
        units += c.len_utf16();
    }
    start + line.len()
}

/// The position of a byte.
pub fn position(text: &str, byte: usize) -> Position {
    let before = &text[..text.floor_char_boundary(byte)];
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    Position::new(line as u32, before[start..].encode_utf16().count() as u32)
}

/// The range of a span.
pub fn range(text: &str, span: Span) -> Range {
    Range::new(position(text, span.start as usize), position(text, span.end as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_found_again() {
        let text = "α = 1\n𝒙 𝒚 = 2\n\nlast";
        for (at, _) in text.char_indices() {
            assert_eq!(byte(text, position(text, at)), at);
        }
        assert_eq!(position(text, text.find('𝒚').unwrap_or(0)), Position::new(1, 3));
    }

    #[test]
    fn a_place_outside_is_brought_in() {
        let text = "ab\ncd";
        assert_eq!(byte(text, Position::new(0, 99)), 2);
        assert_eq!(byte(text, Position::new(9, 0)), 5);
        assert_eq!(position("é", 1), Position::new(0, 0));
    }
}
