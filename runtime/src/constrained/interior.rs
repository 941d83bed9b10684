//! A primal–dual interior-point method for `min F(v)` subject to rows `r(v) = 0` or `r(v) <= 0` and bounds, F and r twice
//! differentiable.
//!
//! Inequalities get slacks `r + t = 0, t >= 0`. For a falling sequence of barriers `μ` every step solves
//! `[H + Σ + δ  Jᵀ; J  −E] [dv; du] = −[∇F + Jᵀu − μ/(v − lo) + μ/(hi − v); r + t + …]` with the exact Hessian `H` of the Lagrangian,
//! `Σ` from the multipliers of the bounds and `E` from those of the slacks; `δ` grows until the matrix has the inertia of a
//! descent direction. Steps stay off the bounds by a fraction and are accepted by a filter; a first trial that violates the rows more is
//! corrected to second order. `μ` falls once the conditions hold to `10 μ`, at the end with superlinear speed. Where no step is
//! accepted, the violation alone is minimised near the point by the same method; a minimum of it that is not zero ends the run as
//! infeasible. A point that runs away while the objective falls ends it as unbounded. Objective and rows are scaled to gradients of
//! at most 100 at the start.
//!
//! Cost per step: the products of [`super::structure`], an LBLᵀ factorisation (more where `δ` has to grow), an evaluation per trial.
//! Memory: the matrix and a few vectors, allocated once per run.
//!
//! Not guaranteed: a global minimum, or that an infeasible end means more than a local minimum of the violation.
//!
//! Source: A. Wächter, L. T. Biegler, "On the implementation of an interior-point filter line-search algorithm for large-scale nonlinear
//! programming", Math. Programming 106 (2006), algorithms A and IC, with the constants given there unless noted.

mod restore;
mod start;
mod step;

use super::bounds::Bounds;
use super::filter::Filter;
use super::nlp::Nlp;
use super::program::{Pattern, Program};
use super::system::System;
use crate::linear::blas1::largest;

/// Bounds and inequalities are met to this, relative to 1 and to the bound, so that a feasible set without interior has one.
const ROOM: f64 = 1e-8;
/// Inequalities, and bounds that may be left on the way, are met to this many barriers: where there is no interior the multipliers
/// would grow beyond all bounds otherwise.
const SHIFT: f64 = 1.0;
/// The conditions hold to this many barriers when the barrier falls.
const SUBPROBLEM: f64 = 10.0;
/// How the barrier falls.
const FALL: (f64, f64) = (0.2, 1.5);
/// Conditions that hold to this are good enough where so many steps make nothing better: without an interior the last digits are out
/// of reach.
const ACCEPTABLE: f64 = 1e-5;
const PATIENCE: usize = 5;
/// The regularisation of rows, so that dependent ones do no harm.
const ROWS: f64 = 1e-10;
/// Runs for a point of less violation.
const RESTORATIONS: usize = 4;
/// A point this much larger than the start has run away.
const FAR: f64 = 1e9;
/// An objective that fell by this much, relative to the start, falls for ever.
const DEEP: f64 = 1e10;
/// Multipliers are scaled down when their mean is above this.
const MEAN: f64 = 100.0;

/// What a run aims at and may spend.
#[derive(Clone, Copy, Debug)]
pub struct Aim {
    /// To which the (scaled) conditions hold at the end.
    pub tolerance: f64,
    /// The first barrier.
    pub barrier: f64,
    /// How far, relative, the start is moved off its bounds.
    pub push: f64,
    /// Steps.
    pub steps: usize,
    /// Ends the run once the objective is below.
    pub goal: f64,
    /// Variables from here on may leave their bounds on the way: nothing is undefined outside.
    pub loose_from: usize,
}

impl Aim {
    /// From a start that is as good as any other.
    pub fn cold(tolerance: f64) -> Self {
        Aim {
            tolerance,
            barrier: 0.1,
            push: 1e-2,
            steps: 200,
            goal: f64::NEG_INFINITY,
            loose_from: usize::MAX,
        }
    }

    /// From a start near the solution.
    pub fn warm(tolerance: f64) -> Self {
        Aim { barrier: 1e-4, push: 1e-4, ..Aim::cold(tolerance) }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The conditions hold.
    Solved,
    /// The violation has a local minimum that is not zero.
    Infeasible,
    /// The objective falls along feasible points that run away.
    Unbounded,
    /// All steps were taken.
    Steps,
    /// It was told to stop.
    Stopped,
    /// No step was accepted, or something was not finite.
    Failed,
}

/// What a run reached.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// How it ended.
    pub end: End,
    /// `F`.
    pub objective: f64,
    /// The largest violation of a row.
    pub violation: f64,
    /// The largest element of the gradient of the Lagrangian, relative to `max(1, ‖∇F‖∞)` at the start.
    pub stationarity: f64,
    /// Steps taken.
    pub steps: usize,
}

