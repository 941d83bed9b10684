//! The single-level form by relaxation: complementarity pairs `a b <= τ` with `τ` driven to 0, each program started from the
//! last, then a polish in which one end of every pair is held at its bound. Where both ends are at their bounds, the other
//! ways of holding them are tried one at a time while that lowers the objective.

use super::augmented::Multipliers;
use super::nlp::Nlp;
use super::solve::{Aim, solve};
use super::{Constrained, DEGENERATE, Found};
use crate::linear::blas1::largest;

/// The last relaxation.
const LAST: f64 = 1e-9;
/// The violation at which a point counts as feasible, relative to `max(1, ‖z‖∞)`.
pub const FEASIBLE: f64 = 1e-6;
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

/// One run from `x`; `None` when it was stopped.
pub fn run(c: &mut Constrained, x: &[f64], from: From, stop: &mut dyn FnMut(&Nlp) -> bool) -> Option<Found> {
    let mut stopped = false;
    let mut watch = |nlp: &Nlp| {
        stopped |= stop(nlp);
        stopped
    };
    let (mut z, first) = match from {
        From::Answer(first) => (start(c, x, &mut watch), first),
        From::Anywhere(seed) => (anywhere(c, x, seed), 10.0),
    };
    let bounds = c.single.bounds();
    bounds.project(&mut z);
    let scale = c.single.gradient_size(&z);
    let mut multipliers = Multipliers::zero(c.single.equal.len(), c.pairs.len());
    multipliers.penalty *= scale;
    let mut relaxation = if c.pairs.is_empty() { LAST } else { first };
    loop {
        let last = relaxation <= LAST;
        let tolerance = if last { 1e-9 } else { (0.01 * relaxation).clamp(1e-8, 1e-3) };
        let (updates, steps) = if c.pairs.is_empty() { (60, 200) } else { (12, 60) };
        let aim = Aim { tolerance, scale, relaxation, updates, steps };
        solve(&mut c.single, &c.pairs, &bounds, &mut z, &mut multipliers, aim, &mut watch);
        if last || watch(&c.single) {
            break;
        }
        relaxation *= 0.1;
    }
    let found = polish(c, &z, &multipliers, &mut watch);
    (!stopped).then_some(found)
}

/// The follower's answer to `x`, with its multipliers, as a point of the single-level form.
fn start(c: &mut Constrained, x: &[f64], watch: &mut dyn FnMut(&Nlp) -> bool) -> Vec<f64> {
    let (n, m) = c.lens;
    let mut z = c.single.start.clone();
    z[..n].copy_from_slice(x);
    let Some(follower) = &mut c.follower else { return z };
    follower.nlp.set_parameters(x);
    let mut y = follower.nlp.somewhere();
    let mut multipliers = Multipliers::zero(follower.rows.len(), 0);
    let aim = Aim { tolerance: 1e-8, scale: 1.0, relaxation: 0.0, updates: 30, steps: 100 };
    let bounds = follower.nlp.bounds();
    solve(&mut follower.nlp, &[], &bounds, &mut y, &mut multipliers, aim, watch);
    let (mut g, mut rows) = (vec![0.0; m], vec![0.0; follower.rows.len()]);
    follower.nlp.evaluate(&y, &multipliers.rows, &mut g, &mut rows);
    z[n..n + m].copy_from_slice(&y);
    for (k, row) in follower.rows.iter().enumerate() {
        z[row.multiplier] = multipliers.rows[k];
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

/// The point with one end of every pair at its bound, and of the pieces that meet there the best one found.
fn polish(
    c: &mut Constrained,
    z: &[f64],
    multipliers: &Multipliers,
    watch: &mut dyn FnMut(&Nlp) -> bool,
) -> Found {
    let smaller = |c: &Constrained, z: &[f64]| -> Vec<bool> {
        let held = c.pairs.iter().map(|pair| pair.factors(&c.single, z));
        held.map(|(a, b)| a < b).collect()
    };
    let mut sides = smaller(c, z);
    let mut best = piece(c, z, &sides, multipliers, watch);
    for _ in 0..ROUNDS {
        if best.stationarity <= 1e-7 || !best.feasible() {
            break;
        }
        let degenerate: Vec<usize> = (0..sides.len())
            .filter(|&k| {
                let (a, b) = c.pairs[k].factors(&c.single, &best.z);
                a.max(b) <= DEGENERATE
            })
            .collect();
        let mut better = None;
        for k in degenerate {
            let mut other = sides.clone();
            other[k] = !other[k];
            let from = Multipliers { rows: best.weights.clone(), pairs: Vec::new(), penalty: 10.0 };
            let found = piece(c, &best.z, &other, &from, watch);
            let less = 1e-9 * best.objective.abs().max(1.0);
            let level =
                (found.objective - best.objective).abs() <= less && found.stationarity < best.stationarity;
            if found.feasible() && (found.objective < best.objective - less || level) {
                better = Some((found, other));
                break;
            }
            if watch(&c.single) {
                return best;
            }
        }
        let Some((found, other)) = better else { break };
        (best, sides) = (found, other);
    }
    best
}

/// Solves with one end of every pair held at its bound: the multiplier where `sides` says so, else the variable.
fn piece(
    c: &mut Constrained,
    z: &[f64],
    sides: &[bool],
    multipliers: &Multipliers,
    watch: &mut dyn FnMut(&Nlp) -> bool,
) -> Found {
    let mut bounds = c.single.bounds();
    for (pair, hold_multiplier) in c.pairs.iter().zip(sides) {
        let at = if *hold_multiplier { pair.multiplier } else { pair.variable };
        let value = if !hold_multiplier && pair.high { bounds.hi[at] } else { bounds.lo[at] };
        (bounds.lo[at], bounds.hi[at]) = (value, value);
    }
    let mut z = z.to_vec();
    let mut own = Multipliers {
        rows: multipliers.rows.clone(),
        pairs: Vec::new(),
        penalty: multipliers.penalty.clamp(10.0, 1e5),
    };
    let scale = c.single.gradient_size(&z);
    let aim = Aim { tolerance: 1e-10, scale, relaxation: 0.0, updates: 40, steps: 100 };
    let reached = solve(&mut c.single, &[], &bounds, &mut z, &mut own, aim, watch);
    Found {
        objective: reached.objective,
        violation: c.violation(&z),
        stationarity: c.stationarity(&z, &own.rows),
        answered: false,
        weights: own.rows,
        z,
    }
}
