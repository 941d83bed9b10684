//! Newton steps in a region of trust, for one twice differentiable function on a box that is known by its values, gradients and products
//! with its Hessian. Made for functions whose variables have very different scales, where limited-memory BFGS takes thousands of steps.
//!
//! A step: variables at (or nearly at) a bound that the gradient presses them against are put on it. In the others conjugate gradients minimise
//! the model `g·s + s·H s / 2` within `‖s‖_D ≤ Δ`, up to the first direction without positive curvature or the border of the region, along
//! which they go to the border. What leaves the box is projected. The step is taken when `φ` falls by a share of what the model says; the
//! radius follows the ratio of the two.
//!
//! The scaling `D` (diagonal) is learned from products alone: with `u = |D^-½ H D^-½ z|` for a vector `z` of drawn signs, `D ← D ∘ (u / its geometric
//! mean)^ω`, so that the rows of the scaled matrix become equally long. One product per step, [`PROBES`] before the first.
//!
//! Cost: per step one value with gradient, and products: one for `D`, one where the box cuts the step, one per conjugate gradient.
//! Memory: 12 vectors. Not guaranteed: only stationary points are found, and none where `φ` has kinks.
//!
//! Sources: T. Steihaug, SIAM J. Numer. Anal. 20 (1983); C.-J. Lin, J. J. Moré, "Newton's method for large bound-constrained optimization
//! problems", SIAM J. Optim. 9 (1999), for the steps on a box; A. M. Bradley, W. Murray, "Matrix-free approximate equilibration",
//! arXiv:1110.2805 (2011), algorithm `ssbin`, for the scaling.

use crate::constrained::bounds::Bounds;
use crate::linear::blas1::{all_finite, axpy, dot, norm2, scale};
use crate::random::Random;
use crate::space::{Domain, Space, end};
use crate::state::State;

/// Products for the scaling before the first step.
const PROBES: usize = 10;
/// The exponent `ω` of these, and the least one later.
const FIRST: f64 = 0.5;
const LEAST: f64 = 0.1;
/// The smallest element of `D`, relative to the largest.
const FLAT: f64 = 1e-10;
/// A variable this near to a bound that its gradient presses it against is put there.
const NEAR: f64 = 1e-3;
/// The share of the promised decrease that a step has to bring, and the shares below and above which the region changes.
const ENOUGH: f64 = 1e-4;
const POOR: f64 = 0.25;
const GOOD: f64 = 0.75;
/// Conjugate gradients stop at this residual, relative to the first.
const FORCING: f64 = 0.1;
/// And after so many steps.
const STEPS: usize = 100;
/// Smaller regions tried before a search gives up.
const SHRINKS: usize = 25;
/// Steps without a decrease beyond rounding before it does.
const PATIENCE: usize = 6;

/// The function.
pub(crate) trait Curved {
    /// The value at `x` and, in `g`, the gradient; NaN where there is none.
    fn value(&mut self, x: &[f64], g: &mut [f64]) -> f64;
    /// `out = H v` at the iterate; false where there is none.
    fn product(&mut self, v: &[f64], out: &mut [f64]) -> bool;
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The iterate moved.
    Moved,
    /// Nothing in reach is better than the iterate.
    Stuck,
    /// A product or every value in reach was not finite.
    Failed,
}

/// The search: what it knows of the function's scales, and its work vectors; allocated once.
#[derive(Clone, Debug)]
pub(crate) struct TrustRegion {
    bounds: Bounds,
    roundoff: f64,
    radius: f64,
    /// `D`.
    scaling: Vec<f64>,
    probes: usize,
    idle: usize,
    random: Random,
    held: Vec<bool>,
    /// Towards the bounds, of variables that are put on them.
    shift: Vec<f64>,
    step: Vec<f64>,
    residual: Vec<f64>,
    direction: Vec<f64>,
    product: Vec<f64>,
    trial: Vec<f64>,
    gradient: Vec<f64>,
}

/// What conjugate gradients found.
struct Model {
    /// Whether they ended on the border of the region.
    border: bool,
    /// What the model says about the step, if nothing cuts it.
    change: f64,
}

