//! How the directions of an iteration are estimated: on a batch of each level; by SAGA tables (Defazio, Bach, Lacoste-Julien, 2014,
//! arXiv 1407.0202); by the SPIDER recursion (Fang, Li, Lin, Zhang, 2018, arXiv 1807.01695). Directions are `(∇y f, H v − ∇y F,
//! ∇x F − ∇²xy f · v)`, one vector after another.

use super::oracle::{At, Oracle};
use crate::linear::blas1::axpy;
use crate::problem::Problem;
use crate::samples::Side;
use crate::state::State;

/// Estimates the directions at the current iterate.
pub(super) trait Estimator {
    /// In `out` the directions at `at` in iteration `k`.
    fn estimate(&mut self, oracle: &mut Oracle, problem: &mut Problem, at: At<'_>, k: usize, out: &mut [f64]);

    /// Its memory.
    fn state(&mut self, _: &mut dyn State) {}

    /// The bytes of its tables.
    fn bytes(&self) -> usize {
        0
    }
}

/// A batch of each level.
pub(super) struct Minibatch {
    upper: Vec<f64>,
}

impl Minibatch {
    pub(super) fn new(oracle: &Oracle) -> Self {
        Minibatch { upper: vec![0.0; oracle.upper_len()] }
    }
}

impl Estimator for Minibatch {
    fn estimate(
        &mut self,
        oracle: &mut Oracle,
        problem: &mut Problem,
        at: At<'_>,
        _: usize,
        out: &mut [f64],
    ) {
        let batches = oracle.draw();
        oracle.lower(problem, batches, at, out);
        oracle.upper(problem, batches, at, &mut self.upper);
        oracle.add_upper(&self.upper, out);
    }
}

/// For every batch of each level the directions when it was drawn last: `new − old + mean`. The tables are filled at the first
/// iterate, which is a pass over the data.
pub(super) struct Saga {
    lower: Table,
    upper: Table,
    filled: bool,
    bytes: usize,
}

/// A table of a level.
struct Table {
    rows: Vec<f64>,
    mean: Vec<f64>,
    new: Vec<f64>,
}

impl Table {
    fn new(batches: usize, len: usize) -> Self {
        Table { rows: vec![0.0; batches * len], mean: vec![0.0; len], new: vec![0.0; len] }
    }

    /// Fills a row with what is in `new`.
    fn fill(&mut self, batch: usize, batches: usize) {
        axpy(1.0 / batches as f64, &self.new, &mut self.mean);
        let Table { rows, new, .. } = self;
        rows[batch * new.len()..(batch + 1) * new.len()].copy_from_slice(new);
    }

    /// Puts what is in `new` into a row; in `new` is then the estimate.
    fn replace(&mut self, batch: usize, batches: usize) {
        let share = 1.0 / batches as f64;
        let len = self.new.len();
        let Table { rows, mean, new } = self;
        for ((old, mean), new) in rows[batch * len..(batch + 1) * len].iter_mut().zip(mean).zip(new) {
            let change = *new - *old;
            *old = *new;
            *new = change + *mean;
            *mean += share * change;
        }
    }
}

impl Saga {
    /// Where the tables need more than `memory` bytes they are not made, and the estimator must not be used.
    pub(super) fn new(oracle: &Oracle, memory: usize) -> Self {
        let cells = |side, len: usize| oracle.batches(side).saturating_mul(len);
        let bytes = cells(Side::Lower, oracle.lower_len())
            .saturating_add(cells(Side::Upper, oracle.upper_len()))
            .saturating_mul(size_of::<f64>());
        let table = |side, len| Table::new(if bytes > memory { 0 } else { oracle.batches(side) }, len);
        Saga {
            lower: table(Side::Lower, oracle.lower_len()),
            upper: table(Side::Upper, oracle.upper_len()),
            filled: false,
            bytes,
        }
    }

    fn fill(&mut self, oracle: &mut Oracle, problem: &mut Problem, at: At<'_>) {
        for batch in 0..oracle.batches(Side::Lower) {
            oracle.lower(problem, [batch, 0], at, &mut self.lower.new);
            self.lower.fill(batch, oracle.batches(Side::Lower));
        }
        for batch in 0..oracle.batches(Side::Upper) {
            oracle.upper(problem, [0, batch], at, &mut self.upper.new);
            self.upper.fill(batch, oracle.batches(Side::Upper));
        }
        self.filled = true;
    }
}

impl Estimator for Saga {
    fn estimate(
        &mut self,
        oracle: &mut Oracle,
        problem: &mut Problem,
        at: At<'_>,
        _: usize,
        out: &mut [f64],
    ) {
        if !self.filled {
            self.fill(oracle, problem, at);
            out.copy_from_slice(&self.lower.mean);
            oracle.add_upper(&self.upper.mean, out);
            return;
        }
        let batches = oracle.draw();
        oracle.lower(problem, batches, at, &mut self.lower.new);
        self.lower.replace(batches[0], oracle.batches(Side::Lower));
        oracle.upper(problem, batches, at, &mut self.upper.new);
        self.upper.replace(batches[1], oracle.batches(Side::Upper));
        out.copy_from_slice(&self.lower.new);
        oracle.add_upper(&self.upper.new, out);
    }

    fn state(&mut self, state: &mut dyn State) {
        for Table { rows, mean, .. } in [&mut self.lower, &mut self.upper] {
            state.numbers(rows);
            state.numbers(mean);
        }
        state.flag(&mut self.filled);
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Full directions every `period` iterations; in between the last estimate and its change on a batch.
pub(super) struct Spider {
    period: usize,
    direction: Vec<f64>,
    before: Before,
    work: Vec<f64>,
    upper: Vec<f64>,
}

/// The last iterate.
struct Before {
    x: Vec<f64>,
    y: Vec<f64>,
    v: Vec<f64>,
}

impl Spider {
    pub(super) fn new(oracle: &Oracle, period: usize, at: At<'_>) -> Self {
        Spider {
            period: period.max(1),
            direction: vec![0.0; oracle.lower_len()],
            before: Before { x: at.x.to_vec(), y: at.y.to_vec(), v: at.v.to_vec() },
            work: vec![0.0; oracle.lower_len()],
            upper: vec![0.0; oracle.upper_len()],
        }
    }
}

impl Estimator for Spider {
    fn estimate(
        &mut self,
        oracle: &mut Oracle,
        problem: &mut Problem,
        at: At<'_>,
        k: usize,
        out: &mut [f64],
    ) {
        let Spider { direction, before, work, upper, .. } = self;
        if k.is_multiple_of(self.period) {
            oracle.full(problem, at, upper, direction);
        } else {
            let batches = oracle.draw();
            let old = At { x: &before.x, y: &before.y, v: &before.v };
            for (at, sign) in [(at, 1.0), (old, -1.0)] {
                oracle.lower(problem, batches, at, work);
                oracle.upper(problem, batches, at, upper);
                oracle.add_upper(upper, work);
                axpy(sign, work, direction);
            }
        }
        before.x.copy_from_slice(at.x);
        before.y.copy_from_slice(at.y);
        before.v.copy_from_slice(at.v);
        out.copy_from_slice(direction);
    }

    fn state(&mut self, state: &mut dyn State) {
        let Before { x, y, v } = &mut self.before;
        for values in [x, y, v, &mut self.direction] {
            state.numbers(values);
        }
    }
}
