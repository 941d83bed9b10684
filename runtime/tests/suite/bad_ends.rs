//! Runs that break down: values that are not finite, steps that are too large, solvers that do not fit.

use blo_runtime::derivatives::Quantity;
use blo_runtime::status::{PointStatus, Termination};

use crate::models::{Root, Rosenbrock, Scalar, Stiffening, free};
use crate::{close, flag, number, run, run_and_finish, word};

#[test]
fn a_value_that_is_not_finite_stops_at_the_last_good_iterate() {
    for solver in ["rhg", "cg", "neumann", "bome", "meha"] {
        let s =
            run(free(Root, &[1.0], &[1.0]), solver, &[number("upper_step", 0.05), number("steps", 500.0)]);
        let Termination::NonFinite { quantity, iteration } = s.termination else {
            panic!("{solver}: {:?}", s.termination);
        };
        assert_eq!(quantity, Quantity::UpperGradients);
        assert!(iteration > 0 && s.iterations + 1 >= iteration, "{solver}");
        assert!(s.x[0] > 0.8 && s.upper_objective.is_finite(), "{solver}: kept {:?}", s.x);
        let fault = s.fault.unwrap();
        assert!(fault.x[0] <= 0.8, "{solver}: blames {:?}", fault.x);
        assert!(s.verdict.starts_with("the upper objective or its gradient was not finite"), "{}", s.verdict);
    }
}

#[test]
fn a_start_without_a_value_is_returned_unchecked() {
    let s = run(free(Root, &[0.5], &[0.0]), "cg", &[]);
    assert!(matches!(s.termination, Termination::NonFinite { iteration: 0, .. }));
    assert_eq!((s.x[0], s.iterations, s.point), (0.5, 0, PointStatus::Unknown));
}

#[test]
fn too_large_steps_diverge_and_keep_a_good_iterate() {
    // The upper step may be at most 1 for the hypergradient 2x − 1, the lower step at most 2. The first lower steps of `rhg`
    // stay at the solution, so there it is the adjoint that grows.
    let upper = [number("upper_step", 3.0)];
    let lower = [number("lower_step", 3.0), number("lower_steps", 2000.0)];
    for (solver, settings) in
        [("rhg", &upper[..]), ("cg", &upper[..]), ("rhg", &lower[..]), ("cg", &lower[..])]
    {
        let s = run(free(Scalar, &[1.0], &[1.0]), solver, settings);
        let Termination::Diverged { size, .. } = s.termination else {
            panic!("{solver}: {:?}", s.termination)
        };
        assert!(size > 1e10);
        assert!(s.x[0].abs() <= 3.0 && s.y[0].abs() <= 3.0, "{solver}: kept {:?}", s.x);
        let step = if settings.len() == 1 { "upper_step" } else { "lower_step" };
        assert!(s.verdict.contains("try a smaller step"), "{}", s.verdict);
        assert!(s.verdict.contains(step) || solver == "rhg", "{}", s.verdict);
    }
}

/// The step that suits the start is ten times too large at the end.
#[test]
fn automatic_lower_steps_follow_the_curvature() {
    let mut x = 3.0_f64;
    for _ in 0..50 {
        x = 3.0 + (-2.0 * x).exp();
    }
    for solver in ["rhg", "cg", "neumann", "bome", "meha"] {
        for rule in ["gradient", "momentum"] {
            let mut settings = vec![number("steps", 4000.0)];
            if solver != "meha" {
                settings.push(word("lower_rule", rule));
            }
            let s = run(free(Stiffening, &[0.0], &[0.5]), solver, &settings);
            // A finite penalty (`meha`) and a finite number of slow momentum steps (`rhg`) leave a bias.
            let tolerance = if solver == "meha" { 0.1 } else { 1e-2 };
            close(s.x[0], x, tolerance);
            close(s.y[0], (-s.x[0]).exp(), tolerance);
        }
    }
    let fixed = run(free(Stiffening, &[0.0], &[0.5]), "cg", &[number("lower_step", 1.0)]);
    assert!(fixed.x[0] < x - 0.5, "a fixed step stays where it is stable: {:?}", fixed.x);
}

#[test]
fn solvers_refuse_the_wrong_number_of_levels() {
    let s = run(free(Rosenbrock, &[0.0, 0.0], &[]), "bome", &[]);
    assert!(matches!(s.termination, Termination::Refused { .. }));
    assert_eq!((s.point, s.iterations), (PointStatus::Unknown, 0));
    let s = run(free(Scalar, &[0.0], &[0.0]), "gradient", &[]);
    assert!(matches!(s.termination, Termination::Refused { .. }));
}

/// `alternating` leaves the answer's dependence on `x` out and ends at `x = 1`; from the solution nothing is better.
#[test]
fn a_run_with_found_steps_that_ends_worse_than_its_start_returns_the_start() {
    let s = run_and_finish(free(Scalar, &[0.5], &[0.0]), "alternating", &[]);
    let fallback = s.fallback.unwrap();
    assert!(fallback.to_start && fallback.ended > 0.45, "{fallback:?}");
    assert_eq!(s.x, [0.5]);
    close(s.y[0], 0.5, 1e-6);
    close(s.upper_objective, 0.25, 1e-6);
    assert_eq!((s.point, s.gap_left), (PointStatus::Stationary, None));
    assert!(s.verdict.contains("worse than at its start, so its start is kept"), "{}", s.verdict);

    // Sizes that are written are obeyed, and so is the wish for the method's own iterate.
    for written in [number("upper_step", 0.1), flag("finish", false)] {
        let s = run_and_finish(free(Scalar, &[0.5], &[0.0]), "alternating", &[written]);
        assert!(s.fallback.is_none() && s.x[0] > 0.9, "{}", s.verdict);
    }
    // A run that ends better than it began is returned as it is.
    let s = run_and_finish(free(Scalar, &[3.0], &[0.0]), "alternating", &[]);
    assert!(s.fallback.is_none() && s.x[0] > 0.9, "{}", s.verdict);
}