impl TrustRegion {
    /// On a space; `None` where that is no box. `roundoff`: the accuracy of the function's arithmetic.
    pub fn new(space: &Space, roundoff: f64, seed: u64) -> Option<Self> {
        let n = space.len();
        let mut bounds = Bounds { lo: vec![f64::NEG_INFINITY; n], hi: vec![f64::INFINITY; n] };
        for block in space.blocks() {
            match &block.domain {
                Domain::Free => {}
                Domain::Interval { lo, hi } => (0..block.len).for_each(|i| {
                    (bounds.lo[block.offset + i], bounds.hi[block.offset + i]) = (end(lo, i), end(hi, i));
                }),
                _ => return None,
            }
        }
        let vector = vec![0.0; n];
        Some(TrustRegion {
            bounds,
            roundoff,
            radius: 0.0,
            scaling: vec![1.0; n],
            probes: 0,
            idle: 0,
            random: Random::new(seed),
            held: vec![false; n],
            shift: vector.clone(),
            step: vector.clone(),
            residual: vector.clone(),
            direction: vector.clone(),
            product: vector.clone(),
            trial: vector.clone(),
            gradient: vector,
        })
    }

    /// One step from `x`, where `φ` has `value` and the gradient `g`; all three become those of the new iterate.
    pub fn step(&mut self, phi: &mut impl Curved, x: &mut [f64], value: &mut f64, g: &mut [f64]) -> Step {
        let first = self.probes == 0;
        for _ in 0..if first { PROBES } else { 1 } {
            if !self.probe(phi, if first { FIRST } else { LEAST.max(1.0 / (self.probes + 1) as f64) }) {
                return Step::Failed;
            }
        }
        if first {
            let size = |(x, d): (&f64, &f64)| d * x.abs().max(1.0).powi(2);
            self.radius = x.iter().zip(&self.scaling).map(size).sum::<f64>().sqrt();
        }
        self.hold(x, g);
        let slack = 8.0 * self.roundoff * value.abs();
        let mut any_finite = false;
        for _ in 0..SHRINKS {
            let Some(mut model) = self.conjugate_gradients(phi, g) else { return Step::Failed };
            let length = self.scaled_norm(&self.step);
            self.trial.copy_from_slice(x);
            axpy(1.0, &self.step, &mut self.trial);
            axpy(1.0, &self.shift, &mut self.trial);
            self.direction.copy_from_slice(&self.trial);
            self.bounds.project(&mut self.trial);
            let whole = self.trial == self.direction && self.shift.iter().all(|s| *s == 0.0);
            if !whole {
                self.step.iter_mut().zip(&self.trial).zip(&*x).for_each(|((s, t), x)| *s = t - x);
                if !phi.product(&self.step, &mut self.product) {
                    return Step::Failed;
                }
                model.change = dot(g, &self.step) + 0.5 * dot(&self.step, &self.product);
            }
            let new = phi.value(&self.trial, &mut self.gradient);
            let finite = new.is_finite() && all_finite(&self.gradient);
            any_finite |= finite;
            let promised = slack - model.change;
            let ratio = if finite && model.change < 0.0 { (*value - new + slack) / promised } else { -1.0 };
            if ratio.is_nan() || ratio < POOR {
                self.radius = POOR * self.radius.min(length);
            } else if ratio > GOOD && model.border {
                self.radius *= 2.0;
            }
            if ratio > ENOUGH {
                self.idle = if new < *value - slack { 0 } else { self.idle + 1 };
                x.copy_from_slice(&self.trial);
                g.copy_from_slice(&self.gradient);
                *value = new;
                return if self.idle >= PATIENCE { Step::Stuck } else { Step::Moved };
            }
        }
        if any_finite { Step::Stuck } else { Step::Failed }
    }

    /// Its memory between two steps.
    pub(crate) fn state(&mut self, state: &mut dyn State) {
        state.number(&mut self.radius);
        state.numbers(&mut self.scaling);
        state.count(&mut self.probes);
        state.count(&mut self.idle);
        self.random.state(state);
    }

    /// Makes the rows of the scaled matrix more alike, by one product.
    fn probe(&mut self, phi: &mut impl Curved, omega: f64) -> bool {
        let Self { scaling, random, direction, product, .. } = self;
        for (z, d) in direction.iter_mut().zip(&*scaling) {
            *z = if random.word() >> 63 == 0 { 1.0 } else { -1.0 } / d.sqrt();
        }
        if !phi.product(direction, product) {
            return false;
        }
        product.iter_mut().zip(&*scaling).for_each(|(u, d)| *u = u.abs() / d.sqrt());
        let most = product.iter().fold(0.0, |most: f64, u| most.max(*u));
        if !most.is_finite() {
            return false;
        }
        self.probes += 1;
        if most == 0.0 {
            return true;
        }
        product.iter_mut().for_each(|u| *u = (u.max(1e-12 * most)).ln());
        let mean = product.iter().sum::<f64>() / product.len() as f64;
        scaling.iter_mut().zip(&*product).for_each(|(d, u)| *d *= (omega * (u - mean)).exp());
        let most = scaling.iter().fold(0.0, |most: f64, d| most.max(*d));
        scaling.iter_mut().for_each(|d| *d = (*d / most).max(FLAT));
        true
    }

