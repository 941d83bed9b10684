//! Nonsmooth terms of lower objectives: which are recognised, that the parts add up to the objective, and solutions of models with
//! them.

// Helpers of tests stop the test when something is wrong, as tests do.
#![allow(clippy::unwrap_used)]

mod memory;

use blo_compiler::{compile, proximal};
use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::monitor::Silent;
use blo_runtime::settings::Value;
use blo_runtime::solution::{Solution, solve};
use blo_runtime::solvers::{named, needs};
use memory::{Memory, model};

/// A model with this lower objective over `w: real[4]`, `v: real[2, 3]` and `s`, all with these domains.
fn text(objective: &str, domain: &str) -> String {
    format!(
        "dim g = 2\ndim k = 4\ndata A: real[5, k] ~ normal(0, 1)\ndata b: real[5] ~ normal(0, 1)\n\
         data c: real[g] = [0.5, 2]\nparam epsilon = 0.1\n\
         upper {{\n  var x: real[2] in [0, inf] = [0.3, 0.7]\n  var lam: real[g] = [0.1, -0.2]\n  \
         minimize sumsq(w) + sumsq(v) + s^2 + sumsq(x) + sumsq(lam)\n}}\n\
         lower {{\n  var w: real[k]{domain} = 0.5\n  var v: real[g, 3]{domain} = 0.25\n  var s: real{domain} = 1\n  \
         minimize 0.5 * sumsq(A @ w - b) + sumsq(v) + s^2 + {objective}\n}}\n"
    )
}

