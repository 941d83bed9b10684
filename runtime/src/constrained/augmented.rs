//! The augmented Lagrangian of a program, as a function of `v` alone:
//! `F + Σ_equal (u r + ρ/2 r²) + Σ_other (max(0, u + ρ r)² − u²) / 2ρ`, and the last form again for every complementarity
//! pair with `r = a b − τ` (Scholtes' relaxation). Its value, gradient and Hessian products come from those of the Lagrangian
//! at the weights `max(0, u + ρ r)`; the piecewise quadratic has a generalised Hessian.
//!
//! Sources: M. J. D. Powell (1969) and R. T. Rockafellar (1973) for the function; S. Scholtes, "Convergence properties of a
//! regularization scheme for mathematical programs with complementarity constraints", SIAM J. Optim. 11 (2001).

use super::Pair;
use super::nlp::Nlp;

/// Multipliers of rows and pairs, and the penalty.
#[derive(Clone, Debug)]
pub struct Multipliers {
    /// Of the rows.
    pub rows: Vec<f64>,
    /// Of the relaxed pairs.
    pub pairs: Vec<f64>,
    /// `ρ`.
    pub penalty: f64,
}

impl Multipliers {
    /// All zero.
    pub fn zero(rows: usize, pairs: usize) -> Self {
        Multipliers { rows: vec![0.0; rows], pairs: vec![0.0; pairs], penalty: 10.0 }
    }
}

/// The function with its work vectors. `lo` and `hi` are the bounds in force, from which the pairs measure too.
pub struct Augmented<'a> {
    /// The program.
    pub nlp: &'a mut Nlp,
    /// The pairs; empty when there are none to relax.
    pub pairs: &'a [Pair],
    /// `τ`.
    pub relaxation: f64,
    /// Multipliers and penalty.
    pub multipliers: Multipliers,
    /// The rows at the last point evaluated.
    pub rows: Vec<f64>,
    /// `F` there.
    pub objective: f64,
    weights: Vec<f64>,
    pushed: Vec<f64>,
    jacobian: Vec<f64>,
    scratch: Vec<f64>,
}

impl<'a> Augmented<'a> {
    /// Room for a program.
    pub fn new(nlp: &'a mut Nlp, pairs: &'a [Pair], relaxation: f64, multipliers: Multipliers) -> Self {
        let (n, m) = (nlp.len(), nlp.equal.len());
        Augmented {
            nlp,
            pairs,
            relaxation,
            multipliers,
            rows: vec![0.0; m],
            objective: f64::NAN,
            weights: vec![0.0; m],
            pushed: vec![0.0; m],
            jacobian: vec![0.0; m],
            scratch: vec![0.0; n],
        }
    }

    /// The weight of a row, and whether the row counts at all.
    fn weight(&self, i: usize) -> (f64, bool) {
        let t = self.multipliers.rows[i] + self.multipliers.penalty * self.rows[i];
        if self.nlp.equal[i] || t > 0.0 { (t, true) } else { (0.0, false) }
    }

    /// The weight of a pair at `v`, with its two factors.
    fn pair(&self, k: usize, v: &[f64]) -> (f64, f64, f64) {
        let (a, b) = self.pairs[k].factors(self.nlp, v);
        let t = self.multipliers.pairs[k] + self.multipliers.penalty * (a * b - self.relaxation);
        (t.max(0.0), a, b)
    }

    /// The value at `v`.
    pub fn value(&mut self, v: &[f64]) -> f64 {
        self.weights.fill(0.0);
        let Self { nlp, weights, scratch, rows, .. } = self;
        self.objective = nlp.evaluate(v, weights, scratch, rows);
        let penalty = self.multipliers.penalty;
        let mut value = self.objective;
        for i in 0..self.rows.len() {
            let u = self.multipliers.rows[i];
            value += (self.weight(i).0.powi(2) - u * u) / (2.0 * penalty);
        }
        for k in 0..self.pairs.len() {
            let u = self.multipliers.pairs[k];
            value += (self.pair(k, v).0.powi(2) - u * u) / (2.0 * penalty);
        }
        value
    }

    /// In `g` the gradient at the point where [`Augmented::value`] was called last.
    pub fn gradient(&mut self, v: &[f64], g: &mut [f64]) {
        for i in 0..self.rows.len() {
            self.weights[i] = self.weight(i).0;
        }
        let Self { nlp, weights, rows, .. } = self;
        nlp.evaluate(v, weights, g, rows);
        for k in 0..self.pairs.len() {
            let (q, a, b) = self.pair(k, v);
            let pair = self.pairs[k];
            g[pair.multiplier] += q * b;
            g[pair.variable] += q * a * pair.slope();
        }
    }

    /// In `out` the generalised Hessian times `d`, at the point where [`Augmented::gradient`] was called last.
    pub fn product(&mut self, v: &[f64], d: &[f64], out: &mut [f64]) {
        let penalty = self.multipliers.penalty;
        let Self { nlp, weights, jacobian, .. } = self;
        nlp.product(v, weights, d, out, jacobian);
        for i in 0..self.rows.len() {
            self.pushed[i] = if self.weight(i).1 { penalty * self.jacobian[i] } else { 0.0 };
        }
        let Self { nlp, pushed, scratch, .. } = self;
        nlp.transposed(v, pushed, scratch);
        for (out, s) in out.iter_mut().zip(&self.scratch) {
            *out += s;
        }
        for k in 0..self.pairs.len() {
            let (q, a, b) = self.pair(k, v);
            let pair = self.pairs[k];
            if q > 0.0 {
                let (da, db) = (d[pair.multiplier], pair.slope() * d[pair.variable]);
                let along = penalty * (b * da + a * db);
                out[pair.multiplier] += q * db + along * b;
                out[pair.variable] += pair.slope() * (q * da + along * a);
            }
        }
    }

    /// Takes the weights at `v` as the new multipliers; returns the largest violation of rows and relaxed pairs.
    pub fn update(&mut self, v: &[f64]) -> f64 {
        let mut violation = self.nlp.violation(&self.rows);
        for i in 0..self.rows.len() {
            self.multipliers.rows[i] = self.weight(i).0.clamp(-1e12, 1e12);
        }
        for k in 0..self.pairs.len() {
            let (q, a, b) = self.pair(k, v);
            violation = violation.max(a * b - self.relaxation);
            self.multipliers.pairs[k] = q.min(1e12);
        }
        violation
    }
}
