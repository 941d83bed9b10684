//! The pages in `docs/` against the program: every block of code in the language reference means what the page says, the
//! generated pages are fresh, and the examples of the library run.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod algorithms;
mod claims;
mod errors;
mod generated;
mod json;
mod language;
#[path = "../../src/scratch.rs"]
mod scratch;
mod tutorial;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A path from the root of the repository.
fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The text of a file of the repository.
fn text(path: &str) -> String {
    fs::read_to_string(root(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Holds a file against what it should contain; `BLESS=1` rewrites it.
fn fresh(path: &str, expected: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(root(path), expected).unwrap();
        return;
    }
    let found = fs::read_to_string(root(path)).unwrap_or_default();
    let differing = found.lines().zip(expected.lines()).position(|(a, b)| a != b);
    let line = differing.unwrap_or(found.lines().count().min(expected.lines().count())) + 1;
    assert!(
        found == expected,
        "{path} is stale from line {line} on; `BLESS=1 cargo test -p blo --test reference` rewrites it"
    );
}

/// Runs `blo` in a folder of its own that holds `model.blo`.
fn blo(model: &str, args: &[&str]) -> Output {
    let folder = scratch::Folder::new();
    fs::write(folder.path("model.blo"), model).unwrap();
    Command::new(env!("CARGO_BIN_EXE_blo"))
        .env("BLO_CACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/code"))
        .args(args)
        .current_dir(folder.path(""))
        .env("NO_COLOR", "1")
        .output()
        .expect("the built command runs")
}
