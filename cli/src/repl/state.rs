//! What a session holds: statements, data, the current point, and what was there before.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use blo_compiler::inspect::values_at;
use blo_compiler::ir::eval::{Array, Bindings};
use blo_compiler::model::Model;
use blo_compiler::session::Options;
use blo_compiler::{Answer, Draft, draft};
use blo_grammar::ast::{Ast, Expr, ExprKind, Ident, Item, ItemKind, LevelKind};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::parse_expression;
use blo_grammar::source::Sources;
use blo_grammar::span::{FileId, Span};

use super::complete::Names;
use super::kept::Kept;
use super::statements::Statements;
use crate::args::{Format, ReplArgs, RunArgs};
use crate::data::{Binding, FileLoader, Memory};
use crate::files::Trouble;
use crate::render::Renderer;
use crate::session::Session;
use crate::stopwatch::Stopwatch;
use crate::watch::Watch;

/// What the model is called before it has a file.
pub const UNNAMED: &str = "session.blo";

/// The most states that `:undo` goes back.
const REMEMBERED: usize = 200;

/// Why something that was entered came to nothing.
pub enum Fault {
    /// It has been told.
    Told,
    /// It is to be told.
    Trouble(Trouble),
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        Fault::Trouble(trouble)
    }
}

/// What `:undo` brings back.
#[derive(Clone)]
struct Saved {
    statements: Statements,
    main: FileId,
    path: Option<PathBuf>,
    data: Vec<Binding>,
    known: BTreeMap<String, Array>,
}

/// The course of the last solve and what went on from it.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// A row for each traced iteration.
    pub rows: Vec<Vec<f64>>,
}

/// A session.
pub struct Repl {
    /// Every text that was entered or loaded.
    pub sources: Sources,
    /// The model.
    pub statements: Statements,
    /// The text that the model began with.
    pub main: FileId,
    /// Its file.
    pub path: Option<PathBuf>,
    /// Data that are bound to files.
    pub data: Vec<Binding>,
    /// Of random starts and data.
    pub seed: u64,
    /// Values of variables, by name.
    pub known: BTreeMap<String, Array>,
    /// What the last solve found out about its point.
    pub findings: Vec<(&'static str, f64)>,
    /// The course of the last solve.
    pub course: Course,
    /// Its method, as it was written behind `:solve`.
    pub method: Option<String>,
    /// What completion knows.
    pub names: Rc<RefCell<Names>>,
    /// Whether anything that was entered was wrong.
    pub wrong: bool,
    /// The last run, to go on with.
    pub kept: Option<Kept>,
    /// Its flags.
    pub last: Option<Box<RunArgs>>,
    memory: Memory,
    heard: BTreeSet<String>,
    earlier: Vec<Saved>,
    entries: usize,
}

/// An expression that was asked for.
pub struct Asked {
    /// The model it is of.
    pub model: Model,
    /// The expression in it.
    pub answer: Answer,
    /// What was written.
    pub expr: Expr,
}

impl Repl {
    /// An empty session.
    pub fn new(args: &ReplArgs) -> Self {
        let mut sources = Sources::new();
        let main = sources.add(UNNAMED, String::new());
        Repl {
            sources,
            statements: Statements::default(),
            main,
            path: None,
            data: args.data.clone(),
            seed: args.seed,
            known: BTreeMap::new(),
            findings: Vec::new(),
            course: Course::default(),
            method: None,
            names: Rc::default(),
            wrong: false,
            kept: None,
            last: None,
            memory: Memory::default(),
            heard: BTreeSet::new(),
            earlier: Vec::new(),
            entries: 0,
        }
    }

