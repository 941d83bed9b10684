//! Branching by the follower's value, for followers of few variables whose optimality conditions do not tell their answers: a follower
//! that is not convex, or whose constraints are not affine in its variables, so that it may have no multiplier at the optimum.
//!
//! Every node is a box of the variables of both levels, and of multipliers. What is asked for in it is what every answer of the follower
//! satisfies: its constraints, the conditions of Fritz John (`value_form`), and `f(x, y) <= f(x, y*)` for every `y*` met that is
//! feasible for all `x` of the box (`value_answers`). The box is shrunk by intervals (`contract`) and bounded by a linear relaxation (`relaxation`),
//! as in [`super::spatial`]. Points come from the follower, solved locally at the relaxation's solution; one that is better than the best for the
//! leader counts only when it is proved that no answer is better for the follower: by its multipliers where
//! it is convex, else by boxes of its variables (`value_proof`).
//!
//! The best point is an answer of the follower up to [`TIE`], relative to the size of the parts of the follower's objective there; the bound is
//! that of exact answers. Where the follower's best answer jumps, its objective there may differ from the bound by what that tolerance is worth
//! to the leader.
//!
//! Cost: per node some linear programs and solutions of the follower; the number of nodes may grow exponentially with the variables of both
//! levels. Not guaranteed: an end, where the infimum is not attained, a variable has no bounds that can be found, or the follower's
//! constraints move with `x` and it has no conditions.
//!
//! Source: A. Mitsos, P. Lemonidis, P. I. Barton, "Global solution of bilevel programs with a nonconvex inner program", J. Global Optim. 42
//! (2008); P.-M. Kleniati, C. S. Adjiman, "Branch-and-Sandwich: a deterministic global optimization algorithm for optimistic bilevel
//! programming problems", J. Global Optim. 60 (2014), for one tree over the variables of both levels.

use super::super::check::answer_from;
use super::super::relax::{self, FEASIBLE, From};
use super::super::{Constrained, Degree, outside};
use super::branch::Choice;
use super::contract::Contractor;
use super::convex::is_semidefinite;
use super::form::{Form, Quadratic, program};
use super::node::Node;
use super::relaxation::{Relaxation, wide};
use super::search::{Best, Tree, WHOLE};
use super::spatial::{Place, Spatial};
use super::terms::Term;
use super::value_answers::{Answer, KEPT, least, rises, tighter, with_rows};
use super::value_form::Sides;
use super::value_proof::{Answered, better};
use super::value_terms::variables;
use crate::linear::blas1::largest;
use crate::state::State;

/// The most variables of both levels together for which models are written side by side.
pub const VARIABLES: usize = 16;
/// The follower's objective may be above its best value by this, relative to the size of its parts.
pub const TIE: f64 = 1e-10;
/// Parts of another answer count at most this much more, relative.
const SIZE: f64 = 10.0;
/// Parts of the follower's objective are of this size at least.
const LEAST: f64 = 1e-6;
/// The same for points that are not answers of a solver of the follower: as the objective is flat at its minimum, a point with an
/// objective that is off by `t` may be away by the root of `t`.
const EXACT: f64 = 1e-14;
/// An answer misses the follower's rows by no more than this, relative: what it misses makes its objective better than the best.
const HELD: f64 = 1e-11;
/// Answers whose objectives differ by less than this, relative to the size of their parts, say the same.
const SAME: f64 = 1e-10;
/// Rounds of new answers at one node.
const ROUNDS: usize = 3;
/// So many boxes of the follower count as one program.
const BOXES: usize = 20;
/// Newton steps for the follower.
const STEPS: usize = 100;
/// Drawn starts of the follower.
const DRAWN: u64 = 6;
/// Points are also looked at rounded to this.
const ROUND: f64 = 1e-6;

/// What is the same at all nodes, and the answers met.
pub struct Value {
    sides: Sides,
    whole: Vec<usize>,
    lens: (usize, usize),
    /// The number of variables of the single-level form.
    pub(super) length: usize,
    /// The upper objective where it is quadratic and convex.
    convex: Option<Quadratic>,
    answers: Vec<Answer>,
    /// The upper variables that the follower sees.
    linking: Vec<usize>,
    /// The widths of the first box after it was shrunk.
    widths: Vec<f64>,
}

/// A box with its rows and its relaxation.
struct Bounded {
    place: Place,
    spatial: Spatial,
}

