//! The standard library: every function has an example with its value as the last line of its comment, and the example runs.
//! The values were computed outside blo, in plain Python from the formulas in the comments and the papers they name.

#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod memory;

use std::path::Path;

use blo_compiler::ir::eval::{Bindings, evaluate};
use memory::Memory;

/// The name of a function, its example and the value that is stated.
struct Example {
    function: String,
    text: String,
    value: f64,
}

fn examples(text: &str) -> Vec<Example> {
    let lines: Vec<&str> = text.lines().collect();
    let heads =
        lines.iter().enumerate().filter_map(|(k, l)| Some((k, l.strip_prefix("fn ")?.split_once('(')?.0)));
    heads
        .map(|(k, name)| {
            let comment = lines[k - 1].strip_prefix("# ").unwrap_or_else(|| panic!("{name} has no example"));
            let (example, value) = comment.rsplit_once(" = ").unwrap_or_else(|| panic!("{name}: no value"));
            assert!(example.contains(&format!("{name}(")), "the example of {name} does not call it");
            assert!(lines[k - 2].starts_with("# "), "{name} is not described");
            Example { function: name.to_owned(), text: example.to_owned(), value: value.parse().unwrap() }
        })
        .collect()
}

#[test]
fn every_function_keeps_its_example() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stdlib");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let mut failures = String::new();
    for file in files {
        let module = file.file_stem().unwrap().to_str().unwrap();
        let examples = examples(&std::fs::read_to_string(&file).unwrap());
        assert!(!examples.is_empty(), "{module} is empty");
        let mut text = format!("use std.{module}\nupper {{ var x: real = 0\n minimize x^2 }}\n");
        for (k, example) in examples.iter().enumerate() {
            text += &format!("report value{k} = {}\n", example.text);
        }
        let model = memory::model(&text, Memory::default());
        let mut bindings = Bindings::new();
        for data in &model.data {
            bindings.set(data.input, data.value.clone().unwrap());
        }
        let roots: Vec<_> = model.reports.iter().map(|r| r.node).collect();
        let values = evaluate(&model.graph, &roots, &bindings).unwrap();
        for (example, found) in examples.iter().zip(values) {
            let (found, wanted) = (*found.iter().next().unwrap(), example.value);
            if (found - wanted).abs() > 1e-6 * wanted.abs().max(1.0) {
                failures += &format!("std.{module}.{}: {found}, not {wanted}\n", example.function);
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
