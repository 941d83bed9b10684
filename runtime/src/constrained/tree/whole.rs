//! Followers with whole numbers, and the pessimistic leader, by a tree over both levels above the relaxation that asks of the follower
//! only to be feasible. Where a node's solution is whole, the follower is solved at its `x` as a program of its own (`mip`); then the
//! best point for the leader at that `x` is solved for among the follower's best answers, the worst where the leader is pessimistic.
//! Branching on the upper variables that the follower sees goes on until they are fixed, where nothing is left to find, or until the
//! bound is as good as the best point.
//!
//! Bounds rise by the follower's answers met so far: one that is feasible for all `x` of a node is an upper bound of the follower's
//! objective there, a row. Branching prefers variables that make it so.
//!
//! Not guaranteed: an end where upper variables that the follower sees are not whole. Its answer jumps there, the infimum may not be
//! attained, and boxes are cut until they are as small as rounding; what is left open then bounds the infimum.
//!
//! Source: S. T. DeNegre, T. K. Ralphs, "A branch-and-cut algorithm for integer bilevel linear programs", Operations Research and
//! Cyber-Infrastructure (2009); S. Tahernejad, T. K. Ralphs, S. T. DeNegre, Math. Programming Computation 12 (2020) for linking
//! variables; A. Mitsos, J. Global Optimization 47 (2010) for bounds of the follower's objective that hold over a box.

use std::collections::BTreeSet;

use super::super::Constrained;
use super::answers::LEVEL;
use super::branch::Choice;
use super::convex::is_semidefinite;
use super::form::{Line, Quadratic, follower_is_convex, program};
use super::node::Node;
use super::qp::{Answer, solve};
use super::search::{Best, Tree, WHOLE};
use crate::state::State;

/// Rows about one node.
const ROUNDS: usize = 10;
/// Answers of the follower that are kept.
const KEPT: usize = 200;

/// The most upper variables' values that a tree is read back with.
const MET: usize = 10_000_000;

/// What is the same at all nodes. Variables are those of both levels.
pub struct Whole {
    pub(super) lens: (usize, usize),
    /// Rows of the upper level, then those of the follower.
    pub(super) lines: Vec<Line>,
    pub(super) upper_rows: usize,
    /// The upper objective.
    pub(super) objective: Quadratic,
    /// The follower's objective but for what depends on `x` alone.
    pub(super) lower: Quadratic,
    pub(super) whole: Vec<usize>,
    /// The upper variables that the follower sees.
    pub(super) linking: Vec<usize>,
    pub(super) pessimistic: bool,
    /// Bounds of both levels.
    pub(super) lo: Vec<f64>,
    pub(super) hi: Vec<f64>,
    /// Answers met.
    pub(super) pool: Vec<Vec<f64>>,
    /// Values of the linking variables for which the best point was solved for.
    pub(super) done: BTreeSet<Vec<u64>>,
}

impl Whole {
    /// The follower of a problem; an error says what it is not.
    pub fn new(c: &mut Constrained) -> Result<Self, String> {
        c.degrees.ask_quadratic_program("with whole numbers in the lower level, or a pessimistic leader,")?;
        if !c.duals.is_empty() {
            return Err(
                "multipliers of a lower level with whole numbers, or of a pessimistic leader, mean nothing"
                    .into(),
            );
        }
        let (n, m) = c.lens;
        let (all, mut objective) = program(&mut c.single);
        if !follower_is_convex(c, &all) {
            return Err("the lower level without its whole numbers is not convex in its variables".into());
        }
        let follower_rows = c.follower.as_ref().map_or(0, |follower| follower.rows.len());
        let (rows, stationary) = all.split_at(c.upper_rows + follower_rows);
        let mut lines = rows.to_vec();
        for (line, row) in lines[c.upper_rows..].iter_mut().zip(c.follower.iter().flat_map(|f| &f.rows)) {
            line.terms.retain(|(at, _)| *at < n + m);
            line.equal = row.slack.is_none();
        }
        // The rows of stationarity are the gradient of the follower's objective.
        let mut lower = Quadratic::zero(n + m);
        for (i, row) in stationary.iter().enumerate() {
            lower.linear[n + i] = row.constant;
            let own = row.terms.iter().filter(|(at, _)| *at <= n + i);
            lower.second.extend(own.map(|(at, a)| (*at, n + i, *a)));
        }
        objective.linear.truncate(n + m);
        objective.second.retain(|(_, j, _)| *j < n + m);
        if !is_semidefinite(&objective) {
            return Err("the upper objective is not convex, which it is to be with whole numbers in the lower level or a pessimistic \
                        leader"
                .into());
        }
        let pessimistic = c.pessimistic;
        if pessimistic && objective.second.iter().any(|(_, j, _)| *j >= n) {
            return Err(
                "the upper objective of a pessimistic leader is to be affine in the lower variables".into()
            );
        }
        let seen = |i: usize| {
            let in_rows = lines[c.upper_rows..].iter().any(|line| line.terms.iter().any(|(at, _)| *at == i));
            pessimistic || in_rows || lower.second.iter().any(|(at, ..)| *at == i)
        };
        let linking: Vec<usize> = (0..n).filter(|&i| seen(i)).collect();
        let (lo, hi) = (c.single.lo[..n + m].to_vec(), c.single.hi[..n + m].to_vec());
        Ok(Whole {
            lens: (n, m),
            upper_rows: c.upper_rows,
            lines,
            objective,
            lower,
            whole: c.whole.clone(),
            linking,
            pessimistic,
            lo,
            hi,
            pool: Vec::new(),
            done: BTreeSet::new(),
        })
    }

