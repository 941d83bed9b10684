//! Compositions of pieces: every estimator against golden digits, sweeps against differences, the published toys of the methods, and
//! compositions that are refused.

use blo_runtime::problem::Problem;
use blo_runtime::settings::{SettingProblem, Value};
use blo_runtime::solvers::named;
use blo_runtime::space::Domain;
use blo_runtime::status::{PointStatus, Termination};

use crate::models::{Logistic, Plane, Product, Quadratic, Scalar, free, within};
use crate::{all_close, close, flag, number, run, word};

const X: [f64; 3] = [-2.0, -1.0, -3.0];
const EXACT: [f64; 3] = [-0.00810829, 0.00297515, -0.00276157];
const SOLUTION: [f64; 3] = [0.107_556_52, 0.053_339_89, -0.161_685_08];

fn piece(option: &str, name: &str, options: &[(&str, f64)]) -> (String, Value) {
    let options = options.iter().map(|(name, v)| (name.to_string(), Value::Number(*v))).collect();
    (option.to_string(), Value::Call(name.to_string(), options))
}

/// The hypergradient a composition finds first: the difference one upper step of size 1 makes.
fn gradient(problem: Problem, solver: &str, written: &[(String, Value)]) -> Vec<f64> {
    let start = problem.upper.start();
    let mut all = vec![number("steps", 1.0), number("upper_step", 1.0), number("tolerance", 0.0)];
    all.extend_from_slice(written);
    let s = run(problem, solver, &all);
    start.iter().zip(&s.x).map(|(start, x)| start - x).collect()
}

fn logistic(solver: &str, y: [f64; 3], steps: f64, more: &[(String, Value)]) -> Vec<f64> {
    let mut all = vec![number("lower_step", 1.0), number("lower_steps", steps)];
    all.extend_from_slice(more);
    gradient(free(Logistic, &X, &y), solver, &all)
}

/// From `y = 0` with steps of size 1, which do not reach the solution in 10.
#[test]
fn sweeps_on_the_logistic_regression() {
    let ten = [-0.00604746, 0.00295288, -0.00138527];
    let hundred = [-0.00810829, 0.00297515, -0.00276156];
    for (steps, row) in [(10.0, ten), (100.0, hundred)] {
        for method in ["rhg", "fhg"] {
            all_close(&logistic(method, [0.0; 3], steps, &[]), &row, 6e-9);
        }
        let parts = [word("init", "cold"), piece("hypergradient", "finite_difference", &[("radius", 1e-3)])];
        all_close(&logistic("bilevel", [0.0; 3], steps, &parts), &row, 1e-8);
        let parts = [word("init", "learned"), word("hypergradient", "reverse")];
        all_close(&logistic("bilevel", [0.0; 3], steps, &parts), &row, 6e-9);
    }
}

/// At the lower solution.
#[test]
fn adjoints_on_the_logistic_regression() {
    let at = |method: &str, more: &[(String, Value)]| logistic(method, SOLUTION, 40.0, more);
    let cg = [[-0.00703809, 0.00504061, -0.00153017], [-0.00843577, 0.00283207, -0.00224772], EXACT];
    for (steps, row) in [1.0, 2.0, 3.0].into_iter().zip(cg) {
        all_close(&at("cg", &[number("cg_steps", steps), number("cg_tolerance", 0.0)]), &row, 2e-8);
    }
    for (steps, first) in [(5.0, -0.00623000), (20.0, -0.00807769), (100.0, -0.00810829)] {
        let tolerance = number("adjoint_tolerance", 0.0);
        close(at("fixed_point", &[number("adjoint_steps", steps), tolerance])[0], first, 2e-8);
        close(at("neumann", &[number("terms", steps - 1.0)])[0], first, 2e-8);
    }
    all_close(&at("bilevel", &[word("hypergradient", "direct")]), &EXACT, 2e-8);
    all_close(&gradient(free(Logistic, &X, &[0.0; 3]), "shine", &[number("refinements", 3.0)]), &EXACT, 2e-8);
    // The estimate alone is near, with no product by the lower Hessian.
    let near = gradient(free(Logistic, &X, &[0.0; 3]), "shine", &[number("refinements", 0.0)]);
    all_close(&near, &EXACT, 1e-3);
}

