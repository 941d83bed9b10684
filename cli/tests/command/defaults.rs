//! No method, left to its defaults, runs away: every method on every quick model of the gallery that it is for. And the presets.

use std::path::Path;

use blo_runtime::solvers::SOLVERS;
use serde_json::Value;

use crate::common::{Folder, blo, refused, stdout};

/// The models, and whether their upper level maximises.
const MODELS: [(&str, bool); 15] = [
    ("actor_critic", true),
    ("bda_counterexample", false),
    ("coreset", false),
    ("duopoly", true),
    ("electricity", true),
    ("many_answers", false),
    ("mixture", false),
    ("power_market", true),
    ("principal_agent", true),
    ("retailers", true),
    ("three_valleys", false),
    ("tied", false),
    ("toll", true),
    ("toy", false),
    ("wall", false),
];

/// Runs that the table must have at least: a method that fits is not left out.
const RUNS: usize = 400;

/// How much worse than the start, with the lower level solved, an end may be, relative to `1 + |start|`: not at all where it solves the
/// lower level too, and not far where it is a method's own iterate, as that of `maml`.
const SLACK: (f64, f64) = (1e-5, 5.0);

/// How a run of a method on a model ended; `None` where the method is not for the model.
fn end(model: &str, method: &str) -> Option<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let model = format!("{model}.blo");
    // A cap for the slowest; what a run has found by then must be in order as well.
    let output = blo(&folder, &["run", &model, "--json", "--quiet", "--time-limit", "2", "--method", method]);
    let result: Value = serde_json::from_str(&stdout(&output)).ok()?;
    (result["termination"] != "refused").then_some(result)
}

/// The upper objective, minimised.
fn objective(result: &Value, maximised: bool) -> f64 {
    let value = result["upper"]["objective"].as_f64().unwrap_or(f64::NAN);
    if maximised { -value } else { value }
}

/// What is wrong with the default runs on a model, and how many runs there were.
fn look((model, maximised): (&str, bool)) -> (usize, String) {
    // Without a step `soba` leaves the start as it is.
    let start = end(model, "soba(steps = 0, finish = false)")
        .filter(|start| start["status"] == "feasible" || start["status"] == "solved")
        .map(|start| objective(&start, maximised));
    // Elsewhere the lower level is solved first.
    let start = start.or_else(|| end(model, "rhg(steps = 0)").map(|start| objective(&start, maximised)));
    let (mut runs, mut complaints) = (0, String::new());
    for method in SOLVERS {
        let Some(result) = end(model, &format!("{}(seed = 0)", method.name)) else { continue };
        runs += 1;
        let (termination, found) = (&result["termination"], objective(&result, maximised));
        let mut wrong = termination == "diverged" || termination == "non_finite" || !found.is_finite();
        if let Some(start) = start {
            let solved = result["status"] != "not_solved";
            let slack = if solved { SLACK.0 } else { SLACK.1 };
            wrong |= found > start + slack * (1.0 + start.abs());
        }
        if wrong {
            complaints += &format!(
                "{} on {model}: {termination}, {found}, from {start:?}, {}\n",
                method.name, result["status"]
            );
        }
    }
    (runs, complaints)
}

#[test]
fn no_default_run_diverges_or_ends_absurdly() {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let looks: Vec<(usize, String)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|k| {
                scope.spawn(move || MODELS.into_iter().skip(k).step_by(workers).map(look).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let runs: usize = looks.iter().map(|look| look.0).sum();
    let complaints: String = looks.into_iter().map(|look| look.1).collect();
    assert!(complaints.is_empty(), "{complaints}");
    assert!(runs >= RUNS, "{runs} runs");
}

/// `preset = paper` runs with the authors' sizes, of which a written one takes the place, and a method without any says so.
#[test]
fn a_preset_is_taken_overridden_or_refused() {
    let folder = Folder::new();
    let model = "upper {\n  var x: real\n  minimize (x - 1)^2 + y^2\n}\nlower {\n  var y: real\n  minimize (y - x)^2\n}\n";
    std::fs::write(folder.path("m.blo"), format!("{model}solve bome(preset = paper)\n")).unwrap();
    let run = |args: &[&str]| -> Value {
        let output = blo(&folder.path(""), &[&["run", "m.blo", "--json"], args].concat());
        serde_json::from_str(&stdout(&output)).unwrap()
    };
    let by_hand = "bome(steps = 5000, lower_steps = 10, lower_step = 0.05, y_step = 0.05, upper_step = 0.05)";
    let expected = run(&["--method", by_hand]);
    assert_eq!(run(&[])["variables"], expected["variables"]);
    assert_eq!(run(&[])["iterations"], expected["iterations"]);
    assert_ne!(run(&["--option", "upper_step=0.01"])["iterations"], expected["iterations"]);
    refused(
        &folder,
        &["run", "m.blo", "--method", "cg(preset = paper)"],
        &["`cg` has no preset", "gives no sizes"],
    );
}
