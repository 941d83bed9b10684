//! The search through the tree: the open end with the lowest bound first, and from there downwards to a leaf before the next one
//! is taken up, so that points are found early.

use std::collections::BinaryHeap;

use super::super::Constrained;
use super::super::relax::FEASIBLE;
use super::Proof;
use super::convex::convex_form;
use super::form::{self, Form, Quadratic};
use super::node::{Decision, Node};
use super::qp::{Answer, Solved, solve};
use super::spatial::Spatial;
use super::value::Value;
use super::whole::Whole;
use super::worst::{Pessimistic, pessimistic};
use crate::linear::blas1::largest;
use crate::state::State;

/// An end of a pair is at its bound when it is no farther than this.
const MET: f64 = 1e-7;
/// A number is whole when it is this close to one.
pub(super) const WHOLE: f64 = 1e-6;

/// The most open ends that a tree is read back with.
const NODES: usize = 10_000_000;

/// What a tree has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// There are open ends.
    Open,
    /// There are none, and the best point is proved to be the best.
    Proved,
    /// There are none, and no point was found.
    Infeasible,
    /// The objective falls without end.
    Unbounded,
    /// There are none, but some were left unsolved, so that nothing is proved.
    Unresolved,
}

/// The best point.
#[derive(Clone, Debug)]
pub struct Best {
    /// The point of the single-level form.
    pub z: Vec<f64>,
    /// Its objective.
    pub objective: f64,
    /// Its largest violation of a row, a bound or a pair.
    pub violation: f64,
}

/// The tree.
pub struct Tree {
    pub(super) form: Form,
    /// The objective in convex form for the whole tree, where there is one.
    convex: Option<Quadratic>,
    open: BinaryHeap<Node>,
    next: Option<Node>,
    /// What bounds boxes, where the form is not affine.
    pub(super) spatial: Option<Box<Spatial>>,
    /// The follower, where it has whole numbers or the leader is pessimistic.
    pub(super) whole: Option<Box<Whole>>,
    /// Both levels side by side, where the follower's conditions do not tell its answers.
    pub(super) value: Option<Box<Value>>,
    /// Where the follower's worst answer stands, for a pessimistic leader.
    answer: Option<usize>,
    /// Whether nodes are boxes.
    boxes: bool,
    /// The best point.
    pub best: Option<Best>,
    /// The lowest bound of an end that was left since the best point is as good.
    pub(super) left: f64,
    /// The lowest bound of an end that was given up.
    given_up: f64,
    /// The gap wanted.
    pub(super) tolerance: f64,
    /// Programs solved for bounds.
    pub nodes: usize,
    made: usize,
    pub(super) unbounded: bool,
}

impl Tree {
    /// The tree of a problem, to be searched until the gap is at most `tolerance`; an error says what its single-level form is
    /// not.
    pub fn new(c: &mut Constrained, tolerance: f64) -> Result<Self, String> {
        let (n, _) = c.lens;
        // Once all upper variables are whole numbers, the worst answer need only be found at each of them.
        let counted = (0..n).all(|i| c.whole.contains(&i) || c.single.lo[i] == c.single.hi[i]);
        if c.whole.iter().any(|at| *at >= n) || c.pessimistic && counted {
            let whole = Whole::new(c)?;
            return Ok(Tree { whole: Some(Box::new(whole)), ..Tree::start(form::in_boxes(c), tolerance) });
        }
        if c.pessimistic
            && let Pessimistic::Form(form) = pessimistic(c)?
        {
            let convex = convex_form(&form.objective, &form.lines, &form.pairs, &form.lo, &form.hi);
            let answer = Some(c.single.len());
            return Ok(Tree { convex, answer, ..Tree::start(*form, tolerance) });
        }
        let (form, spatial) = match form::read(c) {
            Ok(form) => (form, None),
            Err(reason) => match Spatial::new(c) {
                Some(spatial) => (form::in_boxes(c), Some(Box::new(spatial))),
                None => {
                    let value = Value::new(c).ok_or(reason)?;
                    let start = Tree::start(value.form(), tolerance);
                    return Ok(Tree { boxes: true, value: Some(Box::new(value)), ..start });
                }
            },
        };
        let convex = convex_form(&form.objective, &form.lines, &form.pairs, &form.lo, &form.hi);
        // Without a convex form boxes bound the objective, where the compiler wrote its terms.
        let spatial = if convex.is_none() { Spatial::new(c).map(Box::new) } else { spatial };
        Ok(Tree { convex, boxes: spatial.is_some(), spatial, ..Tree::start(form, tolerance) })
    }