/// Without second derivatives the estimators are what their formulas say.
#[test]
fn first_order_estimators() {
    let first = |gradient: &str, more: &[(String, Value)]| {
        let parts = [&[word("hypergradient", gradient), number("lower_steps", 1.0)], more].concat();
        gradient_of_scalar(&parts)
    };
    // From x = 3, y = 1 a step of 0.1 leads to y = 1.2, where ∇y f = −1.8, ∇x f = −1.2, ∇y F = 1.2, ∇x F = 2.
    close(first("first_order", &[]), 2.0, 1e-12);
    close(first("rank_one", &[]), 2.0 - (1.2 / -1.8) * -1.2, 1e-9);
    close(first("finite_difference", &[]), 2.0 + 0.1 * 1.2, 1e-10);
}

fn gradient_of_scalar(parts: &[(String, Value)]) -> f64 {
    let all = [&[number("lower_step", 0.1)], parts].concat();
    gradient(free(Scalar, &[3.0], &[1.0]), "bilevel", &all)[0]
}

/// Every differentiable lower step, through domains, with rates, momentum and truncation, forwards and backwards.
#[test]
fn sweeps_agree_with_differences() {
    let lowers = [
        word("lower", "gradient"),
        piece("lower", "momentum", &[("lower_momentum", 0.6)]),
        piece("lower", "nesterov", &[("lower_momentum", 0.6)]),
        piece("lower", "aggregated", &[("alpha", 0.4), ("pull_step", 0.3)]),
    ];
    let ends = Domain::Interval { lo: vec![-0.05], hi: vec![0.08] };
    for domain in [Domain::Free, ends, Domain::Ball(0.1)] {
        for lower in &lowers {
            for rates in [1.0, 0.5] {
                let build =
                    |x: &[f64]| within(Logistic, (Domain::Free, x), (domain.clone(), &[0.3, -0.2, 0.1]));
                let all = |more: &[(String, Value)]| {
                    let common = [
                        word("init", "cold"),
                        lower.clone(),
                        number("lower_step", 0.7),
                        number("lower_steps", 9.0),
                        piece("rates", "rates", &[("y", rates)]),
                    ];
                    [&common, more].concat()
                };
                let value = |x: &[f64]| {
                    let more = [number("steps", 0.0), word("hypergradient", "reverse")];
                    run(build(x), "bilevel", &all(&more)).upper_objective
                };
                let expected = [0, 1, 2].map(|i| {
                    let at = |h: f64| {
                        let mut x = X;
                        x[i] += h;
                        value(&x)
                    };
                    (at(1e-5) - at(-1e-5)) / 2e-5
                });
                let mut ways = vec!["reverse"];
                if !matches!(&lower.1, Value::Call(name, _) if name == "aggregated") {
                    ways.extend(["forward", "finite_difference"]);
                }
                for way in ways {
                    let found = gradient(build(&X), "bilevel", &all(&[word("hypergradient", way)]));
                    let tolerance = if way == "finite_difference" { 1e-6 } else { 1e-9 };
                    all_close(&found, &expected, tolerance);
                }
            }
        }
    }
}

/// Checkpoints give the bits of kept iterates for every kind of step, also where the sweep begins before the end.
#[test]
fn checkpoints_give_the_same_bits() {
    for lower in ["gradient", "nesterov", "aggregated"] {
        for truncate in [word("truncate", "argmax_upper"), piece("truncate", "last", &[("truncate", 11.0)])] {
            let solve = |memory: usize| {
                let mut problem = free(Logistic, &X, &[0.3, -0.2, 0.1]);
                problem.memory = memory;
                let parts = [
                    word("init", "cold"),
                    word("lower", lower),
                    truncate.clone(),
                    word("hypergradient", "reverse"),
                    number("lower_step", 0.5),
                    number("lower_steps", 23.0),
                    number("steps", 5.0),
                    number("upper_step", 1.0),
                ];
                run(problem, "bilevel", &parts)
            };
            let kept = solve(1 << 20);
            let mut sparse = 0;
            for memory in (150..600).step_by(8) {
                let s = solve(memory);
                if matches!(s.termination, Termination::Refused { .. }) {
                    continue;
                }
                sparse += usize::from(s.trajectory != kept.trajectory);
                assert_eq!((&s.x, &s.y), (&kept.x, &kept.y), "{lower} in {memory} bytes");
            }
            assert!(sparse > 0, "{lower}");
        }
    }
}

fn plane() -> Problem {
    let ends = Domain::Interval { lo: vec![-100.0], hi: vec![100.0] };
    within(Plane(1), (ends, &[0.0]), (Domain::Free, &[0.0, 0.0]))
}

