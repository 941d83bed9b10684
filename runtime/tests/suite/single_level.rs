//! Models with an upper level alone.

use blo_runtime::space::Domain;
use blo_runtime::status::{PointStatus, Termination};

use crate::models::{Rosenbrock, free, within};
use crate::{all_close, close, flag, number, run, word};

#[test]
fn quasi_newton_on_rosenbrock() {
    let s = run(free(Rosenbrock, &[-1.2, 1.0], &[]), "gradient", &[]);
    assert_eq!((s.termination, s.point), (Termination::Tolerance, PointStatus::Stationary));
    all_close(&s.x, &[1.0, 1.0], 1e-7);
    assert!(s.iterations < 100, "{}", s.iterations);
    assert!(s.lower_objective.is_none());
    assert!(s.verdict.starts_with("the upper level is stationary (gradient norm"), "{}", s.verdict);
}

/// The minimum over x₀ ≤ ½ is on the bound.
#[test]
fn projected_gradient_on_a_box() {
    let ends = Domain::Interval { lo: vec![-2.0], hi: vec![0.5, 2.0] };
    let s = run(within(Rosenbrock, (ends, &[-1.2, 1.0]), (Domain::Free, &[])), "gradient", &[]);
    assert_eq!(s.point, PointStatus::Stationary, "{}", s.verdict);
    all_close(&s.x, &[0.5, 0.25], 1e-6);
    close(s.upper_objective, 0.25, 1e-9);
}

#[test]
fn without_a_tolerance_all_steps_are_taken() {
    let settings =
        |tolerance| [flag("line_search", false), number("steps", 7.0), number("tolerance", tolerance)];
    let at_the_minimum =
        |tolerance| run(free(Rosenbrock, &[1.0, 1.0], &[]), "gradient", &settings(tolerance));
    let s = at_the_minimum(0.0);
    assert_eq!((s.termination, s.iterations), (Termination::Steps, 7));
    assert_eq!(at_the_minimum(1e-300).iterations, 0);
}

#[test]
fn fixed_steps() {
    let settings = [
        flag("line_search", false),
        word("upper_rule", "adam"),
        number("upper_step", 0.01),
        number("steps", 20000.0),
    ];
    let s = run(free(Rosenbrock, &[-1.2, 1.0], &[]), "gradient", &settings);
    all_close(&s.x, &[1.0, 1.0], 1e-5);
}
