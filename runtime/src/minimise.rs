//! Minimisation of one smooth function over a space, or of its sum with a nonsmooth one that has a proximal operator: limited-memory
//! BFGS where every variable is free and nothing is nonsmooth, the spectral projected or proximal gradient otherwise; on a box, where
//! that is asked for, limited-memory BFGS in the variables that are not held by their bounds, with steps projected onto the box. Used
//! to polish a lower solution for the check, above by `nested`, and to solve models with an upper level alone.
//! Finds stationary points; whether one is a minimum is left to the caller's knowledge of convexity.
//!
//! Sources: D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization", Math. Programming 45
//! (1989), algorithm 2.1. E. G. Birgin, J. M. Martínez, M. Raydan, "Nonmonotone spectral projected gradient methods on convex
//! sets", SIAM J. Optim. 10 (2000), algorithm 2.2 (SPG2). With a nonsmooth part: S. J. Wright, R. D. Nowak, M. A. T. Figueiredo,
//! "Sparse reconstruction by separable approximation", IEEE Trans. Signal Process. 57 (2009). On a box: D. P. Bertsekas, "Projected Newton
//! methods for optimization problems with simple constraints", SIAM J. Control Optim. 20 (1982), with the BFGS estimate for the Hessian.

use crate::linear::blas1::{axpy, distance, dot, norm2};
use crate::proximal::Proximal;
use crate::space::Space;
use crate::state::State;

/// Curvature pairs kept.
const MEMORY: usize = 8;
/// Values the spectral method may rise above: its line search compares with the largest of these.
const HISTORY: usize = 10;
/// But by no more than this part of the way down so far: a function that is not convex may have a worse valley up there.
const RISE: f64 = 0.1;
/// Sufficient decrease.
const ARMIJO: f64 = 1e-4;
/// Halvings before a line search gives up.
const BACKTRACKS: usize = 40;
/// Steps without a lower value than ever before the line search compares with the last value alone, and so many again that do not lower
/// that one before the method has stalled at the accuracy of the arithmetic.
const PATIENCE: usize = 12;

/// What is added to the smooth function: the indicator of a space, perhaps with a nonsmooth function.
pub trait Simple {
    /// The length of the vector.
    fn dimension(&self) -> usize;
    /// Whether there is neither a domain nor a nonsmooth function.
    fn is_free(&self) -> bool;
    /// Whether there is a nonsmooth function.
    fn has_kinks(&self) -> bool;
    /// The nonsmooth function at a point of the space.
    fn value(&self, v: &[f64]) -> f64;
    /// `v ← prox_{t h}(v)`, with `h` all that is added; the projection where that is the indicator alone.
    fn settle(&self, t: f64, v: &mut [f64]);
    /// `‖v − prox_h(v − g)‖`: 0 exactly at stationary points. `scratch` has the length of `v`.
    fn stationarity(&self, v: &[f64], g: &[f64], scratch: &mut [f64]) -> f64;
}

impl Simple for Space {
    fn dimension(&self) -> usize {
        self.len()
    }
    fn is_free(&self) -> bool {
        self.is_free()
    }
    fn has_kinks(&self) -> bool {
        false
    }
    fn value(&self, _: &[f64]) -> f64 {
        0.0
    }
    fn settle(&self, _: f64, v: &mut [f64]) {
        self.project(v);
    }
    fn stationarity(&self, v: &[f64], g: &[f64], scratch: &mut [f64]) -> f64 {
        self.stationarity(v, g, scratch)
    }
}

/// A space with a nonsmooth function, where there is one.
#[derive(Clone, Copy, Debug)]
pub struct Composite<'a> {
    /// The domains.
    pub space: &'a Space,
    /// The nonsmooth function.
    pub proximal: Option<&'a Proximal>,
}

impl Simple for Composite<'_> {
    fn dimension(&self) -> usize {
        self.space.len()
    }
    fn is_free(&self) -> bool {
        self.space.is_free() && self.proximal.is_none()
    }
    fn has_kinks(&self) -> bool {
        self.proximal.is_some()
    }
    fn value(&self, v: &[f64]) -> f64 {
        self.proximal.map_or(0.0, |proximal| proximal.value(v))
    }
    fn settle(&self, t: f64, v: &mut [f64]) {
        if let Some(proximal) = self.proximal {
            proximal.apply(t, &[], v);
        }
        self.space.project(v);
    }
    fn stationarity(&self, v: &[f64], g: &[f64], scratch: &mut [f64]) -> f64 {
        if self.proximal.is_none() {
            return self.space.stationarity(v, g, scratch);
        }
        scratch.copy_from_slice(v);
        axpy(-1.0, g, scratch);
        self.settle(1.0, scratch);
        // A NaN in `g` can vanish in a projection; it must not look stationary.
        if g.iter().any(|g| g.is_nan()) { f64::NAN } else { distance(v, scratch) }
    }
}

