//! `blo run --backend`: programs are stood for by scripts that write a given answer, and run themselves where they are installed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::common::{Folder, stderr, stdout};

/// The follower takes the larger of `x` and 1: at the optimum `x = 1`, `y = 1` with the multipliers of its two constraints.
const MODEL: &str = "upper {
  var x: real in [0, 4]
  minimize (x - 1)^2 + y
}
lower {
  var y: real
  minimize y
  subject to above: y >= x
  subject to one: y >= 1
}
";

/// The same with a linear leader.
fn linear() -> String {
    MODEL.replace("(x - 1)^2 + y", "3 * y - 2 * x")
}

/// An answer to it in AMPL's format.
fn sol(message: &str, values: &[f64], code: u32) -> String {
    let count = values.len();
    let values: String = values.iter().map(|value| format!("{value}\n")).collect();
    format!("\n{message}\n\nOptions\n3\n1\n1\n0\n5\n0\n4\n{count}\n{values}objno 0 {code}\n")
}

/// Runs `blo` with this folder alone as PATH, but for the shell's own commands.
fn run(folder: &Folder, path: &Path, args: &[&str]) -> Output {
    let path = format!("{}:/bin:/usr/bin", path.display());
    Command::new(env!("CARGO_BIN_EXE_blo"))
        .args(args)
        .current_dir(folder.path(""))
        .env("NO_COLOR", "1")
        .env("BLO_CACHE", folder.path("code"))
        .env("TMPDIR", folder.path("private"))
        .env("PATH", path)
        .output()
        .unwrap()
}

