//! `--format json`: messages for tools.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Folder, blo, stderr};

const GOOD: &str = "upper {\n  var x: real\n  minimize (x - 1)^2\n}\nexpect abs(x - 1) < 1e-3\n";

/// The document that a command in a folder with these files prints, which is all that it prints.
fn document(files: &[(&str, &str)], args: &[&str]) -> Value {
    let folder = Folder::new();
    for (name, text) in files {
        fs::write(folder.path(name), text).unwrap();
    }
    let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
    let output = blo(&folder.path(""), &args);
    assert_eq!(stderr(&output), "", "{args:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["status"], json!(output.status.code()), "{document:#}");
    let diagnostics = document["diagnostics"].as_array().unwrap();
    let count = |severity: &str| diagnostics.iter().filter(|d| d["severity"] == severity).count();
    assert_eq!(document["errors"], json!(count("error")));
    assert_eq!(document["warnings"], json!(count("warning")));
    document
}

#[test]
fn check_tells_places_and_an_edit() {
    let text = "# λ\nparam spare = 1\nupper {\n  var x: real\n  minimize (x - 1)**2 + (λ^2)\n}\n";
    let found = document(&[("m.blo", text)], &["check", "m.blo"]);
    assert_eq!(found["status"], 2);
    let message = &found["diagnostics"][0];
    assert_eq!((&message["code"], &message["severity"]), (&json!("E0108"), &json!("error")));
    let label = &message["labels"][0];
    let (start, end) = (label["start"].as_u64().unwrap() as usize, label["end"].as_u64().unwrap() as usize);
    assert_eq!(&text[start..end], "**");
    let places = ["line", "column", "end_line", "end_column"].map(|key| label[key].as_u64().unwrap());
    assert_eq!(places, [5, 19, 5, 21]);
    assert_eq!(label["file"], "m.blo");
    let edit = &message["edit"];
    assert_eq!(
        (&edit["replacement"], &edit["start"], &edit["end"]),
        (&json!("^"), &json!(start), &json!(end))
    );
    let rendered = message["rendered"].as_str().unwrap();
    assert!(rendered.starts_with("[E0108] Error: ") && rendered.contains("m.blo:5:19"), "{rendered}");
}

#[test]
fn edits_put_mistakes_right() {
    let cases = [
        ("(x - 1)**2", "(x - 1)^2"),
        ("sin(x) && 1", "sin(x) and 1"),
        ("(x − 1)^2", "(x - 1)^2"),
        ("2x", "2 * x"),
        ("(y - 1)^2 + targte", "(y - 1)^2 + target"),
        ("sqt(x)", "sqrt(x)"),
        (".5 * x^2", "0.5 * x^2"),
        ("if target = 3 then x else 1", "if target == 3 then x else 1"),
    ];
    for (wrong, right) in cases {
        let model = |objective: &str| {
            format!("param target = 3\nupper {{\n  var x: real\n  minimize {objective}\n}}\n")
        };
        let text = model(wrong);
        let found = document(&[("m.blo", &text)], &["check", "m.blo"]);
        let edits = found["diagnostics"].as_array().unwrap().iter().filter(|d| !d["edit"].is_null());
        let mut mended = text.clone();
        for edit in edits.map(|d| &d["edit"]).rev() {
            let at = |key: &str| edit[key].as_u64().unwrap() as usize;
            mended.replace_range(at("start")..at("end"), edit["replacement"].as_str().unwrap());
        }
        assert_eq!(mended, model(right), "{found:#}");
    }
}

#[test]
fn check_without_errors_has_warnings_alone() {
    let text = format!("param spare = 1\n{GOOD}");
    let found = document(&[("m.blo", &text)], &["check", "m.blo"]);
    assert_eq!((&found["status"], &found["warnings"]), (&json!(0), &json!(1)));
    assert_eq!(found["diagnostics"][0]["code"], "W0201");
    let found = document(&[("m.blo", GOOD)], &["check", "m.blo", "--emit", "ast"]);
    assert!(found["emit"].as_str().unwrap().contains("minimize"), "{found:#}");
}

#[test]
fn what_has_no_place_has_no_code() {
    let found = document(&[], &["check", "m.blo"]);
    assert_eq!(found["diagnostics"][0]["code"], Value::Null);
    assert_eq!(found["diagnostics"][0]["message"], "`m.blo` does not exist");
}

#[test]
fn run_adds_the_result() {
    let found = document(&[("m.blo", GOOD)], &["run", "m.blo"]);
    assert_eq!((&found["status"], &found["result"]["status"]), (&json!(0), &json!("solved")));
    let bad = GOOD.replace("(x - 1)^2", "x - log(x)");
    let found = document(&[("m.blo", &bad)], &["run", "m.blo"]);
    assert_eq!((&found["status"], &found["diagnostics"][0]["code"]), (&json!(1), &json!("E0402")));
    assert_eq!(found["result"]["termination"], "non_finite");
    let found = document(&[("m.blo", GOOD)], &["run", "m.blo", "--method", "gradeint"]);
    assert_eq!((&found["diagnostics"][0]["code"], &found["result"]), (&json!("E0502"), &Value::Null));
}

#[test]
fn test_gathers_the_messages_of_all_models() {
    let wrong = GOOD.replace("(x - 1)^2", "(y - 1)^2");
    let found = document(&[("a.blo", GOOD), ("b.blo", &wrong), ("c.blo", "expect 1 <\n")], &["test"]);
    assert_eq!((&found["status"], &found["errors"]), (&json!(1), &json!(2)));
    let codes: Vec<&Value> = found["diagnostics"].as_array().unwrap().iter().map(|d| &d["code"]).collect();
    assert_eq!(codes, ["E0201", "E0101"]);
    let files = found["diagnostics"].as_array().unwrap().iter().map(|d| &d["labels"][0]["file"]);
    assert!(files.map(|f| f.as_str().unwrap()).zip(["b.blo", "c.blo"]).all(|(f, name)| f.ends_with(name)));
    let holds: Vec<&Value> = found["models"].as_array().unwrap().iter().map(|m| &m["holds"]).collect();
    assert_eq!(holds, [true, false, false]);
}

#[test]
fn fmt_names_what_would_change() {
    let ugly = GOOD.replace("  var", "var");
    let files = [("a.blo", GOOD), ("b.blo", ugly.as_str()), ("c.blo", "let a = (\n")];
    let found = document(&files, &["fmt", "--check", "a.blo", "b.blo"]);
    assert_eq!((&found["status"], &found["changed"]), (&json!(1), &json!(["b.blo"])));
    let found = document(&files, &["fmt", "--check", "."]);
    assert_eq!((&found["status"], &found["diagnostics"][0]["code"]), (&json!(2), &json!("E0102")));
    assert_eq!(found["changed"].as_array().unwrap().len(), 1);
}
