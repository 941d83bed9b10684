//! Matrix products `C = alpha A B (+ C)` on strided views, by the shape's best method.
//!
//! Vectors go to `gemv`, thin matrices to `skinny`, small products to plain loops and `small`, and the rest to faer. Where each
//! begins was measured against faer, which is good at small products too if B has contiguous rows. The
//! choice depends on shape and strides only, never on addresses, so results do not depend on alignment.

mod gemv;
mod skinny;
mod small;
mod transpose;

use crate::Float;
use crate::level::Level;
use crate::real::Real;
use crate::vector::Vector;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// Below this many multiply-adds, plain loops are faster than any set-up.
const TINY: usize = 128;
/// Above this many operations, threads pay.
const PARALLEL_OPERATIONS: f64 = 1e7;

/// A strided read-only matrix.
#[derive(Clone, Copy)]
struct View<T> {
    data: *const T,
    row: usize,
    col: usize,
}

impl<T: Copy> View<T> {
    /// The element at (i, j).
    #[inline(always)]
    unsafe fn at(self, i: usize, j: usize) -> T {
        // SAFETY: the caller keeps i and j inside the matrix.
        unsafe { *self.data.add(i * self.row + j * self.col) }
    }
    fn transposed(self) -> Self {
        View { data: self.data, row: self.col, col: self.row }
    }
}

/// A strided matrix to be written: how each result enters it.
#[derive(Clone, Copy)]
struct Target<T> {
    data: *mut T,
    row: usize,
    col: usize,
    alpha: T,
    accumulate: bool,
}

impl<T: Real> Target<T> {
    /// Stores `alpha value`, or adds it.
    #[inline(always)]
    unsafe fn put(self, i: usize, j: usize, value: T) {
        // SAFETY: the caller keeps i and j inside the matrix.
        unsafe {
            let place = self.data.add(i * self.row + j * self.col);
            let scaled = self.alpha * value;
            *place = if self.accumulate { *place + scaled } else { scaled };
        }
    }
    fn transposed(self) -> Self {
        Target { row: self.col, col: self.row, ..self }
    }
}

