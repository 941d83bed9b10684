//! Whether a symmetric matrix is positive definite: Cholesky's factorisation with shifts. A factorisation that succeeds in
//! floating point proves the matrix definite up to a perturbation of the order of rounding (Higham, "Accuracy and Stability of
//! Numerical Algorithms", theorem 10.7), which is taken off every claim.

/// A symmetric matrix, row by row.
#[derive(Clone, Debug)]
pub struct Symmetric {
    n: usize,
    values: Vec<f64>,
}

/// What the factorisations say about the smallest eigenvalue.
#[derive(Clone, Debug, PartialEq)]
pub enum Definiteness {
    /// It is at least this number, which is above 0.
    Definite(f64),
    /// It is 0 or above, up to rounding.
    Semidefinite,
    /// It is below 0: a direction in which the quadratic form is negative.
    Indefinite(Vec<f64>),
}

impl Symmetric {
    /// Zeros.
    pub fn zeros(n: usize) -> Self {
        Symmetric { n, values: vec![0.0; n * n] }
    }

    /// The order.
    pub fn order(&self) -> usize {
        self.n
    }

    /// An entry.
    pub fn get(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.n + j]
    }

    /// Sets an entry and its mirror image.
    pub fn set(&mut self, i: usize, j: usize, value: f64) {
        self.values[i * self.n + j] = value;
        self.values[j * self.n + i] = value;
    }

    /// The largest sum of absolute values in a row: no eigenvalue is larger in size. NaN if an entry is.
    pub fn row_norm(&self) -> f64 {
        let row = |i: usize| -> f64 { (0..self.n).map(|j| self.get(i, j).abs()).sum() };
        let larger = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) };
        (0..self.n).map(row).fold(0.0, larger)
    }

    /// The error of a factorisation, to be taken off claims.
    pub fn rounding(&self) -> f64 {
        8.0 * (self.n as f64 + 2.0) * f64::EPSILON * self.row_norm()
    }

    /// Classifies the matrix. `steps` of bisection narrow the smallest eigenvalue.
    pub fn definiteness(&self, steps: usize) -> Definiteness {
        let rounding = self.rounding();
        if let Err(direction) = self.factor(rounding) {
            return Definiteness::Indefinite(direction);
        }
        let lowest = (0..self.n).map(|i| self.get(i, i)).fold(f64::INFINITY, f64::min);
        let (mut below, mut above) = (-rounding, lowest);
        let discs = (0..self.n).map(|i| {
            let others: f64 = (0..self.n).filter(|&j| j != i).map(|j| self.get(i, j).abs()).sum();
            self.get(i, i) - others
        });
        // Gershgorin's discs are exact for diagonal matrices and cheap for all.
        below = discs.fold(f64::INFINITY, f64::min).max(below);
        for _ in 0..steps {
            let middle = if below > 0.0 { (below * above).sqrt() } else { (below + above) / 2.0 };
            if above - below <= 1e-3 * above.abs() {
                break;
            }
            if self.factor(-middle).is_ok() { below = middle } else { above = middle }
        }
        let modulus = below - rounding;
        if modulus > rounding { Definiteness::Definite(modulus) } else { Definiteness::Semidefinite }
    }

    /// Factors the matrix plus `shift` times the identity, or finds a direction in which that is not positive.
    fn factor(&self, shift: f64) -> Result<(), Vec<f64>> {
        let n = self.n;
        let mut l = vec![0.0; n * n];
        for j in 0..n {
            for i in j..n {
                let inner: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
                let rest = self.get(i, j) - inner;
                if i == j {
                    let pivot = rest + shift;
                    // A matrix of zeros has no direction of negative curvature.
                    if pivot < 0.0 || pivot.is_nan() || (pivot == 0.0 && shift < 0.0) {
                        return Err(direction(&l, n, j));
                    }
                    l[j * n + j] = pivot.sqrt();
                } else {
                    let pivot = l[j * n + j];
                    if pivot == 0.0 && rest != 0.0 {
                        return Err(direction(&l, n, j));
                    }
                    l[i * n + j] = if pivot == 0.0 { 0.0 } else { rest / pivot };
                }
            }
        }
        Ok(())
    }
}

/// The vector with 1 in place `j` whose quadratic form is the pivot: `L' v = 0` above it.
fn direction(l: &[f64], n: usize, j: usize) -> Vec<f64> {
    let mut v = vec![0.0; n];
    v[j] = 1.0;
    for i in (0..j).rev() {
        let known: f64 = (i + 1..=j).map(|k| l[k * n + i] * v[k]).sum();
        let pivot = l[i * n + i];
        v[i] = if pivot == 0.0 { 0.0 } else { -known / pivot };
    }
    v
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: &[&[f64]]) -> Symmetric {
        let mut m = Symmetric::zeros(rows.len());
        for (i, row) in rows.iter().enumerate() {
            row.iter().enumerate().for_each(|(j, &v)| m.set(i, j, v));
        }
        m
    }

    #[test]
    fn eigenvalues_of_small_matrices() {
        // Eigenvalues 1 and 3.
        match matrix(&[&[2.0, 1.0], &[1.0, 2.0]]).definiteness(30) {
            Definiteness::Definite(m) => assert!(m <= 1.0 && m > 0.998, "{m}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(matrix(&[&[1.0, -1.0], &[-1.0, 1.0]]).definiteness(30), Definiteness::Semidefinite);
        assert_eq!(matrix(&[&[0.0, 0.0], &[0.0, 0.0]]).definiteness(30), Definiteness::Semidefinite);
        assert_eq!(
            matrix(&[&[1e-3]]).definiteness(30),
            Definiteness::Definite(1e-3 - 2.0 * 0.0 - 24.0 * f64::EPSILON * 1e-3)
        );
        let saddle = matrix(&[&[1.0, 2.0], &[2.0, 1.0]]);
        let Definiteness::Indefinite(v) = saddle.definiteness(30) else { panic!() };
        let form: f64 = (0..2)
            .flat_map(|i| (0..2).map(move |j| (i, j)))
            .map(|(i, j)| saddle.get(i, j) * v[i] * v[j])
            .sum();
        assert!(form < 0.0, "{v:?}");
    }
}