    /// Finds the variables that their bounds hold, and how far they are from them.
    fn hold(&mut self, x: &[f64], g: &[f64]) {
        let Self { bounds, held, shift, trial, .. } = self;
        trial.copy_from_slice(x);
        axpy(-1.0, g, trial);
        bounds.project(trial);
        axpy(-1.0, x, trial);
        let near = NEAR.min(norm2(trial));
        let ends = bounds.lo.iter().zip(&bounds.hi);
        for (((held, shift), (lo, hi)), (x, g)) in held.iter_mut().zip(shift).zip(ends).zip(x.iter().zip(g)) {
            let (down, up) = (lo - x, hi - x);
            let (low, high) = (down >= -near && *g > 0.0, up <= near && *g < 0.0);
            *shift = if low {
                down
            } else if high {
                up
            } else {
                0.0
            };
            *held = low || high || lo >= hi;
        }
    }

    fn scaled_norm(&self, v: &[f64]) -> f64 {
        self.scaled_product(v, v).sqrt()
    }

    /// `v · D w`.
    fn scaled_product(&self, v: &[f64], w: &[f64]) -> f64 {
        v.iter().zip(w).zip(&self.scaling).map(|((v, w), d)| v * w * d).sum()
    }

    /// Leaves the variables that are held out.
    fn release(held: &[bool], v: &mut [f64]) {
        v.iter_mut().zip(held).filter(|(_, held)| **held).for_each(|(v, _)| *v = 0.0);
    }

    /// Minimises the model in the region, into `step`; `None` when a product failed.
    fn conjugate_gradients(&mut self, phi: &mut impl Curved, g: &[f64]) -> Option<Model> {
        self.step.fill(0.0);
        self.residual.iter_mut().zip(g).for_each(|(r, g)| *r = -g);
        Self::release(&self.held, &mut self.residual);
        let inverse =
            |r: &[f64], scaling: &[f64]| -> f64 { r.iter().zip(scaling).map(|(r, d)| r * r / d).sum() };
        let mut size = inverse(&self.residual, &self.scaling);
        let goal = FORCING * size.sqrt();
        let mut model = Model { border: false, change: 0.0 };
        self.direction.fill(0.0);
        let mut momentum = 0.0;
        for _ in 0..STEPS {
            if size == 0.0 || size.sqrt() <= goal && momentum != 0.0 {
                break;
            }
            scale(momentum, &mut self.direction);
            let parts = self.direction.iter_mut().zip(&self.residual).zip(&self.scaling);
            parts.for_each(|((p, r), d)| *p += r / d);
            if !phi.product(&self.direction, &mut self.product) {
                return None;
            }
            Self::release(&self.held, &mut self.product);
            let curvature = dot(&self.direction, &self.product);
            let alpha = size / curvature;
            let border = self.to_border();
            let ends = curvature <= 0.0 || alpha >= border;
            let alpha = if ends { border } else { alpha };
            // The model along p: its slope is -size, as p is conjugate to what was done.
            model.change += alpha * (0.5 * alpha * curvature - size);
            axpy(alpha, &self.direction, &mut self.step);
            if ends {
                model.border = true;
                break;
            }
            axpy(-alpha, &self.product, &mut self.residual);
            let new = inverse(&self.residual, &self.scaling);
            (momentum, size) = (new / size, new);
        }
        Some(model)
    }

    /// The length of `direction` from `step` to the border of the region.
    fn to_border(&self) -> f64 {
        let pp = self.scaled_product(&self.direction, &self.direction);
        let sp = self.scaled_product(&self.step, &self.direction);
        let room = (self.radius * self.radius - self.scaled_product(&self.step, &self.step)).max(0.0);
        // Without cancellation where s · p is positive, as it is.
        room / (sp + (sp * sp + pp * room).sqrt())
    }
}
