//! The single-level form by relaxation: complementarity pairs `a b <= τ` with `τ` driven to 0 together with the barrier of an
//! interior-point run, then pieces in which one end of every pair is held at its bound. Where both ends are at their bounds, the
//! other ways of holding them are tried one at a time while that lowers the objective.

use super::cuts::Cut;
use super::interior::{self, Aim, Duals, End};
use super::nlp::Nlp;
use super::polish::polish;
use super::program::{Program, Relaxed};
use super::{Constrained, DEGENERATE, Found, Pair, system};
use crate::linear::blas1::largest;

/// The last relaxation.
const LAST: f64 = 1e-9;
/// The violation at which a point counts as feasible, relative to `max(1, ‖z‖∞)`.
pub const FEASIBLE: f64 = 1e-6;
/// A point this close to strong stationarity needs no other pieces.
const CERTIFIED: f64 = 1e-7;
/// Rounds of trying other pieces.
const ROUNDS: usize = 20;

impl Found {
    /// Whether nothing is violated to the tolerance.
    pub fn feasible(&self) -> bool {
        self.violation <= FEASIBLE * largest(&self.z).max(1.0)
    }
}

/// Where a run starts, beside its upper variables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum From {
    /// At the follower's answer, with this relaxation first.
    Answer(f64),
    /// At lower variables drawn with this seed, all multipliers and slacks 1, with a large relaxation.
    Anywhere(u64),
}

/// The single-level form, with its pairs relaxed where `paired`, and the cuts there are.
fn program(c: &mut Constrained, paired: bool, relaxation: (f64, f64)) -> Box<dyn Program + '_> {
    let Constrained { single, pairs, cuts, follower, lens, .. } = c;
    let relaxed = Relaxed::new(single, if paired { pairs } else { &[] }, relaxation);
    match (cuts.as_mut().filter(|cuts| !cuts.branches.is_empty()), follower) {
        (Some(cuts), Some(follower)) => Box::new(Cut::new(relaxed, cuts, &mut follower.nlp, lens.0)),
        _ => Box::new(relaxed),
    }
}

/// What a factorisation for the single-level form costs: see [`super::system::cost`].
pub fn factor_cost(c: &mut Constrained) -> f64 {
    let held = c.single.bounds().held();
    let mut program = program(c, true, (0.0, LAST));
    let rows = program.equal().len();
    system::cost(&held, rows, &program.pattern())
}

/// One run from `x`, with the follower solved from `near` where that is given; `None` when it was stopped.
pub fn run(
    c: &mut Constrained,
    x: &[f64],
    near: Option<&[f64]>,
    from: From,
    stop: &mut dyn FnMut(&Nlp) -> bool,
) -> Option<Found> {
    let mut stopped = false;
    let mut watch = |nlp: &Nlp| {
        stopped |= stop(nlp);
        stopped
    };
    let (mut z, first) = match from {
        From::Answer(first) => (start(c, x, near, &mut watch), first),
        From::Anywhere(seed) => (anywhere(c, x, seed), 10.0),
    };
    let bounds = c.single.bounds();
    let mut duals = Duals::default();
    let aim = Aim { loose_from: c.lens.0 + c.lens.1, ..Aim::cold(1e-8) };
    let relaxation = (first / aim.barrier, LAST);
    interior::solve(&mut *program(c, true, relaxation), &bounds, &mut z, &mut duals, aim, &mut watch);
    let found = polish_pieces(c, &z, &duals, &mut watch);
    (!stopped).then_some(found)
}

/// The piece that is nearest to `z`, solved from there, and the better ones beside it; `None` when it was stopped.
pub fn beside(c: &mut Constrained, z: &[f64], stop: &mut dyn FnMut(&Nlp) -> bool) -> Option<Found> {
    let mut stopped = false;
    let mut watch = |nlp: &Nlp| {
        stopped |= stop(nlp);
        stopped
    };
    let duals = Duals { rows: vec![0.0; c.single.equal.len()], ..Duals::default() };
    let found = polish_pieces(c, z, &duals, &mut watch);
    (!stopped).then_some(found)
}

/// The follower's answer to `x`, with its multipliers, as a point of the single-level form.
fn start(
    c: &mut Constrained,
    x: &[f64],
    near: Option<&[f64]>,
    watch: &mut dyn FnMut(&Nlp) -> bool,
) -> Vec<f64> {
    let (n, m) = c.lens;
    let mut z = c.single.start.clone();
    z[..n].copy_from_slice(x);
    let Some(follower) = &mut c.follower else { return z };
    follower.nlp.set_parameters(x);
    let mut y = near.map_or_else(|| follower.nlp.somewhere(), <[f64]>::to_vec);
    let mut duals = Duals::default();
    let bounds = follower.nlp.bounds();
    let mut program = Relaxed::new(&mut follower.nlp, &[], (0.0, 0.0));
    interior::solve(&mut program, &bounds, &mut y, &mut duals, Aim::cold(1e-8), watch);
    let (mut g, mut rows) = (vec![0.0; m], vec![0.0; follower.rows.len()]);
    follower.nlp.evaluate(&y, &duals.rows, &mut g, &mut rows);
    z[n..n + m].copy_from_slice(&y);
    for (k, row) in follower.rows.iter().enumerate() {
        z[row.multiplier] = duals.rows[k];
        if let Some(slack) = row.slack {
            z[slack] = (-rows[k]).max(0.0);
        }
    }
    for pair in c.pairs.iter().filter(|pair| (n..n + m).contains(&pair.variable)) {
        z[pair.multiplier] = (pair.slope() * g[pair.variable - n]).max(0.0);
    }
    z
}

