//! Published problems as models, solved on the whole road from text to machine code: closed-form fixed points of every method
//! (`docs/decisions/0005-golden-numbers.md`), lower levels with many solutions, and a coreset. The `solve` line of each model
//! is what runs.

// Helpers of tests stop the test when something is wrong, as tests do.
#![allow(clippy::unwrap_used)]

mod memory;

use blo_compiler::compile;
use blo_compiler::model::OptionValue;
use blo_runtime::monitor::Silent;
use blo_runtime::settings::Value;
use blo_runtime::solution::{Solution, solve};
use blo_runtime::solvers::{named, needs};
use memory::{Memory, model};

fn value(option: &OptionValue) -> Value {
    match option {
        OptionValue::Number(v) => Value::Number(*v),
        OptionValue::Bool(b) => Value::Bool(*b),
        OptionValue::Word(w) => Value::Word(w.clone()),
        OptionValue::Call(name, args) => {
            Value::Call(name.clone(), args.iter().map(|(n, v)| (n.clone(), value(v))).collect())
        }
    }
}

/// Runs a model's own `solve`.
fn run(text: &str) -> Solution {
    let mut model = model(text, Memory::default());
    let declared = model.solve.clone().unwrap();
    let solver = named(&declared.method).unwrap();
    let mut written: Vec<(String, Value)> =
        declared.options.iter().map(|(name, v, _)| (name.clone(), value(v))).collect();
    // Published are the methods' own iterates.
    written.push(("finish".to_string(), Value::Bool(false)));
    let settings = solver.settings(&written, std::iter::empty()).unwrap();
    let mut problem = compile(&mut model, &needs(solver, &settings), 0).unwrap();
    solve(&mut problem, solver, &settings, &mut Silent)
}

/// `f = ½y² − xy`, `F = ½y² + ½(x − 1)²`: the bilevel solution is x = ½, and each method has its own limit.
const QUADRATIC: &str = "upper {\n  var x: real = 0\n  minimize 0.5 * y^2 + 0.5 * (x - 1)^2\n}\n\
    lower {\n  var y: real = 0\n  minimize 0.5 * y^2 - x * y\n}\n";

/// Where a method's `x` ends there.
fn limit(solve: &str) -> f64 {
    run(&format!("{QUADRATIC}solve {solve}\n")).x[0]
}

#[track_caller]
fn row(solve: &str, expected: f64) {
    let found = limit(solve);
    assert!((found - expected).abs() < 1e-6, "{solve}: x = {found:.8}, the closed form is {expected:.8}");
}

/// On whole sums SOBA and its relatives have no bias; the series of stocBiO has that of its length.
#[test]
fn fixed_points_of_stochastic_methods() {
    let common = "lower_step = 0.1, upper_step = 0.1, decay = 0, steps = 3000, tolerance = 1e-12";
    for method in ["soba", "saba", "srba", "ma_soba", "fsla", "amigo"] {
        row(&format!("{method}({common})"), 0.5);
    }
    // How fast it gets there: 500 iterations from x = y = 2 leave a relative error of 4.7e-11.
    let text = QUADRATIC.replace("real = 0", "real = 2");
    let end = run(&format!(
        "{text}solve soba(lower_step = 0.1, upper_step = 0.1, decay = 0, steps = 500, tolerance = 0)\n"
    ));
    let error = (end.x[0] - 0.5).abs() / 0.5;
    assert!((4.6e-11..4.8e-11).contains(&error), "{error:e}");
    for (terms, x) in [(0, 0.909091), (1, 0.840336), (5, 0.680939), (10, 0.593053)] {
        row(&format!("stocbio({common}, terms = {terms})"), x);
    }
}

#[test]
fn fixed_points_of_rhg() {
    for (steps, x) in
        [(1, 0.990099), (5, 0.856385), (10, 0.702139), (20, 0.564453), (50, 0.502584), (100, 0.500013)]
    {
        row(&format!("rhg(lower_steps = {steps}, lower_step = 0.1, upper_step = 0.5, tolerance = 1e-12)"), x);
    }
    for (steps, last, x) in [(10, 5, 0.789439), (20, 10, 0.636077)] {
        row(
            &format!(
                "rhg(lower_steps = {steps}, truncate = {last}, lower_step = 0.1, upper_step = 0.5, tolerance = 1e-12)"
            ),
            x,
        );
    }
    for (steps, x) in [(1, 0.909091), (5, 0.709466), (10, 0.605576), (20, 0.532361)] {
        row(
            &format!(
                "rhg(lower_steps = {steps}, warm = true, lower_step = 0.1, upper_step = 0.5, tolerance = 1e-12)"
            ),
            x,
        );
    }
}