/// How a step or a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The stationarity measure is within the tolerance.
    Converged,
    /// The allowed evaluations are used up.
    Budget,
    /// No lower value can be found at the accuracy of the arithmetic.
    Stalled,
    /// No finite value lies along the search direction, or the start has none.
    NonFinite,
}

/// State and work vectors of one minimisation; allocated once.
#[derive(Clone, Debug)]
pub struct Minimiser {
    /// The value at the current point, the nonsmooth function included.
    pub value: f64,
    /// The gradient of the smooth function there.
    pub gradient: Vec<f64>,
    /// Evaluations of value and gradient so far.
    pub evaluations: usize,
    /// The nonsmooth function at the current point.
    nonsmooth: f64,
    roundoff: f64,
    direction: Vec<f64>,
    trial: Vec<f64>,
    trial_gradient: Vec<f64>,
    steps: Vec<f64>,
    changes: Vec<f64>,
    /// Whether steps on a box are those of BFGS, and what its bounds hold at the current point.
    boxed: bool,
    held: Vec<bool>,
    pairs: usize,
    newest: usize,
    spectral: f64,
    history: [f64; HISTORY],
    age: usize,
    idle: usize,
    lowest: f64,
    first: f64,
}

impl Minimiser {
    /// Room for vectors of `simple`. `roundoff`: the accuracy of the function's arithmetic.
    pub fn new(simple: &impl Simple, roundoff: f64) -> Self {
        let len = simple.dimension();
        let memory = if simple.is_free() { MEMORY * len } else { 0 };
        Minimiser {
            value: f64::NAN,
            nonsmooth: 0.0,
            gradient: vec![0.0; len],
            evaluations: 0,
            roundoff,
            direction: vec![0.0; len],
            trial: vec![0.0; len],
            trial_gradient: vec![0.0; len],
            steps: vec![0.0; memory],
            changes: vec![0.0; memory],
            boxed: false,
            held: Vec::new(),
            pairs: 0,
            newest: 0,
            spectral: 0.0,
            history: [f64::NEG_INFINITY; HISTORY],
            age: 0,
            idle: 0,
            lowest: f64::INFINITY,
            first: f64::INFINITY,
        }
    }

    /// With steps of limited-memory BFGS on a space that is a box with a bounded variable.
    pub fn quasi_newton_on_box(mut self, space: &Space) -> Self {
        if space.is_box() && !space.is_free() {
            self.boxed = true;
            self.held = vec![false; space.len()];
            self.steps = vec![0.0; MEMORY * space.len()];
            self.changes = self.steps.clone();
        }
        self
    }

    /// Its memory between two steps.
    pub(crate) fn state(&mut self, state: &mut dyn State) {
        for vector in [&mut self.gradient, &mut self.steps, &mut self.changes] {
            state.numbers(vector);
        }
        for value in
            [&mut self.value, &mut self.nonsmooth, &mut self.spectral, &mut self.lowest, &mut self.first]
        {
            state.number(value);
        }
        for count in [&mut self.evaluations, &mut self.pairs, &mut self.newest, &mut self.age, &mut self.idle]
        {
            state.count(count);
        }
        state.numbers(&mut self.history);
    }

    /// Evaluates the start `v`, which must lie in the space, and forgets earlier runs.
    pub fn begin(
        &mut self,
        simple: &impl Simple,
        v: &[f64],
        mut eval: impl FnMut(&[f64], &mut [f64]) -> f64,
    ) {
        self.nonsmooth = simple.value(v);
        self.value = eval(v, &mut self.gradient) + self.nonsmooth;
        self.evaluations = 1;
        (self.pairs, self.newest, self.age, self.idle) = (0, 0, 0, 0);
        self.spectral = 0.0;
        self.history = [f64::NEG_INFINITY; HISTORY];
        self.history[0] = self.value;
        (self.lowest, self.first) = (self.value, self.value);
    }

    /// `‖v − P(v − ∇)‖` at the current point, with the proximal operator for `P` where something is nonsmooth.
    pub fn residual(&mut self, simple: &impl Simple, v: &[f64]) -> f64 {
        simple.stationarity(v, &self.gradient, &mut self.trial)
    }

