//! Branching in boxes, where the single-level form is not affine: products of variables of both levels, a Hessian of the follower
//! that varies with `x`, an upper objective without convex form. Every node is a box. It is shrunk by intervals (`contract`), then bounded
//! by a linear relaxation (`relaxation`), whose solution says where to cut: at a pair that is violated, a whole number, or a variable below
//! the product that is farthest off. Points come from local solves of the piece that is nearest to the relaxation's solution.
//!
//! Bounds of multipliers are found, not asked for: by the rows, by the best objective so far and by minimising and maximising single variables
//! over the relaxation. A proof needs them only where a multiplier stands in a product.
//!
//! Source: H. S. Ryoo, N. V. Sahinidis, "A branch-and-reduce approach to global optimization", J. Global Optimization 8 (1996); A. M.
//! Gleixner, T. Berthold, B. Müller, S. Weltge, J. Global Optimization 67 (2017) for the tightening of bounds by optimisation.

use super::super::relax::FEASIBLE;
use super::super::{Constrained, Degree};
use super::branch::Choice;
use super::contract::Contractor;
use super::convex::is_semidefinite;
use super::form::{Line, Quadratic, program};
use super::node::{Decision, Node};
use super::qp::{Answer, Solved, solve};
use super::relaxation::{Relaxation, wide};
use super::search::Tree;
use super::terms::Ends;
use crate::linear::blas1::largest;

/// Rounds of tangents at the solution.
const ROUNDS: usize = 4;
/// Tangents are added where a function is off by this, relative.
const OFF: f64 = 1e-7;
/// Variables whose bounds are tightened by optimisation at one node.
const TIGHTENED: usize = 6;
/// A bound is worth keeping when it takes this part of an interval away.
const WORTH: f64 = 0.15;

/// What is the same at all nodes.
pub struct Spatial {
    pub(super) relaxation: Relaxation,
    /// The objective where it is quadratic and convex.
    pub(super) convex: Option<Quadratic>,
    /// The widths of the first box after it was shrunk.
    pub(super) widths: Vec<f64>,
}

impl Spatial {
    /// The relaxation of the single-level form; `None` where the compiler wrote no terms.
    pub fn new(c: &mut Constrained) -> Option<Self> {
        let terms = c.terms.as_ref()?;
        let n = c.single.len();
        let relaxation = Relaxation::new(terms, &c.single.equal, n);
        let convex = if c.degrees.objective <= Degree::Quadratic {
            let mut objective = program(&mut c.single).1;
            objective.linear.resize(relaxation.columns(), 0.0);
            Some(objective).filter(is_semidefinite)
        } else {
            None
        };
        Some(Spatial { relaxation, convex, widths: vec![f64::INFINITY; n] })
    }
}

/// A box with what is known in it.
pub(super) struct Place {
    pub(super) lo: Vec<f64>,
    pub(super) hi: Vec<f64>,
    pub(super) over: Vec<Ends>,
    pub(super) lines: Vec<Line>,
    /// The least value of the objective by intervals.
    pub(super) objective: f64,
}

impl Tree {
    /// Takes one node. `stop` is asked between the programs solved.
    pub(super) fn step_in_box(
        &mut self,
        c: &mut Constrained,
        mut spatial: Box<Spatial>,
        node: Node,
        stop: &mut dyn FnMut() -> bool,
    ) {
        self.box_step(c, &mut spatial, node, stop);
        self.spatial = Some(spatial);
    }

