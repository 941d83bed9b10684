//! Answers of the follower that were met, and the rows that they give over a box: where `y*` is feasible for all `x` of the box, an
//! answer `y` has `f(x, y) <= f(x, y*)`. Where both sides share a power of a variable that has one sign in the box it is divided out,
//! since next to 0 it hides the difference.
//!
//! Where the follower's rows move with `x`, its answer at the middle of a box is not feasible everywhere; it is then solved with rows
//! that are tighter by as much as they move.
//!
//! Source: A. Mitsos, P. Lemonidis, P. I. Barton, "Global solution of bilevel programs with a nonconvex inner program", J. Global
//! Optim. 42 (2008), sections 3.2 and 3.3.

use super::super::interior::{self, Aim, Duals, End};
use super::super::nlp::Nlp;
use super::super::program::{Pattern, Program, Relaxed};
use super::contract::Contractor;
use super::terms::Terms;
use super::value_form::Sides;
use super::value_terms::{Factored, copied, factored};

/// Rows about one box by the answers that are best in its middle.
const BY_MIDDLE: usize = 3;
/// Answers that are kept.
pub const KEPT: usize = 400;
/// An equality of the follower is held by an answer that misses it by this.
const HELD: f64 = 1e-9;

/// An answer.
pub struct Answer {
    /// The lower variables.
    pub y: Vec<f64>,
    /// The follower's objective, and its rows, at `y`, as functions of `x`.
    own: Terms,
    /// `f(x, y) − f(x, y*)` without a common factor.
    factored: Option<Factored>,
}

impl Answer {
    /// The rows of `y` in a model of `n` upper variables.
    pub fn new(sides: &Sides, n: usize, y: Vec<f64>) -> Self {
        let held = |i: usize| (n..n + y.len()).contains(&i).then(|| y[i - n]);
        let mut own = Terms::default();
        own.objective = copied(&sides.terms, sides.lower, &mut own, &held);
        own.rows = sides.rows.iter().map(|&row| copied(&sides.terms, row, &mut own, &held)).collect();
        let mut both = Terms::default();
        let difference = difference(sides, &own, &mut both);
        let factored = factored(&both, difference, n + y.len());
        Answer { y, own, factored }
    }

    /// The follower's objective at `x`.
    pub fn at(&self, x: &[f64]) -> f64 {
        self.own.values(x)[self.own.objective]
    }

    /// Whether it is feasible at `x`.
    pub fn feasible(&self, x: &[f64], equal: &[bool]) -> bool {
        let values = self.own.values(x);
        self.own.rows.iter().zip(equal).all(|(row, equal)| {
            let off = values[*row];
            if *equal { off.abs() <= HELD } else { off <= 0.0 }
        })
    }

    /// The most the follower's objective is over a box of `x`, where the answer is feasible in all of it.
    fn most(&self, equal: &[bool], lo: &[f64], hi: &[f64]) -> Option<f64> {
        let over = Contractor::new(&self.own, &[], &[]).over(lo, hi)?;
        let holds = |(row, equal): (&usize, &bool)| {
            let (least, most) = over[*row];
            if *equal { least >= -HELD && most <= HELD } else { most <= 0.0 }
        };
        let most = over[self.own.objective].1;
        (most < f64::INFINITY && self.own.rows.iter().zip(equal).all(holds)).then_some(most)
    }

    /// Adds its row to `terms`.
    fn add_row(&self, sides: &Sides, lo: &[f64], hi: &[f64], terms: &mut Terms) {
        let row = match &self.factored {
            Some(Factored { powers, rest }) if sign(powers, lo, hi) != 0.0 => {
                let row = copied(rest, rest.objective, terms, &|_| None);
                terms.sum(0.0, vec![(row, sign(powers, lo, hi))])
            }
            _ => difference(sides, &self.own, terms),
        };
        terms.rows.push(row);
    }
}

/// The sign of a product of powers over a box; 0 where it is not one.
fn sign(powers: &[i32], lo: &[f64], hi: &[f64]) -> f64 {
    let own = |(i, power): (usize, &i32)| match *power {
        0 => 1.0,
        _ if lo[i] > 0.0 => 1.0,
        power if hi[i] < 0.0 => {
            if power % 2 == 0 {
                1.0
            } else {
                -1.0
            }
        }
        _ => 0.0,
    };
    powers.iter().enumerate().map(own).product()
}

/// `f(x, y) − f(x, y*)` among `terms`.
fn difference(sides: &Sides, own: &Terms, terms: &mut Terms) -> usize {
    let here = copied(&sides.terms, sides.lower, terms, &|_| None);
    let there = copied(own, own.objective, terms, &|_| None);
    terms.sum(0.0, vec![(here, 1.0), (there, -1.0)])
}

