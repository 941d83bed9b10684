//! Programs that solve the single-level form of a model where they are installed: written to a file, run, and their answer read back. What
//! the answer is worth is for blo's own check to say. A program is one file here and one line in [`BACKENDS`].

mod highs;
mod ipopt;
mod process;
mod sol;

use blo_compiler::export::Single;
use blo_grammar::diagnostic::Diagnostic;
use blo_runtime::problem::Feature;

use crate::files::Trouble;
pub use process::{Task, found};

/// A program.
pub struct Backend {
    /// What users and the program's file are called by.
    pub name: &'static str,
    /// How it is installed.
    pub install: &'static str,
    /// What a model may ask of it.
    pub handles: &'static [Feature],
    /// Which models it is for, in words.
    pub takes: &'static str,
    /// Solves the form.
    pub solve: fn(&mut Single, &Task) -> Result<Outcome, Unfit>,
}

/// All of them.
pub static BACKENDS: [&Backend; 2] = [&ipopt::IPOPT, &highs::HIGHS];

/// The backend of this name, as an argument.
pub fn named(name: &str) -> Result<&'static Backend, String> {
    BACKENDS.into_iter().find(|backend| backend.name == name).ok_or_else(|| {
        let names: Vec<&str> = BACKENDS.iter().map(|backend| backend.name).collect();
        format!("there are {}", names.join(" and "))
    })
}

/// What became of a run.
pub struct Outcome {
    /// The values of the form's variables; `None` where there are none.
    pub values: Option<Vec<f64>>,
    /// Why the program ended.
    pub end: End,
    /// What it said, and how the form was put to it.
    pub message: String,
    /// How often it ran.
    pub runs: usize,
}

/// Why a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By its own test.
    Solved,
    /// Without an answer.
    Failed,
    /// The time was up.
    TimeLimit,
    /// Ctrl-C.
    Interrupted,
}

/// Why a model cannot be put to a program.
pub enum Unfit {
    /// It has no such form.
    Model(Vec<Diagnostic>),
    /// The program cannot be run on it.
    Program(Trouble),
}

impl From<Vec<Diagnostic>> for Unfit {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Unfit::Model(diagnostics)
    }
}

impl From<Trouble> for Unfit {
    fn from(trouble: Trouble) -> Self {
        Unfit::Program(trouble)
    }
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backend").field("name", &self.name).finish_non_exhaustive()
    }
}