    fn start(form: Form, tolerance: f64) -> Self {
        let root = Node { decisions: Vec::new(), bound: f64::NEG_INFINITY, number: 0 };
        Tree {
            form,
            convex: None,
            open: BinaryHeap::new(),
            next: Some(root),
            answer: None,
            boxes: false,
            spatial: None,
            whole: None,
            value: None,
            best: None,
            left: f64::INFINITY,
            given_up: f64::INFINITY,
            tolerance,
            nodes: 0,
            made: 1,
            unbounded: false,
        }
    }

    /// Whether nodes are boxes, so that points come from the compiled program.
    pub fn has_boxes(&self) -> bool {
        self.boxes
    }

    /// All that a step changes.
    pub fn state(&mut self, state: &mut dyn State) {
        let empty = || Node { decisions: Vec::new(), bound: 0.0, number: 0 };
        let mut nodes = std::mem::take(&mut self.open).into_vec();
        let mut open = nodes.len();
        state.count(&mut open);
        nodes.resize_with(open.min(NODES), empty);
        nodes.iter_mut().for_each(|node| node.state(state));
        self.open = nodes.into();
        let mut next = self.next.is_some();
        state.flag(&mut next);
        if next {
            self.next.get_or_insert_with(empty).state(state);
        } else {
            self.next = None;
        }
        let mut found = self.best.is_some();
        state.flag(&mut found);
        if found {
            let len = self.value.as_ref().map_or(self.form.lo.len(), |value| value.length);
            let len = self.answer.unwrap_or(len);
            let empty = || Best { z: vec![0.0; len], objective: 0.0, violation: 0.0 };
            let best = self.best.get_or_insert_with(empty);
            state.numbers(&mut best.z);
            state.number(&mut best.objective);
            state.number(&mut best.violation);
        }
        state.number(&mut self.left);
        state.number(&mut self.given_up);
        state.count(&mut self.nodes);
        state.count(&mut self.made);
        state.flag(&mut self.unbounded);
        if let Some(spatial) = &mut self.spatial {
            state.numbers(&mut spatial.widths);
        }
        if let Some(whole) = &mut self.whole {
            whole.state(state);
        }
        if let Some(value) = &mut self.value {
            value.state(state);
        }
    }

    /// What it has come to.
    pub fn end(&self) -> End {
        if self.unbounded {
            return End::Unbounded;
        }
        if self.next.is_some() || !self.open.is_empty() {
            return End::Open;
        }
        match &self.best {
            Some(_) if self.proof().gap <= self.tolerance => End::Proved,
            None if self.given_up == f64::INFINITY => End::Infeasible,
            _ => End::Unresolved,
        }
    }

    /// What is proved so far.
    pub fn proof(&self) -> Proof {
        let objective = self.best.as_ref().map_or(f64::INFINITY, |best| best.objective);
        let open = self.open.peek().map_or(f64::INFINITY, |node| node.bound);
        let next = self.next.as_ref().map_or(f64::INFINITY, |node| node.bound);
        let ends = open.min(next).min(self.given_up).min(self.left);
        let bound = if self.unbounded { f64::NEG_INFINITY } else { ends.min(objective) };
        let gap = (objective - bound) / objective.abs().max(1.0);
        Proof { nodes: self.nodes, bound, gap: if gap.is_nan() { f64::INFINITY } else { gap } }
    }

