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

use super::bounds::Bounds;
use super::filter::{Filter, Measure};
use super::nlp::Nlp;
use super::program::{Elastic, Pattern, Program};
use super::system::System;
use crate::linear::blas1::largest;

/// The conditions hold to this many barriers when the barrier falls.
const SUBPROBLEM: f64 = 10.0;
/// How the barrier falls.
const FALL: (f64, f64) = (0.2, 1.5);
/// The regularisation of rows, so that dependent ones do no harm.
const ROWS: f64 = 1e-10;
/// Weight, in barriers, that keeps variables with one bound from running away.
const DAMPING: f64 = 1e-5;
/// Halvings of a step.
const HALVINGS: usize = 30;
/// Runs for a point of less violation.
const RESTORATIONS: usize = 4;
/// A point this much larger than the start has run away.
const FAR: f64 = 1e9;
/// A multiplier times its distance stays within this factor of the barrier.
const CENTRED: f64 = 1e10;
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
}

impl Aim {
    /// From a start that is as good as any other.
    pub fn cold(tolerance: f64) -> Self {
        Aim { tolerance, barrier: 0.1, push: 1e-2, steps: 200, goal: f64::NEG_INFINITY }
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
    let unscaled = |u: &f64| u / run.objective_scale;
    duals.rows = run.u.iter().zip(&run.scale).map(|(u, s)| u * s / run.objective_scale).collect();
    duals.low = run.low.iter().map(unscaled).collect();
    duals.high = run.high.iter().map(unscaled).collect();
    reached
}

struct Interior<'a> {
    program: &'a mut dyn Program,
    bounds: &'a Bounds,
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
    start_size: f64,
    start_value: f64,
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
        let (n, equal) = (program.len(), program.equal().to_vec());
        let m = equal.len();
        let held = bounds.held();
        let pattern = program.pattern();
        let system = System::new(&held, m, &pattern.hessian, &pattern.jacobian);
        let (vars, rows) = (|| vec![0.0; n], || vec![0.0; m]);
        Interior {
            bounds,
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
            start_size: largest(v),
            start_value: f64::NAN,
            pattern,
            program,
        }
    }

    /// Start values; false when the program cannot be evaluated.
    fn begin(&mut self, duals: &Duals) -> bool {
        self.program.barrier(self.barrier);
        for i in 0..self.v.len() {
            self.v[i] = inside(self.v[i], self.bounds.lo[i], self.bounds.hi[i], self.aim.push);
        }
        self.value = self.program.evaluate(&self.v, &mut self.gradient, &mut self.rows);
        if !self.value.is_finite() || !largest(&self.gradient).is_finite() || !largest(&self.rows).is_finite() {
            return false;
        }
        self.start_value = self.value;
        self.objective_scale = (100.0 / largest(&self.gradient)).clamp(1e-8, 1.0);
        self.second();
        if !self.h.iter().chain(&self.j).all(|value| value.is_finite()) {
            return false;
        }
        for (&(row, _), value) in self.pattern.jacobian.iter().zip(&self.j) {
            self.scale[row] = self.scale[row].min((100.0 / value.abs()).max(1e-8));
        }
        self.j.iter_mut().zip(&self.pattern.jacobian).for_each(|(j, &(row, _))| *j *= self.scale[row]);
        self.gradient.iter_mut().for_each(|g| *g *= self.objective_scale);
        self.rows.iter_mut().zip(&self.scale).for_each(|(row, s)| *row *= s);
        for i in 0..self.rows.len() {
            self.t[i] = if self.equal[i] { 0.0 } else { (-self.rows[i]).max(self.aim.push) };
        }
        self.centre_multipliers();
        if duals.rows.len() == self.u.len() {
            for ((u, given), s) in self.u.iter_mut().zip(&duals.rows).zip(&self.scale) {
                *u = given * self.objective_scale / s;
            }
        } else {
            self.estimate();
        }
        self.filter = Filter::new(self.violation());
        true
    }

    /// Multipliers of bounds and slacks on the central path.
    fn centre_multipliers(&mut self) {
        for i in 0..self.v.len() {
            let (below, above) = self.distances(i);
            self.low[i] = self.barrier / below;
            self.high[i] = self.barrier / above;
        }
        for i in 0..self.t.len() {
            self.of_slack[i] = if self.equal[i] { 0.0 } else { self.barrier / self.t[i] };
        }
    }

    /// The distances of a variable from its bounds; infinite where there is none, and for one that is held.
    fn distances(&self, i: usize) -> (f64, f64) {
        if self.held[i] {
            return (f64::INFINITY, f64::INFINITY);
        }
        (self.v[i] - self.bounds.lo[i], self.bounds.hi[i] - self.v[i])
    }

    /// Least-squares multipliers of the rows; zero when they are large.
    fn estimate(&mut self) {
        self.h.fill(0.0);
        self.d.fill(1.0);
        for i in 0..self.u.len() {
            self.e[i] = if self.equal[i] { ROWS } else { 1.0 };
            self.du[i] = if self.equal[i] { 0.0 } else { -self.of_slack[i] };
        }
        for i in 0..self.v.len() {
            self.dv[i] = -(self.gradient[i] - self.low[i] + self.high[i]);
        }
        self.system.factor(&self.h, &self.j, &self.d, &self.e);
        let found = self.system.solve(&mut self.dv, &mut self.du) && largest(&self.du) <= 1e3;
        for i in 0..self.u.len() {
            let usual = self.of_slack[i];
            self.u[i] = if found { self.du[i] } else { usual };
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
            if self.error(0.0) <= self.aim.tolerance || self.value < self.aim.goal {
                return self.reached(End::Solved, step);
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
            let small = self.error(0.0) <= 1e3 * self.aim.tolerance;
            if small || restored == RESTORATIONS || self.aim.goal > f64::NEG_INFINITY {
                return self.reached(if small { End::Solved } else { End::Failed }, step);
            }
            restored += 1;
            match self.restore(stop) {
                None => {}
                Some(end) => return self.reached(end, step),
            }
        }
        self.reached(End::Steps, self.aim.steps)
    }

    fn least(&self) -> f64 {
        0.1 * self.aim.tolerance
    }

    fn lower_barrier(&mut self) {
        self.barrier = self.least().max((FALL.0 * self.barrier).min(self.barrier.powf(FALL.1)));
        self.filter.clear();
        self.program.barrier(self.barrier);
        self.value = self.program.evaluate(&self.v, &mut self.gradient, &mut self.rows);
        let s = self.objective_scale;
        self.gradient.iter_mut().for_each(|g| *g *= s);
        self.rows.iter_mut().zip(&self.scale).for_each(|(row, s)| *row *= s);
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
        if size <= FAR * (1.0 + self.start_size) {
            return None;
        }
        let feasible = self.violation() <= 1e-6 * size;
        let fallen = self.value < self.start_value - 1e4 * self.start_value.abs().max(1.0);
        if feasible && fallen {
            return Some(End::Unbounded);
        }
        (size > 1e4 * FAR * (1.0 + self.start_size)).then_some(End::Failed)
    }

    /// The 1-norm of the violation at the point.
    fn violation(&self) -> f64 {
        violation(&self.equal, &self.rows, &self.t)
    }

    /// One step; false when none is accepted.
    fn advance(&mut self) -> bool {
        let mut least = 0.0;
        for _ in 0..4 {
            if !self.factorise(least) {
                return false;
            }
            self.residual();
            self.direction();
            if self.search() {
                return true;
            }
            // A step closer to a gradient's may do better.
            least = (100.0 * self.regular).max(1e-3);
        }
        false
    }

    /// What the linearised rows are to make up for.
    fn residual(&mut self) {
        for i in 0..self.off.len() {
            self.off[i] = self.rows[i] + self.t[i];
        }
    }

    /// Factorises with the least regularisation that gives the right inertia: algorithm IC.
    fn factorise(&mut self, least: f64) -> bool {
        for i in 0..self.e.len() {
            self.e[i] = if self.equal[i] { ROWS } else { self.t[i] / self.of_slack[i] + ROWS };
        }
        let first = if self.regular == 0.0 { 1e-4 } else { (self.regular / 3.0).max(1e-20) };
        let mut delta = least;
        loop {
            for i in 0..self.d.len() {
                let (below, above) = self.distances(i);
                self.d[i] = self.low[i] / below + self.high[i] / above + delta;
            }
            if self.system.factor(&self.h, &self.j, &self.d, &self.e) {
                break;
            }
            let growth = if self.regular == 0.0 { 100.0 } else { 8.0 };
            delta = if delta == 0.0 { first } else { growth * delta };
            if delta > 1e20 || !self.h.iter().all(|h| h.is_finite()) {
                return false;
            }
        }
        if delta > 0.0 {
            self.regular = delta;
        }
        true
    }

    /// The step for the residual in `off`.
    fn direction(&mut self) {
        let mu = self.barrier;
        for i in 0..self.v.len() {
            let (below, above) = self.distances(i);
            self.dv[i] = -(self.dual[i] - mu / below + mu / above + self.damping(i));
        }
        for i in 0..self.u.len() {
            self.du[i] = -self.off[i];
            if !self.equal[i] {
                self.du[i] += (self.u[i] - mu / self.t[i]) * self.t[i] / self.of_slack[i];
            }
        }
        self.system.solve(&mut self.dv, &mut self.du);
        for (dt, off) in self.dt.iter_mut().zip(&self.off) {
            *dt = -off;
        }
        for (&(row, column), value) in self.pattern.jacobian.iter().zip(&self.j) {
            self.dt[row] -= value * self.dv[column];
        }
        for i in 0..self.u.len() {
            if self.equal[i] {
                self.dt[i] = 0.0;
                continue;
            }
            let (t, z) = (self.t[i], self.of_slack[i]);
            self.dslack[i] = mu / t - z - z / t * self.dt[i];
        }
        for i in 0..self.v.len() {
            let (below, above) = self.distances(i);
            self.dlow[i] = mu / below - self.low[i] - self.low[i] / below * self.dv[i];
            self.dhigh[i] = mu / above - self.high[i] + self.high[i] / above * self.dv[i];
        }
    }

    /// The gradient of the damping term.
    fn damping(&self, i: usize) -> f64 {
        let (below, above) = self.distances(i);
        match (below.is_finite(), above.is_finite()) {
            (true, false) => DAMPING * self.barrier,
            (false, true) => -DAMPING * self.barrier,
            _ => 0.0,
        }
    }

    /// The longest steps, at most 1, of variables and multipliers that stay off the bounds by a fraction.
    fn lengths(&self) -> (f64, f64) {
        let fraction = (1.0 - self.barrier).max(0.99);
        let (mut primal, mut dual) = (1.0_f64, 1.0_f64);
        let limit = |value: f64, change: f64| if change < 0.0 { -fraction * value / change } else { 1.0 };
        for i in (0..self.v.len()).filter(|&i| !self.held[i]) {
            let (below, above) = self.distances(i);
            primal = primal.min(limit(below, self.dv[i])).min(limit(above, -self.dv[i]));
            dual = dual.min(limit(self.low[i], self.dlow[i])).min(limit(self.high[i], self.dhigh[i]));
        }
        for i in (0..self.t.len()).filter(|&i| !self.equal[i]) {
            primal = primal.min(limit(self.t[i], self.dt[i]));
            dual = dual.min(limit(self.of_slack[i], self.dslack[i]));
        }
        (primal, dual)
    }

    /// Looks for a point along the step and moves there.
    fn search(&mut self) -> bool {
        let (longest, dual) = self.lengths();
        let now = Measure { violation: self.violation(), objective: self.objective(&self.v, &self.t, self.value) };
        let slope = self.slope();
        let mut alpha = longest;
        for halving in 0..HALVINGS {
            let trial = self.try_at(alpha);
            let (good, by_objective) = self.filter.improves(now, trial, slope, alpha);
            if good {
                self.accept(now, alpha, dual, by_objective);
                return true;
            }
            if halving == 0 && trial.violation >= now.violation && trial.violation.is_finite() {
                if self.corrected(now, trial.violation, slope, alpha, dual) {
                    return true;
                }
            }
            alpha *= 0.5;
        }
        false
    }

    /// Second-order corrections of a first trial; on failure the step is as before.
    fn corrected(&mut self, now: Measure, mut before: f64, slope: f64, alpha: f64, dual: f64) -> bool {
        let mut length = alpha;
        for _ in 0..4 {
            for i in 0..self.off.len() {
                self.off[i] = length * self.off[i] + self.trial.rows[i] + self.trial.t[i];
            }
            self.direction();
            length = self.lengths().0;
            let trial = self.try_at(length);
            let (good, by_objective) = self.filter.improves(now, trial, slope, alpha);
            if good {
                self.accept(now, length, dual.min(self.lengths().1), by_objective);
                return true;
            }
            if trial.violation.is_nan() || trial.violation > 0.99 * before {
                break;
            }
            before = trial.violation;
        }
        self.residual();
        self.direction();
        false
    }

    /// The barrier objective.
    fn objective(&self, v: &[f64], t: &[f64], value: f64) -> f64 {
        let mut logs = 0.0;
        let mut damping = 0.0;
        for i in (0..v.len()).filter(|&i| !self.held[i]) {
            let (below, above) = (v[i] - self.bounds.lo[i], self.bounds.hi[i] - v[i]);
            for (distance, other) in [(below, above), (above, below)] {
                if distance.is_finite() {
                    logs += distance.ln();
                    damping += if other.is_finite() { 0.0 } else { distance };
                }
            }
        }
        logs += t.iter().zip(&self.equal).filter(|(_, equal)| !**equal).map(|(t, _)| t.ln()).sum::<f64>();
        self.objective_scale * value + self.barrier * (DAMPING * damping - logs)
    }

    /// The slope of the barrier objective along the step.
    fn slope(&self) -> f64 {
        let mu = self.barrier;
        let of = |i: usize| {
            let (below, above) = self.distances(i);
            (self.gradient[i] - mu / below + mu / above + self.damping(i)) * self.dv[i]
        };
        let slacks = (0..self.t.len()).filter(|&i| !self.equal[i]).map(|i| mu / self.t[i] * self.dt[i]);
        (0..self.v.len()).map(of).sum::<f64>() - slacks.sum::<f64>()
    }

    /// Evaluates at a step length.
    fn try_at(&mut self, alpha: f64) -> Measure {
        let trial = &mut self.trial;
        for i in 0..self.v.len() {
            trial.v[i] = self.v[i] + alpha * self.dv[i];
        }
        for i in 0..self.t.len() {
            trial.t[i] = self.t[i] + alpha * self.dt[i];
        }
        trial.value = self.program.evaluate(&trial.v, &mut trial.gradient, &mut trial.rows);
        trial.rows.iter_mut().zip(&self.scale).for_each(|(row, s)| *row *= s);
        // A slack that may grow lowers both measures.
        for i in (0..trial.t.len()).filter(|&i| !self.equal[i]) {
            trial.t[i] = trial.t[i].max(-trial.rows[i]);
        }
        let violation = violation(&self.equal, &self.trial.rows, &self.trial.t);
        let finite = self.trial.gradient.iter().all(|g| g.is_finite());
        let objective = if finite { self.objective(&self.trial.v, &self.trial.t, self.trial.value) } else { f64::NAN };
        Measure { violation, objective }
    }

    /// Moves to the trial point.
    fn accept(&mut self, now: Measure, alpha: f64, dual: f64, by_objective: bool) {
        if !by_objective {
            self.filter.add(now);
        }
        std::mem::swap(&mut self.v, &mut self.trial.v);
        std::mem::swap(&mut self.t, &mut self.trial.t);
        std::mem::swap(&mut self.gradient, &mut self.trial.gradient);
        std::mem::swap(&mut self.rows, &mut self.trial.rows);
        self.value = self.trial.value;
        let s = self.objective_scale;
        self.gradient.iter_mut().for_each(|g| *g *= s);
        let mu = self.barrier;
        let kept = |z: f64, distance: f64| z.clamp(mu / (CENTRED * distance), CENTRED * mu / distance);
        for i in 0..self.u.len() {
            self.u[i] += alpha * self.du[i];
            if !self.equal[i] {
                self.of_slack[i] = kept(self.of_slack[i] + dual * self.dslack[i], self.t[i]);
            }
        }
        for i in (0..self.v.len()).filter(|&i| !self.held[i]) {
            // Rounding may put a point onto its bound.
            let (lo, hi) = (self.bounds.lo[i], self.bounds.hi[i]);
            if self.v[i] <= lo || self.v[i] >= hi {
                self.v[i] = inside(self.v[i], lo, hi, 1e-15);
            }
            let (below, above) = self.distances(i);
            self.low[i] = if below.is_finite() { kept(self.low[i] + dual * self.dlow[i], below) } else { 0.0 };
            self.high[i] = if above.is_finite() { kept(self.high[i] + dual * self.dhigh[i], above) } else { 0.0 };
        }
    }

    /// Moves to a point of less violation; the end of the run when there is none.
    fn restore(&mut self, stop: &mut dyn FnMut(&Nlp) -> bool) -> Option<End> {
        let n = self.v.len();
        let before = self.violation();
        self.filter.add(Measure { violation: before, objective: self.objective(&self.v, &self.t, self.value) });
        let weight = self.barrier.sqrt();
        let raw: Vec<f64> = self.rows.iter().zip(&self.scale).map(|(row, s)| row / s).collect();
        let size = largest(&self.rows);
        let centre = self.v.clone();
        let mut elastic = Elastic::new(self.program, &self.scale, &centre, weight);
        let barrier = self.barrier.max(size).min(1.0);
        let added = elastic.slacks(&raw, barrier);
        let mut wide = self.bounds.clone();
        wide.lo.extend(added.iter().map(|_| 0.0));
        wide.hi.extend(added.iter().map(|_| f64::INFINITY));
        let mut z: Vec<f64> = centre.iter().chain(&added).copied().collect();
        let aim = Aim {
            tolerance: self.aim.tolerance.max(1e-9),
            barrier,
            push: 1e-8,
            steps: self.aim.steps,
            goal: 0.1 * before,
        };
        let end = solve(&mut elastic, &wide, &mut z, &mut Duals::default(), aim, stop).end;
        self.v.copy_from_slice(&z[..n]);
        self.value = self.program.evaluate(&self.v, &mut self.gradient, &mut self.rows);
        let s = self.objective_scale;
        self.gradient.iter_mut().for_each(|g| *g *= s);
        self.rows.iter_mut().zip(&self.scale).for_each(|(row, s)| *row *= s);
        for i in (0..self.t.len()).filter(|&i| !self.equal[i]) {
            self.t[i] = (-self.rows[i]).max(self.barrier.min(1e-2));
        }
        let left: f64 = (0..self.rows.len())
            .map(|i| if self.equal[i] { self.rows[i].abs() } else { self.rows[i].max(0.0) })
            .sum();
        if !left.is_finite() || !self.value.is_finite() {
            return Some(End::Failed);
        }
        match end {
            End::Stopped => return Some(End::Stopped),
            End::Solved if left > 0.11 * before && left > 1e-7 => return Some(End::Infeasible),
            _ if left > 0.9 * before => return Some(End::Failed),
            _ => {}
        }
        self.centre_multipliers();
        self.second();
        self.estimate();
        None
    }

    fn reached(&self, end: End, steps: usize) -> Reached {
        let mut off = 0.0_f64;
        for i in 0..self.rows.len() {
            let row = self.rows[i] / self.scale[i];
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

/// The 1-norm of `r`, or of `r + t` for inequalities.
fn violation(equal: &[bool], rows: &[f64], t: &[f64]) -> f64 {
    rows.iter().zip(t).zip(equal).map(|((r, t), equal)| if *equal { r.abs() } else { (r + t).abs() }).sum()
}
