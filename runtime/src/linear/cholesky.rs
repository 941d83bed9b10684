//! Cholesky's factorisation of a dense symmetric matrix: of a small one by hand, of a larger one that is kept by blocks.

use super::blas1::{axpy, dot};
use crate::state::State;
use crate::threads;
use blo_kernels::dense::{Dense, Strided, Workspace, cholesky};

/// A pivot is zero when it is below this share of the diagonal it came from.
const FLAT: f64 = 1e-13;

/// Solves `A v = b` for a symmetric `A` (m × m, row-major, of which the lower triangle is read and overwritten by its factor); `v` holds
/// `b` and becomes the solution. False, with `v` of no meaning, when `A` is not positive definite.
pub(crate) fn solve(a: &mut [f64], v: &mut [f64]) -> bool {
    let m = v.len();
    for i in 0..m {
        let (above, rest) = a.split_at_mut(i * m);
        let row = &mut rest[..m];
        for j in 0..i {
            let other = &above[j * m..][..m];
            row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let diagonal = row[i];
        let pivot = diagonal - dot(&row[..i], &row[..i]);
        if pivot.is_nan() || pivot <= FLAT * diagonal.abs() {
            return false;
        }
        row[i] = pivot.sqrt();
        v[i] = (v[i] - dot(&row[..i], &v[..i])) / row[i];
    }
    for i in (0..m).rev() {
        v[i] /= a[i * m + i];
        let (solved, row) = (v[i], &a[i * m..][..i]);
        axpy(-solved, row, &mut v[..i]);
    }
    true
}

/// A factor that is kept, for many right-hand sides.
pub(crate) struct Factor {
    /// The matrix (m × m, row-major), to be filled before [`Factor::renew`].
    pub matrix: Vec<f64>,
    lower: Vec<f64>,
    work: Workspace,
    len: usize,
}

impl Factor {
    /// Memory for m × m matrices: `2 m²` numbers.
    pub fn new(m: usize) -> Self {
        let work = Workspace::new::<f64>(Dense::Cholesky, m);
        Factor { matrix: vec![0.0; m * m], lower: vec![0.0; m * m], work, len: m }
    }

    /// Factorises the matrix; false, with a factor of no use, when it is not positive definite.
    pub fn renew(&mut self) -> bool {
        let cells = Strided { cells: self.matrix.as_slice(), row: self.len, col: 1 };
        cholesky(self.len, cells, &mut self.lower, &mut self.work, threads::here());
        self.lower.first().is_none_or(|first| first.is_finite())
    }

    /// Overwrites `v` with the solution of `A v = b`, of which it holds `b`.
    pub fn solve(&self, v: &mut [f64]) {
        let m = self.len;
        for i in 0..m {
            let row = &self.lower[i * m..][..i];
            v[i] = (v[i] - dot(row, &v[..i])) / self.lower[i * m + i];
        }
        for i in (0..m).rev() {
            v[i] /= self.lower[i * m + i];
            let (solved, row) = (v[i], &self.lower[i * m..][..i]);
            axpy(-solved, row, &mut v[..i]);
        }
    }

    /// Its numbers.
    pub fn state(&mut self, state: &mut dyn State) {
        state.numbers(&mut self.lower);
    }
}

#[cfg(test)]
mod tests {
    use super::{Factor, solve};

    #[test]
    fn a_system_and_ones_that_are_not_definite() {
        let matrix = [4.0, 2.0, -1.0, 2.0, 5.0, 0.5, -1.0, 0.5, 3.0];
        let solution = [1.0, -2.0, 0.5];
        let mut v = [0, 1, 2].map(|i| (0..3).map(|j| matrix[3 * i + j] * solution[j]).sum::<f64>());
        assert!(solve(&mut matrix.clone(), &mut v));
        v.iter().zip(&solution).for_each(|(v, s)| assert!((v - s).abs() < 1e-14, "{v} is not {s}"));
        for singular in [[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 2.0, 1.0], [0.0, 0.0, 0.0, 1.0]] {
            assert!(!solve(&mut singular.clone(), &mut [1.0, 1.0]));
        }
        assert!(!solve(&mut [f64::NAN], &mut [1.0]));
    }

    #[test]
    fn a_factor_that_is_kept() {
        let m = 70;
        let entry =
            |i: usize, j: usize| if i == j { 4.0 + i as f64 } else { 1.0 / (1.0 + i.abs_diff(j) as f64) };
        let mut factor = Factor::new(m);
        (0..m * m).for_each(|k| factor.matrix[k] = entry(k / m, k % m));
        assert!(factor.renew());
        let solution: Vec<f64> = (0..m).map(|i| (i as f64).sin()).collect();
        let mut v: Vec<f64> = (0..m).map(|i| (0..m).map(|j| entry(i, j) * solution[j]).sum()).collect();
        factor.solve(&mut v);
        v.iter().zip(&solution).for_each(|(v, s)| assert!((v - s).abs() < 1e-13, "{v} is not {s}"));
        factor.matrix[m * m - 1] = -1.0;
        assert!(!factor.renew());
    }
}
