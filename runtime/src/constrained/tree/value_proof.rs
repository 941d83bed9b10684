//! Whether the follower has a better answer at given upper variables: boxes of its variables are shrunk around the points that satisfy
//! its constraints and the conditions of Fritz John, and whose objective is below a level, until nothing is left of any.
//!
//! Cost: a few passes over the terms per box. Not guaranteed: that the boxes allowed are enough.

use super::super::global::{middle, place};
use super::contract::Contractor;
use super::terms::Terms;
use super::value_form::Sides;
use super::value_terms::copied;

/// The most boxes.
const BOXES: usize = 2000;

/// What was found out.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// No answer is below the level.
    Best,
    /// This one is.
    Better(Vec<f64>),
    /// Boxes are left.
    Open,
}

/// Looks for points of the follower at `x` whose objective is below `level`; with the number of boxes looked at.
pub fn better(sides: &Sides, x: &[f64], m: usize, level: f64) -> (Answered, usize) {
    let n = x.len();
    let mut terms = Terms::default();
    let held = |i: usize| (i < n).then(|| x[i]);
    // The rows of the upper level are of no account to the follower.
    let rows = sides.terms.rows.iter().zip(&sides.equal).skip(sides.upper_rows);
    let (rows, equal): (Vec<usize>, Vec<bool>) = rows.map(|(row, equal)| (*row, *equal)).unzip();
    terms.rows = rows.iter().map(|&row| copied(&sides.terms, row, &mut terms, &held)).collect();
    terms.objective = copied(&sides.terms, sides.lower, &mut terms, &held);
    let feasible = |y: &[f64]| {
        let mut z: Vec<f64> = x.iter().chain(y).copied().collect();
        z.resize(sides.lo.len(), 0.0);
        let values = sides.terms.values(&z);
        let holds = |(row, equal): (&usize, &bool)| !equal && values[*row] <= 0.0;
        values[sides.lower] < level && sides.rows.iter().zip(&sides.rows_equal).all(holds)
    };
    // A point that misses a row by a little may be better by more than what is asked for.
    let contractor = Contractor::new(&terms, &equal, &sides.pairs).known_from(0).strict();
    let ends = (&sides.lo[..], &sides.hi[..]);
    let (mut lo, mut hi) = (sides.lo.clone(), sides.hi.clone());
    lo[..n].copy_from_slice(x);
    hi[..n].copy_from_slice(x);
    let mut open = vec![(lo, hi)];
    for boxes in 0..BOXES {
        let Some((mut lo, mut hi)) = open.pop() else { return (Answered::Best, boxes) };
        if contractor.contract(level, ends, &mut lo, &mut hi).is_none() {
            continue;
        }
        let own = n..n + m;
        let centre: Vec<f64> = own.clone().map(|i| middle(lo[i], hi[i])).collect();
        if feasible(&centre) {
            return (Answered::Better(centre), boxes);
        }
        let widest = own
            .filter_map(|i| Some((i, place(lo[i], hi[i])?)))
            .max_by(|&(a, _), &(b, _)| (hi[a] - lo[a]).total_cmp(&(hi[b] - lo[b])));
        let Some((along, at)) = widest else { return (Answered::Open, boxes) };
        let (mut left, mut right) = ((lo.clone(), hi.clone()), (lo, hi));
        left.1[along] = at;
        right.0[along] = at;
        open.extend([left, right]);
    }
    (if open.is_empty() { Answered::Best } else { Answered::Open }, BOXES)
}
