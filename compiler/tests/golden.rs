//! Golden hypergradients: the whole road from text to machine code against numbers computed elsewhere (see
//! `docs/decisions/0005-golden-numbers.md` for where they come from).

// Helpers of tests stop the test when something is wrong, as tests do.
#![allow(clippy::unwrap_used)]

mod memory;

use std::fs::File;

use blo_compiler::compile;
use blo_compiler::model::Precision;
use blo_compiler::types::Elem;
use blo_runtime::derivatives::{Derivatives, Quantity};
use blo_runtime::hypergradient::{Implicit, Unroll, reverse};
use blo_runtime::problem::Problem;
use memory::{Memory, model};
use ndarray::{ArrayD, Ix1, Ix2};

/// Logistic regression with one exponential ridge weight per feature: 20 samples, 3 features, from formulas.
const G1: &str = "
dim n = 20
dim d = 3
let A = [sin((i + 1) * (j + 1) + (i + 1)) for i in n, j in d]
let b = [sign(cos(i + 1)) for i in n]
let V = [cos((i + 1) * (j + 1) + 0.5 * (i + 1)) for i in n, j in d]
let c = [sign(sin(1.3 * (i + 1))) for i in n]
upper {
  var x: real[d] = [-2, -1, -3]
  minimize mean(log(1 + exp(-c[i] * (V[i] @ y))) for i in n)
}
lower {
  var y: real[d] = 0
  minimize mean(log(1 + exp(-b[i] * (A[i] @ y))) for i in n) + 0.5 * sum(exp(x[j]) * y[j]^2 for j in d)
}
";

const NEEDS: [Quantity; 5] = [
    Quantity::LowerGradient,
    Quantity::LowerHessian,
    Quantity::LowerSecondOrder,
    Quantity::UpperValue,
    Quantity::UpperGradients,
];

fn g1() -> Problem {
    compile(&mut model(G1, Memory::default()), &NEEDS, 0).unwrap()
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance, "{found:?} is not {expected:?} within {tolerance}");
    }
}

/// The lower solution, by plain gradient steps.
fn lower_solution(problem: &mut Problem, x: &[f64], steps: usize, step: f64) -> Vec<f64> {
    let mut y = vec![0.0; problem.lower.len()];
    let mut gradient = y.clone();
    for _ in 0..steps {
        problem.lower_gradient(x, &y, &mut gradient);
        y.iter_mut().zip(&gradient).for_each(|(y, g)| *y -= step * g);
    }
    y
}

const X: [f64; 3] = [-2.0, -1.0, -3.0];

#[test]
fn g1_reverse() {
    let mut problem = g1();
    let (_, ten) = reverse(&mut problem, &X, &[0.0; 3], &Unroll::new(10, 1.0));
    close(&ten, &[-0.006_047_46, 0.002_952_88, -0.001_385_27], 5e-9);
    let (value, hundred) = reverse(&mut problem, &X, &[0.0; 3], &Unroll::new(100, 1.0));
    close(&hundred, &[-0.008_108_29, 0.002_975_15, -0.002_761_56], 5e-9);
    assert!((value - 0.710_761_511_717_586_6).abs() < 1e-9);
}

#[test]
fn g1_conjugate_gradients() {
    let mut problem = g1();
    let y = lower_solution(&mut problem, &X, 3000, 1.0);
    close(&y, &[0.107_556_52, 0.053_339_89, -0.161_685_08], 5e-9);
    let rows = [
        [-0.007_038_09, 0.005_040_61, -0.001_530_17],
        [-0.008_435_77, 0.002_832_07, -0.002_247_72],
        [-0.008_108_29, 0.002_975_15, -0.002_761_57],
    ];
    for (steps, row) in rows.iter().enumerate() {
        let mut implicit = Implicit::new(&problem);
        let mut g = [0.0; 3];
        let (value, _) = implicit.evaluate(&mut problem, &X, &y, steps + 1, 0.0, &mut g);
        close(&g, row, 5e-9);
        assert!((value - 0.710_761_511_717_586_6).abs() < 1e-13);
    }
}

#[test]
fn g1_in_single_precision() {
    let mut model = model(G1, Memory::default());
    model.precision = Precision::F32;
    let mut problem = compile(&mut model, &NEEDS, 0).unwrap();
    let (_, g) = reverse(&mut problem, &X, &[0.0; 3], &Unroll::new(100, 1.0));
    close(&g, &[-0.008_108_29, 0.002_975_15, -0.002_761_56], 1e-6);
}

/// The published logistic experiment, its first hypergradient at `h = 1`.
const G3: &str = "
data x_train: real[n, d]
data y_train: real[n]
data x_val: real[m, d]
data y_val: real[m]
fn loss(z, y) = softplus(z) - y * z
upper {
  var h: real[d] in [1e-8, inf] = 1
  minimize mean(loss(x_val[i] @ w, y_val[i]) for i in m)
}
lower {
  var w: real[d] = 0
  minimize mean(loss(x_train[i] @ w, y_train[i]) for i in n) + 0.5 * sum(h[j] * w[j]^2 for j in d)
}
";

fn hypertorch() -> Memory {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/hypertorch_logistic.npz");
    let mut archive = ndarray_npy::NpzReader::new(File::open(path).unwrap()).unwrap();
    let mut data = Memory::default();
    for name in ["x_train", "x_val"] {
        let values: ndarray::Array<f64, Ix2> = archive.by_name(&format!("{name}.npy")).unwrap();
        data.0.insert(name.into(), (Elem::Real, values.into_dyn()));
    }
    for name in ["y_train", "y_val"] {
        let values: ndarray::Array<f64, Ix1> = archive.by_name(&format!("{name}.npy")).unwrap();
        let values: ArrayD<f64> = values.into_dyn();
        data.0.insert(name.into(), (Elem::Real, values));
    }
    data
}

#[test]
fn g3_exact_and_unrolled() {
    let mut problem = compile(&mut model(G3, hypertorch()), &NEEDS, 0).unwrap();
    let h = vec![1.0; 20];
    let (_, unrolled) = reverse(&mut problem, &h, &[0.0; 20], &Unroll::new(100, 0.1));
    assert!((unrolled[0] - 0.008_659_26).abs() < 5e-9, "{}", unrolled[0]);

    let y = lower_solution(&mut problem, &h, 4000, 0.1);
    let mut g = vec![0.0; 20];
    Implicit::new(&problem).evaluate(&mut problem, &h, &y, 100, 1e-14, &mut g);
    close(&g[..5], &[0.008_659_41, 0.001_510_14, 0.000_790_47, 0.003_071_21, 0.005_326_42], 5e-9);
}

#[test]
fn g3_lower_losses_along_the_published_run() {
    let mut problem = compile(&mut model(G3, hypertorch()), &NEEDS, 0).unwrap();
    let h = vec![1.0; 20];
    let mut gradient = vec![0.0; 20];
    for (steps, loss) in [
        (0, std::f64::consts::LN_2),
        (10, 0.628_559_1),
        (20, 0.624_390_4),
        (50, 0.624_090_0),
        (99, 0.624_089_9),
    ] {
        let y = lower_solution(&mut problem, &h, steps, 0.1);
        let found = problem.lower_gradient(&h, &y, &mut gradient);
        assert!((found - loss).abs() < 5e-8, "after {steps} steps: {found}, published {loss}");
    }
}
