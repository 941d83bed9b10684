//! Constraints, integer variables, the pessimistic response and followers: which methods take them, and what is said otherwise.

use std::fs;

use crate::common::{Folder, blo, refused, stderr, stdout};

fn model(upper: &str, lower: &str, end: &str) -> Folder {
    let folder = Folder::new();
    let text = format!(
        "upper {{\n  var x: real in [0, 1]\n  {upper}\n  minimize (x - 1)^2\n}}\n\
         lower {{\n  var y: real\n  {lower}\n  minimize (y - x)^2\n}}\n{end}\n"
    );
    fs::write(folder.path("m.blo"), text).unwrap();
    folder
}

#[test]
fn a_method_that_does_not_handle_what_the_model_has_is_refused_with_the_place() {
    let constrained = model("", "subject to cap: y <= 0.5", "solve cg(steps = 3)");
    let parts =
        ["`cg` is not for this model", "does not handle constraints of the lower level", "m.blo:11:7"];
    refused(&constrained, &["run", "m.blo"], &parts);
    refused(&constrained, &["check", "m.blo"], &["8 │", "the model has constraints of the lower level here"]);
    let coupled = model("subject to y <= 0.5", "", "");
    refused(
        &coupled,
        &["run", "m.blo", "--method", "bome"],
        &["does not handle constraints of the upper level"],
    );
    let whole = model("var z: int in 0..5", "", "expect z >= 0");
    refused(&whole, &["run", "m.blo", "--method", "rhg"], &["does not handle integer variables"]);
}

/// Two buyers at prices that a seller sets: `q = (1 - a) / 2`, `r = (2 - b) / 2`, so `a = 1/2`, `b = 1`.
const BUYERS: &str = "\
upper {
  var a: real = 0
  var b: real = 0
  maximize a * q + b * r
}
lower small {
  var q: real = 0
  minimize q^2 - (1 - a) * q
}
lower large {
  var r: real = 0
  maximize (2 - b) * r - r^2
}
report sold = q + r
expect abs(a - 0.5) < 1e-4 and abs(b - 1) < 1e-4
expect abs(small.objective + 1 / 16) < 1e-4 and abs(large.objective - 1 / 4) < 1e-4
expect abs(lower.objective + 1 / 16 + 1 / 4) < 1e-4
expect lower.gap < 1e-8
";

#[test]
fn several_followers_answer_together_with_every_method() {
    let folder = Folder::new();
    fs::write(folder.path("m.blo"), BUYERS).unwrap();
    for method in ["cg", "rhg", "cg(lower_rule = momentum, lower_momentum = 0.5)"] {
        let output = blo(&folder.path(""), &["run", "m.blo", "--json", "--method", method]);
        assert_eq!(output.status.code(), Some(0), "{method}\n{}{}", stdout(&output), stderr(&output));
        let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let objective = |name: &str| result["followers"][name]["objective"].as_f64().unwrap();
        assert!((objective("small") + 0.0625).abs() < 1e-4 && (objective("large") - 0.25).abs() < 1e-4);
        assert_eq!(result["status"], "solved");
    }
    let summary = stdout(&blo(&folder.path(""), &["run", "m.blo"]));
    assert!(summary.contains("small objective") && summary.contains("large objective"), "{summary}");
    let overview = stdout(&blo(&folder.path(""), &["check", "m.blo"]));
    assert!(overview.contains("small, large"), "{overview}");
}

#[test]
fn what_no_method_solves_is_still_a_right_model() {
    let folder = model("", "", "");
    let text = fs::read_to_string(folder.path("m.blo")).unwrap().replace("lower {", "lower pessimistic {");
    fs::write(folder.path("m.blo"), text).unwrap();
    let parts = ["no method of this version solves this model", "the pessimistic response here"];
    refused(&folder, &["run", "m.blo"], &parts);
    let output = blo(&folder.path(""), &["check", "m.blo"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("none of this version"), "{}", stdout(&output));
    let printed = blo(&folder.path(""), &["check", "m.blo", "--emit", "model"]);
    assert!(stdout(&printed).contains("lower pessimistic\n"), "{}", stdout(&printed));
}
