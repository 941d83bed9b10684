//! Models with random damage: the checker says what is wrong, or accepts, and never stops the program.

#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::fs;
use std::path::{Path, PathBuf};

use blo_compiler::analyse;
use blo_compiler::ir::verify::verify;
use blo_compiler::session::{DataError, DataRequest, Loader, Options, Tensor};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::source::Sources;

/// No files: shapes are checked by name.
struct NoFiles;

impl Loader for NoFiles {
    fn module(&mut self, _from: &str, _path: &str) -> Result<(String, String), String> {
        Err("there are no files here".to_owned())
    }

    fn data(&mut self, _request: &DataRequest) -> Result<Option<Tensor>, DataError> {
        Ok(None)
    }
}

/// A small generator (xorshift64*), so that failures repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound.max(1)
    }
}

/// The texts of the examples, of the checker's cases and of the library.
fn texts() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["../examples", "../examples/reproductions", "tests/cases/check", "../stdlib"];
    let mut paths: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap().map(|e| e.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "blo"))
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// A text cut into words, numbers, signs and blanks.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut last = 0;
    for c in text.chars() {
        let kind = if c.is_alphanumeric() || c == '_' { 1 } else { 2 + u32::from(c) };
        match pieces.last_mut() {
            Some(piece) if kind == 1 && last == 1 => piece.push(c),
            _ => pieces.push(c.to_string()),
        }
        last = kind;
    }
    pieces
}

/// What a slip of the hand could put somewhere. Numbers stay small: a model may be as large as it says.
const SPLICES: &[&str] = &[
    "0",
    "1",
    "-1",
    "2.5",
    "inf",
    "true",
    "[]",
    "[0]",
    "[1, 2]",
    "'",
    "@",
    "*",
    "^",
    "/",
    "==",
    "=",
    ",",
    ":",
    "..",
    "~",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "x",
    "n",
    "upper",
    "lower",
    "upper.objective",
    "lower.gap",
    " for i in 3",
    " if true",
    "if x > 0 then 1 else 2",
    "sum",
    "argmax",
    "grad",
    "solve",
    "reshape",
    "concat",
    "one_hot",
    "dual",
    "int",
    "bool",
    "simplex",
    "nonneg",
    "ball(1)",
    "subject to ",
    "minimize ",
    "var z: real\n",
    "let q = 1\n",
    "fn f(x) = f(x)\n",
    "use std.losses\n",
    "\"Paris\"",
    "λ",
    "−",
    "**",
    "&&",
];

fn damage(random: &mut Random, pieces: &mut Vec<String>) {
    for _ in 0..=random.below(3) {
        let (at, other) = (random.below(pieces.len()), random.below(pieces.len()));
        match random.below(5) {
            0 => drop(pieces.remove(at)),
            1 => pieces.swap(at, other),
            2 => pieces.insert(at, SPLICES[random.below(SPLICES.len())].to_owned()),
            3 => pieces[at] = SPLICES[random.below(SPLICES.len())].to_owned(),
            _ => pieces[at] = pieces[other].clone(),
        }
    }
}

/// Checks a text: a model comes out exactly when no error does, its graph is sound, and every place is in its file.
fn examine(text: &str, need_data: bool) {
    let mut sources = Sources::new();
    let main = sources.add("case", text);
    let options = Options { need_data, ..Options::default() };
    let (model, diagnostics) = analyse(&mut sources, main, &mut NoFiles, &options);
    assert_eq!(model.is_none(), diagnostics.iter().any(Diagnostic::is_error), "{diagnostics:?}\n{text}");
    if let Some(model) = model {
        verify(&model.graph).unwrap();
    }
    for diagnostic in &diagnostics {
        let edit = diagnostic.edit.iter().map(|edit| edit.span);
        for span in diagnostic.labels.iter().map(|label| label.span).chain(edit) {
            let text = &sources.get(span.file).text;
            assert!(text.get(span.range()).is_some(), "{diagnostic:?} lies outside of\n{text}");
        }
        assert!(!diagnostic.message.is_empty() && !diagnostic.message.ends_with('.'), "{diagnostic:?}");
    }
}

#[test]
fn damaged_models_are_told_what_is_wrong() {
    // Declarations that lie inside each other are followed by nested calls, as in the command.
    let work = || {
        let texts = texts();
        let mut random = Random(0xC0DE);
        for case in 0..6000 {
            let mut pieces = pieces(&texts[case % texts.len()]);
            damage(&mut random, &mut pieces);
            let text = pieces.concat();
            let examined = std::panic::catch_unwind(|| examine(&text, case % 2 == 0));
            assert!(examined.is_ok(), "the checker stopped at\n{text}");
        }
    };
    std::thread::Builder::new().stack_size(512 << 20).spawn(work).unwrap().join().unwrap();
}
