//! What else a follower may answer that is no convex quadratic program, as far as it is found: the range of the upper objective `F` over
//! its answers to one `x`.
//!
//! A convex follower whose Lagrangian has a positive definite Hessian at an answer has no other. Else the follower is solved again with a
//! little of `±F` in its objective, `f ± t F`, for two values of `t`: where answers tie it goes to the best of them for the leader, or the worst, and
//! stays there as `t` falls; where it has one answer it comes back to it. A follower that is not convex is solved from drawn points besides, and every
//! answer that is as good as the best is leaned from.
//!
//! Cost: some tens of solutions of the follower at most; followers with more than [`LARGEST`] variables are not looked at. Not guaranteed:
//! that all answers are found, or the ends of the range for an `F` that is not monotone over them.
//!
//! Source: A. N. Tikhonov, V. Y. Arsenin, "Solutions of ill-posed problems" (1977), for the limit of `f + t F`.

use super::check::{answer_from, multipliers_at};
use super::interior::{self, Aim, Duals, End};
use super::nlp::Nlp;
use super::program::{Pattern, Program, Relaxed};
use super::tree::convex::is_positive_definite;
use super::tree::form::Quadratic;
use super::tree::ties::{Ties, ties};
use super::{Constrained, outside};
use crate::check::LowerCheck;
use crate::linear::blas1::largest;

/// Followers with more variables are not looked at.
const LARGEST: usize = 20;
/// Drawn points from which a follower that is not convex is solved.
const DRAWN: u64 = 6;
/// Answers that are leaned from.
const KEPT: usize = 4;
/// Steps of a solution from a drawn point.
const STEPS: usize = 100;
/// The parts of the upper objective, relative to the sizes of both.
const PARTS: [f64; 2] = [1e-3, 1e-5];
/// An answer is as good as the best when it is no more than this above, relative.
const LEVEL: f64 = 1e-7;
/// Answers that are closer, relative, are the same.
const SAME: f64 = 1e-3;
/// Solutions from different starts that are closer, relative, may be one answer about which the objective is flat.
const DISTINCT: f64 = 0.1;
/// How far a point may move between the two parts, relative to how far it is from the answer it came from.
const SETTLED: f64 = 0.1;

/// The range at `(x, y)`, where `lower` says that `y` is an answer of the follower; `convex`: whether the lower level is known to be. `None`
/// where nothing was found out.
pub fn range(c: &mut Constrained, x: &[f64], y: &[f64], lower: &LowerCheck, convex: bool) -> Option<Ties> {
    if let Some(found) = ties(c, x) {
        return Some(found);
    }
    let (n, m) = c.lens;
    if !c.duals.is_empty() || m > LARGEST || c.whole.iter().any(|at| *at >= n) || !lower.polished {
        return None;
    }
    let at_best = upper(c, x, y);
    let one = |exact| Ties { least: at_best, most: at_best, exact, local: !convex };
    if convex && is_strict(c, x, y) {
        return Some(one(true)).filter(|_| at_best.is_finite());
    }
    let mut answers = vec![y.to_vec()];
    if !convex && apart(y, &lower.solution) > DISTINCT {
        answers.push(lower.solution.clone());
    }
    let most = lower.solution_objective + LEVEL * lower.solution_objective.abs().max(1.0);
    let follower = c.follower.as_mut()?;
    follower.nlp.set_parameters(x);
    for seed in if convex { 0..0 } else { 0..DRAWN } {
        let from = follower.nlp.drawn(seed + 1);
        let Some((y, _)) = answer_from(&mut follower.nlp, &from, STEPS) else { continue };
        let new = answers.iter().all(|known| apart(known, &y) > DISTINCT);
        if new && answers.len() < KEPT && follower.nlp.objective(&y) <= most {
            answers.push(y);
        }
    }
    let sizes = lower.solution_objective.abs().max(1.0) / at_best.abs().max(1.0);
    let mut found = one(false);
    for y in &answers {
        let value = upper(c, x, y);
        let mut ends = vec![value];
        for sign in [1.0, -1.0] {
            let there = lean(c, x, y, sign * PARTS[0] * sizes);
            let closer = there.as_ref().and_then(|_| lean(c, x, y, sign * PARTS[1] * sizes));
            let (Some(there), Some(closer)) = (there, closer) else { continue };
            let moved = apart(&closer, y);
            let as_good = c.follower.as_mut().is_some_and(|follower| follower.nlp.objective(&closer) <= most);
            if moved > SAME && apart(&there, &closer) <= SETTLED * moved && as_good {
                ends.push(upper(c, x, &closer));
            }
        }
        for end in ends.into_iter().filter(|end| end.is_finite()) {
            (found.least, found.most) = (found.least.min(end), found.most.max(end));
        }
    }
    found.least.is_finite().then_some(found)
}

