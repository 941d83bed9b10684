//! Cuts by the follower's value: at an answer of the leader `f(x, y) <= v(x)` must hold, with `v` the value of every branch of the
//! follower's local answers. A branch is known by one answer on it; where `x` moves, the follower is solved again from there, and
//! `∇v` is the gradient by `x` of its Lagrangian. Points at which the follower has a better answer on a branch are so left out, in
//! which the optimality conditions of a follower that is not convex cannot tell the difference.
//!
//! A row is relaxed by [`EPSILON`], so that the branch that `y` is on has an interior. Where a branch ends (the follower solved
//! from its answer has no answer) the row holds. Second derivatives of `v` are differences of `∇v`. Cost: per row and new `x` a solution of the
//! follower, and as many as upper variables for second derivatives.
//!
//! Sources: A. Mitsos, P. Lemonias, P. I. Barton, "Global solution of bilevel programs with a nonconvex inner program", J. Global
//! Optim. 42 (2008), for the cuts, there with fixed points; J. F. Bonnans, A. Shapiro, "Perturbation analysis of optimization problems"
//! (2000), section 4.3, for `∇v`.

use super::check::answer_from;
use super::nlp::Nlp;
use super::program::{Pattern, Program, Relaxed};

/// By how much, relative, a cut may be missed.
pub const EPSILON: f64 = 1e-7;
/// The most branches that are remembered.
pub const BRANCHES: usize = 8;
/// Models with more variables of both levels get no cuts.
pub const VARIABLES: usize = 12;
/// Steps for following a branch.
const STEPS: usize = 60;
/// The differences for second derivatives.
const DIFFERENCE: f64 = 1e-5;

/// The follower's objective in the variables of both levels, and the branches met.
pub struct Cuts {
    /// `f(x, y)` as objective and as its one row.
    pub value: Nlp,
    /// An answer of the follower on each branch.
    pub branches: Vec<Vec<f64>>,
}

impl Cuts {
    /// Remembers a branch by an answer of the follower at `x`; false when it is known or there are too many.
    pub fn remember(&mut self, follower: &mut Nlp, x: &[f64], y: &[f64]) -> bool {
        let near = |a: &[f64]| a.iter().zip(y).all(|(a, y)| (a - y).abs() <= 1e-4 * y.abs().max(1.0));
        let known = self.branches.iter().any(|branch| {
            let (_, _, at) = on_branch(follower, branch, x);
            near(&at)
        });
        let new = !known && self.branches.len() < BRANCHES;
        if new {
            self.branches.push(y.to_vec());
        }
        new
    }

    /// Adds `Σ w ∇(f − v)` at `z` to `g`, over as many branches as there are weights.
    pub fn add_slopes(&mut self, follower: &mut Nlp, n: usize, z: &[f64], weights: &[f64], g: &mut [f64]) {
        let all = self.value.len();
        let mut slope = vec![0.0; all];
        self.value.evaluate(&z[..all], &[0.0], &mut slope, &mut [0.0]);
        for (branch, &w) in self.branches.iter().zip(weights).filter(|(_, w)| **w != 0.0) {
            let (value, gradient, _) = on_branch(follower, branch, &z[..n]);
            if value.is_finite() {
                (0..all).for_each(|i| g[i] += w * (slope[i] - gradient.get(i).copied().unwrap_or(0.0)));
            }
        }
    }
}

/// Value, gradient and answer of a branch at `x`; infinite, zero and the answer remembered where it ends.
fn on_branch(follower: &mut Nlp, branch: &[f64], x: &[f64]) -> (f64, Vec<f64>, Vec<f64>) {
    follower.set_parameters(x);
    let m = follower.equal.len();
    let (mut gx, mut g, mut rows) = (vec![0.0; x.len()], vec![0.0; branch.len()], vec![0.0; m]);
    match answer_from(follower, branch, STEPS) {
        Some((y, weights)) => {
            follower.evaluate_fully(&y, &weights, &mut gx, &mut g, &mut rows);
            let value = follower.objective(&y);
            (value, gx, y)
        }
        None => (f64::INFINITY, vec![0.0; x.len()], branch.to_vec()),
    }
}

/// A program with relaxed pairs and, behind all its rows, one cut per branch.
pub struct Cut<'a> {
    inner: Relaxed<'a>,
    cuts: &'a mut Cuts,
    follower: &'a mut Nlp,
    /// Upper variables.
    n: usize,
    equal: Vec<bool>,
    /// Where the branches were last followed to, with their values and gradients.
    at: Vec<f64>,
    known: Vec<(f64, Vec<f64>)>,
    inner_h: Vec<f64>,
    inner_j: Vec<f64>,
    gradient: Vec<f64>,
}

impl<'a> Cut<'a> {
    /// `n`: the number of upper variables.
    pub fn new(inner: Relaxed<'a>, cuts: &'a mut Cuts, follower: &'a mut Nlp, n: usize) -> Self {
        let mut equal = inner.equal().to_vec();
        equal.extend(cuts.branches.iter().map(|_| false));
        let gradient = vec![0.0; cuts.value.len()];
        let (inner_h, inner_j, known) = (Vec::new(), Vec::new(), Vec::new());
        Cut { inner, cuts, follower, n, equal, at: Vec::new(), known, inner_h, inner_j, gradient }
    }

