//! A symmetric indefinite matrix as `P A Pᵀ = L B Lᵀ` with blocks of one or two rows in `B`, by faer's Bunch–Kaufman
//! factorisation with rook pivoting, in one thread. The signs of the blocks are those of the eigenvalues of `A`.
//!
//! Source: J. R. Bunch, L. Kaufman, "Some stable methods for calculating inertia and solving symmetric linear systems", Math.
//! Comp. 31 (1977); C. Ashcraft, R. G. Grimes, J. G. Lewis, SIAM J. Matrix Anal. Appl. 20 (1998) for rook pivoting.

use faer::diag::{DiagMut, DiagRef};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::lblt::factor::{
    LbltParams, PivotingStrategy, cholesky_in_place, cholesky_in_place_scratch,
};
use faer::linalg::cholesky::lblt::solve::{solve_in_place, solve_in_place_scratch};
use faer::perm::PermRef;
use faer::{Auto, MatMut, MatRef, Par, Spec};

/// How many eigenvalues of a matrix are positive and how many negative; those that are neither are zero or not numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inertia {
    /// Positive ones.
    pub positive: usize,
    /// Negative ones.
    pub negative: usize,
}

/// Memory for factorisations of n × n matrices, allocated once, and the last factorisation.
pub struct Indefinite {
    cells: Vec<f64>,
    below: Vec<f64>,
    order: Vec<usize>,
    inverse: Vec<usize>,
    memory: MemBuffer,
}

impl Indefinite {
    /// For n × n matrices.
    pub fn new(n: usize) -> Self {
        let scratch = cholesky_in_place_scratch::<usize, f64>(n, Par::Seq, params());
        let solving = solve_in_place_scratch::<usize, f64>(n, 1, Par::Seq);
        Indefinite {
            cells: vec![0.0; n * n],
            below: vec![0.0; n],
            order: vec![0; n],
            inverse: vec![0; n],
            memory: MemBuffer::new(scratch.or(solving)),
        }
    }

    /// The matrix to be factorised, column after column (n × n); its lower triangle is read. After [`Indefinite::factor`] it holds
    /// the factor and has to be filled anew.
    pub fn cells(&mut self) -> &mut [f64] {
        &mut self.cells
    }

    /// Factorises the matrix in [`Indefinite::cells`].
    pub fn factor(&mut self) -> Inertia {
        let n = self.order.len();
        let Self { cells, below, order, inverse, memory } = self;
        cholesky_in_place(
            MatMut::from_column_major_slice_mut(cells, n, n),
            DiagMut::from_slice_mut(below),
            order,
            inverse,
            Par::Seq,
            MemStack::new(memory),
            params(),
        );
        let mut inertia = Inertia { positive: 0, negative: 0 };
        let mut count = |eigenvalue: f64| {
            inertia.positive += usize::from(eigenvalue > 0.0);
            inertia.negative += usize::from(eigenvalue < 0.0);
        };
        let mut i = 0;
        while i < n {
            let (a, b) = (cells[i * (n + 1)], below[i]);
            if b == 0.0 || i + 1 == n {
                count(a);
                i += 1;
                continue;
            }
            let c = cells[(i + 1) * (n + 1)];
            let (mean, half) = (0.5 * (a + c), 0.5 * (a - c));
            let spread = half.hypot(b);
            count(mean + spread);
            count(mean - spread);
            i += 2;
        }
        inertia
    }

    /// Overwrites `b` (n) with the solution of `A v = b`.
    pub fn solve(&mut self, b: &mut [f64]) {
        let n = self.order.len();
        let Self { cells, below, order, inverse, memory } = self;
        solve_in_place(
            MatRef::from_column_major_slice(cells, n, n),
            MatRef::from_column_major_slice(cells, n, n).diagonal(),
            DiagRef::from_slice(below),
            PermRef::new_checked(order, inverse, n),
            MatMut::from_column_major_slice_mut(b, n, 1),
            Par::Seq,
            MemStack::new(memory),
        );
    }
}

fn params() -> Spec<LbltParams, f64> {
    let auto: LbltParams = Auto::<f64>::auto();
    LbltParams { pivoting: PivotingStrategy::Rook, ..auto }.into()
}

#[cfg(test)]
mod tests {
    use super::{Indefinite, Inertia};

    #[test]
    fn inertia_and_solution_at_all_sizes() {
        for n in [1, 2, 3, 7, 30, 90, 200] {
            let rows = n / 3;
            // A saddle point matrix: a definite block, rows of full rank and zeros.
            let entry = |i: usize, j: usize| -> f64 {
                let (i, j) = (i.max(j), i.min(j));
                match (i < n - rows, j < n - rows) {
                    (true, _) => {
                        if i == j {
                            2.0 + i as f64
                        } else {
                            0.5 / (1.0 + (i - j) as f64).powi(2)
                        }
                    }
                    (false, true) => {
                        f64::from(u8::from(i - (n - rows) == j)) + 0.1 * ((i * 7 + j * 3) % 5) as f64
                    }
                    (false, false) => 0.0,
                }
            };
            let mut factor = Indefinite::new(n);
            for j in 0..n {
                for i in j..n {
                    factor.cells()[j * n + i] = entry(i, j);
                }
            }
            assert_eq!(factor.factor(), Inertia { positive: n - rows, negative: rows });
            let solution: Vec<f64> = (0..n).map(|i| ((i * 5) % 11) as f64 - 4.0).collect();
            let mut b: Vec<f64> = (0..n).map(|i| (0..n).map(|j| entry(i, j) * solution[j]).sum()).collect();
            factor.solve(&mut b);
            for (b, s) in b.iter().zip(&solution) {
                assert!((b - s).abs() < 1e-8, "{n}: {b} is not {s}");
            }
        }
    }
}
