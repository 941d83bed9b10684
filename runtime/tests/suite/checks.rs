//! The independent check on points whose worth is known.

use blo_runtime::check::check;
use blo_runtime::problem::Problem;
use blo_runtime::space::Domain;
use blo_runtime::status::{PointStatus, Termination, verdict};

use crate::models::{Model, Quadratic, Scalar, Sine, free, within};
use crate::{all_close, close, number, run, run_and_finish};

fn scalar() -> Problem {
    free(Scalar, &[0.0], &[0.0])
}

/// At `(x, y)` the lower gap is `(y − x)²/2` and the hypergradient at the lower solution `2x − 1`.
/// A penalty that stays the same leaves a gap; the answer has none, and what was left is said.
#[test]
fn a_gap_is_closed_at_the_last_x() {
    let settings = [number("penalty", 10.0), number("lower_step", 0.1), number("upper_step", 0.05)];
    let own = run(free(Scalar, &[0.0], &[0.0]), "vpbgd", &settings);
    let finished = run_and_finish(free(Scalar, &[0.0], &[0.0]), "vpbgd", &settings);
    let gap = own.check.lower.as_ref().unwrap().gap;
    assert!(gap > 1e-3 && own.gap_left.is_none(), "{gap}");
    assert_eq!((finished.gap_left, &finished.x), (Some(gap), &own.x));
    close(finished.y[0], own.x[0], 1e-9);
    assert!(
        finished.verdict.contains("the method left a lower gap of 1.1e-3, closed"),
        "{}",
        finished.verdict
    );
    // What solves the lower level itself is left as it is.
    let solved = run_and_finish(free(Scalar, &[0.0], &[0.0]), "cg", &[]);
    assert_eq!(solved.gap_left, None);
}

#[test]
fn a_known_gap_and_hypergradient() {
    let mut problem = scalar();
    problem.lower_convex = true;
    let c = check(&mut problem, &[0.7], &[0.9], 100);
    let lower = c.lower.as_ref().unwrap();
    close(lower.gap, 0.02, 1e-14);
    close(lower.stationarity, 0.2, 1e-14);
    all_close(&lower.solution, &[0.7], 1e-10);
    assert!(lower.polished && !lower.local && !lower.solved);
    close(c.hypergradient_norm.unwrap(), 0.4, 1e-9);
    close(c.upper_objective, 0.5 * 0.49 + 0.5 * 0.09, 1e-9);
    assert_eq!(c.point, PointStatus::NotSolved);
    let text = verdict(&Termination::Steps, &c, (None, None), None, true);
    assert_eq!(
        text,
        "the lower level is not solved (gap 0.02); the hypergradient norm is 0.4, so the upper level can still be improved"
    );
}

#[test]
fn each_point_status() {
    let mut problem = scalar();
    assert_eq!(check(&mut problem, &[0.5], &[0.5], 100).point, PointStatus::Stationary);
    assert_eq!(check(&mut problem, &[0.7], &[0.7], 100).point, PointStatus::Feasible);
    assert_eq!(check(&mut problem, &[0.5], &[0.6], 100).point, PointStatus::NotSolved);
    assert_eq!(check(&mut problem, &[f64::NAN], &[0.5], 100).point, PointStatus::Unknown);
    assert!(problem.fault().is_none(), "a check blames nobody");
}

/// At a lower maximiser polishing does not move, and the curvature gives it away.
#[test]
fn a_lower_maximiser_has_no_hypergradient() {
    let top = 2.0 + std::f64::consts::FRAC_PI_2;
    let c = check(&mut free(Sine, &[0.0], &[0.0]), &[0.0], &[top], 100);
    assert_eq!(c.hypergradient_norm, None);
    assert!(c.note.unwrap().contains("negative curvature"));
    assert_ne!(c.point, PointStatus::Stationary);
}

/// Polishing respects the domain, and the measure of the upper level is projected.
#[test]
fn checks_on_domains() {
    let ends = Domain::Interval { lo: vec![0.5], hi: vec![1.0] };
    let mut problem = within(Quadratic, (ends, &[0.5; 3]), (Domain::Simplex, &[0.0; 3]));
    let x = [0.5, 0.5, 0.5];
    let c = check(&mut problem, &x, &[1.0, 0.0, 0.0], 500);
    let lower = c.lower.unwrap();
    assert!(lower.polished && lower.gap > 0.1);
    close(lower.solution.iter().sum(), 1.0, 1e-12);
    let again = check(&mut problem, &x, &lower.solution, 500);
    assert!(again.lower.unwrap().solved);
    close(again.hypergradient_norm.unwrap(), c.hypergradient_norm.unwrap(), 1e-6);
}

/// `f = −½ (x₁ y₁)² − y₂` in a box: at `y₁ = 0` there is no slope, and its true answers are ±1, alike to 5e-9. They move the leader by
/// this much.
struct Flat(f64);

impl Model for Flat {
    fn lengths(&self) -> (usize, usize) {
        (2, 2)
    }
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        gx[0] = -x[0] * y[0] * y[0];
        gy[0] = -x[0] * x[0] * y[0];
        gy[1] = -1.0;
        -0.5 * (x[0] * y[0]).powi(2) - y[1]
    }
    fn second(&self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        hv[0] = -x[0] * x[0] * v[0];
        xv[0] = -2.0 * x[0] * y[0] * v[0];
    }
    fn upper(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        gx[0] = x[0] - 1e-4;
        gx[1] = x[1] + self.0 * y[0];
        gy[0] = self.0 * x[1];
        0.5 * gx[0] * gx[0] + 0.5 * x[1] * x[1] + self.0 * x[1] * y[0]
    }
}

#[test]
fn lower_variables_without_slope_are_put_on_both_bounds() {
    let look = |moved: f64, x: f64| {
        let interval = Domain::Interval { lo: vec![-1.0], hi: vec![1.0] };
        let mut problem = within(Flat(moved), (Domain::Free, &[0.0; 2]), (interval, &[0.0, 1.0]));
        let c = check(&mut problem, &[x, 0.0], &[0.0, 1.0], 100);
        (c.hypergradient_norm, c.upper_stationary, c.note.unwrap())
    };
    // At either bound the gradient by x₂ is ± what they move the leader by: little, and more than that.
    let (norm, stationary, note) = look(1e-6, 1e-4);
    close(norm.unwrap(), 1e-6, 1e-9);
    assert!(stationary && note.contains("next to no slope"), "{note}");
    let (norm, stationary, note) = look(1e-3, 1e-4);
    assert!(norm.is_none() && !stationary && note.contains("its norm is up to 1.0e-3"), "{note}");
    // Where the answers differ by more than the tolerance, the point in between is none.
    let (norm, _, note) = look(1e-3, 0.1);
    assert!(norm.is_none() && note.contains("negative curvature"), "{note}");
}