    /// Takes the next open end. `c` judges the points found; `stop` is asked between the programs solved at one node.
    pub fn step(&mut self, c: &mut Constrained, stop: &mut dyn FnMut() -> bool) {
        let Some(node) = self.next.take().or_else(|| self.open.pop()) else { return };
        if self.cuts(node.bound) {
            return;
        }
        self.nodes += 1;
        if let Some(spatial) = self.spatial.take() {
            return self.step_in_box(c, spatial, node, stop);
        }
        if let Some(whole) = self.whole.take() {
            return self.step_whole(c, whole, node, stop);
        }
        if let Some(value) = self.value.take() {
            return self.step_by_value(c, value, node, stop);
        }
        let (lo, hi) = node.bounds(&self.form);
        let own = if self.convex.is_some() { None } else { self.convex_at(&lo, &hi) };
        let convex = self.convex.as_ref().or(own.as_ref());
        let flat = Quadratic::zero(lo.len());
        let answer = solve(convex.unwrap_or(&flat), &self.form.lines, &lo, &hi);
        let bounded = convex.is_some();
        match answer {
            Answer::Infeasible => {}
            Answer::Solved(solved) => self.solved(c, node, (&lo, &hi), &solved, bounded),
            Answer::Unbounded(ray) => self.falls(node, (&lo, &hi), &ray),
            Answer::Unsolved => self.unsolved(node, (&lo, &hi)),
        }
    }

    /// A node whose objective falls along a ray, if it has a point at all.
    fn falls(&mut self, node: Node, (lo, hi): (&[f64], &[f64]), ray: &[f64]) {
        let flat = Quadratic::zero(lo.len());
        let point = match solve(&flat, &self.form.lines, lo, hi) {
            Answer::Infeasible => return,
            Answer::Solved(point) => point,
            Answer::Unbounded(_) | Answer::Unsolved => return self.unsolved(node, (lo, hi)),
        };
        let choice = self.violated(ray, lo, hi, true).or_else(|| self.violated(&point.z, lo, hi, false));
        match choice.or_else(|| self.undecided(lo, hi)) {
            Some(choice) => self.branch(node, f64::NEG_INFINITY, choice, (&point.z, lo, hi)),
            None => self.unbounded = true,
        }
    }

    /// A node on which the solver got stuck: those below it may be easier.
    fn unsolved(&mut self, node: Node, (lo, hi): (&[f64], &[f64])) {
        let bound = node.bound;
        match self.undecided(lo, hi) {
            Some(choice) => self.branch(node, bound, choice, (&vec![0.0; lo.len()], lo, hi)),
            None => self.given_up = self.given_up.min(bound),
        }
    }

    fn convex_at(&self, lo: &[f64], hi: &[f64]) -> Option<Quadratic> {
        convex_form(&self.form.objective, &self.form.lines, &self.form.pairs, lo, hi)
    }

    /// Whether nothing below a bound is worth looking at; then it is left.
    pub(super) fn cuts(&mut self, bound: f64) -> bool {
        let Some(best) = &self.best else { return false };
        let cut = bound >= best.objective - 0.5 * self.tolerance * best.objective.abs().max(1.0);
        if cut {
            self.left = self.left.min(bound);
        }
        cut
    }

    /// A node whose program was solved; `bounded` when its objective was the model's.
    fn solved(
        &mut self,
        c: &mut Constrained,
        node: Node,
        (lo, hi): (&[f64], &[f64]),
        solved: &Solved,
        bounded: bool,
    ) {
        let bound = if bounded && solved.exact { solved.bound.max(node.bound) } else { node.bound };
        if self.cuts(bound) {
            return;
        }
        let violated = self.violated(&solved.z, lo, hi, false);
        if violated.is_none() || node.decisions.is_empty() {
            self.piece(c, &solved.z, lo, hi);
            if bounded && self.cuts(bound) {
                return;
            }
        }
        match violated.or_else(|| self.undecided(lo, hi)) {
            Some(choice) => self.branch(node, bound, choice, (&solved.z, lo, hi)),
            // Everything is decided, so what was solved is all there is here.
            None if bounded && solved.exact && self.offer(c, &solved.z) => {}
            None => self.given_up = self.given_up.min(bound),
        }
    }

