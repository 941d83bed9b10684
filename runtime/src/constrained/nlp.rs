//! A smooth program with bounds, `min F(v)` subject to rows `r(v) = 0` or `r(v) <= 0`, given by compiled derivatives of its
//! Lagrangian `L = F + w · r`. The weights `w`, behind parameters `p`, are the upper vector of the derivatives and `v` the
//! lower one: then `∇_w L` are the rows, `∇²_vw L` is their Jacobian and `∇²_vv L` the Hessian of the Lagrangian, so that no
//! quantity of its own is needed.

use std::cell::Cell;

use super::bounds::Bounds;
use super::program::Pattern;
use super::structure::Structure;
use crate::derivatives::{Derivatives, Quantity};
use crate::frozen::ThawError;
use crate::frozen::wire::{Reader, Wire, Writer};
use crate::linear::blas1::{all_finite, largest};
use crate::linear::power::seeded;
use crate::problem::Problem;
use crate::space::{Domain, Space, end};

/// The quantities its derivatives evaluate.
pub const NEEDS: [Quantity; 3] = [Quantity::LowerGradients, Quantity::LowerSecondOrder, Quantity::LowerCross];

/// The program.
pub struct Nlp {
    derivatives: Box<dyn Derivatives>,
    /// `(p, w)`.
    outer: Vec<f64>,
    outer_gradient: Vec<f64>,
    parameters: usize,
    /// Per row, whether it is an equality.
    pub equal: Vec<bool>,
    /// Lower bounds.
    pub lo: Vec<f64>,
    /// Upper bounds.
    pub hi: Vec<f64>,
    /// The start, within the bounds.
    pub start: Vec<f64>,
    /// Evaluations, Hessian products and products with the transposed Jacobian since they were last asked for.
    calls: Cell<[u64; 3]>,
    /// Operations of all evaluations so far.
    spent: Cell<f64>,
    /// Where the second derivatives have entries, once that was asked for.
    structure: Option<Box<Structure>>,
}

impl Wire for Nlp {
    fn put(&self, to: &mut Writer) {
        let Nlp { derivatives, outer, parameters, equal, lo, hi, start, .. } = self;
        derivatives.put(to);
        (outer.len(), *parameters).put(to);
        equal.put(to);
        lo.put(to);
        hi.put(to);
        start.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, ThawError> {
        let derivatives = Wire::get(from)?;
        let (len, parameters): (usize, usize) = Wire::get(from)?;
        Ok(Nlp {
            derivatives,
            outer: vec![0.0; len],
            outer_gradient: vec![0.0; len],
            parameters,
            equal: Wire::get(from)?,
            lo: Wire::get(from)?,
            hi: Wire::get(from)?,
            start: Wire::get(from)?,
            calls: Cell::new([0; 3]),
            spent: Cell::new(0.0),
            structure: None,
        })
    }
}

impl Nlp {
    /// `space`: of `v`, free and interval blocks only. `equal`: one entry per row; the upper vector holds `parameters`
    /// numbers in front of the weights.
    ///
    /// # Panics
    /// When lengths differ, or a block has another domain.
    pub fn new(
        derivatives: Box<dyn Derivatives>,
        space: &Space,
        equal: Vec<bool>,
        parameters: usize,
    ) -> Self {
        assert_eq!(derivatives.lower_len(), space.len(), "space and derivatives disagree");
        assert_eq!(derivatives.upper_len(), parameters + equal.len(), "weights and rows disagree");
        let (lo, hi) = bounds(space);
        Nlp {
            outer: vec![0.0; parameters + equal.len()],
            outer_gradient: vec![0.0; parameters + equal.len()],
            parameters,
            equal,
            lo,
            hi,
            start: space.start(),
            derivatives,
            calls: Cell::new([0; 3]),
            spent: Cell::new(0.0),
            structure: None,
        }
    }

    /// The number of variables.
    pub fn len(&self) -> usize {
        self.lo.len()
    }

    /// Whether there are no variables.
    pub fn is_empty(&self) -> bool {
        self.lo.is_empty()
    }

    /// The program itself.
    pub(crate) fn derivatives(&mut self) -> &mut dyn Derivatives {
        &mut *self.derivatives
    }

    /// Forgets what was found out about its derivatives.
    pub(crate) fn forget(&mut self) {
        self.structure = None;
    }

