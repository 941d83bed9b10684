//! Runs the built command on models and data that the tests write themselves.

use std::path::Path;
use std::process::{Command, Output};

pub use crate::scratch::Folder;

/// Where the tests keep compiled code, so that they leave the user's alone.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/code");

/// Runs `blo` in a folder.
pub fn blo(folder: &Path, args: &[&str]) -> Output {
    blo_with_cache(folder, Path::new(CACHE), args)
}

/// Runs `blo` in a folder with its compiled code in another.
pub fn blo_with_cache(folder: &Path, cache: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_blo"))
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("BLO_CACHE", cache)
        .output()
        .expect("the built command runs")
}

/// What was written to the error stream.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What was written to standard output.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs `blo` with arguments that must be refused: status 2, nothing on standard output, no file made or removed, no
/// crash, and a message that contains all of `parts`.
pub fn refused(folder: &Folder, args: &[&str], parts: &[&str]) {
    let before = listing(&folder.path(""));
    let output = blo(&folder.path(""), args);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{args:?}\n{message}\n{}", stdout(&output));
    for part in parts {
        assert!(message.contains(part), "{args:?}: no `{part}` in\n{message}");
    }
    for crash in ["panicked", "RUST_BACKTRACE", "bug in blo", "overflowed its stack"] {
        assert!(!message.contains(crash), "{args:?}\n{message}");
    }
    assert!(message.len() < 100_000, "{args:?}: the message has {} bytes", message.len());
    assert_eq!(stdout(&output), "", "{args:?}");
    assert_eq!(listing(&folder.path("")), before, "{args:?} wrote something");
}

/// The names in a folder and below, sorted.
pub fn listing(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            names.extend(listing(&entry.path()));
        }
        names.push(entry.path().display().to_string());
    }
    names.sort();
    names
}

/// A `.npy` file with this header and these bytes.
pub fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}
