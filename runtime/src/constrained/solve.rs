//! Programs with bounds and rows by augmented Lagrangians: each step minimises the function within the bounds and takes its
//! weights as the new multipliers; the penalty grows when the violation does not fall.
//!
//! Source: E. G. Birgin, J. M. Martínez, "Practical augmented Lagrangian methods for constrained optimization" (2014),
//! algorithm 4.1.

use super::Pair;
use super::augmented::{Augmented, Multipliers};
use super::newton::{Bounds, Newton};
use super::nlp::Nlp;
use crate::linear::blas1::largest;

/// The largest penalty.
const LARGEST: f64 = 1e8;
/// A point is lost when it is this much larger than the start.
const FAR: f64 = 1e7;
/// Updates with the largest penalty that do not lower the violation.
const PATIENCE: usize = 3;

/// What a solve aims at and may spend.
#[derive(Clone, Copy, Debug)]
pub struct Aim {
    /// Violation at which it is done.
    pub tolerance: f64,
    /// The size of the objective's gradient: stationarity may be the tolerance times this.
    pub scale: f64,
    /// The relaxation of the pairs.
    pub relaxation: f64,
    /// Updates of the multipliers.
    pub updates: usize,
    /// Newton steps per update.
    pub steps: usize,
}

/// What a solve reached.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// The largest violation of rows and relaxed pairs.
    pub violation: f64,
    /// The stationarity of the last subproblem.
    pub stationarity: f64,
    /// `F`.
    pub objective: f64,
    /// Whether both are within the tolerance.
    pub done: bool,
}

/// Solves from `v`, which is moved into the bounds; `multipliers` are the start and the result. `stop` is asked before every
/// Newton step.
pub fn solve(
    nlp: &mut Nlp,
    pairs: &[Pair],
    bounds: &Bounds,
    v: &mut [f64],
    multipliers: &mut Multipliers,
    aim: Aim,
    stop: &mut dyn FnMut(&Nlp) -> bool,
) -> Reached {
    bounds.project(v);
    let mut newton = Newton::new(v.len());
    let mut f = Augmented::new(nlp, pairs, aim.relaxation, multipliers.clone());
    let mut reached =
        Reached { violation: f64::INFINITY, stationarity: f64::INFINITY, objective: f64::NAN, done: false };
    let mut stopped = false;
    let mut inner = 0.1_f64;
    let mut idle = 0;
    let start = v.to_vec();
    let far = FAR * (1.0 + largest(v));
    for _ in 0..aim.updates {
        inner = (0.1 * inner).max(aim.tolerance);
        let wanted = (inner * aim.scale, aim.steps);
        reached.stationarity = newton.minimise(&mut f, v, bounds, wanted, &mut |f| {
            stopped |= stop(f.nlp);
            stopped
        });
        let lost = !reached.stationarity.is_finite() || largest(v) > far;
        if lost && f.multipliers.penalty < LARGEST && !stopped {
            // The penalty does not hold the objective: begin again with a larger one.
            f.multipliers.penalty = (100.0 * f.multipliers.penalty).min(LARGEST);
            v.copy_from_slice(&start);
            reached.violation = f64::INFINITY;
            continue;
        }
        if !reached.stationarity.is_finite() {
            break;
        }
        // The search may have ended elsewhere.
        f.value(v);
        let before = reached.violation;
        reached.violation = f.update(v);
        reached.objective = f.objective;
        reached.done =
            reached.violation <= aim.tolerance && reached.stationarity <= aim.tolerance * aim.scale;
        if reached.done || stopped {
            break;
        }
        if reached.violation > 0.25 * before && reached.violation > aim.tolerance {
            // With the largest penalty a violation that stays is there to stay.
            idle += usize::from(f.multipliers.penalty == LARGEST);
            if idle == PATIENCE {
                break;
            }
            f.multipliers.penalty = (5.0 * f.multipliers.penalty).min(LARGEST);
        }
    }
    *multipliers = f.multipliers;
    reached
}
