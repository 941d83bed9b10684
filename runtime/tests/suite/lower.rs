//! Conjugate gradients as the algorithm of the lower level.

use blo_runtime::settings::Value;
use blo_runtime::space::Domain;
use blo_runtime::status::Termination;

use crate::models::{Logistic, Overshooting, Plane, Quadratic, Stiffening, free, within};
use crate::{all_close, close, number, run, word};

fn conjugate(steps: f64, more: &[(String, Value)]) -> Vec<(String, Value)> {
    let mut all = vec![word("lower_rule", "conjugate_gradient"), number("lower_steps", steps)];
    all.extend_from_slice(more);
    all
}

/// As many steps as variables solve a quadratic lower level at once, whatever the start.
#[test]
fn a_quadratic_is_solved_at_once() {
    let x = [0.4, -1.2, 0.9];
    for start in [[0.0; 3], [30.0, -20.0, 10.0]] {
        let s = run(free(Quadratic, &x, &start), "cg", &conjugate(3.0, &[number("steps", 0.0)]));
        all_close(&s.y, &Quadratic::solution(&x), 1e-12);
    }
    // With fewer steps it is the best point of a smaller space, not the solution.
    let s = run(free(Quadratic, &x, &[0.0; 3]), "cg", &conjugate(1.0, &[number("steps", 0.0)]));
    let (y, exact) = (&s.y, Quadratic::solution(&x));
    assert!(y.iter().zip(&exact).any(|(a, b)| (a - b).abs() > 1e-2), "{y:?}");
}

#[test]
fn both_methods_solve_a_quadratic_problem() {
    let reference = run(free(Quadratic, &[0.5; 3], &[0.0; 3]), "cg", &[number("lower_steps", 200.0)]);
    assert_eq!(reference.termination, Termination::Tolerance);
    for (method, more) in [("cg", vec![]), ("neumann", vec![number("terms", 100.0)])] {
        let s = run(free(Quadratic, &[0.5; 3], &[0.0; 3]), method, &conjugate(3.0, &more));
        all_close(&s.x, &reference.x, 1e-7);
        all_close(&s.y, &reference.y, 1e-7);
    }
}

/// Where `f` is not quadratic a step is one of Newton's, from the last `y`; the outer iterations carry it to the solution.
#[test]
fn other_lower_levels_are_solved_on_the_way() {
    let settings = |rule: Vec<(String, Value)>| {
        [rule, vec![number("upper_step", 20.0), number("steps", 3000.0)]].concat()
    };
    let newton = run(free(Logistic, &[-2.0; 3], &[0.0; 3]), "cg", &settings(conjugate(3.0, &[])));
    let descent =
        run(free(Logistic, &[-2.0; 3], &[0.0; 3]), "cg", &settings(vec![number("lower_steps", 50.0)]));
    assert_eq!(newton.termination, descent.termination);
    close(newton.upper_objective, descent.upper_objective, 1e-6);
    assert!(newton.check.lower.unwrap().solved);
}

/// A step that overshoots is shortened, and where there is no curvature to go by a gradient step is taken.
#[test]
fn no_step_goes_uphill() {
    // One Newton step on `½ eˣ y² − y` is exact from anywhere.
    let s = run(free(Stiffening, &[2.0], &[50.0]), "cg", &conjugate(1.0, &[number("steps", 0.0)]));
    close(s.y[0], (-2.0_f64).exp(), 1e-12);
    // `log cosh y` has a Newton step of any length far from 0.
    let s = run(free(Overshooting, &[0.0], &[4.0]), "cg", &conjugate(1.0, &[number("steps", 0.0)]));
    assert!(s.y[0].abs() < 4.0, "{:?}", s.y);
    // A linear direction: the second lower variable of `Plane` has no curvature and no slope.
    let s = run(free(Plane(1), &[0.5], &[0.0, 0.3]), "cg", &conjugate(2.0, &[number("steps", 0.0)]));
    all_close(&s.y, &[0.5, 0.3], 1e-12);
}

/// On a box the step is that of the face the projected gradient step finds.
#[test]
fn faces_of_a_box() {
    let x = [2.0, -1.5, 1.0];
    let ends = Domain::Interval { lo: vec![-0.5], hi: vec![0.75] };
    let build = || within(Quadratic, (Domain::Free, &x), (ends.clone(), &[0.0; 3]));
    let many = run(build(), "cg", &[number("lower_steps", 500.0), number("steps", 0.0)]);
    let few = run(build(), "cg", &conjugate(3.0, &[number("steps", 8.0), number("upper_step", 1e-12)]));
    assert!(many.y.iter().any(|y| *y == 0.75 || *y == -0.5), "{:?}", many.y);
    all_close(&few.y, &many.y, 1e-9);
}
