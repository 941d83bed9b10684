//! The runtime against numbers: hypergradients, fixed points, published toys, projections, settings, bad ends and the check.

#![allow(clippy::unwrap_used, reason = "the helpers of a test stop it the way tests do")]

mod bad_ends;
mod bias;
mod boxes;
mod checks;
mod compositions;
mod constrained;
mod curved;
mod domains;
mod golden;
mod keeping;
mod lower;
mod meta;
mod models;
mod pieces;
mod proximal;
mod search;
mod settings;
mod single_level;
mod toys;
mod watching;

use blo_runtime::monitor::Silent;
use blo_runtime::problem::Problem;
use blo_runtime::settings::{Settings, Value};
use blo_runtime::solution::{Solution, solve};
use blo_runtime::solvers::{Solver, named};

/// The one comparison of numbers in this suite.
#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "found {found:.12}, expected {expected:.12} within {tolerance:e}"
    );
}

#[track_caller]
fn all_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst <= tolerance, "found {found:?}, expected {expected:?} within {tolerance:e}");
}

fn number(name: &str, value: f64) -> (String, Value) {
    (name.to_string(), Value::Number(value))
}

fn word(name: &str, value: &str) -> (String, Value) {
    (name.to_string(), Value::Word(value.to_string()))
}

fn flag(name: &str, value: bool) -> (String, Value) {
    (name.to_string(), Value::Bool(value))
}

#[track_caller]
fn configure(problem: &Problem, solver: &str, written: &[(String, Value)]) -> (&'static Solver, Settings) {
    let solver = named(solver).unwrap();
    let blocks = problem.upper.blocks().iter().chain(problem.lower.blocks());
    (solver, solver.settings(written, blocks.map(|b| b.name.as_str())).unwrap())
}

/// Solves with a silent watcher.
#[track_caller]
/// Runs a method and returns its own last iterate: `finish` is off.
fn run(problem: Problem, solver: &str, written: &[(String, Value)]) -> Solution {
    let mut all = written.to_vec();
    if named(solver).unwrap().options().any(|option| option.name == "finish") {
        all.push(flag("finish", false));
    }
    run_and_finish(problem, solver, &all)
}

fn run_and_finish(mut problem: Problem, solver: &str, written: &[(String, Value)]) -> Solution {
    let (solver, settings) = configure(&problem, solver, written);
    solve(&mut problem, solver, &settings, &mut Silent)
}
