//! The size of the lower steps: as the option says, or `auto`, a share of the inverse of the largest curvature of `f` in `y`.
//! The curvature is that of the start, estimated again when `x` has moved, and when a run of lower steps went uphill: what is
//! a good step for one `x` may diverge for the next (a ridge parameter that grows, say).

use crate::derivatives::Derivatives;
use crate::hypergradient::Descent;
use crate::linear::blas1::axpy;
use crate::linear::power::{seeded, spectral_radius};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::solvers::run::Point;
use crate::state::State;

/// The curvature is estimated again when a coordinate of `x` has moved by this, relative to `1 + |x|`.
const MOVED: f64 = 0.1;

/// How often a run of lower steps is repeated with a smaller size before its end is taken as it is.
const RETRIES: usize = 40;

/// The share of the seeded direction in the start of a new estimate: the old direction alone may be orthogonal to what has
/// become the largest curvature.
const FRESH: f64 = 0.1;

/// A size with what is needed to find it again.
#[derive(Clone, Debug)]
pub(crate) struct StepSize {
    size: f64,
    auto: Option<Auto>,
}

/// `size = caution · numerator / (L + shift)`.
#[derive(Clone, Debug)]
struct Auto {
    numerator: f64,
    shift: f64,
    /// Whether `L` is that of the smooth part of `f`.
    smooth: bool,
    /// Halved at every run that went uphill: `L` at a point is no bound for the steps around it.
    caution: f64,
    /// Where `L` was estimated last.
    at: Vec<f64>,
    seeded: Vec<f64>,
    direction: Vec<f64>,
    work: Vec<f64>,
    start: Vec<f64>,
}

impl StepSize {
    /// The option `lower_step`, or for `auto` the size `numerator / (L + shift)` at the start.
    pub(crate) fn lower(
        problem: &mut Problem,
        settings: &Settings,
        start: &Point,
        numerator: f64,
        shift: f64,
    ) -> Self {
        Self::of(problem, settings, start, (numerator, shift), false)
    }

    /// As [`StepSize::lower`], for proximal steps: `L` is that of the smooth part of `f`.
    pub(crate) fn proximal(
        problem: &mut Problem,
        settings: &Settings,
        start: &Point,
        numerator: f64,
        shift: f64,
    ) -> Self {
        Self::of(problem, settings, start, (numerator, shift), true)
    }

    fn of(
        problem: &mut Problem,
        settings: &Settings,
        start: &Point,
        (numerator, shift): (f64, f64),
        smooth: bool,
    ) -> Self {
        if let Some(size) = settings.number("lower_step") {
            return StepSize { size, auto: None };
        }
        let direction = seeded(start.y.len(), settings.count("seed") as u64);
        let mut auto = Auto {
            numerator,
            shift,
            smooth,
            caution: settings.caution(),
            at: start.x.clone(),
            seeded: direction.clone(),
            work: vec![0.0; direction.len()],
            start: start.y.clone(),
            direction,
        };
        StepSize { size: auto.estimate(problem, &start.x, &start.y, 1e-4), auto: Some(auto) }
    }

    /// Its memory.
    pub(crate) fn state(&mut self, state: &mut dyn State) {
        state.number(&mut self.size);
        if let Some(auto) = &mut self.auto {
            state.number(&mut auto.caution);
            state.numbers(&mut auto.at);
            state.numbers(&mut auto.direction);
        }
    }

    /// Whether the size is found here, not given.
    pub(crate) fn is_automatic(&self) -> bool {
        self.auto.is_some()
    }

    /// The size.
    pub(crate) fn get(&self) -> f64 {
        self.size
    }

    /// Estimates the curvature again where `x` has moved.
    pub(crate) fn follow(&mut self, problem: &mut Problem, x: &[f64], y: &[f64]) {
        if let Some(auto) = &mut self.auto
            && auto.has_moved(x)
        {
            self.size = auto.again(problem, x, y);
        }
    }

    /// Runs `steps` of this size from `y`; an automatic size is made smaller until they no longer lead uphill. `steps` returns
    /// `None` when it was asked to stop; then this is false.
    pub(crate) fn descend(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        mut steps: impl FnMut(&mut Problem, &mut [f64], f64) -> Option<Descent>,
    ) -> bool {
        if let Some(auto) = &mut self.auto {
            auto.start.copy_from_slice(y);
            for _ in 0..RETRIES {
                let Some(descent) = problem.tolerantly(|p| steps(p, y, self.size)) else { return false };
                if descent.is_downhill(problem.roundoff) {
                    return true;
                }
                y.copy_from_slice(&auto.start);
                if !descent.first.is_finite() {
                    break;
                }
                auto.caution *= 0.5;
                self.size = auto.again(problem, x, y);
            }
        }
        // The values are the model's own fault or the size is the user's choice: take note of what is not finite.
        steps(problem, y, self.size).is_some()
    }
}

impl Auto {
    fn has_moved(&self, x: &[f64]) -> bool {
        x.iter().zip(&self.at).any(|(x, at)| (x - at).abs() > MOVED * (1.0 + at.abs()))
    }

    /// A new estimate, from the direction of the last.
    fn again(&mut self, problem: &mut Problem, x: &[f64], y: &[f64]) -> f64 {
        self.at.copy_from_slice(x);
        if self.direction.iter().any(|d| !d.is_finite()) {
            self.direction.fill(0.0);
        }
        axpy(FRESH, &self.seeded, &mut self.direction);
        self.estimate(problem, x, y, 1e-2)
    }

    fn estimate(&mut self, problem: &mut Problem, x: &[f64], y: &[f64], tolerance: f64) -> f64 {
        let smooth = self.smooth;
        let curvature = spectral_radius(&mut self.direction, &mut self.work, tolerance, |v, hv| {
            problem.tolerantly(|p| match smooth {
                true => p.smooth_hessian(x, y, v, hv),
                false => p.lower_hessian(x, y, v, hv),
            });
        });
        let size = self.caution * self.numerator / (curvature + self.shift);
        // A lower objective that is linear here has no curvature to go by.
        if size.is_finite() && size > 0.0 { size } else { self.caution * self.numerator }
    }
}
