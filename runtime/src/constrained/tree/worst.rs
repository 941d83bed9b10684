//! The pessimistic leader above a linear follower: to the single-level form, which knows one of the follower's best answers `y`, is added
//! the linear program that finds the worst of them for the leader, `max F(x, y')` over the `y'` that are feasible and no worse for the
//! follower than `y`, by its own conditions of optimality. The pairs of both are branched on.
//!
//! Assumes that the follower's objective is a fixed linear function of its variables. Then its best answers move continuously with `x`,
//! and so does the worst of them, so that the infimum is attained on a bounded set. With `x` in the follower's objective it need not be.
//!
//! Source: J. F. Bard, "Practical bilevel optimization" (1998), section 5; W. Wiesemann, A. Tsoukalas, P.-M. Kleniati, B. Rustem, SIAM J.
//! Optim. 23 (2013) for what is attained.

use super::super::{Constrained, Pair};
use super::convex::is_positive_definite;
use super::form::{Form, Line, Quadratic, follower_is_convex, program};

/// What a pessimistic leader comes to.
pub enum Pessimistic {
    /// The follower never has more than one best answer: the leader is as well off as an optimistic one.
    Unique,
    /// This form.
    Form(Box<Form>),
}

/// The form of a pessimistic leader; an error says what stands in the way.
pub fn pessimistic(c: &mut Constrained) -> Result<Pessimistic, String> {
    c.degrees.ask_quadratic_program("for a pessimistic leader")?;
    let (n, m) = c.lens;
    let (lines, objective) = program(&mut c.single);
    let Some(follower) = &c.follower else { return Ok(Pessimistic::Unique) };
    let rows = c.upper_rows..c.upper_rows + follower.rows.len();
    let stationary = &lines[rows.end..];
    if follower_is_convex(c, &lines) && is_positive_definite(&hessian(stationary, n, m), m) {
        return Ok(Pessimistic::Unique);
    }
    let own = |line: &Line| line.terms.iter().any(|(at, _)| *at < n + m);
    if stationary.iter().any(own) {
        return Err("the lower objective of a pessimistic leader is to be strictly convex, or a fixed linear function of the lower variables: \
                    with upper variables in it the worst answer may jump as they move, and the infimum need not be attained; whole upper \
                    variables are an exception"
            .into());
    }
    let on_lower = |line: &Line| line.terms.iter().any(|(at, _)| (n..n + m).contains(at));
    if lines[..c.upper_rows].iter().any(on_lower) || !c.duals.is_empty() {
        return Err("a pessimistic leader with variables that are not whole may not have constraints on lower variables, or multipliers: which \
                    answer they are about is not said"
            .into());
    }
    if objective.second.iter().any(|(i, j, _)| *i >= n && *j >= n) {
        return Err(
            "the upper objective of a pessimistic leader is to be affine in the lower variables".into()
        );
    }
    Ok(Pessimistic::Form(Box::new(worst(c, lines, &objective))))
}

/// The Hessian of the follower's objective, which stands in its rows of stationarity.
fn hessian(stationary: &[Line], n: usize, m: usize) -> Quadratic {
    let mut hessian = Quadratic::zero(m);
    for (i, row) in stationary.iter().enumerate() {
        let own = row.terms.iter().filter(|(at, _)| (n..=n + i).contains(at));
        hessian.second.extend(own.map(|(at, a)| (at - n, i, *a)));
    }
    hessian
}

fn worst(c: &Constrained, mut lines: Vec<Line>, objective: &Quadratic) -> Form {
    let (n, m) = c.lens;
    let rows: Vec<Line> = lines[c.upper_rows..].to_vec();
    let (mut lo, mut hi) = (c.single.lo.clone(), c.single.hi.clone());
    let mut pairs = c.pairs.clone();
    let mut column = |low: f64, high: f64| {
        lo.push(low);
        hi.push(high);
        lo.len() - 1
    };
    let (own_lo, own_hi) = (&c.single.lo, &c.single.hi);
    let answer: Vec<usize> = (n..n + m).map(|j| column(own_lo[j], own_hi[j])).collect();
    let moved = |at: usize| if (n..n + m).contains(&at) { answer[at - n] } else { at };
    let follower_rows = c.follower.iter().flat_map(|follower| &follower.rows);
    // The gradient of what is maximised less what it costs: `−∇F + Σ w ∇r − low + high + t ∇f`.
    let mut balance: Vec<Line> = (0..m)
        .map(|j| {
            let mut line = Line { terms: Vec::new(), constant: -objective.linear[n + j], equal: true };
            for &(a, b, h) in objective.second.iter().filter(|entry| entry.1 == n + j) {
                debug_assert!(a < n && b >= n, "checked before");
                line.terms.push((a, -h));
            }
            line
        })
        .collect();
    let count = c.follower.as_ref().map_or(0, |follower| follower.rows.len());
    for (line, row) in rows.iter().zip(follower_rows) {
        let multiplier = match row.slack {
            Some(_) => column(0.0, f64::INFINITY),
            None => column(f64::NEG_INFINITY, f64::INFINITY),
        };
        let mut terms: Vec<(usize, f64)> =
            line.terms.iter().filter(|(at, _)| *at < n + m).map(|(at, a)| (moved(*at), *a)).collect();
        if row.slack.is_some() {
            let slack = column(0.0, f64::INFINITY);
            pairs.push(Pair { multiplier, variable: slack, high: false });
            terms.push((slack, 1.0));
        }
        for (at, a) in line.terms.iter().filter(|(at, _)| (n..n + m).contains(at)) {
            balance[at - n].terms.push((multiplier, *a));
        }
        lines.push(Line { terms, constant: line.constant, equal: true });
    }
    for j in 0..m {
        for (end, high) in [(own_lo[n + j], false), (own_hi[n + j], true)] {
            if end.is_finite() {
                let multiplier = column(0.0, f64::INFINITY);
                pairs.push(Pair { multiplier, variable: answer[j], high });
                balance[j].terms.push((multiplier, if high { 1.0 } else { -1.0 }));
            }
        }
    }
    let price = column(0.0, f64::INFINITY);
    let mut level = Line { terms: Vec::new(), constant: 0.0, equal: false };
    for (j, row) in rows[count..].iter().enumerate() {
        if row.constant != 0.0 {
            balance[j].terms.push((price, row.constant));
            level.terms.extend([(n + j, -row.constant), (answer[j], row.constant)]);
        }
    }
    lines.extend(balance);
    lines.push(level);
    let mut moved_objective = Quadratic::zero(lo.len());
    moved_objective.constant = objective.constant;
    for (at, g) in objective.linear.iter().enumerate() {
        moved_objective.linear[moved(at)] += g;
    }
    for &(i, j, h) in &objective.second {
        let (i, j) = (moved(i), moved(j));
        moved_objective.second.push((i.min(j), i.max(j), h));
    }
    Form { lo, hi, lines, objective: moved_objective, pairs, whole: c.whole.clone() }
}
