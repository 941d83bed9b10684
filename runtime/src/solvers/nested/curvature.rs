//! Products with the Hessian of `φ(x) = F(x, y(x))` for [`super::NESTED`], where `H v = b` can be solved. With `λ = H⁻¹ ∇y F` and
//! `∇φ = ∇x F − ∇²xy f · λ`, along `v`:
//!
//! `H y' = −∇²yx f · v`, `H λ' = (∇y F)' − H' λ`, `∇²φ · v = (∇x F)' − (∇²xy f)' λ − ∇²xy f · λ'`,
//!
//! where `'` is the derivative along `(v, y')`: of `∇F` and of the products `H λ`, `∇²xy f · λ` (λ fixed) by one difference, so third
//! derivatives need not be compiled. The error is some 1e-7 of the product. Cost: one lower gradient, one pair of upper gradients, two second-order
//! products and two solves.

use super::super::run::Run;
use super::solves::Solves;
use crate::derivatives::Derivatives;
use crate::linear::blas1::{all_finite, axpy, norm2};
use crate::linear::cg::CgEnd;
use crate::problem::Problem;

/// The residual of the solves.
const RESIDUAL: f64 = 1e-6;

/// All there is at an iterate, and room for the same a little aside.
#[derive(Default)]
pub(super) struct Curvature {
    x: Vec<f64>,
    y: Vec<f64>,
    adjoint: Vec<f64>,
    here: Parts,
    aside: Parts,
    moved_x: Vec<f64>,
    moved_y: Vec<f64>,
    response: Vec<f64>,
    change: Vec<f64>,
    unused: Vec<f64>,
}

#[derive(Default)]
struct Parts {
    /// `∇y f`.
    lower: Vec<f64>,
    /// `∇x F` and `∇y F`.
    upper: (Vec<f64>, Vec<f64>),
    /// `H λ` and `∇²xy f · λ`.
    second: (Vec<f64>, Vec<f64>),
}

impl Parts {
    fn new(n: usize, m: usize) -> Self {
        let (x, y) = (vec![0.0; n], vec![0.0; m]);
        Parts { lower: y.clone(), upper: (x.clone(), y.clone()), second: (y, x) }
    }

    /// What a move of `y` changes, too.
    fn evaluate(&mut self, problem: &mut Problem, x: &[f64], y: &[f64], adjoint: &[f64]) {
        problem.upper_gradients_only(x, y, &mut self.upper.0, &mut self.upper.1);
        problem.lower_second_order(x, y, adjoint, &mut self.second.0, &mut self.second.1);
    }
}

impl Curvature {
    pub(super) fn new(n: usize, m: usize) -> Self {
        let (x, y) = (vec![0.0; n], vec![0.0; m]);
        Curvature {
            x: x.clone(),
            y: y.clone(),
            adjoint: y.clone(),
            here: Parts::new(n, m),
            aside: Parts::new(n, m),
            moved_x: x,
            moved_y: y.clone(),
            response: y.clone(),
            change: y.clone(),
            unused: y,
        }
    }

    /// The iterate, with the adjoint `λ` there.
    pub(super) fn at(&mut self, problem: &mut Problem, x: &[f64], y: &[f64], adjoint: &[f64]) {
        self.x.copy_from_slice(x);
        self.y.copy_from_slice(y);
        self.adjoint.copy_from_slice(adjoint);
        problem.lower_gradient_only(x, y, &mut self.here.lower);
        self.here.evaluate(problem, x, y, adjoint);
    }

    /// `out = ∇²φ · v`; false when a system has no solution or a number is not finite. `steps`: of conjugate gradients.
    pub(super) fn product(
        &mut self,
        problem: &mut Problem,
        solves: &mut Solves,
        v: &[f64],
        out: &mut [f64],
        steps: usize,
        run: &mut Run<'_>,
    ) -> bool {
        let Self { x, y, adjoint, here, aside, moved_x, moved_y, response, change, unused } = self;
        let reach = f64::EPSILON.sqrt() * (norm2(x) + norm2(y)).max(1.0);
        let length = reach / norm2(v);
        if !length.is_finite() {
            out.fill(0.0);
            return norm2(v) == 0.0;
        }
        moved_x.copy_from_slice(x);
        axpy(length, v, moved_x);
        problem.lower_gradient_only(moved_x, y, &mut aside.lower);
        // −∇²yx f · v.
        difference(change, &here.lower, &aside.lower, length);
        response.fill(0.0);
        let limits = (steps, RESIDUAL);
        let one = solves.solve(problem, (x, y), change, response, limits, run);

        let length = reach / norm2(v).hypot(norm2(response));
        moved_x.copy_from_slice(x);
        axpy(length, v, moved_x);
        moved_y.copy_from_slice(y);
        axpy(length, response, moved_y);
        aside.evaluate(problem, moved_x, moved_y, adjoint);
        difference(change, &aside.upper.1, &here.upper.1, length);
        difference(unused, &aside.second.0, &here.second.0, length);
        axpy(-1.0, unused, change);
        response.fill(0.0);
        let two = solves.solve(problem, (x, y), change, response, limits, run);

        difference(out, &aside.upper.0, &here.upper.0, length);
        difference(moved_x, &aside.second.1, &here.second.1, length);
        axpy(-1.0, moved_x, out);
        problem.lower_second_order(x, y, response, unused, moved_x);
        axpy(-1.0, moved_x, out);
        let solved = |end| matches!(end, CgEnd::Converged | CgEnd::Steps);
        solved(one.end) && solved(two.end) && all_finite(out) && !run.poll(problem)
    }
}

/// `out = (a − b) / length`.
fn difference(out: &mut [f64], a: &[f64], b: &[f64], length: f64) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = (a - b) / length;
    }
}
