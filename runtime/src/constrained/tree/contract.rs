//! Smaller boxes without loss: where the terms of a program are, upwards from the variables, and where the variables can be,
//! downwards from the rows and from what the objective may be at most. Pairs are read as what they say: an end that cannot be at
//! its bound leaves the other one there.
//!
//! Source: F. Benhamou, F. Goualard, L. Granvilliers, J.-F. Puget, "Revising hull and box consistency", ICLP (1999): HC4.

use super::super::Pair;
use super::terms::{Ends, Function, Term, Terms};

/// Rows count as held when they are off by this, times the size of their parts.
const SLACK: f64 = 1e-9;
/// As [`SLACK`] for rows that are known up to rounding, however small their parts.
const ROUNDING: f64 = 1e-12;
/// What rounding does to a sum, relative to the size of its parts.
const SUMMED: f64 = 1e-15;
/// Passes over the rows.
const PASSES: usize = 12;
/// A pass that shortens no interval by this much of its length is the last.
const WORTH: f64 = 0.1;

/// A box with the intervals of all terms over it.
pub struct Contractor<'a> {
    terms: &'a Terms,
    equal: &'a [bool],
    pairs: &'a [Pair],
    /// Rows from here on are known up to rounding.
    known_from: usize,
    /// By how much the objective may exceed its limit, and intervals that share a number may be apart, relative.
    slack: f64,
    /// The places of variables among the terms.
    places: Vec<(usize, usize)>,
}

impl<'a> Contractor<'a> {
    /// `equal`: per row of `terms`, whether it is an equality.
    pub fn new(terms: &'a Terms, equal: &'a [bool], pairs: &'a [Pair]) -> Self {
        let place = |(at, term): (usize, &Term)| match term {
            Term::Variable(variable) => Some((at, *variable)),
            _ => None,
        };
        let places = terms.terms.iter().enumerate().filter_map(place).collect();
        Contractor { terms, equal, pairs, known_from: usize::MAX, slack: SLACK, places }
    }

    /// The same with rows from `row` on that are known up to rounding.
    pub fn known_from(self, row: usize) -> Self {
        Contractor { known_from: row, ..self }
    }

    /// The same without room for the objective's limit and between intervals.
    pub fn strict(self) -> Self {
        Contractor { slack: 0.0, ..self }
    }

    /// The intervals of all terms over a box; `None` where a function is not defined anywhere in it.
    pub fn over(&self, lo: &[f64], hi: &[f64]) -> Option<Vec<Ends>> {
        let mut over = vec![(f64::NEG_INFINITY, f64::INFINITY); self.terms.terms.len()];
        for &(at, variable) in &self.places {
            over[at] = (lo[variable], hi[variable]);
        }
        self.upwards(&mut over)?;
        Some(over)
    }

    /// Shrinks the box `lo`, `hi` around the points that hold all rows and pairs and whose objective is at most `most`, and gives the
    /// intervals of all terms; `None` when there is no such point. `ends`: the bounds at which pairs complement.
    pub fn contract(
        &self,
        most: f64,
        ends: (&[f64], &[f64]),
        lo: &mut [f64],
        hi: &mut [f64],
    ) -> Option<Vec<Ends>> {
        let mut over = vec![(f64::NEG_INFINITY, f64::INFINITY); self.terms.terms.len()];
        for _ in 0..PASSES {
            if !self.hold_pairs(ends, lo, hi) {
                return None;
            }
            for &(at, variable) in &self.places {
                over[at] = (lo[variable], hi[variable]);
            }
            self.upwards(&mut over)?;
            for (k, (&row, &equal)) in self.terms.rows.iter().zip(self.equal).enumerate() {
                let room = self.room(k, row, &over);
                let wanted = (if equal { -room } else { f64::NEG_INFINITY }, room);
                meet(&mut over[row], wanted, if k < self.known_from { self.slack } else { 0.0 })?;
            }
            meet(
                &mut over[self.terms.objective],
                (f64::NEG_INFINITY, most + self.slack * most.abs().max(1.0)),
                self.slack,
            )?;
            self.downwards(&mut over)?;
            let mut shorter = false;
            for &(at, variable) in &self.places {
                let (a, b) = (over[at].0.max(lo[variable]), over[at].1.min(hi[variable]));
                let (before, after) = (hi[variable] - lo[variable], b - a);
                shorter |= after < (1.0 - WORTH) * before
                    || before.is_infinite() && (a > lo[variable] || b < hi[variable]);
                if a > b {
                    // No more than rounding: `meet` has seen to that.
                    let middle = 0.5 * (a + b);
                    (lo[variable], hi[variable]) = (middle, middle);
                } else {
                    (lo[variable], hi[variable]) = (a, b);
                }
            }
            if !shorter {
                break;
            }
        }
        // What pairs say of the last box.
        if !self.hold_pairs(ends, lo, hi) {
            return None;
        }
        for &(at, variable) in &self.places {
            over[at] = (lo[variable], hi[variable]);
        }
        self.upwards(&mut over)?;
        Some(over)
    }

