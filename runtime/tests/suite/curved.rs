//! Newton's steps of `nested`, on a model whose variables have scales from 1 to 1e-7 and where BFGS alone takes thousands of steps.

#![allow(clippy::needless_range_loop, reason = "matrix formulas read best with their indices")]

use super::models::{Model, within};
use super::{close, number, run};
use blo_runtime::space::Domain;

/// Ridge regression with a weight `exp(x_j)` per feature: `f = ‖A y − b‖² + Σ exp(x_j) y_j²`, `F = ‖C y − d‖²`.
struct Weights {
    n: usize,
    a: Vec<f64>,
    c: Vec<f64>,
    b: Vec<f64>,
    d: Vec<f64>,
}

impl Weights {
    fn new(n: usize) -> Self {
        let rows = 2 * n;
        let entry = |r: f64, s: f64, shift: f64, k: usize| {
            let (i, j) = ((k / n + 1) as f64, (k % n) as f64 + shift);
            (r * i * j + s * i * i).sin()
        };
        let a: Vec<f64> = (0..rows * n).map(|k| entry(0.7, 1.3, 1.0, k)).collect();
        let c: Vec<f64> = (0..rows * n).map(|k| entry(1.1, 0.9, 2.0, k)).collect();
        let w: Vec<f64> = (0..n).map(|j| if j % 3 == 0 { (j as f64).cos() } else { 0.0 }).collect();
        let noise = |i: usize, s: f64| 0.5 * (s * ((i + 1) * (i + 1)) as f64).sin();
        let mut model = Weights { n, a, c, b: vec![0.0; rows], d: vec![0.0; rows] };
        let (b, d) = (model.times(&model.a, &w), model.times(&model.c, &w));
        model.b = b.iter().enumerate().map(|(i, b)| b + noise(i, 2.3)).collect();
        model.d = d.iter().enumerate().map(|(i, d)| d + noise(i, 1.9)).collect();
        model
    }

    fn times(&self, matrix: &[f64], y: &[f64]) -> Vec<f64> {
        matrix.chunks(self.n).map(|row| row.iter().zip(y).map(|(a, y)| a * y).sum()).collect()
    }

    /// `‖M y − r‖²`, and its gradient added to `gy`.
    fn squares(&self, matrix: &[f64], right: &[f64], y: &[f64], gy: &mut [f64]) -> f64 {
        let off: Vec<f64> = self.times(matrix, y).iter().zip(right).map(|(a, b)| a - b).collect();
        for (row, off) in matrix.chunks(self.n).zip(&off) {
            gy.iter_mut().zip(row).for_each(|(g, a)| *g += 2.0 * off * a);
        }
        off.iter().map(|off| off * off).sum()
    }
}

impl Model for Weights {
    fn lengths(&self) -> (usize, usize) {
        (self.n, self.n)
    }
    fn lower(&self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let mut value = self.squares(&self.a, &self.b, y, gy);
        for j in 0..self.n {
            let weight = x[j].exp();
            value += weight * y[j] * y[j];
            gx[j] += weight * y[j] * y[j];
            gy[j] += 2.0 * weight * y[j];
        }
        value
    }
    fn second(&self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        self.squares(&self.a, &vec![0.0; 2 * self.n], v, hv);
        for j in 0..self.n {
            hv[j] += 2.0 * x[j].exp() * v[j];
            xv[j] += 2.0 * x[j].exp() * y[j] * v[j];
        }
    }
    fn upper(&self, _: &[f64], y: &[f64], _: &mut [f64], gy: &mut [f64]) -> f64 {
        self.squares(&self.c, &self.d, y, gy)
    }
}

/// The value that Newton's steps on the exact dense Hessian reach in numpy from four starts.
#[test]
fn a_weight_per_feature() {
    let bounds = || Domain::Interval { lo: vec![-8.0], hi: vec![5.0] };
    let made = |start: f64, newton: f64| {
        let problem = within(Weights::new(100), (bounds(), &[start; 100]), (Domain::Free, &[0.0; 100]));
        run(problem, "nested", &[number("newton", newton), number("steps", 150.0)])
    };
    for start in [0.0, 3.0] {
        let s = made(start, 20.0);
        close(s.upper_objective, 20.252444347, 1e-8);
    }
    // Without them the same number of steps leads nowhere near.
    assert!(made(0.0, 1e6).upper_objective > 20.2525);
}