    /// All that a step changes.
    pub fn state(&mut self, state: &mut dyn State) {
        let mut kept = self.pool.len();
        state.count(&mut kept);
        self.pool.resize(kept.min(KEPT), vec![0.0; self.lens.1]);
        self.pool.iter_mut().for_each(|answer| state.numbers(answer));
        let mut done: Vec<Vec<u64>> = std::mem::take(&mut self.done).into_iter().collect();
        let mut met = done.len();
        state.count(&mut met);
        done.resize(met.min(MET), vec![0; self.linking.len()]);
        done.iter_mut().flatten().for_each(|word| state.word(word));
        self.done = done.into_iter().collect();
    }
}

impl Tree {
    /// Takes one node. `stop` is asked between the programs solved.
    pub(super) fn step_whole(
        &mut self,
        c: &mut Constrained,
        mut own: Box<Whole>,
        node: Node,
        stop: &mut dyn FnMut() -> bool,
    ) {
        self.whole_step(c, &mut own, node, stop);
        self.whole = Some(own);
    }

    fn whole_step(
        &mut self,
        c: &mut Constrained,
        own: &mut Whole,
        mut node: Node,
        stop: &mut dyn FnMut() -> bool,
    ) {
        let (n, m) = own.lens;
        let (mut lo, mut hi) = node.bounds(&self.form);
        lo.truncate(n + m);
        hi.truncate(n + m);
        if (0..n + m).any(|i| lo[i] > hi[i]) {
            return;
        }
        for round in 0.. {
            self.spend(1);
            let Some(z) = own.relaxed(&lo, &hi, &mut node.bound) else { return };
            let bound = node.bound;
            if self.cuts(bound) || stop() {
                // Nothing is lost by a stop: the run ends and reads the bound of this node.
                if self.worth(bound) {
                    self.put_back(node);
                }
                return;
            }
            let distance = |i: usize| (z[i] - z[i].round()).abs();
            let split = own.whole.iter().copied().filter(|&i| lo[i] < hi[i] && distance(i) > WHOLE);
            // The leader's first: the follower's answer is known once they are fixed.
            if let Some(i) =
                split.max_by(|&a, &b| (a < n).cmp(&(b < n)).then(distance(a).total_cmp(&distance(b))))
            {
                return self.branch(node, bound, Choice::Whole(i), (&z, &lo, &hi));
            }
            let mut x = z[..n].to_vec();
            for &i in own.whole.iter().filter(|&&i| i < n) {
                x[i] = x[i].round();
            }
            let answer = match own.answer(&x) {
                Answer::Solved(answer) => Some(answer.z),
                // No answer here: neither this `x` nor, where it is fixed, this node.
                Answer::Infeasible | Answer::Unbounded(_) => None,
                Answer::Unsolved => return self.give_up(bound),
            };
            if let Some(answer) = &answer {
                if !self.best_at(c, own, &x, answer, &z) {
                    return self.give_up(bound);
                }
                if self.unbounded || self.cuts(bound) {
                    return;
                }
            }
            let fixed = own.branch_on(None, &x, &lo, &hi).is_none();
            if fixed {
                let exact = own.linking.iter().all(|&i| lo[i] == hi[i]);
                // Smaller boxes than this are not told apart.
                if !exact {
                    self.give_up(bound);
                }
                return;
            }
            if let Some(answer) = &answer {
                let new = own.pool.len() < KEPT && !own.pool.contains(answer);
                if new {
                    own.pool.push(answer.clone());
                }
                if round < ROUNDS && new && own.first_off(answer, &lo, &hi).is_none() {
                    continue;
                }
            }
            let at = own.branch_on(answer.as_deref(), &x, &lo, &hi);
            let Some((i, last)) = at else { return self.give_up(bound) };
            if own.whole.contains(&i) {
                let mut z = z;
                z[i] = last + 0.25;
                return self.branch(node, bound, Choice::Whole(i), (&z, &lo, &hi));
            }
            return self.branch(node, bound, Choice::Cut(i), (&z, &lo, &hi));
        }
    }