/// Pieces, by name and as compositions of one's own; the closed forms are those of the runtime's tests.
#[test]
fn fixed_points_of_compositions() {
    let steps = "lower_step = 0.1, upper_step = 0.5, tolerance = 1e-12, steps = 20000";
    for (method, x) in [
        ("fhg(lower_steps = 5,", 0.856385),
        ("bda(alpha = 0.1, share = constant, pull_step = 0.1, lower_steps = 300,", 0.552486),
        ("darts(", 0.909091),
        ("fixed_point(adjoint_steps = 6, warm_adjoint = false, adjoint_tolerance = 0,", 0.680939),
        ("bilevel(init = learned, hypergradient = reverse, lower_steps = 10,", 1.0),
        ("bilevel(init = learned(bound = 1), hypergradient = reverse, lower_steps = 10,", 0.861596),
        ("bilevel(lower = nesterov(lower_momentum = 0.5), hypergradient = direct,", 0.5),
        ("bilevel(init = cold, truncate = last(5), hypergradient = reverse, lower_steps = 10,", 0.789439),
    ] {
        row(&format!("{method} {steps})"), x);
    }
    row("shine(upper_step = 0.5, tolerance = 1e-12)", 0.5);
}

#[test]
fn fixed_point_of_cg_is_the_solution() {
    row("cg(lower_step = 0.1, upper_step = 0.5, tolerance = 1e-12)", 0.5);
}

#[test]
fn fixed_points_of_bome() {
    for (steps, x) in [(1, 0.909091), (5, 0.709466), (10, 0.605576), (20, 0.532361)] {
        row(
            &format!(
                "bome(lower_steps = {steps}, lower_step = 0.1, upper_step = 0.05, y_step = 0.05, steps = 20000, \
                 tolerance = 1e-12, epsilon = 1e-20)"
            ),
            x,
        );
    }
}

#[test]
fn fixed_points_of_meha() {
    for (c, gamma, x) in [(1, 1, 0.75), (10, 1, 0.545455), (10, 10, 0.526066), (100, 2, 0.503722)] {
        row(
            &format!(
                "meha(c = {c}, gamma = {gamma}, p = 0, steps = 20000, lower_step = 0.1, upper_step = 0.1, \
                 y_step = 0.1, tolerance = 1e-12)"
            ),
            x,
        );
    }
}

/// Liu et al. (ICML 2020): `y₂` is not seen by the follower. The solution is x = 1, y = (1, 1); unrolling stops at x = ½.
#[test]
fn a_lower_level_with_many_solutions() {
    let text = |solve: &str| {
        format!(
            "upper {{\n  var x: real in [-100, 100] = 0\n  minimize 0.5 * (x - y[1])^2 + 0.5 * (y[0] - 1)^2\n}}\n\
             lower {{\n  var y: real[2] = 0\n  minimize 0.5 * y[0]^2 - x * y[0]\n}}\nsolve {solve}\n"
        )
    };
    let bome =
        run(&text("bome(steps = 500, upper_step = 0.5, y_step = 0.5, lower_steps = 1, lower_step = 0.5)"));
    assert!((bome.x[0] - 1.0).abs() < 1e-5 && (bome.y[1] - 1.0).abs() < 1e-5, "{bome:?}");
    let rhg = run(&text("rhg(lower_steps = 64, lower_step = 0.1, upper_step = 0.5)"));
    assert!((rhg.x[0] - 0.5).abs() < 1e-3 && (rhg.upper_objective - 0.25).abs() < 1e-3, "{rhg:?}");
}

