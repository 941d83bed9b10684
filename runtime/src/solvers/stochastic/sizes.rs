//! The sizes of the steps of stochastic methods.

use super::super::run::Point;
use super::super::step_size::StepSize;
use super::oracle::Oracle;
use crate::derivatives::{Derivatives, Quantity};
use crate::linear::blas1::norm2;
use crate::linear::power::{seeded, spectral_radius};
use crate::problem::Problem;
use crate::samples::Side;
use crate::settings::Settings;

/// The share of `1/L` of an automatic lower step.
const SHARE: f64 = 0.5;

/// The share of the inverse curvature of a single batch: what SAGA is sure of.
const SHARE_OF_BATCH: f64 = 1.0 / 3.0;

/// Batches whose curvature is found exactly.
const LOOKED_AT: usize = 8;

/// Sizes of lower and adjoint steps, and how all steps fall.
pub(super) struct Sizes {
    lower: StepSize,
    /// What is left of that step for the sake of single batches.
    ratio: f64,
    adjoint: Option<f64>,
    decay: f64,
    /// Whether the upper step falls with the others; one that is found falls by itself.
    upper_falls: bool,
}

impl Sizes {
    /// The lower step as the options say. An automatic lower step suits both the full objective and single batches, whose curvature may be larger.
    pub(super) fn new(
        oracle: &mut Oracle,
        problem: &mut Problem,
        settings: &Settings,
        start: &Point,
        adjoint: Option<f64>,
        decay: f64,
    ) -> Self {
        let before = problem.calls_of(Quantity::LowerHessian);
        let lower = StepSize::lower(problem, settings, start, SHARE, 0.0);
        oracle.touch_all(Side::Lower, problem.calls_of(Quantity::LowerHessian) - before);
        let mut ratio = 1.0;
        if lower.is_automatic() && problem.samples.is_some() {
            let of_batches = largest_curvature(oracle, problem, start, settings.count("seed") as u64);
            let bound = SHARE_OF_BATCH / of_batches;
            if bound < lower.get() {
                ratio = bound / lower.get();
            }
        }
        let upper_falls = settings.number("upper_step").is_some();
        Sizes { lower, ratio, adjoint, decay, upper_falls }
    }

    /// As [`Sizes::new`], with the adjoint's step and the decay of the options.
    pub(super) fn with_adjoint(
        oracle: &mut Oracle,
        problem: &mut Problem,
        settings: &Settings,
        start: &Point,
    ) -> Self {
        let (adjoint, decay) = (settings.number("adjoint_step"), settings.real("decay"));
        Sizes::new(oracle, problem, settings, start, adjoint, decay)
    }

    /// The factor on lower and adjoint steps of iteration `k`.
    pub(super) fn factor(&self, k: usize) -> f64 {
        if self.decay == 0.0 { 1.0 } else { ((k + 1) as f64).powf(-self.decay) }
    }

    /// The factor on the upper step of iteration `k`.
    pub(super) fn upper_factor(&self, k: usize) -> f64 {
        if self.upper_falls { self.factor(k) } else { 1.0 }
    }

    /// The size of a lower step, before the factor.
    pub(super) fn lower(&self) -> f64 {
        self.ratio * self.lower.get()
    }

    /// The size of a step on the adjoint, before the factor.
    pub(super) fn adjoint(&self) -> f64 {
        self.adjoint.unwrap_or_else(|| self.lower())
    }

    /// Makes an automatic lower step fit the point.
    pub(super) fn follow(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &Point) {
        let before = problem.calls_of(Quantity::LowerHessian);
        self.lower.follow(problem, &point.x, &point.y);
        oracle.touch_all(Side::Lower, problem.calls_of(Quantity::LowerHessian) - before);
    }
}

/// The largest curvature of the lower objective on a batch, of those that look most curved: all are multiplied with one direction, and
/// the ones with the longest products are looked at.
fn largest_curvature(oracle: &mut Oracle, problem: &mut Problem, start: &Point, seed: u64) -> f64 {
    let first = seeded(start.y.len(), seed);
    let mut work = first.clone();
    let product = |problem: &mut Problem, v: &[f64], hv: &mut [f64]| {
        problem.tolerantly(|p| p.lower_hessian(&start.x, &start.y, v, hv));
    };
    let mut longest: Vec<(f64, usize)> = Vec::with_capacity(oracle.batches(Side::Lower));
    for batch in 0..oracle.batches(Side::Lower) {
        oracle.touch(problem, Side::Lower, [batch, 0]);
        problem.on_batches([batch, 0], |problem| product(problem, &first, &mut work));
        longest.push((norm2(&work), batch));
    }
    longest.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut largest = 0.0_f64;
    let mut direction = first.clone();
    for (_, batch) in longest.into_iter().take(LOOKED_AT) {
        direction.copy_from_slice(&first);
        let mut products = 0;
        let curvature = problem.on_batches([batch, 0], |problem| {
            spectral_radius(&mut direction, &mut work, 1e-2, |v, hv| {
                products += 1;
                product(problem, v, hv);
            })
        });
        (0..products).for_each(|_| oracle.touch(problem, Side::Lower, [batch, 0]));
        if curvature.is_finite() {
            largest = largest.max(curvature);
        }
    }
    largest
}
