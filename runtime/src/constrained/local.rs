//! Local solutions of the single-level form, one start after the other, and the best of them: what `kkt` is, and where trees have their
//! points from. The first two starts are at the model's upper variables, the others at drawn ones; of each the follower is solved
//! at `x`, or, every third time, lower variables are drawn and multipliers and slacks are 1 (see `relax`). Where the follower has a better
//! answer than the one found, and has few variables, that answer's branch gives a cut (see `cuts`), and the run is repeated.

use std::cmp::Ordering;

use super::check::check_follower;
use super::cuts::{BRANCHES, VARIABLES};
use super::nlp::Nlp;
use super::relax::{self, From};
use super::{Constrained, Found};
use crate::state::State;

/// Boxes for the follower with few variables that is not convex, where a start ended.
const BOXES: usize = 600;
/// Runs per start, each with one more cut.
const ROUNDS: usize = 5;
/// Steps for solving the follower again where a start ended.
const FOLLOWER_STEPS: usize = 1000;

/// The starts made so far and what came out.
pub struct Local {
    start: Vec<f64>,
    /// Starts made.
    pub begun: usize,
    /// Whether the patterns of the programs were learned.
    learned: bool,
    seed: u64,
    /// Whether the lower level is known to be convex.
    convex: bool,
    /// The best point so far.
    pub best: Option<Found>,
    /// The branches of the follower's answers that cuts were made of, one after the other.
    branches: Vec<f64>,
    /// A point of the right lengths, for one that is put back.
    empty: Found,
}

impl Local {
    /// No start made. `x`: the upper variables of the first ones; `convex`: whether the lower level is known to be.
    pub fn new(c: &Constrained, x: &[f64], seed: u64, convex: bool) -> Self {
        Local {
            start: x.to_vec(),
            begun: 0,
            learned: false,
            seed,
            convex,
            best: None,
            branches: Vec::new(),
            empty: Found::empty(c.single.len(), c.single.equal.len()),
        }
    }

    /// The best point, where it is one that the model allows: feasible, and an answer of the follower.
    pub fn answer(&self) -> Option<&Found> {
        self.best.as_ref().filter(|best| best.answered)
    }

    /// Whether starts are of use: not where variables are whole, which a local run does not know.
    pub fn starts(c: &Constrained) -> bool {
        c.whole.is_empty()
    }

    /// One more start. `watch` is asked within a run and stops it.
    pub fn next(&mut self, c: &mut Constrained, watch: &mut dyn FnMut(&Nlp) -> bool) {
        self.learn(c);
        let (x, from) = self.next_start(&c.single);
        self.run(c, (x, None, from), watch);
    }

    /// A run from upper variables `x`, with the follower solved from `y`; whole variables are held where they are.
    pub fn near(&mut self, c: &mut Constrained, x: &[f64], y: &[f64], watch: &mut dyn FnMut(&Nlp) -> bool) {
        self.learn(c);
        let held = hold(c, &[x, y].concat());
        self.run(c, (x.to_vec(), Some(y.to_vec()), From::Answer(1e-3)), watch);
        release(c, held);
    }

    /// The piece of the single-level form that is nearest to `z`, with the pieces beside it; whole variables are held at the nearest
    /// whole numbers.
    pub fn beside(&mut self, c: &mut Constrained, z: &[f64], watch: &mut dyn FnMut(&Nlp) -> bool) {
        self.learn(c);
        let held = hold(c, z);
        if let Some(found) = relax::beside(c, z, watch)
            && self.answer().is_none_or(|best| found.objective < best.objective - worth(best))
        {
            self.keep(c, found, watch);
        }
        release(c, held);
    }

    /// Lets every start begin with the same patterns, so that one that goes on from a checkpoint has the same bits.
    fn learn(&mut self, c: &mut Constrained) {
        let again = self.begun > 0 && !self.learned;
        c.single.learn_at(&[], !self.learned);
        if again {
            c.single.take_calls();
        }
        if let Some(follower) = &mut c.follower {
            follower.nlp.learn_at(&self.start, !self.learned);
            if again {
                follower.nlp.take_calls();
            }
        }
        self.learned = true;
    }

