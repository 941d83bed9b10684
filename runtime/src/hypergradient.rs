//! The gradient of `x ↦ F(x, y(x))`: by reverse differentiation of a lower algorithm, or by the implicit function theorem with
//! conjugate gradients or a Neumann series. Sign convention: `H v = ∇y F`, hypergradient `∇x F − ∇²xy f · v` with `H = ∇²yy f`.

pub mod dynamics;
mod reverse;

use crate::derivatives::Derivatives;
use crate::face::Face;
use crate::linear::blas1::axpy;
use crate::linear::cg::{CgEnd, CgReport, ConjugateGradients};
use crate::problem::Problem;

pub use reverse::{Reverse, Trajectory, Truncation, Unroll, reverse};

/// What a run of lower steps saw of `f`: its first and its last value.
#[derive(Clone, Copy, Debug)]
pub struct Descent {
    /// At the start.
    pub first: f64,
    /// At the last iterate that was evaluated, one step before the end.
    pub last: f64,
}

impl Descent {
    /// Nothing seen yet.
    pub(crate) const START: Descent = Descent { first: f64::NAN, last: f64::NAN };

    /// Takes the next value.
    pub(crate) fn pass(&mut self, value: f64) {
        if self.first.is_nan() {
            self.first = value;
        }
        self.last = value;
    }

    /// Whether `f` did not grow, up to `roundoff` of a sum with some cancellation.
    pub(crate) fn is_downhill(&self, roundoff: f64) -> bool {
        self.last <= self.first + 1e3 * roundoff * self.first.abs()
    }
}

/// `v ← scale ∘ v`, where an empty scale means 1.
pub(crate) fn apply_scale(scale: &[f64], v: &mut [f64]) {
    for (v, s) in v.iter_mut().zip(scale) {
        *v *= s;
    }
}

/// The adjoint system `H v = b` at a point, on the face of active domains.
pub(crate) struct System<'a> {
    pub(crate) problem: &'a mut Problem,
    at: (&'a [f64], &'a [f64]),
    face: &'a Face,
    /// `b`.
    pub(crate) rhs: &'a [f64],
    /// `v`.
    pub(crate) adjoint: &'a mut [f64],
    /// Room for one vector.
    pub(crate) work: &'a mut [f64],
}

impl System<'_> {
    /// `work ← b − H v`.
    pub(crate) fn residual(&mut self) {
        let (x, y) = self.at;
        self.problem.lower_hessian(x, y, self.adjoint, self.work);
        self.face.add_curvature(&self.problem.lower, self.adjoint, self.work);
        self.face.tangent(&self.problem.lower, self.work);
        for (w, b) in self.work.iter_mut().zip(self.rhs) {
            *w = b - *w;
        }
    }

    /// Writes `H` (m × m, row-major), with the identity where the face does not move, so that it can be inverted. Overwrites `v`.
    pub(crate) fn write(&mut self, matrix: &mut [f64]) {
        let (x, y) = self.at;
        let free = self.problem.lower.is_free() && self.problem.proximal.is_none();
        for (i, row) in matrix.chunks_exact_mut(y.len().max(1)).enumerate() {
            let v = &mut *self.adjoint;
            v.fill(0.0);
            v[i] = 1.0;
            self.face.tangent(&self.problem.lower, v);
            self.problem.lower_hessian(x, y, v, row);
            if !free {
                self.face.add_curvature(&self.problem.lower, v, row);
                self.face.tangent(&self.problem.lower, row);
                axpy(-1.0, v, row);
                row[i] += 1.0;
            }
        }
    }
}

/// How often a damping is made larger at a point.
const DAMPINGS: usize = 8;

/// A damping below this share of the largest curvature is none.
const FORGOTTEN: f64 = 1e-6;

/// Work vectors of implicit hypergradients; no call after [`Implicit::new`] allocates.
#[derive(Clone, Debug)]
pub struct Implicit {
    /// The adjoint `v` (m); the start of the next solve.
    pub adjoint: Vec<f64>,
    /// `∇x F` (n) of the last call.
    pub direct: Vec<f64>,
    /// `∇²xy f · v` (n) of the last call.
    pub indirect: Vec<f64>,
    /// `∇y f` (m) of the last call on a lower level with domains.
    pub lower_gradient: Vec<f64>,
    /// `δ` of [`Implicit::evaluate_damped`].
    pub(crate) damping: f64,
    solver: ConjugateGradients,
    face: Face,
    rhs: Vec<f64>,
    work: Vec<f64>,
}

