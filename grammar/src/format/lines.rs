//! Cuts a correct text into the lines the formatter writes: where the author ended a line, between statements, and around
//! the braces of levels. Every token and comment is kept as it is spelled; only `;` and blanks go. How far a line is
//! indented and whether it is too long is `layout`'s business.

use crate::parse::is_keyword;
use crate::parse::lex::{Kind, Token, tokens};
use crate::precedence;

/// A token with what the formatter knows about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atom<'t> {
    /// As written.
    pub text: &'t str,
    /// Whether a blank stands before it when it does not begin a line.
    pub space: bool,
    /// Whether it is an infix operator, so that a line may end behind it.
    pub infix: bool,
    /// Whether it is a bracket that directly follows what it belongs to: `f(`, `x[`.
    pub tight: bool,
}

/// One line of the result, before long ones are cut.
#[derive(Clone, Debug)]
pub(super) struct Line<'t> {
    /// Inside how many levels.
    pub level: usize,
    /// Whether it begins a statement, rather than going on with one.
    pub fresh: bool,
    /// Whether an empty line stands before it.
    pub blank: bool,
    /// The tokens.
    pub atoms: Vec<Atom<'t>>,
    /// A comment behind them, or alone.
    pub comment: Option<&'t str>,
}

/// The lines of `source`, which has no syntax errors.
pub(super) fn lines(source: &str) -> Vec<Line<'_>> {
    let mut cutter = Cutter { source, tokens: tokens(source), ..Cutter::default() };
    for at in 0..cutter.tokens.len() {
        cutter.token(at);
    }
    cutter.end_line();
    cutter.lines
}

/// An open bracket; `several`: a block of a function that is written on several lines.
struct Bracket<'t> {
    text: &'t str,
    several: bool,
}

#[derive(Default)]
struct Cutter<'t> {
    source: &'t str,
    tokens: Vec<Token>,
    lines: Vec<Line<'t>>,
    line: Option<Line<'t>>,
    brackets: Vec<Bracket<'t>>,
    level: usize,
    /// The statement's first word, and how many tokens of it have passed.
    first: &'t str,
    passed: usize,
    /// The last token of the statement (in a block: of the `let`).
    last: Option<Atom<'t>>,
    /// Whether the last token ends an operand, so that a `-` behind it is infix.
    operand: bool,
    /// Whether the next token, unless a comment, begins a line.
    cut: bool,
    /// A `;` in a block written on one line.
    semicolon: bool,
    /// Whether the next line goes on with a statement.
    going_on: bool,
    after_opener: bool,
    newlines: usize,
}

impl<'t> Cutter<'t> {
    fn token(&mut self, at: usize) {
        let token = self.tokens[at];
        let text = token.text(self.source);
        match token.kind {
            Kind::Newline => {
                self.newlines += 1;
                if !self.joins_block(at) {
                    self.newline();
                }
                return;
            }
            Kind::Comment => self.line().comment = Some(text.trim_end()),
            _ if text == ";" => self.separator(),
            _ if text == "}" && self.brackets.is_empty() => self.end_level(text),
            _ => self.atom(at, token.kind, text),
        }
        self.newlines = 0;
    }

    /// `fn f(x) =` with its block in the next line: the brace moves up.
    fn joins_block(&self, at: usize) -> bool {
        let next = self.tokens[at..].iter().find(|token| token.kind != Kind::Newline);
        let commented = self.line.as_ref().is_some_and(|line| line.comment.is_some());
        !commented
            && self.last.is_some_and(|last| last.text == "=")
            && next.is_some_and(|next| next.text(self.source) == "{")
    }

    fn in_brackets(&self) -> bool {
        self.brackets.last().is_some_and(|bracket| bracket.text != "{")
    }

    fn newline(&mut self) {
        let named = |text| text == ":" && self.first == "subject";
        let asks =
            self.last.is_some_and(|last| last.infix || matches!(last.text, "," | "=") || named(last.text));
        let pending = self.in_brackets() || asks;
        self.end_line();
        if !pending {
            self.end_part();
        }
        self.going_on = pending;
    }

    /// Ends a statement, or one `let` of a block.
    fn end_part(&mut self) {
        self.last = None;
        self.operand = false;
        self.going_on = false;
        if self.brackets.is_empty() {
            self.passed = 0;
        }
    }

    fn end_line(&mut self) {
        self.lines.extend(self.line.take());
        self.cut = false;
    }

