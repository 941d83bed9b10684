//! Programs with rows and bounds, written by hand: solutions with their multipliers, and what cannot be satisfied.

#![allow(clippy::needless_range_loop, reason = "formulas read best with their indices")]

use blo_runtime::constrained::Pair;
use blo_runtime::constrained::interior::{Aim, Duals, End, Reached, solve};
use blo_runtime::constrained::nlp::Nlp;
use blo_runtime::constrained::polish::polish;
use blo_runtime::constrained::program::{Program, Relaxed};
use blo_runtime::derivatives::Derivatives;
use blo_runtime::space::{Block, Domain, Space};

use crate::{all_close, close};

/// `F = ½ Σ curvature (v − target)²` with the rows `½ v'Qv + a·v − b`, `Q` diagonal.
struct Quadratic {
    curvature: Vec<f64>,
    target: Vec<f64>,
    rows: Vec<(Vec<f64>, Vec<f64>, f64)>,
}

impl Quadratic {
    fn row(&self, i: usize, v: &[f64]) -> f64 {
        let (q, a, b) = &self.rows[i];
        (0..v.len()).map(|k| 0.5 * q[k] * v[k] * v[k] + a[k] * v[k]).sum::<f64>() - b
    }

    fn slope(&self, i: usize, k: usize, v: &[f64]) -> f64 {
        self.rows[i].0[k] * v[k] + self.rows[i].1[k]
    }
}

impl Derivatives for Quadratic {
    fn upper_len(&self) -> usize {
        self.rows.len()
    }
    fn lower_len(&self) -> usize {
        self.target.len()
    }
    fn reports_len(&self) -> usize {
        0
    }
    fn lower_gradients(&mut self, w: &[f64], v: &[f64], gw: &mut [f64], gv: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for k in 0..v.len() {
            let off = v[k] - self.target[k];
            value += 0.5 * self.curvature[k] * off * off;
            gv[k] = self.curvature[k] * off;
        }
        for i in 0..w.len() {
            gw[i] = self.row(i, v);
            value += w[i] * gw[i];
            (0..v.len()).for_each(|k| gv[k] += w[i] * self.slope(i, k, v));
        }
        value
    }
    fn lower_gradient_x(&mut self, x: &[f64], y: &[f64], gx: &mut [f64]) -> f64 {
        self.lower_gradients(x, y, gx, &mut vec![0.0; y.len()])
    }
    fn upper_gradient_x(&mut self, x: &[f64], y: &[f64], gx: &mut [f64]) -> f64 {
        self.upper_gradients(x, y, gx, &mut vec![0.0; y.len()])
    }
    fn lower_second_order(&mut self, w: &[f64], v: &[f64], d: &[f64], hd: &mut [f64], wd: &mut [f64]) {
        for k in 0..d.len() {
            let bent: f64 = (0..w.len()).map(|i| w[i] * self.rows[i].0[k]).sum();
            hd[k] = (self.curvature[k] + bent) * d[k];
        }
        for i in 0..w.len() {
            wd[i] = (0..v.len()).map(|k| self.slope(i, k, v) * d[k]).sum();
        }
    }
    fn lower_cross(&mut self, _: &[f64], v: &[f64], u: &[f64], out: &mut [f64]) {
        for k in 0..v.len() {
            out[k] = (0..u.len()).map(|i| u[i] * self.slope(i, k, v)).sum();
        }
    }
    fn lower_value(&mut self, _: &[f64], _: &[f64]) -> f64 {
        panic!("not compiled");
    }
    fn lower_gradient(&mut self, _: &[f64], _: &[f64], _: &mut [f64]) -> f64 {
        panic!("not compiled");
    }
    fn lower_hessian(&mut self, _: &[f64], _: &[f64], _: &[f64], _: &mut [f64]) {
        panic!("not compiled");
    }
    fn upper_value(&mut self, _: &[f64], _: &[f64]) -> f64 {
        panic!("not compiled");
    }
    fn upper_gradients(&mut self, _: &[f64], _: &[f64], _: &mut [f64], _: &mut [f64]) -> f64 {
        panic!("not compiled");
    }
    fn upper_second_order(&mut self, _: &[f64], _: &[f64], _: &[f64], _: &mut [f64], _: &mut [f64]) {
        panic!("not compiled");
    }
    fn reports(&mut self, _: &[f64], _: &[f64], _: &mut [f64]) {
        panic!("not compiled");
    }
}

/// The point and the multipliers of the rows.
fn reach(
    model: Quadratic,
    domain: Domain,
    equal: &[bool],
    pairs: &[Pair],
    relaxation: f64,
) -> (Vec<f64>, Vec<f64>, Reached) {
    let n = model.target.len();
    let space = Space::new(vec![Block::new("v", &[n], domain, vec![0.5; n])]).unwrap();
    let mut nlp = Nlp::new(Box::new(model), &space, equal.to_vec(), 0);
    let (mut v, bounds) = (nlp.start.clone(), nlp.bounds());
    let mut duals = Duals::default();
    let mut program = Relaxed::new(&mut nlp, pairs, (0.0, relaxation));
    let mut reached = solve(&mut program, &bounds, &mut v, &mut duals, Aim::cold(1e-9), &mut |_| false);
    // The last digits of a relaxed pair are those of the relaxation.
    if pairs.is_empty() && reached.end == End::Solved && polish(&mut program, &bounds, &mut v, &mut duals) {
        let (mut g, mut rows) = (vec![0.0; n], vec![0.0; duals.rows.len()]);
        reached.objective = program.evaluate(&v, &mut g, &mut rows);
    }
    duals.rows.truncate(equal.len());
    (v, duals.rows, reached)
}

