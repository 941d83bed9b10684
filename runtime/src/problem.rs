//! The problem a solver sees: compiled derivatives, the spaces of both levels, and a record of what was asked and of the first
//! value that was not finite.

use crate::chunks::Chunks;
use crate::constrained::Constrained;
use crate::derivatives::{Derivatives, Quantity};
use crate::frozen::ThawError;
use crate::frozen::wire::{Reader, Wire, Writer};
use crate::linear::blas1::{all_finite, largest};
use crate::proximal::Proximal;
use crate::samples::{Samples, Side};
use crate::space::Space;
use crate::state::State;
use crate::status::Part;

/// The first quantity that came out NaN or infinite, and the point it was evaluated at.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What was evaluated.
    pub quantity: Quantity,
    /// The upper variables.
    pub x: Vec<f64>,
    /// The lower variables.
    pub y: Vec<f64>,
    /// The largest magnitude in the point and in the direction, if there was one; infinite when not finite itself.
    pub size: f64,
    /// What has this magnitude.
    pub part: Part,
}

/// What a model may ask of a method beyond smooth objectives over simple domains. A method lists what it handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Constraints of the upper level.
    UpperConstraints,
    /// Constraints of the lower level.
    LowerConstraints,
    /// Multipliers of the lower level in the upper level.
    Multipliers,
    /// Upper variables that must be whole.
    UpperIntegers,
    /// Lower variables that must be whole.
    LowerIntegers,
    /// The pessimistic response of the lower level.
    Pessimistic,
}

impl Feature {
    /// All features.
    pub const ALL: [Feature; 6] = [
        Feature::UpperConstraints,
        Feature::LowerConstraints,
        Feature::Multipliers,
        Feature::UpperIntegers,
        Feature::LowerIntegers,
        Feature::Pessimistic,
    ];

    /// In words, as the object of a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Feature::UpperConstraints => "constraints of the upper level",
            Feature::LowerConstraints => "constraints of the lower level",
            Feature::Multipliers => "multipliers of the lower level",
            Feature::UpperIntegers => "integer variables of the upper level",
            Feature::LowerIntegers => "integer variables of the lower level",
            Feature::Pessimistic => "the pessimistic response",
        }
    }
}

/// A bilevel problem, or an ordinary one when `has_lower` is false.
pub struct Problem {
    derivatives: Box<dyn Derivatives>,
    /// The upper variables.
    pub upper: Space,
    /// The lower variables; empty without a lower level.
    pub lower: Space,
    /// +1 when the model minimises the upper objective, −1 when it maximises: for reporting only.
    pub upper_sign: f64,
    /// As `upper_sign`, for the lower objective.
    pub lower_sign: f64,
    /// Whether there is a lower level.
    pub has_lower: bool,
    /// The nonsmooth part of the lower objective that has a proximal operator, where the compiler found one; with the weights of the
    /// last [`Problem::weigh`].
    pub proximal: Option<Box<Proximal>>,
    /// Whether the lower level is known to be convex in `y`; a lower gap is then global.
    pub lower_convex: bool,
    /// What it asks of a method.
    pub asks: Vec<Feature>,
    /// Its single-level form, where the method works on that.
    pub constrained: Option<Box<Constrained>>,
    /// Its objectives on batches, where sums are marked for sampling and the method samples.
    pub samples: Option<Samples>,
    /// A program for any number of samples, where the compiler made one: for problems that are frozen.
    pub chunks: Option<Box<Chunks>>,
    /// The unit roundoff of the compiled arithmetic: `f64::EPSILON`, or `f32::EPSILON` for models in single precision.
    pub roundoff: f64,
    /// The names of the reported scalars, in order.
    pub report_names: Vec<String>,
    /// The reports of how the follower's answer moves with an upper variable.
    pub slopes: Vec<Slope>,
    /// The bytes a method may use to keep the iterates it differentiates through: [`MEMORY`] unless set.
    pub memory: usize,
    calls: [u64; Quantity::ALL.len()],
    total: u64,
    tolerant: bool,
    fault: Option<Fault>,
}

/// A report of how the follower's answer moves with an upper variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slope {
    /// The name.
    pub name: String,
    /// The place of the lower variable among the blocks of its level.
    pub of: usize,
    /// The place of the upper variable.
    pub by: usize,
}

/// The bytes for iterates that are kept, unless a run says otherwise: 1 GiB.
pub const MEMORY: usize = 1 << 30;

