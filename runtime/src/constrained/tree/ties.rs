//! The follower's ties: what the upper objective may be over all best answers of the follower to one `x`. For a linear or convex
//! quadratic follower these are a polyhedron, since the gradient of its objective is the same at all of them; so the range of an
//! upper objective that is affine in `y` is found by two linear programs. With whole numbers the answers are the points of the
//! follower's program whose objective is that of one answer, and these are two programs with whole numbers. Other followers are looked at
//! by [`super::super::lean`].
//!
//! Source: O. L. Mangasarian, "A simple characterization of solution sets of convex programs", Operations Research Letters 7
//! (1988), theorem 1.

use super::super::{Constrained, Degree};
use super::answers::among;
use super::convex::is_semidefinite;
use super::form::{Line, Quadratic, program};
use super::mip::solve_whole;
use super::qp::{Answer, solve};

/// What the upper objective may be over the best answers of the follower.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ties {
    /// Its least value.
    pub least: f64,
    /// Its largest value; infinite when there is none.
    pub most: f64,
    /// Whether the largest value is known to be the largest; otherwise it is that of some answer.
    pub exact: bool,
    /// Whether only the answers are known that were found by local runs, so that there may be others on both sides.
    pub local: bool,
}

/// Elements of answers that differ by no more than this, relative, are the same.
const SAME: f64 = 1e-5;
/// Best answers may differ in their objective by this, relative.
const LEVEL: f64 = 1e-9;
/// Followers with more variables are not looked at.
const LARGEST: usize = 300;

/// The range at `x`; `None` where the follower is not known to be a convex quadratic program, or the model reads multipliers, or
/// the upper objective is of a kind whose range is not found.
pub fn ties(c: &mut Constrained, x: &[f64]) -> Option<Ties> {
    let (_, m) = c.lens;
    let follower = c.follower.as_mut().filter(|follower| follower.quadratic)?;
    if !c.duals.is_empty() || m > LARGEST {
        return None;
    }
    let whole = follower.whole.clone();
    follower.nlp.set_parameters(x);
    let (mut lines, objective) = program(&mut follower.nlp);
    let (lo, hi) = (follower.nlp.lo.clone(), follower.nlp.hi.clone());
    let Answer::Solved(best) = solve_whole(&objective, &lines, &lo, &hi, &whole) else { return None };
    if !whole.is_empty() {
        let upper = in_lower(c, x)?;
        let (ends, own) = ((&lo[..], &hi[..]), (&objective, &lines));
        return range(&upper, &best.z, &mut |along| {
            among((own.0, own.1.clone()), ends, &whole, &best.z, along)
        });
    }
    lines.extend(level(&objective, &best.z));
    let unique = (0..m).all(|i| {
        let end = |sign: f64| {
            let mut along = Quadratic::zero(m);
            along.linear[i] = sign;
            match solve(&along, &lines, &lo, &hi) {
                Answer::Solved(solved) => (solved.z[i] - best.z[i]).abs(),
                _ => f64::INFINITY,
            }
        };
        lo[i] == hi[i] || end(1.0).max(end(-1.0)) <= SAME * best.z[i].abs().max(1.0)
    });
    let upper = in_lower(c, x)?;
    if unique {
        let value = upper.at(&best.z);
        return Some(Ties { least: value, most: value, exact: true, local: false });
    }
    range(&upper, &best.z, &mut |along| solve(along, &lines, &lo, &hi))
}

/// The range of `upper` over answers that `least` minimises over; `best` is one of them.
fn range(upper: &Quadratic, best: &[f64], least: &mut dyn FnMut(&Quadratic) -> Answer) -> Option<Ties> {
    if !is_semidefinite(upper) {
        return None;
    }
    let Answer::Solved(lowest) = least(upper) else { return None };
    let affine = upper.second.is_empty();
    let slope = if affine { upper.linear.clone() } else { upper.gradient(best) };
    let falling = Quadratic { constant: 0.0, linear: slope.iter().map(|g| -g).collect(), second: Vec::new() };
    let most = match least(&falling) {
        Answer::Solved(most) => upper.at(&most.z),
        Answer::Unbounded(_) => f64::INFINITY,
        _ => return None,
    };
    let exact = affine || most.is_infinite();
    Some(Ties { least: lowest.value, most: most.max(upper.at(best)), exact, local: false })
}

/// The rows that hold at answers as good as `y`: the objective's gradient is that at `y`, and so is the value.
fn level(objective: &Quadratic, y: &[f64]) -> Vec<Line> {
    let gradient = objective.gradient(y);
    let mut rows: Vec<Vec<(usize, f64)>> = vec![Vec::new(); y.len()];
    for &(i, j, h) in &objective.second {
        rows[i].push((j, h));
        if i != j {
            rows[j].push((i, h));
        }
    }
    let mut lines = Vec::new();
    let mut add = |terms: Vec<(usize, f64)>| {
        let value: f64 = terms.iter().map(|(i, a)| a * y[*i]).sum();
        let room = LEVEL * value.abs().max(1.0);
        lines.push(Line { terms, constant: -value - room, equal: false });
    };
    add(gradient.iter().copied().enumerate().filter(|(_, g)| *g != 0.0).collect());
    for mut row in rows.into_iter().filter(|row| !row.is_empty()) {
        add(row.clone());
        row.iter_mut().for_each(|(_, a)| *a = -*a);
        add(row);
    }
    lines
}

/// The upper objective as a function of `y` at `x`, where it is quadratic in both.
fn in_lower(c: &mut Constrained, x: &[f64]) -> Option<Quadratic> {
    if c.degrees.objective == Degree::Other {
        return None;
    }
    let ((n, m), len, rows) = (c.lens, c.single.len(), c.single.equal.len());
    let (mut z, none) = (vec![0.0; len], vec![0.0; rows]);
    z[..n].copy_from_slice(x);
    let (mut g, mut r) = (vec![0.0; len], vec![0.0; rows]);
    let constant = c.single.evaluate(&z, &none, &mut g, &mut r);
    let mut upper = Quadratic { constant, linear: g[n..n + m].to_vec(), second: Vec::new() };
    let (mut direction, mut product) = (vec![0.0; len], vec![0.0; len]);
    for j in 0..m {
        direction[n + j] = 1.0;
        c.single.product(&z, &none, &direction, &mut product, &mut r);
        direction[n + j] = 0.0;
        upper.second.extend((0..=j).filter(|&i| product[n + i] != 0.0).map(|i| (i, j, product[n + i])));
    }
    Some(upper)
}