    /// Writes to standard output.
    pub fn say(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        // A reader that has closed the stream has read enough.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Tells what went wrong.
    pub fn tell(&mut self, fault: Fault) {
        self.wrong = true;
        if let Fault::Trouble(trouble) = fault {
            Renderer::new(Format::Text).trouble(&trouble);
        }
    }

    /// Draws these, and warnings that were drawn before not again; an error when one of them is one.
    pub fn draw(&mut self, sources: &Sources, diagnostics: &[Diagnostic]) -> Result<(), Fault> {
        let mut session = Session::of(UNNAMED, String::new(), Renderer::new(Format::Text));
        (session.sources, session.heard) = (sources.clone(), std::mem::take(&mut self.heard));
        let wrong = session.tell(diagnostics);
        self.heard = session.heard;
        if wrong { Err(Fault::Told) } else { Ok(()) }
    }

    /// The model's file, where it has one.
    pub fn model_path(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new(UNNAMED))
    }

    /// A new text that was entered.
    pub fn entry(&mut self, text: &str) -> FileId {
        self.entries += 1;
        self.sources.add(format!("input {}", self.entries), text)
    }

    /// Remembers the session as it is for `:undo`.
    pub fn remember(&mut self) {
        if self.earlier.len() == REMEMBERED {
            self.earlier.remove(0);
        }
        self.earlier.push(self.saved());
    }

    fn saved(&self) -> Saved {
        Saved {
            statements: self.statements.clone(),
            main: self.main,
            path: self.path.clone(),
            data: self.data.clone(),
            known: self.known.clone(),
        }
    }

    /// Goes back to what was remembered last; false when there is nothing.
    pub fn undo(&mut self) -> bool {
        let Some(saved) = self.earlier.pop() else { return false };
        self.restore(saved);
        true
    }

    fn restore(&mut self, saved: Saved) {
        let Saved { statements, main, path, data, known } = saved;
        (self.statements, self.main, self.path, self.data, self.known) =
            (statements, main, path, data, known);
    }

    /// Carries out a change of the model; when what comes out is wrong, that is told and all is as before.
    pub fn change(
        &mut self,
        work: impl FnOnce(&mut Repl) -> Result<Option<Expr>, Fault>,
    ) -> Result<Draft, Fault> {
        let before = self.saved();
        let tried = work(self).and_then(|question| self.check(question));
        match tried {
            Ok(draft) => {
                if self.earlier.len() == REMEMBERED {
                    self.earlier.remove(0);
                }
                self.earlier.push(before);
                self.list_names();
                Ok(draft)
            }
            Err(fault) => {
                self.restore(before);
                Err(fault)
            }
        }
    }

    /// Checks the model as far as it is written, with an expression. While a level is missing, statements of the other that read
    /// names which do not exist yet wait for them.
    pub fn check(&mut self, question: Option<Expr>) -> Result<Draft, Fault> {
        let mut tree = self.statements.tree(self.main);
        let unfinished = !has_both_levels(&tree);
        let mut waits = BTreeSet::new();
        loop {
            let mut sources = self.sources.clone();
            let clock = Rc::new(Stopwatch::start());
            let mut loader =
                FileLoader::new(self.model_path(), self.data.clone(), clock).remembering(&self.memory);
            let options = Options { seed: self.seed, ..Options::default() };
            let mut draft = draft(&mut sources, tree.clone(), question.clone(), &mut loader, &options);
            if unfinished {
                let unknown = draft.diagnostics.iter().filter(|d| d.code == "E0201");
                let before = waits.len();
                waits.extend(
                    unknown
                        .filter(|d| take_out(&mut tree, d.span()))
                        .map(|d| sources.snippet(d.span()).to_owned()),
                );
                if waits.len() > before {
                    continue;
                }
            }
            self.draw(&sources, &draft.diagnostics)?;
            if !waits.is_empty() {
                // The objectives that wait are there.
                draft.missing.retain(|missing| !missing.starts_with("an objective"));
                draft.missing.extend(waits.into_iter().map(|name| format!("`{name}`")));
            }
            return Ok(draft);
        }
    }