impl Implicit {
    /// Memory: `8 m + 2 n` numbers.
    pub fn new(problem: &Problem) -> Self {
        let (n, m) = (problem.upper.len(), problem.lower.len());
        Implicit {
            adjoint: vec![0.0; m],
            direct: vec![0.0; n],
            indirect: vec![0.0; n],
            lower_gradient: vec![0.0; m],
            damping: 0.0,
            solver: ConjugateGradients::new(m),
            face: Face::new(problem),
            rhs: vec![0.0; m],
            work: vec![0.0; m],
        }
    }

    /// `F(x, y)`, and in `g` (n) the hypergradient at `y`, taken as a lower solution: at most `max_steps` conjugate gradient
    /// steps on `H v = ∇y F` from the current [`Implicit::adjoint`], to the relative residual `tolerance`. On active domains
    /// the system is that of the face. The report says how far `g` can be trusted.
    pub fn evaluate(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &[f64],
        max_steps: usize,
        tolerance: f64,
        g: &mut [f64],
    ) -> (f64, CgReport) {
        let value = self.begin(problem, x, y);
        let report = self.conjugate_gradients(problem, x, y, max_steps, tolerance);
        self.finish(problem, x, y, g);
        (value, report)
    }

    /// Steps from the current adjoint on `(H + δ I) v = ∇y F`, on the face of active domains.
    fn conjugate_gradients(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &[f64],
        max_steps: usize,
        tolerance: f64,
    ) -> CgReport {
        let Self { adjoint, face, rhs, solver, damping, .. } = self;
        solver.solve(rhs, adjoint, max_steps, tolerance, |v, hv| {
            problem.lower_hessian(x, y, v, hv);
            face.add_curvature(&problem.lower, v, hv);
            face.tangent(&problem.lower, hv);
            if *damping > 0.0 {
                axpy(*damping, v, hv);
            }
        })
    }

    /// In `row` how element `i` of the lower solution moves with `x`: `−(∇²xy f) v` with `H v = eᵢ` on the face of `y`, to `steps` and the
    /// relative residual `tolerance`.
    pub(crate) fn row(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &[f64],
        i: usize,
        (steps, tolerance): (usize, f64),
        row: &mut [f64],
    ) -> CgReport {
        if i == 0 || self.lower_gradient.iter().all(|g| *g == 0.0) {
            problem.lower_gradient(x, y, &mut self.lower_gradient);
            self.face.locate(problem, y, &self.lower_gradient);
        }
        self.rhs.fill(0.0);
        self.rhs[i] = 1.0;
        self.face.tangent(&problem.lower, &mut self.rhs);
        self.adjoint.fill(0.0);
        let Self { adjoint, face, rhs, solver, work, indirect, .. } = self;
        let report = solver.solve(rhs, adjoint, steps, tolerance, |v, hv| {
            problem.lower_hessian(x, y, v, hv);
            face.add_curvature(&problem.lower, v, hv);
            face.tangent(&problem.lower, hv);
        });
        problem.lower_second_order(x, y, adjoint, work, indirect);
        row.iter_mut().zip(indirect.iter()).for_each(|(row, indirect)| *row = -indirect);
        report
    }

    /// As [`Implicit::evaluate`] for a lower level that need not be convex: where `H` shows negative curvature the system is
    /// `(H + δ I) v = ∇y F` from a short multiple of `∇y F`, with `δ` a little more than what was met, and half as much in the next call.
    pub(crate) fn evaluate_damped(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &[f64],
        max_steps: usize,
        tolerance: f64,
        g: &mut [f64],
    ) -> f64 {
        let value = self.begin(problem, x, y);
        self.damping *= 0.5;
        for _ in 0..DAMPINGS {
            let report = self.conjugate_gradients(problem, x, y, max_steps, tolerance);
            let (least, largest) = report.curvature;
            // What is left of an old damping is nothing beside the curvature.
            if self.damping < FORGOTTEN * largest {
                self.damping = 0.0;
            }
            if report.end != CgEnd::Negative {
                break;
            }
            self.damping = (self.damping + 2.0 * least.abs()).max(4.0 * self.damping);
            // Should this be the last: the direction of a damping beyond all curvature.
            self.adjoint.copy_from_slice(&self.rhs);
            crate::linear::blas1::scale(1.0 / (self.damping + largest), &mut self.adjoint);
        }
        self.finish(problem, x, y, g);
        value
    }

    /// As [`Implicit::evaluate`], with the adjoint `v = η Σ (I − η H)^q ∇y F` for `q = 0, …, terms` and `η = size`.
    pub fn evaluate_neumann(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &[f64],
        terms: usize,
        size: f64,
        g: &mut [f64],
    ) -> f64 {
        let value = self.begin(problem, x, y);
        self.adjoint.copy_from_slice(&self.rhs);
        let Self { adjoint, face, rhs, work, .. } = self;
        for _ in 0..terms {
            problem.lower_hessian(x, y, rhs, work);
            face.add_curvature(&problem.lower, rhs, work);
            face.tangent(&problem.lower, work);
            axpy(-size, work, rhs);
            axpy(1.0, rhs, adjoint);
        }
        crate::linear::blas1::scale(size, adjoint);
        self.finish(problem, x, y, g);
        value
    }

