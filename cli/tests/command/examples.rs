//! Every example runs and keeps what its `expect` lines promise.

use std::path::{Path, PathBuf};

use crate::common::{blo, stderr, stdout};

/// The models in a folder of the repository, sorted.
fn models(folder: &str) -> (PathBuf, Vec<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let entries = std::fs::read_dir(&folder).expect("the examples are there");
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut models: Vec<String> = names.filter(|name| name.ends_with(".blo")).collect();
    models.sort();
    (folder, models)
}

/// Runs all models of a folder; complains about each that does not end with `status` or breaks a promise.
fn all_hold(folder: &str, status: i32) {
    let (folder, models) = models(folder);
    assert!(!models.is_empty());
    let mut failures = String::new();
    for model in &models {
        let output = blo(&folder, &["run", model]);
        let text = stdout(&output);
        if output.status.code() != Some(status) || !text.contains("✓ expect") || text.contains('✗') {
            failures += &format!("== {model}: {:?}\n{text}{}", output.status.code(), stderr(&output));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn every_example_is_solved_and_holds() {
    all_hold("examples", 0);
}

/// Published runs are repeated step by step, even where their end is not a solution.
#[test]
fn every_reproduction_holds_and_is_called_what_it_is() {
    all_hold("examples/reproductions", 1);
}
