//! What the line editor asks while somebody types: completions, colours, whether the entry is whole, and how it may go on.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::rc::Rc;

use blo_grammar::parse::entry::{Class, classes};
use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hinter, HistoryHinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::complete::{Names, complete};
use super::goes_on;

/// Colours of classes, as parameters of the escape sequence.
const COLOURS: [(Class, &str); 5] = [
    (Class::Keyword, "1;35"),
    (Class::Number, "36"),
    (Class::Text, "32"),
    (Class::Comment, "90"),
    (Class::Wrong, "31"),
];

/// Helps the line editor.
pub struct Assistant {
    names: Rc<RefCell<Names>>,
    hints: HistoryHinter,
    /// Whether the entry is being finished: then no bracket is shown with its partner.
    finished: Cell<bool>,
}

impl Assistant {
    /// With these names.
    pub fn new(names: Rc<RefCell<Names>>) -> Self {
        Assistant { names, hints: HistoryHinter::new(), finished: Cell::new(false) }
    }
}

impl Helper for Assistant {}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(complete(line, at, &self.names.borrow()))
    }
}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, at: usize, context: &Context<'_>) -> Option<String> {
        if line.is_empty() || line.contains('\n') {
            return None;
        }
        self.hints.hint(line, at, context).filter(|hint| !hint.contains('\n'))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match goes_on(context.input()) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, at: usize) -> Cow<'l, str> {
        let pair = if self.finished.get() { None } else { partners(line, at) };
        let mut out = String::with_capacity(2 * line.len());
        let mut end = 0;
        for (class, range) in classes(line) {
            out.push_str(&line[end..range.start]);
            let colour = match pair {
                Some((a, b)) if range.start == a || range.start == b => Some("1;34;4"),
                _ => COLOURS.iter().find(|(of, _)| *of == class).map(|(_, colour)| *colour),
            };
            match colour {
                // Writing into a string does not fail.
                Some(colour) => drop(write!(out, "\x1b[{colour}m{}\x1b[0m", &line[range.clone()])),
                None => out.push_str(&line[range.clone()]),
            }
            end = range.end;
        }
        out.push_str(&line[end..]);
        Cow::Owned(out)
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(format!("\x1b[1;32m{prompt}\x1b[0m"))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[90m{hint}\x1b[0m"))
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.finished.set(kind == CmdKind::ForcedRefresh);
        true
    }
}

/// The bracket before or under the cursor, and the one that belongs to it.
fn partners(line: &str, at: usize) -> Option<(usize, usize)> {
    let mut open = Vec::new();
    let mut pairs = Vec::new();
    for (_, range) in classes(line).into_iter().filter(|(class, _)| *class == Class::Bracket) {
        match &line[range.clone()] {
            "(" | "[" | "{" => open.push(range.start),
            _ => pairs.extend(open.pop().map(|begin| (begin, range.start))),
        }
    }
    let touched = |place: usize| place == at || place + 1 == at;
    pairs.into_iter().find(|(a, b)| touched(*a) || touched(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_know_their_partners() {
        assert_eq!(partners("f(x[1])", 7), Some((1, 6)));
        assert_eq!(partners("f(x[1])", 6), Some((3, 5)));
        assert_eq!(partners("f(x", 2), None);
    }

    #[test]
    fn colours_change_nothing_but_the_colour() {
        let assistant = Assistant::new(Rc::default());
        let line = "let a = sum(x[i] for i in 3)  # all";
        let shown = assistant.highlight(line, line.len()).into_owned();
        let mut plain = String::new();
        let mut escape = false;
        for c in shown.chars() {
            match (escape, c) {
                (false, '\x1b') => escape = true,
                (true, 'm') => escape = false,
                (false, c) => plain.push(c),
                _ => {}
            }
        }
        assert_eq!(plain, line);
        assert!(shown.contains("\x1b[1;35mlet\x1b[0m") && shown.contains("\x1b[90m# all\x1b[0m"), "{shown}");
    }
}