/// The same in n dimensions (Gao et al., ICML 2024, arXiv 2405.09927): how far MEHA's iterate is from all ones, where the upper
/// objective is 0.
fn off_all_ones(n: usize, steps: usize) -> f64 {
    let solution = run(&format!(
        "
dim n = {n}
upper {{
  var x: real[n] = 0.01
  minimize 0.5 * sumsq(x - y[1]) + 0.5 * sumsq(y[0] - 1)
}}
lower {{
  var y: real[2, n] = 0.01
  minimize 0.5 * sumsq(y[0]) - x @ y[0]
}}
solve meha(steps = {steps}, upper_step = 0.5, y_step = 0.5, lower_step = 0.5, gamma = 2, c = 1, p = 0.3, tolerance = 0)
"
    ));
    solution.x.iter().chain(&solution.y).map(|v| (v - 1.0).abs()).fold(0.0, f64::max)
}

#[test]
fn meha_in_many_dimensions() {
    let worst = off_all_ones(100, 20_000);
    assert!(worst < 1e-9, "{worst:e}");
}

#[test]
fn meha_in_a_thousand_dimensions() {
    let worst = off_all_ones(1000, 3000);
    assert!(worst < 1e-4, "{worst:e}");
}

/// BOME's coreset with the published settings: from equal weights to F = 0.7089 with 10 lower steps, near the infimum 0.72.
#[test]
fn coreset() {
    let text = |lower_steps: i32, lower_step: f64| {
        format!(
            "data p: real[4, 2] = [[1, 3], [3, 1], [-2, 2], [-3, -2]]\ndata x0: real[2] = [3, -2]\n\
             upper {{\n  var w: real[4] = 0\n  minimize 0.1 * sumsq(theta - x0)\n}}\n\
             lower {{\n  var theta: real[2] = [0, 3]\n  minimize sumsq(theta - softmax(w) @ p)\n}}\n\
             solve bome(steps = 5000, lower_steps = {lower_steps}, lower_step = {lower_step}, upper_step = 0.05, \
             y_step = 0.05, epsilon = 1e-4)\n"
        )
    };
    let ten = run(&text(10, 0.05));
    assert!((ten.upper_objective - 0.7089).abs() < 6e-5, "{}", ten.upper_objective);
    assert!((ten.y[0] - 1.8167).abs() < 6e-5 && (ten.y[1] - 0.3851).abs() < 6e-5, "{:?}", ten.y);
    assert!((run(&text(100, 0.05)).upper_objective - 0.7011).abs() < 6e-5);
    assert!((run(&text(1, 0.1)).upper_objective - 0.7294).abs() < 6e-5);
}

/// The sine sum with a nonconvex follower: `F = (x − 2)² + ‖y − 4‖²`, `f = Σ sin(x + y_i − 2)`. From (3, 3) MEHA ends near the solution
/// of the valley `x + y − 2 = 3π/2`, up to the bias of a finite penalty; from (0, 0) in two dimensions at maximisers of the follower.
#[test]
fn sines() {
    let text = |n: usize, x: f64, y: f64| {
        format!(
            "upper {{\n  var x: real = {x:?}\n  minimize (x - 2)^2 + sumsq(y - 4)\n}}\n\
             lower {{\n  var y: real[{n}] = {y:?}\n  minimize sum(sin(x + y - 2))\n}}\n\
             solve meha(steps = 50000, upper_step = {:?}, y_step = 0.01, lower_step = 0.1, gamma = 0.4, c = 1, p = 0.3, \
             tolerance = 0)\n",
            0.01 / (n as f64).sqrt()
        )
    };
    for (n, x, y) in [(1, 2.3133, 4.3133), (2, 2.4353, 4.2177)] {
        for (x0, y0) in [(3.0, 3.0), (2.0, 4.0)] {
            let end = run(&text(n, x0, y0));
            assert!((end.x[0] - x).abs() < 6e-5 && (end.y[0] - y).abs() < 6e-5, "{n}: {end:?}");
        }
    }
    // The gap that the check finds is the honest one: -sin(x + y - 2) - 1 per term.
    let end = run(&text(1, 3.0, 3.0));
    let gap = end.check.lower.as_ref().unwrap().gap;
    assert!((gap - 0.0037).abs() < 6e-5, "{gap}");
    let valley = run(&text(2, 0.0, 0.0));
    assert!((valley.x[0] - 0.4422).abs() < 6e-5 && (valley.y[0] - 3.2209).abs() < 6e-5, "{valley:?}");
    let height = |end: &Solution| end.y.iter().map(|y| (end.x[0] + y - 2.0).sin()).sum::<f64>();
    assert!(height(&valley) > 1.9, "a maximum of the follower: {}", height(&valley));
    let same = run(&text(2, -6.0, 0.0));
    assert!((same.x[0] - 0.4422).abs() < 6e-5 && (same.y[0] - 3.2209).abs() < 6e-5, "{:?}", same.x);
    // In thirty dimensions: the valley of the solution, another one, and maximisers, by the start.
    for (x0, y0) in [(3.0, 3.0), (2.0, 4.0)] {
        let end = run(&text(30, x0, y0));
        assert!((end.x[0] - 2.6834).abs() < 6e-5 && (end.y[0] - 4.0228).abs() < 6e-5, "{:?}", end.x);
        assert!((end.upper_objective - 0.4826).abs() < 6e-5, "{}", end.upper_objective);
    }
    let other = run(&text(30, 0.0, 0.0));
    assert!((other.x[0] + 3.344).abs() < 6e-4 && height(&other) < -29.0, "{:?}", other.x);
    assert!(height(&run(&text(30, -6.0, 0.0))) > 29.0);
}

