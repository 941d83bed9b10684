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
