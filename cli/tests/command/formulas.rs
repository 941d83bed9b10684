//! `blo explain MODEL`: what it writes is a model again, with the same values; formulas of derivatives and LaTeX.

use std::path::Path;

use crate::common::{Folder, blo, refused, stderr, stdout};

const TOLL: &str = "upper {
  var t: real in [0, 10]
  maximize t * y[0] - 0.1 * dual(demand)
}
lower {
  var y: real[2] in [0, inf]
  minimize (2 + t) * y[0] + 6 * y[1]
  subject to demand: y[0] + y[1] >= 1
}
";

const RIDGE: &str = "data A: real[m, n] = [[1, 2], [0, 1], [2, 1]]
data b: real[m] = [1, 0, 2]
upper {
  var penalty: real = 0
  minimize sumsq(A @ w - b)
}
lower {
  var w: real[n] = 0
  minimize sumsq(A @ w - b) + exp(penalty) * sumsq(w)
}
";

fn write(folder: &Folder, name: &str, text: &str) {
    std::fs::write(folder.path(name), text).unwrap();
}

/// The toll model's single-level form in three formats.
const NL: &str = "g3 1 1 0
 6 6 1 0 2
 3 1
 0 0
 6 6 6
 0 0 0 1
 0 0 0 0 0
 14 3
 0 0
 0 0 0 0 0
C0
o2
v3
o54
3
v1
v2
n-1
C1
o2
v4
v1
C2
o2
v5
v2
C3
n0
C4
n0
C5
n0
O0 0
o1
o2
n0.1
v3
o2
v0
v1
x6
0 0
1 0
2 0
3 0
4 0
5 0
r
1 0
1 0
1 0
1 -1
4 -2
4 -6
b
0 0 10
2 0
2 0
2 0
2 0
2 0
k5
1
4
7
10
12
J0 3
1 0
2 0
3 0
J1 2
1 0
4 0
J2 2
2 0
5 0
J3 2
1 -1
2 -1
J4 3
0 1
3 -1
4 -1
J5 2
3 -1
5 -1
G0 3
0 0
1 0
3 0
";
const LP: &str = "\\ the single-level form of a bilevel model
Maximize
 obj: - 0.1 dual_demand + [ + 2 t * y_0 ] / 2
Subject To
 demand: - 1 y_0 - 1 y_1 <= -1
 stationary_y_0: + 1 t - 1 dual_demand - 1 low_y_0 = -2
 stationary_y_1: - 1 dual_demand - 1 low_y_1 = -6
 d_slack_demand: + 1 y_0 + 1 y_1 - 1 s_slack_demand = 1
 d_bound_low_y_0: + 1 y_0 - 1 s_bound_low_y_0 = 0
 d_bound_low_y_1: + 1 y_1 - 1 s_bound_low_y_1 = 0
Bounds
 0 <= t <= 10
 y_0 >= 0
 y_1 >= 0
 dual_demand >= 0
 low_y_0 >= 0
 low_y_1 >= 0
 s_slack_demand >= 0
 s_bound_low_y_0 >= 0
 s_bound_low_y_1 >= 0
SOS
 slack_demand: S1:: dual_demand:1 s_slack_demand:2
 bound_low_y_0: S1:: low_y_0:1 s_bound_low_y_0:2
 bound_low_y_1: S1:: low_y_1:1 s_bound_low_y_1:2
End
";
const MPS: &str = "NAME blo
ROWS
 N obj
 L demand
 E stationary_y_0
 E stationary_y_1
 E d_slack_demand
 E d_bound_low_y_0
 E d_bound_low_y_1
COLUMNS
 t stationary_y_0 1
 y_0 demand -1
 y_0 d_slack_demand 1
 y_0 d_bound_low_y_0 1
 y_1 demand -1
 y_1 d_slack_demand 1
 y_1 d_bound_low_y_1 1
 dual_demand obj 0.1
 dual_demand stationary_y_0 -1
 dual_demand stationary_y_1 -1
 low_y_0 stationary_y_0 -1
 low_y_1 stationary_y_1 -1
 s_slack_demand d_slack_demand -1
 s_bound_low_y_0 d_bound_low_y_0 -1
 s_bound_low_y_1 d_bound_low_y_1 -1
