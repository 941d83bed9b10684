//! `blo explain`, `blo test` and `blo fmt`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Folder, blo, listing, refused, stderr, stdout};

/// The minimum of (x - 1)^2 is at 1.
const HOLDS: &str = "upper {\n  var x: real = 0\n  minimize (x - 1)^2\n}\nexpect abs(x - 1) < 1e-3\n";
/// The same with an expectation that does not hold.
const FAILS: &str = "upper {\n  var x: real = 0\n  minimize (x - 1)^2\n}\nexpect x > 0\nexpect x > 5\n";

fn folder(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    for (name, text) in files {
        fs::create_dir_all(folder.path(name).parent().unwrap()).unwrap();
        fs::write(folder.path(name), text).unwrap();
    }
    folder
}

#[test]
fn explain_tells_a_code_and_lists_all() {
    let folder = Folder::new();
    for (code, part) in [("E0105", "1e-3"), ("e0203", "Elementwise"), ("W0201", "W0201: ")] {
        let output = blo(&folder.path(""), &["explain", code]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stdout(&output).contains(part), "{}", stdout(&output));
    }
    let output = blo(&folder.path(""), &["explain"]);
    let text = stdout(&output);
    assert!(text.lines().count() > 40 && text.starts_with("E0101  "), "{text}");
    refused(&folder, &["explain", "E0299"], &["no code `E0299`", "`E0209`"]);
    refused(&folder, &["explain", "soul"], &["no code `soul`", "lists all"]);
}

#[test]
fn test_tells_which_expectations_hold() {
    let good = folder(&[("a.blo", HOLDS), ("deep/b.blo", HOLDS), ("lib.blo", "fn f(x) = x\n")]);
    let output = blo(&good.path(""), &["test"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{}\n{text}", stderr(&output));
    for part in ["✓ a.blo", "deep/b.blo", "1/1", "solved", "2 models, 2 of 2", "1 without"] {
        assert!(text.contains(part), "`{part}` in\n{text}");
    }
    let bad = folder(&[("a.blo", HOLDS), ("b.blo", FAILS), ("c.blo", "expect y < 1\nupper {\n")]);
    let output = blo(&bad.path(""), &["test", "."]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{}\n{text}", stderr(&output));
    for part in ["✗ b.blo", "1/2", "✗ expect x > 5", "✗ c.blo", "could not be run", "2 of 4"] {
        assert!(text.contains(part), "`{part}` in\n{text}");
    }
    assert!(stderr(&output).contains("E0102") && stderr(&output).contains("c.blo:2"), "{}", stderr(&output));
}

#[test]
fn test_prints_json() {
    let folder = folder(&[("a.blo", HOLDS), ("b.blo", FAILS)]);
    let output = blo(&folder.path(""), &["test", "b.blo", "a.blo", "--json"]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), ""));
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rows[0]["model"], "b.blo");
    assert_eq!(rows[0]["failed"], serde_json::json!(["x > 5"]));
    assert_eq!(rows[0]["holds"], false);
    assert_eq!((&rows[1]["held"], &rows[1]["total"]), (&1.into(), &1.into()));
    assert_eq!(rows[1]["status"], "solved");
    assert!(rows[1]["seconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn the_status_of_a_solution_decides_nothing() {
    let text = HOLDS.replace("abs(x - 1) < 1e-3", "x < 2")
        + "solve gradient(steps = 1, line_search = false, upper_step = 1e-3)\n";
    let folder = folder(&[("m.blo", &text)]);
    let output = blo(&folder.path(""), &["test", "m.blo", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_ne!(rows[0]["status"], "solved");
}

#[test]
fn test_refuses_when_there_is_nothing_to_test() {
    let folder = folder(&[("lib.blo", "fn f(x) = x\n"), ("empty/note.txt", "")]);
    refused(&folder, &["test"], &["no model with `expect` lines"]);
    refused(&folder, &["test", "empty"], &["no .blo file in `empty`"]);
    refused(&folder, &["test", "lob.blo"], &["did you mean `lib.blo`?"]);
}

const UGLY: &str = "upper{ # x\nvar x:real=0\n\n\nminimize  x^2*1e-3}\n";
const TIDY: &str = "upper {  # x\n  var x: real = 0\n\n  minimize x^2 * 1e-3\n}\n";

#[test]
fn fmt_rewrites_what_is_not_tidy() {
    let folder = folder(&[("a.blo", UGLY), ("deep/b.blo", TIDY), ("empty.blo", "")]);
    let before = listing(&folder.path(""));
    let output = blo(&folder.path(""), &["fmt", "--check", "."]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), "would change a.blo\n"));
    assert_eq!(fs::read_to_string(folder.path("a.blo")).unwrap(), UGLY);
    let output = blo(&folder.path(""), &["fmt", "."]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "formatted a.blo\n"));
    assert_eq!(fs::read_to_string(folder.path("a.blo")).unwrap(), TIDY);
    let output = blo(&folder.path(""), &["fmt", "--check", "."]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""));
    assert_eq!(listing(&folder.path("")), before, "something is left over");
}

#[test]
fn fmt_leaves_files_with_syntax_errors_alone() {
    let folder = folder(&[("a.blo", UGLY), ("wrong.blo", "let  a = (1\n")]);
    refused(&folder, &["fmt", "wrong.blo"], &["E0102", "wrong.blo:1"]);
    refused(&folder, &["fmt", "none.blo"], &["`none.blo` does not exist"]);
    refused(&folder, &["fmt"], &["PATH"]);
    refused(&folder, &["fmt", "-", "a.blo"], &["stands alone"]);
    let output = blo(&folder.path(""), &["fmt", "."]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), "formatted a.blo\n"));
    assert_eq!(fs::read_to_string(folder.path("wrong.blo")).unwrap(), "let  a = (1\n");
}

/// What `blo fmt` makes of its standard input, and its status.
fn piped(args: &[&str], text: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_blo"))
        .env("BLO_CACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/code"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), stdout(&output))
}

#[test]
fn fmt_reads_standard_input() {
    assert_eq!(piped(&["fmt", "-"], UGLY), (Some(0), TIDY.into()));
    assert_eq!(piped(&["fmt", "-"], ""), (Some(0), String::new()));
    assert_eq!(piped(&["fmt", "-", "--check"], UGLY), (Some(1), String::new()));
    assert_eq!(piped(&["fmt", "-", "--check"], TIDY), (Some(0), String::new()));
    assert_eq!(piped(&["fmt", "-"], "let a ="), (Some(2), String::new()));
}

#[test]
fn examples_and_the_library_are_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = blo(&root, &["fmt", "--check", "examples", "stdlib"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn the_new_commands_have_help() {
    let folder = Folder::new();
    for command in ["explain", "test", "fmt"] {
        let output = blo(&folder.path(""), &[command, "--help"]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("Usage"), "{}", stdout(&output));
    }
}
