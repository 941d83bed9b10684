//! Sparse data in compiled models: every form of a product has the values and derivatives of the same model with dense data, in
//! both precisions, and the memory of a program goes with the nonzeros.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod memory;

use std::collections::BTreeMap;

use blo_compiler::csr::Csr;
use blo_compiler::session::{DataError, DataRequest, Loader, Options, SparseTensor, Tensor};
use blo_compiler::types::Elem;
use blo_compiler::{Stage, analyse, compile, emit};
use blo_grammar::source::Sources;
use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::problem::Problem;
use memory::Memory;

/// Objectives of a model with the sparse `A: [n, d]`, the upper `x: [n]`, and the lower `w: [d]` and `W: [d, 3]`.
const FORMS: &[&str] = &[
    "sum(softplus(x * (A @ w)))",
    "sum(softplus(x[i] * (A[i] @ w)) for i in n)",
    "sum(sin(x[i] * sum(A[i, j] * w[j] for j in d)) for i in n)",
    "sumsq(sin(A' @ x) * w)",
    "sumsq(sin(x @ A) * w) + sumsq(sin(w @ A'))",
    "sum(x[i] * logsumexp(A[i] @ W) for i in n)",
    "sum(sin(W' @ A') * x)",
    "sum(sin(sum(A[i, j] * W[j, k] for j in d)) * x[i] for i in n, k in 3)",
    "sin(sum(x[i] * A[i, j] * w[j] for i in n, j in d))",
    "sum(sin(A[2..5] @ w) * x[2..5]) + sum(sin(A[pick] @ W))",
    "sum(sin(A[pick[k]] @ w) * x[k] for k in 4) + (A[3] @ w)^2",
    "sumsq((A / scale) @ w - x) + sumsq((2 * A - A) @ w)",
    "sumsq([sum(x[i] * A[i, j] / scale[j] for i in n) for j in d] - w)",
    "sum((A^2) @ w) * sum(A) + sum(sum(A, 0) * w) + sum(sum(abs(A), 1) * x) + nnz(A) * sum(w)",
    "sum(grad(sumsq(A @ w - x), w)^2)",
    "sumsq((dense(A) + 1) @ w - x)",
];

const ROWS: usize = 9;
const COLUMNS: usize = 7;
const LOWER: usize = COLUMNS + COLUMNS * 3;

fn text(form: &str, sparse: &str, precision: &str) -> String {
    let (nnz, dense) = if sparse.is_empty() { ("21", "") } else { ("nnz(A)", "dense") };
    let form = form.replace("nnz(A)", nnz).replace("dense", dense);
    format!(
        "precision {precision}
data A: {sparse} real[n, d]
data pick: int[4] in 0..n = [7, 0, 7, 3]
data scale: real[d] = [0.5, 1.5, 2, 1, 3, 0.8, 1.1]
upper {{ var x: real[n] = 0
  minimize sumsq(x) + sumsq(w) + sumsq(W) }}
lower {{ var w: real[d] = 0
  var W: real[d, 3] = 0
  minimize {form} }}"
    )
}

fn matrix() -> ndarray::ArrayD<f64> {
    let kept = |i: usize, j: usize| (i * 5 + j * 3).is_multiple_of(3) && i != 4 || (i, j) == (7, 1);
    let value = |i: usize, j: usize| ((i * COLUMNS + j) as f64 * 1.7).sin();
    ndarray::ArrayD::from_shape_fn(vec![ROWS, COLUMNS], |at| {
        if kept(at[0], at[1]) { value(at[0], at[1]) } else { 0.0 }
    })
}

fn problem(form: &str, sparse: &str, precision: &str) -> Problem {
    let data = BTreeMap::from([("A".to_owned(), (Elem::Real, matrix()))]);
    let needs = [Quantity::LowerValue, Quantity::LowerGradients, Quantity::LowerSecondOrder];
    let mut model = memory::model(&text(form, sparse, precision), Memory(data));
    compile(&mut model, &needs, 0).unwrap()
}

