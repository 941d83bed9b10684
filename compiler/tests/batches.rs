//! Linear algebra, sorting and the functions of vectors on batches of arrays and inside comprehensions: the two forms have one
//! value, and gradients and second-order products of compiled models agree with differences, in both precisions.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod memory;

use blo_compiler::compile;
use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::problem::Problem;
use memory::Memory;

/// Expressions of the batch `x: real[2, 3, 3]` and the vector `s: real[3]`, with `A`, a batch of regular matrices, `S`, one of
/// definite ones, and `w`, numbers without a pattern; first on the batch, then turn by turn.
const PAIRS: &[(&str, &str)] = &[
    ("sum(w * sin(solve(A, [s, 2 * s])))", "sum(sum(w[i] * sin(solve(A[i], (i + 1) * s))) for i in 2)"),
    ("sum(W * sin(solve(A, S)))", "sum(sum(W[i] * sin(solve(A[i], S[i]))) for i in 2)"),
    ("sum(w * sin([solve(A[i]', s) for i in 2]))", "sum(sum(w[i] * sin(solve(A[i]', s))) for i in 2)"),
    (
        "sum([solve(A[0], s * x[i, j, 0])[1] for i in 2, j in 3]^2)",
        "sum((inv(A[0]) @ (s * x[i, j, 0]))[1]^2 for i in 2, j in 3)",
    ),
    ("sum(W * sin(inv(A) * s))", "sum(sum(W[i] * sin(inv(A[i]) * s)) for i in 2)"),
    ("sum(sin(logdet(A)) * [1.0, 2.0])", "sum(sin(logdet(A[i])) * (i + 1) for i in 2)"),
    ("sum(W * sin(cholesky(S)))", "sum(sum(W[i] * sin(cholesky(S[i]))) for i in 2)"),
    ("sum(logdet(S))", "sum(2 * sum(log(diag(cholesky(S[i])))) for i in 2)"),
    ("sum(W * sin(sort(x * s)))", "sum(sum(w[i] * sin(sort(x[i, j] * s)) * v[j]) for i in 2, j in 3)"),
    (
        "sum(W * sin(sort(x * s, 1)))",
        "sum(W[i, k, j] * sin(sort(x[i, :, j] * s[j])[k]) for i in 2, j in 3, k in 3)",
    ),
    ("sum(sin(sort(x * s, 0))[1])", "sum(sin(max(x[0, j, k] * s[k], x[1, j, k] * s[k])) for j in 3, k in 3)"),
    ("sum(top_k(x * s, 2)^3)", "sum(sum(top_k(x[i, j] * s, 3)[..2]^3) for i in 2, j in 3)"),
    ("sum(top_k(x * s, 1, 1)^2)", "sum(max(x[i, :, j] * s[j])^2 for i in 2, j in 3)"),
    ("sum(W * sin(cumsum(x * s)))", "sum(sum(w[i] * v[j] * sin(cumsum(x[i, j] * s))) for i in 2, j in 3)"),
    ("sum(W * sin(cumsum(x * s, 1)))", "sum(sum(W[i] * sin(cumsum(x[i] * s, 0))) for i in 2)"),
    ("sum([trace(x[i] * s) for i in 2]^2)", "sum(sum(diag(x[i]) * s)^2 for i in 2)"),
    ("sum([diag(s) @ x[i] for i in 2]^2)", "sum(sumsq(x[i, j] * s[j]) for i in 2, j in 3)"),
    ("sum([outer(s, x[i, j]) for i in 2, j in 3]^2)", "sum(sumsq(s) * sumsq(x[i, j]) for i in 2, j in 3)"),
    ("sum(sin(x * s) * one_hot(argmax(x), 3))", "sum(sin(x[i, j] * s)[argmax(x[i, j])] for i in 2, j in 3)"),
    (
        "sum([sin(x[i, j] * s)[argmin(x[i, j])] for i in 2, j in 3])",
        "sum(sum(sin(x * s) * one_hot(argmin(x), 3), 2))",
    ),
];

const UPPER: usize = 18;
const LOWER: usize = 3;

