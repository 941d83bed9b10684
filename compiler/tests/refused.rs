//! Models that are right and still cannot be compiled or run, text in and text out: every `cases/compile/*.blo` has a `.txt`
//! beside it with what the compiler says, or what is to blame at the start. `BLESS=1` rewrites them.

#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
// Helpers of tests stop the test when something is wrong, as tests do.
#![allow(clippy::unwrap_used)]

mod memory;

use std::fs;
use std::path::{Path, PathBuf};

use blo_compiler::{blame, compile};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::source::Sources;
use blo_runtime::derivatives::Quantity;
use memory::{Memory, model};

fn show(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let mut text = format!("[{}]: {}\n", diagnostic.code, diagnostic.message);
    for label in &diagnostic.labels {
        let (line, column) = sources.line_column(label.span);
        text += &format!("  {line}:{column} `{}` {}\n", sources.snippet(label.span), label.text);
    }
    for note in diagnostic.notes.iter().chain(&diagnostic.help) {
        text += &format!("  {note}\n");
    }
    text
}

/// What is said of a model: by the compiler, or about its objective at the start.
fn outcome(text: &str) -> String {
    // The first file of every set of sources has the same number, so these sources show the places of that model.
    let mut sources = Sources::new();
    sources.add("case", text);
    let mut model = model(text, Memory::default());
    let needs = [Quantity::UpperValue, Quantity::UpperGradients];
    let said = match compile(&mut model, &needs, 0) {
        Ok(problem) => blame(&model, &problem.upper.start(), &[]).into_iter().collect(),
        Err(diagnostics) => diagnostics,
    };
    said.iter().map(|d| show(&sources, d)).collect()
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/compile");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "blo"));
    files.sort();
    assert!(!files.is_empty(), "no cases in {}", folder.display());
    let mut wrong = String::new();
    for file in files {
        let found = outcome(&fs::read_to_string(&file).unwrap());
        let beside = file.with_extension("txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&beside, &found).unwrap();
        } else if fs::read_to_string(&beside).unwrap_or_default() != found {
            wrong += &format!("{}\n{found}\n", file.display());
        }
    }
    assert!(wrong.is_empty(), "these differ (BLESS=1 rewrites them):\n{wrong}");
}
