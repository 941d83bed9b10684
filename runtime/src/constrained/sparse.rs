//! A sparse symmetric matrix as `P A Pᵀ = L D Lᵀ` with `D` diagonal, the rows in an order of least degree found once. The signs of
//! `D` are those of the eigenvalues of `A`.
//!
//! No rows are exchanged for the sake of the digits: the caller sees to it that pivots are not small (see [`super::system`]).
//! Cost: the squares of the columns of `L` added up. Memory: 16 bytes per entry of `L`.
//!
//! Sources: T. A. Davis, "Algorithm 849: a concise sparse Cholesky factorization package", ACM Trans. Math. Software 31 (2005), as QDLDL
//! does it; P. R. Amestoy, T. A. Davis, I. S. Duff, SIAM J. Matrix Anal. Appl. 17 (1996) for the order.

use blo_kernels::indefinite::Inertia;
use clarabel::algebra::CscMatrix;
use clarabel::qdldl::{QDLDLFactorisation, QDLDLSettings};

/// The matrix and its factor.
pub struct Sparse {
    factor: QDLDLFactorisation<f64>,
    /// The entries of the upper triangle, column after column, and their places among themselves.
    entries: Vec<f64>,
    all: Vec<usize>,
    /// Where the diagonal is among them.
    diagonal: Vec<usize>,
}

impl Sparse {
    /// For `n` × `n` matrices with entries at `places` (either triangle, any order, also more than once) and on the diagonal; the
    /// second value is where each of them is among the entries. `None` where no factorisation exists.
    pub fn new(n: usize, places: &[(usize, usize)]) -> Option<(Self, Vec<usize>)> {
        let upper = |&(i, j): &(usize, usize)| (i.max(j), i.min(j));
        let mut at: Vec<(usize, usize)> = places.iter().map(upper).chain((0..n).map(|i| (i, i))).collect();
        at.sort_unstable();
        at.dedup();
        let find = |place: (usize, usize)| at.binary_search(&place).unwrap_or(0);
        let slots = places.iter().map(|place| find(upper(place))).collect();
        let diagonal = (0..n).map(|i| find((i, i))).collect();
        let mut ends = vec![0; n + 1];
        at.iter().for_each(|(column, _)| ends[column + 1] += 1);
        (0..n).for_each(|i| ends[i + 1] += ends[i]);
        let rows = at.iter().map(|(_, row)| *row).collect();
        let entries = vec![1.0; at.len()];
        let matrix = CscMatrix::new(n, n, ends, rows, entries.clone());
        let settings = QDLDLSettings { logical: true, regularize_enable: false, ..QDLDLSettings::default() };
        let factor = QDLDLFactorisation::new(&matrix, Some(settings)).ok()?;
        Some((Sparse { factor, all: (0..entries.len()).collect(), entries, diagonal }, slots))
    }

    /// Multiplications of a factorisation.
    pub fn cost(&self) -> f64 {
        self.factor.L.colptr.windows(2).map(|ends| ((ends[1] - ends[0]) as f64).powi(2)).sum()
    }

    /// The entries, to be filled.
    pub fn entries(&mut self) -> &mut [f64] {
        &mut self.entries
    }

    /// Adds to an element of the diagonal.
    pub fn add(&mut self, i: usize, value: f64) {
        self.entries[self.diagonal[i]] += value;
    }

    /// Factorises; `None` where a pivot is zero or not finite.
    pub fn factor(&mut self) -> Option<Inertia> {
        self.factor.update_values(&self.all, &self.entries);
        self.factor.refactor().ok()?;
        let d = &self.factor.D;
        let positive = d.iter().filter(|d| **d > 0.0).count();
        let negative = d.iter().filter(|d| **d < 0.0).count();
        (positive + negative == d.len()).then_some(Inertia { positive, negative })
    }

    /// Overwrites `b` with the solution of `A v = b`.
    pub fn solve(&mut self, b: &mut [f64]) {
        self.factor.solve(b);
    }
}
