//! Solves with the lower Hessian `H` for [`super::NESTED`], on a lower level without domains. Conjugate gradients alone, until their steps add
//! up to what writing `H` down and factorising it would cost, where solves take so many of them that a factor pays; from then on with
//! the Cholesky factor of that `H` as the preconditioner, which is made anew when the steps beyond a few per solve add up to its cost
//! again. So not much more than twice the work is spent that the better of both ways would need, and in a long run the factor is a few steps
//! away from every `H` it meets. Work is counted in products with `H`, by the operations of one that the compiler counted.
//!
//! Where the factor exists the lower level is solved by Newton's steps with it, instead of by limited-memory BFGS.

use super::super::run::Run;
use crate::derivatives::{Derivatives, Quantity};
use crate::linear::blas1::{axpy, norm2};
use crate::linear::cg::{CgEnd, CgReport, ConjugateGradients};
use crate::linear::cholesky::Factor;
use crate::problem::Problem;
use crate::state::State;

/// The most lower variables for which `H` is written out.
const LARGEST: usize = 2000;
/// Steps per solve that are no sign of an old factor.
const FEW: usize = 3;
/// Products that solving the lower level and one system take with a factor, more or less.
const WORTH: f64 = 12.0;
/// Newton's steps on the lower level before limited-memory BFGS takes over.
const NEWTON: usize = 8;
/// The residual of a step, relative to what is left to go.
const WITHIN: f64 = 0.3;
/// What they aim at, relative to the tolerance: the last digits cost a step, and without them `F(x, y(x))` is not smooth.
const AIM: f64 = 1e-3;
/// No step aims at a smaller residual than this, relative to the gradient.
const ENOUGH: f64 = 1e-12;

pub(super) struct Solves {
    solver: ConjugateGradients,
    factor: Option<Factor>,
    /// Whether there may be a factor, and whether there is one.
    possible: bool,
    made: bool,
    /// Products paid for since the factor was made, and from how many on it is made anew.
    paid: usize,
    price: usize,
    /// Systems solved without a factor.
    systems: usize,
    /// What a product with the preconditioner costs, in products without.
    dearer: f64,
    gradient: Vec<f64>,
    unit: Vec<f64>,
    step: Vec<f64>,
}

impl Solves {
    pub(super) fn new(problem: &Problem) -> Self {
        let m = problem.lower.len();
        let possible = m <= LARGEST
            && problem.lower.is_free()
            && problem.proximal.is_none()
            && problem.roundoff <= f64::EPSILON;
        let room = if possible { m } else { 0 };
        let (size, work) = (m as f64, problem.work(Quantity::LowerHessian));
        // Nobody counts those of derivatives written by hand.
        let counted = |operations: f64| if work > 0.0 { operations / work } else { 0.0 };
        Solves {
            solver: ConjugateGradients::new(room),
            factor: None,
            possible,
            made: false,
            paid: 0,
            price: m + counted(size * size * size / 3.0) as usize,
            systems: 0,
            dearer: 1.0 + counted(2.0 * size * size),
            gradient: vec![0.0; room],
            unit: vec![0.0; room],
            step: vec![0.0; room],
        }
    }

    /// Whether this is a problem to use it for.
    pub(super) fn possible(&self) -> bool {
        self.possible
    }

    /// Whether there is a factor.
    pub(super) fn factored(&self) -> bool {
        self.made
    }

    /// Takes note of products that were spent.
    pub(super) fn pay(&mut self, products: usize) {
        self.paid += products;
    }

    /// Improves `v` until `‖b − H v‖ ≤ tolerance ‖b‖`, by at most `steps`.
    pub(super) fn solve(
        &mut self,
        problem: &mut Problem,
        (x, y): (&[f64], &[f64]),
        b: &[f64],
        v: &mut [f64],
        (steps, tolerance): (usize, f64),
        run: &mut Run<'_>,
    ) -> CgReport {
        let pays = self.made || self.paid as f64 >= WORTH * self.dearer * self.systems as f64;
        if self.paid >= self.price && pays {
            self.renew(problem, x, y, run);
        }
        let product = |p: &[f64], q: &mut [f64]| problem.lower_hessian(x, y, p, q);
        let report = match self.factor.as_ref().filter(|_| self.made) {
            Some(factor) => {
                self.solver.solve_preconditioned(b, v, (steps, tolerance), product, |r| factor.solve(r))
            }
            None => self.solver.solve(b, v, steps, tolerance, product),
        };
        if self.made {
            self.paid += (self.dearer * report.steps.saturating_sub(FEW) as f64) as usize;
        } else {
            self.paid += report.steps;
            self.systems += 1;
        }
        report
    }

    /// Writes `H` down and factorises it. Where it is not positive definite the next attempt costs as much more.
    fn renew(&mut self, problem: &mut Problem, x: &[f64], y: &[f64], run: &mut Run<'_>) {
        let m = y.len();
        let factor = self.factor.get_or_insert_with(|| Factor::new(m));
        for (i, row) in factor.matrix.chunks_exact_mut(m.max(1)).enumerate() {
            if run.poll(problem) {
                return;
            }
            self.unit.fill(0.0);
            self.unit[i] = 1.0;
            problem.lower_hessian(x, y, &self.unit, row);
        }
        self.paid = 0;
        self.made = factor.renew();
        if !self.made {
            self.price = self.price.saturating_mul(4);
        }
    }

    /// Moves `y` to a stationary point of the lower level, to `tolerance`; false, with `y` of no use, when Newton's steps do not lead there.
    pub(super) fn newton(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        limits: (usize, f64),
        run: &mut Run<'_>,
    ) -> bool {
        let (steps, tolerance) = limits;
        let mut before = f64::INFINITY;
        for _ in 0..NEWTON {
            let mut gradient = std::mem::take(&mut self.gradient);
            problem.lower_gradient_only(x, y, &mut gradient);
            let size = norm2(&gradient);
            let far = size > AIM * tolerance;
            // Also when it is not a number.
            let better = size < 0.5 * before;
            if far && better {
                before = size;
                let mut step = std::mem::take(&mut self.step);
                step.fill(0.0);
                let within = (WITHIN * AIM * tolerance / size).max(ENOUGH);
                let report = self.solve(problem, (x, y), &gradient, &mut step, (steps, within), run);
                axpy(-1.0, &step, y);
                self.step = step;
                if matches!(report.end, CgEnd::Negative | CgEnd::Singular | CgEnd::NonFinite) {
                    before = 0.0;
                }
            }
            self.gradient = gradient;
            if !far {
                return true;
            }
            if !better && size <= tolerance {
                return true;
            }
            if !better || before == 0.0 || run.poll(problem) {
                return false;
            }
        }
        false
    }

    /// What later iterations read.
    pub(super) fn state(&mut self, state: &mut dyn State) {
        state.flag(&mut self.made);
        state.count(&mut self.paid);
        state.count(&mut self.price);
        state.count(&mut self.systems);
        if self.made {
            let m = self.unit.len();
            self.factor.get_or_insert_with(|| Factor::new(m)).state(state);
        }
    }
}
