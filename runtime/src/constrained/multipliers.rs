//! Multipliers of the follower's rows where the gradients of the active ones are dependent: then they are not unique, and a method ends
//! at any of them, also far out on a ray. Given here are those of least norm, with the range of each.
//!
//! With `J` the gradients of the active rows and `∇f` that of the objective at the answer: `min ‖u‖²` subject to `∇f + Jᵀu = 0` in the variables
//! between their bounds, with the sign that the bound allows in those on one, and `u >= 0` for inequalities. The range of `uᵢ` is found by
//! minimising and maximising it over the same set. Cost: a gradient per active row and, only where these are dependent, a small convex program,
//! and two linear ones per row while there are few.
//!
//! Source: J. Kyparisis, "On uniqueness of Kuhn–Tucker multipliers in nonlinear programming", Math. Programming 32 (1985).

use super::Follower;
use super::tree::form::{Line, Quadratic};
use super::tree::qp;
use crate::linear::blas1::{axpy, dot, largest, norm2};

/// A row or bound is active when it is nearer than this, relative to the point.
const ACTIVE: f64 = 1e-6;
/// What is left of a gradient after those before it were taken out, relative to it, when it depends on them.
const DEPENDENT: f64 = 1e-7;
/// More active rows are not looked at, and ranges of more are not sought.
const LARGEST: usize = 200;
const FEW: usize = 20;
/// Multipliers that satisfy the conditions to this, relative to the objective's gradient, satisfy them.
const SATISFIED: f64 = 1e-5;
/// A range that is shorter, relative to its ends, is a number.
const NARROW: f64 = 1e-5;

/// Multipliers that are not unique.
#[derive(Clone, Debug, PartialEq)]
pub struct Several {
    /// Those of least norm, of all rows.
    pub least: Vec<f64>,
    /// From where to where each can be, of all rows; empty where that was not sought.
    pub ranges: Vec<(f64, f64)>,
}

/// The multipliers at the answer `y` to `x`, of which a method found `given`; `None` where they are unique or cannot be told.
pub fn several(follower: &mut Follower, x: &[f64], y: &[f64], given: &[f64]) -> Option<Several> {
    let nlp = &mut follower.nlp;
    nlp.set_parameters(x);
    let (n, m) = (y.len(), nlp.equal.len());
    let (mut g, mut rows, mut weights) = (vec![0.0; n], vec![0.0; m], vec![0.0; m]);
    nlp.evaluate(y, &weights, &mut g, &mut rows);
    let room = ACTIVE * largest(y).max(1.0);
    let active: Vec<usize> = (0..m).filter(|&i| nlp.equal[i] || rows[i] >= -room).collect();
    if active.len() < 2 || active.len() > LARGEST {
        return None;
    }
    let mut columns = Vec::with_capacity(active.len());
    for &i in &active {
        let mut slope = vec![0.0; n];
        weights[i] = 1.0;
        nlp.transposed(y, &weights, &mut slope);
        weights[i] = 0.0;
        columns.push(slope);
    }
    let (low, high): (Vec<bool>, Vec<bool>) =
        (0..n).map(|j| (y[j] <= nlp.lo[j] + room, y[j] >= nlp.hi[j] - room)).unzip();
    let free: Vec<bool> = (0..n).map(|j| !low[j] && !high[j]).collect();
    if !dependent(&columns, &free) {
        return None;
    }
    let size = largest(&g).max(1.0);
    // The given ones satisfy their own equations to the last digit.
    let bounded = |k: usize, u: f64| if nlp.equal[active[k]] { u } else { u.max(0.0) };
    let start: Vec<f64> = active.iter().enumerate().map(|(k, &i)| bounded(k, given[i])).collect();
    let mut sum = vec![0.0; n];
    columns.iter().zip(&start).for_each(|(column, u)| axpy(*u, column, &mut sum));
    let off = (0..n).filter(|&j| free[j]).map(|j| (g[j] + sum[j]).abs()).fold(0.0, f64::max);
    let satisfied = off <= SATISFIED * size;
    let mut lines = Vec::new();
    for (j, &free) in free.iter().enumerate() {
        let sign = if high[j] { 1.0 } else { -1.0 };
        let own = columns.iter().enumerate().map(|(k, column)| (k, sign * column[j] / size));
        let terms: Vec<_> = own.filter(|(_, a)| *a != 0.0).collect();
        if terms.is_empty() || low[j] && high[j] {
            continue;
        }
        let constant = if free && satisfied { -sum[j] } else { g[j] };
        lines.push(Line { terms, constant: sign * constant / size, equal: free });
    }
    let k = active.len();
    let least: Vec<f64> =
        active.iter().map(|&i| if nlp.equal[i] { f64::NEG_INFINITY } else { 0.0 }).collect();
    let most = vec![f64::INFINITY; k];
    let mut objective = Quadratic::zero(k);
    objective.second = (0..k).map(|i| (i, i, 1.0)).collect();
    let qp::Answer::Solved(solved) = qp::solve(&objective, &lines, &least, &most) else { return None };
    let spread = |of: &[f64]| {
        let mut all = vec![0.0; m];
        active.iter().zip(of).for_each(|(&i, value)| all[i] = *value);
        all
    };
    let mut ends = Vec::new();
    for at in 0..if k <= FEW { k } else { 0 } {
        let end = |sign: f64| {
            let mut objective = Quadratic::zero(k);
            objective.linear[at] = sign;
            match qp::solve(&objective, &lines, &least, &most) {
                qp::Answer::Solved(solved) => sign * solved.value,
                qp::Answer::Unbounded(_) => -sign * f64::INFINITY,
                _ => f64::NAN,
            }
        };
        ends.push((end(1.0), end(-1.0)));
    }
    // Dependent columns, but not among those that may be moved.
    if !ends.is_empty() && !ends.iter().any(|(least, most)| wide(*least, *most)) {
        return None;
    }
    let (first, second): (Vec<f64>, Vec<f64>) = ends.iter().copied().unzip();
    let ranges =
        if ends.is_empty() { Vec::new() } else { spread(&first).into_iter().zip(spread(&second)).collect() };
    Some(Several { least: spread(&solved.z), ranges })
}

/// Whether a range is more than a number.
pub fn wide(least: f64, most: f64) -> bool {
    let room = most - least;
    !room.is_finite() || room > NARROW * least.abs().max(most.abs()).max(1.0)
}

/// Whether the columns are dependent in the variables that are free, by Gram and Schmidt's method, each taken out twice.
fn dependent(columns: &[Vec<f64>], free: &[bool]) -> bool {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for column in columns {
        let mut rest: Vec<f64> =
            column.iter().zip(free).map(|(a, free)| if *free { *a } else { 0.0 }).collect();
        let before = norm2(&rest);
        for _ in 0..2 {
            for other in &basis {
                let along = dot(other, &rest);
                axpy(-along, other, &mut rest);
            }
        }
        let left = norm2(&rest);
        if left <= DEPENDENT * before.max(f64::MIN_POSITIVE) {
            return true;
        }
        rest.iter_mut().for_each(|r| *r /= left);
        basis.push(rest);
    }
    false
}
