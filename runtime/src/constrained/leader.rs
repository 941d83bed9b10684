//! Whether the upper level is stationary at an answer of the follower: the gradient of `x ↦ F(x, y(x))` through the follower's
//! constraints (see [`super::sensitivity`]), with multipliers for the constraints of the upper level that are active, reduced in the
//! same way, and for the bounds of `x`.
//!
//! At a kink of the answer the gradients of two sides are looked at, those with all constraints at kinks not active and with all of
//! them active; both must pass. A point may be least without that (a pit of two slopes), so nothing is said of such a point when they
//! do not. Cost: the factorisation of the follower's conditions, one solve per active row, and a small convex program where rows are active.

use super::Constrained;
use super::sensitivity::{Response, Side, Undefined};
use super::tree::form::{Line, Quadratic};
use super::tree::qp;
use crate::linear::blas1::{largest, norm2};

/// A constraint of the upper level is active when its residual is above this.
const ACTIVE: f64 = -1e-6;

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduced {
    /// The norm of the gradient that multipliers and bounds leave, the larger of both sides of a kink.
    pub norm: f64,
    /// What the norm is relative to: at least 1, and the parts that the gradient is the sum of.
    pub size: f64,
    /// Kinks of the follower's answer.
    pub kinks: usize,
    /// Multipliers of the constraints of the upper level.
    pub of_upper: Vec<f64>,
    /// Multipliers of the follower's rows.
    pub of_lower: Vec<f64>,
}

/// The reduced gradient at `z`, whose lower variables are an answer of the follower.
pub fn reduced(c: &mut Constrained, z: &[f64]) -> Result<Reduced, Undefined> {
    let free = one_side(c, z, Side::Free)?;
    if free.kinks == 0 {
        return Ok(free);
    }
    // A side on which the constraints are dependent has no gradient of its own.
    match one_side(c, z, Side::Active) {
        Ok(active) if active.norm > free.norm => Ok(Reduced { norm: active.norm, ..free }),
        _ => Ok(free),
    }
}

fn one_side(c: &mut Constrained, z: &[f64], side: Side) -> Result<Reduced, Undefined> {
    let (n, m) = c.lens;
    let (x, y) = (&z[..n], &z[n..n + m]);
    let Constrained { single, follower, upper_rows, .. } = c;
    let count = single.equal.len();
    let (mut g, mut rows) = (vec![0.0; z.len()], vec![0.0; count]);
    single.evaluate(z, &vec![0.0; count], &mut g, &mut rows);
    let mut response = match follower {
        Some(follower) => Some(Response::at(follower, x, y, side)?),
        None => None,
    };
    let mut through = |g: &[f64]| {
        let mut gx = g[..n].to_vec();
        if let (Some(follower), Some(response)) = (follower.as_mut(), &mut response) {
            let gu: Vec<f64> = follower.rows.iter().map(|row| g[row.multiplier]).collect();
            response.adjoint(follower, &g[n..n + m], &gu, &mut gx);
        }
        gx
    };
    let gradient = through(&g);
    let mut columns = Vec::new();
    let (mut weights, mut slope) = (vec![0.0; count], vec![0.0; z.len()]);
    let active: Vec<usize> = (0..*upper_rows).filter(|&i| single.equal[i] || rows[i] >= ACTIVE).collect();
    for i in active {
        weights[i] = 1.0;
        single.transposed(z, &weights, &mut slope);
        weights[i] = 0.0;
        columns.push((i, through(&slope)));
    }
    let indirect: Vec<f64> = gradient.iter().zip(&g).map(|(all, direct)| all - direct).collect();
    let size = norm2(&g[..n]).max(norm2(&indirect)).max(1.0);
    let kinks = response.as_ref().map_or(0, |response| response.kinks);
    let of_lower = response.map_or_else(Vec::new, |response| response.weights);
    let mut of_upper = vec![0.0; *upper_rows];
    let (lo, hi) = (&single.lo[..n], &single.hi[..n]);
    let left = if columns.is_empty() {
        let step = |i: usize| x[i] - (x[i] - gradient[i]).max(lo[i]).min(hi[i]);
        (0..n).map(step).collect()
    } else {
        left_over((x, lo, hi), &gradient, &columns, &single.equal, &mut of_upper)
            .ok_or(Undefined::Singular)?
    };
    Ok(Reduced { norm: norm2(&left), size, kinks, of_upper, of_lower })
}

/// What is left of `g` when multiples of the columns and of the directions into bounds are added so that it is least.
fn left_over(
    (x, lo, hi): (&[f64], &[f64], &[f64]),
    g: &[f64],
    columns: &[(usize, Vec<f64>)],
    equal: &[bool],
    weights: &mut [f64],
) -> Option<Vec<f64>> {
    let (n, k) = (x.len(), columns.len());
    let scale = largest(g).max(1.0);
    let mut objective = Quadratic::zero(n + k);
    objective.second = (0..n).map(|i| (i, i, 1.0)).collect();
    let mut lines = Vec::new();
    for i in 0..n {
        let room = ACTIVE.abs() * x[i].abs().max(1.0);
        let (low, high) = (x[i] <= lo[i] + room, x[i] >= hi[i] - room);
        let total = || (0..k).map(|j| (n + j, columns[j].1[i] / scale)).filter(|(_, a)| *a != 0.0);
        if !low && !high {
            let terms = total().chain([(i, -1.0)]).collect();
            lines.push(Line { terms, constant: g[i] / scale, equal: true });
        } else if low != high {
            // At a lower bound only a falling objective counts, at an upper one only a rising one.
            let sign = if low { -1.0 } else { 1.0 };
            let terms = total().map(|(at, a)| (at, sign * a)).chain([(i, -1.0)]).collect();
            lines.push(Line { terms, constant: sign * g[i] / scale, equal: false });
        }
    }
    let bound = |free: bool| if free { f64::NEG_INFINITY } else { 0.0 };
    let low: Vec<f64> =
        vec![f64::NEG_INFINITY; n].into_iter().chain(columns.iter().map(|(i, _)| bound(equal[*i]))).collect();
    let high = vec![f64::INFINITY; n + k];
    let qp::Answer::Solved(solved) = qp::solve(&objective, &lines, &low, &high) else { return None };
    for ((i, _), w) in columns.iter().zip(&solved.z[n..]) {
        weights[*i] = *w;
    }
    Some(solved.z[..n].iter().map(|r| r * scale).collect())
}