/// Recognised norms as `(words, count)`, and what is left.
fn found(objective: &str, domain: &str) -> (Vec<(&'static str, usize)>, Vec<&'static str>) {
    let split = proximal(&model(&text(objective, domain), Memory::default())).unwrap();
    let taken = split.taken.iter().map(|t| (t.norm.words(), t.count)).collect();
    (taken, split.left.iter().map(|l| l.reason).collect())
}

const L1: &str = "absolute values";
const L2: &str = "Euclidean norms of groups";

const TERMS: [(&str, &[(&str, usize)]); 12] = [
    ("x[0] * norm1(w)", &[(L1, 4)]),
    ("x[0] * norm1(w) + 0.5 * x[1] * sumsq(w)", &[(L1, 4)]),
    ("x[0] * sum(abs(w)) + norm1(v)", &[(L1, 4), (L1, 6)]),
    ("sum(x[0] * abs(w[i]) for i in k) + abs(s) / 2", &[(L1, 4), (L1, 1)]),
    ("x[0] * mean(abs(w[1..3]))", &[(L1, 2)]),
    ("sum(exp(lam[j]) * norm(v[j]) for j in g)", &[(L2, 2)]),
    ("exp(lam) @ norm(v, 1) + x[1] * norm1(v)", &[(L2, 2), (L1, 6)]),
    ("norm(w)", &[(L2, 1)]),
    ("x[0] * sqrt(w @ w)", &[(L2, 1)]),
    ("sum(c[j] * sqrt(sum(v[j, i]^2 for i in 3)) for j in g)", &[(L2, 2)]),
    ("sum(x[i] * norm(w[2 * i..2 * i + 2]) for i in 2)", &[(L2, 2)]),
    ("x[0] * (norm1(w) + 3 * sum(norm(v[j]) for j in g))", &[(L2, 2), (L1, 4)]),
];

#[test]
fn terms_are_recognised() {
    for (objective, expected) in TERMS {
        let (mut taken, left) = found(objective, "");
        let mut expected = expected.to_vec();
        taken.sort_unstable();
        expected.sort_unstable();
        assert_eq!((taken, left), (expected, vec![]), "{objective}");
    }
    // Over boxes and balls entries alone are shrunk.
    for domain in [" in [-1, 2]", " in ball(2)"] {
        assert_eq!(found("x[0] * norm1(w)", domain).0, [(L1, 4)], "{domain}");
    }
}

#[test]
fn what_is_left_says_why() {
    for (objective, domain, reason) in [
        ("norm1(A @ w - b)", "", "entries of variables alone"),
        ("norm(2 * w)", "", "entries of variables alone"),
        ("x[0] * norm1(w)^2", "", "not a term of its own"),
        ("s * norm1(w)", "", "not a term of its own"),
        ("exp(norm(w))", "", "not a term of its own"),
        ("sum(relu(w))", "", "without a proximal operator"),
        ("max(s, 0)", "", "without a proximal operator"),
        ("norm(w)", " in [-1, 1]", "domain"),
        ("norm(w) + norm(w[0..2])", "", "in common"),
    ] {
        let (_, left) = found(objective, domain);
        assert!(left.len() == 1 && left[0].contains(reason), "{objective}: {left:?}");
    }
    assert_eq!(found("sqrt(sumsq(w) + epsilon^2)", ""), (vec![], vec![]));
}

/// The smooth part and the norms with their weights are the objective, in value and in gradient where it has one.
#[test]
fn parts_add_up() {
    for (objective, _) in TERMS {
        let needs = [
            Quantity::LowerGradient,
            Quantity::LowerGradientX,
            Quantity::SmoothGradient,
            Quantity::ProximalWeights,
        ];
        let mut problem = compile(&mut model(&text(objective, ""), Memory::default()), &needs, 0).unwrap();
        let x = [0.4, 0.9, -0.3, 0.2];
        let y: Vec<f64> = (0..11).map(|i| (1.7 * f64::from(i) + 1.0).sin()).collect();
        let (mut whole, mut smooth) = (vec![0.0; 11], vec![0.0; 11]);
        problem.weigh(&x, &y);
        let value = problem.lower_gradient(&x, &y, &mut whole);
        let part = problem.smooth_gradient(&x, &y, &mut smooth);
        let sum = part + problem.nonsmooth(&y);
        assert!((value - sum).abs() < 1e-12 * value.abs().max(1.0), "{objective}: {value} is not {sum}");
        let step = 1e-6;
        for i in 0..11 {
            let mut beside = y.clone();
            beside[i] += step;
            let high = problem.nonsmooth(&beside);
            beside[i] -= 2.0 * step;
            let slope = (high - problem.nonsmooth(&beside)) / (2.0 * step);
            assert!((whole[i] - smooth[i] - slope).abs() < 1e-8, "{objective}: entry {i}");
        }
    }
}

fn number(name: &str, value: f64) -> (String, Value) {
    (name.to_string(), Value::Number(value))
}

fn run(text: &str, method: &str, written: &[(String, Value)]) -> Solution {
    let mut model = model(text, Memory::default());
    let solver = named(method).unwrap();
    let settings = solver.settings(written, std::iter::empty()).unwrap();
    let mut problem = compile(&mut model, &needs(solver, &settings), 0).unwrap();
    solve(&mut problem, solver, &settings, &mut Silent)
}

/// `½ ‖y − a‖² + x |y|₁` is solved by `y = soft(a, x)`. With `F = ½ (y₁ − 1)² + ½ y₂²`, `a = (3, 1.5)`: for x in [1.5, 3] `y₂` is 0
/// and `y₁ = 3 − x`, so x = 2 solves it, with F = 0.
#[test]
fn meha_with_absolute_values() {
    let text = "data a: real[2] = [3, 1.5]\n\
                upper {\n  var x: real in [0, 10] = 0.5\n  minimize 0.5 * (y[0] - 1)^2 + 0.5 * y[1]^2\n}\n\
                lower {\n  var y: real[2] = 0\n  minimize 0.5 * sumsq(y - a) + x * norm1(y)\n}\n";
    let solution = run(text, "meha", &[number("steps", 20000.0), number("tolerance", 1e-11)]);
    assert!((solution.x[0] - 2.0).abs() < 1e-6, "{solution:?}");
    assert!((solution.y[0] - 1.0).abs() < 1e-6 && solution.y[1] == 0.0, "{solution:?}");
    // The check polishes with proximal steps, and knows that the entry at 0 does not move.
    let lower = solution.check.lower.as_ref().unwrap();
    assert!(lower.solved && lower.polished, "{lower:?}");
    assert!(solution.check.hypergradient_norm.unwrap() < 1e-5, "{solution:?}");
}

/// `½ ‖y − a‖² + x ‖y‖` with `‖a‖ = 5` has the solution `(1 − x/5) a`; `F = ½ ‖y − a/2‖²` is 0 at x = 2.5.
#[test]
fn meha_with_a_group() {
    let text = "data a: real[2] = [3, 4]\n\
                upper {\n  var x: real in [0, 10] = 0.5\n  minimize 0.5 * sumsq(y - a / 2)\n}\n\
                lower {\n  var y: real[2] = 0\n  var z: real[3] = 1\n  \
                minimize 0.5 * sumsq(y - a) + x * norm(y) + 0.5 * sumsq(z) + 0.5 * norm(z)\n}\n";
    let solution = run(text, "meha", &[number("steps", 20000.0), number("tolerance", 1e-11)]);
    assert!((solution.x[0] - 2.5).abs() < 1e-6, "{solution:?}");
    assert_eq!(solution.y[2..], [0.0; 3], "{solution:?}");
    assert!(solution.check.lower.as_ref().unwrap().solved, "{solution:?}");
    assert!(solution.check.hypergradient_norm.unwrap() < 1e-5, "{solution:?}");
}

/// A method that walks along subgradients is judged by the same check: its gap is measured from the proximal solution.
#[test]
fn the_gap_of_any_method_is_honest() {
    let text = "data a: real[2] = [3, 0.5]\n\
                upper {\n  var x: real in [1, 1] = 1\n  minimize 0.5 * sumsq(y)\n}\n\
                lower {\n  var y: real[2] = 1\n  minimize 0.5 * sumsq(y - a) + x * norm1(y)\n}\n";
    let mut written = vec![number("steps", 0.0), number("lower_steps", 1.0), number("lower_step", 1e-9)];
    let finished = run(text, "cg", &written);
    assert!((finished.y[0] - 2.0).abs() < 1e-8 && finished.y[1] == 0.0, "{finished:?}");
    written.push(("finish".to_string(), Value::Bool(false)));
    let solution = run(text, "cg", &written);
    let lower = solution.check.lower.as_ref().unwrap();
    // At y = (1, 1) the value is 2 + 1/8 + 2, at the solution (2, 0) it is 1/2 + 1/8 + 2.
    assert!((lower.gap - 1.5).abs() < 1e-7, "{lower:?}");
    assert!((lower.solution[0] - 2.0).abs() < 1e-8 && lower.solution[1] == 0.0, "{lower:?}");
}
