//! How the answer of a follower with constraints moves with the upper variables: `dy/dx`, its transpose, and the derivatives of the
//! multipliers.
//!
//! Of the conditions of Karush, Kuhn and Tucker at the answer the active ones are differentiated: with `H` the Hessian of the Lagrangian
//! over the variables that are not at a bound and `J` the gradients of the active rows,
//! `[H Jᵀ; J 0] [dy; du] = −[∇²yx L dx; ∇x r dx]`. A bound or row whose slack and multiplier are both next to nothing is a kink: there
//! the answer has derivatives from the sides, and those of the side on which it is not active are taken, or of the other.
//!
//! Assumes second derivatives, active rows with independent gradients, and a Hessian that is positive definite along them; where that
//! does not hold (answers that are not unique, among others) the derivative is not defined. Cost: one solution of the follower
//! from its answer, one factorisation of a matrix of free variables and active rows, and one solve per direction.
//!
//! Source: A. V. Fiacco, "Introduction to sensitivity and stability analysis in nonlinear programming" (1983), theorem 3.2.2;
//! K. Jittorntrum, Math. Programming Study 21 (1984) for kinks.

use super::Follower;
use super::check::multipliers_at;
use super::nlp::Nlp;
use super::program::Pattern;
use super::system::System;
use crate::linear::blas1::{dot, largest};

/// A row or bound is active where its multiplier, relative to the objective's gradient, is above its slack and this, and not active where
/// its slack is above this; else it is a kink.
const ACTIVE: f64 = 1e-4;
/// A solution this much larger than its right-hand side is one of a singular matrix.
const SINGULAR: f64 = 1e10;
/// More unknowns are not factorised.
const LARGEST: usize = 1500;

/// Why there is no derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undefined {
    /// The follower could not be solved from the point, or its answer is another one.
    NoAnswer,
    /// The conditions are singular.
    Singular,
    /// Too many unknowns for a dense factorisation.
    TooLarge,
}

impl Undefined {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Undefined::NoAnswer => {
                "the follower's multipliers were not found, so its answer has no derivative here"
            }
            Undefined::Singular => {
                "the follower's answer has no derivative here: it is not unique, or the gradients of its active constraints are dependent"
            }
            Undefined::TooLarge => "the follower has too many unknowns for the derivative of its answer",
        }
    }
}

/// Which side of kinks is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where the constraints at a kink are not active.
    Free,
    /// Where they are.
    Active,
}

/// The conditions of the follower at its answer, factorised.
pub struct Response {
    /// The upper variables and the answer.
    x: Vec<f64>,
    y: Vec<f64>,
    /// Multipliers of all rows.
    pub weights: Vec<f64>,
    /// Multipliers of bounds: positive at a lower one, negative at an upper one.
    pub of_bounds: Vec<f64>,
    /// Rows that are active.
    active: Vec<usize>,
    held: Vec<bool>,
    system: System,
    /// `∇x` of every active row.
    slopes: Vec<Vec<f64>>,
    /// The number of kinks.
    pub kinks: usize,
}

impl Response {
    /// At the answer `y` of the follower to `x`.
    pub fn at(follower: &mut Follower, x: &[f64], y: &[f64], side: Side) -> Result<Self, Undefined> {
        let (y, weights) = multipliers_at(follower, x, y).ok_or(Undefined::NoAnswer)?;
        let nlp = &mut follower.nlp;
        let (n, m) = (y.len(), weights.len());
        let (mut g, mut rows) = (vec![0.0; n], vec![0.0; m]);
        nlp.evaluate(&y, &vec![0.0; m], &mut g, &mut rows);
        let size = largest(&g).max(1.0);
        nlp.evaluate(&y, &weights, &mut g, &mut rows);
        let mut kinks = 0;
        let mut is_active = |slack: f64, multiplier: f64| {
            let strength = multiplier / size;
            if strength > ACTIVE && strength > slack {
                return true;
            }
            let weak = slack <= ACTIVE && slack > -ACTIVE;
            kinks += usize::from(weak);
            weak && side == Side::Active
        };
        let active: Vec<usize> =
            (0..m).filter(|&i| nlp.equal[i] || is_active(-rows[i], weights[i])).collect();
        let held: Vec<bool> = (0..n)
            .map(|i| {
                let (lo, hi) = (nlp.lo[i], nlp.hi[i]);
                lo >= hi || is_active(y[i] - lo, g[i]) || is_active(hi - y[i], -g[i])
            })
            .collect();
        if n + active.len() > LARGEST {
            return Err(Undefined::TooLarge);
        }
        let system = factorised(nlp, &y, &weights, &active, &held).ok_or(Undefined::Singular)?;
        let slopes = slopes(nlp, &y, &active, x.len());
        let mut response =
            Response { x: x.to_vec(), weights, of_bounds: g, active, held, system, slopes, kinks, y };
        response.is_regular().then_some(response).ok_or(Undefined::Singular)
    }

