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
        for view in [&[][..], &["--kkt"]] {
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
    for view in [&["toll.blo"][..], &["toll.blo", "--kkt"]] {
        let text = explained(&folder.path(""), view);
        write(&folder, "again.blo", &text);
        let found = objective(&folder.path(""), &["run", "again.blo", "--json"]);
        assert!((found - 3.4).abs() < 1e-5, "{found}\n{text}");
    }
    write(&folder, "again.blo", &explained(&folder.path(""), &["ridge.blo"]));
    let run = |model| objective(&folder.path(""), &["run", model, "--json", "--method", "nested"]);
    let (before, after) = (run("ridge.blo"), run("again.blo"));
    assert!((before - after).abs() < 1e-9 * before.abs().max(1.0), "{before} and {after}");
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
fn views_are_of_models() {
    let folder = Folder::new();
    refused(&folder, &["explain", "E0203", "--kkt"], &["--kkt", "a model"]);
    refused(&folder, &["explain", "absent.blo"], &["absent.blo"]);
}
