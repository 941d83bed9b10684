//! Where runs begin and when they end: `--start`, `--stop`, `--watch` and `--patience`.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Folder, blo, refused, stderr, stdout};

/// The follower answers y = x. `peak` is largest when x passes 2 on its way from 3 to 1/2.
const MODEL: &str = "\
upper {
  var x: real[2] = 3
  minimize 0.5 * sumsq(y) + 0.5 * sumsq(x - 1)
  report peak = 1 - (y[0] - 2)^2
  report error = abs(y[0] - 2)
}
lower {
  var y: real[2] = 0
  minimize 0.5 * sumsq(y - x)
}
solve cg(steps = 400, upper_step = 0.03, lower_step = 1)
";

fn folder() -> Folder {
    let folder = Folder::new();
    fs::write(folder.path("m.blo"), MODEL).unwrap();
    folder
}

fn run(folder: &Folder, args: &[&str]) -> Value {
    let args: Vec<&str> = ["run", "m.blo", "--json"].iter().chain(args).copied().collect();
    let output = blo(&folder.path(""), &args);
    assert_eq!(stderr(&output), "");
    serde_json::from_slice(&output.stdout).expect("one JSON value")
}

/// A run from the answer of another one begins there, to the bit when it comes from the folder.
#[test]
fn a_run_begins_where_another_ended() {
    let folder = folder();
    let whole = run(&folder, &["--iterations", "80", "--option", "tolerance=0"]);
    let first = run(&folder, &["--iterations", "40", "--option", "tolerance=0", "--out", "first"]);
    let rest = ["--iterations", "40", "--option", "tolerance=0", "--start"];
    let second = |start: &str| run(&folder, &[&rest[..], &[start]].concat());
    assert_eq!(second("first")["variables"], whole["variables"]);
    assert_eq!(second("first/variables.npz")["variables"], whole["variables"]);
    let close = |a: &Value, b: &Value| (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-12;
    assert!(close(&second("first/result.json")["variables"]["x"][0], &whole["variables"]["x"][0]));
    assert_ne!(first["variables"], whole["variables"]);
    let done = run(&folder, &["--out", "done"]);
    assert_eq!(done["termination"], "tolerance");
    assert_eq!(run(&folder, &["--start", "done"])["iterations"], 0);
    let args = ["compare", "m.blo", "--methods", "cg,nested", "--start", "done", "--out", "both", "--json"];
    let both: Value = serde_json::from_slice(&blo(&folder.path(""), &args).stdout).unwrap();
    assert_eq!(both["methods"][0]["result"]["iterations"], 0);
    assert_eq!(run(&folder, &["--start", "both/comparison.json"])["iterations"], 0);
}

#[test]
fn starts_that_do_not_fit_are_refused() {
    let folder = folder();
    let write = |name: &str, value: Value| fs::write(folder.path(name), value.to_string()).unwrap();
    write("fewer.json", json!({ "variables": { "x": [1, 2], "yy": [1, 2] } }));
    write("longer.json", json!({ "variables": { "x": [1, 2, 3], "y": [1, 2] } }));
    write("null.json", json!({ "variables": { "x": [1, null], "y": [1, 2] } }));
    write("ragged.json", json!({ "variables": { "x": [1, [2]], "y": [1, 2] } }));
    write("other.json", json!({ "a": 1 }));
    fs::write(folder.path("bad.npz"), "no archive").unwrap();
    fs::create_dir(folder.path("empty")).unwrap();
    let refuse = |start: &str, parts: &[&str]| refused(&folder, &["run", "m.blo", "--start", start], parts);
    refuse(
        "fewer.json",
        &["has no variable `y`, which the model has", "it has `x`, `yy`: a start is matched by name"],
    );
    refuse("longer.json", &["`x` has the shape [3] in `longer.json` and [2] in the model"]);
    refuse("null.json", &["`x` has values in `null.json` that are not finite"]);
    refuse("ragged.json", &["`x` is no array of numbers"]);
    refuse("other.json", &["is no result of a run", "blo run --json"]);
    refuse("m.blo", &["is no result of a run"]);
    refuse("bad.npz", &["`bad.npz`: it is not a .npz archive"]);
    refuse("none.json", &["`none.json` does not exist"]);
    refuse("empty", &["variables.npz` does not exist"]);
}

#[test]
fn a_goal_ends_the_run() {
    let folder = folder();
    let end = run(&folder, &["--stop", "peak >= 0.9"]);
    assert_eq!(end["termination"], "goal");
    assert_eq!(end["kept"], end["iterations"]);
    let peak = end["reports"]["peak"].as_f64().unwrap();
    assert!((0.9..0.95).contains(&peak), "{peak}");
    let output = blo(&folder.path(""), &["run", "m.blo", "--stop", "upper_objective < 1", "--quiet"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("stopped at the goal. At the point kept: the lower level is solved"), "{text}");
    // A goal that is never reached leaves the best iterate by it.
    let never = run(&folder, &["--stop", "peak > 2"]);
    assert_eq!(never["termination"], "tolerance");
    assert!(
        never["reports"]["peak"].as_f64().unwrap() > 0.99
            && never["kept"].as_u64() < never["iterations"].as_u64()
    );
}

#[test]
fn patience_keeps_the_best_iterate() {
    let folder = folder();
    let all = run(&folder, &[]);
    assert!(all["reports"]["peak"].as_f64().unwrap() < 0.0 && all["kept"].is_null());
    for watch in ["max peak", "error", "min error"] {
        let end = run(&folder, &["--watch", watch, "--patience", "5"]);
        assert_eq!(end["termination"], "patience", "{watch}");
        assert_eq!(end["iterations"].as_u64().unwrap(), end["kept"].as_u64().unwrap() + 5);
        assert!(end["reports"]["peak"].as_f64().unwrap() > 0.99, "{end}");
    }
    let watched = run(&folder, &["--watch", "error"]);
    assert_eq!(watched["termination"], "tolerance");
    assert!(watched["reports"]["peak"].as_f64().unwrap() > 0.99);
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let folder = folder();
    let refuse = |args: &[&str], parts: &[&str]| {
        let args: Vec<&str> = ["run", "m.blo"].iter().chain(args).copied().collect();
        refused(&folder, &args, parts);
    };
    refuse(
        &["--stop", "peek >= 1"],
        &["names `peek`, which the model does not report", "did you mean `peak`?"],
    );
    refuse(&["--stop", "peak"], &["has no comparison", "accuracy >= 0.93"]);
    refuse(&["--stop", "peak >= high"], &["compares with `high`, which is no number"]);
    refuse(&["--watch", "peak"], &["is a large or a small `peak` better?", "--watch 'max peak'"]);
    refuse(&["--watch", "x"], &["a run can be watched by `peak`, `error`, `upper_objective`"]);
    refuse(&["--patience", "5"], &["does not know what to look at", "--watch accuracy"]);
    refuse(&["--watch", "error", "--patience", "0"], &["expected a whole number from 1"]);
    refuse(&["--stop", "peak > 0", "--watch", "min peak"], &["in the same direction"]);
}