impl Value {
    /// `None` where the compiler wrote no terms.
    pub fn new(c: &mut Constrained) -> Option<Self> {
        let sides = Sides::new(c)?;
        let (n, m) = c.lens;
        let convex = if c.degrees.objective <= Degree::Quadratic {
            let mut objective = program(&mut c.single).1;
            objective.linear.truncate(n + m);
            Some(objective).filter(is_semidefinite)
        } else {
            None
        };
        let seen = sides.rows.iter().chain([&sides.lower]).flat_map(|&of| variables(&sides.terms, of));
        let mut linking: Vec<usize> = seen.filter(|i| *i < n).collect();
        linking.sort_unstable();
        linking.dedup();
        let (widths, length) = (vec![f64::INFINITY; sides.lo.len()], c.single.len());
        Some(Value {
            convex,
            widths,
            length,
            lens: (n, m),
            whole: c.whole.clone(),
            answers: Vec::new(),
            linking,
            sides,
        })
    }

    /// Bounds, pairs and whole numbers.
    pub(super) fn form(&self) -> Form {
        self.sides.form(&self.whole)
    }

    /// All that a step changes.
    pub fn state(&mut self, state: &mut dyn State) {
        let mut kept = self.answers.len();
        state.count(&mut kept);
        let (n, m) = self.lens;
        let mut all: Vec<Vec<f64>> = self.answers.iter().map(|answer| answer.y.clone()).collect();
        all.resize(kept.min(KEPT), vec![0.0; m]);
        all.iter_mut().for_each(|y| state.numbers(y));
        let same = self.answers.iter().map(|answer| &answer.y).eq(&all);
        if !same {
            self.answers = all.into_iter().map(|y| Answer::new(&self.sides, n, y)).collect();
        }
        state.numbers(&mut self.widths);
    }

    /// Keeps an answer that is better at `x` than those known, instead of the first one where there are too many.
    fn keep(&mut self, x: &[f64], y: Vec<f64>) {
        let (own, size) = self.lower(x, &y);
        let most = own + SAME * size;
        let equal = &self.sides.rows_equal;
        let new = Answer::new(&self.sides, self.lens.0, y);
        // One on the edge of what is feasible says less than one inside.
        let inside = new.feasible(x, equal);
        let known = |answer: &Answer| answer.at(x) <= most && (answer.feasible(x, equal) || !inside);
        if !self.answers.iter().any(known) {
            self.push(new);
        }
    }

    /// Keeps an answer that is better at `x` than those that are feasible over a box.
    fn keep_over(&mut self, x: &[f64], y: Vec<f64>, place: &Place) {
        let (own, size) = self.lower(x, &y);
        if own < least(&self.sides, &self.answers, x, &place.lo, &place.hi) - SAME * size {
            self.push(Answer::new(&self.sides, self.lens.0, y));
        }
    }

    fn push(&mut self, new: Answer) {
        if self.answers.len() == KEPT {
            self.answers.remove(0);
        }
        self.answers.push(new);
    }

    /// Whether an answer that is feasible at `z`, but not over the box, is better for the follower than `z` and all that are.
    fn is_beaten(&self, place: &Place, z: &[f64]) -> bool {
        let (n, m) = self.lens;
        let x = &z[..n];
        let (own, size) = self.lower(x, &z[n..n + m]);
        let over = least(&self.sides, &self.answers, x, &place.lo, &place.hi);
        let here = self.answers.iter().filter(|answer| answer.feasible(x, &self.sides.rows_equal));
        let here = here.map(|answer| answer.at(x)).fold(f64::INFINITY, f64::min);
        here < own.min(over) - 1e-6 * size
    }

    /// The follower's objective and the size of its parts.
    fn lower(&self, x: &[f64], y: &[f64]) -> (f64, f64) {
        let mut z: Vec<f64> = x.iter().chain(y).copied().collect();
        z.resize(self.sides.lo.len(), 0.0);
        let values = self.sides.terms.values(&z);
        let value = values[self.sides.lower];
        let size = match &self.sides.terms.terms[self.sides.lower] {
            Term::Sum(constant, parts) => {
                parts.iter().map(|(at, c)| (c * values[*at]).abs()).fold(constant.abs(), f64::max)
            }
            _ => value.abs(),
        };
        (value, size.max(LEAST))
    }
}

impl Tree {
    /// Takes one node. `stop` is asked between the programs solved.
    pub(super) fn step_by_value(
        &mut self,
        c: &mut Constrained,
        mut value: Box<Value>,
        node: Node,
        stop: &mut dyn FnMut() -> bool,
    ) {
        if self.nodes == 1 {
            let x = c.single.start[..c.lens.0].to_vec();
            let y = c.single.start[c.lens.0..c.lens.0 + c.lens.1].to_vec();
            self.look_at(c, &mut value, &x, &y, true);
            self.local_point(c, &mut value, &x, stop);
        }
        self.value_step(c, &mut value, node, stop);
        self.value = Some(value);
    }

