//! One step of the interior-point method: the factorisation, the direction, and the search along it (Wächter and Biegler 2006, sections
//! 2.3, 2.4 and 3.1).

use super::{Interior, ROWS, inside, scale_rows, violation};
use crate::constrained::filter::Measure;

/// Weight, in barriers, that keeps variables with one bound from running away.
const DAMPING: f64 = 1e-5;
/// Halvings of a step.
const HALVINGS: usize = 30;
/// A multiplier times its distance stays within this factor of the barrier.
const CENTRED: f64 = 1e10;

impl Interior<'_> {
    /// One step; false when none is accepted.
    pub(super) fn advance(&mut self) -> bool {
        let mut least = 0.0;
        for _ in 0..3 {
            if !self.factorise(least) {
                return false;
            }
            self.residual();
            self.direction();
            if self.search() {
                return true;
            }
            // A step closer to a gradient's may do better.
            least = (100.0 * least).max(1e-2);
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
        if delta > least {
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
        let now =
            Measure { violation: self.violation(), objective: self.objective(&self.v, &self.t, self.value) };
        let slope = self.slope();
        let mut alpha = longest;
        for halving in 0..HALVINGS {
            let trial = self.try_at(alpha);
            let (good, by_objective) = self.filter.improves(now, trial, slope, alpha);
            if good {
                self.accept(now, alpha, dual, by_objective);
                return true;
            }
            let farther = trial.violation >= now.violation && trial.violation.is_finite();
            if halving == 0 && farther && self.corrected(now, trial.violation, slope, alpha, dual) {
                return true;
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
    pub(super) fn objective(&self, v: &[f64], t: &[f64], value: f64) -> f64 {
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
        let room = self.room();
        let trial = &mut self.trial;
        for i in 0..self.v.len() {
            trial.v[i] = self.v[i] + alpha * self.dv[i];
        }
        for i in 0..self.t.len() {
            trial.t[i] = self.t[i] + alpha * self.dt[i];
        }
        trial.value = self.program.evaluate(&trial.v, &mut trial.gradient, &mut trial.rows);
        scale_rows(&mut trial.rows, &self.scale, &self.equal, room);
        // A slack that may grow lowers both measures.
        for i in (0..trial.t.len()).filter(|&i| !self.equal[i]) {
            trial.t[i] = trial.t[i].max(-trial.rows[i]);
        }
        let violation = violation(&self.equal, &self.trial.rows, &self.trial.t);
        let finite = self.trial.gradient.iter().all(|g| g.is_finite());
        let objective =
            if finite { self.objective(&self.trial.v, &self.trial.t, self.trial.value) } else { f64::NAN };
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
            self.low[i] =
                if below.is_finite() { kept(self.low[i] + dual * self.dlow[i], below) } else { 0.0 };
            self.high[i] =
                if above.is_finite() { kept(self.high[i] + dual * self.dhigh[i], above) } else { 0.0 };
        }
    }
}