/// Whether the Lagrangian of the follower at its answer `y` has a positive definite Hessian.
fn is_strict(c: &mut Constrained, x: &[f64], y: &[f64]) -> bool {
    let Some(follower) = &mut c.follower else { return false };
    let Some((y, weights)) = multipliers_at(follower, x, y) else { return false };
    let m = y.len();
    let (mut hessian, mut direction) = (Quadratic::zero(m), vec![0.0; m]);
    let (mut column, mut pushed) = (vec![0.0; m], vec![0.0; weights.len()]);
    for j in 0..m {
        direction[j] = 1.0;
        follower.nlp.product(&y, &weights, &direction, &mut column, &mut pushed);
        direction[j] = 0.0;
        hessian.second.extend((0..=j).map(|i| (i, j, column[i])));
    }
    hessian.second.iter().all(|entry| entry.2.is_finite()) && is_positive_definite(&hessian, m)
}

/// The upper objective at `(x, y)`.
fn upper(c: &mut Constrained, x: &[f64], y: &[f64]) -> f64 {
    let mut z = c.single.start.clone();
    z[..x.len()].copy_from_slice(x);
    z[x.len()..x.len() + y.len()].copy_from_slice(y);
    c.single.objective(&z)
}

/// The follower's answer from `y` with so much of the upper objective in its own.
fn lean(c: &mut Constrained, x: &[f64], y: &[f64], part: f64) -> Option<Vec<f64>> {
    let Constrained { single, follower, .. } = c;
    let nlp = &mut follower.as_mut()?.nlp;
    nlp.set_parameters(x);
    let (bounds, mut y) = (nlp.bounds(), y.to_vec());
    let mut program = Leaning::new(nlp, single, x, part);
    let aim = Aim { steps: STEPS, ..Aim::cold(1e-9) };
    let reached = interior::solve(&mut program, &bounds, &mut y, &mut Duals::default(), aim, &mut |_| false);
    (reached.end == End::Solved && outside(nlp, &y) <= LEVEL).then_some(y)
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    let off = a.iter().zip(b).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
    off / largest(b).max(1.0)
}

/// The follower's program with a part of the upper objective.
struct Leaning<'a> {
    inner: Relaxed<'a>,
    upper: &'a mut Nlp,
    /// The single-level form's variables, with `y` to be put in behind so many.
    z: Vec<f64>,
    n: usize,
    part: f64,
    /// Entries of the follower's own Hessian.
    own: usize,
    none: Vec<f64>,
    gradient: Vec<f64>,
    rows: Vec<f64>,
    direction: Vec<f64>,
}

impl<'a> Leaning<'a> {
    fn new(nlp: &'a mut Nlp, upper: &'a mut Nlp, x: &[f64], part: f64) -> Self {
        let mut z = upper.start.clone();
        z[..x.len()].copy_from_slice(x);
        let (len, rows) = (z.len(), upper.equal.len());
        let mut inner = Relaxed::new(nlp, &[], (0.0, 0.0));
        let own = inner.pattern().hessian.len();
        Leaning {
            inner,
            upper,
            z,
            n: x.len(),
            part,
            own,
            none: vec![0.0; rows],
            gradient: vec![0.0; len],
            rows: vec![0.0; rows],
            direction: vec![0.0; len],
        }
    }
}

impl Program for Leaning<'_> {
    fn variables(&self) -> usize {
        self.inner.variables()
    }

    fn equal(&self) -> &[bool] {
        self.inner.equal()
    }

    fn pattern(&mut self) -> Pattern {
        let Pattern { mut hessian, jacobian } = self.inner.pattern();
        self.own = hessian.len();
        let m = self.variables();
        hessian.extend((0..m).flat_map(|j| (j..m).map(move |i| (i, j))));
        Pattern { hessian, jacobian }
    }

    fn evaluate(&mut self, v: &[f64], g: &mut [f64], rows: &mut [f64]) -> f64 {
        let Self { inner, upper, z, n, part, none, gradient, rows: unused, .. } = self;
        let value = inner.evaluate(v, g, rows);
        z[*n..*n + v.len()].copy_from_slice(v);
        let added = upper.evaluate(z, none, gradient, unused);
        g.iter_mut().zip(&gradient[*n..]).for_each(|(g, own)| *g += *part * own);
        value + *part * added
    }

    fn second(&mut self, v: &[f64], sigma: f64, w: &[f64], h: &mut Vec<f64>, j: &mut Vec<f64>) -> bool {
        h.truncate(self.own);
        let kept = self.inner.second(v, sigma, w, h, j);
        let scale = self.part * if sigma > 0.0 { sigma } else { 1.0 };
        let (n, m) = (self.n, v.len());
        self.z[n..n + m].copy_from_slice(v);
        for column in 0..m {
            self.direction[n + column] = 1.0;
            self.upper.product(&self.z, &self.none, &self.direction, &mut self.gradient, &mut self.rows);
            self.direction[n + column] = 0.0;
            h.extend(self.gradient[n + column..n + m].iter().map(|entry| scale * entry));
        }
        kept
    }

    fn nlp(&self) -> &Nlp {
        self.inner.nlp()
    }
}
