//! The closed-form fixed points of every method on `f = ½ y² − x y`, `F = ½ y² + ½ (x − 1)²`, whose bilevel solution is ½.

use blo_runtime::settings::Value;

use crate::models::{Scalar, free};
use crate::{close, flag, number, run};

/// The limit of `x`; the written settings follow those every row shares.
#[track_caller]
fn limit(solver: &str, written: &[(String, Value)]) -> f64 {
    let mut all = vec![number("tolerance", 1e-12), number("lower_step", 0.1)];
    all.extend_from_slice(written);
    run(free(Scalar, &[0.0], &[0.0]), solver, &all).x[0]
}

fn rhg(steps: f64, more: &[(String, Value)]) -> f64 {
    let mut all = vec![number("lower_steps", steps), number("upper_step", 0.5)];
    all.extend_from_slice(more);
    limit("rhg", &all)
}

/// `J = 1 − (1 − s)^K`.
fn progress(steps: i32) -> f64 {
    1.0 - 0.9_f64.powi(steps)
}

#[test]
fn rhg_cold() {
    let rows =
        [(1, 0.990099), (5, 0.856385), (10, 0.702139), (20, 0.564453), (50, 0.502584), (100, 0.500013)];
    for (steps, row) in rows {
        let x = rhg(f64::from(steps), &[]);
        close(x, row, 1e-6);
        close(x, 1.0 / (1.0 + progress(steps).powi(2)), 1e-10);
    }
}

#[test]
fn rhg_truncated() {
    for (steps, last, row) in [(10, 5, 0.789439), (20, 10, 0.636077)] {
        let x = rhg(f64::from(steps), &[number("truncate", f64::from(last))]);
        close(x, row, 1e-6);
        close(x, 1.0 / (1.0 + progress(steps) * progress(last)), 1e-10);
    }
}

#[test]
fn rhg_warm() {
    for (steps, row) in [(1, 0.909091), (5, 0.709466), (10, 0.605576), (20, 0.532361)] {
        close(rhg(f64::from(steps), &[flag("warm", true)]), row, 1e-6);
    }
}

#[test]
fn cg_is_exact() {
    close(limit("cg", &[number("upper_step", 0.5)]), 0.5, 1e-10);
}

/// With warm lower steps of the series' own size `s`, `x = 1 / (2 − (1 − s)^(Q + 1))`.
#[test]
fn neumann() {
    for (terms, row) in [(0, 0.909091), (1, 0.840336), (5, 0.680939), (10, 0.593053)] {
        let more = [number("upper_step", 0.5), number("terms", f64::from(terms))];
        close(limit("neumann", &more), row, 1e-6);
        close(limit("neumann", &more), 1.0 / (2.0 - 0.9_f64.powi(terms + 1)), 1e-10);
    }
    // The factor of the series need not be the size of the lower steps.
    let more = [number("upper_step", 0.5), number("terms", 1.0), number("adjoint_step", 0.5)];
    close(limit("neumann", &more), 1.0 / (2.0 - 0.25), 1e-10);
}

#[test]
fn bome() {
    for (steps, row) in [(1, 0.909091), (5, 0.709466), (10, 0.605576), (20, 0.532361)] {
        let x = limit(
            "bome",
            &[
                number("lower_steps", f64::from(steps)),
                number("steps", 20000.0),
                number("upper_step", 0.05),
                number("y_step", 0.05),
                number("epsilon", 1e-20),
            ],
        );
        close(x, row, 1e-6);
    }
}

#[test]
fn meha_with_a_constant_penalty() {
    for (c, gamma, row) in
        [(1.0, 1.0, 0.75), (10.0, 1.0, 0.545455), (10.0, 10.0, 0.526066), (100.0, 2.0, 0.503722)]
    {
        let x = limit(
            "meha",
            &[
                number("c", c),
                number("gamma", gamma),
                number("p", 0.0),
                number("steps", 20000.0),
                number("upper_step", 0.1),
                number("y_step", 0.1),
            ],
        );
        close(x, row, 1e-6);
        let w = c * gamma / (1.0 + gamma);
        close(x, (1.0 + w) / (1.0 + 2.0 * w), 1e-7);
    }
}

/// The weight of a penalty that stays the same.
fn first_order(solver: &str, penalty: f64, more: &[(String, Value)]) -> f64 {
    let mut all = vec![number("penalty", penalty), number("steps", 40000.0), number("upper_step", 0.05)];
    all.extend_from_slice(more);
    limit(solver, &all)
}

#[test]
fn penalties_that_stay_the_same() {
    for (penalty, row) in [(1.0, 2.0 / 3.0), (10.0, 0.523810), (100.0, 0.502488)] {
        for solver in ["vpbgd", "f2sa"] {
            let mut more = vec![number("lower_steps", 100.0), number("y_step", 0.1)];
            if solver == "f2sa" {
                // What the copies lag behind is multiplied by the penalty.
                more.push(number("y_steps", 100.0));
            }
            let x = first_order(solver, penalty, &more);
            close(x, row, 1e-6);
            close(x, (1.0 + penalty) / (1.0 + 2.0 * penalty), 1e-7);
        }
        close(first_order("gpbgd", penalty, &[number("y_step", 0.1)]), row, 1e-6);
    }
}

#[test]
fn stencils() {
    let rows = [(1, 0.523810), (2, 0.497487), (3, 0.499579), (5, 0.500024), (8, 0.500002), (10, 0.4999993)];
    for (order, row) in rows {
        let x = limit(
            "f2sa_p",
            &[
                number("order", f64::from(order)),
                number("nu", 0.1),
                number("lower_steps", 100.0),
                number("upper_step", 0.5),
            ],
        );
        close(x, row, if order == 10 { 1e-7 } else { 1e-6 });
    }
}

#[test]
fn bamm_with_a_constant_share() {
    for (mu, row) in [(0.1, 0.552486), (0.5, 0.8)] {
        let x = limit(
            "bamm",
            &[
                number("mu", mu),
                number("p", f64::INFINITY),
                number("tau", 0.0),
                number("upper_step", 0.1 / (mu * mu * mu)),
                number("steps", 20000.0),
            ],
        );
        close(x, row, 1e-6);
        close(x, 1.0 / (1.0 + (1.0 - mu) * (1.0 - mu)), 1e-9);
    }
}

#[test]
fn nested_is_exact() {
    close(run(free(Scalar, &[0.0], &[0.0]), "nested", &[]).x[0], 0.5, 1e-8);
}

#[test]
fn alternating_ignores_the_coupling() {
    close(limit("alternating", &[number("upper_step", 0.5)]), 1.0, 1e-10);
}
