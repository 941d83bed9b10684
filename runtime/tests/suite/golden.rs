//! Hypergradients of a logistic regression against reference digits and differences.

use blo_runtime::derivatives::Derivatives;
use blo_runtime::hypergradient::{Implicit, Unroll, implicit_cg, reverse};
use blo_runtime::linear::cg::CgEnd;
use blo_runtime::problem::Problem;

use crate::models::{Logistic, Plane, free};
use crate::{all_close, close};

const X: [f64; 3] = [-2.0, -1.0, -3.0];
const EXACT: [f64; 3] = [-0.00810829, 0.00297515, -0.00276157];

fn logistic() -> Problem {
    free(Logistic, &X, &[0.0; 3])
}

/// The lower solution, by many gradient steps.
fn solution(problem: &mut Problem) -> Vec<f64> {
    let (mut y, mut g) = (vec![0.0; 3], vec![0.0; 3]);
    for _ in 0..5000 {
        problem.lower_gradient(&X, &y, &mut g);
        y.iter_mut().zip(&g).for_each(|(y, g)| *y -= g);
    }
    y
}

#[test]
fn the_lower_solution_and_value() {
    let mut problem = logistic();
    let y = solution(&mut problem);
    all_close(&y, &[0.10755652, 0.05333989, -0.16168508], 5e-9);
    close(problem.upper_value(&X, &y), 0.7107615117175866, 1e-14);
}

#[test]
fn reverse_sweeps() {
    let mut problem = logistic();
    let (_, g) = reverse(&mut problem, &X, &[0.0; 3], &Unroll::new(10, 1.0));
    all_close(&g, &[-0.00604746, 0.00295288, -0.00138527], 6e-9);
    let (_, g) = reverse(&mut problem, &X, &[0.0; 3], &Unroll::new(100, 1.0));
    all_close(&g, &[-0.00810829, 0.00297515, -0.00276156], 6e-9);
}

#[test]
fn conjugate_gradients_step_by_step() {
    let mut problem = logistic();
    let y = solution(&mut problem);
    let rows = [[-0.00703809, 0.00504061, -0.00153017], [-0.00843577, 0.00283207, -0.00224772], EXACT];
    for (steps, row) in (1..).zip(rows) {
        let (value, g, report) = implicit_cg(&mut problem, &X, &y, steps, 0.0);
        all_close(&g, &row, 6e-9);
        close(value, 0.7107615117175866, 1e-14);
        assert_eq!(report.steps, steps);
    }
}

/// The series up to the power `J − 1` is `J` steps of the fixed point iteration from 0.
#[test]
fn neumann_series() {
    let mut problem = logistic();
    let y = solution(&mut problem);
    for (steps, first) in [(5, -0.00623000), (20, -0.00807769), (100, -0.00810829)] {
        let mut g = [0.0; 3];
        let value = Implicit::new(&problem).evaluate_neumann(&mut problem, &X, &y, steps - 1, 1.0, &mut g);
        close(g[0], first, 6e-9);
        close(value, 0.7107615117175866, 1e-14);
        if steps == 100 {
            all_close(&g, &EXACT, 6e-9);
        }
    }
}

/// Differences of the unrolled objective, through every option of the sweep.
#[test]
fn reverse_sweeps_agree_with_differences() {
    let y0 = [0.3, -0.2, 0.1];
    for (steps, momentum, scale) in [
        (1, 0.0, vec![]),
        (7, 0.0, vec![]),
        (7, 0.9, vec![]),
        (12, 0.5, vec![1.0, 0.5, 2.0]),
        (30, 0.8, vec![]),
    ] {
        let mut problem = logistic();
        let plan = Unroll { steps, step: 0.4, momentum, last: steps, scale };
        let (_, g) = reverse(&mut problem, &X, &y0, &plan);
        for i in 0..3 {
            let h = 1e-5;
            let mut at = |sign: f64| {
                let mut x = X;
                x[i] += sign * h;
                reverse(&mut problem, &x, &y0, &plan).0
            };
            close(g[i], (at(1.0) - at(-1.0)) / (2.0 * h), 2e-10);
        }
    }
}

/// A sweep over the last steps only is the sweep of a shorter algorithm from a later start.
#[test]
fn truncation_is_a_later_start() {
    let mut problem = logistic();
    let (mut y, mut g) = (vec![0.3, -0.2, 0.1], vec![0.0; 3]);
    let short = Unroll { last: 4, ..Unroll::new(10, 0.5) };
    let (value, truncated) = reverse(&mut problem, &X, &y, &short);
    for _ in 0..6 {
        problem.lower_gradient(&X, &y, &mut g);
        y.iter_mut().zip(&g).for_each(|(y, g)| *y -= 0.5 * g);
    }
    let (later_value, later) = reverse(&mut problem, &X, &y, &Unroll::new(4, 0.5));
    all_close(&truncated, &later, 1e-15);
    close(value, later_value, 1e-15);
}

#[test]
fn a_singular_hessian_is_found() {
    let mut problem = free(Plane(1), &[0.5], &[0.0, 0.0]);
    let (_, _, report) = implicit_cg(&mut problem, &[0.5], &[0.5, 0.0], 50, 1e-10);
    assert_eq!(report.end, CgEnd::Singular);
}
