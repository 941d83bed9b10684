//! Where the follower's answer jumps next to a point, and whether the upper objective falls towards such a place without reaching
//! a least value there.
//!
//! The follower is solved again at small steps along every coordinate of `x`; where the answer is far from that at `x`, the step
//! is halved until the place is known to [`PLACE`], and the answer jumps if the difference stays. The infimum is not attained where, at
//! a place `x̄` next to `x` (a jump, or `x` put on bounds that it is close to), the limit of the answers is not an answer, since its
//! objective is above the follower's best by more than a little, and the upper objective falls on the way there below its
//! value at `x̄`.
//!
//! Cost: `2 n` solutions of the follower, and some tens per jump. Larger models are not looked at. Not guaranteed: a jump
//! that no coordinate direction meets is not seen.

use super::check::check_follower;
use super::tree::ties::ties;
use super::{Constrained, outside};
use crate::check::LowerCheck;
use crate::linear::blas1::largest;
use crate::space::Space;
use crate::status::{long, named};

/// The step along a coordinate, relative to `max(1, |x|)`.
const STEP: f64 = 1e-4;
/// Answers that differ by more, relative to `max(1, ‖y‖∞)`, may be on the two sides of a jump.
const FAR: f64 = 1e-2;
/// To which part of the step a jump is placed.
const PLACE: f64 = 1e-9;
/// A point this close to a bound, relative, may stand for its limit there.
const BESIDE: f64 = 1e-3;
/// A limit of answers whose objective is above the best by more, relative, is no answer.
const ABOVE: f64 = 1e-3;
/// Upper variables and lower variables, of a follower that is convex and of another one.
const LARGEST: [(usize, usize); 2] = [(8, 60), (2, 4)];
/// Newton steps and boxes for solving the follower again.
const EFFORT: (usize, usize) = (200, 600);

/// A place where the follower's answer jumps.
#[derive(Clone, Debug, PartialEq)]
pub struct Jump {
    /// The upper variables there.
    pub x: Vec<f64>,
    /// The limit of the upper objective, minimised, where it is an infimum that is not attained.
    pub infimum: Option<f64>,
}

impl Jump {
    /// In words, with the names of the upper variables and the sign of the upper objective.
    pub fn words(&self, upper: &Space, sign: f64) -> String {
        let place = named(upper, &self.x);
        match self.infimum {
            Some(limit) => format!(
                "the upper objective tends to {} towards {place}, where the follower's answer jumps: that value is not attained",
                long(sign * limit)
            ),
            None => format!("the follower's answer jumps at {place}, next to this point"),
        }
    }
}

/// The jump next to `(x, y)`, an answer of the follower with the upper objective `value`; one that leaves the infimum without a
/// point before others.
pub fn near(c: &mut Constrained, x: &[f64], y: &[f64], convex: bool, value: f64) -> Option<Jump> {
    let (n, m) = c.lens;
    let (most_x, most_y) = LARGEST[usize::from(!convex)];
    let fits = c.follower.as_ref().is_some_and(|f| n <= most_x && m <= most_y && f.rows.len() <= most_y);
    if !fits || !c.duals.is_empty() || !c.whole.is_empty() {
        return None;
    }
    let mut look = Look { c, x, y, convex, value };
    let jumps: Vec<Vec<f64>> = (0..2 * n).filter_map(|k| look.along(k)).collect();
    let mut places = jumps.clone();
    places.extend(look.on_bounds());
    let limit = places.iter().find_map(|at| look.limit(at).map(|limit| (at.clone(), limit)));
    match limit {
        Some((x, limit)) => Some(Jump { x, infimum: Some(limit) }),
        None => jumps.into_iter().next().map(|x| Jump { x, infimum: None }),
    }
}

struct Look<'a> {
    c: &'a mut Constrained,
    x: &'a [f64],
    y: &'a [f64],
    convex: bool,
    value: f64,
}