    fn value_step(
        &mut self,
        c: &mut Constrained,
        value: &mut Value,
        mut node: Node,
        stop: &mut dyn FnMut() -> bool,
    ) {
        let (n, m) = value.lens;
        let root = node.decisions.is_empty();
        let mut bounds = node.bounds(&self.form);
        for round in 1..=ROUNDS {
            let Some(mut bounded) = self.bounded(value, bounds) else { return self.leave(node.bound) };
            let Some(mut solved) = self.relaxed(&bounded.spatial, &mut bounded.place, &mut node) else {
                return;
            };
            if root && round == 1 {
                if self.tighten(&bounded.spatial, &mut bounded.place, &mut node, stop) {
                    let Place { lo, hi, .. } = bounded.place;
                    match self.bounded(value, (lo, hi)) {
                        Some(smaller) => bounded = smaller,
                        None => return self.leave(node.bound),
                    }
                    match self.relaxed(&bounded.spatial, &mut bounded.place, &mut node) {
                        Some(again) => solved = again,
                        None => return,
                    }
                }
                let Place { lo, hi, .. } = &bounded.place;
                value.widths = lo.iter().zip(hi).map(|(lo, hi)| hi - lo).collect();
            }
            let many = self.nodes.is_power_of_two() && round == 1;
            let at = (&solved.z[..n], &solved.z[n..n + m]);
            let new = self.look_at_box(c, value, at, (&bounded.place, many), stop);
            if many || round == 1 && self.nodes.is_multiple_of(50) {
                self.local_point(c, value, &solved.z[..n], stop);
            }
            if self.cuts(node.bound) {
                return;
            }
            if !new || round == ROUNDS || stop() {
                return self.divide(node, value, &bounded, &solved.z);
            }
            let Place { lo, hi, .. } = bounded.place;
            bounds = (lo, hi);
        }
    }

    /// Cuts a box in two.
    fn divide(&mut self, node: Node, value: &Value, bounded: &Bounded, z: &[f64]) {
        let Bounded { place, spatial } = bounded;
        let (n, m) = value.lens;
        let own = &z[..place.lo.len()];
        let ends = (own, &place.lo[..], &place.hi[..]);
        // Multipliers follow from the variables of both levels, so these are cut first.
        let mut hi = place.hi.clone();
        hi[n + m..].copy_from_slice(&place.lo[n + m..]);
        let rows = spatial.convex.is_some();
        let part = |i: usize| (place.hi[i] - place.lo[i]) / value.widths[i].clamp(1e-9, 1e9);
        let widest = |all: &mut dyn Iterator<Item = usize>| {
            all.filter(|&i| wide(place.lo[i], place.hi[i])).max_by(|&a, &b| part(a).total_cmp(&part(b)))
        };
        let choice = self.violated(own, &place.lo, &place.hi, false);
        let choice = choice.or_else(|| {
            let far = spatial.relaxation.farthest(z, &place.lo, &hi, &value.widths, rows);
            // Where the follower has a better answer that is not feasible over the whole box, a smaller one lets it count.
            let moved =
                if value.is_beaten(place, z) { widest(&mut value.linking.iter().copied()) } else { None };
            let cut = match (far, moved) {
                (Some(far), Some(moved)) => Some(if part(moved) >= part(far) { moved } else { far }),
                (far, moved) => far.or(moved),
            };
            let bent = spatial.relaxation.bent();
            let all = &mut bent.into_iter().chain(value.linking.iter().copied()).filter(|&i| i < n + m);
            cut.or_else(|| widest(all)).map(Choice::Cut)
        });
        let choice = choice.or_else(|| self.undecided(&place.lo, &place.hi));
        let bound = node.bound;
        match choice {
            Some(choice) => self.branch(node, bound, choice, ends),
            None => self.give_up(bound),
        }
    }