    /// Solves with every pair held at the end that is nearer at `z`, and every whole number at the nearest.
    fn piece(&mut self, c: &mut Constrained, z: &[f64], lo: &[f64], hi: &[f64]) {
        let (mut lo, mut hi) = (lo.to_vec(), hi.to_vec());
        self.hold_nearest(z, &mut lo, &mut hi);
        let convex = self.convex.clone().or_else(|| self.convex_at(&lo, &hi));
        let Some(convex) = convex else { return };
        if let Answer::Solved(solved) = solve(&convex, &self.form.lines, &lo, &hi) {
            self.offer(c, &solved.z);
        }
    }

    /// Holds every pair at the end that is nearer at `z`, and every whole number at the nearest, as far as the bounds allow.
    pub(super) fn hold_nearest(&self, z: &[f64], lo: &mut [f64], hi: &mut [f64]) {
        for &i in &self.form.whole {
            let whole = z[i].round().max(lo[i]).min(hi[i]);
            (lo[i], hi[i]) = (whole, whole);
        }
        for k in 0..self.form.pairs.len() {
            let pair = self.form.pairs[k];
            let (a, b) = self.factors(k, z);
            let at = if a < b { pair.multiplier } else { pair.variable };
            let end = self.end_of(k, a < b);
            if lo[at] <= end && end <= hi[at] {
                (lo[at], hi[at]) = (end, end);
            }
        }
    }

    /// Looks at a node once more.
    pub(super) fn put_back(&mut self, node: Node) {
        self.next = Some(node);
    }

    /// An end that is left unsolved.
    pub(super) fn give_up(&mut self, bound: f64) {
        self.given_up = self.given_up.min(bound);
    }

    /// Takes a point if it holds all that must hold and is better than the best; true when it holds.
    pub(super) fn offer(&mut self, c: &mut Constrained, z: &[f64]) -> bool {
        let violation = if self.answer.is_some() { self.form.violation(z) } else { c.violation(z) };
        let whole = self.form.whole.iter().all(|&i| (z[i] - z[i].round()).abs() <= WHOLE);
        if !whole || violation > 0.1 * FEASIBLE * largest(z).max(1.0) {
            return false;
        }
        let objective = if self.boxes { c.single.objective(z) } else { self.form.objective.at(z) };
        if self.best.as_ref().is_none_or(|best| objective < best.objective) {
            let mut z = z.to_vec();
            if let Some(at) = self.answer {
                // What the leader counts on stands for the follower's answer.
                let (n, m) = c.lens;
                z.copy_within(at..at + m, n);
                z.truncate(at);
            }
            self.best = Some(Best { z, objective, violation });
        }
        true
    }

    /// The factors of a pair.
    fn factors(&self, k: usize, z: &[f64]) -> (f64, f64) {
        let pair = self.form.pairs[k];
        let (end, at) = (self.end_of(k, false), z[pair.variable]);
        (z[pair.multiplier], if pair.high { end - at } else { at - end })
    }

    /// The value of the multiplier, or of the variable, when it is at its bound.
    fn end_of(&self, k: usize, multiplier: bool) -> f64 {
        let pair = self.form.pairs[k];
        match (multiplier, pair.high) {
            (true, _) => 0.0,
            (false, true) => self.form.hi[pair.variable],
            (false, false) => self.form.lo[pair.variable],
        }
    }

    /// Whether neither end of a pair is fixed.
    fn is_free(&self, k: usize, lo: &[f64], hi: &[f64]) -> bool {
        let pair = self.form.pairs[k];
        let fixed = |at: usize, end: f64| lo[at] == hi[at] && lo[at] == end;
        !fixed(pair.multiplier, 0.0) && !fixed(pair.variable, self.end_of(k, false))
    }

