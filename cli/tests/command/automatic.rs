//! `solve auto()`: which method it takes, and why.

use std::fs;

use serde_json::Value;

use crate::common::{Folder, blo, refused, stdout};

/// The method and the reason for a lower level, from the result of a run.
fn choice(lower: &str) -> (String, String) {
    let folder = Folder::new();
    let upper = "upper {\n  var x: real in [0, 1] = 0.2\n  minimize (y[0] - 0.5)^2 + x^2\n}";
    fs::write(folder.path("m.blo"), format!("{upper}\nlower {{\n{lower}\n}}\nsolve auto(steps = 5)\n"))
        .unwrap();
    let output = blo(&folder.path(""), &["run", "m.blo", "--json"]);
    let result: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let text = |key: &str| result[key].as_str().unwrap().to_owned();
    (text("method"), text("because"))
}

#[test]
fn the_convexity_of_the_lower_level_decides() {
    let cases = [
        ("  var y: real[2]\n  minimize sumsq(y - x)", "nested", "strongly convex"),
        ("  var y: real[2]\n  minimize (y[0] + y[1] - x)^2", "kkt", "may have several answers"),
        ("  var y: real[2]\n  minimize log_cosh(y[0] + y[1] - x)", "kkt", "may have several answers"),
        (
            "  var y: real[2] in [-1, 1]\n  minimize exp(x) * (y[0] + y[1])",
            "tree",
            "branching in boxes may prove",
        ),
        ("  var y: real[2] in [-1, 1]\n  minimize x * y[0] + y[1]", "tree", "proves a global optimum"),
        ("  var y: real[300]\n  minimize (sum(y) - x)^2", "meha", "too large for `kkt`"),
        (
            "  var y: real[300]\n  minimize sum(log_cosh(y - x))",
            "nested",
            "depends on each of its 300 variables",
        ),
        (
            "  var y: real[30]\n  var z: real[9]\n  minimize sum(log_cosh(y - x))",
            "meha",
            "may have several answers",
        ),
        ("  var y: real[2]\n  minimize sum(abs(y - x))", "cg", "may have kinks"),
        ("  var y: real[2]\n  minimize sumsq(y - x) + norm1(y)", "meha", "proximal operator"),
        ("  var y: real[2] in [-9, 9]\n  minimize sum(sin(y) + x * y)", "tree", "by the follower's value"),
        ("  var y: real[2] in [-9, 9]\n  minimize sum(tanh(y) + x * y)", "kkt", "is not convex"),
        ("  var y: real[9] in [-9, 9]\n  minimize sum(sin(y) + x * y)", "nested", "is not convex"),
        ("  var y: real[2]\n  minimize sumsq(y - x)\n  subject to sum(y) <= 1", "tree", "its 1 pair of"),
    ];
    for (lower, method, reason) in cases {
        let (taken, because) = choice(lower);
        assert_eq!(taken, method, "{lower}: {because}");
        assert!(because.contains(reason), "{lower}: {because}");
    }
}

#[test]
fn the_choice_is_told_to_people() {
    let folder = Folder::new();
    let model =
        "upper {\n  var x: real\n  minimize (y - 1)^2\n}\nlower {\n  var y: real\n  minimize (y - x)^2\n}\n";
    fs::write(folder.path("m.blo"), model).unwrap();
    let because = "because the lower level is strongly convex, so its answer is unique";
    let run = stdout(&blo(&folder.path(""), &["run", "--quiet", "m.blo", "--method", "auto"]));
    assert!(run.contains(&format!("nested was chosen {because}")), "{run}");
    // So it is where nobody names a method, but not where somebody does.
    let plain = stdout(&blo(&folder.path(""), &["run", "--quiet", "m.blo"]));
    assert!(plain.contains(&format!("nested was chosen {because}")), "{plain}");
    let named = stdout(&blo(&folder.path(""), &["run", "--quiet", "m.blo", "--method", "cg"]));
    assert!(!named.contains("chosen"), "{named}");
    fs::write(folder.path("auto.blo"), format!("{model}solve auto()\n")).unwrap();
    let check = stdout(&blo(&folder.path(""), &["check", "auto.blo"]));
    assert!(check.contains(&format!("nested, {because}")), "{check}");
    // The options are those of the method that was taken.
    refused(&folder, &["run", "auto.blo", "--option", "eta=1"], &["`nested` has no option `eta`"]);
}

#[test]
fn the_only_method_for_a_response_is_taken() {
    let folder = Folder::new();
    let model = "upper {\n  var x: real\n  minimize x^2 + y\n}\n\
                 lower pessimistic {\n  var y: real\n  minimize (y - x)^2\n}\nsolve auto()\n";
    fs::write(folder.path("m.blo"), model).unwrap();
    let check = stdout(&blo(&folder.path(""), &["check", "m.blo"]));
    assert!(check.contains("tree, because no other method handles the pessimistic response"), "{check}");
    let run = stdout(&blo(&folder.path(""), &["run", "m.blo"]));
    assert!(run.contains("global optimum, proved by branching"), "{run}");
}