    /// Reads and checks an expression. `F` and `f` are the objectives, where the model does not use these names.
    pub fn ask(&mut self, text: &str) -> Result<Asked, Fault> {
        if text.trim().is_empty() {
            return Err(Trouble::new("an expression is missing").into());
        }
        let file = self.entry(text);
        let mut expr = match parse_expression(file, text) {
            Ok(expr) => expr,
            Err(diagnostics) => {
                let sources = self.sources.clone();
                self.draw(&sources, &diagnostics)?;
                return Err(Fault::Told);
            }
        };
        for (letter, level) in [("F", "upper"), ("f", "lower")] {
            if !self.statements.has(letter) {
                name_objective(&mut expr, letter, level);
            }
        }
        let draft = self.check(Some(expr.clone()))?;
        match (draft.model, draft.answer) {
            (Some(model), Some(answer)) => Ok(Asked { model, answer, expr }),
            _ => Err(Fault::Told),
        }
    }

    /// The values of data and variables at the current point.
    pub fn bindings(&self, model: &Model) -> Bindings {
        values_at(model, &self.known, &self.findings, self.seed).stopping(Watch::interrupted)
    }

    /// Lets `work` loose on the finished model, as a command of the shell would.
    pub fn with_session<T>(&mut self, work: impl FnOnce(&mut Session) -> T) -> Result<T, Fault> {
        let draft = self.check(None)?;
        if !draft.missing.is_empty() {
            let trouble = Trouble::new(format!("the model lacks {}", draft.missing.join(" and ")));
            return Err(trouble.help("`upper minimize …` or a whole `upper { … }` puts it in").into());
        }
        let mut session = Session::of(UNNAMED, String::new(), Renderer::new(Format::Text));
        session.sources = self.sources.clone();
        session.main = self.main;
        session.tree = Some(self.statements.tree(self.main));
        session.heard = std::mem::take(&mut self.heard);
        session.memory = self.memory.clone();
        let done = work(&mut session);
        self.heard = session.heard;
        Ok(done)
    }

    /// Tells completion what there is.
    pub fn list_names(&self) {
        self.names.borrow_mut().declared = self.statements.names();
        self.names.borrow_mut().settable = self.statements.all_settable();
    }
}

/// Whether there is a leader and a follower.
fn has_both_levels(tree: &Ast) -> bool {
    let has = |kind: LevelKind| {
        tree.items.iter().any(|item| matches!(&item.kind, ItemKind::Level(level) if level.kind == kind))
    };
    has(LevelKind::Upper) && has(LevelKind::Lower)
}

/// Takes the statement of a level that a place is in out of the tree; false when the place is in none.
fn take_out(tree: &mut Ast, place: Span) -> bool {
    let holds = |item: &Item| {
        item.span.file == place.file && item.span.start <= place.start && place.end <= item.span.end
    };
    for item in &mut tree.items {
        let ItemKind::Level(level) = &mut item.kind else { continue };
        let before = level.items.len();
        level.items.retain(|inner| !holds(inner));
        if level.items.len() < before {
            return true;
        }
    }
    false
}

/// Puts `level.objective` in the place of a letter.
fn name_objective(expr: &mut Expr, letter: &str, level: &str) {
    let ident = |name: &str, span: Span| Ident { name: name.to_owned(), span };
    let span = expr.span;
    match &mut expr.kind {
        ExprKind::Name(path) if path.len() == 1 && path[0].name == letter => {
            *path = vec![ident(level, span), ident("objective", span)];
        }
        ExprKind::Call { arguments, .. } => {
            arguments.iter_mut().for_each(|argument| name_objective(&mut argument.value, letter, level));
        }
        ExprKind::Index { base, .. } => name_objective(base, letter, level),
        ExprKind::Transpose(operand) | ExprKind::Unary { operand, .. } => {
            name_objective(operand, letter, level);
        }
        ExprKind::Binary { left, right, .. } => {
            name_objective(left, letter, level);
            name_objective(right, letter, level);
        }
        ExprKind::Array(items) => items.iter_mut().for_each(|item| name_objective(item, letter, level)),
        _ => {}
    }
}