    /// Whether a bound is worth going on with.
    fn worth(&self, bound: f64) -> bool {
        self.best
            .as_ref()
            .is_none_or(|best| bound < best.objective - 0.5 * self.tolerance * best.objective.abs().max(1.0))
    }

    /// The leader's best point at the linking variables of `x`, or, pessimistic, the worst of the follower's answers; `near` is the
    /// node's solution, `answer` one of the follower's best answers. False when it could not be solved for.
    fn best_at(
        &mut self,
        c: &mut Constrained,
        own: &mut Whole,
        x: &[f64],
        answer: &[f64],
        near: &[f64],
    ) -> bool {
        let key: Vec<u64> = own.linking.iter().map(|&i| x[i].to_bits()).collect();
        if own.done.contains(&key) {
            return true;
        }
        let found =
            if own.pessimistic { own.worst(x, answer) } else { self.best_of(c, own, x, answer, near) };
        match found {
            Answer::Solved(solved) => {
                let z = if own.pessimistic { [x, &solved.z].concat() } else { solved.z };
                self.take(c, own, z);
            }
            // The worst answer of a pessimistic leader may have no end: that is as good as no answer.
            Answer::Unbounded(_) => self.unbounded |= !own.pessimistic,
            Answer::Infeasible => {}
            Answer::Unsolved => return false,
        }
        own.done.insert(key);
        true
    }

    /// The leader's best point at `x`; the node's own solution is taken first, where it is one of the follower's answers.
    fn best_of(
        &mut self,
        c: &mut Constrained,
        own: &Whole,
        x: &[f64],
        answer: &[f64],
        near: &[f64],
    ) -> Answer {
        let (_, lower) = own.follower(x);
        let (value, y) = (lower.at(answer), &near[x.len()..]);
        let mut rounded = y.to_vec();
        own.whole_lower().iter().for_each(|&i| rounded[i] = rounded[i].round());
        if lower.at(&rounded) <= value + LEVEL * value.abs().max(1.0) {
            self.take(c, own, [x, &rounded].concat());
        }
        own.best(x, answer)
    }

    /// Takes a point that is an answer of the follower, if it holds all rows and is better than the best.
    fn take(&mut self, c: &mut Constrained, own: &Whole, z: Vec<f64>) {
        if !own.lines.iter().all(|line| line.holds(&z, 1e-7)) {
            return;
        }
        let objective = own.objective.at(&z);
        if self.best.as_ref().is_none_or(|best| objective < best.objective) {
            let violation = own
                .lines
                .iter()
                .map(|line| if line.equal { line.at(&z).abs() } else { line.at(&z).max(0.0) });
            let violation = violation.fold(0.0, f64::max);
            let mut full = vec![0.0; c.single.len()];
            full[..z.len()].copy_from_slice(&z);
            self.best = Some(Best { z: full, objective, violation });
        }
    }
}

impl Whole {
    /// The solution of the relaxation over a box, with the rows of answers met, and the `bound` raised; `None` where there is no point.
    fn relaxed(&self, lo: &[f64], hi: &[f64], bound: &mut f64) -> Option<Vec<f64>> {
        let mut lines = self.lines.clone();
        self.cuts(lo, hi, &mut lines);
        let somewhere = || Some(lo.iter().zip(hi).map(between).collect());
        match solve(&self.objective, &lines, lo, hi) {
            Answer::Infeasible => None,
            Answer::Solved(solved) => {
                if solved.exact {
                    *bound = bound.max(solved.bound);
                }
                Some(solved.z)
            }
            Answer::Unbounded(_) => match solve(&Quadratic::zero(lo.len()), &lines, lo, hi) {
                Answer::Infeasible => None,
                Answer::Solved(point) => Some(point.z),
                Answer::Unbounded(_) | Answer::Unsolved => somewhere(),
            },
            Answer::Unsolved => somewhere(),
        }
    }
}

/// A point between two ends.
fn between((lo, hi): (&f64, &f64)) -> f64 {
    match (lo.is_finite(), hi.is_finite()) {
        (true, true) => 0.5 * (lo + hi),
        (true, false) => *lo,
        (false, true) => *hi,
        (false, false) => 0.0,
    }
}