    fn box_step(
        &mut self,
        c: &mut Constrained,
        spatial: &mut Spatial,
        mut node: Node,
        stop: &mut dyn FnMut() -> bool,
    ) {
        let (lo, hi) = node.bounds(&self.form);
        let Some(mut place) = self.shrunk(c, spatial, (lo, hi)) else { return self.leave(node.bound) };
        let Some(mut solved) = self.relaxed(spatial, &mut place, &mut node) else { return };
        // Local solves at nodes ever farther apart, and wherever all pairs hold and the point is a new one.
        if self.nodes.is_power_of_two() || self.nodes.is_multiple_of(50) {
            self.local(c, &solved.z, stop);
            if self.cuts(node.bound) {
                return;
            }
        }
        let root = node.decisions.is_empty();
        for _ in 0..if root { 5 } else { 1 } {
            if !self.tighten(spatial, &mut place, &mut node, stop) {
                break;
            }
            let bounds = (place.lo.clone(), place.hi.clone());
            match self.shrunk(c, spatial, bounds) {
                Some(smaller) => place = smaller,
                None => return self.leave(node.bound),
            }
            match self.relaxed(spatial, &mut place, &mut node) {
                Some(again) => solved = again,
                None => return,
            }
        }
        if root {
            spatial.widths = place.lo.iter().zip(&place.hi).map(|(lo, hi)| hi - lo).collect();
        }
        let n = place.lo.len();
        let z = &solved.z[..n];
        let choice = self.violated(z, &place.lo, &place.hi, false);
        if choice.is_none() && self.is_better(c, z) {
            self.local(c, z, stop);
            if self.cuts(node.bound) {
                return;
            }
        }
        // Where the objective is taken as it is, its own columns stand anywhere.
        let rows = spatial.convex.is_some();
        let cut = || spatial.relaxation.farthest(&solved.z, &place.lo, &place.hi, &spatial.widths, rows);
        let choice = choice.or_else(|| cut().map(Choice::Cut));
        let choice = choice.or_else(|| self.undecided(&place.lo, &place.hi));
        let widest = || {
            let open = spatial.relaxation.bent().into_iter().filter(|&i| wide(place.lo[i], place.hi[i]));
            open.max_by(|&a, &b| (place.hi[a] - place.lo[a]).total_cmp(&(place.hi[b] - place.lo[b])))
        };
        let bound = node.bound;
        match choice.or_else(|| widest().map(Choice::Cut)) {
            Some(choice) => self.branch(node, bound, choice, (z, &place.lo, &place.hi)),
            None => {
                self.local(c, &solved.z, stop);
                if !self.cuts(bound) {
                    self.give_up(bound);
                }
            }
        }
    }

    /// A box without points that are better than the best by what counts.
    pub(super) fn leave(&mut self, bound: f64) {
        if let Some(most) = self.most() {
            self.left = self.left.min(bound.max(most));
        }
    }

    /// The objective from which on nothing is worth looking at.
    pub(super) fn most(&self) -> Option<f64> {
        self.best.as_ref().map(|best| best.objective - 0.5 * self.tolerance * best.objective.abs().max(1.0))
    }

    /// The box, shrunk by intervals; `None` when nothing is left.
    fn shrunk(
        &self,
        c: &Constrained,
        spatial: &Spatial,
        (mut lo, mut hi): (Vec<f64>, Vec<f64>),
    ) -> Option<Place> {
        let terms = c.terms.as_ref()?;
        let contractor = Contractor::new(terms, &c.single.equal, &c.pairs);
        let most = self.most().unwrap_or(f64::INFINITY);
        let ends = (&self.form.lo[..], &self.form.hi[..]);
        let over = contractor.contract(most, ends, &mut lo, &mut hi)?;
        for &i in &self.form.whole {
            (lo[i], hi[i]) = ((lo[i] - 1e-6).ceil(), (hi[i] + 1e-6).floor());
            if lo[i] > hi[i] {
                return None;
            }
        }
        let mut lines = Vec::new();
        spatial.relaxation.lines(&over, &mut lines);
        let objective = over[terms.objective].0;
        Some(Place { lo, hi, over, lines, objective })
    }

    /// Solves the relaxation, with tangents at its solution; the node's bound is raised. `None` when the node is done with.
    pub(super) fn relaxed(
        &mut self,
        spatial: &Spatial,
        place: &mut Place,
        node: &mut Node,
    ) -> Option<Box<Solved>> {
        let (lo, hi) = spatial.relaxation.bounds(&place.lo, &place.hi, &place.over);
        node.bound = node.bound.max(place.objective.min(self.most().unwrap_or(f64::INFINITY)));
        let flat = spatial.relaxation.objective();
        let objective = spatial.convex.as_ref().unwrap_or(&flat);
        let mut found = None;
        for _ in 0..ROUNDS {
            self.spend(1);
            match solve(objective, &place.lines, &lo, &hi) {
                Answer::Infeasible => {
                    self.leave(node.bound);
                    return None;
                }
                Answer::Solved(solved) => {
                    if solved.exact {
                        let most = self.most().unwrap_or(f64::INFINITY);
                        node.bound = node.bound.max(solved.bound.min(most));
                    }
                    if self.cuts(node.bound) {
                        return None;
                    }
                    let more = spatial.relaxation.tangents(&solved.z, &place.over, OFF, &mut place.lines);
                    found = Some(solved);
                    if !more {
                        break;
                    }
                }
                // The objective has no bound here, or the solver got stuck: any point of the relaxation says where to cut.
                Answer::Unbounded(_) | Answer::Unsolved => break,
            }
        }
        found.or_else(|| {
            let flat = Quadratic::zero(lo.len());
            match solve(&flat, &place.lines, &lo, &hi) {
                Answer::Infeasible => {
                    self.leave(node.bound);
                    None
                }
                Answer::Solved(solved) => Some(solved),
                Answer::Unbounded(_) | Answer::Unsolved => {
                    self.stuck(node, place);
                    None
                }
            }
        })
    }

