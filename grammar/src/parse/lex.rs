//! Cuts text into tokens: just enough for the splitter to find statements and brackets, and for messages to name what
//! stands at a place. Anything the language has no use for becomes [`Kind::Bad`]; nothing is reported here.

use pest::unicode::{XID_CONTINUE, XID_START};

use super::faults::{self, Fault};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword.
    Word,
    /// A number.
    Number,
    /// A string with its quotes.
    Text,
    /// An operator, bracket or other sign.
    Symbol,
    /// The end of a line.
    Newline,
    /// From `#` to the end of the line.
    Comment,
    /// Something the language does not have.
    Bad(Fault),
}

/// A token and its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    /// What it is.
    pub kind: Kind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Token {
    /// The token as written.
    pub fn text<'t>(&self, source: &'t str) -> &'t str {
        &source[self.start..self.end]
    }

    /// Whether the token is neither a line end nor a comment.
    pub fn is_significant(&self) -> bool {
        !matches!(self.kind, Kind::Newline | Kind::Comment)
    }
}

/// The signs of the language, longest first.
const SYMBOLS: &[&str] = &[
    "==", "!=", "<=", ">=", "->", "..", "(", ")", "[", "]", "{", "}", ",", ":", ";", "=", "<", ">", "+", "-",
    "*", "/", "@", "^", "'", "~", ".",
];

/// Whether a word may start with `c`.
fn starts_word(c: char) -> bool {
    c == '_' || XID_START(c)
}

/// Whether a word may go on with `c`: as `word_char` in the grammar.
fn continues_word(c: char) -> bool {
    c != '·' && XID_CONTINUE(c)
}

/// All tokens of `source`, in order, without blanks.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(source.len() / 3);
    let mut at = 0;
    // How many round and square brackets are open on this line.
    let mut depth = 0usize;
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        let (kind, length) = match c {
            ' ' | '\t' => (None, 1),
            '\u{feff}' if at == 0 => (None, c.len_utf8()),
            '\r' if rest.starts_with("\r\n") => (None, 1),
            '\r' | '\n' => {
                depth = 0;
                (Some(Kind::Newline), 1)
            }
            '#' => (Some(Kind::Comment), line_length(rest)),
            '"' => text(rest),
            // Between brackets a division is meant, elsewhere a comment.
            '/' if depth > 0 && rest.starts_with("//") => {
                (faults::borrowed(rest).map(|(index, _)| Kind::Bad(Fault::Borrowed(index))), 2)
            }
            _ => other(c, rest),
        };
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if let Some(kind) = kind {
            tokens.push(Token { kind, start: at, end: at + length });
        }
        at += length;
    }
    tokens
}

/// Bytes up to the end of the line.
fn line_length(rest: &str) -> usize {
    rest.find(['\n', '\r']).unwrap_or(rest.len())
}

fn text(rest: &str) -> (Option<Kind>, usize) {
    let line = &rest[..line_length(rest)];
    match line[1..].find('"') {
        Some(close) => (Some(Kind::Text), close + 2),
        None => (Some(Kind::Bad(Fault::OpenText)), line.trim_end().len()),
    }
}

fn other(c: char, rest: &str) -> (Option<Kind>, usize) {
    if starts_word(c) {
        let length = rest.find(|c| !continues_word(c)).unwrap_or(rest.len());
        return (Some(Kind::Word), length);
    }
    if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
        let (kind, length) = number(rest);
        return (Some(kind), length);
    }
    if rest.starts_with("//") || rest.starts_with("/*") {
        return (Some(Kind::Bad(Fault::Comment)), line_length(rest));
    }
    if let Some((index, spelling)) = faults::borrowed(rest) {
        return (Some(Kind::Bad(Fault::Borrowed(index))), spelling.len());
    }
    match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
        Some(symbol) => (Some(Kind::Symbol), symbol.len()),
        None => (Some(Kind::Bad(Fault::Character(c))), c.len_utf8()),
    }
}

/// A number, with whatever is stuck to it.
fn number(rest: &str) -> (Kind, usize) {
    let bytes = rest.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(|b| b.is_ascii_digit() || *b == b'_') {
            at += 1;
        }
        at
    };
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut fault = (bytes[0] == b'.').then_some(Fault::BareFraction);
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && is_digit(end + 1) {
        end = digits(end + 1);
    } else if bytes.get(end) == Some(&b'.') && !rest[end + 1..].starts_with('.') {
        end += 1;
        fault = Some(Fault::BarePoint);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if is_digit(end + 1 + sign) {
            end = digits(end + 1 + sign);
        }
    }
    let stuck = rest[end..].find(|c| !continues_word(c)).unwrap_or(rest.len() - end);
    if stuck > 0 {
        return (Kind::Bad(Fault::StuckNumber), end + stuck);
    }
    (fault.map_or(Kind::Number, Kind::Bad), end)
}
