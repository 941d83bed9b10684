//! Convex quadratic programs with whole numbers, by branching on these: the open end with the lowest bound first. For followers, whose
//! programs are small.
//!
//! Source: A. H. Land, A. G. Doig, "An automatic method of solving discrete programming problems", Econometrica 28 (1960).

use super::form::{Line, Quadratic};
use super::qp::{Answer, solve};
use super::search::WHOLE;

/// Programs solved before it gives up.
const NODES: usize = 20_000;
/// A node within this of the best, relative, is not worth looking at.
const CLOSE: f64 = 1e-9;
/// Rows may be off by this, times the size of their parts, once numbers were rounded.
const OFF: f64 = 1e-7;

/// Bounds of the variables with a bound of the objective over them.
type End = (f64, Vec<f64>, Vec<f64>);

/// As [`solve`], with the variables at `whole` whole; these are whole numbers exactly in the solution.
pub fn solve_whole(objective: &Quadratic, lines: &[Line], lo: &[f64], hi: &[f64], whole: &[usize]) -> Answer {
    if whole.is_empty() {
        return solve(objective, lines, lo, hi);
    }
    let (mut lo, mut hi) = (lo.to_vec(), hi.to_vec());
    for &i in whole {
        (lo[i], hi[i]) = ((lo[i] - WHOLE).ceil(), (hi[i] + WHOLE).floor());
    }
    let mut open: Vec<End> = vec![(f64::NEG_INFINITY, lo, hi)];
    let mut best: Option<Box<super::qp::Solved>> = None;
    let mut unsolved = false;
    for _ in 0..NODES {
        let least = (0..open.len()).min_by(|&a, &b| open[a].0.total_cmp(&open[b].0));
        let Some((bound, lo, hi)) = least.map(|k| open.swap_remove(k)) else { break };
        let worth = |bound: f64, best: &Option<Box<super::qp::Solved>>| {
            best.as_ref().is_none_or(|best| bound < best.value - CLOSE * best.value.abs().max(1.0))
        };
        if !worth(bound, &best) {
            continue;
        }
        let solved = match solve(objective, lines, &lo, &hi) {
            Answer::Infeasible => continue,
            Answer::Solved(solved) => solved,
            // Of a program with rational numbers this means that it is unbounded or has no whole point.
            Answer::Unbounded(ray) => {
                let flat = Quadratic::zero(lo.len());
                return match solve_whole(&flat, lines, &lo, &hi, whole) {
                    Answer::Solved(_) => Answer::Unbounded(ray),
                    other => other,
                };
            }
            Answer::Unsolved => {
                unsolved = true;
                continue;
            }
        };
        let bound = if solved.exact { bound.max(solved.bound) } else { bound };
        if !worth(bound, &best) {
            continue;
        }
        let distance = |i: usize| (solved.z[i] - solved.z[i].round()).abs();
        let split = whole.iter().copied().filter(|&i| lo[i] < hi[i] && distance(i) > WHOLE);
        if let Some(i) = split.max_by(|&a, &b| distance(a).total_cmp(&distance(b))) {
            let last = solved.z[i].floor();
            let (mut below, mut above) = (hi.clone(), lo.clone());
            (below[i], above[i]) = (last, last + 1.0);
            open.push((bound, lo, below));
            open.push((bound, above, hi));
            continue;
        }
        match rounded(objective, lines, (&lo, &hi), whole, &solved.z) {
            Some(found) if worth(found.value, &best) => best = Some(found),
            Some(_) => {}
            // What is whole up to rounding is not once it is rounded.
            None => {
                let Some(&i) = whole.iter().find(|&&i| lo[i] < hi[i]) else { continue };
                let last = solved.z[i].round().min(hi[i] - 1.0);
                let (mut below, mut above) = (hi.clone(), lo.clone());
                (below[i], above[i]) = (last, last + 1.0);
                open.push((bound, lo, below));
                open.push((bound, above, hi));
            }
        }
    }
    match best {
        Some(best) if open.is_empty() && !unsolved => Answer::Solved(best),
        None if open.is_empty() && !unsolved => Answer::Infeasible,
        _ => Answer::Unsolved,
    }
}

/// The solution with its whole numbers rounded and held.
fn rounded(
    objective: &Quadratic,
    lines: &[Line],
    (lo, hi): (&[f64], &[f64]),
    whole: &[usize],
    z: &[f64],
) -> Option<Box<super::qp::Solved>> {
    let (mut lo, mut hi) = (lo.to_vec(), hi.to_vec());
    for &i in whole {
        let value = z[i].round().max(lo[i]).min(hi[i]);
        (lo[i], hi[i]) = (value, value);
    }
    let Answer::Solved(solved) = solve(objective, lines, &lo, &hi) else { return None };
    lines.iter().all(|line| line.holds(&solved.z, OFF)).then_some(solved)
}
