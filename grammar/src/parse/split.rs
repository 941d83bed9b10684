//! Cuts a file into statements, so that one broken statement does not hide the next. Knows lines, brackets, level
//! blocks and comments; what a statement says is the grammar's business.
//!
//! What it hands on: every statement that is not `broken` has balanced brackets, no bad token, and at most
//! [`MAX_NESTING`] levels of nesting, so that the recursive grammar cannot run out of stack.

use std::ops::Range;

use super::faults::{self, Fault};
use super::lex::{Kind, Token};
use super::words;
use crate::diagnostic::Diagnostic;
use crate::span::{FileId, Span};

/// Brackets and `if`s that may stand inside each other.
pub const MAX_NESTING: usize = 100;

/// A statement of the file, not yet read.
pub(super) struct Statement {
    /// Its tokens, comments and line ends included; never empty.
    pub tokens: Range<usize>,
    /// Whether something is wrong with it that has been reported already.
    pub broken: bool,
    /// Comments above and inside.
    pub comments: Vec<String>,
}

/// A statement or a level block.
pub(super) enum Piece {
    /// One statement.
    Statement(Statement),
    /// `upper { … }` or `lower { … }`: the part before `{`, the index of the last token, and what is inside.
    Level { header: Statement, last: usize, pieces: Vec<Piece> },
}

/// What the splitter found.
pub(super) struct Split {
    /// The text with comments and insignificant line ends blanked; every byte is where it was.
    pub clean: String,
    /// The statements.
    pub pieces: Vec<Piece>,
    /// Bad characters, brackets and blocks.
    pub diagnostics: Vec<Diagnostic>,
}

/// Cuts `source`, given its tokens.
pub(super) fn split(file: FileId, source: &str, tokens: &[Token]) -> Split {
    let mut splitter = Splitter {
        file,
        source,
        tokens,
        at: 0,
        clean: blanked(source, tokens),
        diagnostics: Vec::new(),
        comments: Vec::new(),
        unclosed_blocks: 0,
    };
    let pieces = splitter.pieces(None);
    // Only whole tokens and ASCII bytes were replaced, so the text is still UTF-8.
    let clean = String::from_utf8_lossy(&splitter.clean).into_owned();
    Split { clean, pieces, diagnostics: splitter.diagnostics }
}

/// Reads `source` as one piece in which line ends mean nothing: an expression from the command line.
pub(super) fn whole(file: FileId, source: &str, tokens: &[Token]) -> Split {
    let mut clean = blanked(source, tokens);
    let lines: Vec<Token> = tokens.iter().filter(|t| t.kind == Kind::Newline).copied().collect();
    lines.iter().for_each(|line| blank(&mut clean, line));
    let kept: Vec<Token> = tokens.iter().filter(|t| t.kind != Kind::Newline).copied().collect();
    let mut splitter = Splitter {
        file,
        source,
        tokens: &kept,
        at: 0,
        clean,
        diagnostics: Vec::new(),
        comments: Vec::new(),
        unclosed_blocks: 0,
    };
    let mut scan = Scan::default();
    while splitter.at < kept.len() {
        splitter.token(&mut scan);
        splitter.at += 1;
    }
    splitter.unclosed(&mut scan, None);
    let clean = String::from_utf8_lossy(&splitter.clean).into_owned();
    Split { clean, pieces: Vec::new(), diagnostics: splitter.diagnostics }
}

/// The bytes of `source` with comments and the byte order mark blanked and line ends written as `\n`.
fn blanked(source: &str, tokens: &[Token]) -> Vec<u8> {
    let mut clean = source.as_bytes().to_vec();
    if source.starts_with('\u{feff}') {
        clean[..'\u{feff}'.len_utf8()].fill(b' ');
    }
    for token in tokens {
        match token.kind {
            Kind::Comment | Kind::Bad(Fault::Comment) => blank(&mut clean, token),
            Kind::Newline => clean[token.start] = b'\n',
            _ => {}
        }
    }
    clean
}

fn blank(clean: &mut [u8], token: &Token) {
    clean[token.start..token.end].fill(b' ');
}

struct Splitter<'t> {
    file: FileId,
    source: &'t str,
    tokens: &'t [Token],
    at: usize,
    clean: Vec<u8>,
    diagnostics: Vec<Diagnostic>,
    /// Comment lines that wait for the declaration below them.
    comments: Vec<String>,
    /// Blocks that were ended for want of a `}`; as many stray `}` are passed over in silence.
    unclosed_blocks: usize,
}

/// An open bracket and the `if`s seen since the last comma inside it.
struct Frame {
    opener: usize,
    ifs: usize,
}

