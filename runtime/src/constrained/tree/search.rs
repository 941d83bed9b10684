//! The search through the tree: the open end with the lowest bound first, and from there downwards to a leaf before the next one
//! is taken up, so that points are found early.

use std::collections::BinaryHeap;

use super::super::local::Local;
use super::super::relax::FEASIBLE;
use super::super::{Constrained, Found};
use super::Proof;
use super::convex::convex_form;
use super::form::{self, Form, Quadratic};
use super::node::Node;
use super::qp::{Answer, Solved, solve};
use super::spatial::Spatial;
use super::value::Value;
use super::whole::Whole;
use super::worst::{Pessimistic, pessimistic};
use crate::linear::blas1::largest;
use crate::state::State;

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
    /// There are, and as many programs were solved as may be.
    Spent,
}

/// What a tree is told before it begins.
#[derive(Clone, Debug)]
pub struct Task {
    /// The gap wanted, relative.
    pub tolerance: f64,
    /// The most programs to solve for bounds; `None` for as many as it takes.
    pub budget: Option<usize>,
    /// Of drawn starts.
    pub seed: u64,
    /// The model's upper variables at its start.
    pub x: Vec<f64>,
    /// Whether the lower level is known to be convex.
    pub convex: bool,
}

/// Starts of the local runs that a tree in boxes has its points from: one before every node, and all of them before it ends
/// without a proof.
const STARTS: usize = 9;

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
    pub(super) open: BinaryHeap<Node>,
    pub(super) next: Option<Node>,
    /// What bounds boxes, where the form is not affine.
    pub(super) spatial: Option<Box<Spatial>>,
    /// The follower, where it has whole numbers or the leader is pessimistic.
    pub(super) whole: Option<Box<Whole>>,
    /// Both levels side by side, where the follower's conditions do not tell its answers.
    pub(super) value: Option<Box<Value>>,
    /// Where the follower's worst answer stands, for a pessimistic leader.
    answer: Option<usize>,
    /// The best point.
    pub best: Option<Best>,
    /// The lowest bound of an end that was left since the best point is as good.
    pub(super) left: f64,
    /// The lowest bound of an end that was given up.
    given_up: f64,
    /// The gap wanted.
    pub(super) tolerance: f64,
    /// Where points come from, where nodes are boxes or do not bound the objective.
    local: Option<Box<Local>>,
    /// Nodes looked at.
    pub nodes: usize,
    /// Programs solved for bounds, counted where there is a budget.
    work: usize,
    budget: usize,
    pub(super) made: usize,
    pub(super) unbounded: bool,
}

impl Tree {
    /// The tree of a problem; an error says what its single-level form is not.
    pub fn new(c: &mut Constrained, task: &Task) -> Result<Self, String> {
        let (n, _) = c.lens;
        // Once all upper variables are whole numbers, the worst answer need only be found at each of them.
        let counted = (0..n).all(|i| c.whole.contains(&i) || c.single.lo[i] == c.single.hi[i]);
        if c.whole.iter().any(|at| *at >= n) || c.pessimistic && counted {
            let whole = Whole::new(c)?;
            return Ok(Tree { whole: Some(Box::new(whole)), ..Tree::start(form::in_boxes(c), task) });
        }
        if c.pessimistic
            && let Pessimistic::Form(form) = pessimistic(c)?
        {
            let convex = convex_form(&form.objective, &form.lines, &form.pairs, &form.lo, &form.hi);
            let answer = Some(c.single.len());
            return Ok(Tree { convex, answer, ..Tree::start(*form, task) });
        }
        let (form, spatial) = match form::read(c) {
            Ok(form) => (form, None),
            Err(reason) => match Spatial::new(c) {
                Some(spatial) => (form::in_boxes(c), Some(Box::new(spatial))),
                None => {
                    let value = Value::new(c).ok_or(reason)?;
                    let start = Tree::start(value.form(), task);
                    let local = Some(Box::new(Local::new(c, &task.x, task.seed, task.convex)));
                    return Ok(Tree { value: Some(Box::new(value)), local, ..start });
                }
            },
        };
        let convex = convex_form(&form.objective, &form.lines, &form.pairs, &form.lo, &form.hi);
        // Without a convex form boxes bound the objective, where the compiler wrote its terms.
        let spatial = if convex.is_none() { Spatial::new(c).map(Box::new) } else { spatial };
        // An objective that nodes do not bound leaves nothing but what local runs find.
        let open = spatial.is_some() || convex.is_none();
        let local = open.then(|| Box::new(Local::new(c, &task.x, task.seed, task.convex)));
        Ok(Tree { convex, local, spatial, ..Tree::start(form, task) })
    }