/// The same by BVFSM: with a squared penalty that grows the lower gap goes to 0 and the end to the solution; with a logarithmic
/// barrier, as published, the end has a small upper objective and is no solution.
#[test]
fn sines_by_sequential_minimisation() {
    let text = |solve: &str| {
        format!(
            "upper {{\n  var x: real = 3\n  minimize (x - 2)^2 + sumsq(y - 4)\n}}\n\
             lower {{\n  var y: real[2] = 3\n  minimize sum(sin(x + y - 2))\n}}\nsolve {solve}\n"
        )
    };
    let gap = |solution: &Solution| solution.check.lower.as_ref().unwrap().gap;
    let end = run(&text("bvfsm(steps = 5000, upper_step = 0.01, sigma = linear(100, 10))"));
    assert!((end.x[0] - 2.4749).abs() < 0.02 && (end.upper_objective - 0.33833).abs() < 0.03, "{end:?}");
    assert!(gap(&end) < 1e-3, "{end:?}");
    let barrier = run(&text(
        "penalty(surrogate = regularised_copy(fade = 0.5), weight = log_barrier(sigma = power(1, 1)), \
         order = lower_first(y_steps = 25), lower_steps = 50, steps = 5000, upper_step = 0.01, scale = lower)",
    ));
    assert!(barrier.upper_objective < 0.05 && gap(&barrier) > 0.2, "{barrier:?}");
}

/// V-PBGD's toy with right gradients: starts spread over the box end in the three minima of `x ↦ F(x, −x)`, shifted by the penalty.
#[test]
fn cosine_valleys() {
    let text = |x: f64, y: f64| {
        format!(
            "upper {{\n  var x: real in [0, 3] = {x:?}\n  \
             minimize cos(4 * y + 2) / (1 + exp(2 - 4 * x)) + 0.5 * log((4 * x - 2)^2 + 1)\n}}\n\
             lower {{\n  var y: real = {y:?}\n  minimize (x + y)^2 + x * sin(x + y)^2\n}}\n\
             solve vpbgd(steps = 5000, penalty = 10, upper_step = 0.1, y_step = 0.01, lower_steps = 100, lower_step = 0.1, \
             tolerance = 1e-6)\n"
        )
    };
    let ends = [(0.367, -0.334), (1.188, -1.213), (2.824, -2.830)];
    let mut seen = [0; 3];
    for i in 0..6 {
        for j in 0..4 {
            let end = run(&text(0.25 + 0.55 * f64::from(i), -5.0 + 3.5 * f64::from(j)));
            let near = |(x, y): &(f64, f64)| (end.x[0] - x).abs() < 2e-2 && (end.y[0] - y).abs() < 2e-2;
            let at = ends.iter().position(near).unwrap_or_else(|| panic!("({i}, {j}): {end:?}"));
            seen[at] += 1;
        }
    }
    assert!(seen.iter().all(|&n| n > 0), "{seen:?}");
}
