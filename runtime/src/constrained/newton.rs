//! Truncated Newton steps on an augmented Lagrangian within bounds: conjugate gradients on the free variables, then a
//! backtracking search along the projected path.
//!
//! Source: D. P. Bertsekas, "Projected Newton methods for optimization problems with simple constraints", SIAM J. Control
//! Optim. 20 (1982); the inner solve is cut off as in S. G. Nash, "A survey of truncated-Newton methods" (2000).

use super::augmented::Augmented;
use crate::linear::blas1::{axpy, dot, norm2};

/// Sufficient decrease.
const ARMIJO: f64 = 1e-4;
/// Halvings before a search gives up.
const BACKTRACKS: usize = 40;

/// The bounds in force.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Lower ends.
    pub lo: Vec<f64>,
    /// Upper ends.
    pub hi: Vec<f64>,
}

impl Bounds {
    /// Moves `v` to the nearest point within.
    pub fn project(&self, v: &mut [f64]) {
        for ((v, lo), hi) in v.iter_mut().zip(&self.lo).zip(&self.hi) {
            *v = v.max(*lo).min(*hi);
        }
    }

    /// The largest element of `v − P(v − g)`; infinite when `g` is not a number.
    pub fn stationarity(&self, v: &[f64], g: &[f64]) -> f64 {
        let step = |i: usize| (v[i] - (v[i] - g[i]).max(self.lo[i]).min(self.hi[i])).abs();
        if g.iter().any(|g| g.is_nan()) {
            return f64::INFINITY;
        }
        (0..v.len()).map(step).fold(0.0, f64::max)
    }
}

/// Work vectors of one size.
pub struct Newton {
    gradient: Vec<f64>,
    direction: Vec<f64>,
    residual: Vec<f64>,
    conjugate: Vec<f64>,
    product: Vec<f64>,
    trial: Vec<f64>,
    fixed: Vec<bool>,
}

impl Newton {
    /// Room for `n` variables.
    pub fn new(n: usize) -> Self {
        let zero = || vec![0.0; n];
        Newton {
            gradient: zero(),
            direction: zero(),
            residual: zero(),
            conjugate: zero(),
            product: zero(),
            trial: zero(),
            fixed: vec![false; n],
        }
    }