/// At (1, 1) the gradient (−2, 0) is −⅔ (2, −1) − ⅔ (1, 1).
#[test]
fn an_equality_and_an_inequality_with_their_multipliers() {
    let model = Quadratic {
        curvature: vec![2.0, 2.0],
        target: vec![2.0, 1.0],
        rows: vec![(vec![2.0, 0.0], vec![0.0, -1.0], 0.0), (vec![0.0, 0.0], vec![1.0, 1.0], 2.0)],
    };
    let (v, w, reached) = reach(model, Domain::Free, &[true, false], &[], 0.0);
    assert_eq!(reached.end, End::Solved, "{reached:?}");
    all_close(&v, &[1.0, 1.0], 1e-8);
    all_close(&w, &[2.0 / 3.0, 2.0 / 3.0], 1e-6);
    close(reached.objective, 1.0, 1e-8);
}

/// A Lagrangian that is flat in two of its variables: `t` is as low as v₀ + 2 v₁ lets it be, over v₀ + v₁ ≤ 1 and v ≥ 0.
#[test]
fn a_linear_program_inside() {
    let model = Quadratic {
        curvature: vec![0.0, 0.0, 1.0],
        target: vec![0.0, 0.0, -10.0],
        rows: vec![(vec![0.0; 3], vec![1.0, 1.0, 0.0], 1.0), (vec![0.0; 3], vec![-1.0, -2.0, -1.0], 0.0)],
    };
    let ends = Domain::Interval { lo: vec![0.0, 0.0, -20.0], hi: vec![f64::INFINITY; 3] };
    let (v, w, reached) = reach(model, ends, &[false, false], &[], 0.0);
    assert_eq!(reached.end, End::Solved, "{reached:?}");
    all_close(&v, &[0.0, 1.0, -2.0], 1e-7);
    // The slope of ½ (t + 10)² at −2 is 8: so much is the second row worth, and twice that the first.
    all_close(&w, &[16.0, 8.0], 1e-5);
}

/// A pair of variables that would both be 1 and of which, relaxed to a product of τ, the cheaper one gives way.
#[test]
fn a_relaxed_pair() {
    let model = Quadratic { curvature: vec![4.0, 1.0], target: vec![1.0, 1.0], rows: vec![] };
    let ends = Domain::Interval { lo: vec![0.0; 2], hi: vec![f64::INFINITY; 2] };
    let pair = Pair { multiplier: 0, variable: 1, high: false };
    let (v, _, reached) = reach(model, ends, &[], &[pair], 1e-4);
    assert_eq!(reached.end, End::Solved, "{reached:?}");
    all_close(&v, &[1.0, 1e-4], 1e-4);
    close(v[0] * v[1], 1e-4, 1e-7);
}

#[test]
fn what_cannot_be_satisfied_is_infeasible() {
    let model = Quadratic {
        curvature: vec![1.0],
        target: vec![0.0],
        rows: vec![(vec![0.0], vec![1.0], -1.0), (vec![0.0], vec![-1.0], -1.0)],
    };
    let (_, _, reached) = reach(model, Domain::Free, &[false, false], &[], 0.0);
    assert!(reached.end == End::Infeasible && reached.violation > 0.9, "{reached:?}");
}

#[test]
fn what_falls_for_ever_is_unbounded() {
    let line = |b: f64| (vec![0.0; 2], vec![1.0, -1.0], b);
    let model = Quadratic { curvature: vec![-1.0, 0.0], target: vec![0.0; 2], rows: vec![line(1.0)] };
    let ends = Domain::Interval { lo: vec![0.0; 2], hi: vec![f64::INFINITY; 2] };
    let (_, _, reached) = reach(model, ends, &[false], &[], 0.0);
    assert!(reached.end == End::Unbounded && reached.objective < -1e6, "{reached:?}");
}

/// Rows that leave one point, the same row twice, and an inequality that is met without being active.
#[test]
fn without_an_interior_and_with_dependent_rows() {
    let flat = || vec![0.0; 2];
    let model = Quadratic {
        curvature: vec![1.0, 1.0],
        target: vec![3.0, -2.0],
        rows: vec![
            (flat(), vec![1.0, 0.0], 1.0),
            (flat(), vec![-1.0, 0.0], -1.0),
            (flat(), vec![1.0, 2.0], 5.0),
            (flat(), vec![1.0, 2.0], 5.0),
            (flat(), vec![1.0, 1.0], 9.0),
        ],
    };
    let (v, w, reached) = reach(model, Domain::Free, &[false, false, true, true, false], &[], 0.0);
    assert_eq!(reached.end, End::Solved, "{reached:?}");
    all_close(&v, &[1.0, 2.0], 1e-7);
    // Only sums are determined: (1, 2) − (3, −2) + (w₀ − w₁) (1, 0) + (w₂ + w₃) (1, 2) = 0.
    close(w[2] + w[3], -2.0, 1e-5);
    close(w[0] - w[1], 4.0, 1e-5);
    close(w[4], 0.0, 1e-8);
}