    fn start(form: Form, task: &Task) -> Self {
        let root = Node { decisions: Vec::new(), bound: f64::NEG_INFINITY, number: 0 };
        Tree {
            form,
            convex: None,
            open: BinaryHeap::new(),
            next: Some(root),
            answer: None,
            spatial: None,
            whole: None,
            value: None,
            best: None,
            left: f64::INFINITY,
            given_up: f64::INFINITY,
            tolerance: task.tolerance,
            local: None,
            nodes: 0,
            work: 0,
            budget: task.budget.unwrap_or(usize::MAX),
            made: 1,
            unbounded: false,
        }
    }

    /// The best point of the local runs with what is known of it, be it an answer or not; `None` where points come from nodes alone, or one
    /// that was proved to be an answer is as good.
    pub fn found(&self) -> Option<&Found> {
        let found = self.local.as_ref()?.best.as_ref()?;
        let as_good = |best: &Best| !found.answered || best.objective <= found.objective;
        let proved = self.value.is_some() && self.best.as_ref().is_some_and(as_good);
        (!proved).then_some(found)
    }

    /// Counts programs solved for bounds.
    pub(super) fn spend(&mut self, programs: usize) {
        self.work += programs;
    }

    /// Whether the budget is spent.
    pub(super) fn is_spent(&self) -> bool {
        self.work >= self.budget
    }

    /// Whether there are starts of local runs left.
    fn has_starts(&self, c: &Constrained) -> bool {
        Local::starts(c) && self.local.as_ref().is_some_and(|local| local.begun < STARTS)
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
        state.count(&mut self.work);
        state.count(&mut self.made);
        state.flag(&mut self.unbounded);
        if let Some(local) = &mut self.local {
            local.state(state);
        }
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
    pub fn end(&self, c: &Constrained) -> End {
        if self.unbounded {
            return End::Unbounded;
        }
        let open = self.next.is_some() || !self.open.is_empty();
        if open && !self.is_spent() {
            return End::Open;
        }
        match &self.best {
            Some(_) if self.proof().gap <= self.tolerance => End::Proved,
            None if !open && self.given_up == f64::INFINITY => End::Infeasible,
            _ if self.has_starts(c) => End::Open,
            _ if open => End::Spent,
            _ => End::Unresolved,
        }
    }

    /// What is proved of the point that is returned.
    pub fn proof_of_found(&self) -> Proof {
        let proof = self.proof();
        match self.found().filter(|found| found.answered) {
            Some(found) => {
                let gap = (found.objective - proof.bound) / found.objective.abs().max(1.0);
                Proof { gap, ..proof }
            }
            None => proof,
        }
    }

    /// What is proved so far of the best point.
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
        // By value points are proved to be answers, which those of local runs are not: these are for trees that are not closed.
        let ended = self.is_spent() || self.next.is_none() && self.open.is_empty();
        if self.has_starts(c) && (self.value.is_none() || ended) {
            self.look(c, &mut |local, c| local.next(c, &mut |_| stop()));
        }
        if self.is_spent() || self.unbounded || stop() {
            return;
        }
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
        self.spend(1);
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

    /// Lets a local run be made, and takes its point if it is better.
    pub(super) fn look(&mut self, c: &mut Constrained, run: &mut dyn FnMut(&mut Local, &mut Constrained)) {
        let Some(local) = &mut self.local else { return };
        run(local, c);
        let Some(found) = local.answer() else { return };
        self.unbounded |= found.is_ray();
        if self.value.is_none() && self.best.as_ref().is_none_or(|best| found.objective < best.objective) {
            let (z, objective, violation) = (found.z.clone(), found.objective, found.violation);
            self.best = Some(Best { z, objective, violation });
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
        let objective = self.form.objective.at(z);
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
}