impl Problem {
    /// A minimisation on both levels in double precision, with unnamed reports. The lengths of the spaces must be those of
    /// `derivatives`; `has_lower` follows from the lower space.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn new(derivatives: Box<dyn Derivatives>, upper: Space, lower: Space) -> Self {
        assert_eq!(derivatives.upper_len(), upper.len(), "upper space and derivatives disagree");
        assert_eq!(derivatives.lower_len(), lower.len(), "lower space and derivatives disagree");
        let report_names = (0..derivatives.reports_len()).map(|i| format!("report{i}")).collect();
        Problem {
            has_lower: !lower.is_empty(),
            derivatives,
            upper,
            lower,
            upper_sign: 1.0,
            lower_sign: 1.0,
            proximal: None,
            lower_convex: false,
            asks: Vec::new(),
            constrained: None,
            samples: None,
            chunks: None,
            roundoff: f64::EPSILON,
            report_names,
            slopes: Vec::new(),
            memory: MEMORY,
            calls: [0; Quantity::ALL.len()],
            total: 0,
            tolerant: false,
            fault: None,
        }
    }

    /// The number of evaluations of a quantity so far.
    pub fn calls_of(&self, quantity: Quantity) -> u64 {
        self.calls[quantity as usize]
    }

    /// The number of evaluations so far.
    pub fn calls(&self) -> u64 {
        self.total
    }

    /// Counts evaluations made by a program other than its own.
    pub(crate) fn count(&mut self, quantity: Quantity, n: u64) {
        self.calls[quantity as usize] += n;
        self.total += n;
    }

    /// The numbers of evaluations that a run has made since it found them to be `before`.
    pub(crate) fn calls_state(&mut self, before: &[u64], state: &mut dyn State) {
        for (calls, before) in self.calls.iter_mut().zip(before) {
            let mut made = *calls - before;
            state.word(&mut made);
            *calls = before + made;
        }
        self.total = self.calls.iter().sum();
    }

    /// The number of evaluations so far of every quantity.
    pub(crate) fn all_calls(&self) -> Vec<u64> {
        self.calls.to_vec()
    }

    /// Per quantity that was evaluated, how often.
    pub fn call_table(&self) -> Vec<(Quantity, u64)> {
        Quantity::ALL.iter().map(|&q| (q, self.calls_of(q))).filter(|(_, n)| *n > 0).collect()
    }

    /// The first value that was not finite, if any.
    pub fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// As [`Problem::fault`], and forgets it.
    pub fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    /// Runs `action` without taking note of values that are not finite: a line search may step outside of a domain.
    pub fn tolerantly<R>(&mut self, action: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.tolerant, true);
        let result = action(self);
        self.tolerant = before;
        result
    }

    /// Gives data another number of samples; [`Derivatives::renew`] has to follow.
    pub fn set_samples(&mut self, name: &str, values: &[f64]) {
        self.derivatives.set_data(name, values);
    }

    /// Runs `action` without batches where the number of samples is another than they were made for.
    pub fn whole_where_resized<R>(&mut self, action: impl FnOnce(&mut Self) -> R) -> R {
        let resized = self.derivatives.is_resized();
        let samples = self.samples.take_if(|_| resized);
        let result = action(self);
        self.samples = samples.or_else(|| self.samples.take());
        result
    }

    /// Does something with every program.
    fn programs(&mut self, mut action: impl FnMut(&mut dyn Derivatives)) {
        action(&mut *self.derivatives);
        if let Some(samples) = &mut self.samples {
            action(&mut *samples.program);
        }
        if let Some(constrained) = &mut self.constrained {
            constrained.programs().for_each(|nlp| action(nlp.derivatives()));
        }
    }

    /// Runs `action` with both objectives estimated on a batch of each level; with the full ones where nothing is sampled.
    pub fn on_batches<R>(&mut self, [lower, upper]: [usize; 2], action: impl FnOnce(&mut Self) -> R) -> R {
        let Some(mut samples) = self.samples.take() else { return action(self) };
        samples.select(Side::Lower, lower);
        samples.select(Side::Upper, upper);
        std::mem::swap(&mut self.derivatives, &mut samples.program);
        let result = action(self);
        std::mem::swap(&mut self.derivatives, &mut samples.program);
        self.samples = Some(samples);
        result
    }

    /// Makes the proximal part of the lower objective that of `x`; any `y` will do. Nothing happens where there is none.
    pub fn weigh(&mut self, x: &[f64], y: &[f64]) {
        let Some(mut proximal) = self.proximal.take() else { return };
        proximal.weigh(|weights| self.proximal_weights(x, y, weights));
        self.proximal = Some(proximal);
    }

    /// The nonsmooth part of `f` at the `x` of the last [`Problem::weigh`].
    pub fn nonsmooth(&self, y: &[f64]) -> f64 {
        self.proximal.as_ref().map_or(0.0, |proximal| proximal.value(y))
    }

    /// The end of a step on the lower variables of size `t`, times `rates` where there are any: the proximal operator of the
    /// nonsmooth part of `f` at the `x` of the last [`Problem::weigh`], and the projection onto the domains.
    pub fn settle(&self, t: f64, rates: &[f64], y: &mut [f64]) {
        if let Some(proximal) = &self.proximal {
            proximal.apply(t, rates, y);
        }
        self.lower.project(y);
    }

    /// Keeps the first evaluation of the follower's program that was not finite; it is counted as one of that program.
    pub(crate) fn note_rows(&mut self, x: &[f64], y: &[f64], finite: bool) {
        if !finite {
            self.blame(Quantity::LowerGradients, x, y, &[]);
        }
    }

    /// Counts a call and keeps the first one that was not finite. Solvers look once per iteration.
    fn note(&mut self, quantity: Quantity, x: &[f64], y: &[f64], finite: bool) {
        self.note_direction(quantity, x, y, &[], finite);
    }

    fn note_direction(&mut self, quantity: Quantity, x: &[f64], y: &[f64], v: &[f64], finite: bool) {
        self.calls[quantity as usize] += 1;
        self.total += 1;
        if !finite {
            self.blame(quantity, x, y, v);
        }
    }

    #[cold]
    fn blame(&mut self, quantity: Quantity, x: &[f64], y: &[f64], v: &[f64]) {
        if !self.tolerant && self.fault.is_none() {
            let (size, part) = Part::largest(largest(x), largest(y), largest(v));
            self.fault = Some(Fault { quantity, x: x.to_vec(), y: y.to_vec(), size, part });
        }
    }
}

