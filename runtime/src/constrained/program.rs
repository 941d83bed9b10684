//! What the interior-point method is given: a program `min F(v)` subject to rows `r(v) = 0` or `r(v) <= 0`. Here are the compiled
//! program with its complementarity pairs relaxed to `a b <= τ`, and the program that looks for a point with the least violation.
//!
//! Sources: S. Scholtes, "Convergence properties of a regularization scheme for mathematical programs with complementarity
//! constraints", SIAM J. Optim. 11 (2001); A. U. Raghunathan, L. T. Biegler, "An interior point method for mathematical programs
//! with complementarity constraints", SIAM J. Optim. 15 (2005) for `τ` in proportion to the barrier; A. Wächter, L. T. Biegler, Math.
//! Programming 106 (2006), section 3.3 for the restoration.

use super::Pair;
use super::nlp::Nlp;

/// Rows and columns of the entries of a symmetric matrix (its lower triangle) and of a Jacobian.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    /// Of the Hessian.
    pub hessian: Vec<(usize, usize)>,
    /// Of the Jacobian.
    pub jacobian: Vec<(usize, usize)>,
}

/// A program with its derivatives.
pub trait Program {
    /// The number of variables.
    fn variables(&self) -> usize;
    /// Per row, whether it is an equality.
    fn equal(&self) -> &[bool];
    /// Where the derivatives have entries.
    fn pattern(&mut self) -> Pattern;
    /// `F(v)`, its gradient and the rows.
    fn evaluate(&mut self, v: &[f64], g: &mut [f64], rows: &mut [f64]) -> f64;
    /// In `h` the entries of `σ ∇²F + Σ w ∇²r` and in `j` those of the Jacobian. False when the pattern has changed.
    fn second(&mut self, v: &[f64], sigma: f64, w: &[f64], h: &mut Vec<f64>, j: &mut Vec<f64>) -> bool;
    /// Is told the barrier in force before its first evaluation and whenever it falls.
    fn barrier(&mut self, _: f64) {}
    /// The compiled program below.
    fn nlp(&self) -> &Nlp;
}

/// A compiled program with relaxed pairs, whose rows follow those of the program.
pub struct Relaxed<'a> {
    nlp: &'a mut Nlp,
    pairs: &'a [Pair],
    equal: Vec<bool>,
    /// `τ`.
    relaxation: f64,
    /// `τ` for a barrier of 1, and its least value.
    slope: (f64, f64),
    scaled: Vec<f64>,
}

impl<'a> Relaxed<'a> {
    /// `τ = max(floor, slope · barrier)`.
    pub fn new(nlp: &'a mut Nlp, pairs: &'a [Pair], (slope, floor): (f64, f64)) -> Self {
        let mut equal = nlp.equal.clone();
        let scaled = vec![0.0; equal.len()];
        equal.extend(pairs.iter().map(|_| false));
        Relaxed { nlp, pairs, equal, relaxation: floor, slope: (slope, floor), scaled }
    }
}

impl Program for Relaxed<'_> {
    fn variables(&self) -> usize {
        self.nlp.len()
    }

    fn equal(&self) -> &[bool] {
        &self.equal
    }

    fn pattern(&mut self) -> Pattern {
        let Pattern { mut hessian, mut jacobian } = self.nlp.pattern();
        let m = self.nlp.equal.len();
        for (k, pair) in self.pairs.iter().enumerate() {
            let (a, b) = (pair.multiplier, pair.variable);
            hessian.push((a.max(b), a.min(b)));
            jacobian.extend([(m + k, a), (m + k, b)]);
        }
        Pattern { hessian, jacobian }
    }

    fn evaluate(&mut self, v: &[f64], g: &mut [f64], rows: &mut [f64]) -> f64 {
        let (own, pairs) = rows.split_at_mut(self.scaled.len());
        self.scaled.fill(0.0);
        let value = self.nlp.evaluate(v, &self.scaled, g, own);
        for (row, pair) in pairs.iter_mut().zip(self.pairs) {
            let (a, b) = pair.factors(self.nlp, v);
            *row = a * b - self.relaxation;
        }
        value
    }

    fn second(&mut self, v: &[f64], sigma: f64, w: &[f64], h: &mut Vec<f64>, j: &mut Vec<f64>) -> bool {
        let m = self.scaled.len();
        let pairs = self.pairs.len();
        h.truncate(h.len().saturating_sub(pairs));
        j.truncate(j.len().saturating_sub(2 * pairs));
        // The compiled Lagrangian takes the objective once.
        let sigma = if sigma > 0.0 { sigma } else { 1.0 };
        for (scaled, w) in self.scaled.iter_mut().zip(w) {
            *scaled = w / sigma;
        }
        let kept = self.nlp.second(v, &self.scaled, h, j);
        h.iter_mut().for_each(|h| *h *= sigma);
        for (pair, w) in self.pairs.iter().zip(&w[m..]) {
            let (a, b) = pair.factors(self.nlp, v);
            h.push(w * pair.slope());
            j.extend([b, a * pair.slope()]);
        }
        kept
    }

    fn barrier(&mut self, barrier: f64) {
        self.relaxation = (self.slope.0 * barrier).max(self.slope.1);
    }

    fn nlp(&self) -> &Nlp {
        self.nlp
    }
}

