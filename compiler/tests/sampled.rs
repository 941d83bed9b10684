//! Sums marked `~` on batches: a batch is what the reference evaluator makes of its terms, the mean over all batches is the full
//! quantity, and neither the precision, the threads nor how a sum is written changes that.

// Helpers of tests stop the test when something is wrong, as tests do.
#![allow(clippy::unwrap_used)]

mod memory;

use blo_compiler::ir::eval::{Bindings, evaluate};
use blo_compiler::model::{Model, Precision};
use blo_compiler::ops;
use blo_compiler::{Sampling, compile_sampled, estimate};
use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::problem::Problem;
use blo_runtime::samples::Side;
use memory::{Memory, model};

const NEEDS: [Quantity; 6] = [
    Quantity::LowerValue,
    Quantity::LowerGradients,
    Quantity::LowerHessian,
    Quantity::LowerSecondOrder,
    Quantity::UpperGradients,
    Quantity::UpperSecondOrder,
];

/// Lower objectives over `n` samples with weights `x: real[n]` and parameters `w: real[d, k]`.
const LOWER: &[&str] = &[
    "mean(sigmoid(x[i]) * cross_entropy(a[i] @ w, label[i]) for i ~ n) + 0.1 * sumsq(w)",
    // Everything is computed before it is picked.
    "mean(sigmoid(x[i]) * z[i, label[i]]^2 for i ~ n) + sum(z[0]) + 0.1 * sumsq(w)",
    "sum(softplus(-sum(a[i] @ w)) for i ~ n if label[i] > 0) / 5 + sumsq(w - x[0])",
    "mean(sumsq(a[i] @ w - x[i]) for i ~ n if label[i] != 1)",
    "sum(x[i] * (a[i + 1] @ w)[0] * a[i, 1]^2 for i ~ n - 1) + sumsq(w)",
    "sum(mean(sin(a[i, j] * x[i] + w[j, 0]) * w[j, 1] for i ~ n)^2 / 2 + exp(w[j, 0]) for j in d)",
    "sum(sumsq(sum(x[i] * a[i] @ w for i ~ n if label[i] == c)) * (c + 1) for c in 3)",
    "mean(logsumexp(z[i]) - max(z[i]) + prod(1 + 0.1 * tanh(z[i])) for i ~ n) + mean(x[i]^2 * w[0, 0] for i ~ n)",
    "mean(sum(cumsum(softmax(z[i] + x[i])) * stack([z[i, 0], z[i, 1], x[i]], 0)) for i ~ n)",
    "mean(solve(outer(a[i], a[i]) + eye(d) * (2 + x[i]^2), w[:, 0])[0] for i ~ n) + sumsq(w)",
    "mean(sumsq(reshape(z, 2, 11, 3)[1, i]) * x[2 * i] for i ~ 11) + sumsq(w)",
    "mean(dot(a[i], a[j]) * dot(w[:, 0], a[i]) * x[j] for i ~ n, j ~ n) + sumsq(w)",
];

const UPPER: &str = "mean(cross_entropy(b[j] @ w, mod(j, 3)) for j ~ m) + 0.01 * sumsq(x)";

const N: usize = 22;

fn text(lower: &str) -> String {
    format!(
        "use std.losses (cross_entropy)\ndim n = {N}\ndim m = 15\ndim d = 4\n\
         data a: real[n, d] ~ normal(0, 1)\ndata b: real[m, d] ~ normal(0, 1)\n\
         let label = [mod(i * i, 3) for i in n]\n\
         upper {{\n  var x: real[n] = 0.1\n  minimize {UPPER}\n}}\n\
         lower {{\n  var w: real[d, 3] ~ normal(0, 1)\n  let z = a @ w\n  minimize {lower}\n}}\n"
    )
}

fn problem(lower: &str, batch: usize, precision: Precision) -> Problem {
    let mut model = model(&text(lower), Memory::default());
    model.precision = precision;
    let sampling = Sampling { batch, needs: NEEDS.to_vec() };
    compile_sampled(&mut model, &NEEDS, &sampling, 0).unwrap()
}

/// All quantities at the start, one after another: those of the lower and of the upper level.
fn quantities(problem: &mut Problem) -> [Vec<f64>; 2] {
    let (x, y) = (problem.upper.start(), problem.lower.start());
    let v: Vec<f64> = (0..y.len()).map(|k| (k as f64 * 12.9898).sin()).collect();
    let (n, m) = (x.len(), y.len());
    let mut of = [Vec::new(), Vec::new()];
    let (mut gx, mut gy, mut hv) = (vec![0.0; n], vec![0.0; m], vec![0.0; m]);
    of[0].push(problem.lower_value(&x, &y));
    of[0].push(problem.lower_gradients(&x, &y, &mut gx, &mut gy));
    of[0].extend(gx.iter().chain(&gy));
    problem.lower_hessian(&x, &y, &v, &mut hv);
    of[0].extend(&hv);
    problem.lower_second_order(&x, &y, &v, &mut hv, &mut gx);
    of[0].extend(hv.iter().chain(&gx));
    of[1].push(problem.upper_gradients(&x, &y, &mut gx, &mut gy));
    of[1].extend(gx.iter().chain(&gy));
    problem.upper_second_order(&x, &y, &v, &mut hv, &mut gx);
    of[1].extend(hv.iter().chain(&gx));
    of
}