    /// Holds the one end of a pair whose other end cannot be at its bound; false when neither can.
    fn hold_pairs(&self, (low, high): (&[f64], &[f64]), lo: &mut [f64], hi: &mut [f64]) -> bool {
        for pair in self.pairs {
            let (m, v) = (pair.multiplier, pair.variable);
            let end = if pair.high { high[v] } else { low[v] };
            let room = SLACK * end.abs().max(1.0);
            let away = if pair.high { hi[v] < end - room } else { lo[v] > end + room };
            if lo[m] > SLACK {
                if away {
                    return false;
                }
                (lo[v], hi[v]) = (end, end);
            } else if away {
                (lo[m], hi[m]) = (0.0, 0.0);
            }
        }
        true
    }

    /// What row `k` may be off by.
    fn room(&self, k: usize, row: usize, over: &[Ends]) -> f64 {
        let known = k >= self.known_from;
        let least = if known { 0.0 } else { 1.0 };
        let Term::Sum(constant, parts) = &self.terms.terms[row] else { return SLACK * least };
        let part = |&(at, c): &(usize, f64)| {
            let (a, b) = (over[at].0.abs(), over[at].1.abs());
            let size = c.abs() * if known { a.max(b) } else { a.min(b) };
            if size.is_finite() { size } else { 0.0 }
        };
        let size = parts.iter().map(part).fold(constant.abs().max(least), f64::max);
        size * if known { ROUNDING } else { SLACK }
    }

    fn upwards(&self, over: &mut [Ends]) -> Option<()> {
        for at in 0..over.len() {
            let found = match &self.terms.terms[at] {
                Term::Variable(_) => continue,
                Term::Sum(constant, parts) => {
                    let (mut sum, mut size) = ((*constant, *constant), constant.abs());
                    for &(at, c) in parts {
                        let part = times(over[at], c);
                        sum = add(sum, part);
                        size += [part.0, part.1]
                            .into_iter()
                            .filter(|end| end.is_finite())
                            .fold(0.0, |all: f64, end| all.max(end.abs()));
                    }
                    (sum.0 - SUMMED * size, sum.1 + SUMMED * size)
                }
                Term::Product(a, b) => product(over[*a], over[*b]),
                Term::Apply(function, a) => {
                    let mut inner = over[*a];
                    if matches!(function, Function::Log | Function::Root) {
                        meet(&mut inner, (0.0, f64::INFINITY), self.slack)?;
                    }
                    function.over(inner)
                }
            };
            let found = (widen(found.0, -1.0), widen(found.1, 1.0));
            meet(&mut over[at], found, self.slack)?;
        }
        Some(())
    }

    fn downwards(&self, over: &mut [Ends]) -> Option<()> {
        for at in (0..over.len()).rev() {
            let own = over[at];
            match &self.terms.terms[at] {
                Term::Variable(_) => {}
                Term::Sum(constant, parts) => self.spread(own, *constant, parts, over)?,
                Term::Product(a, b) => {
                    let (x, y) = (over[*a], over[*b]);
                    meet(&mut over[*a], quotient(own, y), self.slack)?;
                    meet(&mut over[*b], quotient(own, x), self.slack)?;
                }
                Term::Apply(function, a) => {
                    let found = function.back(own, over[*a]);
                    meet(&mut over[*a], (widen(found.0, -1.0), widen(found.1, 1.0)), self.slack)?;
                }
            }
        }
        Some(())
    }