    /// Whether solutions are of ordinary size.
    fn is_regular(&mut self) -> bool {
        let mut dy: Vec<f64> = (0..self.y.len()).map(|i| 1.0 + 0.1 * (i % 7) as f64).collect();
        let mut du: Vec<f64> = (0..self.active.len()).map(|i| 1.0 + 0.1 * (i % 5) as f64).collect();
        self.system.solve(&mut dy, &mut du) && largest(&dy).max(largest(&du)) <= SINGULAR
    }

    /// In `dy` and `du` (all rows) the derivatives of answer and multipliers along `dx`.
    pub fn tangent(&mut self, follower: &mut Follower, dx: &[f64], dy: &mut [f64], du: &mut [f64]) {
        let nlp = &mut follower.nlp;
        nlp.set_parameters(&self.x);
        nlp.cross(&self.y, &self.weights, dx, dy);
        dy.iter_mut().for_each(|d| *d = -*d);
        let mut of_active: Vec<f64> = self.slopes.iter().map(|slope| -dot(slope, dx)).collect();
        self.system.solve(dy, &mut of_active);
        du.fill(0.0);
        for (&at, d) in self.active.iter().zip(&of_active) {
            du[at] = *d;
        }
    }

    /// Adds to `gx` the gradient by `x` of a function of answer and multipliers whose gradients by these are `gy` and `gu`.
    pub fn adjoint(&mut self, follower: &mut Follower, gy: &[f64], gu: &[f64], gx: &mut [f64]) {
        let nlp = &mut follower.nlp;
        nlp.set_parameters(&self.x);
        let mut p = gy.to_vec();
        let mut q: Vec<f64> = self.active.iter().map(|&at| gu[at]).collect();
        self.system.solve(&mut p, &mut q);
        let mut of_x = vec![0.0; gx.len()];
        nlp.product_by_parameters(&self.y, &self.weights, &p, &mut of_x);
        for (q, slope) in q.iter().zip(&self.slopes) {
            of_x.iter_mut().zip(slope).for_each(|(of_x, s)| *of_x += q * s);
        }
        gx.iter_mut().zip(&of_x).for_each(|(gx, of_x)| *gx -= of_x);
    }

    /// `dy/dx` in rows, one per lower variable.
    pub fn matrix(&mut self, follower: &mut Follower) -> Vec<Vec<f64>> {
        let (n, m) = (self.x.len(), self.y.len());
        let mut all = vec![vec![0.0; n]; m];
        let (mut dx, mut dy, mut du) = (vec![0.0; n], vec![0.0; m], vec![0.0; self.weights.len()]);
        for j in 0..n {
            dx[j] = 1.0;
            self.tangent(follower, &dx, &mut dy, &mut du);
            dx[j] = 0.0;
            all.iter_mut().zip(&dy).for_each(|(row, d)| row[j] = *d);
        }
        all
    }

    /// Whether a lower variable is held at a bound.
    pub fn is_held(&self, i: usize) -> bool {
        self.held[i]
    }
}

/// The matrix of the conditions, factorised; `None` where its inertia is not that of a strict minimum.
fn factorised(nlp: &mut Nlp, y: &[f64], weights: &[f64], active: &[usize], held: &[bool]) -> Option<System> {
    let (mut h, mut all) = (Vec::new(), Vec::new());
    nlp.second(y, weights, &mut h, &mut all);
    let Pattern { hessian, jacobian } = nlp.pattern();
    let mut place = vec![None; weights.len()];
    active.iter().enumerate().for_each(|(k, &at)| place[at] = Some(k));
    let entries = jacobian.iter().zip(&all);
    let (left, j): (Vec<_>, Vec<f64>) =
        entries.filter_map(|(&(row, column), value)| place[row].map(|row| ((row, column), *value))).unzip();
    let mut system = System::new(held, active.len(), &hessian, &left);
    system.factor(&h, &j, &vec![0.0; y.len()], &vec![0.0; active.len()]).then_some(system)
}

/// `∇x` of every active row.
fn slopes(nlp: &mut Nlp, y: &[f64], active: &[usize], n: usize) -> Vec<Vec<f64>> {
    let m = nlp.equal.len();
    let (mut g, mut rows, mut w) = (vec![0.0; y.len()], vec![0.0; m], vec![0.0; m]);
    let mut without = vec![0.0; n];
    nlp.evaluate_fully(y, &w, &mut without, &mut g, &mut rows);
    let slope = |&at: &usize| {
        let mut with = vec![0.0; n];
        w[at] = 1.0;
        nlp.evaluate_fully(y, &w, &mut with, &mut g, &mut rows);
        w[at] = 0.0;
        with.iter_mut().zip(&without).for_each(|(with, without)| *with -= without);
        with
    };
    active.iter().map(slope).collect()
}
