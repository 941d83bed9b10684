//! A compiled program: entries that evaluate the quantities of a bilevel problem. It owns its buffers and its code. The
//! solver's vectors are `f64`; inside, reals have the program's precision.

mod element;
mod plan;
pub mod spec;
mod steps;

use self::plan::Plan;
use self::spec::{ProgramError, ProgramSpec, Width};
use crate::derivatives::{Derivatives, Quantity};
use crate::threads;

/// A compiled program.
pub struct Program {
    inner: Inner,
    lens: [usize; 2],
    frozen: Option<Box<[u8]>>,
}

enum Inner {
    Single(Plan<f32>),
    Double(Plan<f64>),
}

impl Program {
    /// Checks a specification, allocates its memory, copies its data and runs what depends on data alone. Large steps will use the
    /// threads of the pool this is called in; see [`threads`].
    pub fn new(spec: &ProgramSpec<'_>) -> Result<Self, ProgramError> {
        let inner = match spec.width {
            Width::Single => Inner::Single(Plan::new(spec)?),
            Width::Double => Inner::Double(Plan::new(spec)?),
        };
        let mut program = Program { inner, lens: spec.lens, frozen: None };
        program.set_threads(threads::for_program(spec.bytes));
        Ok(program)
    }

    /// The same, with its bytes: [`crate::frozen::program::freeze`].
    pub fn keeping(self, bytes: Vec<u8>) -> Self {
        Program { frozen: Some(bytes.into()), ..self }
    }

    /// Sets how many threads of the current pool large steps may use (at least 1). Results do not depend on it.
    pub fn set_threads(&mut self, threads: usize) {
        match &mut self.inner {
            Inner::Single(plan) => plan.set_threads(threads),
            Inner::Double(plan) => plan.set_threads(threads),
        }
    }

    /// How often each compiled quantity was evaluated.
    pub fn calls(&self) -> Vec<(Quantity, u64)> {
        let calls = |q: Quantity| self.counts(q).map(|(calls, _)| (q, calls));
        Quantity::ALL.into_iter().filter_map(calls).collect()
    }

    /// How often the three stages of a compiled quantity ran: what depends on `x`, on `(x, y)`, and the rest.
    pub fn stage_runs(&self, quantity: Quantity) -> Option<[u64; 3]> {
        self.counts(quantity).map(|(_, runs)| runs)
    }

    fn counts(&self, quantity: Quantity) -> Option<(u64, [u64; 3])> {
        match &self.inner {
            Inner::Single(plan) => plan.counts(quantity),
            Inner::Double(plan) => plan.counts(quantity),
        }
    }

    /// Evaluates a quantity: `vectors` are `x`, `y` and, where it takes them, directions; outputs that it does not have are
    /// empty. The first output may be left out unless it is `valued`.
    #[inline(always)]
    fn evaluate(
        &mut self,
        quantity: Quantity,
        vectors: [Option<&[f64]>; 4],
        outputs: [&mut [f64]; 3],
        valued: bool,
    ) {
        match &mut self.inner {
            Inner::Double(plan) if plan.is_whole(quantity) => {
                plan.enter(quantity, vectors.map(Option::unwrap_or_default), outputs, valued);
            }
            inner => inner.steps(quantity, vectors, outputs),
        }
    }

    fn value(&mut self, quantity: Quantity, x: &[f64], y: &[f64]) -> f64 {
        let mut value = [0.0];
        self.evaluate(quantity, [Some(x), Some(y), None, None], [&mut value, &mut [], &mut []], true);
        value[0]
    }

    #[inline(always)]
    fn gradients(
        &mut self,
        quantity: Quantity,
        [x, y]: [&[f64]; 2],
        [first, second]: [&mut [f64]; 2],
        valued: bool,
    ) -> f64 {
        let mut value = [0.0];
        self.evaluate(quantity, [Some(x), Some(y), None, None], [&mut value, first, second], valued);
        value[0]
    }
}

impl Inner {
    #[inline(never)]
    fn steps(&mut self, quantity: Quantity, vectors: [Option<&[f64]>; 4], mut outputs: [&mut [f64]; 3]) {
        match self {
            Inner::Single(plan) => plan.run(quantity, vectors, &mut outputs),
            Inner::Double(plan) => plan.run(quantity, vectors, &mut outputs),
        }
    }
}

impl Derivatives for Program {
    fn has(&self, quantity: Quantity) -> bool {
        self.counts(quantity).is_some()
    }

    fn frozen(&self) -> Option<&[u8]> {
        self.frozen.as_deref()
    }

    fn work(&self, quantity: Quantity) -> f64 {
        let work = match &self.inner {
            Inner::Single(plan) => plan.work(quantity),
            Inner::Double(plan) => plan.work(quantity),
        };
        work.unwrap_or(0.0)
    }

    fn upper_len(&self) -> usize {
        self.lens[0]
    }

    fn lower_len(&self) -> usize {
        self.lens[1]
    }

    fn reports_len(&self) -> usize {
        let len = match &self.inner {
            Inner::Single(plan) => plan.output_len(Quantity::Reports, 0),
            Inner::Double(plan) => plan.output_len(Quantity::Reports, 0),
        };
        len.unwrap_or(0)
    }

