//! Conjugate gradients for `H v = b` with a symmetric `H` given by its products. `H` ought to be positive definite; where it
//! is not, the first direction without positive curvature stops the method and is reported.

use super::blas1::{axpy, dot, norm2, scale};

/// A direction `p` counts as flat when `p·Hp` is below this share of the largest curvature met.
const FLAT: f64 = 1e-13;

/// How the method ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgEnd {
    /// The residual is within the tolerance.
    Converged,
    /// All allowed steps were taken.
    Steps,
    /// A direction of zero curvature: `H` is singular and `b` is not in its range, as far as can be told.
    Singular,
    /// A direction of negative curvature: `H` is indefinite.
    Negative,
    /// A product was not finite.
    NonFinite,
}

/// What a run of conjugate gradients found.
#[derive(Clone, Copy, Debug)]
pub struct CgReport {
    /// Why it stopped.
    pub end: CgEnd,
    /// Steps taken (products: one more when started from a nonzero vector).
    pub steps: usize,
    /// `‖b − H v‖ / ‖b‖` by the recurrence; 0 when `b = 0`.
    pub residual: f64,
    /// The smallest and largest `p·Hp / p·p` met; `(∞, 0)` before any step.
    pub curvature: (f64, f64),
}

/// Work vectors, allocated once for vectors of one length.
#[derive(Clone, Debug)]
pub struct ConjugateGradients {
    residual: Vec<f64>,
    direction: Vec<f64>,
    product: Vec<f64>,
    preconditioned: Vec<f64>,
}

impl ConjugateGradients {
    /// Room for vectors of length `len`.
    pub fn new(len: usize) -> Self {
        ConjugateGradients {
            residual: vec![0.0; len],
            direction: vec![0.0; len],
            product: vec![0.0; len],
            preconditioned: Vec::new(),
        }
    }

    /// Improves `v` in place until `‖b − H v‖ ≤ tolerance ‖b‖` or `max_steps` steps are done. `apply(p, out)` writes `H p`.
    ///
    /// `v` always holds the newest iterate. On a direction without positive curvature `v` is left as it was before that step.
    pub fn solve(
        &mut self,
        b: &[f64],
        v: &mut [f64],
        max_steps: usize,
        tolerance: f64,
        mut apply: impl FnMut(&[f64], &mut [f64]),
    ) -> CgReport {
        let (size, mut report) = self.begin(b, v, &mut apply);
        if report.end == CgEnd::Converged {
            return report;
        }
        let Self { residual: r, direction: p, product: q, .. } = self;
        p.copy_from_slice(r);
        let mut rr = dot(r, r);
        loop {
            report.residual = rr.sqrt() / size;
            if report.residual <= tolerance {
                report.end = CgEnd::Converged;
                return report;
            }
            if report.steps == max_steps {
                return report;
            }
            apply(p, q);
            let curvature = dot(p, q) / dot(p, p);
            if let Some(end) = trap(curvature, &mut report.curvature) {
                report.end = end;
                return report;
            }
            let alpha = rr / dot(p, q);
            axpy(alpha, p, v);
            axpy(-alpha, q, r);
            let new = dot(r, r);
            scale(new / rr, p);
            axpy(1.0, r, p);
            rr = new;
            report.steps += 1;
        }
    }
}

impl ConjugateGradients {
    /// As [`ConjugateGradients::solve`] with a preconditioner: `precondition(r)` overwrites `r` with `M⁻¹ r`, for a positive definite `M`
    /// that resembles `H`. The residual that is tested is that of `H v = b` itself.
    pub fn solve_preconditioned(
        &mut self,
        b: &[f64],
        v: &mut [f64],
        (max_steps, tolerance): (usize, f64),
        mut apply: impl FnMut(&[f64], &mut [f64]),
        mut precondition: impl FnMut(&mut [f64]),
    ) -> CgReport {
        let (size, mut report) = self.begin(b, v, &mut apply);
        if report.end == CgEnd::Converged {
            return report;
        }
        let Self { residual: r, direction: p, product: q, preconditioned: z } = self;
        z.resize(b.len(), 0.0);
        let mut before = 0.0;
        loop {
            report.residual = norm2(r) / size;
            if report.residual <= tolerance {
                report.end = CgEnd::Converged;
                return report;
            }
            if report.steps == max_steps {
                return report;
            }
            z.copy_from_slice(r);
            precondition(z);
            let rz = dot(r, z);
            if report.steps == 0 {
                p.copy_from_slice(z);
            } else {
                scale(rz / before, p);
                axpy(1.0, z, p);
            }
            before = rz;
            apply(p, q);
            let pq = dot(p, q);
            if let Some(end) = trap(pq / dot(p, p), &mut report.curvature) {
                report.end = end;
                return report;
            }
            axpy(rz / pq, p, v);
            axpy(-rz / pq, q, r);
            report.steps += 1;
        }
    }
}

impl ConjugateGradients {
    /// The first residual, with the size of `b`; where that is 0 the solution is 0 and nothing is left to do.
    fn begin(
        &mut self,
        b: &[f64],
        v: &mut [f64],
        apply: &mut impl FnMut(&[f64], &mut [f64]),
    ) -> (f64, CgReport) {
        let Self { residual: r, product: q, .. } = self;
        let size = norm2(b);
        let mut report =
            CgReport { end: CgEnd::Steps, steps: 0, residual: 0.0, curvature: (f64::INFINITY, 0.0) };
        if size == 0.0 {
            v.fill(0.0);
            report.end = CgEnd::Converged;
            return (size, report);
        }
        r.copy_from_slice(b);
        if v.iter().any(|&v| v != 0.0) {
            apply(v, q);
            axpy(-1.0, q, r);
        }
        (size, report)
    }
}

/// Takes note of a curvature; the reason to stop when it is not positive.
fn trap(curvature: f64, seen: &mut (f64, f64)) -> Option<CgEnd> {
    if !curvature.is_finite() {
        return Some(CgEnd::NonFinite);
    }
    seen.0 = seen.0.min(curvature);
    seen.1 = seen.1.max(curvature.abs());
    let flat = FLAT * seen.1;
    if curvature < -flat {
        Some(CgEnd::Negative)
    } else if curvature <= flat {
        Some(CgEnd::Singular)
    } else {
        None
    }
}