    /// The upper variables of the next start, first the model's and then drawn ones, and where the rest starts.
    fn next_start(&mut self, nlp: &Nlp) -> (Vec<f64>, From) {
        let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(self.begun as u64);
        let from = match self.begun % 3 {
            0 => From::Answer(1.0),
            1 => From::Anywhere(seed),
            // Closer to the follower's own answer from the beginning.
            _ => From::Answer(1e-3),
        };
        self.begun += 1;
        if self.begun <= 2 {
            return (self.start.clone(), from);
        }
        (nlp.drawn(seed)[..self.start.len()].to_vec(), from)
    }

    /// Runs from there, and again with one more cut each time.
    fn run(
        &mut self,
        c: &mut Constrained,
        from: (Vec<f64>, Option<Vec<f64>>, From),
        watch: &mut dyn FnMut(&Nlp) -> bool,
    ) {
        if let Some(cuts) = &mut c.cuts {
            cuts.branches = self.branches.chunks(c.lens.1.max(1)).map(<[f64]>::to_vec).collect();
        }
        let mut next = Some(from);
        for _ in 0..ROUNDS {
            let Some((x, near, from)) = next.take() else { break };
            let Some(found) = relax::run(c, &x, near.as_deref(), from, watch) else { break };
            let x = found.z[..c.lens.0].to_vec();
            let Some(better) = self.keep(c, found, watch) else { break };
            if let (Some(cuts), Some(follower)) = (&mut c.cuts, &mut c.follower)
                && cuts.remember(&mut follower.nlp, &x, &better)
            {
                self.branches.extend(&better);
                next = Some((x, Some(better), From::Answer(1.0)));
            }
        }
    }

    /// Keeps the better of the best point and a new one: one that is no answer of the follower is worse than any that is. The
    /// follower's better answer is returned, where it has one.
    fn keep(
        &mut self,
        c: &mut Constrained,
        mut found: Found,
        watch: &mut dyn FnMut(&Nlp) -> bool,
    ) -> Option<Vec<f64>> {
        let (n, m) = c.lens;
        if self.answer().is_some_and(|best| found.objective >= best.objective) {
            return None;
        }
        let mut better_answer = None;
        found.answered = found.feasible()
            && c.follower.as_mut().is_none_or(|follower| {
                let (x, y) = (&found.z[..n], &found.z[n..n + m]);
                let lower = check_follower(follower, x, y, self.convex, (FOLLOWER_STEPS, BOXES), watch).0;
                better_answer =
                    (!lower.solved && lower.polished && lower.gap > 0.0).then_some(lower.solution);
                lower.solved
            });
        let better = self.best.as_ref().is_none_or(|best| {
            let rank = |f: &Found| (f.feasible(), f.answered);
            match rank(&found).cmp(&rank(best)) {
                Ordering::Equal if found.feasible() => found.objective < best.objective,
                Ordering::Equal => found.violation < best.violation,
                order => order.is_gt(),
            }
        });
        if better {
            self.best = Some(found);
        }
        better_answer
    }

    /// All that a start changes.
    pub fn state(&mut self, state: &mut dyn State) {
        state.count(&mut self.begun);
        let mut of_branches = self.branches.len();
        state.count(&mut of_branches);
        self.branches.resize(of_branches.min(BRANCHES * VARIABLES), 0.0);
        state.numbers(&mut self.branches);
        let mut any = self.best.is_some();
        state.flag(&mut any);
        if any {
            self.best.get_or_insert_with(|| self.empty.clone()).state(state);
        }
    }
}

/// What a point found beside another one is to be better by: a stationary point is not given away for less.
fn worth(best: &Found) -> f64 {
    1e-8 * best.objective.abs().max(1.0)
}

/// Holds whole variables at the nearest whole numbers and returns the bounds they had.
fn hold(c: &mut Constrained, z: &[f64]) -> Vec<(f64, f64)> {
    let Constrained { single, whole, .. } = c;
    let held = whole.iter().map(|&i| (single.lo[i], single.hi[i])).collect();
    for &i in whole.iter() {
        let at = z[i].round().max(single.lo[i]).min(single.hi[i]);
        (single.lo[i], single.hi[i]) = (at, at);
    }
    held
}

fn release(c: &mut Constrained, held: Vec<(f64, f64)>) {
    let Constrained { single, whole, .. } = c;
    for (&i, (lo, hi)) in whole.iter().zip(held) {
        (single.lo[i], single.hi[i]) = (lo, hi);
    }
}