    /// What `z` violates most; of a ray, the pair both of whose ends it leaves fastest.
    pub(super) fn violated(&self, z: &[f64], lo: &[f64], hi: &[f64], ray: bool) -> Option<Choice> {
        let size = if ray { largest(z) } else { 1.0 };
        let mut worst = (MET * size, None);
        for k in (0..self.form.pairs.len()).filter(|&k| self.is_free(k, lo, hi)) {
            let (a, b) = if ray {
                let pair = self.form.pairs[k];
                (z[pair.multiplier], pair.slope() * z[pair.variable])
            } else {
                self.factors(k, z)
            };
            if a.min(b) > worst.0 {
                worst = (a.min(b), Some(Choice::Pair(k)));
            }
        }
        if ray || worst.1.is_some() {
            return worst.1;
        }
        let distance = |i: usize| (z[i] - z[i].round()).abs();
        let open = self.form.whole.iter().copied().filter(|&i| lo[i] < hi[i] && distance(i) > WHOLE);
        open.max_by(|&a, &b| distance(a).total_cmp(&distance(b))).map(Choice::Whole)
    }

    /// Something that is not decided yet.
    pub(super) fn undecided(&self, lo: &[f64], hi: &[f64]) -> Option<Choice> {
        let pair = (0..self.form.pairs.len()).find(|&k| self.is_free(k, lo, hi)).map(Choice::Pair);
        pair.or_else(|| self.form.whole.iter().copied().find(|&i| lo[i] < hi[i]).map(Choice::Whole))
    }

    /// Makes two open ends of one; the one nearer to `z` is looked at next.
    pub(super) fn branch(
        &mut self,
        node: Node,
        bound: f64,
        choice: Choice,
        (z, lo, hi): (&[f64], &[f64], &[f64]),
    ) {
        let (near, far) = match choice {
            Choice::Pair(k) => {
                let pair = self.form.pairs[k];
                let end = self.end_of(k, false);
                let multiplier = Decision { at: pair.multiplier, lo: 0.0, hi: 0.0 };
                let variable = Decision { at: pair.variable, lo: end, hi: end };
                let (a, b) = self.factors(k, z);
                if a < b { (multiplier, variable) } else { (variable, multiplier) }
            }
            Choice::Whole(i) => {
                let last = z[i].floor().max(lo[i]).min(hi[i] - 1.0);
                let below = Decision { at: i, lo: f64::NEG_INFINITY, hi: last };
                let above = Decision { at: i, lo: last + 1.0, hi: f64::INFINITY };
                if z[i] < last + 0.5 { (below, above) } else { (above, below) }
            }
            Choice::Cut(i) => {
                let at = place(z[i], lo[i], hi[i]);
                let below = Decision { at: i, lo: f64::NEG_INFINITY, hi: at };
                let above = Decision { at: i, lo: at, hi: f64::INFINITY };
                if z[i] < at { (below, above) } else { (above, below) }
            }
        };
        for (decision, first) in [(far, false), (near, true)] {
            let mut decisions = node.decisions.clone();
            decisions.push(decision);
            let child = Node { decisions, bound, number: self.made };
            self.made += 1;
            if first {
                self.next = Some(child);
            } else {
                self.open.push(child);
            }
        }
    }
}

/// Where to cut an interval, near `z` but away from its ends.
fn place(z: f64, lo: f64, hi: f64) -> f64 {
    match (lo.is_finite(), hi.is_finite()) {
        (true, true) => (0.5 * z + 0.25 * (lo + hi)).max(lo + 0.2 * (hi - lo)).min(hi - 0.2 * (hi - lo)),
        (true, false) => z.max(lo) + 0.5 * (z - lo).max(0.0) + lo.abs().max(1.0),
        (false, true) => z.min(hi) - 0.5 * (hi - z).max(0.0) - hi.abs().max(1.0),
        (false, false) => z,
    }
}

/// What to branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// A pair.
    Pair(usize),
    /// A whole number.
    Whole(usize),
    /// A variable whose interval is to be cut.
    Cut(usize),
}
