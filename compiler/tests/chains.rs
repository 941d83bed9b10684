//! Second-order products of a weighted ridge regression with an intercept, whose data products are formed in advance: machine code
//! against differences of the gradient, which keeps its residual, in both precisions.

#![allow(clippy::unwrap_used, reason = "the helpers of a test stop it the way tests do")]

mod memory;

use blo_compiler::model::Precision;
use blo_compiler::{Stage, compile, emit};
use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::problem::Problem;
use memory::{Memory, model};

const TEXT: &str = "
dim n = 301
dim d = 7
let X = [[sin(1.7 * i + 0.9 * j * j + 1) for j in d] for i in n]
let y = [cos(0.3 * i) for i in n]
upper {
  var s: real[n] = 0.5
  var lam: real = -1
  minimize sumsq(w) + b^2 + lam^2
}
lower {
  var w: real[d] = 0.1
  var b: real = 0.2
  minimize WEIGHT mean((X[i] @ w + b - y[i])^2 for i in n) + exp(lam) * sumsq(w)
}
";

const NEEDS: [Quantity; 3] = [Quantity::LowerGradients, Quantity::LowerHessian, Quantity::LowerSecondOrder];

fn text(weighted: bool) -> String {
    let plain = TEXT.replace("WEIGHT", "");
    let weighted_text = TEXT.replace("WEIGHT mean((X[i] @ w", "mean(sigmoid(s[i]) * (X[i] @ w");
    if weighted { weighted_text } else { plain }
}

fn problem(weighted: bool, precision: Precision) -> Problem {
    let mut model = model(&text(weighted), Memory::default());
    model.precision = precision;
    compile(&mut model, &NEEDS, 0).unwrap()
}

fn numbers(len: usize, seed: f64) -> Vec<f64> {
    (0..len).map(|k| ((k as f64 + seed) * 12.9898).sin()).collect()
}

fn close(found: &[f64], wanted: &[f64], tolerance: f64, what: &str) {
    let scale = wanted.iter().fold(1e-3_f64, |m, w| m.max(w.abs()));
    let worst = found.iter().zip(wanted).map(|(f, w)| (f - w).abs()).fold(0.0, f64::max);
    assert!(worst <= tolerance * scale && found.len() == wanted.len(), "{what}: {worst:e} of {scale:e}");
}

#[test]
fn products_agree_with_differences() {
    for weighted in [false, true] {
        let mut problem = problem(weighted, Precision::F64);
        let (n, m) = (problem.upper.len(), problem.lower.len());
        let (x, y, v) = (numbers(n, 0.3), numbers(m, 7.1), numbers(m, 2.2));
        let mut at = |step: f64| {
            let moved: Vec<f64> = y.iter().zip(&v).map(|(y, v)| y + step * v).collect();
            let (mut gx, mut gy) = (vec![0.0; n], vec![0.0; m]);
            problem.lower_gradients(&x, &moved, &mut gx, &mut gy);
            (gx, gy)
        };
        let (above, below) = (at(0.5), at(-0.5));
        let slope = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
        // Quadratic in `y`: central differences are exact up to rounding.
        let (by_x, by_y) = (slope(&above.0, &below.0), slope(&above.1, &below.1));
        let (mut hv, mut second, mut xv) = (vec![0.0; m], vec![0.0; m], vec![0.0; n]);
        problem.lower_hessian(&x, &y, &v, &mut hv);
        close(&hv, &by_y, 1e-11, "the Hessian product");
        problem.lower_second_order(&x, &y, &v, &mut second, &mut xv);
        close(&second, &by_y, 1e-11, "the Hessian product of the pair");
        close(&xv, &by_x, 1e-11, "the cross product");
        let mut single = self::problem(weighted, Precision::F32);
        single.lower_hessian(&x, &y, &v, &mut hv);
        close(&hv, &by_y, 1e-5, "the Hessian product in single precision");
    }
}

/// The last stage of an entry's loops.
fn last_stage(loops: &str, entry: &str) -> String {
    let from = loops.find(&format!("\n{entry}\n")).unwrap();
    let body = &loops[from + 1..];
    let body = &body[body.find("always:").unwrap()..];
    body[..body.find("return").unwrap()].to_owned()
}

#[test]
fn hessian_products_do_not_read_the_samples() {
    for weighted in [false, true] {
        let loops = emit(&mut model(&text(weighted), Memory::default()), &NEEDS, Stage::Loops).unwrap();
        let last = last_stage(&loops, "lower_hessian");
        let reads = ["[301]", "m 301 ", "k 301 "].iter().any(|size| last.contains(size));
        assert!(!reads, "{last}");
    }
}