/// The state of one statement while its end is looked for.
#[derive(Default)]
struct Scan {
    /// The statement's first token; `None` at the top.
    first: Option<usize>,
    brackets: Vec<Frame>,
    outer_ifs: usize,
    nesting: usize,
    last: Option<usize>,
    line_start: bool,
    broken: bool,
    comments: Vec<String>,
}

impl Scan {
    /// Forgets the `if`s of the part that a comma or a separator ends.
    fn end_part(&mut self) {
        let ifs = self.brackets.last_mut().map_or(&mut self.outer_ifs, |frame| &mut frame.ifs);
        self.nesting -= std::mem::take(ifs);
    }

    fn open_if(&mut self) {
        *self.brackets.last_mut().map_or(&mut self.outer_ifs, |frame| &mut frame.ifs) += 1;
        self.nesting += 1;
    }

    fn open(&mut self, opener: usize) {
        self.brackets.push(Frame { opener, ifs: 0 });
        self.nesting += 1;
    }

    fn close(&mut self) {
        if let Some(frame) = self.brackets.pop() {
            self.nesting -= 1 + frame.ifs;
        }
    }
}

impl Splitter<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text(self.source))
    }

    fn span(&self, at: usize) -> Span {
        let token = self.tokens[at];
        Span::new(self.file, token.start, token.end)
    }

    /// Everything up to the end of the file, or of the block that `opener` opened.
    fn pieces(&mut self, opener: Option<usize>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        loop {
            self.skip_blank();
            if self.at >= self.tokens.len() {
                if let Some(opener) = opener {
                    self.unclosed_block(opener, None);
                }
                break;
            }
            if self.text(self.at) == "}" {
                self.at += 1;
                if opener.is_some() {
                    break;
                }
                self.stray_brace(self.at - 1);
            } else if self.opens_level() {
                if let Some(opener) = opener {
                    self.unclosed_block(opener, Some(self.at));
                    break;
                }
                let level = self.level();
                pieces.push(level);
            } else {
                let statement = self.statement(opener.is_some());
                pieces.push(Piece::Statement(statement));
            }
        }
        self.keep_last_comments(&mut pieces);
        pieces
    }

    /// Comments with no declaration below them stay with the one above.
    fn keep_last_comments(&mut self, pieces: &mut [Piece]) {
        if let Some(Piece::Statement(last) | Piece::Level { header: last, .. }) = pieces.last_mut() {
            last.comments.append(&mut self.comments);
        }
    }

    /// Passes line ends, `;` and comments; comments wait for the next declaration.
    fn skip_blank(&mut self) {
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind {
                Kind::Comment => self.comments.push(comment(token.text(self.source))),
                Kind::Newline => {}
                Kind::Symbol if token.text(self.source) == ";" => {}
                Kind::Bad(Fault::Comment) => self.report(self.at),
                _ => return,
            }
            self.at += 1;
        }
    }

    fn opens_level(&self) -> bool {
        match self.text(self.at) {
            "upper" | "lower" => self.text(self.at + 1) != ".",
            word => self.text(self.at + 1) == "{" && words::level_meant(word).is_some(),
        }
    }

    fn level(&mut self) -> Piece {
        let first = self.at;
        let comments = std::mem::take(&mut self.comments);
        let ends = |text: &str| matches!(text, "{" | "}" | ";" | "\n" | "\r" | "");
        while !ends(self.text(self.at)) && self.tokens[self.at].kind != Kind::Comment {
            self.at += 1;
        }
        let mut header = Statement { tokens: first..self.at, broken: false, comments };
        if !matches!(self.text(first), "upper" | "lower") {
            header.broken = true;
            self.misspelt_level(first);
        }
        for at in first..self.at {
            if matches!(self.tokens[at].kind, Kind::Bad(_)) && !header.broken {
                header.broken = true;
                self.report(at);
            }
        }
        if self.text(self.at) != "{" {
            let brace = (self.at..self.tokens.len()).find(|at| self.tokens[*at].is_significant());
            let brace = brace.filter(|at| self.text(*at) == "{");
            self.missing_block(first, brace);
            match brace {
                Some(brace) => self.at = brace,
                // A `}` too many in the file closes the block that was meant.
                None if self.braces("}") > self.braces("{") => {
                    let pieces = self.pieces(Some(first));
                    header.comments.append(&mut self.comments);
                    return Piece::Level { header, last: self.at - 1, pieces };
                }
                None => {
                    header.broken = true;
                    return Piece::Statement(header);
                }
            }
        }
        let opener = self.at;
        self.at += 1;
        let pieces = self.pieces(Some(opener));
        header.comments.append(&mut self.comments);
        Piece::Level { header, last: self.at - 1, pieces }
    }

    fn statement(&mut self, in_level: bool) -> Statement {
        let first = self.at;
        let comments = std::mem::take(&mut self.comments);
        let mut scan = Scan { first: Some(first), comments, ..Scan::default() };
        while self.at < self.tokens.len() {
            if self.at > first && self.ends_before(&mut scan, in_level) {
                break;
            }
            self.token(&mut scan);
            self.at += 1;
        }
        self.unclosed(&mut scan, None);
        Statement { tokens: first..self.at, broken: scan.broken, comments: scan.comments }
    }

    /// Whether the statement is over before the current token.
    fn ends_before(&mut self, scan: &mut Scan, in_level: bool) -> bool {
        let text = self.text(self.at);
        let top = scan.brackets.last().map_or("", |frame| self.text(frame.opener));
        match self.tokens[self.at].kind {
            Kind::Newline => top.is_empty() && !self.continues(scan),
            Kind::Symbol if text == ";" => top.is_empty(),
            Kind::Symbol if text == "}" => {
                let ours = scan.brackets.iter().any(|frame| self.text(frame.opener) == "{");
                if !ours && in_level {
                    self.unclosed(scan, None);
                }
                !ours && in_level
            }
            Kind::Word if scan.line_start && words::opens_statement(self.source, self.tokens, self.at) => {
                if text == "let" && scan.brackets.iter().any(|frame| self.text(frame.opener) == "{") {
                    if top != "{" {
                        self.unclosed(scan, Some(self.at));
                    }
                    return false;
                }
                self.unclosed(scan, Some(self.at));
                true
            }
            _ => false,
        }
    }

    /// Whether the last token asks for another line.
    fn continues(&self, scan: &Scan) -> bool {
        let last = scan.last.map_or("", |at| self.text(at));
        let named = last == ":" && scan.first.is_some_and(|at| self.text(at) == "subject");
        named || matches!(last, "," | "=" | "and" | "or") || crate::precedence::infix_spelled(last).is_some()
    }

    /// Takes the current token into the statement.
    fn token(&mut self, scan: &mut Scan) {
        let token = self.tokens[self.at];
        match token.kind {
            Kind::Newline => {
                let in_block = scan.brackets.last().is_some_and(|frame| self.text(frame.opener) == "{");
                if in_block && !self.continues(scan) {
                    scan.end_part();
                } else {
                    blank(&mut self.clean, &token);
                }
                scan.line_start = true;
                return;
            }
            Kind::Comment => {
                scan.comments.push(comment(token.text(self.source)));
                return;
            }
            Kind::Bad(fault) => {
                if !scan.broken {
                    self.report(self.at);
                    scan.broken = fault != Fault::Comment;
                }
            }
            Kind::Symbol => self.symbol(scan),
            Kind::Word if token.text(self.source) == "if" => {
                scan.open_if();
                self.check_nesting(scan);
            }
            Kind::Word | Kind::Number | Kind::Text => {}
        }
        scan.line_start = false;
        scan.last = Some(self.at);
    }

    fn symbol(&mut self, scan: &mut Scan) {
        match self.text(self.at) {
            "(" | "[" | "{" => {
                scan.open(self.at);
                self.check_nesting(scan);
            }
            "," | ";" => scan.end_part(),
            ")" | "]" | "}" => self.closer(scan),
            _ => {}
        }
    }

    fn check_nesting(&mut self, scan: &mut Scan) {
        if scan.nesting > MAX_NESTING && !scan.broken {
            scan.broken = true;
            let label = format!("more than {MAX_NESTING} brackets and `if`s inside each other");
            let nested = Diagnostic::error("E0114", "nested too deeply", self.span(self.at), label)
                .help("give the inner parts names with `let`");
            self.diagnostics.push(nested);
        }
    }

    fn closer(&mut self, scan: &mut Scan) {
        let closer = self.text(self.at).to_string();
        let Some(frame) = scan.brackets.last() else {
            if closer == "}" {
                scan.broken = true;
                return self.stray_brace(self.at);
            }
            return self.mismatch(scan, None);
        };
        let opener = frame.opener;
        if matching(self.text(opener)) == closer {
            return scan.close();
        }
        if self.text(opener) == "{" {
            return self.mismatch(scan, None);
        }
        self.mismatch(scan, Some(opener));
        let block = scan.brackets.iter().rposition(|frame| self.text(frame.opener) == "{");
        // A `}` closes its block whatever was left open inside.
        let depth = if closer == "}" { block.unwrap_or(0) } else { scan.brackets.len() - 1 };
        while scan.brackets.len() > depth {
            scan.close();
        }
    }

    fn mismatch(&mut self, scan: &mut Scan, opener: Option<usize>) {
        let closer = self.text(self.at).to_string();
        if !scan.broken {
            let diagnostic = match opener {
                Some(opener) => {
                    let open = self.text(opener);
                    let message = format!("`{open}` is not closed");
                    Diagnostic::error("E0102", message, self.span(opener), "opened here")
                        .label(self.span(self.at), format!("`{closer}` comes before `{}`", matching(open)))
                }
                None => Diagnostic::error(
                    "E0103",
                    format!("`{closer}` closes nothing"),
                    self.span(self.at),
                    "no bracket is open here",
                )
                .help("delete it, or open the bracket before it"),
            };
            self.diagnostics.push(diagnostic);
        }
        scan.broken = true;
    }

    /// Reports the innermost bracket that is still open when the statement ends, and leaves blocks of the statement
    /// open when a `let` goes on inside them.
    fn unclosed(&mut self, scan: &mut Scan, next: Option<usize>) {
        let Some(frame) = scan.brackets.last() else { return };
        let opener = frame.opener;
        if !scan.broken {
            let open = self.text(opener);
            let message = format!("`{open}` is not closed");
            let mut diagnostic = Diagnostic::error("E0102", message, self.span(opener), "opened here")
                .help(format!("close it with `{}`", matching(open)));
            if let Some(next) = next {
                diagnostic = diagnostic.label(self.span(next), "the next statement starts here");
            }
            self.diagnostics.push(diagnostic);
        }
        scan.broken = true;
        while scan.brackets.last().is_some_and(|frame| self.text(frame.opener) != "{") {
            scan.close();
        }
        if next.is_none_or(|next| self.text(next) != "let") {
            scan.brackets.clear();
        }
    }

    fn unclosed_block(&mut self, opener: usize, next: Option<usize>) {
        if let Some(next) = next {
            self.unclosed_blocks += 1;
            if self.braces_balance() {
                let level = self.text(next);
                let message = "a level stands inside another level";
                let nested = Diagnostic::error("E0121", message, self.span(next), "this one is inside")
                    .label(self.span(opener), "the block around it is opened here")
                    .help(format!("levels stand side by side: close this block with `}}` before `{level}`"));
                return self.diagnostics.push(nested);
            }
        }
        let mut diagnostic =
            Diagnostic::error("E0102", "`{` is not closed", self.span(opener), "opened here")
                .help("close the level with `}`");
        if let Some(next) = next {
            diagnostic = diagnostic
                .label(self.span(next), "another level starts here")
                .help("levels stand side by side: close this one with `}` first");
        }
        self.diagnostics.push(diagnostic);
    }

    /// Whether as many blocks are closed as are opened: then one that seems open holds another.
    fn braces_balance(&self) -> bool {
        self.braces("{") == self.braces("}")
    }

    /// How many of these braces the file has.
    fn braces(&self, brace: &str) -> usize {
        self.tokens.iter().filter(|token| token.text(self.source) == brace).count()
    }

    fn stray_brace(&mut self, at: usize) {
        if self.unclosed_blocks > 0 {
            self.unclosed_blocks -= 1;
            return;
        }
        let stray = Diagnostic::error("E0103", "`}` closes nothing", self.span(at), "no block is open here")
            .help("delete it, or open the block with `{`");
        self.diagnostics.push(stray);
    }

    /// A block behind a word that is nearly a level's: read as that level, so that what is inside needs no complaint.
    fn misspelt_level(&mut self, at: usize) {
        let word = self.text(at);
        let meant = words::level_meant(word).unwrap_or("upper");
        let diagnostic = Diagnostic::error(
            "E0107",
            format!("unknown statement `{word}`"),
            self.span(at),
            "not a level of a model",
        )
        .did_you_mean(meant);
        self.diagnostics.push(diagnostic);
    }

    fn missing_block(&mut self, keyword: usize, brace: Option<usize>) {
        let level = self.text(keyword);
        let mut diagnostic = Diagnostic::error(
            "E0116",
            format!("`{level}` needs a block"),
            self.span(keyword),
            "expected `{` on this line",
        )
        .help(format!("write `{level} {{ … }}`"));
        if let Some(brace) = brace {
            diagnostic = diagnostic.label(self.span(brace), "this `{` belongs on the line above");
        }
        self.diagnostics.push(diagnostic);
    }

    fn report(&mut self, at: usize) {
        if let Kind::Bad(fault) = self.tokens[at].kind {
            let diagnostic = faults::report(fault, self.file, self.source, self.tokens[at]);
            self.diagnostics.push(diagnostic);
        }
    }
}

fn matching(opener: &str) -> &'static str {
    match opener {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}

/// A comment's text without `#` and the blank after it.
fn comment(written: &str) -> String {
    let text = &written[1..];
    text.strip_prefix(' ').unwrap_or(text).trim_end().to_string()
}
