//! The standard library: every function is documented, its example is compiled and run, and its value is known at a point.

use crate::{blo, text};

/// What an example may use.
const FRAME: &str = "
data X: real[n, d] ~ normal(0, 1)
dim n = 6
dim d = 3
dim k = 2
data y: int[n] in 0..k = [0, 1, 1, 0, 1, 0]
upper {
  var w: real[d] ~ normal(0, 0.1)
  var W: real[d, k] ~ normal(0, 0.1)
  var b: real[k] = 0
";

/// A value of each function, worked out by hand.
const KNOWN: &[(&str, &str)] = &[
    ("cross_entropy", "abs(cross_entropy([0.0, 0], 1) - log(2)) < 1e-12"),
    ("logistic", "abs(logistic(0) - log(2)) < 1e-12 and logistic(1000) < 1e-12"),
    ("mse", "mse([1.0, 2], [0, 0]) == 2.5"),
    ("mae", "mae([1.0, -2], [0, 0]) == 1.5"),
    ("huber", "all(huber([-0.5, 3], 1) == [0.125, 2.5])"),
    ("hinge", "all(hinge([0.25, 2]) == [0.75, 0])"),
    ("squared_hinge", "all(squared_hinge([0.5, 2]) == [0.25, 0])"),
];

/// Each function of a module with its example: the last line of the comment above it.
fn examples(module: &str) -> Vec<(String, String)> {
    let mut examples = Vec::new();
    let mut comments: Vec<&str> = Vec::new();
    for line in module.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            comments.push(comment);
            continue;
        }
        if let Some((name, _)) = line.strip_prefix("fn ").and_then(|rest| rest.split_once('(')) {
            assert!(comments.len() >= 2, "`{name}` needs a description and an example above it");
            let example = comments[comments.len() - 1];
            assert!(
                example.contains(&format!("{name}(")),
                "the example of `{name}` does not call it: {example}"
            );
            examples.push((name.to_owned(), example.to_owned()));
        }
        comments.clear();
    }
    examples
}

#[test]
fn examples_run_and_values_are_right() {
    let mut seen = 0;
    for entry in std::fs::read_dir(crate::root("stdlib")).unwrap().flatten() {
        let file = entry.file_name().into_string().unwrap();
        let module = file.strip_suffix(".blo").expect("the library holds .blo files only").to_owned();
        for (name, example) in examples(&text(&format!("stdlib/{file}"))) {
            seen += 1;
            let (_, known) = KNOWN
                .iter()
                .find(|(known, _)| *known == name)
                .unwrap_or_else(|| panic!("add a value of `{name}` to KNOWN"));
            let model = format!(
                "use std.{module} ({name})\n{FRAME}  minimize {example} + 0.1 * (sumsq(w) + sumsq(W) + sumsq(b))\n}}\n\
                 expect upper.objective < inf\nexpect hypergradient_norm < 1\nexpect {known}\n"
            );
            let output = blo(&model, &["run", "model.blo"]);
            let found = String::from_utf8(output.stdout).unwrap();
            let message = String::from_utf8(output.stderr).unwrap();
            assert_eq!(found.matches("✓ expect").count(), 3, "{model}\n{found}{message}");
        }
    }
    assert_eq!(seen, KNOWN.len());
}
