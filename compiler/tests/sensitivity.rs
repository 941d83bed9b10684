//! How the answer of a follower with constraints moves with the upper variables, compared with closed forms and with differences of
//! followers that were solved again.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test when something is wrong, as tests do")]

mod memory;

use blo_compiler::compile_single_level;
use blo_runtime::constrained::check::check_follower;
use blo_runtime::constrained::sensitivity::{Response, Side, Undefined};
use blo_runtime::monitor::Silent;
use blo_runtime::problem::Problem;
use blo_runtime::solution::{Solution, solve};
use blo_runtime::solvers::{named, needs};
use blo_runtime::status::PointStatus;
use memory::{Memory, model};

fn compiled(text: &str) -> Problem {
    let mut model = model(text, Memory::default());
    let solver = named("kkt").unwrap();
    let settings = solver.settings(&[], std::iter::empty()).unwrap();
    compile_single_level(&mut model, &needs(solver, &settings), 0).unwrap()
}

fn run(text: &str, method: &str) -> Solution {
    let mut model = model(text, Memory::default());
    let solver = named(method).unwrap();
    let settings = solver.settings(&[], std::iter::empty()).unwrap();
    let mut problem = compile_single_level(&mut model, &needs(solver, &settings), 0).unwrap();
    solve(&mut problem, solver, &settings, &mut Silent)
}

/// The follower's answer to `x` from `y`.
fn answer(problem: &mut Problem, x: &[f64], y: &[f64]) -> Vec<f64> {
    let convex = problem.lower_convex;
    let follower = problem.constrained.as_mut().unwrap().follower.as_mut().unwrap();
    let (lower, _) = check_follower(follower, x, y, convex, (500, 500), &mut |_| false);
    assert!(lower.polished);
    lower.solution
}

/// `dy/dx` at `x` with the number of kinks, and how the multipliers move.
fn response(problem: &mut Problem, x: &[f64]) -> Result<(Vec<Vec<f64>>, usize), Undefined> {
    let start = problem.lower.start();
    let y = answer(problem, x, &start);
    let follower = problem.constrained.as_mut().unwrap().follower.as_mut().unwrap();
    let mut response = Response::at(follower, x, &y, Side::Free)?;
    Ok((response.matrix(follower), response.kinks))
}

fn is(found: &[Vec<f64>], expected: &[&[f64]]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let far = found.iter().zip(*expected).any(|(a, b)| (a - b).abs() > 1e-6 * b.abs().max(1.0));
        assert!(!far && found.len() == expected.len(), "{found:?} is not {expected:?}");
    }
}

const BUDGET: &str = "
upper {
  var x: real[2] = 1
  minimize sumsq(x - y)
}
lower {
  var y: real[2] in nonneg
  minimize sumsq(y - x)
  subject to budget: sum(y) <= 2
}
";

#[test]
fn closed_forms_of_a_projection() {
    let mut problem = compiled(BUDGET);
    // Inside; beyond the budget, the projection onto a line; at one bound; at a vertex.
    let cases: [([f64; 2], [&[f64]; 2]); 4] = [
        ([0.5, 0.25], [&[1.0, 0.0], &[0.0, 1.0]]),
        ([2.0, 1.5], [&[0.5, -0.5], &[-0.5, 0.5]]),
        ([-1.0, 0.5], [&[0.0, 0.0], &[0.0, 1.0]]),
        ([-1.0, 5.0], [&[0.0, 0.0], &[0.0, 0.0]]),
    ];
    for (x, expected) in cases {
        let (found, kinks) = response(&mut problem, &x).unwrap();
        is(&found, &expected);
        assert_eq!(kinks, 0);
    }
}

#[test]
fn kinks_are_counted_and_have_two_sides() {
    let mut problem = compiled(BUDGET);
    let (x, y) = ([1.5, 0.5], [1.5, 0.5]);
    let follower = problem.constrained.as_mut().unwrap().follower.as_mut().unwrap();
    let mut free = Response::at(follower, &x, &y, Side::Free).unwrap();
    assert_eq!(free.kinks, 1);
    is(&free.matrix(follower), &[&[1.0, 0.0], &[0.0, 1.0]]);
    let mut active = Response::at(follower, &x, &y, Side::Active).unwrap();
    is(&active.matrix(follower), &[&[0.5, -0.5], &[-0.5, 0.5]]);
}

#[test]
fn answers_that_are_not_unique_have_no_derivative() {
    let text = BUDGET.replace("sumsq(y - x)", "(sum(y) - sum(x))^2");
    assert!(response(&mut compiled(&text), &[0.5, 0.25]).is_err());
}

const CURVED: &str = "
upper {
  var x: real[3] = [0.4, 0.3, 1.1]
  minimize sumsq(y)
}
lower {
  var y: real[3] in [0, 2] = 0.5
  minimize exp(y[0] - x[0]) + sumsq(y - x) + y[1] * y[2] * 0.5
  subject to ball: sumsq(y) <= 1 + x[1]^2 * 0.1
  subject to plane: y[0] + x[0] * y[2] == 0.8 * x[2]
}
";

