//! Upper variables as the start of the lower level, on tasks with closed forms: after `K` steps of size `s` from `x`, a task of curvature
//! `c` and target `a` is at `a + r (x − a)` with `r = (1 − s c)^K`.

use blo_runtime::problem::Problem;
use blo_runtime::settings::Value;
use blo_runtime::status::Termination;

use crate::models::{Scalar, Tasks, free, shaped};
use crate::{close, number, run};

const STEP: f64 = 0.2;
const STEPS: i32 = 3;

fn tasks(lambda: f64) -> Problem {
    shaped(Tasks { lambda }, (&[2], &[0.0, 0.0]), (&[3, 2], &[9.0; 6]))
}

/// The solution of `Σ weight(t) (slope(t) x + offset(t)) = 0` per coordinate.
fn root(weight: impl Fn(usize) -> f64, line: impl Fn(usize, usize) -> (f64, f64)) -> [f64; 2] {
    [0, 1].map(|j| {
        let sum = |part: fn((f64, f64)) -> f64| (0..3).map(|t| weight(t) * part(line(t, j))).sum::<f64>();
        -sum(|(_, offset)| offset) / sum(|(slope, _)| slope)
    })
}

fn shrink(t: usize) -> f64 {
    (1.0 - STEP * Tasks::CURVATURES[t]).powi(STEPS)
}

/// Where the task ends minus `target`, as a line in `x`.
fn end(t: usize, j: usize, target: f64) -> (f64, f64) {
    (shrink(t), Tasks::TRAIN[t][j] * (1.0 - shrink(t)) - target)
}

#[track_caller]
fn ends_at(method: &str, lambda: f64, more: &[(String, Value)], expected: [f64; 2]) {
    let mut all = vec![number("steps", 5000.0), number("tolerance", 1e-11), number("upper_step", 0.3)];
    all.extend_from_slice(more);
    let s = run(tasks(lambda), method, &all);
    assert_eq!(s.termination, Termination::Tolerance, "{method}");
    s.x.iter().zip(expected).for_each(|(x, e)| close(*x, e, 1e-8));
}

#[test]
fn every_task_starts_at_the_upper_variable() {
    let steps = [number("lower_steps", f64::from(STEPS)), number("lower_step", STEP)];
    let to_test = |t, j| end(t, j, Tasks::TEST[t][j]);
    ends_at("maml", 0.0, &steps, root(shrink, to_test));
    ends_at("fomaml", 0.0, &steps, root(|_| 1.0, to_test));
    // Reptile does not look at the test losses: it stops where the tasks pull evenly.
    let pull = |t: usize, j: usize| (shrink(t) - 1.0, Tasks::TRAIN[t][j] * (1.0 - shrink(t)));
    ends_at("reptile", 0.0, &steps, root(|_| 1.0, pull));
}

/// The same as a composition, and with differences in place of second derivatives.
#[test]
fn compositions_of_ones_own() {
    let to_test = |t, j| end(t, j, Tasks::TEST[t][j]);
    for gradient in ["reverse", "finite_difference"] {
        let starts = Value::Call("starts".into(), vec![("y".into(), Value::Word("x".into()))]);
        let shared = Value::Call("shared".into(), vec![("from".into(), starts)]);
        let more = [
            number("lower_steps", f64::from(STEPS)),
            number("lower_step", STEP),
            ("init".into(), shared),
            crate::word("hypergradient", gradient),
        ];
        ends_at("bilevel", 0.0, &more, root(shrink, to_test));
    }
}

/// With the proximal term the end does not depend on the path: `y = (c a + lambda x) / (c + lambda)`.
#[test]
fn implicit_gradients() {
    let lambda = 0.7;
    let share = |t: usize| lambda / (Tasks::CURVATURES[t] + lambda);
    let line = |t: usize, j: usize| (share(t), (1.0 - share(t)) * Tasks::TRAIN[t][j] - Tasks::TEST[t][j]);
    ends_at("imaml", lambda, &[number("lower_steps", 200.0)], root(share, line));
    ends_at("cg", lambda, &[number("lower_steps", 200.0)], root(share, line));
}

/// A model without an upper variable of the right shape is refused, and so is a start that does not fit.
#[test]
fn starts_that_do_not_fit() {
    let starts = |upper: &str| {
        let pair = vec![("y".to_string(), Value::Word(upper.to_string()))];
        ("from".to_string(), Value::Call("starts".into(), pair))
    };
    let s = run(shaped(Tasks { lambda: 0.0 }, (&[2, 1], &[0.0; 2]), (&[3, 2], &[0.0; 6])), "maml", &[]);
    assert!(s.verdict.contains("no upper variable has the shape of `y`"), "{}", s.verdict);
    assert!(matches!(s.termination, Termination::Refused { .. }));
    let s = run(
        shaped(Tasks { lambda: 0.0 }, (&[2, 1], &[0.0; 2]), (&[3, 2], &[0.0; 6])),
        "maml",
        &[starts("x")],
    );
    assert!(s.verdict.contains("`y` cannot start at `x`"), "{}", s.verdict);
    let s = run(free(Scalar, &[0.0], &[0.0]), "maml", &[starts("y")]);
    assert!(s.verdict.contains("`y` is no upper variable"), "{}", s.verdict);
}