impl Wire for Problem {
    fn put(&self, to: &mut Writer) {
        self.derivatives.put(to);
        self.chunks.put(to);
        self.upper.put(to);
        self.lower.put(to);
        (self.upper_sign, self.lower_sign).put(to);
        (self.has_lower, self.lower_convex).put(to);
        self.proximal.put(to);
        self.asks.put(to);
        self.constrained.put(to);
        self.samples.put(to);
        (self.roundoff, self.memory).put(to);
        self.report_names.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let full: Box<dyn Derivatives> = Wire::get(from)?;
        let derivatives = match <Option<Box<Chunks>>>::get(from)? {
            Some(chunks) => Box::new(chunks.around(full)),
            None => full,
        };
        let (upper, lower): (Space, Space) = Wire::get(from)?;
        if (derivatives.upper_len(), derivatives.lower_len()) != (upper.len(), lower.len()) {
            return Err(ThawError::Damaged);
        }
        let mut problem = Problem::new(derivatives, upper, lower);
        (problem.upper_sign, problem.lower_sign) = Wire::get(from)?;
        (problem.has_lower, problem.lower_convex) = Wire::get(from)?;
        problem.proximal = Wire::get(from)?;
        problem.asks = Wire::get(from)?;
        problem.constrained = Wire::get(from)?;
        problem.samples = Wire::get(from)?;
        (problem.roundoff, problem.memory) = Wire::get(from)?;
        problem.report_names = Wire::get(from)?;
        Ok(problem)
    }
}

impl Derivatives for Problem {
    /// In every program of the problem.
    fn set_data(&mut self, name: &str, values: &[f64]) {
        self.programs(|program| program.set_data(name, values));
    }

    fn renew(&mut self) {
        self.programs(|program| program.renew());
        if let Some(constrained) = &mut self.constrained {
            constrained.forget();
        }
    }

    fn has(&self, quantity: Quantity) -> bool {
        self.derivatives.has(quantity)
    }

    fn work(&self, quantity: Quantity) -> f64 {
        self.derivatives.work(quantity)
    }

    fn upper_len(&self) -> usize {
        self.upper.len()
    }

    fn lower_len(&self) -> usize {
        self.lower.len()
    }

    fn reports_len(&self) -> usize {
        self.report_names.len()
    }

    fn lower_value(&mut self, x: &[f64], y: &[f64]) -> f64 {
        let value = self.derivatives.lower_value(x, y);
        self.note(Quantity::LowerValue, x, y, value.is_finite());
        value
    }

    fn lower_gradient(&mut self, x: &[f64], y: &[f64], gy: &mut [f64]) -> f64 {
        let value = self.derivatives.lower_gradient(x, y, gy);
        self.note(Quantity::LowerGradient, x, y, value.is_finite() && all_finite(gy));
        value
    }

    fn lower_gradients(&mut self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let value = self.derivatives.lower_gradients(x, y, gx, gy);
        self.note(Quantity::LowerGradients, x, y, value.is_finite() && all_finite(gx) && all_finite(gy));
        value
    }

    fn lower_gradient_only(&mut self, x: &[f64], y: &[f64], gy: &mut [f64]) -> f64 {
        let value = self.derivatives.lower_gradient_only(x, y, gy);
        self.note(Quantity::LowerGradient, x, y, value.is_finite() && all_finite(gy));
        value
    }