/// The counterexample of descent aggregation, where `rhg` ends at ½ (see the toys): with a share of the upper objective the lower steps
/// find the solution `x = 1`, `y = (1, 1)`.
#[test]
fn bda_where_lower_solutions_are_not_unique() {
    // The step along the upper objective's gradient is 1/L = 1 by itself.
    let solve = |more: &[(String, Value)]| {
        let mut all = vec![number("lower_steps", 64.0), number("lower_step", 0.1), number("upper_step", 0.5)];
        all.extend_from_slice(more);
        run(plane(), "bda", &all)
    };
    let constant = word("share", "constant");
    // A large share is slow here: the limit is 1.
    let s = solve(&[number("alpha", 0.5), constant.clone(), number("steps", 599.0)]);
    close(s.x[0], 0.91629, 1e-5);
    close(s.upper_objective, 2.9e-5, 1e-6);
    let s = solve(&[number("alpha", 0.1), constant]);
    close(s.x[0], 1.0, 5e-5);
    let s = solve(&[]);
    close(s.x[0], 0.9942, 1e-4);
    close(s.upper_objective, 0.00246, 1e-5);
    let s = solve(&[flag("warm", true), number("steps", 5000.0)]);
    all_close(&[s.x[0], s.y[0], s.y[1]], &[1.0; 3], 1e-5);
    assert_eq!(s.point, PointStatus::Stationary, "{}", s.verdict);
}

/// The lower gradient and the part of it that depends on `x` vanish together: no step is taken.
#[test]
fn rank_one_is_stuck_where_lower_solutions_are_not_unique() {
    let s = run(
        plane(),
        "bilevel",
        &[word("hypergradient", "rank_one"), number("lower_step", 0.1), number("upper_step", 0.5)],
    );
    close(s.x[0], 0.0, 1e-12);
    close(s.upper_objective, 0.5, 1e-12);
}

/// `f = −sin(x y)`: the lower level has many valleys, and the best for `F` ends at `x = 11π/4`, `y = −2`.
#[test]
fn iaptt_finds_the_valley() {
    let build = |x: f64, y: f64| {
        let interval = |lo: f64, hi: f64| Domain::Interval { lo: vec![lo], hi: vec![hi] };
        within(Product, (interval(1.0, 10.0), &[x]), (interval(-2.0, 2.0), &[y]))
    };
    let settings = |step: f64| {
        vec![
            number("steps", 500.0),
            number("lower_steps", 40.0),
            number("lower_step", step),
            number("upper_step", 0.1),
            number("tolerance", 0.0),
        ]
    };
    for (x, y) in [(1.0, 2.0), (2.0, 2.0), (6.0, 0.0), (8.0, -1.0), (9.0, 0.0), (5.0, -2.0)] {
        let s = run(build(x, y), "iaptt", &settings(5e-4));
        assert!((8.68..8.74).contains(&s.x[0]), "from ({x}, {y}): {:?} {:?}", s.x, s.y);
        close(s.y[0], -2.0, 0.02);
    }
    // Without a start that moves, the valley is that of the start.
    let s = run(build(1.0, 2.0), "rhg", &settings(5e-4));
    close(s.x[0], 1.0, 1e-12);
    close(s.y[0], 1.99, 1e-2);
}

/// `f = ½‖y‖² − xᵀy`, `F = ½‖y‖² + ½‖x − 1‖²` in 100 coordinates, from 2: all of them ½.
#[test]
fn a_strongly_convex_problem_of_a_hundred_coordinates() {
    struct Many;
    impl crate::models::Model for Many {
        fn lengths(&self) -> (usize, usize) {
            (100, 100)
        }
        fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
            let mut value = 0.0;
            for i in 0..100 {
                (gx[i], gy[i]) = (-y[i], y[i] - x[i]);
                value += y[i] * (0.5 * y[i] - x[i]);
            }
            value
        }
        fn second(&self, _: &[f64], _: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
            for i in 0..100 {
                (hv[i], xv[i]) = (v[i], -v[i]);
            }
        }
        fn upper(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
            let mut value = 0.0;
            for i in 0..100 {
                (gx[i], gy[i]) = (x[i] - 1.0, y[i]);
                value += 0.5 * (gx[i] * gx[i] + gy[i] * gy[i]);
            }
            value
        }
    }
    for method in ["rhg", "cg", "neumann", "fixed_point", "shine", "fhg"] {
        let s = run(
            free(Many, &[2.0; 100], &[2.0; 100]),
            method,
            &[number("upper_step", 0.3), number("tolerance", 1e-9)],
        );
        assert_eq!(s.point, PointStatus::Stationary, "{method}: {}", s.verdict);
        all_close(&s.x, &[0.5; 100], 1e-8);
        all_close(&s.y, &[0.5; 100], 1e-8);
    }
}

