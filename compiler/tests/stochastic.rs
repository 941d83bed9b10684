//! Stochastic methods on finite sums, from text to machine code: their rates and limits on quadratics whose exact hypergradient the
//! model reports, what they count, and that only the seed decides what they draw.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test when something is wrong, as tests do")]

mod memory;

use blo_compiler::{Sampling, compile, compile_sampled};
use blo_runtime::monitor::{Control, Monitor, Progress, Silent};
use blo_runtime::problem::Problem;
use blo_runtime::settings::{Settings, Value};
use blo_runtime::solution::{Solution, resume, solve};
use blo_runtime::solvers::{Point, Solver, batch, named, needs};
use blo_runtime::state::Snapshot;
use blo_runtime::status::Termination;
use memory::{Memory, model};

/// Quadratics as in the benchmark of Dagréou et al. (2022): terms `½ (a y)² − (a y)(c x) + b y` below and `½ (e y)² + ½ (h x)² + g y + r x`
/// above, curvatures between 0.1 and 1; the report is the square of the exact hypergradient.
fn quadratics(n: usize, m: usize, d: usize) -> String {
    format!(
        "dim n = {n}\ndim m = {m}\ndim d = {d}
data ga: real[n, d] ~ normal(0, 1)
data gc: real[n, d] ~ normal(0, 1)
data b: real[n, d] ~ normal(0, 1)
data ge: real[m, d] ~ normal(0, 1)
data gh: real[m, d] ~ normal(0, 1)
data g: real[m, d] ~ normal(0, 1)
data r: real[m, d] ~ normal(0, 1)
let s = [10.0^(-0.5 * k / (d - 1)) for k in d]
let a = ga * s
let c = 0.5 * (a + gc * s)
let e = ge * s
let h = gh * s
upper {{
  var x: real[d] = 0
  minimize mean(0.5 * (e[j] @ y)^2 + 0.5 * (h[j] @ x)^2 + g[j] @ y + r[j] @ x for j ~ m)
}}
lower {{
  var y: real[d] = 0
  minimize mean(0.5 * (a[i] @ y)^2 - (a[i] @ y) * (c[i] @ x) + b[i] @ y for i ~ n)
}}
let H = (a' @ a) / n
let C = (a' @ c) / n
fn response(x) = solve(H, C @ x - mean(b, 0))
fn adjoint(y) = solve(H, e' @ (e @ y) / m + mean(g, 0))
report hypergradient2 = sumsq(h' @ (h @ x) / m + mean(r, 0) + C' @ adjoint(response(x)))
"
    )
}

fn number(name: &str, value: f64) -> (String, Value) {
    (name.into(), Value::Number(value))
}

fn run(text: &str, method: &str, options: &[(String, Value)]) -> Solution {
    run_with(text, method, options, usize::MAX)
}

fn run_with(text: &str, method: &str, options: &[(String, Value)], memory: usize) -> Solution {
    let solver = named(method).unwrap();
    let settings = solver.settings(options, std::iter::empty()).unwrap();
    let mut problem = compiled(text, solver, &settings);
    problem.memory = memory;
    solve(&mut problem, solver, &settings, &mut Silent)
}

fn compiled(text: &str, solver: &Solver, settings: &Settings) -> Problem {
    let mut model = model(text, Memory::default());
    let needs = needs(solver, settings);
    match batch(settings) {
        Some(batch) => {
            let sampling = Sampling { batch, needs: (solver.needs)(settings) };
            compile_sampled(&mut model, &needs, &sampling, 0).unwrap()
        }
        None => compile(&mut model, &needs, 0).unwrap(),
    }
}

/// Keeps the run before every iteration.
#[derive(Default)]
struct Keeper(Vec<Snapshot>);

impl Monitor for Keeper {
    fn observe(&mut self, _: &Progress<'_>) -> Control {
        Control::Continue
    }
    fn keeps(&self) -> bool {
        true
    }
    fn wants_snapshot(&mut self, _: usize) -> bool {
        true
    }
    fn keep(&mut self, snapshot: Snapshot) {
        self.0.push(snapshot);
    }
}

/// A run on batches goes on from any of its states with the same bits: what it draws, its tables and its averages included.
#[test]
fn runs_on_batches_go_on_where_they_were() {
    let text = quadratics(40, 30, 5);
    for method in ["soba", "saba", "srba", "ma_soba", "fsla", "stocbio", "amigo", "f2sa"] {
        let solver = named(method).unwrap();
        let settings = [number("steps", 60.0), number("batch", 7.0), number("tolerance", 0.0)];
        let settings = solver.settings(&settings, std::iter::empty()).unwrap();
        let mut keeper = Keeper::default();
        let whole = solve(&mut compiled(&text, solver, &settings), solver, &settings, &mut keeper);
        assert!(whole.iterations == 60 && whole.epochs.unwrap() > 1.0, "{method}: {}", whole.verdict);
        for at in [0, 1, keeper.0.len() / 2, keeper.0.len() - 1] {
            let mut problem = compiled(&text, solver, &settings);
            let start = Point::start(&problem);
            let rest = resume(&mut problem, solver, &settings, start, &keeper.0[at], &mut Keeper::default());
            let bits = |s: &Solution| {
                let numbers = s.x.iter().chain(&s.y).chain([&s.measure]).chain(s.trace.rows().flatten());
                numbers.map(|v| v.to_bits()).collect::<Vec<u64>>()
            };
            assert_eq!(bits(&rest), bits(&whole), "{method}, resumed before iteration {at}");
            assert_eq!((rest.epochs, rest.calls), (whole.epochs, whole.calls.clone()), "{method}, {at}");
        }
    }
}

/// Passes and the square of the hypergradient over the run.
fn course(solution: &Solution) -> Vec<(f64, f64)> {
    let column = |name: &str| solution.trace.columns().iter().position(|c| c == name).unwrap();
    let (passes, square) = (column("epochs"), column("hypergradient2"));
    solution.trace.rows().map(|row| (row[passes], row[square])).collect()
}

fn last(solution: &Solution) -> f64 {
    course(solution).last().unwrap().1
}

/// Slope and correlation of the logarithm against the passes.
fn line(course: &[(f64, f64)]) -> (f64, f64) {
    let n = course.len() as f64;
    let points: Vec<(f64, f64)> = course.iter().map(|&(t, v)| (t, v.log10())).collect();
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (t, v) = (mean(&|p| p.0), mean(&|p| p.1));
    let (tt, tv, vv) =
        (mean(&|p| (p.0 - t).powi(2)), mean(&|p| (p.0 - t) * (p.1 - v)), mean(&|p| (p.1 - v).powi(2)));
    (tv / tt, tv / (tt * vv).sqrt())
}

/// The square of the hypergradient falls by a constant factor per pass, down to the accuracy of the arithmetic.
#[test]
fn rate_of_saba_is_linear() {
    let options = [number("steps", 3000.0), number("batch", 16.0), number("tolerance", 0.0)];
    let solution = run(&quadratics(256, 192, 20), "saba", &options);
    let course = course(&solution);
    let falling: Vec<(f64, f64)> = course.into_iter().filter(|p| p.1 > 1e-18).collect();
    let (slope, correlation) = line(&falling);
    assert!(falling.len() > 30, "{} looks", falling.len());
    assert!(slope < -0.05, "slope {slope} per pass");
    assert!(correlation < -0.99, "correlation {correlation}");
    assert!(last(&solution) < 1e-16, "{:e}", last(&solution));
}

/// With as many passes, the methods that reduce variance are far ahead of those that do not.
#[test]
fn order_of_the_methods() {
    let text = quadratics(256, 192, 20);
    let after = |method: &str| {
        // The steps that make about 120 passes.
        let steps = match method {
            "srba" => 800.0,
            "fsla" => 600.0,
            "stocbio" | "amigo" => 120.0,
            _ => 1700.0,
        };
        let options = [number("steps", steps), number("batch", 16.0), number("upper_step", 0.5)];
        let solution = run(&text, method, &options);
        let passes = solution.epochs.unwrap();
        assert!((60.0..260.0).contains(&passes), "{method}: {passes} passes");
        last(&solution)
    };
    let reduced = after("saba").max(after("srba"));
    for plain in ["soba", "ma_soba", "fsla", "stocbio", "amigo"] {
        let square = after(plain);
        assert!(square < 1.0 && square > 1e3 * reduced, "{plain}: {square:e}, with reduction {reduced:e}");
    }
}

/// Batches of all terms: a method is then its deterministic form, on models with `~` and without.
#[test]
fn whole_batches() {
    let marked = quadratics(30, 20, 5);
    let plain = marked.replace('~', "in").replace(" in normal", " ~ normal");
    let all = ("batch".to_string(), Value::Word("all".into()));
    let options = |batch| [number("steps", 200.0), number("lower_step", 0.2), batch];
    let expected = run(&plain, "soba", &options(number("batch", 7.0)));
    let whole = run(&marked, "soba", &options(all));
    let one = run(&marked, "soba", &options(number("batch", 30.0)));
    assert_eq!(expected.x, whole.x);
    for (a, b) in expected.x.iter().zip(&one.x) {
        assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{a} is not {b}");
    }
}

/// Runs repeat to the bit, and the seed decides what is drawn.
#[test]
fn the_seed_decides() {
    let text = quadratics(40, 30, 5);
    for method in ["soba", "saba", "srba", "ma_soba", "fsla", "stocbio", "amigo", "f2sa"] {
        let run = |seed: f64| {
            run(&text, method, &[number("steps", 20.0), number("batch", 7.0), number("seed", seed)])
        };
        assert_eq!(run(0.0).x, run(0.0).x, "{method}");
        assert_ne!(run(0.0).x, run(1.0).x, "{method}");
    }
}

/// What a pass is: 40 terms below and 30 above, in batches of 10 and 10.
#[test]
fn passes() {
    let text = quadratics(40, 30, 5);
    let passes = |method: &str, more: &[(String, Value)]| {
        let options = [number("steps", 6.0), number("batch", 10.0), number("lower_step", 0.1)];
        run(&text, method, &[&options, more].concat()).epochs.unwrap()
    };
    let close = |found: f64, expected: f64| {
        assert!((found - expected).abs() < 1e-12, "{found} passes, not {expected}");
    };
    close(passes("soba", &[]), 6.0 * 20.0 / 70.0);
    // The first directions come from the tables as they are filled.
    close(passes("saba", &[]), (70.0 + 5.0 * 20.0) / 70.0);
    close(passes("srba", &[number("period", 3.0)]), (2.0 * 70.0 + 4.0 * 40.0) / 70.0);
    close(
        passes("stocbio", &[number("lower_steps", 3.0), number("terms", 2.0)]),
        6.0 * (3.0 + 2.0 + 1.0 + 1.0) * 10.0 / 70.0,
    );
    close(
        passes("amigo", &[number("lower_steps", 3.0), number("adjoint_steps", 2.0)]),
        6.0 * (3.0 + 2.0 * 2.0 + 1.0 + 1.0) * 10.0 / 70.0,
    );
}

/// The run looks at the full objectives once in a pass, and at both ends.
#[test]
fn looks() {
    let solution = run(&quadratics(40, 30, 5), "soba", &[number("steps", 30.0), number("batch", 10.0)]);
    let iterations: Vec<f64> = solution.trace.rows().map(|row| row[0]).collect();
    assert_eq!(iterations, [0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0, 30.0]);
    assert_eq!(solution.termination, Termination::Steps);
    let deterministic = run(&quadratics(40, 30, 5), "cg", &[number("steps", 3.0)]);
    assert_eq!(deterministic.epochs, None);
    assert!(!deterministic.trace.columns().iter().any(|c| c == "epochs"));
}

/// Tables that do not fit are not made.
#[test]
fn tables_that_do_not_fit() {
    let text = quadratics(40, 30, 5);
    let options = [number("steps", 6.0), number("batch", 1.0)];
    // 40 rows of 15 numbers and 30 of 10.
    let bytes = 8 * (40 * 15 + 30 * 10);
    assert_eq!(run_with(&text, "saba", &options, bytes).termination, Termination::Steps);
    let refused = run_with(&text, "saba", &options, bytes - 1);
    assert!(matches!(refused.termination, Termination::Refused { .. }), "{:?}", refused.termination);
    assert!(refused.verdict.contains("larger batches"), "{}", refused.verdict);
}

/// An automatic step does not diverge where a single term has far more curvature than the mean.
#[test]
fn outliers() {
    let text = "dim n = 40\ndata a: real[n] ~ normal(0, 1)\nlet w = [if i == 7 then 60.0 else 0.5 for i in n]\n\
        upper {\n  var x: real = 2\n  minimize (x - 1)^2 + mean((y - a[i])^2 for i ~ n)\n}\n\
        lower {\n  var y: real = 0\n  minimize mean(w[i] * (y - x - a[i])^2 for i ~ n)\n}\n";
    for method in ["soba", "saba", "srba", "ma_soba", "fsla", "stocbio", "amigo"] {
        let solution = run(text, method, &[number("steps", 500.0), number("batch", 1.0)]);
        assert_eq!(solution.termination, Termination::Steps, "{method}");
        assert!(solution.x[0].abs() < 10.0, "{method}: {}", solution.x[0]);
    }
}
