//! The follower with whole numbers, or that of a pessimistic leader, at one `x`: its answers, and of these the best and the worst for the
//! leader. The answers are those points of the follower's program whose objective is that of one answer, up to [`LEVEL`]; where that objective
//! is quadratic its level is cut out by tangents.
//!
//! Sources: as of [`super::whole`]; J. E. Kelley, "The cutting-plane method for solving convex programs", J. SIAM 8 (1960).

use super::form::{Line, Quadratic};
use super::mip::solve_whole;
use super::qp::Answer;
use super::whole::Whole;

/// Answers of the follower may differ in their objective by this, relative.
pub(super) const LEVEL: f64 = 1e-7;
/// Linear pieces of a level of a follower's objective that is quadratic.
const PIECES: usize = 60;

impl Whole {
    /// The follower's rows and objective at `x`, in its own variables.
    pub(super) fn follower(&self, x: &[f64]) -> (Vec<Line>, Quadratic) {
        let (n, m) = self.lens;
        let lines = self.lines[self.upper_rows..].iter().map(|line| at_x(line, x)).collect();
        let mut lower = Quadratic::zero(m);
        lower.linear.copy_from_slice(&self.lower.linear[n..]);
        for &(i, j, h) in &self.lower.second {
            if i < n {
                lower.linear[j - n] += h * x[i];
            } else {
                lower.second.push((i - n, j - n, h));
            }
        }
        (lines, lower)
    }

    pub(super) fn whole_lower(&self) -> Vec<usize> {
        let n = self.lens.0;
        self.whole.iter().filter(|&&i| i >= n).map(|i| i - n).collect()
    }

    /// The follower's answer at `x`.
    pub(super) fn answer(&self, x: &[f64]) -> Answer {
        let n = self.lens.0;
        let (lines, lower) = self.follower(x);
        solve_whole(&lower, &lines, &self.lo[n..], &self.hi[n..], &self.whole_lower())
    }

    /// Minimises `objective`, a function of `y`, over the follower's answers at `x` whose objective is that of `best`.
    fn among_answers(&self, x: &[f64], best: &[f64], objective: &Quadratic) -> Answer {
        let n = self.lens.0;
        let (rows, lower) = self.follower(x);
        among((&lower, rows), (&self.lo[n..], &self.hi[n..]), &self.whole_lower(), best, objective)
    }

    /// The best point for the leader with the linking variables of `x`, where `answer` is one of the follower's best.
    pub(super) fn best(&self, x: &[f64], answer: &[f64]) -> Answer {
        let n = self.lens.0;
        let (_, lower) = self.follower(x);
        let value = lower.at(answer);
        let most = value + LEVEL * value.abs().max(1.0);
        let (mut lo, mut hi) = (self.lo.clone(), self.hi.clone());
        for &i in &self.linking {
            (lo[i], hi[i]) = (x[i], x[i]);
        }
        let mut lines = self.lines.clone();
        let mut at = answer.to_vec();
        for _ in 0..PIECES {
            let mut line = tangent(&lower, &at, most);
            line.terms.iter_mut().for_each(|(j, _)| *j += n);
            lines.push(line);
            let found = solve_whole(&self.objective, &lines, &lo, &hi, &self.whole);
            let Answer::Solved(solved) = found else { return found };
            if lower.second.is_empty() || lower.at(&solved.z[n..]) <= most + LEVEL * value.abs().max(1.0) {
                return Answer::Solved(solved);
            }
            at.copy_from_slice(&solved.z[n..]);
        }
        Answer::Unsolved
    }

    /// The follower's best answer that is worst for the leader at `x`; infeasible when some answer violates a constraint of the leader.
    pub(super) fn worst(&self, x: &[f64], answer: &[f64]) -> Answer {
        let (n, m) = self.lens;
        let in_lower = |line: &Line| {
            let mut along = Quadratic::zero(m);
            line.terms.iter().filter(|(i, _)| *i >= n).for_each(|(i, a)| along.linear[i - n] -= a);
            along
        };
        for line in &self.lines[..self.upper_rows] {
            let along = in_lower(line);
            let own = at_x(line, x);
            for sign in if line.equal { &[1.0, -1.0][..] } else { &[1.0][..] } {
                let mut signed = along.clone();
                signed.linear.iter_mut().for_each(|g| *g *= sign);
                let found = self.among_answers(x, answer, &signed);
                let Answer::Solved(worst) = found else { return found };
                if sign * own.at(&worst.z) > 1e-7 * own.constant.abs().max(1.0) {
                    return Answer::Infeasible;
                }
            }
        }
        let mut falling = Quadratic::zero(m);
        for (j, g) in self.objective.linear.iter().enumerate().skip(n) {
            falling.linear[j - n] = -g;
        }
        self.among_answers(x, answer, &falling)
    }
}

/// Minimises `objective` over the points of a follower's program, with the variables at `whole` whole, that are as good for it as `best`.
pub(super) fn among(
    (lower, mut rows): (&Quadratic, Vec<Line>),
    (lo, hi): (&[f64], &[f64]),
    whole: &[usize],
    best: &[f64],
    objective: &Quadratic,
) -> Answer {
    let value = lower.at(best);
    let most = value + LEVEL * value.abs().max(1.0);
    let mut at = best.to_vec();
    for _ in 0..PIECES {
        rows.push(tangent(lower, &at, most));
        let answer = solve_whole(objective, &rows, lo, hi, whole);
        let Answer::Solved(solved) = answer else { return answer };
        if lower.second.is_empty() || lower.at(&solved.z) <= most + LEVEL * value.abs().max(1.0) {
            return Answer::Solved(solved);
        }
        at.clone_from(&solved.z);
    }
    Answer::Unsolved
}

/// A row at `x`, in the lower variables.
fn at_x(line: &Line, x: &[f64]) -> Line {
    let n = x.len();
    let mut own = Line { terms: Vec::new(), constant: line.constant, equal: line.equal };
    for &(i, a) in &line.terms {
        if i < n {
            own.constant += a * x[i];
        } else {
            own.terms.push((i - n, a));
        }
    }
    own
}

/// The tangent of `f <= most` at `y`.
fn tangent(f: &Quadratic, y: &[f64], most: f64) -> Line {
    let g = f.gradient(y);
    let constant = f.at(y) - g.iter().zip(y).map(|(g, y)| g * y).sum::<f64>() - most;
    Line { terms: g.into_iter().enumerate().filter(|(_, g)| *g != 0.0).collect(), constant, equal: false }
}
