//! Which expressions are polynomials of degree at most two, and their coefficients.

use std::collections::BTreeMap;

use crate::ir::scalar::Scalar;

/// `constant + Σ linear[i] v_i + Σ quadratic[i, j] v_i v_j`, with `i <= j`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Polynomial {
    /// The constant.
    pub constant: f64,
    /// The factor of every variable.
    pub linear: BTreeMap<usize, f64>,
    /// The factor of every product of two variables.
    pub quadratic: BTreeMap<(usize, usize), f64>,
}

impl Polynomial {
    /// Whether nothing is multiplied.
    pub fn is_affine(&self) -> bool {
        self.quadratic.is_empty()
    }

    fn constant(value: f64) -> Self {
        Polynomial { constant: value, ..Self::default() }
    }

    fn is_constant(&self) -> bool {
        self.linear.is_empty() && self.quadratic.is_empty()
    }

    fn plus(mut self, other: &Polynomial, factor: f64) -> Self {
        self.constant += factor * other.constant;
        for (&i, c) in &other.linear {
            *self.linear.entry(i).or_default() += factor * c;
        }
        for (&ij, c) in &other.quadratic {
            *self.quadratic.entry(ij).or_default() += factor * c;
        }
        self.linear.retain(|_, c| *c != 0.0);
        self.quadratic.retain(|_, c| *c != 0.0);
        self
    }

    fn times(&self, other: &Polynomial) -> Option<Self> {
        if self.is_constant() {
            return Some(Polynomial::default().plus(other, self.constant));
        }
        if other.is_constant() {
            return Some(Polynomial::default().plus(self, other.constant));
        }
        if !self.is_affine() || !other.is_affine() {
            return None;
        }
        let mut product = Polynomial::constant(self.constant * other.constant);
        for (&i, a) in &self.linear {
            *product.linear.entry(i).or_default() += a * other.constant;
            for (&j, b) in &other.linear {
                *product.quadratic.entry((i.min(j), i.max(j))).or_default() += a * b;
            }
        }
        for (&j, b) in &other.linear {
            *product.linear.entry(j).or_default() += b * self.constant;
        }
        Some(Polynomial::default().plus(&product, 1.0))
    }
}

/// The polynomial that an expression is; `None` if it is none of degree at most two.
pub fn polynomial(scalar: &Scalar) -> Option<Polynomial> {
    match scalar {
        Scalar::Constant(value) => Some(Polynomial::constant(*value)),
        Scalar::Variable(place) => {
            Some(Polynomial { linear: BTreeMap::from([(*place, 1.0)]), ..Polynomial::default() })
        }
        Scalar::Sum(parts) => {
            parts.iter().try_fold(Polynomial::default(), |sum, part| Some(sum.plus(&polynomial(part)?, 1.0)))
        }
        Scalar::Unary("neg", x) => Some(Polynomial::default().plus(&polynomial(x)?, -1.0)),
        Scalar::Binary("sub", a, b) => Some(polynomial(a)?.plus(&polynomial(b)?, -1.0)),
        Scalar::Binary("mul", a, b) => polynomial(a)?.times(&polynomial(b)?),
        Scalar::Binary("div", a, b) => match **b {
            Scalar::Constant(divisor) => Some(Polynomial::default().plus(&polynomial(a)?, 1.0 / divisor)),
            _ => None,
        },
        Scalar::Binary("pow", a, b) => match **b {
            Scalar::Constant(2.0) => {
                let base = polynomial(a)?;
                base.times(&base)
            }
            _ => None,
        },
        _ => None,
    }
}