fn problem(e: &str, precision: &str) -> Problem {
    let text = format!(
        "precision {precision}
data v: real[3] = [0.4, -1.1, 0.7]
let w = [0.9 * (i + 1) * v[k] - 0.2 for i in 2, k in 3]
let W = [w[i, k] * v[j] for i in 2, j in 3, k in 3]
upper {{ var x: real[2, 3, 3] = 0
  minimize sumsq(x) + sumsq(s) }}
lower {{ var s: real[3] = 0
  let A = [x[i] + 3 * eye(3) for i in 2]
  let S = [x[i] @ x[i]' + diag(1 + s^2) for i in 2]
  minimize {e} }}"
    );
    let needs = [Quantity::LowerValue, Quantity::LowerGradients, Quantity::LowerSecondOrder];
    compile(&mut memory::model(&text, Memory::default()), &needs, 0).unwrap()
}

/// Numbers without a pattern between -1 and 1.
fn numbers(len: usize, seed: f64) -> Vec<f64> {
    (0..len).map(|k| ((k as f64 + seed) * 12.9898).sin()).collect()
}

/// The gradient by `x` and `s`, and the value before it.
fn first_order(problem: &mut Problem, x: &[f64], s: &[f64]) -> Vec<f64> {
    let (mut gx, mut gs) = (vec![0.0; UPPER], vec![0.0; LOWER]);
    let value = problem.lower_gradients(x, s, &mut gx, &mut gs);
    [vec![value], gx, gs].concat()
}

/// The derivative of the gradient along a direction of `s`.
fn second_order(problem: &mut Problem, x: &[f64], s: &[f64], direction: &[f64]) -> Vec<f64> {
    let (mut hv, mut xv) = (vec![0.0; LOWER], vec![0.0; UPPER]);
    problem.lower_second_order(x, s, direction, &mut hv, &mut xv);
    [xv, hv].concat()
}

/// Fails unless two vectors agree, relative to the largest element.
fn close(found: &[f64], wanted: &[f64], tolerance: f64, what: &str) {
    let scale = wanted.iter().fold(1e-2f64, |m, w| m.max(w.abs()));
    let same = found.iter().zip(wanted).all(|(f, w)| (f - w).abs() <= tolerance * scale);
    assert!(same && found.len() == wanted.len(), "{what}:\n{found:?}\n{wanted:?}");
}

fn moved(point: &[f64], direction: &[f64], step: f64) -> Vec<f64> {
    point.iter().zip(direction).map(|(p, d)| p + step * d).collect()
}

#[test]
fn both_forms_have_the_same_values_and_derivatives() {
    let (x, s, direction) = (numbers(UPPER, 0.3), numbers(LOWER, 7.1), numbers(LOWER, 2.2));
    for (batch, turns) in PAIRS {
        let (mut a, mut b) = (problem(batch, "f64"), problem(turns, "f64"));
        let (first, second) = (first_order(&mut a, &x, &s), second_order(&mut a, &x, &s, &direction));
        close(&first_order(&mut b, &x, &s), &first, 1e-12, batch);
        close(&second_order(&mut b, &x, &s, &direction), &second, 1e-11, batch);
        let mut single = problem(batch, "f32");
        close(&first_order(&mut single, &x, &s), &first, 1e-4, batch);
        close(&second_order(&mut single, &x, &s, &direction), &second, 1e-3, batch);
    }
}

#[test]
fn derivatives_agree_with_differences() {
    let (x, s) = (numbers(UPPER, 0.3), numbers(LOWER, 7.1));
    let (dx, ds) = (numbers(UPPER, 4.4), numbers(LOWER, 2.2));
    let h = 1e-5;
    for (e, _) in PAIRS {
        let mut problem = problem(e, "f64");
        let gradient = first_order(&mut problem, &x, &s)[1..].to_vec();
        let along: f64 = gradient.iter().zip(dx.iter().chain(&ds)).map(|(g, d)| g * d).sum();
        let mut value = |step: f64| problem.lower_value(&moved(&x, &dx, step), &moved(&s, &ds, step));
        close(&[along], &[(value(h) - value(-h)) / (2.0 * h)], 1e-6, e);
        let second = second_order(&mut problem, &x, &s, &ds);
        let mut at = |step: f64| first_order(&mut problem, &x, &moved(&s, &ds, step))[1..].to_vec();
        let (above, below) = (at(h), at(-h));
        let wanted: Vec<f64> = above.iter().zip(below).map(|(a, b)| (a - b) / (2.0 * h)).collect();
        close(&second, &wanted, 1e-6, e);
    }
}