/// The lower solver, the adjoint and the Hessian written out agree on faces of domains.
#[test]
fn implicit_pieces_on_faces() {
    let solve = |domain: &Domain, lower: &str, way: &str| {
        let parts = [
            word("lower", lower),
            word("hypergradient", way),
            number("upper_step", 0.3),
            number("lower_steps", 60.0),
        ];
        let upper = Domain::Interval { lo: vec![0.3], hi: vec![1.0] };
        run(within(Quadratic, (upper, &[1.0; 3]), (domain.clone(), &[0.0; 3])), "bilevel", &parts)
    };
    let ends = Domain::Interval { lo: vec![-0.1], hi: vec![0.1] };
    for domain in [Domain::Free, Domain::Simplex, Domain::Ball(0.3), ends] {
        let reference = solve(&domain, "gradient", "conjugate_gradient");
        assert!(reference.check.upper_stationary, "{domain:?}: {}", reference.verdict);
        for (lower, way) in [("gradient", "direct"), ("lbfgs", "quasi_newton"), ("gradient", "fixed_point")] {
            all_close(&solve(&domain, lower, way).x, &reference.x, 1e-6);
        }
    }
}

/// Without a size to choose, at any scale of the upper objective: the first step is much too long for one, much too short for another.
#[test]
fn backtracking_finds_the_size_of_the_upper_step() {
    let reference = run(
        free(Logistic, &X, &[0.0; 3]),
        "bilevel",
        &[
            word("lower", "lbfgs"),
            word("hypergradient", "direct"),
            number("upper_step", 30.0),
            number("steps", 20000.0),
        ],
    );
    let hoag =
        run(free(Logistic, &X, &[0.0; 3]), "hoag", &[number("steps", 20000.0), number("tolerance", 1e-7)]);
    close(hoag.upper_objective, reference.upper_objective, 1e-5);
    let s = run(free(Quadratic, &[30.0; 3], &[0.0; 3]), "hoag", &[]);
    assert_eq!(s.point, PointStatus::Stationary, "{}", s.verdict);
    assert!(s.iterations < 200, "{}", s.iterations);
}

/// From `y = 0` one step does not feel the ridge parameters, and its hypergradient is 0: no reason to stop.
#[test]
fn a_start_that_says_nothing_does_not_end_the_run() {
    let settings = [number("lower_step", 1.0), number("upper_step", 10.0), number("steps", 100.0)];
    let s = run(free(Logistic, &X, &[0.0; 3]), "darts", &settings);
    assert_eq!(s.iterations, 100);
    assert!(s.x.iter().zip(X).all(|(x, start)| (x - start).abs() > 0.1), "{:?}", s.x);
}

#[test]
fn a_hessian_that_is_too_large_to_write_out_is_refused() {
    let parts = [piece("hypergradient", "direct", &[("largest", 2.0)])];
    let s = run(free(Quadratic, &[1.0; 3], &[0.0; 3]), "bilevel", &parts);
    assert!(matches!(s.termination, Termination::Refused { .. }));
    assert!(s.verdict.contains("at most 2 variables, and there are 3"), "{}", s.verdict);
}

#[test]
fn compositions_that_make_no_sense() {
    let rows: &[(&[(&str, &str)], &str)] = &[
        (&[("hypergradient", "forward"), ("truncate", "argmax_upper")], "truncate = argmax_upper"),
        (&[("hypergradient", "forward"), ("lower", "aggregated")], "lower = aggregated"),
        (&[("init", "learned")], "hypergradient = conjugate_gradient"),
        (&[("init", "learned"), ("hypergradient", "neumann")], "hypergradient = neumann"),
        (&[("init", "learned"), ("hypergradient", "reverse"), ("truncate", "last")], "truncate = last"),
        (&[("truncate", "argmax_upper")], "hypergradient = conjugate_gradient"),
        (&[("lower", "adam"), ("hypergradient", "reverse")], "hypergradient = reverse"),
        (&[("lower", "aggregated"), ("hypergradient", "direct")], "hypergradient = direct"),
        (&[("hypergradient", "quasi_newton")], "lower = gradient"),
        (&[("hypergradient", "displacement")], "init = warm"),
        (&[("init", "shared"), ("hypergradient", "forward")], "hypergradient = forward"),
    ];
    for (parts, with) in rows {
        let written: Vec<_> = parts.iter().map(|(option, name)| word(option, name)).collect();
        let errors = named("bilevel").unwrap().settings(&written, std::iter::empty()).unwrap_err();
        let clash = |problem: &SettingProblem| matches!(problem, SettingProblem::Clash { with: found, because } if found == with && !because.is_empty());
        assert!(errors.iter().any(|e| clash(&e.problem)), "{parts:?}: {errors:?}");
    }
}
