//! First-order methods for followers with constraints, with their default steps, on published problems whose solutions are known in
//! closed form: three valleys under a bound (Jiang et al. 2024), and two of any size with one coupled equality (Yao et al. 2024, 2025).

// Helpers of tests stop the test when something is wrong, as tests do.
#![allow(clippy::unwrap_used)]

mod memory;

use blo_compiler::compile_single_level;
use blo_runtime::monitor::Silent;
use blo_runtime::problem::Feature;
use blo_runtime::settings::Value;
use blo_runtime::solution::{Solution, solve};
use blo_runtime::solvers::{SOLVERS, named, needs};
use blo_runtime::status::{PointStatus, Termination};
use memory::{Memory, model};

const METHODS: [&str; 4] = ["sflcb", "gaffa", "blocc", "lvhba"];

fn run(text: &str, method: &str, written: &[(&str, Value)]) -> Solution {
    let mut model = model(text, Memory::default());
    let solver = named(method).unwrap();
    let written: Vec<(String, Value)> =
        written.iter().map(|(name, value)| ((*name).to_string(), value.clone())).collect();
    let settings = solver.settings(&written, std::iter::empty()).unwrap();
    let mut problem = compile_single_level(&mut model, &needs(solver, &settings), 0).unwrap();
    solve(&mut problem, solver, &settings, &mut Silent)
}

fn valleys(start: f64) -> String {
    format!(
        "
upper {{
  var x: real in [0, 3] = {start:?}
  minimize exp(2 - y) / (2 + cos(6*x)) + 0.5 * log((4*x - 2)^2 + 1)
}}
lower {{
  var y: real = {start:?}
  minimize (y - 2*x)^2
  subject to y <= x
}}
"
    )
}

/// The follower answers `y = x` everywhere.
const MINIMA: [(f64, f64); 4] =
    [(0.148891, 2.96850), (0.986225, 1.72188), (2.019726, 2.15611), (2.990774, 2.44573)];

/// What the projection undoes leaves no drift along the bound: `x` and `y` have one step size.
#[test]
fn a_projection_leaves_no_drift() {
    for (start, minimum) in [(0.2, MINIMA[0].0), (1.4, MINIMA[1].0)] {
        let s = run(&valleys(start), "lvhba", &[("steps", Value::Number(10_000.0))]);
        assert!((s.x[0] - minimum).abs() < 1e-3, "from {start}: {:?}, {}", s.x, s.verdict);
    }
}

/// Where the first direction of `x` is 0, `y` moves all the same.
#[test]
fn a_leader_at_rest_does_not_hold_the_follower() {
    let text = "
upper {
  var x: real = 0
  minimize 0.5 * (x - y[1])^2 + 0.5 * (y[0] - 1)^2
}
lower {
  var y: real[2] = 0
  minimize 0.5 * y[0]^2 - x * y[0]
}
";
    for method in METHODS {
        let s = run(text, method, &[]);
        assert!((s.x[0] - 1.0).abs() < 1e-3 && (s.y[1] - 1.0).abs() < 1e-3, "{method}: {:?}", s.x);
    }
}

/// The solution is x = 1, y1 = 2, y2 = −3 in every coordinate, with the multiplier −1.
fn coupled(n: usize) -> String {
    format!(
        "
dim n = {n}
upper {{
  var x: real[n]
  minimize sum((y1[i] - 2) * (x[i] - 1) for i in n) + sum((y2[i] + 3)^2 for i in n)
}}
lower {{
  var y1: real[n]
  var y2: real[n]
  minimize 0.5*sumsq(y1) - sum(x[i]*y1[i] for i in n) + sum(y2)
  subject to sum(x) + sum(y1) + sum(y2) == 0
}}
"
    )
}

/// The solution is x = −0.3, y1 = 0.7, y2 = −0.4 in every coordinate, `F = 0.05 n`.
fn shared(n: usize) -> String {
    format!(
        "
dim n = {n}
upper {{
  var x: real[n] = 10
  minimize 0.5*sum((x[i] - y2[i])^2 for i in n) + 0.5*sum((y1[i] - 1)^2 for i in n)
}}
lower {{
  var y1: real[n]
  var y2: real[n] = -10
  minimize 0.5*sumsq(y1) - sum(x[i]*y1[i] for i in n) + sum(y2)
  subject to sum(x) + sum(y1) + sum(y2) == 0
}}
"
    )
}

