//! Writes lines with their indentation, puts comments below each other, and cuts lines that are too long. A cut stands
//! where the language lets a statement go on: behind a comma, a binary operator, an opening bracket or the `=` of a
//! statement, and inside brackets before `for`, `then` and `else`; the outermost such place wins, and among equals the
//! last that fits.

use super::lines::{Atom, Line};
use super::pad;
use crate::precedence;

/// The longest line, in characters.
pub(super) const WIDTH: usize = 100;

/// Blanks between code and a comment behind it, at least.
const GAP: usize = 2;
/// The greatest difference in length of lines whose comments are put below each other.
const SPREAD: usize = 24;

/// What one more bracket around a place costs.
const BRACKET: i32 = 10;
/// What ending a line behind the `=` of a statement costs, when the rest then fits.
const EQUALS: i32 = 9;
/// The same when it does not.
const LATE_EQUALS: i32 = 45;
/// What a comma inside an index or a shape costs more than one between arguments.
const INDEX: i32 = 5;

/// The text of the lines.
pub(super) fn write(lines: Vec<Line<'_>>) -> String {
    let mut layout = Layout::default();
    for line in lines {
        layout.line(line);
    }
    let mut out = String::new();
    for run in layout.rows.chunk_by(|above, below| above.1.is_some() && below.1.is_some()) {
        let column = comment_column(run);
        for (code, comment) in run {
            out.push_str(code);
            if let Some(comment) = comment {
                let gap = column.saturating_sub(code.chars().count()).max(GAP);
                out.push_str(&" ".repeat(gap));
                out.push_str(comment);
            }
            out.push('\n');
        }
    }
    out
}

/// Where the comments behind neighbouring lines stand: below each other, unless the lines are too different in length.
fn comment_column(run: &[(String, Option<&str>)]) -> usize {
    let lengths = || run.iter().map(|(code, _)| code.chars().count());
    let (shortest, longest) = (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0));
    if longest - shortest <= SPREAD { longest + GAP } else { 0 }
}