/// Value, gradients, and products with second derivatives.
fn derivatives(problem: &mut Problem) -> Vec<f64> {
    let numbers = |len: usize, seed: f64| -> Vec<f64> {
        (0..len).map(|k| ((k as f64 + seed) * 12.9898).sin()).collect()
    };
    let (x, y, v) = (numbers(ROWS, 0.3), numbers(LOWER, 7.1), numbers(LOWER, 2.2));
    let (mut gx, mut gy) = (vec![0.0; ROWS], vec![0.0; LOWER]);
    let value = problem.lower_gradients(&x, &y, &mut gx, &mut gy);
    let (mut hv, mut xv) = (vec![0.0; LOWER], vec![0.0; ROWS]);
    problem.lower_second_order(&x, &y, &v, &mut hv, &mut xv);
    [vec![value], gx, gy, hv, xv].concat()
}

#[test]
fn sparse_and_dense_models_have_the_same_derivatives() {
    let nonzeros = matrix().iter().filter(|x| **x != 0.0).count();
    assert_eq!(nonzeros, 21, "the count that stands in the dense models");
    for form in FORMS {
        let wanted = derivatives(&mut problem(form, "", "f64"));
        let scale = wanted.iter().fold(1.0f64, |m, w| m.max(w.abs()));
        for (precision, tolerance) in [("f64", 1e-12), ("f32", 2e-5)] {
            let found = derivatives(&mut problem(form, "sparse", precision));
            assert_eq!(found.len(), wanted.len());
            for (k, (f, w)) in found.iter().zip(&wanted).enumerate() {
                assert!(
                    (f - w).abs() <= tolerance * scale,
                    "{form} in {precision}: element {k} is {f}, not {w}"
                );
            }
        }
    }
}

/// A matrix with a million rows and columns and two nonzeros in each row.
struct Wide;

const SIDE: usize = 1_000_000;

impl Loader for Wide {
    fn module(&mut self, _from: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("there is no file `{path}`"))
    }

    fn data(&mut self, _request: &DataRequest) -> Result<Option<Tensor>, DataError> {
        Ok(None)
    }

    fn sparse(&mut self, _request: &DataRequest) -> Result<Option<SparseTensor>, DataError> {
        let start: Vec<usize> = (0..=SIDE).map(|row| 2 * row).collect();
        let columns: Vec<usize> = (0..SIDE).flat_map(|row| [row / 2, row / 2 + SIDE / 2]).collect();
        let matrix = Csr::new([SIDE, SIDE], &start, &columns, &vec![0.5; 2 * SIDE]).unwrap();
        Ok(Some(SparseTensor { matrix, origin: "the test".into() }))
    }
}

#[test]
fn memory_goes_with_the_nonzeros() {
    let text = "data A: sparse real[n, d]
upper { var t: real = 0
  minimize mean((A[i] @ w)^2 for i in n) }
lower { var w: real[d] = 0
  minimize mean(softplus(A[i] @ w) for i in n) + exp(t) * sumsq(w) }
expect sum(A @ w) < 1";
    let mut sources = Sources::new();
    let main = sources.add("test.blo", text);
    let options = Options { need_data: true, ..Options::default() };
    let (model, diagnostics) = analyse(&mut sources, main, &mut Wide, &options);
    let mut model = model.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    let needs = [Quantity::LowerGradients, Quantity::LowerSecondOrder, Quantity::UpperGradients];
    let loops = emit(&mut model, &needs, Stage::Loops).unwrap();
    let largest =
        loops.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<usize>().ok()).max().unwrap();
    assert!(loops.contains("sparse 1000000 x 1000000 with 2000000"), "{loops}");
    assert!(largest < 64 * 8 * 2 * SIDE, "{largest} somewhere in\n{loops}");
    let mut problem = compile(&mut model, &needs, 0).unwrap();
    let (mut gx, mut gy) = ([0.0], vec![0.0; SIDE]);
    let value = problem.lower_gradients(&[0.0], &vec![2.0; SIDE], &mut gx, &mut gy);
    let wanted = (1.0 + 2f64.exp()).ln() + 4.0 * SIDE as f64;
    assert!((value - wanted).abs() < 1e-9 * wanted, "{value} is not {wanted}");
    // Every column has two nonzeros, each of a row with the product 2.
    let slope = 2.0 * 0.5 / (1.0 + (-2f64).exp()) / SIDE as f64 + 2.0 * 2.0;
    assert!(gy.iter().all(|g| (g - slope).abs() < 1e-9), "{} is not {slope}", gy[0]);
}