    /// Sets the parameters.
    pub fn set_parameters(&mut self, p: &[f64]) {
        self.outer[..self.parameters].copy_from_slice(p);
    }

    /// The parameters.
    pub fn parameters(&self) -> &[f64] {
        &self.outer[..self.parameters]
    }

    /// Row and column of every entry of the Hessian of the Lagrangian (its lower triangle) and of the Jacobian.
    pub fn pattern(&mut self) -> Pattern {
        let structure = self.take_structure();
        let pattern = structure.pattern.clone();
        self.structure = Some(structure);
        pattern
    }

    /// In `h` and `j` the values of the entries of [`Nlp::pattern`] at `v` with weights `w`. False when the pattern was found to be
    /// another; the values are then those of the new one.
    pub fn second(&mut self, v: &[f64], w: &[f64], h: &mut Vec<f64>, j: &mut Vec<f64>) -> bool {
        let mut structure = self.take_structure();
        let kept = structure.evaluate(self, v, w, h, j);
        self.structure = Some(structure);
        kept
    }

    /// Makes what is known of the second derivatives what it is when they are first asked for at parameters `p`: always, or only where
    /// it was found to be wrong since.
    pub(crate) fn learn_at(&mut self, p: &[f64], always: bool) {
        if always || self.structure.as_ref().is_none_or(|structure| structure.was_wrong()) {
            self.set_parameters(p);
            self.structure = Some(Box::new(Structure::learn(self)));
        }
    }

    fn take_structure(&mut self) -> Box<Structure> {
        match self.structure.take() {
            Some(structure) => structure,
            None => Box::new(Structure::learn(self)),
        }
    }

    /// `L(v, w)`, in `g` its gradient by `v` and in `r` the rows.
    pub fn evaluate(&mut self, v: &[f64], w: &[f64], g: &mut [f64], r: &mut [f64]) -> f64 {
        self.count(0);
        self.outer[self.parameters..].copy_from_slice(w);
        let value = self.derivatives.lower_gradients(&self.outer, v, &mut self.outer_gradient, g);
        r.copy_from_slice(&self.outer_gradient[self.parameters..]);
        value
    }

    /// `F(v)`.
    pub fn objective(&mut self, v: &[f64]) -> f64 {
        let (mut g, mut rows) = (vec![0.0; self.len()], vec![0.0; self.equal.len()]);
        self.evaluate(v, &vec![0.0; self.equal.len()], &mut g, &mut rows)
    }

    /// As [`Nlp::evaluate`], and in `gp` the gradient of `L` by the parameters.
    pub fn evaluate_fully(
        &mut self,
        v: &[f64],
        w: &[f64],
        gp: &mut [f64],
        g: &mut [f64],
        r: &mut [f64],
    ) -> f64 {
        let value = self.evaluate(v, w, g, r);
        gp.copy_from_slice(&self.outer_gradient[..self.parameters]);
        value
    }

    /// In `hd` the Hessian of the Lagrangian times `d`, in `jd` the Jacobian of the rows times `d`.
    pub fn product(&mut self, v: &[f64], w: &[f64], d: &[f64], hd: &mut [f64], jd: &mut [f64]) {
        self.count(1);
        self.outer[self.parameters..].copy_from_slice(w);
        let Self { derivatives, outer, outer_gradient, .. } = self;
        derivatives.lower_second_order(outer, v, d, hd, outer_gradient);
        jd.copy_from_slice(&self.outer_gradient[self.parameters..]);
    }

    /// In `out` the derivative by `v` of the Lagrangian's gradient by the parameters, times `d`: `∇²pv L d`.
    pub fn product_by_parameters(&mut self, v: &[f64], w: &[f64], d: &[f64], out: &mut [f64]) {
        let mut hd = vec![0.0; v.len()];
        let mut jd = vec![0.0; w.len()];
        self.product(v, w, d, &mut hd, &mut jd);
        out.copy_from_slice(&self.outer_gradient[..self.parameters]);
    }

    /// In `out` the derivative of the Lagrangian's gradient by `v` along a change `dp` of the parameters: `∇²vp L dp`.
    pub fn cross(&mut self, v: &[f64], w: &[f64], dp: &[f64], out: &mut [f64]) {
        self.count(2);
        self.outer[self.parameters..].copy_from_slice(w);
        self.outer_gradient.fill(0.0);
        self.outer_gradient[..self.parameters].copy_from_slice(dp);
        self.derivatives.lower_cross(&self.outer, v, &self.outer_gradient, out);
    }