/// A folder with the model, and a program that runs these lines of a shell.
fn with(name: &str, model: &str, lines: &str) -> Folder {
    let folder = Folder::new();
    for inner in ["bin", "private"] {
        fs::create_dir(folder.path(inner)).unwrap();
    }
    fs::write(folder.path("m.blo"), model).unwrap();
    let program = folder.path("bin").join(name);
    fs::write(&program, format!("#!/bin/sh\n{lines}\n")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

/// A run of a program that writes `text` as its answer.
fn answered(name: &str, model: &str, text: &str) -> (Folder, Output) {
    let folder = with(name, model, "");
    fs::write(folder.path("given"), text).unwrap();
    let file = if name == "ipopt" { "model.sol" } else { "answer" };
    let lines = format!("#!/bin/sh\ncp '{}' {file}\n", folder.path("given").display());
    fs::write(folder.path("bin").join(name), lines).unwrap();
    let output = run(&folder, &folder.path("bin"), &["run", "m.blo", "--backend", name, "--json"]);
    assert_eq!(fs::read_dir(folder.path("private")).unwrap().count(), 0, "the private folder is removed");
    (folder, output)
}

fn document(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap_or_else(|e| panic!("{e}: {}", stderr(output)))
}

#[test]
fn an_answer_is_checked_like_any_other() {
    let (folder, output) = answered("ipopt", MODEL, &sol("Fake 1: fine", &[1.0, 1.0, 0.0, 1.0], 0));
    let result = document(&output);
    assert_eq!(output.status.code(), Some(0), "{}", result["verdict"]);
    assert_eq!((&result["method"], &result["iterations"]), (&"ipopt".into(), &3.into()));
    assert_eq!(result["message"], "Fake 1: fine; complementary products at most 1e-8");
    assert!((result["upper"]["objective"].as_f64().unwrap() - 1.0).abs() < 1e-12, "{result}");
    let said = run(&folder, &folder.path("bin"), &["run", "m.blo", "--backend", "ipopt"]);
    assert!(stdout(&said).contains("ipopt said: Fake 1: fine"), "{}", stdout(&said));
    // The follower would take y = 1.
    let (_, output) = answered("ipopt", MODEL, &sol("Fake 1: fine", &[1.0, 3.0, 0.0, 1.0], 0));
    let result = document(&output);
    assert_eq!((&result["status"], output.status.code()), (&"not_solved".into(), Some(1)), "{result}");
    assert!((result["lower"]["gap"].as_f64().unwrap() - 2.0).abs() < 1e-6, "{result}");
}

#[test]
fn without_an_answer_the_reason_is_the_verdict() {
    let cases = [
        (sol("Fake 1: infeasible", &[], 200), "Fake 1: infeasible"),
        (sol("Fake 1: gave up", &[1.0, 1.0, 0.0, 1.0], 400), "Fake 1: gave up"),
        (sol("fine", &[1.0, 1.0], 0), "cannot be read: it is about 4 variables with 2 values"),
        ("nonsense".into(), "cannot be read: it ends before the number of options"),
    ];
    for (text, reason) in cases {
        let (_, output) = answered("ipopt", MODEL, &text);
        let result = document(&output);
        assert_eq!((&result["status"], output.status.code()), (&"not_solved".into(), Some(1)), "{result}");
        let verdict = result["verdict"].as_str().unwrap();
        assert!(verdict.contains("`ipopt` found no answer") && verdict.contains(reason), "{verdict}");
    }
    let folder = with("ipopt", MODEL, "echo out of luck; exit 3");
    let output = run(&folder, &folder.path("bin"), &["run", "m.blo", "--backend", "ipopt", "--json"]);
    let result = document(&output);
    let verdict = result["verdict"].as_str().unwrap();
    assert!(verdict.contains("wrote no answer") && verdict.contains("out of luck"), "{verdict}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_time_limit_ends_the_program() {
    let folder = with("ipopt", MODEL, "exec sleep 600");
    let args = ["run", "m.blo", "--backend", "ipopt", "--json", "--time-limit", "0.1"];
    let output = run(&folder, &folder.path("bin"), &args);
    let result = document(&output);
    assert_eq!((&result["termination"], output.status.code()), (&"time_limit".into(), Some(1)), "{result}");
}

#[test]
fn answers_of_highs_are_read() {
    let text = "Model status\nOptimal\n\n# Primal solution values\nFeasible\nObjective 1\n# Columns 6\nx 1\ny 1\na 0\nb 1\ns 0\nt 0\n# Rows 0\n";
    let (_, output) = answered("highs", &linear(), text);
    let result = document(&output);
    assert_eq!(output.status.code(), Some(0), "{}", result["verdict"]);
    assert_eq!(result["method"], "highs");
    let message = result["message"].as_str().unwrap();
    assert!(message.starts_with("HiGHS: Optimal; ") && message.contains("held below 1e4"), "{message}");
    let none = "Model status\nInfeasible\n\n# Primal solution values\nNone\n";
    let (_, output) = answered("highs", &linear(), none);
    assert_eq!(output.status.code(), Some(1));
    assert!(document(&output)["verdict"].as_str().unwrap().contains("HiGHS: Infeasible"));
}

#[test]
fn what_is_absent_or_does_not_fit_is_refused() {
    let whole = MODEL.replace("var x: real in", "var x: int in");
    let product = MODEL.replace("y >= x\n", "y >= x^2\n");
    let refused = |name: &str, model: &str, args: &[&str], parts: &[&str]| {
        let folder = with(name, model, "exit 0");
        let output = run(&folder, &folder.path("bin"), &[&["run", "m.blo"], args].concat());
        let message = stderr(&output);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""), "{args:?} {message}");
        parts.iter().for_each(|part| assert!(message.contains(part), "{args:?}: no `{part}` in\n{message}"));
    };
    if crate::backend::real("ipopt") || crate::backend::real("highs") {
        // Absence is not to be had where they are installed for all.
    } else {
        let parts = ["no program `highs` in the folders of PATH", "install it", "`ipopt` is there"];
        refused("ipopt", MODEL, &["--backend", "highs"], &parts);
        refused("other", MODEL, &["--backend", "ipopt"], &["no program `ipopt`", "conda install"]);
    }
    refused(
        "ipopt",
        &whole,
        &["--backend", "ipopt"],
        &["`ipopt` is not for this model", "without whole numbers"],
    );
    refused("highs", &product, &["--backend", "highs"], &["E0407", "`highs` is not for this model"]);
    refused("highs", MODEL, &["--backend", "highs"], &["upper objective is quadratic"]);
    refused("highs", MODEL, &["--backend", "cplex"], &["there are ipopt and highs"]);
    refused("ipopt", MODEL, &["--backend", "ipopt", "--method", "kkt"], &["cannot be used with"]);
}

/// Whether a program is installed for all.
pub fn real(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// The programs themselves, where they are installed: what they find is right.
#[test]
fn real_programs_solve_models_where_they_are_installed() {
    let linear = linear();
    for (name, model) in [("ipopt", MODEL), ("highs", linear.as_str())] {
        if !real(name) {
            eprintln!("`{name}` is not installed: its part is skipped");
            continue;
        }
        let folder = with("other", model, "");
        let path = std::env::var("PATH").unwrap();
        let output = run(&folder, Path::new(&path), &["run", "m.blo", "--backend", name, "--json"]);
        let result = document(&output);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", result["verdict"]);
        let found = result["upper"]["objective"].as_f64().unwrap();
        assert!((found - 1.0).abs() < 1e-5, "{name}: {result}");
    }
}