    /// The current line, begun if there is none.
    fn line(&mut self) -> &mut Line<'t> {
        let apart = self.newlines >= 2 && !self.going_on && !self.after_opener && !self.lines.is_empty();
        let begun =
            Line { level: self.level, fresh: !self.going_on, blank: apart, atoms: Vec::new(), comment: None };
        if self.line.is_none() {
            self.after_opener = false;
        }
        self.line.get_or_insert(begun)
    }

    fn separator(&mut self) {
        let one_line_block = self.brackets.last().is_some_and(|bracket| !bracket.several);
        if one_line_block {
            self.semicolon = true;
        } else {
            self.cut = true;
        }
        self.end_part();
    }

    fn end_level(&mut self, text: &'t str) {
        self.end_line();
        self.end_part();
        self.level = self.level.saturating_sub(1);
        self.newlines = 0;
        self.push(Atom { text, space: false, infix: false, tight: false });
        self.cut = true;
    }

    fn push(&mut self, atom: Atom<'t>) {
        let line = self.line();
        let space = atom.space && !line.atoms.is_empty();
        line.atoms.push(Atom { space, ..atom });
    }

    fn atom(&mut self, at: usize, kind: Kind, text: &'t str) {
        let closes_block = text == "}" && self.brackets.last().is_some_and(|bracket| bracket.several);
        if self.cut || closes_block {
            self.end_line();
            self.going_on = false;
        }
        if closes_block {
            self.newlines = 0;
        }
        let opened =
            self.line.as_ref().and_then(|line| line.atoms.last()).is_some_and(|last| last.text == "{");
        if std::mem::take(&mut self.semicolon) && text != "}" && !opened {
            self.push(Atom { text: ";", space: false, infix: false, tight: false });
        }
        if self.passed == 0 {
            self.first = text;
        }
        let atom = self.describe(kind, text);
        self.push(atom);
        self.operand = ends_operand(kind, text) && !self.is_to(text);
        self.passed += 1;
        self.last = Some(atom);
        self.bracket(at, text);
    }

    /// `to` of `subject to`, which is a name elsewhere.
    fn is_to(&self, text: &str) -> bool {
        self.passed == 1 && self.first == "subject" && text == "to"
    }

    fn bracket(&mut self, at: usize, text: &'t str) {
        let is_level = matches!(self.first, "upper" | "lower") && self.brackets.is_empty();
        match text {
            "{" if is_level => {
                self.level += 1;
                self.cut = true;
                self.after_opener = true;
                self.end_part();
            }
            "(" | "[" => self.brackets.push(Bracket { text, several: false }),
            "{" => {
                let several = self.is_several(at);
                self.brackets.push(Bracket { text, several });
                self.cut = several;
                self.after_opener = several;
                self.end_part();
            }
            ")" | "]" | "}" => {
                self.brackets.pop();
            }
            _ => {}
        }
    }

    /// Whether the block that opens at token `at` has a line end inside.
    fn is_several(&self, at: usize) -> bool {
        let inside = self.tokens[at..].iter().take_while(|token| token.text(self.source) != "}");
        inside.into_iter().any(|token| token.kind == Kind::Newline)
    }

    fn describe(&self, kind: Kind, text: &'t str) -> Atom<'t> {
        let infix = precedence::infix_spelled(text).is_some() && (text != "-" || self.operand);
        let opens = matches!(text, "(" | "[");
        let tight = opens && self.operand && self.first != "use";
        let space = !tight && self.spaced(kind, text);
        Atom { text, space, infix, tight }
    }

    fn spaced(&self, kind: Kind, text: &str) -> bool {
        let Some(last) = self.last else { return true };
        if kind == Kind::Symbol && matches!(text, "," | ")" | "]" | "'" | "." | "^") {
            return false;
        }
        // In an index: `x[:, ..k]`.
        if matches!(text, ":" | "..") {
            return last.text == ",";
        }
        let sign = last.text == "-" && !last.infix;
        !sign && !matches!(last.text, "(" | "[" | "." | ".." | "^")
    }
}

fn ends_operand(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Number | Kind::Text => true,
        Kind::Word => {
            let value = matches!(text, "true" | "false" | "inf" | "var" | "solve" | "upper" | "lower");
            value || !is_keyword(text)
        }
        _ => matches!(text, ")" | "]" | "}" | "'"),
    }
}