/// A computation to be run at a level, compiled once per register type.
trait Job<E: Real> {
    /// Runs with registers `V`.
    ///
    /// # Safety
    /// As [`Vector`], and the job's own pointers must hold.
    unsafe fn run<V: Vector<E = E>>(self);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
unsafe fn run_avx512<E: Real, J: Job<E>>(job: J) {
    // SAFETY: this function has the features of the register; the rest is the caller's.
    unsafe { job.run::<E::V512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<E: Real, J: Job<E>>(job: J) {
    // SAFETY: this function has the features of the register; the rest is the caller's.
    unsafe { job.run::<E::V256>() }
}

/// Runs a job at a level this machine supports.
unsafe fn run<E: Real, J: Job<E>>(level: Level, job: J) {
    // SAFETY: the level is supported; the job's pointers are the caller's.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => run_avx512::<E, J>(job),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => run_avx2::<E, J>(job),
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            Level::Sse2 | Level::Neon => job.run::<E::V128>(),
            _ => job.run::<E>(),
        }
    }
}

/// Asks for the cache line at `p`, which need not be a valid address, to come to the second-level cache.
#[inline(always)]
fn prefetch<T>(p: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch never faults.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(p.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = p;
}

/// `C = alpha A B`, or `C += alpha A B` if `accumulate`, for `A: m x k`, `B: k x n`, `C: m x n`.
///
/// Strides are in elements. With `k == 0` the product is zero. Unless `accumulate` is set, C is not read and may be
/// uninitialised. `threads` above one lets large products use that many threads of the current rayon pool; small
/// ones and vectors run on the caller's thread.
///
/// # Safety
/// The strides must keep every element of A and B readable and of C writable; distinct elements of C must be
/// distinct places; C must not overlap A or B.
#[allow(clippy::too_many_arguments, reason = "the field's usual interface")]
pub unsafe fn gemm<T: Float>(
    m: usize,
    n: usize,
    k: usize,
    c: *mut T,
    c_rs: usize,
    c_cs: usize,
    a: *const T,
    a_rs: usize,
    a_cs: usize,
    b: *const T,
    b_rs: usize,
    b_cs: usize,
    alpha: T,
    accumulate: bool,
    threads: usize,
) {
    let a = View { data: a, row: a_rs, col: a_cs };
    let b = View { data: b, row: b_rs, col: b_cs };
    let c = Target { data: c, row: c_rs, col: c_cs, alpha, accumulate };
    // SAFETY: the caller's contract; the detected level is supported.
    unsafe { product(Level::detect(), (m, n, k), c, a, b, threads, 0) }
}

/// [`gemm`] for one tile of a matrix that is read tile by tile, of which `ahead` rows follow in memory.
///
/// The tile X is A of a scores product `X W`, or B of a gradient `R^T X` (or A of its transpose `X^T R`); X is row-major. With
/// `ahead > 0` the gradient fetches the next tile, of as many rows as this one, to the second-level cache while it
/// computes, and the scores rely on that; with `ahead == 0` nothing behind the tile is touched. A fetch never faults
/// and never changes a result. Of use from five columns on: below, memory alone sets the pace, and the flag does nothing.
///
/// # Safety
/// As [`gemm`].
#[allow(clippy::too_many_arguments, reason = "the field's usual interface")]
pub unsafe fn gemm_tile<T: Float>(
    (m, n, k): (usize, usize, usize),
    c: (*mut T, usize, usize),
    a: (*const T, usize, usize),
    b: (*const T, usize, usize),
    alpha: T,
    accumulate: bool,
    ahead: usize,
) {
    let c = Target { data: c.0, row: c.1, col: c.2, alpha, accumulate };
    let a = View { data: a.0, row: a.1, col: a.2 };
    let b = View { data: b.0, row: b.1, col: b.2 };
    // SAFETY: the caller's contract; the detected level is supported.
    unsafe { product(Level::detect(), (m, n, k), c, a, b, 1, ahead) }
}

/// [`gemm`] at a given level, which the machine must support. For tests that compare levels.
///
/// # Safety
/// As [`gemm`].
#[allow(clippy::too_many_arguments, reason = "the field's usual interface")]
pub unsafe fn gemm_at<T: Float>(
    level: Level,
    (m, n, k): (usize, usize, usize),
    c: (*mut T, usize, usize),
    a: (*const T, usize, usize),
    b: (*const T, usize, usize),
    alpha: T,
    accumulate: bool,
    threads: usize,
) {
    let c = Target { data: c.0, row: c.1, col: c.2, alpha, accumulate };
    let a = View { data: a.0, row: a.1, col: a.2 };
    let b = View { data: b.0, row: b.1, col: b.2 };
    // SAFETY: the caller's contract.
    unsafe { product(level, (m, n, k), c, a, b, threads, 0) }
}

unsafe fn product<T: Float>(
    level: Level,
    (m, n, k): (usize, usize, usize),
    c: Target<T>,
    a: View<T>,
    b: View<T>,
    threads: usize,
    ahead: usize,
) {
    if m == 0 || n == 0 {
        return;
    }
    // SAFETY: the caller's contract, handed on with the shapes.
    unsafe {
        if k == 0 {
            clear(m, n, c);
        } else if n == 1 && gemv::fits(level, a) {
            gemv::gemv(level, (m, k), c, a, (b.data, b.row));
        } else if m == 1 && gemv::fits(level, b.transposed()) {
            gemv::gemv(level, (n, k), c.transposed(), b.transposed(), (a.data, a.col));
        } else if m * n * k < TINY {
            plain((m, n, k), c, a, b);
        } else if !small::product(level, (m, n, k), c, a, b)
            && !skinny::product(level, (m, n, k), c, a, b, ahead)
        {
            general((m, n, k), c, a, b, threads);
        }
    }
}

unsafe fn clear<T: Real>(m: usize, n: usize, c: Target<T>) {
    if c.accumulate {
        return;
    }
    for i in 0..m {
        for j in 0..n {
            // SAFETY: inside C.
            unsafe { *c.data.add(i * c.row + j * c.col) = T::ZERO }
        }
    }
}

unsafe fn plain<T: Real>((m, n, k): (usize, usize, usize), c: Target<T>, a: View<T>, b: View<T>) {
    for i in 0..m {
        for j in 0..n {
            let mut sum = T::ZERO;
            // SAFETY: inside the three matrices.
            unsafe {
                for p in 0..k {
                    sum += a.at(i, p) * b.at(p, j);
                }
                c.put(i, j, sum);
            }
        }
    }
}

unsafe fn general<T: Real>(
    (m, n, k): (usize, usize, usize),
    c: Target<T>,
    a: View<T>,
    b: View<T>,
    threads: usize,
) {
    let operations = 2.0 * m as f64 * n as f64 * k as f64;
    let par = if threads > 1 && operations > PARALLEL_OPERATIONS { Par::rayon(threads) } else { Par::Seq };
    let accum = if c.accumulate { Accum::Add } else { Accum::Replace };
    // SAFETY: the caller's contract is that of these views.
    unsafe {
        let to = MatMut::from_raw_parts_mut(c.data, m, n, c.row as isize, c.col as isize);
        let left = MatRef::from_raw_parts(a.data, m, k, a.row as isize, a.col as isize);
        let right = MatRef::from_raw_parts(b.data, k, n, b.row as isize, b.col as isize);
        matmul(to, accum, left, right, c.alpha, par);
    }
}
