//! Draws diagnostics: code, headline, source lines with a label for every party, help and notes. Layout is ariadne's; this file
//! decides what is shown of odd spans and of lines too long to print, and where all of it goes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::ops::Range;

use ariadne::{Cache, Color, Config, IndexType, Label, Report, ReportKind, Source};
use blo_grammar::diagnostic::{Diagnostic, Severity};
use blo_grammar::source::Sources;
use blo_grammar::span::{FileId, Span};

use serde_json::Value;

use crate::args::Format;
use crate::files::Trouble;
use crate::output::messages;

/// Diagnostics drawn in full; of the rest only the number is said.
const SHOWN: usize = 50;
/// A source line with more bytes than this is quoted only around its labels.
const LONG_LINE: usize = 300;
/// Characters quoted on either side of a label in a long line.
const AROUND: usize = 40;
/// A longer headline, label or note is cut: values and names in it come from the model.
const LONG_TEXT: usize = 2000;

/// Draws diagnostics and troubles, counts them, and says the sum at the end.
pub struct Renderer {
    colour: bool,
    errors: usize,
    warnings: usize,
    /// The code of the first error.
    first: Option<&'static str>,
    out: Out,
}

/// Where messages go.
enum Out {
    /// To the error stream, as they come.
    Stream,
    /// Into a text.
    Text(String),
    /// Into the document that the command ends with.
    Document(Vec<Value>),
}