#[derive(Default)]
struct Layout<'t> {
    /// The lines so far, each with the comment behind it.
    rows: Vec<(String, Option<&'t str>)>,
    /// The open brackets, each with the indentation of the line that opened it.
    open: Vec<(&'t str, usize)>,
}

impl<'t> Layout<'t> {
    fn line(&mut self, mut line: Line<'t>) {
        if line.blank {
            self.rows.push((String::new(), None));
        }
        loop {
            let indent = self.indent(&line);
            if indent + width(&line.atoms) <= WIDTH {
                return self.put(&line, indent);
            }
            if let Some(lines) = unfolded(&line) {
                return lines.into_iter().for_each(|line| self.line(line));
            }
            let Some(at) = self.cut(&line.atoms, indent) else { return self.put(&line, indent) };
            let mut rest = line.atoms.split_off(at);
            rest[0].space = false;
            let comment = line.comment.take();
            self.put(&line, indent);
            line = Line { level: line.level, fresh: false, blank: false, atoms: rest, comment };
        }
    }

    /// Characters before the line: those of the line whose bracket it closes, a step more than the line whose bracket it
    /// stands in, or a step for each level; and a step for a statement that goes on outside of brackets.
    fn indent(&self, line: &Line<'_>) -> usize {
        let closers = line.atoms.iter().take_while(|atom| is_closer(atom.text)).count();
        let left = self.open.len().saturating_sub(closers);
        if let (1.., Some(closed)) = (closers, self.open.get(left)) {
            return closed.1;
        }
        let step = pad(1).len();
        let goes_on = if line.fresh { 0 } else { step };
        match self.open.last() {
            Some(("{", indent)) => indent + step + goes_on,
            Some((_, indent)) => indent + step,
            None => pad(line.level).len() + goes_on,
        }
    }

    fn put(&mut self, line: &Line<'t>, indent: usize) {
        let mut code = " ".repeat(indent);
        for atom in &line.atoms {
            if atom.space {
                code.push(' ');
            }
            code.push_str(atom.text);
        }
        if line.atoms.is_empty() {
            code.push_str(line.comment.unwrap_or_default());
            self.rows.push((code, None));
        } else {
            self.rows.push((code, line.comment));
        }
        // The braces of a level are no brackets: the lines inside know their level.
        let level = line.atoms.first().is_some_and(|atom| matches!(atom.text, "upper" | "lower"));
        if !(level && line.fresh && self.open.is_empty()) {
            self.track(&line.atoms, indent);
        }
    }

    fn track(&mut self, atoms: &[Atom<'t>], indent: usize) {
        for atom in atoms {
            if is_opener(atom.text) {
                self.open.push((atom.text, indent));
            } else if is_closer(atom.text) {
                self.open.pop();
            }
        }
    }

    /// Before which token to begin a new line.
    fn cut(&self, atoms: &[Atom<'_>], indent: usize) -> Option<usize> {
        let places = places(atoms, indent, &self.open);
        let fits = |at: usize| indent + width(&atoms[..at]) <= WIDTH;
        let best = places.iter().filter(|place| fits(place.at)).min_by_key(|p| (p.cost, usize::MAX - p.at));
        let best = best.or_else(|| places.iter().min_by_key(|place| place.at))?;
        // A list that does not fit begins on a line of its own.
        Some(best.list.unwrap_or(best.at))
    }
}

/// A place where a line may be cut.
struct Place {
    /// Before this token.
    at: usize,
    cost: i32,
    /// For a comma: where the list begins that it belongs to, when that is in this line.
    list: Option<usize>,
}

/// What is known of a bracket while a line is searched for places.
#[derive(Clone, Copy)]
struct Inside<'t> {
    text: &'t str,
    /// Where its contents begin, when that is in this line.
    start: Option<usize>,
    index: bool,
    after_for: bool,
}

fn places(atoms: &[Atom<'_>], indent: usize, open: &[(&str, usize)]) -> Vec<Place> {
    let mut inside: Vec<Inside<'_>> = open
        .iter()
        .map(|bracket| Inside { text: bracket.0, start: None, index: false, after_for: false })
        .collect();
    let outer = inside.len() as i32;
    let mut places = Vec::new();
    for at in 1..atoms.len() {
        let (before, after) = (&atoms[at - 1], &atoms[at]);
        if is_opener(before.text) {
            let index = before.tight && before.text == "[";
            inside.push(Inside { text: before.text, start: Some(at), index, after_for: false });
        } else if is_closer(before.text) {
            inside.pop();
        } else if let (Some(top), "for") = (inside.last_mut(), before.text) {
            top.after_for = true;
        }
        let top = inside.last().copied();
        let bracketed = top.is_some_and(|top| top.text != "{");
        let base = (inside.len() as i32 - outer) * BRACKET;
        let plain = |cost: i32| Place { at, cost, list: None };
        if before.text == "," {
            let extra = top.map_or(0, |top| i32::from(top.after_for) + if top.index { INDEX } else { 0 });
            let list = top.filter(|top| !top.after_for && !top.index).and_then(|top| top.start);
            places.push(Place { at, cost: base + extra, list });
        } else if before.infix && before.text != "^" {
            places.push(plain(base + precedence::infix_spelled(before.text).map_or(0, |r| r.level.into())));
        } else if before.text == "=" && !bracketed {
            let fits = indent + pad(1).len() + width(&atoms[at..]) <= WIDTH;
            places.push(plain(if fits { EQUALS } else { LATE_EQUALS }));
        } else if bracketed && matches!(after.text, "for" | "then" | "else") {
            places.push(plain(base));
        }
    }
    places.extend(list_starts(&places));
    places
}

/// The beginnings of the lists that have commas.
fn list_starts(places: &[Place]) -> Vec<Place> {
    let starts =
        places.iter().filter_map(|place| Some(Place { at: place.list?, cost: place.cost, list: None }));
    starts.collect()
}

/// A function's block on one line, written on several.
fn unfolded<'t>(line: &Line<'t>) -> Option<Vec<Line<'t>>> {
    let open = line.atoms.iter().position(|atom| atom.text == "{")?;
    let close = open + line.atoms[open..].iter().position(|atom| atom.text == "}")?;
    let make = |atoms: &[Atom<'t>], fresh: bool| {
        let mut atoms = atoms.to_vec();
        if let Some(first) = atoms.first_mut() {
            first.space = false;
        }
        Line { level: line.level, fresh, blank: false, atoms, comment: None }
    };
    let mut lines = vec![make(&line.atoms[..=open], line.fresh)];
    lines.extend(line.atoms[open + 1..close].split(|atom| atom.text == ";").map(|part| make(part, true)));
    lines.push(Line { comment: line.comment, ..make(&line.atoms[close..], true) });
    Some(lines)
}

fn is_opener(text: &str) -> bool {
    matches!(text, "(" | "[" | "{")
}

fn is_closer(text: &str) -> bool {
    matches!(text, ")" | "]" | "}")
}

fn width(atoms: &[Atom<'_>]) -> usize {
    let length =
        |(at, atom): (usize, &Atom<'_>)| atom.text.chars().count() + usize::from(at > 0 && atom.space);
    atoms.iter().enumerate().map(length).sum()
}
