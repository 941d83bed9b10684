//! Where a run starts: a point off its bounds, scales, and multipliers (Wächter and Biegler 2006, sections 3.5, 3.6 and 3.8).

use super::{Duals, Interior, ROWS, inside, scale_rows};
use crate::constrained::filter::Filter;
use crate::linear::blas1::largest;

impl Interior<'_> {
    /// Start values; false when the program cannot be evaluated.
    pub(super) fn begin(&mut self, duals: &Duals) -> bool {
        self.program.barrier(self.barrier);
        self.shift();
        for i in 0..self.v.len() {
            self.v[i] = inside(self.v[i], self.bounds.lo[i], self.bounds.hi[i], self.aim.push);
        }
        self.value = self.program.evaluate(&self.v, &mut self.gradient, &mut self.rows);
        if !self.value.is_finite() || !largest(&self.gradient).is_finite() || !largest(&self.rows).is_finite()
        {
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
        let room = self.room();
        scale_rows(&mut self.rows, &self.scale, &self.equal, room);
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
    pub(super) fn centre_multipliers(&mut self) {
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
    pub(super) fn distances(&self, i: usize) -> (f64, f64) {
        if self.held[i] {
            return (f64::INFINITY, f64::INFINITY);
        }
        (self.v[i] - self.bounds.lo[i], self.bounds.hi[i] - self.v[i])
    }

    /// Least-squares multipliers of the rows; zero when they are large.
    pub(super) fn estimate(&mut self) {
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

    /// Puts the bounds in force where the barrier says, and the variables within.
    pub(super) fn shift(&mut self) {
        let room = self.room();
        for i in (self.aim.loose_from..self.v.len()).filter(|&i| !self.held[i]) {
            let (lo, hi) = (self.given.lo[i], self.given.hi[i]);
            self.bounds.lo[i] = lo - room * if lo.is_finite() { lo.abs().max(1.0) } else { 0.0 };
            self.bounds.hi[i] = hi + room * if hi.is_finite() { hi.abs().max(1.0) } else { 0.0 };
            self.v[i] = inside(self.v[i], self.bounds.lo[i], self.bounds.hi[i], 0.01 * room);
        }
    }
}