/// The least violation near a point: `min Σ (p + n) + ζ/2 Σ (v − v₀)² / max(1, |v₀|)²` subject to `s r(v) − p + n = 0`, or `s r(v) − p <= 0`,
/// with `p, n >= 0` behind `v` and `s` the scales of the rows.
pub struct Elastic<'a> {
    inner: &'a mut dyn Program,
    scale: &'a [f64],
    centre: &'a [f64],
    weight: f64,
    gradient: Vec<f64>,
    scaled: Vec<f64>,
    objective: Vec<f64>,
    inner_h: Vec<f64>,
    inner_j: Vec<f64>,
    /// The row of every entry of the Jacobian.
    row_of: Vec<usize>,
}

impl<'a> Elastic<'a> {
    /// Around `centre`, with `ζ = weight`.
    pub fn new(inner: &'a mut dyn Program, scale: &'a [f64], centre: &'a [f64], weight: f64) -> Self {
        let (n, m) = (inner.variables(), inner.equal().len());
        let row_of = rows_of(inner);
        Elastic {
            inner,
            scale,
            centre,
            weight,
            gradient: vec![0.0; n],
            scaled: vec![0.0; m],
            objective: Vec::new(),
            inner_h: Vec::new(),
            inner_j: Vec::new(),
            row_of,
        }
    }

    /// The number of `p` and `n`.
    pub fn added(&self) -> usize {
        let equalities = self.inner.equal().iter().filter(|e| **e).count();
        self.inner.equal().len() + equalities
    }

    /// `p` and `n` at `v` whose rows are `rows` (not scaled), for a barrier `mu`: what minimises `p + n − mu log p − mu log n`.
    pub fn slacks(&self, rows: &[f64], mu: f64) -> Vec<f64> {
        let m = rows.len();
        let mut all = vec![0.0; self.added()];
        let mut next = m;
        for i in 0..m {
            let c = self.scale[i] * rows[i];
            if self.inner.equal()[i] {
                let half = 0.5 * (mu - c);
                let n = half + (half * half + 0.5 * mu * c).max(0.0).sqrt();
                all[next] = n.max(1e-12);
                all[i] = (c + n).max(1e-12);
                next += 1;
            } else {
                all[i] = c.max(0.0) + mu;
            }
        }
        all
    }

    fn nearness(&self, i: usize) -> f64 {
        self.weight / self.centre[i].abs().max(1.0).powi(2)
    }
}

impl Program for Elastic<'_> {
    fn variables(&self) -> usize {
        self.inner.variables() + self.added()
    }

    fn equal(&self) -> &[bool] {
        self.inner.equal()
    }

    fn pattern(&mut self) -> Pattern {
        let Pattern { mut hessian, mut jacobian } = self.inner.pattern();
        let n = self.inner.variables();
        let m = self.scale.len();
        hessian.extend((0..n).map(|i| (i, i)));
        jacobian.extend((0..m).map(|i| (i, n + i)));
        let equalities = (0..m).filter(|&i| self.inner.equal()[i]);
        jacobian.extend(equalities.enumerate().map(|(k, i)| (i, n + m + k)));
        Pattern { hessian, jacobian }
    }

    fn evaluate(&mut self, v: &[f64], g: &mut [f64], rows: &mut [f64]) -> f64 {
        let (n, m) = (self.inner.variables(), rows.len());
        let (v, added) = v.split_at(n);
        self.inner.evaluate(v, &mut self.gradient, rows);
        let mut next = m;
        for i in 0..m {
            rows[i] = rows[i] * self.scale[i] - added[i];
            if self.inner.equal()[i] {
                rows[i] += added[next];
                next += 1;
            }
        }
        let mut value: f64 = added.iter().sum();
        g[n..].fill(1.0);
        for i in 0..n {
            let off = v[i] - self.centre[i];
            value += 0.5 * self.nearness(i) * off * off;
            g[i] = self.nearness(i) * off;
        }
        value
    }

    fn second(&mut self, v: &[f64], sigma: f64, w: &[f64], h: &mut Vec<f64>, j: &mut Vec<f64>) -> bool {
        let (n, m) = (self.inner.variables(), w.len());
        let v = &v[..n];
        let Self { inner, inner_h, inner_j, objective, scaled, scale, .. } = self;
        // The Hessian of the objective is taken off again.
        scaled.fill(0.0);
        let mut kept = inner.second(v, 1.0, scaled, inner_h, inner_j);
        objective.clone_from(inner_h);
        for ((scaled, w), s) in scaled.iter_mut().zip(w).zip(scale.iter()) {
            *scaled = w * s;
        }
        kept &= inner.second(v, 1.0, scaled, inner_h, inner_j);
        if !kept {
            self.row_of = rows_of(*inner);
            if objective.len() != inner_h.len() {
                scaled.fill(0.0);
                inner.second(v, 1.0, scaled, objective, inner_j);
            }
        }
        h.clear();
        j.clear();
        h.extend(inner_h.iter().zip(objective.iter()).map(|(all, f)| all - f));
        j.extend(self.row_of.iter().zip(inner_j.iter()).map(|(&row, value)| value * scale[row]));
        h.extend((0..n).map(|i| sigma * self.nearness(i)));
        j.extend(std::iter::repeat_n(-1.0, m));
        let equalities = self.inner.equal().iter().filter(|e| **e).count();
        j.extend(std::iter::repeat_n(1.0, equalities));
        kept
    }

    fn nlp(&self) -> &Nlp {
        self.inner.nlp()
    }
}

fn rows_of(program: &mut dyn Program) -> Vec<usize> {
    program.pattern().jacobian.into_iter().map(|(row, _)| row).collect()
}
