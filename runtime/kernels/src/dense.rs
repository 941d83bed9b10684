//! Dense factorisations and the solves that use them, one matrix at a time: LU with partial pivoting, Cholesky, and
//! triangular solves, by faer. Results are row-major. What does not exist (a zero pivot, a matrix that is not positive
//! definite) is NaN everywhere, so that whoever reads it notices. Batches are left to the caller.

use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
use faer::linalg::triangular_solve as triangular;
use faer::{MatMut, MatRef, Par};

use crate::Float;
use crate::real::Real;

/// Above this many multiply-adds, threads pay.
const PARALLEL_OPERATIONS: f64 = 1e7;

/// A step of dense linear algebra on an n × n matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dense {
    /// LU factors with partial pivoting, packed in n + 1 rows of n: row `j < n` is column `j` of L (below the diagonal, which
    /// is 1) and U together; the last row holds, for every row of the factors, the row of the matrix it comes from.
    Lu,
    /// From packed LU factors and a right-hand side (n × k), the solution.
    LuSolve,
    /// The lower factor of a symmetric positive definite matrix, of which the lower triangle is read; zeros above.
    Cholesky,
    /// From a lower triangular matrix (what is above the diagonal is not read) and a right-hand side, the solution.
    TriangularSolve,
}

impl Dense {
    /// The name in printed loops.
    pub fn name(self) -> &'static str {
        match self {
            Dense::Lu => "lu",
            Dense::LuSolve => "lu_solve",
            Dense::Cholesky => "cholesky",
            Dense::TriangularSolve => "triangular_solve",
        }
    }

    /// Cells of a result, for n × n matrices and k columns on the right-hand side.
    pub fn cells(self, n: usize, k: usize) -> usize {
        match self {
            Dense::Lu => (n + 1) * n,
            Dense::Cholesky => n * n,
            Dense::LuSolve | Dense::TriangularSolve => n * k,
        }
    }

    /// Cells of the factor that is read besides the matrix or right-hand side; 0 where there is none.
    pub fn factor_cells(self, n: usize) -> usize {
        match self {
            Dense::Lu | Dense::Cholesky => 0,
            Dense::LuSolve => (n + 1) * n,
            Dense::TriangularSolve => n * n,
        }
    }
}

/// A matrix to read, as the cells from its first on, and how far apart rows and columns are.
#[derive(Clone, Copy, Debug)]
pub struct Strided<'a, T> {
    /// From the first element on.
    pub cells: &'a [T],
    /// Distance between rows.
    pub row: usize,
    /// Distance between columns.
    pub col: usize,
}

impl<T: Copy> Strided<'_, T> {
    fn at(&self, i: usize, j: usize) -> T {
        self.cells[i * self.row + j * self.col]
    }
}

/// Memory for factorisations of n × n matrices, allocated once.
pub struct Workspace {
    order: Vec<usize>,
    inverse: Vec<usize>,
    stack: MemBuffer,
}

impl Workspace {
    /// For one kind of step on n × n matrices of `T`.
    pub fn new<T: Float>(kind: Dense, n: usize) -> Self {
        let (indices, request) = match kind {
            Dense::Lu => (n, lu_in_place_scratch::<usize, T>(n, n, Par::Seq, Default::default())),
            Dense::Cholesky => (0, cholesky_in_place_scratch::<T>(n, Par::Seq, Default::default())),
            Dense::LuSolve => (n, StackReq::EMPTY),
            Dense::TriangularSolve => (0, StackReq::EMPTY),
        };
        Workspace { order: vec![0; indices], inverse: vec![0; indices], stack: MemBuffer::new(request) }
    }
}

fn parallel(threads: usize, operations: f64) -> Par {
    if threads > 1 && operations > PARALLEL_OPERATIONS { Par::rayon(threads) } else { Par::Seq }
}

fn nan<T: Real>() -> T {
    T::from_f64(f64::NAN)
}

/// Packed LU factors (see [`Dense::Lu`]) of `a`; NaN everywhere if a pivot is zero or an entry is not finite.
///
/// # Panics
/// If `out` does not have (n + 1) × n cells, or `a` or the workspace is too small.
pub fn lu<T: Float + Into<f64>>(
    n: usize,
    a: Strided<'_, T>,
    out: &mut [T],
    work: &mut Workspace,
    threads: usize,
) {
    assert_eq!(out.len(), (n + 1) * n, "packed factors have n + 1 rows");
    let (factors, order) = out.split_at_mut(n * n);
    for j in 0..n {
        for i in 0..n {
            factors[j * n + i] = a.at(i, j);
        }
    }
    let par = parallel(threads, (n as f64).powi(3) / 3.0);
    let matrix = MatMut::from_column_major_slice_mut(factors, n, n);
    let stack = MemStack::new(&mut work.stack);
    lu_in_place(matrix, &mut work.order[..n], &mut work.inverse[..n], par, stack, Default::default());
    for (to, &from) in order.iter_mut().zip(&work.order) {
        *to = T::from_f64(from as f64);
    }
    let sound = (0..n).all(|i| {
        let pivot: f64 = factors[i * n + i].into();
        pivot != 0.0 && pivot.is_finite()
    });
    if !sound {
        out.fill(nan());
    }
}