/// Multipliers of rows and bounds.
#[derive(Clone, Debug, Default)]
pub struct Duals {
    /// Of the rows.
    pub rows: Vec<f64>,
    /// Of lower bounds.
    pub low: Vec<f64>,
    /// Of upper bounds.
    pub high: Vec<f64>,
}

/// Solves from `v`, which is moved into the bounds, and from the multipliers of the rows in `duals` when there are as many as rows;
/// both are the result. `stop` is asked before every step.
pub fn solve(
    program: &mut dyn Program,
    bounds: &Bounds,
    v: &mut [f64],
    duals: &mut Duals,
    aim: Aim,
    stop: &mut dyn FnMut(&Nlp) -> bool,
) -> Reached {
    bounds.project(v);
    let mut run = Interior::new(program, bounds, v, aim);
    let reached = if run.begin(duals) { run.run(stop) } else { run.reached(End::Failed, 0) };
    v.copy_from_slice(&run.v);
    bounds.project(v);
    let unscaled = |u: &f64| u / run.objective_scale;
    duals.rows = run.u.iter().zip(&run.scale).map(|(u, s)| u * s / run.objective_scale).collect();
    duals.low = run.low.iter().map(unscaled).collect();
    duals.high = run.high.iter().map(unscaled).collect();
    reached
}

struct Interior<'a> {
    program: &'a mut dyn Program,
    /// The bounds as given and in force.
    given: &'a Bounds,
    bounds: Bounds,
    aim: Aim,
    equal: Vec<bool>,
    held: Vec<bool>,
    pattern: Pattern,
    system: System,
    /// Scales of the objective and the rows.
    objective_scale: f64,
    scale: Vec<f64>,
    barrier: f64,
    /// Variables and slacks.
    v: Vec<f64>,
    t: Vec<f64>,
    /// Multipliers of rows, bounds and slacks.
    u: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
    of_slack: Vec<f64>,
    /// Objective (as given), its scaled gradient and the scaled rows without slacks.
    value: f64,
    gradient: Vec<f64>,
    rows: Vec<f64>,
    trial: Trial,
    h: Vec<f64>,
    j: Vec<f64>,
    /// The step.
    dv: Vec<f64>,
    dt: Vec<f64>,
    du: Vec<f64>,
    dlow: Vec<f64>,
    dhigh: Vec<f64>,
    dslack: Vec<f64>,
    /// Work: what the linearised rows are to make up for, a diagonal per variable and per row, the gradient of the Lagrangian.
    off: Vec<f64>,
    d: Vec<f64>,
    e: Vec<f64>,
    dual: Vec<f64>,
    unscaled: Vec<f64>,
    regular: f64,
    filter: Filter,
    best: Best,
    start_size: f64,
    start_value: f64,
}

/// The point at which the conditions hold best, with its multipliers.
struct Best {
    error: f64,
    /// Steps since.
    age: usize,
    value: f64,
    v: Vec<f64>,
    u: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
    dual: Vec<f64>,
    /// Without room.
    rows: Vec<f64>,
}

/// A point that is tried.
struct Trial {
    v: Vec<f64>,
    t: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    rows: Vec<f64>,
}

impl<'a> Interior<'a> {
    fn new(program: &'a mut dyn Program, bounds: &'a Bounds, v: &[f64], aim: Aim) -> Self {
        let (n, equal) = (program.variables(), program.equal().to_vec());
        let m = equal.len();
        let held = bounds.held();
        let pattern = program.pattern();
        let system = System::new(&held, m, &pattern.hessian, &pattern.jacobian);
        let (vars, rows) = (|| vec![0.0; n], || vec![0.0; m]);
        Interior {
            given: bounds,
            bounds: bounds.wider(ROOM),
            aim,
            equal,
            held,
            system,
            objective_scale: 1.0,
            scale: vec![1.0; m],
            barrier: aim.barrier,
            v: v.to_vec(),
            t: rows(),
            u: rows(),
            low: vars(),
            high: vars(),
            of_slack: rows(),
            value: f64::NAN,
            gradient: vars(),
            rows: rows(),
            trial: Trial { v: vars(), t: rows(), value: f64::NAN, gradient: vars(), rows: rows() },
            h: vec![0.0; pattern.hessian.len()],
            j: vec![0.0; pattern.jacobian.len()],
            dv: vars(),
            dt: rows(),
            du: rows(),
            dlow: vars(),
            dhigh: vars(),
            dslack: rows(),
            off: rows(),
            d: vars(),
            e: rows(),
            dual: vars(),
            unscaled: rows(),
            regular: 0.0,
            filter: Filter::new(0.0),
            best: Best {
                error: f64::INFINITY,
                age: 0,
                value: f64::NAN,
                v: vars(),
                u: rows(),
                low: vars(),
                high: vars(),
                dual: vars(),
                rows: rows(),
            },
            start_size: largest(v),
            start_value: f64::NAN,
            pattern,
            program,
        }
    }

