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
    refused(
        &whole,
        &["run", "m.blo", "--method", "rhg"],
        &["does not handle integer variables of the upper level"],
    );
    let below = model("", "var z: int in 0..5", "expect z >= 0");
    refused(
        &below,
        &["run", "m.blo", "--method", "kkt"],
        &["does not handle integer variables of the lower level"],
    );
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

fn solved(folder: &Folder, args: &[&str]) -> serde_json::Value {
    let all: Vec<&str> = ["run", "m.blo", "--json"].iter().chain(args).copied().collect();
    let output = blo(&folder.path(""), &all);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(["optimal", "solved"].iter().any(|s| result["status"] == *s), "{}", result["verdict"]);
    result
}

/// With a toll `t` the road costs `2 + t` and the alternative 6. Nobody drives above 4, and a unit more of demand costs
/// what the cheaper way costs, so that `t - 0.1 (2 + t)` is largest at 4.
const TOLL: &str = "\
upper {
  var t: real in [0, 10]
  maximize t * y[0] - 0.1 * dual(demand)
}
lower {
  var y: real[2] in [0, inf]
  minimize (2 + t) * y[0] + 6 * y[1]
  subject to demand: y[0] + y[1] >= 1
}
report price = dual(demand)
expect abs(t - 4) < 1e-6 and abs(y[0] - 1) < 1e-6 and abs(dual(demand) - 6) < 1e-6
expect abs(upper.objective - 3.4) < 1e-6 and lower.gap < 1e-6
";

#[test]
fn a_follower_with_constraints_is_solved_and_its_multiplier_read() {
    let folder = Folder::new();
    fs::write(folder.path("m.blo"), TOLL).unwrap();
    let result = solved(&folder, &[]);
    assert_eq!(result["method"], "tree");
    assert!(result["violation"].as_f64().unwrap() < 1e-8);
    assert!((result["reports"]["price"].as_f64().unwrap() - 6.0).abs() < 1e-6);
    let names: Vec<&String> = result["variables"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["t", "y"], "multipliers are no variables");
    fs::write(folder.path("m.blo"), TOLL.replace(" - 0.1 * dual(demand)", "").replace("3.4", "4")).unwrap();
    solved(&folder, &[]);
    let graph = stdout(&blo(&folder.path(""), &["check", "m.blo", "--emit", "graph"]));
    assert!(graph.contains("lower_second_order"), "{graph}");
}

#[test]
fn every_relation_family_and_domain_has_its_multiplier() {
    let folder = Folder::new();
    // The follower minimises |y|²/2 - c·y, so the multiplier of an active constraint is what is left of c.
    let text = "\
dim n = 2
data c: real[n] = [3, -4]
upper {
  var x: real[n] in [0, 1]
  minimize sumsq(x - 1) + 0 * sum(dual(cap))
  subject to x[0] + y[1] <= 5
}
lower first {
  var y: real[n]
  minimize 0.5 * sumsq(y) - c @ y
  subject to cap[i in n]: -1 <= y[i] <= x[i]
}
lower second {
  var p: real[3] in simplex
  var q: real[2] in ball(1)
  maximize -sumsq(p - [2.0, 1, 0]) + 2 * q[0]
  subject to fixed: p[2] == 0
}
expect all(abs(x - 1) < 1e-5) and all(abs(y - [1, -1]) < 1e-5)
expect all(abs(dual(cap) - [2, -3]) < 1e-4)
expect all(abs(p - [1, 0, 0]) < 1e-5) and all(abs(q - [1, 0]) < 1e-4) and abs(dual(fixed)) < 1e9
";
    fs::write(folder.path("m.blo"), text).unwrap();
    solved(&folder, &[]);
}

/// A dense factorisation is not for thousands of variables: the method says so at once.
#[test]
fn what_is_too_large_for_kkt_is_refused() {
    let folder = Folder::new();
    let text = "\
upper {
  var x: real in [0, 1]
  minimize (x - 1)^2 + mean(y)
}
lower {
  var y: real[2000]
  minimize sumsq(y) + sum(y)^2 - x * sum(y)
  subject to sum(y) <= 3
}
solve kkt()
";
    fs::write(folder.path("m.blo"), text).unwrap();
    let output = blo(&folder.path(""), &["run", "m.blo"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = stdout(&output);
    for part in ["factorises a matrix", "at most 1e9", "sflcb"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn one_level_with_constraints() {
    let folder = Folder::new();
    let text = "\
upper {
  var x: real[2] = 0.5
  minimize (x[0] - 2)^2 + (x[1] - 1)^2
  subject to x[0] + x[1] <= 2
  subject to curve: x[0]^2 == x[1]
}
expect all(abs(x - 1) < 1e-6) and abs(upper.objective - 1) < 1e-6
";
    fs::write(folder.path("m.blo"), text).unwrap();
    assert_eq!(solved(&folder, &[])["lower"], serde_json::Value::Null);
}

/// What is not feasible, or no answer of the follower, is never called solved.
#[test]
fn false_answers_are_told() {
    let folder = Folder::new();
    // Every y in [-1, 1] that is stationary is offered to the leader, who likes the follower's worst, y = 0.
    let concave = "\
upper {
  var x: real in [0, 1]
  minimize x^2 + y^2
}
lower {
  var y: real in [-1, 1] = 0.5
  minimize -(y - 0.1 * x)^2
}
";
    fs::write(folder.path("m.blo"), concave).unwrap();
    let output = blo(&folder.path(""), &["run", "m.blo", "--json", "--method", "kkt(steps = 0)"]);
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let at_end = (result["variables"]["y"].as_f64().unwrap().abs() - 1.0).abs() < 1e-6;
    assert!(at_end || result["status"] == "not_solved", "{result}");
    let nowhere = "\
upper {
  var x: real in [0, 1]
  minimize x
  subject to y >= 2 * x + 1
}
lower {
  var y: real
  minimize (y - x)^2
}
";
    fs::write(folder.path("m.blo"), nowhere).unwrap();
    let run = |options: &[&str]| {
        let output = blo(&folder.path(""), &[&["run", "m.blo", "--json"], options].concat());
        let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{result}");
        result
    };
    // The choice of a model with constraints proves that there is no point.
    assert_eq!(run(&[])["status"], "infeasible");
    let result = run(&["--method", "kkt"]);
    assert_eq!(result["status"], "not_solved", "{result}");
    assert!(result["violation"].as_f64().unwrap() > 0.4, "{result}");
    assert!(result["verdict"].as_str().unwrap().contains("violated by"), "{result}");
}

#[test]
fn an_unbounded_leader_is_told() {
    let folder = Folder::new();
    let text = "upper {\n  var x: real\n  minimize -x\n}\n\
                lower {\n  var y: real\n  minimize (y - x)^2\n  subject to y <= 1\n}\n";
    fs::write(folder.path("m.blo"), text).unwrap();
    for method in ["kkt", "tree"] {
        let output = blo(&folder.path(""), &["run", "m.blo", "--method", method]);
        assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
        assert!(stdout(&output).contains("the upper objective falls without end"), "{}", stdout(&output));
    }
}

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
    let text = text.replace("(y - x)^2", "x * y^2");
    fs::write(folder.path("m.blo"), text).unwrap();
    let run = stdout(&blo(&folder.path(""), &["run", "m.blo", "--json"]));
    assert!(run.contains("cannot prove anything about this model"), "{run}");
    let output = blo(&folder.path(""), &["check", "m.blo"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let printed = blo(&folder.path(""), &["check", "m.blo", "--emit", "model"]);
    assert!(stdout(&printed).contains("lower pessimistic\n"), "{}", stdout(&printed));
}