/// From twenty starts, every run ends at one of the minima, and all four are found. `lvhba` needs more steps, the first of which are as
/// long as its multipliers are wrong, so that it leaves the nearest valley.
#[test]
fn every_start_ends_in_a_valley() {
    for (method, steps, all) in [("sflcb", 3000.0, true), ("blocc", 3000.0, true), ("lvhba", 20_000.0, false)]
    {
        let mut found = [false; 4];
        for k in 0..20 {
            let s = run(&valleys(0.05 + 0.15 * f64::from(k)), method, &[("steps", Value::Number(steps))]);
            let valley = MINIMA.iter().position(|(x, f)| {
                (s.x[0] - x).abs() < 1e-4 && (s.upper_objective - f).abs() < 2e-5 && (s.y[0] - x).abs() < 1e-4
            });
            found[valley.unwrap_or_else(|| panic!("{method}: {:?}, {}", s.x, s.verdict))] = true;
            assert_eq!(s.point, PointStatus::Stationary, "{}", s.verdict);
        }
        assert!(!all || found.iter().all(|f| *f), "{method}: {found:?}");
    }
}

#[test]
fn one_coupled_equality() {
    for method in METHODS {
        let s = run(&coupled(10), method, &[("steps", Value::Number(20_000.0))]);
        let off = s.x.iter().map(|x| (x - 1.0).abs()).fold(0.0, f64::max);
        assert!(off < 2e-3, "{method}: {off:e}, {}", s.verdict);
        let exact = [[2.0; 10], [-3.0; 10]].concat();
        let off = s.y.iter().zip(&exact).map(|(y, e)| (y - e).abs()).fold(0.0, f64::max);
        assert!(off < 2e-3, "{method}: {off:e}, {}", s.verdict);
    }
}

/// The same where the cube of `x` is coupled, which does not move the solution. For the projection of `lvhba` the points that satisfy the
/// row are not convex.
#[test]
fn one_coupled_cube() {
    let text = coupled(10).replace("subject to sum(x)", "subject to sum(x[i]^3 for i in n)");
    for method in ["sflcb", "blocc", "gaffa"] {
        let s = run(&text, method, &[("steps", Value::Number(20_000.0))]);
        assert!(s.x.iter().all(|x| (x - 1.0).abs() < 1e-5), "{method}: {:?}, {}", s.x, s.verdict);
    }
}

/// With the authors' sizes `y` moves as far as `x`: a step as long as that of the proximal answer diverges where a row is long.
#[test]
fn gaffa_with_published_steps() {
    let preset = [("preset", Value::Word("paper".into())), ("steps", Value::Number(300.0))];
    let s = run(&coupled(100), "gaffa", &preset);
    assert_eq!(s.termination, Termination::Steps, "{}", s.verdict);
}

/// The bias is of the order of the weight of `F`.
#[test]
fn a_small_bias() {
    for (method, weight, value) in [("sflcb", "delta", 0.01), ("gaffa", "c", 10.0), ("blocc", "gamma", 100.0)]
    {
        let settings = [("steps", Value::Number(20_000.0)), (weight, Value::Number(value))];
        let s = run(&shared(10), method, &settings);
        let near = if method == "gaffa" { 0.02 } else { 2e-3 };
        assert!(s.x.iter().all(|x| (x + 0.3).abs() < near), "{method}: {:?}, {}", s.x, s.verdict);
        assert!((s.upper_objective - 0.5).abs() < near, "{method}: {}, {}", s.upper_objective, s.verdict);
        assert!(s.check.violation.unwrap() < 1e-6, "{}", s.verdict);
    }
}

/// The published run of 20,000 iterations with these proximities and c = 1 ends at −0.3047, its bias included.
#[test]
fn lvhba_ends_where_published() {
    let s = run(&shared(10), "lvhba", &[("steps", Value::Number(20_000.0))]);
    assert!(s.x.iter().all(|x| (x + 0.3047).abs() < 5e-5), "{:?}", s.x);
}

/// A step out of the domain of a logarithm is said as such, at the last good iterate; where the sizes were found, smaller
/// ones do in a single loop.
#[test]
fn what_is_not_finite_stops_the_run() {
    let text = "
upper {
  var x: real = 0.5
  minimize (y - 1)^2 + x^2
}
lower {
  var y: real = 0.1
  minimize y - x * log(y)
  subject to log(y) <= -3
}
";
    for method in ["gaffa", "blocc", "lvhba"] {
        let found = run(text, method, &[]);
        let whole = found.fault.is_none() && !found.termination.is_failure();
        assert!(method == "blocc" || whole, "{method}: {}", found.verdict);
        let s = run(text, method, &[("upper_step", Value::Number(0.01))]);
        assert!(matches!(s.termination, Termination::NonFinite { .. }), "{method}: {}", s.verdict);
        assert!(s.fault.is_some() && s.x.iter().chain(&s.y).all(|v| v.is_finite()), "{method}: {:?}", s.y);
    }
}

#[test]
fn what_they_do_not_handle_is_refused() {
    for method in METHODS {
        let solver = SOLVERS.iter().find(|s| s.name == method).unwrap();
        let reason = solver.misfit(true, &[Feature::LowerConstraints, Feature::Multipliers]).unwrap();
        assert!(reason.contains("does not handle multipliers of the lower level"), "{reason}");
        assert!(solver.misfit(false, &[]).unwrap().contains("needs a lower level"));
        assert!(solver.misfit(true, &[]).is_none());
    }
}