    /// As [`Implicit::evaluate`], with the adjoint that `solve` leaves, from the last.
    pub(crate) fn evaluate_by(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &[f64],
        g: &mut [f64],
        solve: impl FnOnce(&mut System<'_>),
    ) -> f64 {
        let value = self.begin(problem, x, y);
        let Self { adjoint, face, rhs, work, .. } = self;
        solve(&mut System { problem, at: (x, y), face, rhs, adjoint, work });
        self.finish(problem, x, y, g);
        value
    }

    /// `F(x, y)`, and the right-hand side `∇y F` and the last adjoint on the face of active domains.
    fn begin(&mut self, problem: &mut Problem, x: &[f64], y: &[f64]) -> f64 {
        let value = problem.upper_gradients(x, y, &mut self.direct, &mut self.rhs);
        if !problem.lower.is_free() || problem.proximal.is_some() {
            problem.lower_gradient(x, y, &mut self.lower_gradient);
            self.face.locate(problem, y, &self.lower_gradient);
            self.face.tangent(&problem.lower, &mut self.rhs);
            self.face.tangent(&problem.lower, &mut self.adjoint);
        }
        value
    }

    /// The hypergradient with the adjoint that was found.
    fn finish(&mut self, problem: &mut Problem, x: &[f64], y: &[f64], g: &mut [f64]) {
        let Self { adjoint, direct, indirect, work, .. } = self;
        problem.lower_second_order(x, y, adjoint, work, indirect);
        g.copy_from_slice(direct);
        axpy(-1.0, indirect, g);
    }

    /// After [`Implicit::evaluate`] met a singular `H`: the hypergradient in `g` (n) with the least-squares solution of
    /// `H v = ∇y F` instead, by conjugate gradients on `H² v = H ∇y F`. Returns the norm of the part of `∇y F` out of the range
    /// of `H`: how much `F` changes along directions in which the lower level is flat. Allocates.
    pub fn least_squares(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &[f64],
        max_steps: usize,
        g: &mut [f64],
    ) -> f64 {
        let mut b = self.rhs.clone();
        let mut inner = vec![0.0; y.len()];
        let face = &self.face;
        let mut apply = |v: &[f64], hv: &mut [f64]| {
            problem.lower_hessian(x, y, v, hv);
            face.add_curvature(&problem.lower, v, hv);
            face.tangent(&problem.lower, hv);
        };
        apply(&b, &mut self.work);
        self.adjoint.fill(0.0);
        self.solver.solve(&self.work, &mut self.adjoint, max_steps, 1e-10, |v, out| {
            apply(v, &mut inner);
            apply(&inner, out);
        });
        apply(&self.adjoint, &mut inner);
        axpy(-1.0, &inner, &mut b);
        self.finish(problem, x, y, g);
        crate::linear::blas1::norm2(&b)
    }

    /// Whether `H` looks positive definite on the face of the last call: conjugate gradients on a seeded right-hand side meet
    /// every eigenvalue when given `m` steps; with fewer the answer is a good guess.
    pub fn probe(&mut self, problem: &mut Problem, x: &[f64], y: &[f64], max_steps: usize) -> CgEnd {
        self.rhs.copy_from_slice(&crate::linear::power::seeded(y.len(), 1));
        self.face.tangent(&problem.lower, &mut self.rhs);
        self.work.fill(0.0);
        let face = &self.face;
        let report = self.solver.solve(&self.rhs, &mut self.work, max_steps, 1e-10, |v, hv| {
            problem.lower_hessian(x, y, v, hv);
            face.add_curvature(&problem.lower, v, hv);
            face.tangent(&problem.lower, hv);
        });
        // A tiny curvature that is not quite zero is rounding on a zero one.
        if report.curvature.0 < 1e-10 * report.curvature.1 && report.end != CgEnd::Negative {
            return CgEnd::Singular;
        }
        report.end
    }
}

/// The value `F(x, y)`, the implicit hypergradient (n) at `y` and the report of the conjugate gradient run from `v = 0`.
pub fn implicit_cg(
    problem: &mut Problem,
    x: &[f64],
    y: &[f64],
    max_steps: usize,
    tolerance: f64,
) -> (f64, Vec<f64>, CgReport) {
    let mut implicit = Implicit::new(problem);
    let mut g = vec![0.0; x.len()];
    let (value, report) = implicit.evaluate(problem, x, y, max_steps, tolerance, &mut g);
    (value, g, report)
}
