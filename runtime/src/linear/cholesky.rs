//! Cholesky's factorisation of a small dense symmetric matrix.

use super::blas1::dot;

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
        super::blas1::axpy(-solved, row, &mut v[..i]);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::solve;

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
}