impl Look<'_> {
    /// The follower at `x`, solved from `y`, and what `y` violates there; `None` where it has no answer.
    fn follower(&mut self, x: &[f64], y: &[f64]) -> Option<(LowerCheck, f64)> {
        let follower = self.c.follower.as_mut()?;
        let (lower, off) = check_follower(follower, x, y, self.convex, EFFORT, &mut |_| false);
        lower.polished.then_some((lower, off))
    }

    fn answer(&mut self, x: &[f64], y: &[f64]) -> Option<Vec<f64>> {
        self.follower(x, y).map(|(lower, _)| lower.solution)
    }

    /// The upper objective.
    fn upper(&mut self, x: &[f64], y: &[f64]) -> f64 {
        let n = x.len();
        let mut z = self.c.single.start.clone();
        z[..n].copy_from_slice(x);
        z[n..n + y.len()].copy_from_slice(y);
        self.c.single.objective(&z)
    }

    /// The place of a jump along a coordinate, upwards for even `k`; on the far side of it.
    fn along(&mut self, k: usize) -> Option<Vec<f64>> {
        let (i, up) = (k / 2, if k.is_multiple_of(2) { 1.0 } else { -1.0 });
        let step = up * STEP * self.x[i].abs().max(1.0);
        let moved = |x: &[f64], t: f64| {
            let mut at = x.to_vec();
            at[i] += t;
            at
        };
        let x = self.x;
        let far = FAR * largest(self.y).max(1.0);
        let end = moved(x, step);
        if end[i] < self.c.single.lo[i] || end[i] > self.c.single.hi[i] {
            return None;
        }
        let (mut near, mut beyond) = ((0.0, self.y.to_vec()), (step, self.answer(&end, self.y)?));
        if apart(&near.1, &beyond.1) <= far {
            return None;
        }
        while (beyond.0 - near.0).abs() > PLACE * step.abs() {
            let t = 0.5 * (near.0 + beyond.0);
            let y = self.answer(&moved(x, t), &near.1)?;
            if apart(&y, &near.1) <= apart(&y, &beyond.1) {
                near = (t, y);
            } else {
                beyond = (t, y);
            }
            if apart(&near.1, &beyond.1) <= far {
                return None;
            }
        }
        Some(moved(x, beyond.0))
    }

    /// `x` put on the bounds that it is close to, where there are any.
    fn on_bounds(&self) -> Option<Vec<f64>> {
        let nlp = &self.c.single;
        let mut at = self.x.to_vec();
        for (i, x) in at.iter_mut().enumerate() {
            let close = BESIDE * x.abs().max(1.0);
            for bound in [nlp.lo[i], nlp.hi[i]] {
                if (*x - bound).abs() <= close {
                    *x = bound;
                }
            }
        }
        (at != self.x).then_some(at)
    }

    /// The limit of the upper objective towards `at`, where that is below its value there and the limit of the answers is no answer.
    fn limit(&mut self, at: &[f64]) -> Option<f64> {
        let (y, value) = (self.y, self.value);
        let (there, off) = self.follower(at, y)?;
        let nlp = &self.c.follower.as_ref()?.nlp;
        let size = there.objective.abs().max(1.0);
        if there.gap <= ABOVE * size || off.max(outside(nlp, y)) > ABOVE {
            return None;
        }
        let best = self.upper(at, &there.solution);
        let best = ties(self.c, at).map_or(best, |ties| ties.least.min(best));
        let (mut last, mut limit) = (value, value);
        for t in [0.25, 0.0625, 0.015_625] {
            let between: Vec<f64> = at.iter().zip(self.x).map(|(at, x)| at + t * (x - at)).collect();
            let answer = self.answer(&between, y)?;
            if apart(&answer, y) > 0.1 * largest(y).max(1.0) {
                return None;
            }
            let here = self.upper(&between, &answer);
            if here.is_nan() || here > last {
                return None;
            }
            // Every point has a quarter of the way before that is left.
            limit = here - (last - here) / 3.0;
            last = here;
        }
        (best > limit + 1e-6 * limit.abs().max(1.0)).then_some(limit)
    }
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()))
}
