//! Arithmetic on the cells of buffers, so that the runtime's own steps are written once for reals and whole numbers.

use std::cmp::Ordering;

use blo_kernels::dense::{self, Dense, Workspace};
use blo_kernels::map;
use blo_kernels::sparse::{self, Sparse};

use crate::kernel::{self, Product, Strided, Word};

/// A cell the runtime's steps can work on.
pub trait Element: Word {
    /// 0
    const ZERO: Self;
    /// What a read outside an array gives.
    const MISSING: Self;
    /// a + b
    fn plus(self, b: Self) -> Self;
    /// a · b
    fn times(self, b: Self) -> Self;
    /// Whether `self` replaces the extreme value `best` found so far: it is strictly beyond it, or the first that is no NaN.
    fn beyond(self, best: Self, largest: bool) -> bool;
    /// The order of numbers, NaN after all others.
    fn order(self, other: Self) -> Ordering;
    /// `out = alpha · lhs · rhs`, or this added to `out`, for m × k and k × n operands with (row, column) strides and a row-major
    /// result.
    fn gemm(
        sizes: [usize; 3],
        out: &mut [Self],
        lhs: Strided<'_, Self>,
        rhs: Strided<'_, Self>,
        how: Product<f64>,
    );
}

/// The storage of reals.
pub trait Real: Element {
    /// Rounds to this precision.
    fn from_f64(x: f64) -> Self;
    /// Widens.
    fn to_f64(self) -> f64;
    /// Whether the bits agree (so that NaN equals itself, and 0 differs from -0).
    fn same(self, other: Self) -> bool;
    /// A function of the rows of `x` (rows × len).
    fn rows(name: &str, rows: usize, len: usize, out: &mut [Self], x: &[Self]);
    /// Memory for [`Real::dense`] on n × n matrices.
    fn workspace(kind: Dense, n: usize) -> Workspace;
    /// A step of dense linear algebra on one matrix; sizes are n and the columns of the right-hand side.
    #[expect(clippy::too_many_arguments, reason = "the operands of four kinds of steps")]
    fn dense(
        kind: Dense,
        sizes: [usize; 2],
        transposed: bool,
        factor: &[Self],
        x: Strided<'_, Self>,
        out: &mut [Self],
        work: &mut Workspace,
        threads: usize,
    );
    /// A product with a sparse matrix, given the places of its nonzeros (columns, starts, ends) and the other two operands.
    fn sparse(kind: Sparse, width: usize, places: [&[i64]; 3], operands: [&[Self]; 2], out: &mut [Self]);
}

macro_rules! real {
    ($t:ty) => {
        impl Element for $t {
            const ZERO: Self = 0.0;
            const MISSING: Self = <$t>::NAN;
            fn plus(self, b: Self) -> Self {
                self + b
            }
            fn times(self, b: Self) -> Self {
                self * b
            }
            fn beyond(self, best: Self, largest: bool) -> bool {
                !self.is_nan() && (best.is_nan() || if largest { self > best } else { self < best })
            }
            fn order(self, other: Self) -> Ordering {
                self.partial_cmp(&other).unwrap_or_else(|| self.is_nan().cmp(&other.is_nan()))
            }
            fn gemm(
                sizes: [usize; 3],
                out: &mut [Self],
                lhs: Strided<'_, Self>,
                rhs: Strided<'_, Self>,
                how: Product<f64>,
            ) {
                let Product { alpha, accumulate, ahead, threads } = how;
                let how = Product { alpha: alpha as $t, accumulate, ahead, threads };
                kernel::gemm(sizes, out, lhs, rhs, how);
            }
        }

        impl Real for $t {
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            fn to_f64(self) -> f64 {
                self.into()
            }
            fn same(self, other: Self) -> bool {
                self.to_bits() == other.to_bits()
            }
            fn rows(name: &str, rows: usize, len: usize, out: &mut [Self], x: &[Self]) {
                match name {
                    "softmax" => map::softmax_rows(rows, len, out, x),
                    "log_softmax" => map::log_softmax_rows(rows, len, out, x),
                    "logsumexp" => map::logsumexp_rows(rows, len, out, x),
                    _ => panic!("this is a bug in blo, please report it: there is no row function {name}"),
                }
            }
            fn workspace(kind: Dense, n: usize) -> Workspace {
                Workspace::new::<$t>(kind, n)
            }
            fn dense(
                kind: Dense,
                sizes: [usize; 2],
                transposed: bool,
                factor: &[Self],
                x: Strided<'_, Self>,
                out: &mut [Self],
                work: &mut Workspace,
                threads: usize,
            ) {
                let x = dense::Strided { cells: x.cells, row: x.row, col: x.col };
                match kind {
                    Dense::Lu => dense::lu(sizes[0], x, out, work, threads),
                    Dense::LuSolve => dense::lu_solve(sizes, transposed, factor, x, out, work, threads),
                    Dense::Cholesky => dense::cholesky(sizes[0], x, out, work, threads),
                    Dense::TriangularSolve => {
                        dense::triangular_solve(sizes, transposed, factor, x, out, threads);
                    }
                }
            }
            fn sparse(
                kind: Sparse,
                width: usize,
                [columns, start, end]: [&[i64]; 3],
                [a, b]: [&[Self]; 2],
                out: &mut [Self],
            ) {
                match kind {
                    Sparse::Product => {
                        sparse::product(sparse::Matrix { start, end, columns, values: a }, width, b, 0, out);
                    }
                    Sparse::Transposed => {
                        sparse::transposed(sparse::Matrix { start, end, columns, values: a }, width, b, out);
                    }
                    Sparse::Outer => sparse::outer(start, end, columns, width, a, b, out),
                }
            }
        }
    };
}
real!(f32);
real!(f64);

impl Element for i64 {
    const ZERO: Self = 0;
    const MISSING: Self = 0;
    fn plus(self, b: Self) -> Self {
        self.wrapping_add(b)
    }
    fn times(self, b: Self) -> Self {
        self.wrapping_mul(b)
    }
    fn beyond(self, best: Self, largest: bool) -> bool {
        if largest { self > best } else { self < best }
    }
    fn order(self, other: Self) -> Ordering {
        self.cmp(&other)
    }
    fn gemm(
        sizes: [usize; 3],
        out: &mut [Self],
        lhs: Strided<'_, Self>,
        rhs: Strided<'_, Self>,
        how: Product<f64>,
    ) {
        let [m, n, k] = sizes;
        for (c, (i, j)) in out.iter_mut().zip((0..m).flat_map(|i| (0..n).map(move |j| (i, j)))) {
            let terms = (0..k)
                .map(|p| lhs.cells[i * lhs.row + p * lhs.col].times(rhs.cells[p * rhs.row + j * rhs.col]));
            *c = terms.fold(if how.accumulate { *c } else { 0 }, i64::plus);
        }
    }
}
