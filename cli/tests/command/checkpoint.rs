//! `--checkpoint` and `--resume`: a run that goes on later ends with the same bits, and a checkpoint of another run is refused.

use std::fs;

use serde_json::Value;

use crate::common::{Folder, blo, listing, refused, stderr};
use crate::convexity::root;

const MODEL: &str = "\
param target = 1
upper {
  var x: real[3] ~ normal(0, 1)
  minimize 0.5 * sumsq(y) + 0.5 * sumsq(x - target)
  report error = norm(y - 0.4)
}
lower {
  var y: real[3] = 0
  minimize 0.5 * sumsq(y - x) + sum(log_cosh(y))
}
solve bome(steps = 30000, tolerance = 0, upper_step = 0.001, upper_rule = adam, lower_steps = 5)
";

fn folder() -> Folder {
    let folder = Folder::new();
    fs::write(folder.path("m.blo"), MODEL).unwrap();
    folder
}

fn run(folder: &Folder, args: &[&str]) -> Value {
    let args: Vec<&str> = ["run", "m.blo", "--json"].iter().chain(args).copied().collect();
    let output = blo(&folder.path(""), &args);
    assert_eq!(stderr(&output), "", "{args:?}");
    serde_json::from_slice(&output.stdout).expect("one JSON value")
}

/// Everything of a result but its times.
fn essence(value: &Value) -> Value {
    let mut value = value.clone();
    value["seconds"] = Value::Null;
    value
}

/// Whatever moment the checkpoint is of, the rest of the run is that of the whole one: variables, trace, counts.
fn same_bits(folder: &Folder, flags: &[&str]) {
    let whole = run(folder, &[flags, &["--out", "whole"]].concat());
    // Kept at every look at the clock; the last one lies somewhere on the way.
    let kept = run(folder, &[flags, &["--checkpoint", "c", "--every", "1ms", "--out", "kept"]].concat());
    assert_eq!(essence(&kept), essence(&whole), "{flags:?}: keeping changes nothing");
    let head = fs::read(folder.path("c")).unwrap();
    let line = head.split(|b| *b == b'\n').next().unwrap();
    let head: Value = serde_json::from_slice(line).unwrap();
    let at = head["iteration"].as_u64().unwrap();
    // Before the last evaluation where every iteration is longer than that.
    assert!(at > 0 && at <= whole["iterations"].as_u64().unwrap(), "{flags:?}: {at}");
    let rest = run(folder, &[flags, &["--resume", "c", "--out", "rest"]].concat());
    assert_eq!(essence(&rest), essence(&whole), "{flags:?}, resumed in iteration {at}");
    // All columns but the seconds.
    let trace = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(folder.path(name).join("trace.csv")).unwrap();
        let cells = text.lines().flat_map(|line| line.split(',').enumerate());
        cells.filter(|(k, _)| *k != 1).map(|(_, cell)| cell.to_owned()).collect()
    };
    assert_eq!(trace("rest"), trace("whole"));
    assert!(!listing(&folder.path("")).iter().any(|name| name.ends_with(".part")));
}

#[test]
fn the_rest_of_a_run_has_the_same_bits() {
    let folder = folder();
    same_bits(&folder, &[]);
    same_bits(&folder, &["--watch", "error", "--patience", "1000000"]);
    same_bits(&folder, &["--method", "cg(steps=20000,tolerance=0)"]);
}

/// Methods for followers with constraints have multipliers and slacks to remember.
#[test]
fn so_has_that_of_a_run_with_constraints() {
    let folder = Folder::new();
    let bound = "minimize 0.5 * sumsq(y - x) + sum(log_cosh(y))\n  subject to sum(y) <= 0.5\n  subject to y[0] - y[1] == 0.1";
    let text = MODEL.replace("minimize 0.5 * sumsq(y - x) + sum(log_cosh(y))", bound);
    fs::write(folder.path("m.blo"), text).unwrap();
    for (method, steps) in
        [("sflcb", 20_000), ("gaffa", 20_000), ("lvhba", 10_000), ("blocc", 1000), ("kkt", 30)]
    {
        same_bits(&folder, &["--method", &format!("{method}(steps={steps},tolerance=0)")]);
    }
}

/// A run that its time limit ended goes on from its last checkpoint.
#[test]
fn a_run_that_was_stopped_goes_on() {
    let folder = folder();
    let whole = run(&folder, &[]);
    run(&folder, &["--checkpoint", "c", "--every", "1ms", "--time-limit", "0.15"]);
    assert!(folder.path("c").exists());
    let rest = run(&folder, &["--resume", "c", "--checkpoint", "c"]);
    assert_eq!(essence(&rest), essence(&whole));
}

#[test]
fn checkpoints_of_other_runs_are_refused() {
    let folder = folder();
    run(&folder, &["--checkpoint", "c", "--every", "1ms"]);
    let refuse = |args: &[&str], parts: &[&str]| {
        let args: Vec<&str> = ["run", "m.blo", "--resume", "c"].iter().chain(args).copied().collect();
        refused(&folder, &args, parts);
    };
    refuse(
        &["--method", "cg"],
        &["is not a checkpoint of this run", "it is of a run of `bome`, and this one is of `cg`"],
    );
    refuse(
        &["--option", "lower_steps=6"],
        &["there `lower_steps` is 5, and here it is 6", "the flags of the run"],
    );
    refuse(&["--seed", "1"], &["there `seed` is 0, and here it is 1"]);
    refuse(
        &["--set", "target=2"],
        &["it is of another model, other data, another precision or another start"],
    );
    refuse(&["--precision", "f32"], &["another precision"]);
    refuse(&["--watch", "error"], &["another `--stop` or `--watch`"]);
    refuse(&["--starts", "3"], &["cannot be used with"]);
    let bytes = fs::read(folder.path("c")).unwrap();
    let damage = |bytes: &[u8], part: &str| {
        fs::write(folder.path("d"), bytes).unwrap();
        refused(&folder, &["run", "m.blo", "--resume", "d"], &[part]);
    };
    damage(&bytes[..bytes.len() - 8], "the checkpoint `d` is damaged");
    let mut other = bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    damage(&other, "the checkpoint `d` is damaged");
    damage(b"{}\n", "`d` is not a checkpoint");
    damage(b"", "`d` is not a checkpoint");
    refused(&folder, &["run", "m.blo", "--resume", "none"], &["`none` does not exist"]);
    refused(&folder, &["run", "m.blo", "--checkpoint", "no/c"], &["cannot write the checkpoint `no/c`"]);
    refused(&folder, &["run", "m.blo", "--every", "1s"], &["--checkpoint"]);
    refused(&folder, &["run", "m.blo", "--checkpoint", "e", "--every", "0s"], &["expected a time above 0"]);
}

/// A tree has its open ends, its best point and the answers met to remember: one of whole numbers, one of boxes.
#[test]
fn so_has_a_tree() {
    let folder = Folder::new();
    let problems = root("bench/or/models");
    for name in ["knapsack_interdiction_6", "SMD6_p1q0r1s2"] {
        let text = fs::read_to_string(problems.join(format!("{name}.blo"))).unwrap();
        let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("solve")).collect();
        fs::write(folder.path("m.blo"), without.join("\n")).unwrap();
        same_bits(&folder, &["--method", "tree"]);
    }
}