impl Renderer {
    /// For people on the error stream, in colours only on a terminal that has not asked for none (`NO_COLOR`); for tools in the
    /// document on standard output.
    pub fn new(format: Format) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let (colour, out) = match format {
            Format::Text => (std::io::stderr().is_terminal() && !refused, Out::Stream),
            Format::Json => (false, Out::Document(Vec::new())),
        };
        Renderer { colour, errors: 0, warnings: 0, first: None, out }
    }

    /// Keeps what it draws, without colours.
    pub fn into_text() -> Self {
        Renderer { colour: false, errors: 0, warnings: 0, first: None, out: Out::Text(String::new()) }
    }

    /// What was drawn, where it is kept.
    pub fn text(&self) -> &str {
        if let Out::Text(text) = &self.out { text } else { "" }
    }

    /// The messages so far, where the command ends with a document; otherwise they have been said.
    pub fn document(&self) -> Option<(&[Value], usize, usize)> {
        let Out::Document(messages) = &self.out else { return None };
        Some((messages, self.errors, self.warnings))
    }

    /// Tells all of them, errors and warnings in the given order.
    pub fn diagnostics(&mut self, sources: &Sources, diagnostics: &[Diagnostic]) {
        for diagnostic in diagnostics {
            match diagnostic.severity {
                Severity::Error => {
                    self.errors += 1;
                    self.first = self.first.or(Some(diagnostic.code));
                }
                Severity::Warning => self.warnings += 1,
            }
        }
        let mut cache = Files { sources, read: HashMap::new() };
        if matches!(self.out, Out::Document(_)) {
            for diagnostic in diagnostics {
                let drawn = self.draw(sources, &mut cache, diagnostic);
                self.add(messages::diagnostic(sources, diagnostic, &drawn));
            }
            return;
        }
        let mut drawn = String::new();
        for diagnostic in diagnostics.iter().take(SHOWN) {
            drawn.push_str(&self.draw(sources, &mut cache, diagnostic));
        }
        if diagnostics.len() > SHOWN {
            let _ = writeln!(drawn, "… and {} more", diagnostics.len() - SHOWN);
        }
        self.say(&drawn);
    }

    /// Tells something that has no place in the model.
    pub fn trouble(&mut self, trouble: &Trouble) {
        self.errors += 1;
        let mut drawn = format!("{} {}\n", self.paint("error:", "1;31"), cut(&trouble.message));
        if let Some(help) = &trouble.help {
            let _ = writeln!(drawn, "  {} {}", self.paint("help:", "36"), cut(help));
        }
        match self.out {
            Out::Document(_) => self.add(messages::trouble(trouble, &drawn)),
            _ => self.say(&drawn),
        }
    }

    /// A remark with the places it is about, drawn without colour for standard output. It counts as nothing.
    pub fn remark(&self, sources: &Sources, labels: &[(Span, &str)]) -> String {
        let labels: Vec<(Span, &str)> =
            labels.iter().map(|&(span, text)| (tidy(sources, span), text)).collect();
        let plain = || -> String {
            let lines = labels.iter().map(|(span, text)| {
                let (line, column) = sources.line_column(*span);
                format!("   {}:{line}:{column}: {}\n", sources.get(span.file).name, cut(text))
            });
            lines.collect()
        };
        let long = |span: Span| has_long_line(&sources.get(span.file).text, span.range());
        let Some(&(main, _)) = labels.first().filter(|_| !labels.iter().any(|l| long(l.0))) else {
            return plain();
        };
        let mut cache = Files { sources, read: HashMap::new() };
        let mut report = Report::build(ReportKind::Advice, (main.file, main.range()))
            .with_config(Config::new().with_index_type(IndexType::Byte).with_color(false).with_compact(true));
        for (span, text) in &labels {
            report.add_label(Label::new((span.file, span.range())).with_message(cut(text)));
        }
        let mut bytes = Vec::new();
        match report.finish().write(&mut cache, &mut bytes) {
            // The first line is a heading, which a remark does without.
            Ok(()) => {
                let drawn = String::from_utf8_lossy(&bytes).into_owned();
                drawn.split_once('\n').map_or_else(plain, |(_, rest)| rest.to_owned())
            }
            Err(_) => plain(),
        }
    }

    /// `2 errors, 1 warning`, and where to read about the first error; nothing when there were none, and nothing in a document, which
    /// has both numbers.
    pub fn summary(&mut self) {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let parts: Vec<String> = [(self.errors, "error"), (self.warnings, "warning")]
            .into_iter()
            .filter(|&(n, _)| n > 0)
            .map(|(n, what)| count(n, what))
            .collect();
        if !parts.is_empty() {
            let more = self.first.map_or(String::new(), |code| format!("; `blo explain {code}` tells more"));
            self.say(&format!("{}{more}\n", parts.join(", ")));
        }
    }

    /// Takes over what another one has counted and kept for a document.
    pub fn absorb(&mut self, other: Renderer) {
        self.errors += other.errors;
        self.warnings += other.warnings;
        if let (Out::Document(all), Out::Document(more)) = (&mut self.out, other.out) {
            all.extend(more);
        }
    }

    fn say(&mut self, drawn: &str) {
        match &mut self.out {
            Out::Stream => print(drawn),
            Out::Text(text) => text.push_str(drawn),
            Out::Document(_) => {}
        }
    }

    fn add(&mut self, message: Value) {
        if let Out::Document(messages) = &mut self.out {
            messages.push(message);
        }
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
    }

    fn draw(&self, sources: &Sources, cache: &mut Files, diagnostic: &Diagnostic) -> String {
        let spans: Vec<Span> = diagnostic.labels.iter().map(|label| tidy(sources, label.span)).collect();
        if spans.iter().any(|&span| has_long_line(&sources.get(span.file).text, span.range())) {
            return self.draw_plain(sources, diagnostic, &spans);
        }
        let (kind, colour) = match diagnostic.severity {
            Severity::Error => (ReportKind::Error, Color::Red),
            Severity::Warning => (ReportKind::Warning, Color::Yellow),
        };
        let Some(&main) = spans.first() else { return self.draw_plain(sources, diagnostic, &spans) };
        let mut report = Report::build(kind, (main.file, main.range()))
            .with_config(Config::new().with_index_type(IndexType::Byte).with_color(self.colour))
            .with_code(diagnostic.code)
            .with_message(cut(&diagnostic.message));
        for (number, (label, &span)) in diagnostic.labels.iter().zip(&spans).enumerate() {
            let colour = if number == 0 { colour } else { Color::Blue };
            // Labels of one file that are not in the order of its lines would be drawn apart, under a wrong heading.
            let line = sources.line_column(Span { start: span.end.max(1) - 1, ..span }).0;
            let order = if span.file == main.file { line as i32 } else { i32::MAX };
            let drawn = Label::new((span.file, span.range())).with_color(colour).with_order(order);
            report.add_label(if label.text.is_empty() {
                drawn
            } else {
                drawn.with_message(cut(&label.text))
            });
        }
        for note in &diagnostic.notes {
            report.add_note(cut(note));
        }
        if let Some(help) = &diagnostic.help {
            report.set_help(cut(help));
        }
        let mut bytes = Vec::new();
        match report.finish().write(cache, &mut bytes) {
            Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(_) => self.draw_plain(sources, diagnostic, &spans),
        }
    }

    /// One excerpt per label, for lines too long to be printed whole.
    fn draw_plain(&self, sources: &Sources, diagnostic: &Diagnostic, spans: &[Span]) -> String {
        let (word, code) = match diagnostic.severity {
            Severity::Error => ("Error", "1;31"),
            Severity::Warning => ("Warning", "1;33"),
        };
        let head = self.paint(&format!("[{}] {word}:", diagnostic.code), code);
        let mut out = format!("{head} {}\n", cut(&diagnostic.message));
        for (label, &span) in diagnostic.labels.iter().zip(spans) {
            let source = sources.get(span.file);
            let (line, column) = sources.line_column(span);
            let (excerpt, before, width) = excerpt(&source.text, span.range());
            let _ = writeln!(out, "   ╭─[ {}:{line}:{column} ]\n   │ {excerpt}", source.name);
            let marks = "^".repeat(width.max(1));
            let _ = writeln!(out, "   │ {}{marks} {}", " ".repeat(before), cut(&label.text));
        }
        for (word, text) in
            diagnostic.help.iter().map(|h| ("Help", h)).chain(diagnostic.notes.iter().map(|n| ("Note", n)))
        {
            let _ = writeln!(out, "   │ {}: {}", self.paint(word, "36"), cut(text));
        }
        out
    }
}