    /// Minimises from `v`, which lies within the bounds, until the stationarity is at most `tolerance`, at most `limit` steps;
    /// `stop` is asked before each. Returns the stationarity reached; infinite when the start has no finite value.
    pub fn minimise(
        &mut self,
        f: &mut Augmented<'_>,
        v: &mut [f64],
        bounds: &Bounds,
        (tolerance, limit): (f64, usize),
        stop: &mut dyn FnMut(&Augmented<'_>) -> bool,
    ) -> f64 {
        let mut value = f.value(v);
        if !value.is_finite() {
            return f64::INFINITY;
        }
        f.gradient(v, &mut self.gradient);
        let mut norm = bounds.stationarity(v, &self.gradient);
        for _ in 0..limit {
            if norm <= tolerance || !norm.is_finite() || stop(f) {
                break;
            }
            self.locate(v, bounds, norm);
            let unbounded = self.solve(f, v, norm);
            let mut found = self.search(f, v, bounds, value, unbounded);
            if found.is_none() {
                for (d, g) in self.direction.iter_mut().zip(&self.gradient) {
                    *d = -g;
                }
                found = self.search(f, v, bounds, value, false);
            }
            if found.is_none() {
                break;
            }
            v.copy_from_slice(&self.trial);
            // The search may have looked beyond the point it chose.
            value = f.value(v);
            f.gradient(v, &mut self.gradient);
            norm = bounds.stationarity(v, &self.gradient);
        }
        norm
    }

    /// Marks the variables at a bound that the gradient presses outwards, and those that cannot move.
    fn locate(&mut self, v: &[f64], bounds: &Bounds, norm: f64) {
        let near = norm.min(1e-8);
        for (i, (fixed, v)) in self.fixed.iter_mut().zip(v).enumerate() {
            let (lo, hi, g) = (bounds.lo[i], bounds.hi[i], self.gradient[i]);
            *fixed = lo == hi || (*v <= lo + near && g > 0.0) || (*v >= hi - near && g < 0.0);
        }
    }

    /// A direction: conjugate gradients on the free variables, a gradient step on the fixed ones. True when the curvature
    /// along it is not positive.
    fn solve(&mut self, f: &mut Augmented<'_>, v: &[f64], norm: f64) -> bool {
        let n = v.len();
        for i in 0..n {
            self.residual[i] = if self.fixed[i] { 0.0 } else { -self.gradient[i] };
            self.direction[i] = 0.0;
        }
        self.conjugate.copy_from_slice(&self.residual);
        let mut size = dot(&self.residual, &self.residual);
        let aim = norm.sqrt().min(0.1) * size.sqrt();
        let mut unbounded = false;
        for k in 0..2 * n + 10 {
            if size.sqrt() <= aim || size == 0.0 {
                break;
            }
            f.product(v, &self.conjugate, &mut self.product);
            for (p, fixed) in self.product.iter_mut().zip(&self.fixed) {
                if *fixed {
                    *p = 0.0;
                }
            }
            let curvature = dot(&self.conjugate, &self.product);
            let length = dot(&self.conjugate, &self.conjugate);
            if curvature.is_nan() || curvature <= 1e-13 * length {
                if k == 0 || curvature.abs() <= 1e-13 * length {
                    axpy(1.0, &self.conjugate, &mut self.direction);
                    unbounded = true;
                }
                break;
            }
            let alpha = size / curvature;
            axpy(alpha, &self.conjugate, &mut self.direction);
            axpy(-alpha, &self.product, &mut self.residual);
            let next = dot(&self.residual, &self.residual);
            for (c, r) in self.conjugate.iter_mut().zip(&self.residual) {
                *c = r + next / size * *c;
            }
            size = next;
        }
        for i in 0..n {
            if self.fixed[i] {
                self.direction[i] = -self.gradient[i];
            }
        }
        unbounded
    }

    /// A point of lower value on the projected path, in `trial`, with its value. Along a direction without curvature the
    /// length grows while the value falls.
    fn search(
        &mut self,
        f: &mut Augmented<'_>,
        v: &[f64],
        bounds: &Bounds,
        value: f64,
        unbounded: bool,
    ) -> Option<f64> {
        let mut length = 1.0;
        for _ in 0..BACKTRACKS {
            let (trial, slope) = self.try_length(f, v, bounds, length);
            // Rounding hides decreases below this.
            let noise = 1e-15 * value.abs();
            if trial <= value + ARMIJO * slope.min(0.0) + noise && (slope < 0.0 || trial < value) {
                if !unbounded {
                    return Some(trial);
                }
                return Some(self.lengthen(f, v, bounds, length, trial));
            }
            length *= 0.4;
        }
        None
    }

    fn lengthen(
        &mut self,
        f: &mut Augmented<'_>,
        v: &[f64],
        bounds: &Bounds,
        mut length: f64,
        mut best: f64,
    ) -> f64 {
        let mut kept = self.trial.clone();
        for _ in 0..BACKTRACKS / 2 {
            length *= 4.0;
            let (trial, _) = self.try_length(f, v, bounds, length);
            if !trial.is_finite() || trial >= best || norm2(&self.trial) > 1e12 {
                break;
            }
            best = trial;
            kept.copy_from_slice(&self.trial);
        }
        self.trial.copy_from_slice(&kept);
        best
    }

    /// The value at `P(v + length · direction)`, which is put into `trial`, and the slope towards it.
    fn try_length(&mut self, f: &mut Augmented<'_>, v: &[f64], bounds: &Bounds, length: f64) -> (f64, f64) {
        self.trial.copy_from_slice(v);
        axpy(length, &self.direction, &mut self.trial);
        bounds.project(&mut self.trial);
        let slope = (0..v.len()).map(|i| self.gradient[i] * (self.trial[i] - v[i])).sum();
        (f.value(&self.trial), slope)
    }
}