    /// In `out` the transposed Jacobian of the rows at `v` times `u`.
    pub fn transposed(&mut self, v: &[f64], u: &[f64], out: &mut [f64]) {
        self.count(2);
        self.outer_gradient.fill(0.0);
        self.outer_gradient[self.parameters..].copy_from_slice(u);
        self.derivatives.lower_cross(&self.outer, v, &self.outer_gradient, out);
    }

    fn count(&self, quantity: usize) {
        let mut calls = self.calls.get();
        calls[quantity] += 1;
        self.calls.set(calls);
        self.spent.set(self.spent.get() + self.derivatives.work(NEEDS[quantity]));
    }

    /// Operations on numbers of all evaluations so far, as counted when the program was compiled: a measure of time that is the same in
    /// every run.
    pub fn spent(&self) -> f64 {
        self.spent.get()
    }

    /// How often each of [`NEEDS`] was evaluated since this was last asked.
    pub fn take_calls(&self) -> [u64; 3] {
        self.calls.take()
    }

    /// `max(1, ‖∇F‖∞)` at `v`.
    pub fn gradient_size(&mut self, v: &[f64]) -> f64 {
        let (mut g, mut rows) = (vec![0.0; v.len()], vec![0.0; self.equal.len()]);
        self.evaluate(v, &vec![0.0; rows.len()], &mut g, &mut rows);
        let size = largest(&g).max(1.0);
        if size.is_finite() { size } else { 1.0 }
    }

    /// A point drawn within the bounds; where a bound is infinite, at distances up to 1, 10 or 100, by the seed.
    pub fn drawn(&self, seed: u64) -> Vec<f64> {
        let reach = [1.0, 10.0, 100.0][(seed % 3) as usize];
        let place = |(i, u): (usize, f64)| {
            let (lo, hi) = (self.lo[i], self.hi[i]);
            match (lo.is_finite(), hi.is_finite()) {
                (true, true) => lo + 0.5 * (u + 1.0) * (hi - lo),
                (true, false) => lo + reach * u.abs(),
                (false, true) => hi - reach * u.abs(),
                (false, false) => self.start[i] + reach * u,
            }
        };
        seeded(self.len(), seed).into_iter().enumerate().map(place).collect()
    }

    /// The start, or, where objective and rows are not finite there, a drawn point where they are.
    pub fn somewhere(&mut self) -> Vec<f64> {
        let (mut g, mut rows) = (vec![0.0; self.len()], vec![0.0; self.equal.len()]);
        let none = vec![0.0; rows.len()];
        for seed in 0..20 {
            let v = if seed == 0 { self.start.clone() } else { self.drawn(seed) };
            let value = self.evaluate(&v, &none, &mut g, &mut rows);
            if value.is_finite() && all_finite(&g) && all_finite(&rows) {
                return v;
            }
        }
        self.start.clone()
    }

    /// The bounds of the variables.
    pub fn bounds(&self) -> Bounds {
        Bounds { lo: self.lo.clone(), hi: self.hi.clone() }
    }

    /// The largest violation among rows.
    pub fn violation(&self, r: &[f64]) -> f64 {
        let off = r.iter().zip(&self.equal).map(|(r, equal)| if *equal { r.abs() } else { r.max(0.0) });
        off.fold(0.0, |all: f64, one| if one.is_nan() { f64::INFINITY } else { all.max(one) })
    }
}

/// Counts the evaluations of a program as those of the problem.
pub(crate) fn count(problem: &mut Problem, nlp: &Nlp) {
    for (quantity, n) in NEEDS.into_iter().zip(nlp.take_calls()) {
        problem.count(quantity, n);
    }
}

/// The bounds of every element.
fn bounds(space: &Space) -> (Vec<f64>, Vec<f64>) {
    let (mut low, mut high) = (Vec::new(), Vec::new());
    for block in space.blocks() {
        for i in 0..block.len {
            let (a, b) = match &block.domain {
                Domain::Free => (f64::NEG_INFINITY, f64::INFINITY),
                Domain::Interval { lo, hi } => (end(lo, i), end(hi, i)),
                Domain::Simplex | Domain::Ball(_) => panic!("`{}` is not in a box", block.name),
            };
            low.push(a);
            high.push(b);
        }
    }
    (low, high)
}