/// Writes to the error stream. A closed stream is nobody's to tell.
fn print(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn cut(text: &str) -> String {
    if text.len() <= LONG_TEXT {
        return text.to_string();
    }
    format!("{}…", &text[..text.floor_char_boundary(LONG_TEXT)])
}

/// A span that ariadne can draw: inside the text, on character boundaries, at least one character wide where there is one.
fn tidy(sources: &Sources, span: Span) -> Span {
    let text = &sources.get(span.file).text;
    let start = text.floor_char_boundary(span.start as usize);
    let mut end = text.ceil_char_boundary(span.end as usize).max(start);
    let mut from = start;
    if start == end {
        match text[start..].chars().next() {
            Some(c) => end = start + c.len_utf8(),
            None => from = text[..start].char_indices().next_back().map_or(0, |(at, _)| at),
        }
    }
    Span::new(span.file, from, end)
}

/// Whether a line that the range touches is too long to print. Only its first and last lines are drawn.
fn has_long_line(text: &str, range: Range<usize>) -> bool {
    let line = |at: usize| {
        let start = text[..at].rfind('\n').map_or(0, |i| i + 1);
        let end = text[at..].find('\n').map_or(text.len(), |i| at + i);
        end - start
    };
    line(range.start) > LONG_LINE || line(range.end) > LONG_LINE
}

/// The part of a line around a range: the text, how many characters stand before the range, and how many it covers there.
fn excerpt(text: &str, range: Range<usize>) -> (String, usize, usize) {
    let line_start = text[..range.start].rfind('\n').map_or(0, |i| i + 1);
    let line_end = text[range.start..].find('\n').map_or(text.len(), |i| range.start + i);
    let before: Vec<char> = text[line_start..range.start].chars().rev().take(AROUND + 1).collect();
    let rest = &text[range.start..line_end];
    let after: String = rest.chars().take(2 * AROUND).collect();
    let mut shown = String::new();
    if before.len() > AROUND {
        shown.push('…');
    }
    shown.extend(before.iter().take(AROUND).rev());
    let lead = shown.chars().count();
    shown.push_str(&after);
    if after.len() < rest.len() {
        shown.push('…');
    }
    let covered = text[range.start..range.end.min(range.start + after.len()).min(line_end)].chars().count();
    let shown = shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    (shown, lead, covered)
}

/// The sources as ariadne wants them, each split into lines once and only when asked for.
struct Files<'a> {
    sources: &'a Sources,
    read: HashMap<FileId, Source<&'a str>>,
}