    /// The box with the rows of the answers that hold in it, shrunk; `None` when nothing is left.
    fn bounded(&self, value: &Value, (mut lo, mut hi): (Vec<f64>, Vec<f64>)) -> Option<Bounded> {
        let n = value.lens.0;
        let most = self.most().unwrap_or(f64::INFINITY);
        let ends = (&self.form.lo[..], &self.form.hi[..]);
        let known = value.sides.equal.len();
        let shrink = |lo: &mut Vec<f64>, hi: &mut Vec<f64>| {
            let terms = with_rows(&value.sides, &value.answers, n, lo, hi);
            let mut equal = value.sides.equal.clone();
            equal.resize(terms.rows.len(), false);
            let contractor = Contractor::new(&terms, &equal, &self.form.pairs).known_from(known);
            let over = contractor.contract(most, ends, lo, hi)?;
            Some((terms, equal, over))
        };
        // More answers are feasible over the smaller box.
        shrink(&mut lo, &mut hi)?;
        let (terms, equal, over) = shrink(&mut lo, &mut hi)?;
        for &i in &self.form.whole {
            (lo[i], hi[i]) = ((lo[i] - WHOLE).ceil(), (hi[i] + WHOLE).floor());
            if lo[i] > hi[i] {
                return None;
            }
        }
        let relaxation = Relaxation::new(&terms, &equal, lo.len());
        let mut lines = Vec::new();
        relaxation.lines(&over, &mut lines);
        let convex = value.convex.clone().map(|mut convex| {
            convex.linear.resize(relaxation.columns(), 0.0);
            convex
        });
        let objective = over[terms.objective].0;
        let place = Place { lo, hi, over, lines, objective };
        Some(Bounded { place, spatial: Spatial { relaxation, convex, widths: value.widths.clone() } })
    }

    /// Looks for points at the solution of a box's relaxation and at its ends, and for answers of the follower that are feasible over the box;
    /// true when there is one that says more than those known.
    fn look_at_box(
        &mut self,
        c: &mut Constrained,
        value: &mut Value,
        (x, y): (&[f64], &[f64]),
        (place, many): (&Place, bool),
        stop: &mut dyn FnMut() -> bool,
    ) -> bool {
        let n = value.lens.0;
        let before = least(&value.sides, &value.answers, x, &place.lo, &place.hi);
        let best = self.look_at(c, value, x, y, many);
        if n == 1 && !stop() {
            for end in [place.lo[0], place.hi[0]] {
                if end.is_finite() && end != x[0] {
                    self.look_at(c, value, &[end], y, false);
                }
            }
        }
        if let Some(best) = &best
            && let Some(by) = rises(&value.sides, x, best, &place.lo, &place.hi)
            && let Some(follower) = &mut c.follower
            && !by.is_empty()
        {
            follower.nlp.set_parameters(x);
            if let Some(inside) = tighter(&mut follower.nlp, best, &by) {
                value.keep_over(x, inside, place);
            }
        }
        let after = least(&value.sides, &value.answers, x, &place.lo, &place.hi);
        let size = best.map_or(1.0, |best| value.lower(x, &best).1);
        after < before - 1e-6 * size
    }

    /// A local solve of the single-level form from `x`.
    fn local_point(
        &mut self,
        c: &mut Constrained,
        value: &mut Value,
        x: &[f64],
        stop: &mut dyn FnMut() -> bool,
    ) {
        let found = relax::run(c, x, None, From::Answer(1.0), &mut |_| stop());
        if let Some(found) = found {
            let (n, m) = value.lens;
            self.look_at(c, value, &found.z[..n], &found.z[n..n + m], false);
        }
    }