/// The mean over the batches of each level.
fn means(problem: &mut Problem) -> [Vec<f64>; 2] {
    let batches = [Side::Lower, Side::Upper].map(|s| problem.samples.as_ref().unwrap().batches(s));
    [0, 1].map(|level| {
        let mut sum: Vec<f64> = Vec::new();
        for batch in 0..batches[level] {
            let mut which = [0, 0];
            which[level] = batch;
            let of = problem.on_batches(which, quantities);
            sum.resize(of[level].len(), 0.0);
            sum.iter_mut().zip(&of[level]).for_each(|(sum, v)| *sum += v / batches[level] as f64);
        }
        sum
    })
}

#[track_caller]
fn close(a: &[f64], b: &[f64], tolerance: f64, what: &str) {
    assert_eq!(a.len(), b.len());
    for (k, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{what}: entry {k} is {a}, not {b}");
    }
}

/// Batches that divide the terms and batches that do not.
#[test]
fn mean_of_all_batches() {
    for lower in LOWER {
        for (batch, precision, tolerance) in [
            (1, Precision::F64, 1e-10),
            (4, Precision::F64, 1e-10),
            (100, Precision::F64, 1e-10),
            (5, Precision::F32, 2e-4),
        ] {
            // The square of a sum is not the mean of the squares of its estimates.
            if batch < N && (lower.contains("^2 / 2") || lower.contains("sumsq(sum(")) {
                continue;
            }
            let mut problem = problem(lower, batch, precision);
            problem.samples.as_mut().unwrap().shuffle(3);
            let full = quantities(&mut problem);
            let mean = means(&mut problem);
            close(&mean[0], &full[0], tolerance, lower);
            close(&mean[1], &full[1], tolerance, UPPER);
        }
    }
}

/// The terms of a batch, picked by the reference evaluator.
#[test]
fn batches_by_the_reference() {
    for lower in LOWER {
        let made = estimate::estimates(&model(&text(lower), Memory::default()), 6).unwrap();
        let mut problem = problem(lower, 6, Precision::F64);
        let (x, y) = (problem.upper.start(), problem.lower.start());
        let found = problem.on_batches([1, 0], |p| p.lower_value(&x, &y));
        let expected = reference(&made.model, &made, [&x, &y]);
        close(&[found], &[expected], 1e-10, lower);
    }
}

/// The lower objective on batch 1 of terms in order.
fn reference(model: &Model, made: &estimate::Estimates, [x, y]: [&[f64]; 2]) -> f64 {
    let mut bindings = Bindings::default();
    for data in &model.data {
        if let Some(value) = &data.value {
            bindings.set(data.input, value.as_ref().clone());
        }
    }
    let lower = model.lower.as_ref().unwrap();
    for (vars, values) in [(&model.upper.vars, x), (&lower.vars, y)] {
        let shape: Vec<usize> = vars[0].ty.shape.to_vec();
        bindings.set(vars[0].input, ndarray::ArrayD::from_shape_vec(shape, values.to_vec()).unwrap());
    }
    for (inputs, &n) in made.inputs.iter().zip(&made.sizes[0]) {
        let count = made.batches[0];
        let capacity = model.graph.input_info(inputs[0]).ty.len();
        let rows: Vec<f64> = (n / count..2 * n / count).map(|k| k as f64).collect();
        let at = |k: usize| rows.get(k).copied();
        let places: Vec<f64> = (0..capacity).map(|k| at(k).unwrap_or(rows[0])).collect();
        let weights: Vec<f64> =
            (0..capacity).map(|k| if at(k).is_some() { count as f64 } else { 0.0 }).collect();
        bindings.set(inputs[0], ndarray::Array1::from(places).into_dyn());
        bindings.set(inputs[1], ndarray::Array1::from(weights).into_dyn());
    }
    evaluate(&model.graph, &[lower.objective], &bindings).unwrap()[0].iter().copied().next().unwrap()
}

/// What is computed for a batch grows with the batch, not with the data: after the gathers no array has an axis of all terms, but for
/// those that data or variables have themselves.
#[test]
fn only_rows_are_touched() {
    for lower in &LOWER[..2] {
        let lower = lower.replace(" + sum(z[0])", "");
        let made = estimate::estimates(&model(&text(&lower), Memory::default()), 6).unwrap();
        let objective = made.model.lower.as_ref().unwrap().objective;
        let graph = &made.model.graph;
        for id in graph.reachable(&[objective]) {
            let given =
                graph.is(id, &ops::INPUT) || graph.node(id).stage == blo_compiler::ir::graph::Role::Data;
            assert!(given || !graph.shape(id).contains(&N), "{lower}: %{} is {}", id.0, graph.ty(id));
        }
    }
}
