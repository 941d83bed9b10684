//! The answers of the follower that a tree has met, and what they say of a box: one that is feasible for all `x` of the box bounds the
//! follower's objective over it by a row; one that is not says where to branch so that it becomes feasible on one side.
//!
//! Sources: as of [`super::whole`]; G. P. McCormick, Math. Programming 10 (1976) for the products in a row.

use super::answers::LEVEL;
use super::form::Line;
use super::whole::Whole;

/// An answer is feasible over a box when no row is off by more.
const HELD: f64 = 1e-9;
/// Upper variables that are not whole are fixed when their interval is no longer than this, relative.
const FIXED: f64 = 1e-7;

impl Whole {
    /// The rows that answers of the follower give over the box.
    pub(super) fn cuts(&self, lo: &[f64], hi: &[f64], lines: &mut Vec<Line>) {
        for answer in self.pool.iter().filter(|answer| self.first_off(answer, lo, hi).is_none()) {
            lines.extend(self.cut(answer, lo, hi));
        }
    }

    /// `f(x, y) <= f(x, answer)`, linear: products with `x` by one of McCormick's lines, a quadratic part by its tangent at the answer.
    fn cut(&self, answer: &[f64], lo: &[f64], hi: &[f64]) -> Option<Line> {
        let n = self.lens.0;
        let mut terms = vec![0.0; lo.len()];
        let mut constant = 0.0;
        let mut add = |j: usize, slope: f64| {
            terms[j] += slope;
            constant -= slope * answer[j - n];
        };
        for (j, g) in self.lower.linear.iter().enumerate().skip(n).filter(|(_, g)| **g != 0.0) {
            add(j, *g);
        }
        for &(i, j, h) in self.lower.second.iter().filter(|entry| entry.0 >= n) {
            // Entries off the diagonal stand for both.
            add(j, h * answer[i - n]);
            if i != j {
                add(i, h * answer[j - n]);
            }
        }
        for &(i, j, h) in self.lower.second.iter().filter(|entry| entry.0 < n) {
            let own = answer[j - n];
            // Below `h x v`, with `v = y − answer`: the corner at the low end of `v`, else that at its high end.
            let (low, high) = (lo[j] - own, hi[j] - own);
            let (x, v) = match (h > 0.0, low.is_finite()) {
                _ if lo[i] == hi[i] => (lo[i], 0.0),
                (true, true) => (lo[i], low),
                (true, false) => (hi[i], high),
                (false, true) => (hi[i], low),
                (false, false) => (lo[i], high),
            };
            if !x.is_finite() || !v.is_finite() {
                return None;
            }
            terms[j] += h * x;
            terms[i] += h * v;
            constant -= h * (x * own + x * v);
        }
        // What a tangent or rounding may be off by.
        let room = LEVEL * constant.abs().max(1.0);
        let terms = terms.into_iter().enumerate().filter(|(_, c)| *c != 0.0).collect();
        Some(Line { terms, constant: constant - room, equal: false })
    }

    /// The first row of the follower that an answer may violate somewhere in the box, and whether it does so by lying too high.
    pub(super) fn first_off(&self, answer: &[f64], lo: &[f64], hi: &[f64]) -> Option<(usize, bool)> {
        let n = self.lens.0;
        self.lines[self.upper_rows..].iter().enumerate().find_map(|(k, line)| {
            let (mut least, mut most) = (line.constant, line.constant);
            let mut size = line.constant.abs().max(1.0);
            for &(i, a) in &line.terms {
                let (p, q) =
                    if i < n { (a * lo[i], a * hi[i]) } else { (a * answer[i - n], a * answer[i - n]) };
                least += p.min(q);
                most += p.max(q);
                size = size.max(if p.is_finite() { p.abs() } else { 1.0 });
            }
            let room = HELD * size;
            if most > room { Some((k, true)) } else { (line.equal && least < -room).then_some((k, false)) }
        })
    }

    /// The linking variable to branch on, so that `answer` is feasible on one side; and where.
    pub(super) fn branch_on(
        &self,
        answer: Option<&[f64]>,
        x: &[f64],
        lo: &[f64],
        hi: &[f64],
    ) -> Option<(usize, f64)> {
        let is_whole = |i: usize| self.whole.contains(&i);
        let room = |i: usize| {
            if is_whole(i) {
                hi[i] - lo[i] > 0.5
            } else {
                hi[i] - lo[i] > FIXED * lo[i].abs().max(hi[i].abs()).max(1.0)
            }
        };
        let open: Vec<usize> = self.linking.iter().copied().filter(|&i| room(i)).collect();
        let off = answer.and_then(|answer| self.first_off(answer, lo, hi));
        let critical = off.and_then(|(k, high)| {
            let line = &self.lines[self.upper_rows + k];
            let parts = line.terms.iter().filter(|(i, _)| open.contains(i));
            let (i, a) = parts.max_by(|p, q| {
                let width = |(i, a): &(usize, f64)| a.abs() * (hi[*i] - lo[*i]);
                width(p).total_cmp(&width(q))
            })?;
            Some((*i, (*a > 0.0) == high))
        });
        let (i, low_side) = critical.or_else(|| {
            let widest = open.iter().copied().max_by(|&a, &b| (hi[a] - lo[a]).total_cmp(&(hi[b] - lo[b])));
            widest.map(|i| (i, true))
        })?;
        if is_whole(i) {
            // The side that keeps `x` has it at its end.
            let last = if low_side { x[i].round() } else { x[i].round() - 1.0 };
            return Some((i, last.max(lo[i]).min(hi[i] - 1.0)));
        }
        Some((i, x[i]))
    }
}
