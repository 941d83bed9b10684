//! An open document and what is known about it. It is looked at once per text, when something first asks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use blo_compiler::model::Model;
use blo_compiler::session::Options;
use blo_compiler::{Annotated, Note, annotate};
use blo_grammar::ast::{Ast, ItemKind};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::names::Names;
use blo_grammar::parse::parse;
use blo_grammar::source::Sources;
use blo_grammar::span::{FileId, Span};

use super::curvature::Curvature;
use super::loader::EditorLoader;
use crate::data::Memory;

/// What is known about a text.
pub struct Knowledge {
    /// The text and the files it uses.
    pub sources: Sources,
    /// The text.
    pub main: FileId,
    /// Its tree.
    pub ast: Ast,
    /// Its names.
    pub names: Names,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
    /// What its expressions are.
    pub notes: Vec<Note>,
    /// The model, where nothing is wrong.
    pub model: Option<Model>,
    /// What is said about its curvature, once someone asked.
    pub curvature: Curvature,
}

/// An open document.
pub struct Document {
    /// Its file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// The editor's count of its changes.
    pub version: i32,
    memory: Memory,
    known: Option<Knowledge>,
}

impl Document {
    /// A document that was opened.
    pub fn new(path: PathBuf, text: String, version: i32) -> Self {
        Document { path, text, version, memory: Memory::default(), known: None }
    }

    /// Takes a new text.
    pub fn change(&mut self, text: String, version: i32) {
        self.text = text;
        self.version = version;
        self.known = None;
    }

    /// Forgets what was found: another file changed.
    pub fn doubt(&mut self) {
        self.known = None;
    }

    /// What is known if the text was looked at.
    pub fn known(&self) -> Option<&Knowledge> {
        self.known.as_ref()
    }

    /// Looks at the text, unless that is done. `open` gives the texts of other open documents.
    pub fn look(&mut self, open: &dyn Fn(&Path) -> Option<String>) {
        if self.known.is_none() {
            self.known = Some(look(&self.path, &self.text, &self.memory, open));
        }
    }
}

fn look(path: &Path, text: &str, memory: &Memory, open: &dyn Fn(&Path) -> Option<String>) -> Knowledge {
    let mut sources = Sources::new();
    let main = sources.add(path.display().to_string(), text);
    let (ast, parsed) = parse(main, text);
    let names = Names::of(&ast);
    let mut known = Knowledge {
        sources,
        main,
        ast,
        names,
        diagnostics: parsed,
        notes: Vec::new(),
        model: None,
        curvature: Curvature::default(),
    };
    if is_library(&known.ast) {
        return known;
    }
    let mut loader = EditorLoader::new(path, memory, open);
    let options = Options { overrides: Vec::new(), seed: 0, precision: None, need_data: false };
    let sources = &mut known.sources;
    // The hook has told of a panic; the editor goes on with the next text.
    match catch_unwind(AssertUnwindSafe(|| annotate(sources, main, &mut loader, &options))) {
        Ok(Annotated { model, diagnostics, notes }) => {
            known.diagnostics = diagnostics;
            known.notes = notes;
            known.model = model;
        }
        Err(_) => {
            let place = Span::new(main, 0, 0);
            let message = "blo cannot read this model because of a fault of its own";
            known.diagnostics.push(Diagnostic::error("E0405", message, place, "please report the model"));
        }
    }
    known
}

/// Whether the text holds functions for other files, and no model: then it has no levels to check.
fn is_library(ast: &Ast) -> bool {
    let of_library = |kind: &ItemKind| matches!(kind, ItemKind::Use(_) | ItemKind::Fn(_) | ItemKind::Let(_));
    ast.items.is_empty() || ast.items.iter().all(|item| of_library(&item.kind))
}

impl Knowledge {
    /// The text.
    pub fn text(&self) -> &str {
        &self.sources.get(self.main).text
    }

    /// What stands at a byte: the smallest expression or name that is known there.
    pub fn note_at(&self, byte: usize) -> Option<&Note> {
        let here = |span: Span| span.start as usize <= byte && byte <= span.end as usize;
        let notes = self.notes.iter().filter(|note| here(note.span));
        notes.min_by_key(|note| note.span.end - note.span.start)
    }

    /// What stands at a place.
    pub fn note_of(&self, span: Span) -> Option<&Note> {
        self.notes.iter().find(|note| note.span == span)
    }
}
