//! Both levels in one program whose points are all that can be an answer: the constraints of both levels, and what holds wherever the
//! follower is at a minimum. That are the conditions of Fritz John, `a ∇f + Σ uᵢ ∇gᵢ = 0` with `a, u >= 0`, `a + Σ u = 1` and
//! complementarity, which ask for no constraint qualification and whose multipliers are bounded. A follower with bounds alone always has multipliers
//! with `a = 1`.
//!
//! Written only where objective and rows of the follower are smooth; else its feasibility is all that is asked for.
//!
//! Source: F. John, "Extremum problems with inequalities as subsidiary conditions" (1948); O. L. Mangasarian, S. Fromovitz, J. Math.
//! Anal. Appl. 17 (1967) with equalities.

use super::super::{Constrained, Pair};
use super::form::{Form, Quadratic};
use super::terms::{Function, Terms};
use super::value_terms::{NotSmooth, derivative};

/// The program.
pub struct Sides {
    /// Its terms: first the upper and the lower variables, then slacks and multipliers.
    pub terms: Terms,
    /// Per row, whether it is an equality.
    pub equal: Vec<bool>,
    /// Bounds.
    pub lo: Vec<f64>,
    /// Bounds.
    pub hi: Vec<f64>,
    /// Complementarity.
    pub pairs: Vec<Pair>,
    /// The follower's objective among the terms.
    pub lower: usize,
    /// The follower's rows among the terms.
    pub rows: Vec<usize>,
    /// Per row of the follower, whether it is an equality.
    pub rows_equal: Vec<bool>,
    /// How many rows are constraints of the upper level.
    pub upper_rows: usize,
}

impl Sides {
    /// The program of a model; `None` where the compiler wrote no terms.
    pub fn new(c: &Constrained) -> Option<Self> {
        let terms = c.sides.clone()?;
        let rows_equal = c.follower.as_ref()?.nlp.equal.clone();
        let (n, m) = c.lens;
        let (lower, rows) = terms.rows.split_last()?;
        if rows.len() != c.upper_rows + rows_equal.len() || c.single.lo.len() < n + m {
            return None;
        }
        let mut sides = Sides {
            equal: c.single.equal[..c.upper_rows].iter().chain(&rows_equal).copied().collect(),
            lo: c.single.lo[..n + m].to_vec(),
            hi: c.single.hi[..n + m].to_vec(),
            pairs: Vec::new(),
            lower: *lower,
            rows: rows[c.upper_rows..].to_vec(),
            upper_rows: c.upper_rows,
            rows_equal,
            terms,
        };
        sides.terms.rows.pop();
        if let Ok(gradients) = sides.gradients(n, m) {
            sides.add_conditions(n, gradients);
        }
        Some(sides)
    }

    /// Bounds, pairs and whole numbers for branching.
    pub fn form(&self, whole: &[usize]) -> Form {
        Form {
            lo: self.lo.clone(),
            hi: self.hi.clone(),
            lines: Vec::new(),
            objective: Quadratic::zero(self.lo.len()),
            pairs: self.pairs.clone(),
            whole: whole.to_vec(),
        }
    }

    /// The derivatives of the follower's objective and then of its rows by every lower variable.
    fn gradients(&mut self, n: usize, m: usize) -> Result<Vec<Vec<Option<usize>>>, NotSmooth> {
        let functions: Vec<usize> = std::iter::once(self.lower).chain(self.rows.iter().copied()).collect();
        let mut all = Vec::new();
        for of in functions {
            let own: Result<Vec<_>, _> = (n..n + m).map(|by| derivative(&mut self.terms, of, by)).collect();
            all.push(own?);
        }
        Ok(all)
    }

    /// A new variable; its term.
    fn variable(&mut self, lo: f64, hi: f64) -> usize {
        self.lo.push(lo);
        self.hi.push(hi);
        self.terms.variable(self.lo.len() - 1)
    }

    fn add_conditions(&mut self, n: usize, gradients: Vec<Vec<Option<usize>>>) {
        let m = gradients[0].len();
        let (bounds_alone, most) = if self.rows.is_empty() { (true, f64::INFINITY) } else { (false, 1.0) };
        let first = if bounds_alone { self.terms.constant(1.0) } else { self.variable(0.0, 1.0) };
        let mut factors = vec![first];
        let mut total = vec![(first, 1.0)];
        for k in 0..self.rows.len() {
            let (row, equal) = (self.rows[k], self.rows_equal[k]);
            if equal {
                let factor = self.variable(-1.0, 1.0);
                let square = self.terms.apply(Function::Power(2), factor);
                total.push((square, 1.0));
                factors.push(factor);
                continue;
            }
            let factor = self.variable(0.0, 1.0);
            let multiplier = self.lo.len() - 1;
            let slack = self.variable(0.0, f64::INFINITY);
            let with_slack = self.terms.sum(0.0, vec![(row, 1.0), (slack, 1.0)]);
            self.pairs.push(Pair { multiplier, variable: self.lo.len() - 1, high: false });
            self.terms.rows[self.upper_rows + k] = with_slack;
            self.equal[self.upper_rows + k] = true;
            total.push((factor, 1.0));
            factors.push(factor);
        }
        for j in 0..m {
            let mut parts = Vec::new();
            for (factor, gradient) in factors.iter().zip(&gradients) {
                if let Some(slope) = gradient[j] {
                    parts.push((self.terms.product(*factor, slope), 1.0));
                }
            }
            for (bound, high) in [(self.lo[n + j], false), (self.hi[n + j], true)] {
                if bound.is_finite() {
                    let factor = self.variable(0.0, most);
                    self.pairs.push(Pair { multiplier: self.lo.len() - 1, variable: n + j, high });
                    parts.push((factor, if high { 1.0 } else { -1.0 }));
                    total.push((factor, 1.0));
                }
            }
            let row = self.terms.sum(0.0, parts);
            self.terms.rows.push(row);
            self.equal.push(true);
        }
        if !bounds_alone {
            let row = self.terms.sum(-1.0, total);
            self.terms.rows.push(row);
            self.equal.push(true);
        }
    }
}
