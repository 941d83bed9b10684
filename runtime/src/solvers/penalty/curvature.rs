//! The largest curvature of `F` in `y`, for automatic steps on `y`: along a direction of `F + w gap` a step is stable when it suits both.
//! Products with the Hessian are differences of gradients, so that nothing more is compiled. Estimated at the start, and again when a
//! variable has moved.

use crate::derivatives::Derivatives;
use crate::linear::blas1::{axpy, norm2};
use crate::linear::power::{seeded, spectral_radius};
use crate::problem::Problem;
use crate::solvers::run::Point;
use crate::state::State;

/// The curvature is estimated again when a coordinate has moved by this, relative to `1 + |x|`.
const MOVED: f64 = 0.5;

/// The share of the seeded direction in the start of a new estimate.
const FRESH: f64 = 0.1;

/// An estimate with what is needed to find it again.
pub(super) struct UpperCurvature {
    value: f64,
    at: Point,
    seeded: Vec<f64>,
    direction: Vec<f64>,
    work: Vec<f64>,
    trial: Vec<f64>,
    gradient: Point,
    away: Point,
}

impl UpperCurvature {
    /// The estimate at the start.
    pub(super) fn new(problem: &mut Problem, start: &Point, seed: usize) -> Self {
        let direction = seeded(start.y.len(), seed as u64);
        let mut curvature = UpperCurvature {
            value: 0.0,
            at: start.clone(),
            seeded: direction.clone(),
            work: start.y.clone(),
            trial: start.y.clone(),
            gradient: start.clone(),
            away: start.clone(),
            direction,
        };
        curvature.estimate(problem, start, 1e-2);
        curvature
    }

    /// The estimate; 0 where `F` is linear in `y`.
    pub(super) fn get(&self) -> f64 {
        self.value
    }

    /// Estimates again where a variable has moved.
    pub(super) fn follow(&mut self, problem: &mut Problem, point: &Point) {
        let moved = |now: &[f64], then: &[f64]| {
            now.iter().zip(then).any(|(now, then)| (now - then).abs() > MOVED * (1.0 + then.abs()))
        };
        if moved(&point.x, &self.at.x) || moved(&point.y, &self.at.y) {
            self.at.x.copy_from_slice(&point.x);
            self.at.y.copy_from_slice(&point.y);
            if self.direction.iter().any(|d| !d.is_finite()) {
                self.direction.fill(0.0);
            }
            axpy(FRESH, &self.seeded, &mut self.direction);
            self.estimate(problem, point, 1e-1);
        }
    }

    /// What the next estimates depend on.
    pub(super) fn state(&mut self, state: &mut dyn State) {
        state.number(&mut self.value);
        state.numbers(&mut self.at.x);
        state.numbers(&mut self.at.y);
        state.numbers(&mut self.direction);
    }

    fn estimate(&mut self, problem: &mut Problem, point: &Point, tolerance: f64) {
        let UpperCurvature { direction, work, trial, gradient, away, .. } = self;
        let Point { x, y } = point;
        let step = problem.roundoff.sqrt() * (1.0 + norm2(y));
        let found = problem.tolerantly(|problem| {
            problem.upper_gradients_only(x, y, &mut gradient.x, &mut gradient.y);
            spectral_radius(direction, work, tolerance, |v, hv| {
                trial.copy_from_slice(y);
                axpy(step, v, trial);
                problem.upper_gradients_only(x, trial, &mut away.x, &mut away.y);
                for ((hv, away), here) in hv.iter_mut().zip(&away.y).zip(&gradient.y) {
                    *hv = (away - here) / step;
                }
            })
        });
        if found.is_finite() {
            self.value = found;
        }
    }
}
