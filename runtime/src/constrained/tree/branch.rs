//! What to branch on, and how: the pair or whole number that a point violates most, or a place in an interval, and the two open ends that come
//! of it.

use super::node::{Decision, Node};
use super::search::{Tree, WHOLE};
use crate::linear::blas1::largest;

/// An end of a pair is at its bound when it is no farther than this.
const MET: f64 = 1e-7;

/// What to branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// A pair.
    Pair(usize),
    /// A whole number.
    Whole(usize),
    /// A variable whose interval is to be cut.
    Cut(usize),
}

impl Tree {
    /// Holds every pair at the end that is nearer at `z`, and every whole number at the nearest, as far as the bounds allow.
    pub(super) fn hold_nearest(&self, z: &[f64], lo: &mut [f64], hi: &mut [f64]) {
        for &i in &self.form.whole {
            let whole = z[i].round().max(lo[i]).min(hi[i]);
            (lo[i], hi[i]) = (whole, whole);
        }
        for k in 0..self.form.pairs.len() {
            let pair = self.form.pairs[k];
            let (a, b) = self.factors(k, z);
            let at = if a < b { pair.multiplier } else { pair.variable };
            let end = self.end_of(k, a < b);
            if lo[at] <= end && end <= hi[at] {
                (lo[at], hi[at]) = (end, end);
            }
        }
    }

    /// The factors of a pair.
    fn factors(&self, k: usize, z: &[f64]) -> (f64, f64) {
        let pair = self.form.pairs[k];
        let (end, at) = (self.end_of(k, false), z[pair.variable]);
        (z[pair.multiplier], if pair.high { end - at } else { at - end })
    }

    /// The value of the multiplier, or of the variable, when it is at its bound.
    fn end_of(&self, k: usize, multiplier: bool) -> f64 {
        let pair = self.form.pairs[k];
        match (multiplier, pair.high) {
            (true, _) => 0.0,
            (false, true) => self.form.hi[pair.variable],
            (false, false) => self.form.lo[pair.variable],
        }
    }

    /// Whether neither end of a pair is fixed.
    fn is_free(&self, k: usize, lo: &[f64], hi: &[f64]) -> bool {
        let pair = self.form.pairs[k];
        let fixed = |at: usize, end: f64| lo[at] == hi[at] && lo[at] == end;
        !fixed(pair.multiplier, 0.0) && !fixed(pair.variable, self.end_of(k, false))
    }

    /// What `z` violates most; of a ray, the pair both of whose ends it leaves fastest.
    pub(super) fn violated(&self, z: &[f64], lo: &[f64], hi: &[f64], ray: bool) -> Option<Choice> {
        let size = if ray { largest(z) } else { 1.0 };
        let mut worst = (MET * size, None);
        for k in (0..self.form.pairs.len()).filter(|&k| self.is_free(k, lo, hi)) {
            let (a, b) = if ray {
                let pair = self.form.pairs[k];
                (z[pair.multiplier], pair.slope() * z[pair.variable])
            } else {
                self.factors(k, z)
            };
            if a.min(b) > worst.0 {
                worst = (a.min(b), Some(Choice::Pair(k)));
            }
        }
        if ray || worst.1.is_some() {
            return worst.1;
        }
        let distance = |i: usize| (z[i] - z[i].round()).abs();
        let open = self.form.whole.iter().copied().filter(|&i| lo[i] < hi[i] && distance(i) > WHOLE);
        open.max_by(|&a, &b| distance(a).total_cmp(&distance(b))).map(Choice::Whole)
    }

    /// Something that is not decided yet.
    pub(super) fn undecided(&self, lo: &[f64], hi: &[f64]) -> Option<Choice> {
        let pair = (0..self.form.pairs.len()).find(|&k| self.is_free(k, lo, hi)).map(Choice::Pair);
        pair.or_else(|| self.form.whole.iter().copied().find(|&i| lo[i] < hi[i]).map(Choice::Whole))
    }

    /// Makes two open ends of one; the one nearer to `z` is looked at next.
    pub(super) fn branch(
        &mut self,
        node: Node,
        bound: f64,
        choice: Choice,
        (z, lo, hi): (&[f64], &[f64], &[f64]),
    ) {
        let (near, far) = match choice {
            Choice::Pair(k) => {
                let pair = self.form.pairs[k];
                let end = self.end_of(k, false);
                let multiplier = Decision { at: pair.multiplier, lo: 0.0, hi: 0.0 };
                let variable = Decision { at: pair.variable, lo: end, hi: end };
                let (a, b) = self.factors(k, z);
                if a < b { (multiplier, variable) } else { (variable, multiplier) }
            }
            Choice::Whole(i) => {
                let last = z[i].floor().max(lo[i]).min(hi[i] - 1.0);
                let below = Decision { at: i, lo: f64::NEG_INFINITY, hi: last };
                let above = Decision { at: i, lo: last + 1.0, hi: f64::INFINITY };
                if z[i] < last + 0.5 { (below, above) } else { (above, below) }
            }
            Choice::Cut(i) => {
                let at = place(z[i], lo[i], hi[i]);
                let below = Decision { at: i, lo: f64::NEG_INFINITY, hi: at };
                let above = Decision { at: i, lo: at, hi: f64::INFINITY };
                if z[i] < at { (below, above) } else { (above, below) }
            }
        };
        for (decision, first) in [(far, false), (near, true)] {
            let mut decisions = node.decisions.clone();
            decisions.push(decision);
            let child = Node { decisions, bound, number: self.made };
            self.made += 1;
            if first {
                self.next = Some(child);
            } else {
                self.open.push(child);
            }
        }
    }
}

/// Where to cut an interval, near `z` but away from its ends.
fn place(z: f64, lo: f64, hi: f64) -> f64 {
    match (lo.is_finite(), hi.is_finite()) {
        (true, true) => (0.5 * z + 0.25 * (lo + hi)).max(lo + 0.2 * (hi - lo)).min(hi - 0.2 * (hi - lo)),
        (true, false) => z.max(lo) + 0.5 * (z - lo).max(0.0) + lo.abs().max(1.0),
        (false, true) => z.min(hi) - 0.5 * (hi - z).max(0.0) - hi.abs().max(1.0),
        (false, false) => z,
    }
}