    /// Second derivatives at the point, scaled.
    fn second(&mut self) {
        for ((w, u), s) in self.unscaled.iter_mut().zip(&self.u).zip(&self.scale) {
            *w = u * s;
        }
        let Self { program, v, objective_scale, unscaled, h, j, .. } = self;
        if !program.second(v, *objective_scale, unscaled, h, j) {
            self.pattern = self.program.pattern();
            let Pattern { hessian, jacobian } = &self.pattern;
            self.system = System::new(&self.held, self.u.len(), hessian, jacobian);
        }
        self.j.iter_mut().zip(&self.pattern.jacobian).for_each(|(j, &(row, _))| *j *= self.scale[row]);
    }

    fn run(&mut self, stop: &mut dyn FnMut(&Nlp) -> bool) -> Reached {
        let mut restored = 0;
        for step in 0..self.aim.steps {
            if stop(self.program.nlp()) {
                return self.reached(End::Stopped, step);
            }
            self.second();
            self.lagrangian();
            let error = self.error(0.0);
            if error <= self.aim.tolerance || self.value < self.aim.goal {
                return self.reached(End::Solved, step);
            }
            if error < self.best.error {
                self.keep(error);
            }
            self.best.age += 1;
            if self.best.age > PATIENCE && self.best.error <= ACCEPTABLE {
                return self.settle(step);
            }
            if let Some(end) = self.lost() {
                return self.reached(end, step);
            }
            while self.barrier > self.least() && self.error(self.barrier) <= SUBPROBLEM * self.barrier {
                self.lower_barrier();
            }
            if self.advance() {
                continue;
            }
            // Without a step that is accepted, less violation is looked for, unless there is none to speak of.
            if self.best.error <= ACCEPTABLE {
                return self.settle(step);
            }
            if restored == RESTORATIONS || self.aim.goal > f64::NEG_INFINITY {
                return self.reached(End::Failed, step);
            }
            restored += 1;
            match self.restore(stop) {
                None => {}
                Some(end) => return self.reached(end, step),
            }
        }
        self.reached(End::Steps, self.aim.steps)
    }

    /// Remembers the point.
    fn keep(&mut self, error: f64) {
        let Self { best, v, u, low, high, .. } = self;
        (best.error, best.age, best.value) = (error, 0, self.value);
        best.v.copy_from_slice(v);
        best.u.copy_from_slice(u);
        best.low.copy_from_slice(low);
        best.high.copy_from_slice(high);
        best.dual.copy_from_slice(&self.dual);
        for i in 0..best.rows.len() {
            let room = if self.equal[i] { 0.0 } else { (SHIFT * self.barrier).max(ROOM) };
            best.rows[i] = self.rows[i] + room;
        }
    }

    /// Ends the run at the best point met.
    fn settle(&mut self, step: usize) -> Reached {
        let room = self.room();
        self.v.copy_from_slice(&self.best.v);
        self.u.copy_from_slice(&self.best.u);
        self.low.copy_from_slice(&self.best.low);
        self.high.copy_from_slice(&self.best.high);
        self.dual.copy_from_slice(&self.best.dual);
        self.value = self.best.value;
        for i in 0..self.rows.len() {
            self.rows[i] = self.best.rows[i] - if self.equal[i] { 0.0 } else { room };
        }
        self.reached(End::Solved, step)
    }

    fn least(&self) -> f64 {
        0.1 * self.aim.tolerance
    }

    fn lower_barrier(&mut self) {
        self.barrier = self.least().max((FALL.0 * self.barrier).min(self.barrier.powf(FALL.1)));
        self.filter.clear();
        self.put_barrier();
    }

    /// Puts bounds and rows where the barrier says and evaluates.
    fn put_barrier(&mut self) {
        self.program.barrier(self.barrier);
        self.shift();
        self.value = self.program.evaluate(&self.v, &mut self.gradient, &mut self.rows);
        let s = self.objective_scale;
        self.gradient.iter_mut().for_each(|g| *g *= s);
        let room = self.room();
        scale_rows(&mut self.rows, &self.scale, &self.equal, room);
    }

    /// How far inequalities may be violated with the barrier in force.
    fn room(&self) -> f64 {
        (SHIFT * self.barrier).max(ROOM)
    }

