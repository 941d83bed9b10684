//! Random and grid search: what they find, and what they refuse.

use blo_runtime::solution::Solution;
use blo_runtime::space::Domain;
use blo_runtime::status::{PointStatus, Termination};

use crate::models::{Plane, Scalar, free, within};
use crate::{close, number, run, word};

fn refusal(solution: &Solution) -> &str {
    assert!(matches!(solution.termination, Termination::Refused { .. }), "{:?}", solution.termination);
    &solution.verdict
}

/// The minimum of `Scalar` is 1/4, at a point of this grid. The lower level is solved wherever the search ends.
#[test]
fn a_grid_finds_the_minimum_among_its_points() {
    let bounds = [number("lower_bound", -3.0), number("upper_bound", 3.0), number("points", 61.0)];
    let s = run(free(Scalar, &[3.0], &[0.0]), "grid", &bounds);
    close(s.upper_objective, 0.25, 1e-9);
    assert_eq!((s.termination, s.iterations), (Termination::Steps, 61));
    assert_eq!(s.point, PointStatus::Stationary);
    let objectives: Vec<f64> = s.trace.rows().map(|row| row[1]).collect();
    assert!(objectives.windows(2).all(|pair| pair[1] <= pair[0]), "the best is kept");
}

#[test]
fn random_search_comes_near_and_depends_on_the_seed() {
    let search = |seed: f64| {
        let options = [number("radius", 4.0), number("steps", 500.0), number("seed", seed)];
        run(free(Scalar, &[3.0], &[0.0]), "random", &options)
    };
    let s = search(0.0);
    assert!((0.25..0.2505).contains(&s.upper_objective), "{}", s.upper_objective);
    assert!(matches!(s.point, PointStatus::Feasible | PointStatus::Stationary));
    assert_eq!(s.x, search(0.0).x);
    assert_ne!(s.x, search(1.0).x);
    // Around the start at 3 there is nothing near the minimum at 1/2.
    let near = [number("radius", 1.0), number("steps", 50.0)];
    let s = run(free(Scalar, &[3.0], &[0.0]), "random", &near);
    assert!((2.0..2.2).contains(&s.x[0]), "{:?}", s.x);
}

#[test]
fn boxes_that_are_none_are_refused() {
    for solver in ["random", "grid"] {
        let s = run(free(Scalar, &[3.0], &[0.0]), solver, &[]);
        assert!(refusal(&s).contains("has no bounds: give it a domain"), "{}", s.verdict);
        assert_eq!(s.iterations, 0);
        let s = run(
            free(Scalar, &[3.0], &[0.0]),
            solver,
            &[number("lower_bound", 1.0), number("upper_bound", 0.0)],
        );
        assert!(refusal(&s).contains("from 1 to 0, is empty"), "{}", s.verdict);
        let s = run(free(Scalar, &[3.0], &[0.0]), solver, &[number("radius", 4.0), word("scale", "log")]);
        assert!(refusal(&s).contains("does not lie above 0"), "{}", s.verdict);
    }
}

/// A simplex has no grid, and random points of one lie in it.
#[test]
fn a_simplex_is_for_random_search() {
    let problem = || within(Plane(3), (Domain::Simplex, &[1.0, 0.0, 0.0]), (Domain::Free, &[0.0; 6]));
    let s = run(problem(), "grid", &[]);
    assert!(refusal(&s).contains("`random` takes both"), "{}", s.verdict);
    let s = run(problem(), "random", &[number("steps", 100.0)]);
    close(s.x.iter().sum(), 1.0, 1e-12);
    assert!(s.x.iter().all(|x| *x >= 0.0) && s.x[0] < 1.0, "{:?}", s.x);
}
