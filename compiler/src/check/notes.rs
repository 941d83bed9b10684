//! What expressions and declarations are, kept for whoever looks at a model while it is written.

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::source::Sources;
use blo_grammar::span::{FileId, Span};

use super::Checker;
use super::value::Value;
use crate::ir::graph::Role;
use crate::model::Model;
use crate::session::{Loader, Options, Phase};

/// What stands at a place: an expression, or the name in a declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The place.
    pub span: Span,
    /// The type in the user's words, such as `real[n, 3]`.
    pub ty: String,
    /// What it changes with.
    pub role: Role,
}

/// A checked model with notes.
pub struct Annotated {
    /// The model; `None` after an error.
    pub model: Option<Model>,
    /// What is to be said about it, in source order.
    pub diagnostics: Vec<Diagnostic>,
    /// What expressions and declarations of the file are, where they could be worked out, in source order.
    pub notes: Vec<Note>,
}

/// As [`super::analyse`], with notes.
pub fn annotate(
    sources: &mut Sources,
    main: FileId,
    loader: &mut dyn Loader,
    options: &Options,
) -> Annotated {
    checked(sources, main, loader, options, Some(Vec::new()))
}

/// Parses and checks; `notes` is where they go, if anywhere.
pub(super) fn checked(
    sources: &mut Sources,
    main: FileId,
    loader: &mut dyn Loader,
    options: &Options,
    notes: Option<Vec<Note>>,
) -> Annotated {
    loader.observer().begins(Phase::Parse);
    let (ast, parsed) = blo_grammar::parse::parse(main, &sources.get(main).text);
    loader.observer().begins(Phase::Check);
    let mut checker = Checker::new(sources, loader, options);
    checker.notes = notes;
    checker.diagnostics.extend(parsed);
    let model = checker.model(ast);
    let mut diagnostics = std::mem::take(&mut checker.diagnostics);
    diagnostics.sort_by_key(Diagnostic::span);
    let mut notes: Vec<Note> = checker.notes.take().unwrap_or_default();
    notes.retain(|note| note.span.file == main);
    notes.sort_by_key(|note| note.span);
    // A function's body is worked out for every call; one of them tells what it is like.
    notes.dedup_by_key(|note| note.span);
    Annotated { model, diagnostics, notes }
}

impl Checker<'_> {
    /// Keeps what stands at a place, where someone asked.
    pub(super) fn note(&mut self, span: Span, value: Option<&Value>) {
        if self.notes.is_none() {
            return;
        }
        let Some(value) = value else { return };
        let note = Note { span, ty: self.value_text(value), role: self.graph.node(value.node).stage };
        if let Some(notes) = &mut self.notes {
            notes.push(note);
        }
    }
}
