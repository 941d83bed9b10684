//! Restoration: where no step is accepted, a point of less violation near the one at hand, by the same method (Wächter and Biegler 2006,
//! section 3.3).

use super::{Aim, Duals, End, Interior, solve};
use crate::constrained::filter::Measure;
use crate::constrained::nlp::Nlp;
use crate::constrained::program::Elastic;
use crate::linear::blas1::largest;

/// The least barrier after one.
const RESTARTED: f64 = 1e-3;

impl Interior<'_> {
    /// Moves to a point of less violation; the end of the run when there is none.
    pub(super) fn restore(&mut self, stop: &mut dyn FnMut(&Nlp) -> bool) -> Option<End> {
        let n = self.v.len();
        let before = self.violation();
        self.filter
            .add(Measure { violation: before, objective: self.objective(&self.v, &self.t, self.value) });
        let weight = self.barrier.sqrt();
        let raw: Vec<f64> = (0..self.rows.len()).map(|i| self.row(i)).collect();
        let size = largest(&self.rows);
        let centre = self.v.clone();
        let mut elastic = Elastic::new(self.program, &self.scale, &centre, weight);
        let barrier = self.barrier.max(size).min(1.0);
        let added = elastic.slacks(&raw, barrier);
        let mut wide = self.given.clone();
        wide.lo.extend(added.iter().map(|_| 0.0));
        wide.hi.extend(added.iter().map(|_| f64::INFINITY));
        let mut z: Vec<f64> = centre.iter().chain(&added).copied().collect();
        let aim = Aim {
            tolerance: self.aim.tolerance.max(1e-9),
            barrier,
            push: 1e-8,
            steps: self.aim.steps,
            goal: 0.1 * before,
            loose_from: self.aim.loose_from,
        };
        let end = solve(&mut elastic, &wide, &mut z, &mut Duals::default(), aim, stop).end;
        self.v.copy_from_slice(&z[..n]);
        self.barrier = self.barrier.max(RESTARTED);
        self.put_barrier();
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
}