    /// Runs from `v` until the residual is at most `tolerance`, or about `budget` evaluations are used. `v` is the best point
    /// found; [`Minimiser::value`] its value.
    pub fn run(
        &mut self,
        simple: &impl Simple,
        v: &mut [f64],
        budget: usize,
        tolerance: f64,
        mut eval: impl FnMut(&[f64], &mut [f64]) -> f64,
    ) -> End {
        self.begin(simple, v, &mut eval);
        if !self.value.is_finite() {
            return End::NonFinite;
        }
        loop {
            if self.residual(simple, v) <= tolerance {
                return End::Converged;
            }
            if self.evaluations >= budget {
                return End::Budget;
            }
            if let Some(end) = self.step(simple, v, &mut eval) {
                return end;
            }
        }
    }

    /// One step: moves `v`; `Some` when no further step is possible.
    pub fn step(
        &mut self,
        simple: &impl Simple,
        v: &mut [f64],
        mut eval: impl FnMut(&[f64], &mut [f64]) -> f64,
    ) -> Option<End> {
        if self.boxed {
            self.hold(simple, v);
        }
        let quasi = simple.is_free() || self.boxed;
        let mut length = if quasi { self.quasi_newton() } else { self.projected(simple, v) };
        let mut slope = dot(&self.direction, &self.gradient);
        if slope >= 0.0 && self.pairs > 0 {
            self.pairs = 0;
            length = self.quasi_newton();
            slope = dot(&self.direction, &self.gradient);
        }
        if simple.has_kinks() {
            // What the whole step changes in the nonsmooth function; as it is convex, a shorter one gains its share or more.
            self.propose(simple, v, 1.0);
            slope += simple.value(&self.trial) - self.nonsmooth;
        }
        let slack = 8.0 * self.roundoff * self.value.abs();
        let highest = self.history.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v));
        let ceiling = highest.min(self.lowest + RISE * (self.first - self.lowest)).max(self.value) + slack;
        let monotone = quasi || self.idle >= PATIENCE;
        let reference = if monotone { self.value + slack } else { ceiling };
        let mut any_finite = false;
        for _ in 0..BACKTRACKS {
            self.propose(simple, v, length);
            let nonsmooth = simple.value(&self.trial);
            let value = eval(&self.trial, &mut self.trial_gradient) + nonsmooth;
            self.evaluations += 1;
            let finite = value.is_finite() && self.trial_gradient.iter().all(|g| g.is_finite());
            any_finite |= finite;
            if self.boxed {
                // What is left of the step on the box.
                slope = (dot(&self.gradient, &self.trial) - dot(&self.gradient, v)).min(0.0) / length;
            }
            if finite && value <= reference + ARMIJO * length * slope {
                return self.accept(simple, v, (value, nonsmooth));
            }
            length *= if finite { shrink(self.value, value, length * slope) } else { 0.25 };
        }
        Some(if any_finite { End::Stalled } else { End::NonFinite })
    }

    /// Sets the trial point `v + length · direction`. A full projected step is projected afresh: adding the direction would
    /// leave elements that belong on a bound beside it.
    fn propose(&mut self, simple: &impl Simple, v: &[f64], length: f64) {
        self.trial.copy_from_slice(v);
        if self.boxed {
            axpy(length, &self.direction, &mut self.trial);
            simple.settle(1.0, &mut self.trial);
        } else if simple.is_free() || length != 1.0 {
            axpy(length, &self.direction, &mut self.trial);
        } else {
            axpy(-self.spectral, &self.gradient, &mut self.trial);
            simple.settle(self.spectral, &mut self.trial);
        }
    }

    /// Takes the trial point over.
    fn accept(&mut self, simple: &impl Simple, v: &mut [f64], (value, nonsmooth): (f64, f64)) -> Option<End> {
        for ((d, t), v) in self.direction.iter_mut().zip(&self.trial).zip(v.iter_mut()) {
            *d = t - *v;
            *v = *t;
        }
        for (new, old) in self.trial_gradient.iter_mut().zip(&mut self.gradient) {
            let change = *new - *old;
            *old = *new;
            *new = change;
        }
        let (s, y) = (&self.direction, &self.trial_gradient);
        let curvature = dot(s, y);
        if simple.is_free() || self.boxed {
            if curvature > 1e-14 * norm2(s) * norm2(y) {
                let len = v.len();
                self.newest = if self.pairs == 0 { 0 } else { (self.newest + 1) % MEMORY };
                self.pairs = (self.pairs + 1).min(MEMORY);
                let at = self.newest * len..(self.newest + 1) * len;
                self.steps[at.clone()].copy_from_slice(s);
                self.changes[at].copy_from_slice(y);
            }
        } else {
            self.spectral = if curvature > 0.0 { (dot(s, s) / curvature).clamp(1e-12, 1e12) } else { 1e3 };
        }
        let below = |reference: f64| value < reference - 2.0 * self.roundoff * reference.abs();
        if below(self.lowest) {
            self.lowest = value;
            self.idle = 0;
        } else if self.idle < PATIENCE || !below(self.value) {
            self.idle += 1;
        }
        (self.value, self.nonsmooth) = (value, nonsmooth);
        self.age += 1;
        self.history[self.age % HISTORY] = value;
        let enough = if simple.is_free() || self.boxed { PATIENCE } else { 2 * PATIENCE };
        (self.idle >= enough).then_some(End::Stalled)
    }

    /// The direction `−B ∇` by the two-loop recursion, and the first step length to try.
    fn quasi_newton(&mut self) -> f64 {
        for (d, g) in self.direction.iter_mut().zip(&self.gradient) {
            *d = -g;
        }
        self.release();
        if self.pairs == 0 {
            return 1.0 / norm2(&self.direction).max(1.0);
        }
        let mut direction = std::mem::take(&mut self.direction);
        self.inverse(&mut direction);
        self.direction = direction;
        self.release();
        1.0
    }

    /// Finds the variables that their bounds hold: a step against the gradient does not move them.
    fn hold(&mut self, simple: &impl Simple, v: &[f64]) {
        self.trial.copy_from_slice(v);
        axpy(-1.0, &self.gradient, &mut self.trial);
        simple.settle(1.0, &mut self.trial);
        for (((held, trial), v), g) in self.held.iter_mut().zip(&self.trial).zip(v).zip(&self.gradient) {
            *held = trial == v && *g != 0.0;
        }
    }

    /// Leaves the variables that are held out of the direction.
    fn release(&mut self) {
        self.direction.iter_mut().zip(&self.held).filter(|(_, held)| **held).for_each(|(d, _)| *d = 0.0);
    }

    /// The product of a kept vector with another, without the variables that are held.
    fn product(&self, kept: &[f64], other: &[f64]) -> f64 {
        if !self.boxed {
            return dot(kept, other);
        }
        let products = kept.iter().zip(other).zip(&self.held);
        products.filter(|(_, held)| !**held).map(|((a, b), _)| a * b).sum()
    }

    /// `d ← B d` with the estimate `B` of the inverse Hessian that the last steps gave, by the two-loop recursion; false, and
    /// nothing done, when there is none.
    pub fn inverse(&self, d: &mut [f64]) -> bool {
        if self.pairs == 0 {
            return false;
        }
        let len = d.len();
        let mut weights = [0.0; MEMORY];
        // Without what is held a pair may have lost its curvature.
        let mut curvatures = [0.0; MEMORY];
        let mut scale = None;
        for age in 0..self.pairs {
            let slot = (self.newest + MEMORY - age) % MEMORY;
            let (s, y) = (&self.steps[slot * len..][..len], &self.changes[slot * len..][..len]);
            let curvature = self.product(s, y);
            if self.boxed && curvature <= 1e-14 * (self.product(s, s) * self.product(y, y)).sqrt() {
                continue;
            }
            curvatures[age] = curvature;
            scale = scale.or_else(|| Some(curvature / self.product(y, y)));
            weights[age] = self.product(s, d) / curvature;
            axpy(-weights[age], y, d);
        }
        let Some(scale) = scale else { return false };
        d.iter_mut().for_each(|d| *d *= scale);
        for age in (0..self.pairs).rev().filter(|&age| curvatures[age] != 0.0) {
            let slot = (self.newest + MEMORY - age) % MEMORY;
            let (s, y) = (&self.steps[slot * len..][..len], &self.changes[slot * len..][..len]);
            let back = self.product(y, d) / curvatures[age];
            axpy(weights[age] - back, s, d);
        }
        true
    }

    /// The direction `P(v − α∇) − v` with the spectral step `α`, and for `P` the proximal operator of `α` times what is nonsmooth; the
    /// first length to try is 1.
    fn projected(&mut self, simple: &impl Simple, v: &[f64]) -> f64 {
        if self.spectral == 0.0 {
            self.spectral = 1.0 / norm2(&self.gradient).max(1e-12);
        }
        self.direction.copy_from_slice(v);
        axpy(-self.spectral, &self.gradient, &mut self.direction);
        simple.settle(self.spectral, &mut self.direction);
        axpy(-1.0, v, &mut self.direction);
        1.0
    }
}

/// The factor for the next trial length: the minimiser of the parabola through value, slope and trial value, kept in
/// [0.1, 0.5].
fn shrink(value: f64, trial: f64, slope: f64) -> f64 {
    let factor = -0.5 * slope / (trial - value - slope);
    if factor.is_finite() { factor.clamp(0.1, 0.5) } else { 0.5 }
}