    /// What every part of a sum can be beside the others.
    fn spread(&self, own: Ends, constant: f64, parts: &[(usize, f64)], over: &mut [Ends]) -> Option<()> {
        // Sums of the finite ends, and how many are infinite: then a part is what is left without it.
        let (mut low, mut high) = ((constant, 0), (constant, 0));
        let mut size = constant.abs();
        for &(at, c) in parts {
            let (a, b) = times(over[at], c);
            for (end, sum) in [(a, &mut low), (b, &mut high)] {
                if end.is_finite() {
                    sum.0 += end;
                    size = size.max(end.abs());
                } else {
                    sum.1 += 1;
                }
            }
        }
        let rounding = 1e-14 * size;
        for &(at, c) in parts {
            let (a, b) = times(over[at], c);
            let without = |sum: (f64, usize), end: f64, sign: f64| match sum {
                (sum, 0) => sum - end,
                (sum, 1) if end.is_infinite() => sum,
                _ => sign * f64::INFINITY,
            };
            let (others_low, others_high) = (without(low, a, -1.0), without(high, b, 1.0));
            let part = (own.0 - others_high - rounding, own.1 - others_low + rounding);
            let ends = times(part, 1.0 / c);
            meet(&mut over[at], (widen(ends.0, -1.0), widen(ends.1, 1.0)), self.slack)?;
        }
        Some(())
    }
}

/// The part of two intervals that they share; `None` when they are apart by more than `slack`.
fn meet(own: &mut Ends, other: Ends, slack: f64) -> Option<()> {
    let both = (own.0.max(other.0), own.1.min(other.1));
    if both.0 > both.1 {
        if both.0.is_infinite() || both.1.is_infinite() {
            return None;
        }
        if both.0 - both.1 > slack * both.0.abs().max(both.1.abs()).max(1.0) {
            return None;
        }
        // Nearly touching: a point between.
        let middle = 0.5 * (both.0 + both.1);
        *own = (middle, middle);
        return Some(());
    }
    *own = both;
    Some(())
}

/// A little farther out.
fn widen(end: f64, sign: f64) -> f64 {
    if end.is_nan() { sign * f64::INFINITY } else { end + sign * 1e-14 * end.abs() }
}

fn add(a: Ends, b: Ends) -> Ends {
    (a.0 + b.0, a.1 + b.1)
}

/// A multiple; 0 times infinity is 0.
fn times((lo, hi): Ends, c: f64) -> Ends {
    let (a, b) = (scaled(lo, c), scaled(hi, c));
    if c < 0.0 { (b, a) } else { (a, b) }
}

fn scaled(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { a * b }
}

/// The product of two intervals.
fn product(a: Ends, b: Ends) -> Ends {
    let ends = [scaled(a.0, b.0), scaled(a.0, b.1), scaled(a.1, b.0), scaled(a.1, b.1)];
    (
        ends.iter().copied().fold(f64::INFINITY, f64::min),
        ends.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    )
}

/// What, times something in `b`, can be in `a`.
fn quotient(a: Ends, b: Ends) -> Ends {
    let all = (f64::NEG_INFINITY, f64::INFINITY);
    if b.0 < 0.0 && b.1 > 0.0 || b == (0.0, 0.0) || (a.0 <= 0.0 && a.1 >= 0.0 && b.0 <= 0.0 && b.1 >= 0.0) {
        return all;
    }
    // `1 / b` has one sign now, and an infinite end where `b` touches 0.
    let over = if b.0 >= 0.0 {
        (1.0 / b.1, if b.0 == 0.0 { f64::INFINITY } else { 1.0 / b.0 })
    } else {
        (if b.1 == 0.0 { f64::NEG_INFINITY } else { 1.0 / b.1 }, 1.0 / b.0)
    };
    let found = product(a, over);
    (widen(found.0, -1.0), widen(found.1, 1.0))
}