/// The terms of `sides` with the rows that answers give over a box.
pub fn with_rows(sides: &Sides, answers: &[Answer], n: usize, lo: &[f64], hi: &[f64]) -> Terms {
    let (below, above) = (&lo[..n], &hi[..n]);
    let middle: Vec<f64> = below.iter().zip(above).map(|(lo, hi)| middle(*lo, *hi)).collect();
    // Value in the middle, most over the box, place.
    let mut held: Vec<(f64, f64, usize)> = Vec::new();
    for (k, answer) in answers.iter().enumerate() {
        if let Some(most) = answer.most(&sides.rows_equal, below, above) {
            held.push((answer.at(&middle), most, k));
        }
    }
    let mut terms = sides.terms.clone();
    held.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.2.cmp(&b.2)));
    let mut chosen: Vec<usize> = held.first().map(|first| first.2).into_iter().collect();
    held.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
    chosen.extend(held.iter().take(BY_MIDDLE).map(|held| held.2));
    chosen.sort_unstable();
    chosen.dedup();
    chosen.iter().for_each(|&k| answers[k].add_row(sides, lo, hi, &mut terms));
    terms
}

/// The least value at `x` of the answers that are feasible over the box.
pub fn least(sides: &Sides, answers: &[Answer], x: &[f64], lo: &[f64], hi: &[f64]) -> f64 {
    let n = x.len();
    let held = |answer: &&Answer| answer.most(&sides.rows_equal, &lo[..n], &hi[..n]).is_some();
    answers.iter().filter(held).map(|answer| answer.at(x)).fold(f64::INFINITY, f64::min)
}

/// A point of an interval that may be infinite.
fn middle(lo: f64, hi: f64) -> f64 {
    match (lo.is_finite(), hi.is_finite()) {
        (true, true) => 0.5 * (lo + hi),
        (true, false) => lo + 1.0,
        (false, true) => hi - 1.0,
        (false, false) => 0.0,
    }
}

/// How far the follower's rows at `y` rise over the box above what they are at `x`, and a little more.
pub fn rises(sides: &Sides, x: &[f64], y: &[f64], lo: &[f64], hi: &[f64]) -> Option<Vec<f64>> {
    let n = x.len();
    let answer = Answer { y: y.to_vec(), own: own_rows(sides, n, y), factored: None };
    let over = Contractor::new(&answer.own, &[], &[]).over(&lo[..n], &hi[..n])?;
    let values = answer.own.values(x);
    let rise = |(row, equal): (&usize, &bool)| {
        let rise = (over[*row].1 - values[*row]).max(0.0) + 1e-9 * values[*row].abs().max(1.0);
        if *equal { 0.0 } else { rise }
    };
    let rises: Vec<f64> = answer.own.rows.iter().zip(&sides.rows_equal).map(rise).collect();
    rises.iter().all(|rise| rise.is_finite()).then_some(rises)
}

fn own_rows(sides: &Sides, n: usize, y: &[f64]) -> Terms {
    let held = |i: usize| (n..n + y.len()).contains(&i).then(|| y[i - n]);
    let mut own = Terms::default();
    own.rows = sides.rows.iter().map(|&row| copied(&sides.terms, row, &mut own, &held)).collect();
    own
}

/// The follower's answer from `y` with every row tighter by `by`.
pub fn tighter(nlp: &mut Nlp, y: &[f64], by: &[f64]) -> Option<Vec<f64>> {
    let bounds = nlp.bounds();
    let mut y = y.to_vec();
    let mut program = Tighter { inner: Relaxed::new(nlp, &[], (0.0, 0.0)), by };
    let (mut duals, aim) = (Duals::default(), Aim { steps: 100, ..Aim::cold(1e-9) });
    let reached = interior::solve(&mut program, &bounds, &mut y, &mut duals, aim, &mut |_| false);
    bounds.project(&mut y);
    (reached.end == End::Solved).then_some(y)
}

/// A program with tighter rows.
struct Tighter<'a> {
    inner: Relaxed<'a>,
    by: &'a [f64],
}

impl Program for Tighter<'_> {
    fn variables(&self) -> usize {
        self.inner.variables()
    }

    fn equal(&self) -> &[bool] {
        self.inner.equal()
    }

    fn pattern(&mut self) -> Pattern {
        self.inner.pattern()
    }

    fn evaluate(&mut self, v: &[f64], g: &mut [f64], rows: &mut [f64]) -> f64 {
        let value = self.inner.evaluate(v, g, rows);
        rows.iter_mut().zip(self.by).for_each(|(row, by)| *row += by);
        value
    }

    fn second(&mut self, v: &[f64], sigma: f64, w: &[f64], h: &mut Vec<f64>, j: &mut Vec<f64>) -> bool {
        self.inner.second(v, sigma, w, h, j)
    }

    fn nlp(&self) -> &Nlp {
        self.inner.nlp()
    }
}