    /// Solves the follower at `x` from `y` and from answers known, keeps what is found and offers what is as good as the best; the best
    /// answer. `many`: from drawn starts as well.
    fn look_at(
        &mut self,
        c: &mut Constrained,
        value: &mut Value,
        x: &[f64],
        y: &[f64],
        many: bool,
    ) -> Option<Vec<f64>> {
        let follower = c.follower.as_mut()?;
        let nlp = &mut follower.nlp;
        nlp.set_parameters(x);
        let bounds = nlp.bounds();
        let mut starts = vec![y.to_vec()];
        let mut known: Vec<(f64, &Answer)> =
            value.answers.iter().map(|answer| (answer.at(x), answer)).collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0));
        starts.extend(known.iter().take(2).map(|(_, answer)| answer.y.clone()));
        if many {
            starts.push(nlp.somewhere());
            starts.extend((1..=DRAWN).map(|seed| nlp.drawn(seed)));
        }
        let mut found: Vec<(Vec<f64>, f64)> = Vec::new();
        // What a convex follower's multipliers prove to be its best.
        let mut proved = None;
        let (mut g, mut rows) = (vec![0.0; y.len()], vec![0.0; nlp.equal.len()]);
        let none = vec![0.0; rows.len()];
        for start in starts {
            let Some((mut y, weights)) = answer_from(nlp, &start, STEPS) else { continue };
            bounds.project(&mut y);
            nlp.evaluate(&y, &none, &mut g, &mut rows);
            let saved = nlp.violation(&rows) * weights.iter().map(|u| u.abs()).sum::<f64>();
            let (own, size) = value.lower(x, &y);
            if follower.convex && saved <= TIE * size {
                proved = Some(proved.map_or(own, |least: f64| least.min(own)));
            }
            found.push((y, TIE));
        }
        let mut given = y.to_vec();
        bounds.project(&mut given);
        found.push((given, EXACT));
        let rounded: Vec<f64> = y.iter().map(|y| (y / ROUND).round() * ROUND).collect();
        found.push((rounded, EXACT));
        found.retain(|(y, _)| {
            let value = nlp.evaluate(y, &none, &mut g, &mut rows);
            value.is_finite() && nlp.violation(&rows).max(outside(nlp, y)) <= 1e-8
        });
        let of = |(y, _): &(Vec<f64>, f64)| value.lower(x, y).0;
        let best = found.iter().min_by(|a, b| of(a).total_cmp(&of(b)))?.0.clone();
        value.keep(x, best.clone());
        let rounded: Vec<f64> = x.iter().map(|x| (x / ROUND).round() * ROUND).collect();
        for (y, tie) in &found {
            self.offer_answer(c, value, (x, y), (*tie, proved));
            if rounded != x {
                self.offer_answer(c, value, (&rounded, y), (EXACT, None));
            }
        }
        Some(best)
    }

    /// Takes `(x, y)` if it is better than the best, holds all that must hold, and is proved to be an answer of the follower.
    /// `tie`: by how much its objective may be above the best, relative; `least`: the follower's best objective at `x`, where that is known.
    fn offer_answer(
        &mut self,
        c: &mut Constrained,
        value: &mut Value,
        (x, y): (&[f64], &[f64]),
        (tie, least): (f64, Option<f64>),
    ) {
        let (n, m) = value.lens;
        let mut z = c.single.start.clone();
        z[..n].copy_from_slice(x);
        z[n..n + m].copy_from_slice(y);
        let off = |i: usize| (c.single.lo[i] - z[i]).max(z[i] - c.single.hi[i]);
        let outside_bounds = (0..n + m).map(off).fold(0.0, f64::max);
        let (mut g, mut rows) = (vec![0.0; z.len()], vec![0.0; c.single.equal.len()]);
        let objective = c.single.evaluate(&z, &vec![0.0; rows.len()], &mut g, &mut rows);
        rows[c.upper_rows..].fill(0.0);
        let mut violation = c.single.violation(&rows).max(outside_bounds);
        let whole = self.form.whole.iter().all(|&i| (z[i] - z[i].round()).abs() <= WHOLE);
        let known = self.best.as_ref().map_or(f64::INFINITY, |best| best.objective);
        let less = 1e-10 * known.abs().max(1.0);
        let most = 0.1 * FEASIBLE * largest(&z[..n + m]).max(1.0);
        let Some(follower) = &mut c.follower else { return };
        follower.nlp.set_parameters(x);
        let (mut gy, mut own) = (vec![0.0; m], vec![0.0; follower.rows.len()]);
        let lower = follower.nlp.evaluate(y, &vec![0.0; own.len()], &mut gy, &mut own);
        let off = follower.nlp.violation(&own);
        violation = violation.max(off);
        let improves = objective < known - less || known.is_infinite() && objective.is_finite();
        if !whole || !improves || violation > most || off > HELD * largest(y).max(1.0) {
            return;
        }
        // What is known of the follower at `x` already; its best answer there says what rounding is worth, too.
        let equal = &value.sides.rows_equal;
        let held = value.answers.iter().filter(|answer| answer.feasible(x, equal));
        let other = held.min_by(|a, b| a.at(x).total_cmp(&b.at(x)));
        let size = |y: &[f64]| value.lower(x, y).1;
        let room = tie * size(y).max(other.map_or(0.0, |other| size(&other.y).min(SIZE * size(y).max(1.0))));
        if other.is_some_and(|other| other.at(x) < lower - room) {
            return;
        }
        let answered = match least {
            Some(least) if lower <= least + room => Answered::Best,
            Some(_) => return,
            None => {
                let (answered, boxes) = better(&value.sides, x, m, lower - room);
                self.spend(boxes / BOXES);
                answered
            }
        };
        match answered {
            Answered::Best => self.best = Some(Best { z, objective, violation }),
            Answered::Better(other) => {
                let other = answer_from(&mut follower.nlp, &other, STEPS).map_or(other, |answer| answer.0);
                value.keep(x, other);
            }
            Answered::Open => {}
        }
    }
}