    /// In `dual` the gradient of the Lagrangian without the terms of the bounds.
    fn lagrangian(&mut self) {
        self.dual.copy_from_slice(&self.gradient);
        for (&(row, column), value) in self.pattern.jacobian.iter().zip(&self.j) {
            self.dual[column] += value * self.u[row];
        }
    }

    /// How far the conditions of the barrier problem are from holding: Wächter and Biegler's equation (5).
    fn error(&self, barrier: f64) -> f64 {
        let mut bounds = 0.0;
        let mut sum = 0.0;
        let mut count = 0.0;
        let mut stationarity = 0.0_f64;
        let mut centrality = 0.0_f64;
        for i in (0..self.v.len()).filter(|&i| !self.held[i]) {
            let (below, above) = self.distances(i);
            stationarity = stationarity.max((self.dual[i] - self.low[i] + self.high[i]).abs());
            for (distance, multiplier) in [(below, self.low[i]), (above, self.high[i])] {
                if distance.is_finite() {
                    centrality = centrality.max((distance * multiplier - barrier).abs());
                    bounds += multiplier;
                    count += 1.0;
                }
            }
        }
        let mut violation = 0.0_f64;
        for i in 0..self.u.len() {
            sum += self.u[i].abs();
            if self.equal[i] {
                violation = violation.max(self.rows[i].abs());
                continue;
            }
            violation = violation.max((self.rows[i] + self.t[i]).abs());
            stationarity = stationarity.max((self.u[i] - self.of_slack[i]).abs());
            centrality = centrality.max((self.t[i] * self.of_slack[i] - barrier).abs());
            bounds += self.of_slack[i];
            count += 1.0;
        }
        let scale = |sum: f64, count: f64| (sum / f64::max(count, 1.0)).max(MEAN) / MEAN;
        (stationarity / scale(sum + bounds, count + self.u.len() as f64))
            .max(centrality / scale(bounds, count))
            .max(violation)
    }

    /// Whether the point has run away.
    fn lost(&self) -> Option<End> {
        let size = largest(&self.v);
        let feasible = self.violation() <= 1e-6 * size.max(1.0);
        let fallen = (self.start_value - self.value) / self.start_value.abs().max(1.0);
        let far = size > FAR * (1.0 + self.start_size);
        if feasible && (fallen > DEEP || far && fallen > 1e4) {
            return Some(End::Unbounded);
        }
        (size > 1e4 * FAR * (1.0 + self.start_size)).then_some(End::Failed)
    }

    /// The 1-norm of the violation at the point.
    fn violation(&self) -> f64 {
        violation(&self.equal, &self.rows, &self.t)
    }

    /// A row as it was given.
    fn row(&self, i: usize) -> f64 {
        let room = if self.equal[i] { 0.0 } else { self.room() };
        (self.rows[i] + room) / self.scale[i]
    }

    fn reached(&self, end: End, steps: usize) -> Reached {
        let mut off = 0.0_f64;
        for i in 0..self.rows.len() {
            let row = self.row(i);
            off = off.max(if self.equal[i] { row.abs() } else { row.max(0.0) });
        }
        let of = |i: usize| (self.dual[i] - self.low[i] + self.high[i]).abs();
        let stationarity = (0..self.v.len()).filter(|&i| !self.held[i]).map(of).fold(0.0, f64::max);
        let started = end != End::Failed || steps > 0;
        Reached {
            end,
            objective: self.value,
            violation: off,
            stationarity: if started { stationarity } else { f64::INFINITY },
            steps,
        }
    }
}

/// `v` moved off its bounds.
fn inside(v: f64, lo: f64, hi: f64, push: f64) -> f64 {
    if lo >= hi {
        return lo;
    }
    let room = push * (hi - lo);
    let below = if lo.is_finite() { lo + (push * lo.abs().max(1.0)).min(room) } else { lo };
    let above = if hi.is_finite() { hi - (push * hi.abs().max(1.0)).min(room) } else { hi };
    v.max(below).min(above)
}

/// Scales rows, and gives inequalities some room.
fn scale_rows(rows: &mut [f64], scale: &[f64], equal: &[bool], room: f64) {
    for ((row, s), equal) in rows.iter_mut().zip(scale).zip(equal) {
        *row = *row * s - if *equal { 0.0 } else { room };
    }
}

/// The 1-norm of `r`, or of `r + t` for inequalities.
fn violation(equal: &[bool], rows: &[f64], t: &[f64]) -> f64 {
    rows.iter().zip(t).zip(equal).map(|((r, t), equal)| if *equal { r.abs() } else { (r + t).abs() }).sum()
}