/// `out = A⁻¹ b`, or `A'⁻¹ b` when `transposed`, from packed factors of A; `b` and `out` are n × k.
///
/// # Panics
/// If a slice or the workspace has too few cells.
pub fn lu_solve<T: Float + Into<f64>>(
    [n, k]: [usize; 2],
    transposed: bool,
    packed: &[T],
    b: Strided<'_, T>,
    out: &mut [T],
    work: &mut Workspace,
    threads: usize,
) {
    let (factors, order) = packed.split_at(n * n);
    for (to, &from) in work.order.iter_mut().zip(order) {
        let from: f64 = from.into();
        if from.is_nan() {
            out.fill(nan());
            return;
        }
        *to = from as usize;
    }
    let par = parallel(threads, (n * n) as f64 * k as f64);
    let factors = MatRef::from_column_major_slice(factors, n, n);
    if transposed {
        copy(n, k, |i| i, b, out);
        let mut x = MatMut::from_row_major_slice_mut(out, n, k);
        triangular::solve_lower_triangular_in_place(factors.transpose(), x.as_mut(), par);
        triangular::solve_unit_upper_triangular_in_place(factors.transpose(), x, par);
        unpermute(k, &work.order[..n], out);
    } else {
        let order = &work.order;
        copy(n, k, |i| order[i], b, out);
        let mut x = MatMut::from_row_major_slice_mut(out, n, k);
        triangular::solve_unit_lower_triangular_in_place(factors, x.as_mut(), par);
        triangular::solve_upper_triangular_in_place(factors, x, par);
    }
}

/// Copies row `row(i)` of `b` to row `i` of `out`.
fn copy<T: Copy>(n: usize, k: usize, row: impl Fn(usize) -> usize, b: Strided<'_, T>, out: &mut [T]) {
    for i in 0..n {
        let from = row(i);
        for j in 0..k {
            out[i * k + j] = b.at(from, j);
        }
    }
}

/// Moves every row `i` (of length k) to row `order[i]`, cycle by cycle; each cycle is turned from its smallest row.
fn unpermute<T>(k: usize, order: &[usize], x: &mut [T]) {
    for first in 0..order.len() {
        let mut at = order[first];
        while at > first {
            at = order[at];
        }
        if at < first {
            continue;
        }
        at = order[first];
        while at != first {
            let (head, tail) = x.split_at_mut(at * k);
            head[first * k..(first + 1) * k].swap_with_slice(&mut tail[..k]);
            at = order[at];
        }
    }
}

/// The lower Cholesky factor of `a` (see [`Dense::Cholesky`]); NaN everywhere if it is not positive definite.
///
/// # Panics
/// If `out` does not have n × n cells, or `a` or the workspace is too small.
pub fn cholesky<T: Float + Into<f64>>(
    n: usize,
    a: Strided<'_, T>,
    out: &mut [T],
    work: &mut Workspace,
    threads: usize,
) {
    assert_eq!(out.len(), n * n, "a factor is as large as its matrix");
    // Column by column, as faer likes it; turned over at the end.
    for j in 0..n {
        for i in j..n {
            out[j * n + i] = a.at(i, j);
        }
    }
    let par = parallel(threads, (n as f64).powi(3) / 6.0);
    let matrix = MatMut::from_column_major_slice_mut(out, n, n);
    let stack = MemStack::new(&mut work.stack);
    let done = cholesky_in_place(matrix, Default::default(), par, stack, Default::default()).is_ok();
    let positive = |i: usize| {
        let pivot: f64 = out[i * n + i].into();
        pivot > 0.0 && pivot.is_finite()
    };
    if !(done && (0..n).all(positive)) {
        out.fill(nan());
        return;
    }
    for j in 0..n {
        for i in j + 1..n {
            out[i * n + j] = out[j * n + i];
            out[j * n + i] = <T as Real>::ZERO;
        }
    }
}

/// `out = L⁻¹ b`, or `L'⁻¹ b` when `transposed`, for a row-major lower triangular L, whose upper triangle is not read; NaN
/// everywhere if an entry of the diagonal is zero or NaN. `b` and `out` are n × k.
///
/// # Panics
/// If a slice has too few cells.
pub fn triangular_solve<T: Float + Into<f64>>(
    [n, k]: [usize; 2],
    transposed: bool,
    lower: &[T],
    b: Strided<'_, T>,
    out: &mut [T],
    threads: usize,
) {
    let sound = |i: usize| {
        let pivot: f64 = lower[i * n + i].into();
        pivot != 0.0 && !pivot.is_nan()
    };
    if !(0..n).all(sound) {
        out.fill(nan());
        return;
    }
    copy(n, k, |i| i, b, out);
    let par = parallel(threads, (n * n) as f64 * k as f64 / 2.0);
    let lower = MatRef::from_row_major_slice(&lower[..n * n], n, n);
    let x = MatMut::from_row_major_slice_mut(out, n, k);
    if transposed {
        triangular::solve_upper_triangular_in_place(lower.transpose(), x, par);
    } else {
        triangular::solve_lower_triangular_in_place(lower, x, par);
    }
}
