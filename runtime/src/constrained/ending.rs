//! Why a model has no answer: whether its constraints contradict each other, whether they hold together but at no answer of the
//! follower, or whether the follower's objective has no bound.
//!
//! Looks for a point at which the constraints of both levels hold, the follower's optimality left out: by a linear program where all
//! of these constraints are affine, else by an interior-point run from the model's start and from drawn points. Then the follower is
//! looked at there. Cost: a few runs, once, after a run that ended without an answer.
//!
//! Not guaranteed: where a constraint is not affine, that constraints for which no point was found contradict each other; then nothing is
//! said. A follower without bound is told at the upper variables looked at.

use super::interior::{self, Aim, Duals, End};
use super::nlp::Nlp;
use super::program::{Pattern, Program, Relaxed};
use super::tree::{form, qp};
use super::{Constrained, Degree, Follower};
use crate::linear::blas1::largest;
use crate::space::Space;
use crate::status::{Cause, Termination, named};

/// What is said where constraints hold together but no answer of the follower was found at which they do.
pub const NO_ANSWER_FOUND: &str = "the constraints of both levels hold together at some points, but at no answer of the follower that was found";

/// Drawn starts for a point at which the constraints of both levels hold.
const DRAWN: u64 = 4;
/// A row is met to this, relative.
const MET: f64 = 1e-6;

/// Why no point is allowed; `None` where that is not found out. `x`: upper variables to look at first; `upper`: their names.
pub fn reason(c: &mut Constrained, x: &[f64], upper: &Space) -> Option<Termination> {
    let contradiction = Termination::Infeasible(Cause::Constraints);
    if let Some(follower) = &mut c.follower
        && falls(follower, x)
    {
        return Some(Termination::LowerUnbounded(named(upper, x)));
    }
    let Some(z) = together(c, x) else {
        return (affine(c) && contradictory(c)).then_some(contradiction);
    };
    let there = &z[..c.lens.0];
    let follower = c.follower.as_mut()?;
    Some(if falls(follower, there) {
        Termination::LowerUnbounded(named(upper, there))
    } else {
        Termination::Infeasible(Cause::Response)
    })
}

/// Rows of the single-level form that are constraints of a level.
fn stated(c: &Constrained) -> usize {
    c.upper_rows + c.follower.as_ref().map_or(0, |follower| follower.rows.len())
}

fn affine(c: &Constrained) -> bool {
    c.degrees.rows.iter().take(stated(c)).all(|degree| *degree == Degree::Affine)
}

/// Whether no point meets all affine constraints of both levels.
fn contradictory(c: &mut Constrained) -> bool {
    let (mut lines, mut objective) = form::program(&mut c.single);
    lines.truncate(stated(c));
    objective.linear.fill(0.0);
    objective.second.clear();
    matches!(qp::solve(&objective, &lines, &c.single.lo, &c.single.hi), qp::Answer::Infeasible)
}

/// A point at which the constraints of both levels hold.
fn together(c: &mut Constrained, x: &[f64]) -> Option<Vec<f64>> {
    let rows = stated(c);
    let (n, m) = c.lens;
    let bounds = c.single.bounds();
    for seed in 0..=DRAWN {
        let mut z = c.single.start.clone();
        z[..n].copy_from_slice(x);
        if seed > 0 {
            z[..n + m].copy_from_slice(&c.single.drawn(seed)[..n + m]);
        }
        let mut program = First { inner: Relaxed::new(&mut c.single, &[], (0.0, 0.0)), rows };
        let (mut duals, aim) = (Duals::default(), Aim { steps: 100, ..Aim::cold(1e-8) });
        interior::solve(&mut program, &bounds, &mut z, &mut duals, aim, &mut |_| false);
        let (mut g, mut found) = (vec![0.0; z.len()], vec![0.0; c.single.equal.len()]);
        c.single.evaluate(&z, &vec![0.0; found.len()], &mut g, &mut found);
        found[rows..].fill(0.0);
        if c.single.violation(&found) <= MET * largest(&z).max(1.0) {
            return Some(z);
        }
    }
    None
}

/// Whether the follower's objective falls without end at `x`.
fn falls(follower: &mut Follower, x: &[f64]) -> bool {
    let nlp = &mut follower.nlp;
    nlp.set_parameters(x);
    if follower.quadratic {
        let (lines, objective) = form::program(nlp);
        let ray = matches!(qp::solve(&objective, &lines, &nlp.lo, &nlp.hi), qp::Answer::Unbounded(_));
        let flat = form::Quadratic::zero(nlp.len());
        return ray && matches!(qp::solve(&flat, &lines, &nlp.lo, &nlp.hi), qp::Answer::Solved(_));
    }
    let (mut y, bounds) = (nlp.somewhere(), nlp.bounds());
    let mut program = Relaxed::new(nlp, &[], (0.0, 0.0));
    let (mut duals, aim) = (Duals::default(), Aim::cold(1e-8));
    let reached = interior::solve(&mut program, &bounds, &mut y, &mut duals, aim, &mut |_| false);
    reached.end == End::Unbounded
}

/// A program without its rows from some on.
pub(super) struct First<'a> {
    /// All of it.
    pub inner: Relaxed<'a>,
    /// How many rows are left.
    pub rows: usize,
}

impl First<'_> {
    /// The places of the entries of the Jacobian that are left.
    fn left(&mut self) -> (Pattern, Vec<bool>) {
        let Pattern { hessian, mut jacobian } = self.inner.pattern();
        let left: Vec<bool> = jacobian.iter().map(|(row, _)| *row < self.rows).collect();
        jacobian.retain(|(row, _)| *row < self.rows);
        (Pattern { hessian, jacobian }, left)
    }
}

impl Program for First<'_> {
    fn variables(&self) -> usize {
        self.inner.variables()
    }

    fn equal(&self) -> &[bool] {
        &self.inner.equal()[..self.rows]
    }

    fn pattern(&mut self) -> Pattern {
        self.left().0
    }

    fn evaluate(&mut self, v: &[f64], g: &mut [f64], rows: &mut [f64]) -> f64 {
        let mut all = vec![0.0; self.inner.equal().len()];
        let value = self.inner.evaluate(v, g, &mut all);
        rows.copy_from_slice(&all[..self.rows]);
        value
    }

    fn second(&mut self, v: &[f64], sigma: f64, w: &[f64], h: &mut Vec<f64>, j: &mut Vec<f64>) -> bool {
        let mut weights = w.to_vec();
        weights.resize(self.inner.equal().len(), 0.0);
        let mut all = Vec::new();
        let kept = self.inner.second(v, sigma, &weights, h, &mut all);
        let (_, left) = self.left();
        j.clear();
        j.extend(all.iter().zip(&left).filter(|(_, left)| **left).map(|(value, _)| *value));
        kept
    }

    fn nlp(&self) -> &Nlp {
        self.inner.nlp()
    }
}
