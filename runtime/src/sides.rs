//! The hypergradient where the follower ends between its bounds along coordinates with next to no slope and without positive curvature
//! there: such a point is an answer to within the tolerance, but its Hessian on them has no inverse. Its true answers have these
//! coordinates on bounds. Two of them are looked at, with all such coordinates on their lower bounds and on their upper ones, but for those that
//! the gradient presses to the other side; on the faces of both the hypergradient is that of [`crate::hypergradient`].
//!
//! Where both are stationary the point is; where one is not, the upper objective may have a kink there that is a minimum all the same, so
//! nothing is said.
//!
//! Not guaranteed: with `k` such coordinates there may be `2ᵏ` sides, of which two are seen.

use crate::check::LOWER;
use crate::derivatives::Derivatives;
use crate::hypergradient::Implicit;
use crate::linear::blas1::{largest, norm2};
use crate::linear::cg::CgEnd;
use crate::problem::Problem;
use crate::space::{Domain, Space, end};

/// A slope below this, relative to the largest or 1, is next to none.
const WEAK: f64 = 1e-6;
/// Rounds of putting coordinates on the bound that the gradient presses them to.
const ROUNDS: usize = 4;

/// The projected norm of the hypergradient at an answer `y` and what it is relative to, the larger of both sides; `None` where there are no such
/// coordinates, or a side is no answer or has no hypergradient. `value`: `f` at `y`; `steps` and `tolerance`: of the adjoint system.
pub(crate) fn hypergradient(
    problem: &mut Problem,
    (x, y): (&[f64], &[f64]),
    value: f64,
    limits: (usize, f64),
) -> Option<(f64, f64)> {
    let mut g = vec![0.0; y.len()];
    problem.lower_gradient(x, y, &mut g);
    let ends = intervals(&problem.lower);
    let small = WEAK * largest(&g).max(1.0);
    let weak: Vec<usize> = (0..y.len())
        .filter(|&i| g[i].abs() <= small && ends[i].0.is_finite() && ends[i].1.is_finite())
        .collect();
    if weak.is_empty() {
        return None;
    }
    let one = side(problem, (x, y), value, (&weak, &ends, false), limits)?;
    let other = side(problem, (x, y), value, (&weak, &ends, true), limits)?;
    let relative = |(norm, size): (f64, f64)| norm / size;
    Some(if relative(one) >= relative(other) { one } else { other })
}

/// What is said of it: `norm`, whether that is small.
pub(crate) fn words(norm: f64, stationary: bool) -> String {
    let weak = "lower variables with next to no slope may be at either of their bounds";
    if stationary {
        return format!("{weak}; the hypergradient is the larger one of two such answers");
    }
    format!(
        "{weak}, so the upper objective may have a kink here and the hypergradient is not defined; at such answers its norm is up to {norm:.1e}"
    )
}

fn side(
    problem: &mut Problem,
    (x, y): (&[f64], &[f64]),
    value: f64,
    (weak, ends, upper): (&[usize], &[(f64, f64)], bool),
    (steps, tolerance): (usize, f64),
) -> Option<(f64, f64)> {
    let mut at = y.to_vec();
    let mut g = vec![0.0; y.len()];
    for &i in weak {
        at[i] = if upper { ends[i].1 } else { ends[i].0 };
    }
    for _ in 0..ROUNDS {
        let f = problem.lower_gradient(x, &at, &mut g);
        let presses = |i: usize| if at[i] <= ends[i].0 { g[i] < 0.0 } else { g[i] > 0.0 };
        let wrong: Vec<usize> = weak.iter().copied().filter(|&i| presses(i)).collect();
        if wrong.is_empty() {
            // As good an answer as the one that was found, and none that is better.
            if (f - value).abs().is_nan() || (f - value).abs() > LOWER * value.abs().max(1.0) {
                return None;
            }
            let mut implicit = Implicit::new(problem);
            let mut gradient = vec![0.0; x.len()];
            let (_, report) = implicit.evaluate(problem, x, &at, steps, tolerance, &mut gradient);
            if !matches!(report.end, CgEnd::Converged | CgEnd::Steps) {
                return None;
            }
            let size = norm2(&implicit.direct).max(norm2(&implicit.indirect)).max(1.0);
            let norm = problem.upper.stationarity(x, &gradient, &mut vec![0.0; x.len()]);
            return norm.is_finite().then_some((norm, size));
        }
        for i in wrong {
            at[i] = if at[i] <= ends[i].0 { ends[i].1 } else { ends[i].0 };
        }
    }
    None
}

/// The ends of every element; infinite where its domain is no interval.
fn intervals(space: &Space) -> Vec<(f64, f64)> {
    let mut ends = vec![(f64::NEG_INFINITY, f64::INFINITY); space.len()];
    for block in space.blocks() {
        if let Domain::Interval { lo, hi } = &block.domain {
            (0..block.len).for_each(|i| ends[block.offset + i] = (end(lo, i), end(hi, i)));
        }
    }
    ends
}