RHS
 RHS demand -1
 RHS stationary_y_0 -2
 RHS stationary_y_1 -6
 RHS d_slack_demand 1
BOUNDS
 LO BND t 0
 UP BND t 10
 LO BND y_0 0
 PL BND y_0
 LO BND y_1 0
 PL BND y_1
 LO BND dual_demand 0
 PL BND dual_demand
 LO BND low_y_0 0
 PL BND low_y_0
 LO BND low_y_1 0
 PL BND low_y_1
 LO BND s_slack_demand 0
 PL BND s_slack_demand
 LO BND s_bound_low_y_0 0
 PL BND s_bound_low_y_0
 LO BND s_bound_low_y_1 0
 PL BND s_bound_low_y_1
SOS
 S1 slack_demand
 dual_demand 1
 s_slack_demand 2
 S1 bound_low_y_0
 low_y_0 1
 s_bound_low_y_0 2
 S1 bound_low_y_1
 low_y_1 1
 s_bound_low_y_1 2
QUADOBJ
 t y_0 -1
ENDATA
";

/// What `blo explain` prints with these arguments.
fn explained(folder: &Path, args: &[&str]) -> String {
    let output = blo(folder, &[&["explain"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{args:?}\n{}", stderr(&output));
    stdout(&output)
}

/// The value behind `name = ` in a printed result.
fn objective(folder: &Path, args: &[&str]) -> f64 {
    let output = blo(folder, args);
    let result: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    result["upper"]["objective"].as_f64().unwrap()
}

#[test]
fn every_example_is_written_as_a_model_again() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let folder = Folder::new();
    for entry in std::fs::read_dir(&examples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "blo") {
            continue;
        }
        let model = path.to_str().unwrap();
        let written = std::fs::read_to_string(&path).unwrap();
        // Whole numbers and the pessimistic response have no such form.
        let is_whole = |line: &str| line.trim_start().starts_with("var ") && line.contains(": int");
        let has_form = !written.contains("lower pessimistic") && !written.lines().any(is_whole);
        let views = [&["--text"][..], &["--kkt"]];
        for view in views.into_iter().filter(|view| has_form || view[0] == "--text") {
            let text = explained(&examples, &[&[model], view].concat());
            // Data are found from the model's folder.
            write(
                &folder,
                "model.blo",
                &text.replace("from \"data/", &format!("from \"{}/data/", examples.display())),
            );
            let output = blo(&folder.path(""), &["check", "model.blo"]);
            assert_eq!(output.status.code(), Some(0), "{model} {view:?}\n{}\n{text}", stderr(&output));
        }
    }
}

#[test]
fn what_is_written_has_the_same_solution() {
    let folder = Folder::new();
    write(&folder, "toll.blo", TOLL);
    write(&folder, "ridge.blo", RIDGE);
    for view in [&["toll.blo", "--text"][..], &["toll.blo", "--kkt"]] {
        let text = explained(&folder.path(""), view);
        write(&folder, "again.blo", &text);
        let found = objective(&folder.path(""), &["run", "again.blo", "--json"]);
        assert!((found - 3.4).abs() < 1e-5, "{found}\n{text}");
    }
    write(&folder, "again.blo", &explained(&folder.path(""), &["ridge.blo", "--text"]));
    let run = |model| objective(&folder.path(""), &["run", model, "--json", "--method", "nested"]);
    let (before, after) = (run("ridge.blo"), run("again.blo"));
    assert!((before - after).abs() < 1e-9 * before.abs().max(1.0), "{before} and {after}");
}

#[test]
fn an_account_names_method_and_cost() {
    let folder = Folder::new();
    let model = "dim n = 100
data A: real[n, 20] ~ normal(0, 1)
upper {
  var lam: real in [0.1, 1] = 0.5
  minimize (lam - 0.3)^2
}
lower {
  var y: real[20]
  minimize sumsq(A @ y) + lam * sumsq(y - 1)
}
solve cg(steps = 5)
";
    write(&folder, "m.blo", model);
    let text = explained(&folder.path(""), &["m.blo"]);
    for part in [
        "lower minimizes a strongly convex quadratic in `y`",
        "method cg: ",
        "`auto` would take `nested`, because",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    let operations = |set: &str| {
        let text = explained(&folder.path(""), &["m.blo", "--format", "json", "--set", set]);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        document["cost"]["quantities"]["lower_value"]["operations"].as_f64().unwrap()
    };
    // The product takes 2 n 20 of them, and the squares with their sum 2 n or 3 n.
    let (once, twice) = (operations("n=100"), operations("n=200"));
    assert!((4200.0..4500.0).contains(&once), "{once}");
    assert!((4200.0..4400.0).contains(&(twice - once)), "{once} and {twice}");
}

#[test]
fn formulas_of_derivatives() {
    let folder = Folder::new();
    write(&folder, "ridge.blo", RIDGE);
    let text = explained(&folder.path(""), &["ridge.blo", "--gradient"]);
    let wanted = "upper.objective = t1
grad(upper.objective, penalty) = 0
grad(upper.objective, w) = 2 * t2
lower.objective = t1 + exp(penalty) * sumsq(w)
grad(lower.objective, w) = 2 * (t2 + w * exp(penalty))
grad(lower.objective, penalty) = exp(penalty) * sumsq(w)
# with
t1 = sumsq(A @ w - b)
t2 = A' @ (A @ w - b)
";
    assert_eq!(text, wanted);
    let text = explained(&folder.path(""), &["ridge.blo", "--hessian"]);
    assert!(text.contains("grad(grad(lower.objective, w), w) along v_w ="), "{text}");
    let text = explained(&folder.path(""), &["ridge.blo", "--latex"]);
    let wanted = "\\begin{aligned}
\\min_{\\mathrm{penalty},\\, w}\\quad & \\left\\|A w - b\\right\\|_2^2 \\\\
\\text{s.t.}\\quad & w \\in \\operatorname*{arg\\,min}_{w}\\; \\left\\|A w - b\\right\\|_2^2 + e^{\\mathrm{penalty}}\\,\\left\\|w\\right\\|_2^2
\\end{aligned}
";
    assert_eq!(text, wanted);
}

#[test]
fn other_programs_can_read_it() {
    let folder = Folder::new();
    write(&folder, "toll.blo", TOLL);
    for (file, wanted) in [("toll.nl", NL), ("toll.lp", LP), ("toll.mps", MPS)] {
        let output = blo(&folder.path(""), &["export", "toll.blo", file]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(std::fs::read_to_string(folder.path(file)).unwrap(), wanted, "{file}");
    }
    refused(&folder, &["export", "toll.blo", "toll.txt"], &["toll.txt", ".nl"]);
    write(&folder, "curved.blo", &TOLL.replace("6 * y[1]", "exp(y[1])"));
    refused(&folder, &["export", "curved.blo", "curved.lp"], &["E0407", ".nl"]);
    // Rows have names of their own, whatever the constraints are called.
    let upper = "  var t: real in [0, 10]\n  subject to t <= 9\n";
    let named = TOLL.replace("  var t: real in [0, 10]\n", upper).replace("demand:", "obj:");
    write(
        &folder,
        "rows.blo",
        &named
            .replace("dual(demand)", "t")
            .replace("y[0] + y[1] >= 1", "y[0] + y[1] >= 1\n  subject to y[0] <= 3"),
    );
    let output = blo(&folder.path(""), &["export", "rows.blo", "rows.mps"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = std::fs::read_to_string(folder.path("rows.mps")).unwrap();
    let rows = text.lines().skip_while(|line| *line != "ROWS").skip(1).take_while(|line| *line != "COLUMNS");
    let mut names: Vec<&str> = rows.filter_map(|line| line.split_whitespace().nth(1)).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), names.contains(&"obj_")), (count, true), "{text}");
}

#[test]
fn views_are_of_models() {
    let folder = Folder::new();
    refused(&folder, &["explain", "E0203", "--kkt"], &["--kkt", "a model"]);
    refused(&folder, &["explain", "absent.blo"], &["absent.blo"]);
}