/// A point of the single-level form away from all its bounds, as far as they leave room.
fn anywhere(c: &Constrained, x: &[f64], seed: u64) -> Vec<f64> {
    let (n, m) = c.lens;
    let mut z = vec![1.0; c.single.len()];
    z[..n].copy_from_slice(x);
    z[n..n + m].copy_from_slice(&c.single.drawn(seed)[n..n + m]);
    z
}

/// The end of a pair that is held at its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Multiplier,
    Variable,
    Neither,
}

/// The point with one end of every pair at its bound, and of the pieces that meet there the best one found.
fn polish_pieces(
    c: &mut Constrained,
    z: &[f64],
    duals: &Duals,
    watch: &mut dyn FnMut(&Nlp) -> bool,
) -> Found {
    let smaller = |pair: &Pair| {
        let (a, b) = pair.factors(&c.single, z);
        if a < b { Hold::Multiplier } else { Hold::Variable }
    };
    let mut sides: Vec<Hold> = c.pairs.iter().map(smaller).collect();
    let mut best = piece(c, z, &sides, duals, watch);
    for _ in 0..ROUNDS {
        if best.stationarity <= CERTIFIED || !best.feasible() {
            break;
        }
        let degenerate: Vec<usize> = (0..sides.len())
            .filter(|&k| {
                let (a, b) = c.pairs[k].factors(&c.single, &best.z);
                a.max(b) <= DEGENERATE
            })
            .collect();
        // With neither end held the program is a relaxation: its multipliers certify the point, or its solution is better.
        let mut free = sides.clone();
        degenerate.iter().for_each(|&k| free[k] = Hold::Neither);
        let mut better = improved(c, &mut best, &free, watch);
        for &k in &degenerate {
            if better.is_some() || best.stationarity <= CERTIFIED || watch(&c.single) {
                break;
            }
            let mut other = sides.clone();
            other[k] = if other[k] == Hold::Variable { Hold::Multiplier } else { Hold::Variable };
            better = improved(c, &mut best, &other, watch);
            if better.is_some() {
                sides = other;
                break;
            }
        }
        let Some(found) = better else { break };
        best = found;
    }
    best
}

/// The solution of another piece, when it is feasible and better than `best`. One that is no better may have multipliers that
/// certify `best`, which then takes them.
fn improved(
    c: &mut Constrained,
    best: &mut Found,
    sides: &[Hold],
    watch: &mut dyn FnMut(&Nlp) -> bool,
) -> Option<Found> {
    let from = Duals { rows: best.weights.clone(), ..Duals::default() };
    let found = piece(c, &best.z, sides, &from, watch);
    let less = 1e-9 * best.objective.abs().max(1.0);
    if found.feasible() && found.objective < best.objective - less {
        return Some(found);
    }
    let certified = c.stationarity(&best.z, &found.weights);
    if certified < best.stationarity {
        best.stationarity = certified;
        best.weights.clone_from(&found.weights);
    }
    let level = (found.objective - best.objective).abs() <= less && found.stationarity < best.stationarity;
    (found.feasible() && level).then_some(found)
}

/// Solves with the ends of pairs held at their bounds that `sides` names.
fn piece(
    c: &mut Constrained,
    z: &[f64],
    sides: &[Hold],
    duals: &Duals,
    watch: &mut dyn FnMut(&Nlp) -> bool,
) -> Found {
    let mut bounds = c.single.bounds();
    for (pair, side) in c.pairs.iter().zip(sides) {
        let (at, high) = match side {
            Hold::Multiplier => (pair.multiplier, false),
            Hold::Variable => (pair.variable, pair.high),
            Hold::Neither => continue,
        };
        let value = if high { bounds.hi[at] } else { bounds.lo[at] };
        (bounds.lo[at], bounds.hi[at]) = (value, value);
    }
    let mut z = z.to_vec();
    let mut rows = duals.rows[..c.single.equal.len()].to_vec();
    rows.resize(rows.len() + c.cuts.as_ref().map_or(0, |cuts| cuts.branches.len()), 0.0);
    let mut own = Duals { rows, ..Duals::default() };
    let aim = Aim { loose_from: c.lens.0 + c.lens.1, ..Aim::warm(1e-9) };
    let unbounded = {
        let mut program = program(c, false, (0.0, 0.0));
        let reached = interior::solve(&mut *program, &bounds, &mut z, &mut own, aim, watch);
        if reached.end != End::Unbounded {
            polish(&mut *program, &bounds, &mut z, &mut own);
        }
        reached.end == End::Unbounded
    };
    bounds.project(&mut z);
    Found {
        objective: c.single.objective(&z),
        violation: c.violation(&z),
        stationarity: c.stationarity(&z, &own.rows),
        answered: false,
        unbounded,
        weights: own.rows,
        z,
    }
}