impl<'a> Cache<FileId> for &mut Files<'a> {
    type Storage = &'a str;

    fn fetch(&mut self, id: &FileId) -> Result<&Source<&'a str>, impl std::fmt::Debug> {
        let sources = self.sources;
        Ok::<_, std::convert::Infallible>(
            self.read.entry(*id).or_insert_with(|| Source::from(sources.get(*id).text.as_str())),
        )
    }

    fn display<'b>(&self, id: &'b FileId) -> Option<impl std::fmt::Display + 'b> {
        Some(self.sources.get(*id).name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(text: &str, spans: &[(usize, usize)]) -> String {
        let mut sources = Sources::new();
        let file = sources.add("m.blo", text);
        let mut diagnostic =
            Diagnostic::error("E0001", "headline", Span::new(file, spans[0].0, spans[0].1), "label 0")
                .help("some help")
                .note("some note");
        for (number, &(start, end)) in spans.iter().enumerate().skip(1) {
            diagnostic = diagnostic.label(Span::new(file, start, end), format!("label {number}"));
        }
        let mut cache = Files { sources: &sources, read: HashMap::new() };
        Renderer::into_text().draw(&sources, &mut cache, &diagnostic)
    }

    #[test]
    fn every_part_is_shown_without_colours() {
        let drawn = draw("let a = b\nlet λ = c\n", &[(8, 9), (14, 16)]);
        for part in
            ["E0001", "headline", "m.blo:1:9", "label 0", "label 1", "some help", "some note", "let λ = c"]
        {
            assert!(drawn.contains(part), "{part} in {drawn}");
        }
        assert!(!drawn.contains('\x1b'));
    }

    #[test]
    fn odd_spans_are_drawn() {
        let text = "αβ\n\n\tγ = 1";
        for start in 0..=text.len() + 2 {
            for end in 0..=text.len() + 2 {
                let drawn = draw(text, &[(start, end), (end, start)]);
                assert!(drawn.contains("label 0") && drawn.contains("label 1"), "{start}..{end}: {drawn}");
            }
        }
        assert!(draw("", &[(0, 0)]).contains("headline"));
        assert!(draw("\n", &[(1, 1)]).contains("label 0"));
    }

    #[test]
    fn a_long_line_is_quoted_around_its_labels() {
        let text = format!("{}here{}\nshort\n", "é".repeat(250_000), "+1".repeat(250_000));
        let at = 500_000;
        let drawn = draw(&text, &[(at, at + 4), (text.len() - 3, text.len() - 2)]);
        assert!(drawn.len() < 2000, "{} bytes", drawn.len());
        assert!(
            drawn.contains("m.blo:1:250001") && drawn.contains("here+1") && drawn.contains("label 1"),
            "{drawn}"
        );
        let whole = draw(&text, &[(0, text.len())]);
        assert!(whole.len() < 2000);
    }
}