    fn smooth_gradient(&mut self, x: &[f64], y: &[f64], gy: &mut [f64]) -> f64 {
        if self.proximal.is_none() {
            return self.lower_gradient(x, y, gy);
        }
        let value = self.derivatives.smooth_gradient(x, y, gy);
        self.note(Quantity::SmoothGradient, x, y, value.is_finite() && all_finite(gy));
        value
    }

    fn smooth_gradient_only(&mut self, x: &[f64], y: &[f64], gy: &mut [f64]) -> f64 {
        if self.proximal.is_none() {
            return self.lower_gradient_only(x, y, gy);
        }
        let value = self.derivatives.smooth_gradient_only(x, y, gy);
        self.note(Quantity::SmoothGradient, x, y, value.is_finite() && all_finite(gy));
        value
    }

    fn smooth_hessian(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64]) {
        if self.proximal.is_none() {
            return self.lower_hessian(x, y, v, hv);
        }
        self.derivatives.smooth_hessian(x, y, v, hv);
        self.note_direction(Quantity::SmoothHessian, x, y, v, all_finite(hv));
    }

    fn proximal_weights(&mut self, x: &[f64], y: &[f64], out: &mut [f64]) {
        self.derivatives.proximal_weights(x, y, out);
        self.note(Quantity::ProximalWeights, x, y, all_finite(out));
    }

    fn lower_gradient_x(&mut self, x: &[f64], y: &[f64], gx: &mut [f64]) -> f64 {
        let value = self.derivatives.lower_gradient_x(x, y, gx);
        self.note(Quantity::LowerGradientX, x, y, value.is_finite() && all_finite(gx));
        value
    }

    fn lower_gradient_x_only(&mut self, x: &[f64], y: &[f64], gx: &mut [f64]) -> f64 {
        let value = self.derivatives.lower_gradient_x_only(x, y, gx);
        self.note(Quantity::LowerGradientX, x, y, value.is_finite() && all_finite(gx));
        value
    }

    fn upper_gradient_x(&mut self, x: &[f64], y: &[f64], gx: &mut [f64]) -> f64 {
        let value = self.derivatives.upper_gradient_x(x, y, gx);
        self.note(Quantity::UpperGradientX, x, y, value.is_finite() && all_finite(gx));
        value
    }

    fn lower_hessian(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64]) {
        self.derivatives.lower_hessian(x, y, v, hv);
        self.note_direction(Quantity::LowerHessian, x, y, v, all_finite(hv));
    }

    fn lower_second_order(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        self.derivatives.lower_second_order(x, y, v, hv, xv);
        let finite = all_finite(hv) && all_finite(xv);
        self.note_direction(Quantity::LowerSecondOrder, x, y, v, finite);
    }

    fn lower_directions(
        &mut self,
        x: &[f64],
        y: &[f64],
        v: &[f64],
        gy: &mut [f64],
        hv: &mut [f64],
        xv: &mut [f64],
    ) {
        self.derivatives.lower_directions(x, y, v, gy, hv, xv);
        let finite = all_finite(gy) && all_finite(hv) && all_finite(xv);
        self.note_direction(Quantity::LowerDirections, x, y, v, finite);
    }

    fn lower_cross(&mut self, x: &[f64], y: &[f64], u: &[f64], out: &mut [f64]) {
        self.derivatives.lower_cross(x, y, u, out);
        self.note_direction(Quantity::LowerCross, x, y, u, all_finite(out));
    }

    fn upper_value(&mut self, x: &[f64], y: &[f64]) -> f64 {
        let value = self.derivatives.upper_value(x, y);
        self.note(Quantity::UpperValue, x, y, value.is_finite());
        value
    }

    fn upper_gradients(&mut self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let value = self.derivatives.upper_gradients(x, y, gx, gy);
        self.note(Quantity::UpperGradients, x, y, value.is_finite() && all_finite(gx) && all_finite(gy));
        value
    }

    fn upper_gradients_only(&mut self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        let value = self.derivatives.upper_gradients_only(x, y, gx, gy);
        self.note(Quantity::UpperGradients, x, y, value.is_finite() && all_finite(gx) && all_finite(gy));
        value
    }

    fn upper_second_order(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        self.derivatives.upper_second_order(x, y, v, hv, xv);
        let finite = all_finite(hv) && all_finite(xv);
        self.note_direction(Quantity::UpperSecondOrder, x, y, v, finite);
    }

    /// A report need not be finite.
    fn reports(&mut self, x: &[f64], y: &[f64], out: &mut [f64]) {
        self.derivatives.reports(x, y, out);
        self.note(Quantity::Reports, x, y, true);
    }
}
