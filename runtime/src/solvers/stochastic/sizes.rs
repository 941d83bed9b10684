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
use crate::state::State;

/// The share of the inverse curvature: of the whole, and of single batches, where it is what SAGA is sure of.
const SHARES: (f64, f64) = (0.5, 1.0 / 3.0);

/// Batches whose curvature is found exactly.
const LOOKED_AT: usize = 4;

/// Sizes of lower and adjoint steps, and how all steps fall.
pub(super) struct Sizes {
    lower: Lower,
    adjoint: Option<f64>,
    decay: f64,
    /// Whether the upper step falls with the others; one that is found falls by itself.
    upper_falls: bool,
    /// A factor on a size that suits batches.
    caution: f64,
}

/// The size of a lower step.
enum Lower {
    /// Of a step on all terms, or as the options say.
    Whole(StepSize),
    /// Of a step on a batch; found again when the terms touched have doubled.
    Batches { size: f64, found: u64, curvature: Box<Curvature> },
}

impl Sizes {
    /// The lower step as the options say. An automatic one suits single batches, none of which is less curved than the whole.
    pub(super) fn new(
        oracle: &mut Oracle,
        problem: &mut Problem,
        settings: &Settings,
        start: &Point,
        adjoint: Option<f64>,
        decay: f64,
    ) -> Self {
        let lower = if settings.number("lower_step").is_none() && problem.samples.is_some() {
            let seed = settings.count("seed") as u64;
            let mut curvature = Box::new(Curvature::new(oracle, start.y.len(), seed));
            let size = suiting(curvature.largest(oracle, problem, start), SHARES.1);
            Lower::Batches { size, found: oracle.touched(), curvature }
        } else {
            let before = problem.calls_of(Quantity::LowerHessian);
            let size = StepSize::lower(problem, settings, start, SHARES.0, 0.0);
            oracle.touch_all(Side::Lower, problem.calls_of(Quantity::LowerHessian) - before);
            Lower::Whole(size)
        };
        let upper_falls = settings.number("upper_step").is_some();
        Sizes { lower, adjoint, decay, upper_falls, caution: settings.caution() }
    }

    /// As [`Sizes::new`], with the adjoint's step and the decay of the options.
    pub(super) fn with_adjoint(
        oracle: &mut Oracle,
        problem: &mut Problem,
        settings: &Settings,
        start: &Point,
    ) -> Self {
        // Without noise a fall only leaves lower variables and adjoint behind the upper ones.
        let noisy = [Side::Lower, Side::Upper].iter().any(|&side| oracle.batches(side) > 1);
        let automatic = if noisy { 0.5 } else { 0.0 };
        let decay = settings.number("decay").unwrap_or(automatic);
        let adjoint = settings.number("adjoint_step");
        Sizes::new(oracle, problem, settings, start, adjoint, decay)
    }

    /// What later sizes depend on.
    pub(super) fn state(&mut self, state: &mut dyn State) {
        match &mut self.lower {
            Lower::Whole(size) => size.state(state),
            // The curvature is found from the seeded direction every time.
            Lower::Batches { size, found, .. } => {
                state.number(size);
                state.word(found);
            }
        }
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
        match &self.lower {
            Lower::Whole(size) => size.get(),
            Lower::Batches { size, .. } => self.caution * size,
        }
    }

    /// The size of a step on the adjoint, before the factor.
    pub(super) fn adjoint(&self) -> f64 {
        self.adjoint.unwrap_or_else(|| self.lower())
    }

    /// Makes an automatic lower step fit the point.
    pub(super) fn follow(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &Point) {
        match &mut self.lower {
            Lower::Whole(size) => {
                let before = problem.calls_of(Quantity::LowerHessian);
                size.follow(problem, &point.x, &point.y);
                oracle.touch_all(Side::Lower, problem.calls_of(Quantity::LowerHessian) - before);
            }
            Lower::Batches { size, found, curvature } => {
                if oracle.touched() >= 2 * *found {
                    *size = suiting(curvature.largest(oracle, problem, point), SHARES.1);
                    *found = oracle.touched();
                }
            }
        }
    }
}

/// A share of the inverse of a curvature; of 1 where there is none to go by.
fn suiting(curvature: f64, share: f64) -> f64 {
    let size = share / curvature;
    if size.is_finite() && size > 0.0 { size } else { share }
}

/// Finds the largest curvature of the lower objective on a batch; allocates nothing after it was made.
struct Curvature {
    seeded: Vec<f64>,
    direction: Vec<f64>,
    work: Vec<f64>,
    /// Batches with the lengths of their products, the longest first.
    longest: Vec<(f64, usize)>,
}

impl Curvature {
    fn new(oracle: &Oracle, len: usize, seed: u64) -> Self {
        let seeded = seeded(len, seed);
        let longest = Vec::with_capacity(oracle.batches(Side::Lower));
        Curvature { direction: seeded.clone(), work: seeded.clone(), seeded, longest }
    }

    /// At a point, of the batches that look most curved: all are multiplied with one direction, and the ones with the longest
    /// products are looked at.
    fn largest(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &Point) -> f64 {
        let Curvature { seeded, direction, work, longest } = self;
        let product = |problem: &mut Problem, v: &[f64], hv: &mut [f64]| {
            problem.tolerantly(|p| p.lower_hessian(&point.x, &point.y, v, hv));
        };
        longest.clear();
        for batch in 0..oracle.batches(Side::Lower) {
            oracle.touch(problem, Side::Lower, [batch, 0]);
            problem.on_batches([batch, 0], |problem| product(problem, seeded, work));
            longest.push((norm2(work), batch));
        }
        longest.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut largest = 0.0_f64;
        for &(_, batch) in longest.iter().take(LOOKED_AT) {
            direction.copy_from_slice(seeded);
            let mut products = 0;
            let curvature = problem.on_batches([batch, 0], |problem| {
                spectral_radius(direction, work, 1e-2, |v, hv| {
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
}
