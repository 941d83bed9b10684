//! Text to syntax tree. The only part of blo that sees pest.
//!
//! `lex` cuts the text into tokens, `split` the tokens into statements; each statement is read by the grammar on
//! its own (`items`, `exprs`, `climb`), and what goes wrong is put into words by `explain`. Parsing never
//! fails: a broken statement becomes [`ItemKind::Error`] with a diagnostic, and the rest of the file goes on.
//!
//! Text from anywhere is safe to parse: brackets nest at most [`MAX_NESTING`] deep, and no expression tree is higher
//! than [`MAX_DEPTH`], so later stages may recurse over it.

mod climb;
pub mod entry;
mod explain;
mod exprs;
mod faults;
mod items;
pub(crate) mod lex;
mod split;
mod words;

use pest_derive::Parser;

use crate::ast::{Ast, Expr, Item, ItemKind};
use crate::diagnostic::Diagnostic;
use crate::span::FileId;
use lex::{Kind, Token};
use split::{Piece, Split};

pub use climb::MAX_DEPTH;
pub use split::MAX_NESTING;
pub use words::{KEYWORDS, STATEMENTS, is_keyword, nearest};

/// Messages after which the rest of a file's syntax errors is left out.
const MAX_DIAGNOSTICS: usize = 100;

/// The generated parser and its rules.
mod grammar {
    #![allow(missing_docs)]
    use super::Parser;

    #[derive(Parser)]
    #[grammar = "../blo.pest"]
    pub(super) struct Grammar;
}

use grammar::{Grammar, Rule};

/// A step of reading that may end in a message.
type Read<T> = Result<T, Box<Diagnostic>>;

/// One text with all that reading a statement of it needs.
struct Text<'t> {
    file: FileId,
    source: &'t str,
    clean: &'t str,
    tokens: &'t [Token],
}

/// Reads a file. The diagnostics are in source order; the tree holds an error item for each statement that could not
/// be read.
pub fn parse(file: FileId, text: &str) -> (Ast, Vec<Diagnostic>) {
    let tokens = lex::tokens(text);
    let Split { clean, pieces, mut diagnostics } = split::split(file, text, &tokens);
    let text = Text { file, source: text, clean: &clean, tokens: &tokens };
    let items = read_all(&text, pieces, &mut diagnostics);
    keywords_once(&text, &mut diagnostics);
    diagnostics.sort_by_key(Diagnostic::span);
    diagnostics.truncate(MAX_DIAGNOSTICS);
    (Ast { file, items }, diagnostics)
}

/// Reads one expression, as in `--set name=value`. Line ends in it mean nothing.
///
/// # Errors
/// What is wrong with the text, in source order.
pub fn parse_expression(file: FileId, text: &str) -> Result<Expr, Vec<Diagnostic>> {
    let tokens = lex::tokens(text);
    let Split { clean, mut diagnostics, .. } = split::whole(file, text, &tokens);
    if !diagnostics.is_empty() {
        diagnostics.truncate(MAX_DIAGNOSTICS);
        return Err(diagnostics);
    }
    let text = Text { file, source: text, clean: &clean, tokens: &tokens };
    items::expression(&text).map_err(|diagnostic| vec![*diagnostic])
}

/// Whether a text can be a name, and nothing else.
pub fn is_name(text: &str) -> bool {
    let tokens = lex::tokens(text);
    matches!(tokens.as_slice(), [token] if token.kind == Kind::Word && token.text(text) == text)
        && !is_keyword(text)
}

/// A keyword that was refused as a name is not refused again where the name is used.
fn keywords_once(text: &Text, diagnostics: &mut Vec<Diagnostic>) {
    let written = |d: &Diagnostic| text.source.get(d.span().range()).unwrap_or("").to_owned();
    let names: Vec<String> = diagnostics.iter().filter(|d| d.code == "E0110").map(written).collect();
    diagnostics.retain(|d| d.code != "E0101" || !names.contains(&written(d)));
}

fn read_all(text: &Text, pieces: Vec<Piece>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Item> {
    let mut items = Vec::with_capacity(pieces.len());
    let mut block = None;
    for piece in pieces {
        let item = match piece {
            Piece::Statement(statement) => {
                let span = text.span_of(statement.tokens.start, statement.tokens.end - 1);
                let inside = text.goes_on_with(&mut block, &statement);
                let kind = if statement.broken || inside {
                    ItemKind::Error
                } else {
                    items::statement(text, statement.tokens.clone()).unwrap_or_else(|diagnostic| {
                        diagnostics.push(*diagnostic);
                        block = text.opens_block(&statement);
                        ItemKind::Error
                    })
                };
                Item { kind, span, comments: statement.comments }
            }
            Piece::Level { header, last, pieces } => {
                let span = text.span_of(header.tokens.start, last);
                let mut level = items::level(text, &header, diagnostics);
                level.items = read_all(text, pieces, diagnostics);
                Item { kind: ItemKind::Level(level), span, comments: header.comments }
            }
        };
        items.push(item);
    }
    items
}

/// A block of another language: how far its first line is indented.
type Block = Option<usize>;

impl Text<'_> {
    /// The block that a refused statement opens where it comes from. Its lines were never meant for blo and are not refused one
    /// by one.
    fn opens_block(&self, statement: &split::Statement) -> Block {
        let first = self.tokens[statement.tokens.start];
        words::BLOCKS.binary_search(&first.text(self.source)).is_ok().then(|| self.indent(first))
    }

    /// Whether the statement belongs to the block, which ends with a line that is not indented further, or with `end`.
    fn goes_on_with(&self, block: &mut Block, statement: &split::Statement) -> bool {
        let first = self.tokens[statement.tokens.start];
        let Some(outer) = *block else { return false };
        let ends = first.text(self.source).starts_with("end");
        let inside = self.indent(first) > outer || ends;
        if ends || !inside {
            *block = None;
        }
        inside
    }

    /// How many characters stand before a token on its line.
    fn indent(&self, token: Token) -> usize {
        let before = &self.source[..token.start];
        before.rsplit(['\n', '\r']).next().unwrap_or("").chars().count()
    }
}

impl Text<'_> {
    /// From the token `first` to the last significant token up to `last`.
    fn span_of(&self, first: usize, last: usize) -> crate::span::Span {
        let end = (first..=last).rev().find(|at| self.tokens[*at].is_significant()).unwrap_or(first);
        crate::span::Span::new(self.file, self.tokens[first].start, self.tokens[end].end)
    }

    /// The significant tokens among `tokens`.
    fn significant(&self, tokens: std::ops::Range<usize>) -> Vec<Token> {
        let in_place =
            |token: &&Token| token.is_significant() && token.kind != Kind::Bad(faults::Fault::Comment);
        self.tokens[tokens].iter().filter(in_place).copied().collect()
    }
}