    fn follow(&mut self, x: &[f64]) {
        if self.at == x {
            return;
        }
        self.at = x.to_vec();
        self.known = self.values(x);
    }

    fn values(&mut self, x: &[f64]) -> Vec<(f64, Vec<f64>)> {
        let Self { cuts, follower, .. } = self;
        let each = cuts.branches.iter().map(|branch| {
            let (value, gradient, _) = on_branch(follower, branch, x);
            (value, gradient)
        });
        each.collect()
    }

    /// `Σ w ∇²v` at `x` by differences, in rows.
    fn curvature(&mut self, x: &[f64], w: &[f64]) -> Vec<Vec<f64>> {
        let n = self.n;
        let mut all = vec![vec![0.0; n]; n];
        for i in 0..n {
            let step = DIFFERENCE * x[i].abs().max(1.0);
            let mut moved = x.to_vec();
            moved[i] += step;
            let there = self.values(&moved);
            for (k, (value, gradient)) in there.iter().enumerate() {
                if value.is_finite() && self.known[k].0.is_finite() {
                    for j in 0..n {
                        let second = w[k] * (gradient[j] - self.known[k].1[j]) / step;
                        all[i][j] += 0.5 * second;
                        all[j][i] += 0.5 * second;
                    }
                }
            }
        }
        all
    }
}

impl Program for Cut<'_> {
    fn variables(&self) -> usize {
        self.inner.variables()
    }

    fn equal(&self) -> &[bool] {
        &self.equal
    }

    fn pattern(&mut self) -> Pattern {
        let Pattern { mut hessian, mut jacobian } = self.inner.pattern();
        let all = self.cuts.value.len();
        hessian.extend((0..all).flat_map(|i| (0..=i).map(move |j| (i, j))));
        let first = self.inner.equal().len();
        jacobian.extend((0..self.cuts.branches.len()).flat_map(|k| (0..all).map(move |j| (first + k, j))));
        Pattern { hessian, jacobian }
    }

    fn evaluate(&mut self, v: &[f64], g: &mut [f64], rows: &mut [f64]) -> f64 {
        let first = self.inner.equal().len();
        let all = self.cuts.value.len();
        let (own, cut) = rows.split_at_mut(first);
        let objective = self.inner.evaluate(v, g, own);
        self.follow(&v[..self.n]);
        let Self { cuts, gradient, known, .. } = self;
        let value = cuts.value.evaluate(&v[..all], &[0.0], gradient, &mut [0.0]);
        for (row, (branch, _)) in cut.iter_mut().zip(known.iter()) {
            let room = EPSILON * branch.abs().max(1.0);
            *row = if branch.is_finite() { value - branch - room } else { -1.0 };
        }
        objective
    }

    fn second(&mut self, v: &[f64], sigma: f64, w: &[f64], h: &mut Vec<f64>, j: &mut Vec<f64>) -> bool {
        let first = self.inner.equal().len();
        let all = self.cuts.value.len();
        let kept = {
            let Self { inner, inner_h, inner_j, .. } = self;
            inner.second(v, sigma, &w[..first], inner_h, inner_j)
        };
        self.follow(&v[..self.n]);
        let cut: Vec<f64> = self
            .known
            .iter()
            .zip(&w[first..])
            .map(|((value, _), w)| if value.is_finite() { *w } else { 0.0 })
            .collect();
        let total: f64 = cut.iter().sum();
        let second =
            if cut.iter().any(|w| *w != 0.0) { self.curvature(&v[..self.n], &cut) } else { Vec::new() };
        h.clone_from(&self.inner_h);
        j.clone_from(&self.inner_j);
        let Self { cuts, gradient, known, n, .. } = self;
        let (mut unit, mut column) = (vec![0.0; all], vec![0.0; all]);
        let mut columns = Vec::with_capacity(all);
        for i in 0..all {
            unit[i] = 1.0;
            cuts.value.product(&v[..all], &[0.0], &unit, &mut column, &mut [0.0]);
            unit[i] = 0.0;
            columns.push(column.clone());
        }
        for i in 0..all {
            for k in 0..=i {
                let branch = if i < *n && !second.is_empty() { second[i][k] } else { 0.0 };
                h.push(total * columns[k][i] - branch);
            }
        }
        cuts.value.evaluate(&v[..all], &[0.0], gradient, &mut [0.0]);
        for (value, slope) in known.iter() {
            let branch = slope.iter().copied().chain(std::iter::repeat(0.0));
            let differences = gradient.iter().take(all).zip(branch).map(|(g, b)| g - b);
            j.extend(differences.map(|difference| if value.is_finite() { difference } else { 0.0 }));
        }
        kept
    }

    fn barrier(&mut self, barrier: f64) {
        self.inner.barrier(barrier);
    }

    fn nlp(&self) -> &Nlp {
        self.inner.nlp()
    }
}