    /// A node whose relaxation cannot be solved is cut where it is widest.
    pub(super) fn stuck(&mut self, node: &Node, place: &Place) {
        let (lo, hi) = (&place.lo, &place.hi);
        let open = (0..lo.len()).filter(|&i| wide(lo[i], hi[i]));
        let widest = open.max_by(|&a, &b| (hi[a] - lo[a]).total_cmp(&(hi[b] - lo[b])));
        match self.undecided(lo, hi).or_else(|| widest.map(Choice::Cut)) {
            Some(choice) => self.branch(node.clone(), node.bound, choice, (&vec![0.0; lo.len()], lo, hi)),
            None => self.give_up(node.bound),
        }
    }

    /// Smaller intervals of variables below products and functions, by two programs each; true when some are worth it.
    pub(super) fn tighten(
        &mut self,
        spatial: &Spatial,
        place: &mut Place,
        node: &mut Node,
        stop: &mut dyn FnMut() -> bool,
    ) -> bool {
        let (lo, hi) = spatial.relaxation.bounds(&place.lo, &place.hi, &place.over);
        let mut lines = place.lines.clone();
        if let Some(most) = self.most() {
            let objective = spatial.relaxation.objective();
            let terms = objective.linear.iter().copied().enumerate().filter(|(_, c)| *c != 0.0).collect();
            lines.push(Line { terms, constant: objective.constant - most, equal: false });
        }
        let share = |i: usize| {
            let width = place.hi[i] - place.lo[i];
            if spatial.widths[i].is_finite() { width / spatial.widths[i] } else { width }
        };
        let mut chosen: Vec<usize> = spatial.relaxation.bent();
        chosen.retain(|&i| wide(place.lo[i], place.hi[i]));
        chosen.sort_by(|&a, &b| share(b).total_cmp(&share(a)).then(a.cmp(&b)));
        if !node.decisions.is_empty() {
            chosen.truncate(TIGHTENED);
        }
        let mut worth = false;
        for i in chosen {
            if stop() || self.is_spent() {
                break;
            }
            self.spend(2);
            let (before, mut own) = ((place.lo[i], place.hi[i]), (place.lo[i], place.hi[i]));
            for sign in [1.0, -1.0] {
                let mut along = Quadratic::zero(lo.len());
                along.linear[i] = sign;
                if let Answer::Solved(solved) = solve(&along, &lines, &lo, &hi)
                    && solved.exact
                {
                    let room = 1e-8 * solved.bound.abs().max(1.0);
                    if sign > 0.0 {
                        own.0 = own.0.max(solved.bound - room);
                    } else {
                        own.1 = own.1.min(-solved.bound + room);
                    }
                }
            }
            let shorter = own.1 - own.0 < (1.0 - WORTH) * (before.1 - before.0);
            let finite =
                own.0.is_finite() && before.0.is_infinite() || own.1.is_finite() && before.1.is_infinite();
            if own.0 < own.1 && (shorter || finite) {
                (place.lo[i], place.hi[i]) = own;
                node.decisions.push(Decision { at: i, lo: own.0, hi: own.1 });
                worth = true;
            }
        }
        worth
    }

    /// A local solve of the piece nearest to `z`.
    fn local(&mut self, c: &mut Constrained, z: &[f64], stop: &mut dyn FnMut() -> bool) {
        let z = &z[..c.single.len()];
        self.look(c, &mut |local, c| local.beside(c, z, &mut |_| stop()));
    }

    /// Whether `z` satisfies the single-level form and is better than the best point.
    fn is_better(&self, c: &mut Constrained, z: &[f64]) -> bool {
        c.violation(z) <= 0.1 * FEASIBLE * largest(z).max(1.0)
            && self.most().is_none_or(|most| c.single.objective(z) < most)
    }
}
