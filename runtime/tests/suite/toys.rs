//! The published toys: lower solutions that are not unique, a nonconvex lower level, a coreset.

use blo_runtime::space::Domain;
use blo_runtime::status::{PointStatus, Termination};

use crate::models::{Coreset, Plane, Sine, free, within};
use crate::{all_close, close, number, run, word};

fn plane() -> blo_runtime::problem::Problem {
    let ends = Domain::Interval { lo: vec![-100.0], hi: vec![100.0] };
    within(Plane(1), (ends, &[0.0]), (Domain::Free, &[0.0, 0.0]))
}

/// Unrolling never moves `y₂`, which `f` does not read, and so stops at a point that is not the solution.
#[test]
fn rhg_fails_where_lower_solutions_are_not_unique() {
    let settings =
        |k: f64| vec![number("lower_steps", k), number("lower_step", 0.1), number("upper_step", 0.5)];
    let s = run(plane(), "rhg", &settings(64.0));
    assert_eq!(s.termination, Termination::Tolerance);
    assert_eq!(s.y[1], 0.0);
    let c = 1.0 - 0.9_f64.powi(64);
    close(s.x[0], c / (1.0 + c * c), 1e-7);
    close(s.upper_objective, 0.25, 1e-3);
    assert_eq!(s.point, PointStatus::Feasible);
    assert_eq!(s.check.hypergradient_norm, None);
    assert!(
        s.verdict.contains("lower Hessian is singular: the hypergradient is not defined"),
        "{}",
        s.verdict
    );
    let s = run(plane(), "rhg", &settings(16.0));
    close(s.x[0], 0.48968, 1e-5);
    close(s.upper_objective, 0.30053, 1e-5);
    let mut truncated = settings(16.0);
    truncated.push(number("truncate", 8.0));
    close(run(plane(), "rhg", &truncated).x[0], 0.38903, 1e-5);
    let mut warm = settings(16.0);
    warm.push(crate::flag("warm", true));
    close(run(plane(), "rhg", &warm).x[0], 0.449, 5e-4);
}

/// The same for the implicit method: the adjoint system has no solution and the check says so.
#[test]
fn cg_is_undefined_where_lower_solutions_are_not_unique() {
    let s =
        run(plane(), "cg", &[number("steps", 50.0), number("lower_step", 0.1), number("upper_step", 0.01)]);
    assert_eq!(s.check.hypergradient_norm, None);
    assert!(s.verdict.contains("hypergradient is not defined"), "{}", s.verdict);
}

#[test]
fn bome_is_exact_where_lower_solutions_are_not_unique() {
    let settings = |steps: f64| {
        vec![
            number("steps", steps),
            number("lower_steps", 1.0),
            number("lower_step", 0.5),
            number("upper_step", 0.5),
            number("y_step", 0.5),
        ]
    };
    close(run(plane(), "bome", &settings(10.0)).upper_objective, 0.076, 5e-4);
    let s = run(plane(), "bome", &settings(200.0));
    all_close(&[s.x[0], s.y[0], s.y[1]], &[1.0; 3], 1e-5);
    close(s.upper_objective, 0.0, 1e-10);
    assert_eq!(s.point, PointStatus::Stationary);
    assert!(s.verdict.contains("not unique"), "{}", s.verdict);
}

#[test]
fn meha_finds_the_best_of_many_lower_solutions() {
    let n = 20;
    let after = |step: f64, gamma: f64, c: f64, p: f64| {
        let sizes = ["upper_step", "y_step", "lower_step"].map(|name| number(name, step));
        let own = [number("gamma", gamma), number("c", c), number("p", p)];
        let stop = [number("steps", 20000.0), number("tolerance", 0.0)];
        let problem = free(Plane(n), &vec![0.01; n], &vec![0.01; 2 * n]);
        let s = run(problem, "meha", &[&sizes[..], &own, &stop].concat());
        let off = |values: &[f64]| values.iter().map(|v| (v - 1.0).abs()).fold(0.0, f64::max);
        (off(&s.x), off(&s.y))
    };
    let (x, y) = after(0.5, 2.0, 1.0, 0.3);
    close(x.max(y), 0.0, 1e-14);
    // Smaller steps and a penalty that grows faster have not selected the last digits of `y₂` by then.
    let (x, y) = after(0.1, 10.0, 2.0, 0.49);
    close(x, 6e-8, 5e-9);
    close(y, 0.0, 1e-6);
}

/// The averaged method on the same with its authors' sizes: where a reference run is on its way there.
#[test]
fn bamm_finds_the_best_of_many_lower_solutions() {
    let n = 100;
    for (steps, x, within) in [(100.0, 0.3022, 5e-5), (1000.0, 0.92390, 1e-5), (6000.0, 0.999_988_5, 2e-7)] {
        let s = run(
            free(Plane(n), &vec![0.01; n], &vec![0.01; 2 * n]),
            "bamm",
            &[
                ("preset".to_string(), blo_runtime::settings::Value::Word("paper".into())),
                number("steps", steps),
                number("tolerance", 0.0),
            ],
        );
        all_close(&s.x, &vec![x; n], within);
    }
}

#[test]
fn meha_on_a_nonconvex_lower_level() {
    for start in [[3.0, 3.0], [2.0, 4.0], [-6.0, 0.0], [0.0, 0.0]] {
        let s = run(
            free(Sine, &start[..1], &start[1..]),
            "meha",
            &[
                number("steps", 50000.0),
                number("upper_step", 0.01),
                number("y_step", 0.01),
                number("lower_step", 0.1),
                number("gamma", 0.4),
            ],
        );
        all_close(&[s.x[0], s.y[0]], &[2.3133, 4.3133], 6e-5);
        close(s.upper_objective, 0.1963, 6e-5);
        let lower = s.check.lower.unwrap();
        close(lower.gap, 0.0037, 6e-5);
        assert!(lower.local && !lower.solved);
        assert_eq!(s.point, PointStatus::NotSolved);
    }
}

#[test]
fn bome_on_the_coreset() {
    let solve = |lower_steps: f64, lower_step: f64| {
        run(
            free(Coreset, &[0.0; 4], &[0.0, 3.0]),
            "bome",
            &[
                number("steps", 5000.0),
                number("lower_steps", lower_steps),
                number("lower_step", lower_step),
                number("upper_step", 0.05),
                number("y_step", 0.05),
                number("epsilon", 1e-4),
            ],
        )
    };
    let s = solve(10.0, 0.05);
    all_close(&s.y, &[1.8167, 0.3851], 6e-5);
    close(s.upper_objective, 0.7089, 6e-5);
    close(solve(1.0, 0.1).upper_objective, 0.7294, 6e-5);
    close(solve(100.0, 0.05).upper_objective, 0.7011, 6e-5);
}

/// The rules and schedules of the upper step all reach the solution of an easy problem.
#[test]
fn upper_rules() {
    for (rule, step) in [("gradient", 0.5), ("momentum", 0.1), ("nesterov", 0.1), ("adam", 0.02)] {
        let s = run(
            free(crate::models::Scalar, &[3.0], &[0.0]),
            "cg",
            &[word("upper_rule", rule), number("upper_step", step), number("steps", 3000.0)],
        );
        close(s.x[0], 0.5, 1e-7);
        assert_eq!(s.point, PointStatus::Stationary, "{rule}: {}", s.verdict);
    }
}