    fn lower_value(&mut self, x: &[f64], y: &[f64]) -> f64 {
        self.value(Quantity::LowerValue, x, y)
    }

    fn lower_gradient(&mut self, x: &[f64], y: &[f64], gy: &mut [f64]) -> f64 {
        self.gradients(Quantity::LowerGradient, [x, y], [gy, &mut []], true)
    }

    fn lower_gradient_x(&mut self, x: &[f64], y: &[f64], gx: &mut [f64]) -> f64 {
        self.gradients(Quantity::LowerGradientX, [x, y], [gx, &mut []], true)
    }

    fn lower_gradient_x_only(&mut self, x: &[f64], y: &[f64], gx: &mut [f64]) -> f64 {
        self.gradients(Quantity::LowerGradientX, [x, y], [gx, &mut []], false)
    }

    fn upper_gradient_x(&mut self, x: &[f64], y: &[f64], gx: &mut [f64]) -> f64 {
        self.gradients(Quantity::UpperGradientX, [x, y], [gx, &mut []], true)
    }

    fn lower_gradients(&mut self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        self.gradients(Quantity::LowerGradients, [x, y], [gx, gy], true)
    }

    fn lower_gradient_only(&mut self, x: &[f64], y: &[f64], gy: &mut [f64]) -> f64 {
        self.gradients(Quantity::LowerGradient, [x, y], [gy, &mut []], false)
    }

    fn lower_hessian(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64]) {
        let vectors = [Some(x), Some(y), None, Some(v)];
        self.evaluate(Quantity::LowerHessian, vectors, [hv, &mut [], &mut []], true);
    }

    fn lower_second_order(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        let vectors = [Some(x), Some(y), None, Some(v)];
        self.evaluate(Quantity::LowerSecondOrder, vectors, [hv, xv, &mut []], true);
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
        let vectors = [Some(x), Some(y), None, Some(v)];
        self.evaluate(Quantity::LowerDirections, vectors, [gy, hv, xv], true);
    }

    fn lower_cross(&mut self, x: &[f64], y: &[f64], u: &[f64], out: &mut [f64]) {
        let vectors = [Some(x), Some(y), Some(u), None];
        self.evaluate(Quantity::LowerCross, vectors, [out, &mut [], &mut []], true);
    }

    fn smooth_gradient(&mut self, x: &[f64], y: &[f64], gy: &mut [f64]) -> f64 {
        self.gradients(Quantity::SmoothGradient, [x, y], [gy, &mut []], true)
    }

    fn smooth_gradient_only(&mut self, x: &[f64], y: &[f64], gy: &mut [f64]) -> f64 {
        self.gradients(Quantity::SmoothGradient, [x, y], [gy, &mut []], false)
    }

    fn smooth_hessian(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64]) {
        let vectors = [Some(x), Some(y), None, Some(v)];
        self.evaluate(Quantity::SmoothHessian, vectors, [hv, &mut [], &mut []], true);
    }

    fn proximal_weights(&mut self, x: &[f64], y: &[f64], out: &mut [f64]) {
        let vectors = [Some(x), Some(y), None, None];
        self.evaluate(Quantity::ProximalWeights, vectors, [out, &mut [], &mut []], true);
    }

    fn upper_value(&mut self, x: &[f64], y: &[f64]) -> f64 {
        self.value(Quantity::UpperValue, x, y)
    }

    fn upper_gradients(&mut self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        self.gradients(Quantity::UpperGradients, [x, y], [gx, gy], true)
    }

    fn upper_gradients_only(&mut self, x: &[f64], y: &[f64], gx: &mut [f64], gy: &mut [f64]) -> f64 {
        self.gradients(Quantity::UpperGradients, [x, y], [gx, gy], false)
    }

    fn upper_second_order(&mut self, x: &[f64], y: &[f64], v: &[f64], hv: &mut [f64], xv: &mut [f64]) {
        let vectors = [Some(x), Some(y), None, Some(v)];
        self.evaluate(Quantity::UpperSecondOrder, vectors, [hv, xv, &mut []], true);
    }

    fn set_data(&mut self, name: &str, values: &[f64]) {
        match &mut self.inner {
            Inner::Single(plan) => plan.set_data(name, values),
            Inner::Double(plan) => plan.set_data(name, values),
        }
    }

    fn renew(&mut self) {
        match &mut self.inner {
            Inner::Single(plan) => plan.renew(),
            Inner::Double(plan) => plan.renew(),
        }
    }

    fn select(&mut self, sum: usize, rows: &[i64], weight: f64) {
        match &mut self.inner {
            Inner::Single(plan) => plan.select(sum, rows, weight),
            Inner::Double(plan) => plan.select(sum, rows, weight),
        }
    }

    fn reports(&mut self, x: &[f64], y: &[f64], out: &mut [f64]) {
        let vectors = [Some(x), Some(y), None, None];
        self.evaluate(Quantity::Reports, vectors, [out, &mut [], &mut []], true);
    }
}