#[test]
fn agrees_with_differences_of_followers_solved_again() {
    let mut problem = compiled(CURVED);
    let step = 1e-5;
    for x in [[0.4, 0.3, 1.1], [0.9, 2.0, 0.6], [0.2, -0.4, 0.3], [1.5, 0.9, 1.4]] {
        let (found, kinks) = response(&mut problem, &x).unwrap();
        assert_eq!(kinks, 0);
        let start = problem.lower.start();
        let y = answer(&mut problem, &x, &start);
        for j in 0..3 {
            let mut moved = |sign: f64| {
                let mut at = x;
                at[j] += sign * step;
                answer(&mut problem, &at, &y)
            };
            let (after, before) = (moved(1.0), moved(-1.0));
            for i in 0..3 {
                let difference = (after[i] - before[i]) / (2.0 * step);
                let error = (found[i][j] - difference).abs();
                assert!(
                    error <= 1e-4 * difference.abs().max(1.0),
                    "{x:?} {i} {j}: {} {difference}",
                    found[i][j]
                );
            }
        }
        // The transpose, with multipliers, along the same directions.
        let follower = problem.constrained.as_mut().unwrap().follower.as_mut().unwrap();
        let mut response = Response::at(follower, &x, &y, Side::Free).unwrap();
        let (gy, gu) = ([0.3, -1.2, 0.7], [0.5, -0.25]);
        let mut gx = [0.0; 3];
        response.adjoint(follower, &gy, &gu, &mut gx);
        for j in 0..3 {
            let (mut dx, mut dy, mut du) = ([0.0; 3], [0.0; 3], [0.0; 2]);
            dx[j] = 1.0;
            response.tangent(follower, &dx, &mut dy, &mut du);
            let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
            let along = dot(&gy, &dy) + dot(&gu, &du);
            assert!((along - gx[j]).abs() <= 1e-8 * along.abs().max(1.0), "{along} {}", gx[j]);
        }
    }
}

#[test]
fn first_order_methods_end_at_stationary_points() {
    // y = min(x, 1/2), so F = (x - 2)^2 + y^2 with its least value at x = 1, y = 1 without the constraint, and at x = 2 with it.
    let text = "
upper {
  var x: real in [0, 5] = 1
  minimize (x - 2)^2 + y^2
}
lower {
  var y: real
  minimize (y - x)^2
  subject to cap: y <= 0.5
}
";
    for method in ["kkt", "sflcb", "gaffa", "lvhba"] {
        let s = run(text, method);
        if s.is_feasible() && (s.x[0] - 2.0).abs() < 1e-5 {
            assert_eq!(s.point, PointStatus::Stationary, "{method}: {}", s.verdict);
            assert!(s.check.hypergradient_norm.unwrap() < 1e-4, "{method}: {}", s.verdict);
        } else {
            assert_ne!(method, "kkt", "{}", s.verdict);
        }
    }
}

#[test]
fn constraints_of_the_upper_level_have_multipliers() {
    let text = "
upper {
  var x: real[2] in [-3, 3] = 0
  minimize sumsq(x - 3) + y
  subject to wall: x[0] + y <= 1
}
lower {
  var y: real
  minimize (y - x[1])^2
}
";
    // x0 + x1 <= 1: x = (3/4, 1/4), multiplier 4.5.
    let s = run(text, "kkt");
    let (name, wall) = (&s.multipliers[0].name, s.multipliers[0].values[[]]);
    assert!(name == "wall" && (wall - 4.5).abs() < 1e-5, "{wall}");
    let reduced = s.check.reduced.unwrap();
    assert!(reduced.norm < 1e-6 && (reduced.of_upper[0] - 4.5).abs() < 1e-5, "{reduced:?}");
}

/// Where constraints are dependent the shares of their price are not determined: equal ones have the least norm, and the rest is said.
#[test]
fn dependent_constraints_have_ranges_of_multipliers() {
    let text = "
upper {
  var x: real in [0, 4]
  minimize (x - 1)^2 + y
}
lower {
  var y: real
  minimize 3 * y
  subject to above: y >= x
  subject to one: y >= 1
}
";
    for method in ["kkt", "tree"] {
        let s = run(text, method);
        let value = |name: &str| s.multipliers.iter().find(|m| m.name == name).unwrap().values[[]];
        let (above, one) = (value("above"), value("one"));
        assert!((above - 1.5).abs() < 1e-5 && (one - 1.5).abs() < 1e-5, "{method}: {above} and {one}");
        assert!(
            s.verdict.contains("are not unique (`above` from 0 to 3, `one` from 0 to 3)"),
            "{}",
            s.verdict
        );
    }
    // At another answer one of them alone is active.
    let s = run(&text.replace("(x - 1)^2", "(x - 3)^2 - 4 * y"), "kkt");
    assert!((s.multipliers[0].values[[]] - 3.0).abs() < 1e-5, "{:?}", s.multipliers);
    assert!(!s.verdict.contains("not unique"), "{}", s.verdict);
}
