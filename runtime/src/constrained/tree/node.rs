//! An open end of the tree: what was decided on the way to it, and the bound inherited.

use std::cmp::Ordering;

use super::form::Form;
use crate::state::State;

/// New bounds of a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// The variable.
    pub at: usize,
    /// Its lower bound from now on.
    pub lo: f64,
    /// Its upper bound from now on.
    pub hi: f64,
}

/// An open end.
#[derive(Clone, Debug)]
pub struct Node {
    /// The decisions.
    pub decisions: Vec<Decision>,
    /// A bound of the objective below it.
    pub bound: f64,
    /// The order of making.
    pub number: usize,
}

/// The most decisions that a node is read back with.
const DECISIONS: usize = 100_000;

impl Node {
    /// All of it.
    pub fn state(&mut self, state: &mut dyn State) {
        let mut decisions = self.decisions.len();
        state.count(&mut decisions);
        self.decisions.resize(decisions.min(DECISIONS), Decision { at: 0, lo: 0.0, hi: 0.0 });
        for decision in &mut self.decisions {
            state.count(&mut decision.at);
            state.number(&mut decision.lo);
            state.number(&mut decision.hi);
        }
        state.number(&mut self.bound);
        state.count(&mut self.number);
    }

    /// The bounds in force.
    pub fn bounds(&self, form: &Form) -> (Vec<f64>, Vec<f64>) {
        let (mut lo, mut hi) = (form.lo.clone(), form.hi.clone());
        for d in &self.decisions {
            lo[d.at] = lo[d.at].max(d.lo);
            hi[d.at] = hi[d.at].min(d.hi);
        }
        (lo, hi)
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Node {}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Node {
    /// The one to look at first is the greatest: that with the lowest bound, of these the deepest, then the first made.
    fn cmp(&self, other: &Self) -> Ordering {
        let bound = other.bound.total_cmp(&self.bound);
        let depth = self.decisions.len().cmp(&other.decisions.len());
        bound.then(depth).then(other.number.cmp(&self.number))
    }
}
