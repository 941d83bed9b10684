//! Reporting. What is found while a function's body is expanded is shown at the call, with the place in the body beside it,
//! where the call is what can be wrong.

use blo_grammar::diagnostic::{Diagnostic, Label};
use blo_grammar::span::{FileId, Span};

use super::Checker;
use super::scope::Expansion;

/// What a body that is right can be wrong with for the arguments of one call: shapes, types, positions, axes.
static OF_ARGUMENTS: &[&str] =
    &["E0203", "E0204", "E0213", "E0214", "E0222", "E0230", "E0231", "E0232", "E0233"];

/// Advice that is right for every message of a code, for those that have none of their own.
static ADVICE: &[(&str, &str)] = &[
    ("E0207", "give both the same size, or one of them a dimension of its own"),
    ("E0211", "leave out the rows that hold it, or replace the value"),
    ("E0216", "give one of them a value that does not read the others"),
    ("E0219", "move it into the model itself"),
    ("E0224", "`normal(mean, sd)` takes sd >= 0, `uniform(a, b)` takes a <= b"),
    ("E0232", "a label stands for a position of its dimension: `demand[\"Paris\"]`"),
    ("E0235", "look for a dimension with a wrong size"),
    ("E0236", "turn the relation round, or widen one of the bounds"),
];

impl Checker<'_> {
    /// Reports a diagnostic once, with the calls it was found in.
    pub fn emit(&mut self, diagnostic: Diagnostic) {
        let calls = self.calls();
        self.emit_in(diagnostic, &calls);
    }

    /// The same for calls that were expanded earlier.
    pub fn emit_in(&mut self, mut diagnostic: Diagnostic, calls: &[Expansion]) {
        if !self.is_news(&diagnostic) {
            return;
        }
        diagnostic = advised(diagnostic);
        let blamed = self.call_to_blame(&diagnostic, calls);
        if let Some((call, definition)) = blamed {
            let call = &calls[call];
            let with =
                if call.arguments.is_empty() { String::new() } else { format!(" with {}", call.arguments) };
            let found = &mut diagnostic.labels[0].text;
            *found = format!("in the definition of `{}`: {found}", calls[definition].name);
            let label = Label { span: call.span, text: format!("in this call of `{}`{with}", call.name) };
            diagnostic.labels.insert(0, label);
            if self.is_library(calls[definition].definition) {
                // What would mend the body is no help to who cannot change it.
                let help = format!("look at the arguments: `{}`", self.signature(call.definition));
                diagnostic = diagnostic.help(help);
                diagnostic.edit = None;
            }
        }
        for (k, call) in calls.iter().enumerate() {
            let shown =
                blamed.is_some_and(|(b, _)| b == k) || diagnostic.labels.iter().any(|l| l.span == call.span);
            if !shown && !self.is_library(call.span) {
                diagnostic = diagnostic.label(call.span, format!("in this call of `{}`", call.name));
            }
        }
        self.diagnostics.push(diagnostic);
    }

    /// Reports a diagnostic once, without the calls.
    pub fn emit_plain(&mut self, diagnostic: Diagnostic) {
        if self.is_news(&diagnostic) {
            self.diagnostics.push(advised(diagnostic));
        }
    }

    fn is_news(&mut self, diagnostic: &Diagnostic) -> bool {
        let words = format!("{}: {}", diagnostic.message, diagnostic.labels[0].text);
        self.told.insert((diagnostic.code, diagnostic.span(), words))
    }

    /// The call whose arguments are to blame, and the one whose function's body holds the place of the diagnostic. A body of the
    /// library is taken to be right; one of the model where only the arguments decide.
    fn call_to_blame(&self, diagnostic: &Diagnostic, calls: &[Expansion]) -> Option<(usize, usize)> {
        let span = diagnostic.span();
        let inside = |call: &Expansion| {
            let whole = call.definition;
            whole.file == span.file && whole.start <= span.start && span.end <= whole.end
        };
        let definition = calls.iter().rposition(inside)?;
        if self.is_library(span) {
            let call = calls[..=definition].iter().rposition(|call| !self.is_library(call.span))?;
            return Some((call, definition));
        }
        let decides = !calls[definition].arguments.is_empty() && OF_ARGUMENTS.contains(&diagnostic.code);
        decides.then_some((definition, definition))
    }

    /// The head of a function's definition: its name and parameters.
    fn signature(&self, definition: Span) -> String {
        let written = self.source_text(definition);
        let head = written.strip_prefix("fn ").unwrap_or(&written);
        head.split_inclusive(')').next().unwrap_or(head).to_owned()
    }

    /// Whether a place is in the standard library.
    fn is_library(&self, span: Span) -> bool {
        let name = &self.sources.get(span.file).name;
        super::modules::STDLIB.iter().any(|(module, _)| name.strip_prefix("std.") == Some(module))
    }

    /// Runs `work` without keeping what it reports.
    pub fn quietly<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let (count, told) = (self.diagnostics.len(), self.told.clone());
        let result = work(self);
        self.diagnostics.truncate(count);
        self.told = told;
        result
    }

    /// Reports an error and gives up on the value.
    pub fn error<T>(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Option<T> {
        self.emit(Diagnostic::error(code, message, span, label));
        None
    }

    /// Whether a name that means nothing is no news: it may be declared where an error was reported.
    pub fn excused(&self, name: &str) -> bool {
        self.blind || self.broken.contains(name)
    }

    /// The file of the model itself.
    pub fn main_file(&self) -> FileId {
        self.sources.iter().next().map_or(FileId(0), |(id, _)| id)
    }

    /// Whether something was found that keeps the model from running.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The calls being expanded, outermost first.
    pub fn calls(&self) -> Vec<Expansion> {
        self.frames.iter().filter_map(|f| f.call.clone()).collect()
    }
}

/// The diagnostic with the advice of its code, where it has none.
fn advised(diagnostic: Diagnostic) -> Diagnostic {
    let advice = ADVICE.iter().find(|(code, _)| diagnostic.help.is_none() && *code == diagnostic.code);
    match advice {
        Some((_, help)) => diagnostic.help(*help),
        None => diagnostic,
    }
}
