//! Matrix times vector.
//!
//! A row-major matrix is read four rows at a time, each row's inner product in two accumulators. A column-major one
//! is read eight columns a pass, added to a result that stays in cache.

use super::{Job, Target, View, prefetch, run};
use crate::level::Level;
use crate::real::Real;
use crate::scratch;
use crate::vector::{Fold, Vector};

/// Rows of one pass over a row-major matrix.
const ROWS: usize = 4;
/// Columns of one pass over a column-major matrix.
const COLS: usize = 8;

/// Whether the kernels here take this matrix: rows or columns contiguous, and vector instructions to use.
pub fn fits<T>(level: Level, a: View<T>) -> bool {
    level != Level::Portable && (a.col == 1 || a.row == 1)
}

/// `y = A x` into column 0 of `y`, for `A: m x k`; `x` has the given stride.
///
/// # Safety
/// As [`super::gemm`]; [`fits`] must hold.
pub unsafe fn gemv<T: Real>(
    level: Level,
    (m, k): (usize, usize),
    y: Target<T>,
    a: View<T>,
    (x, step): (*const T, usize),
) {
    let by_rows = a.col == 1;
    let packed = if by_rows && step == 1 { 0 } else { k };
    let sums = if by_rows || y.row == 1 { 0 } else { m };
    scratch::with(packed + sums, |memory: *mut T| {
        // SAFETY: the caller's contract; the memory holds `packed` and then `sums` numbers; the level is supported.
        unsafe {
            // Where columns are summed, alpha is part of their factors.
            let factor = if by_rows { T::ONE } else { y.alpha };
            for p in 0..packed {
                *memory.add(p) = factor * *x.add(p * step);
            }
            let x = if packed > 0 { memory.cast_const() } else { x };
            if by_rows {
                run(level, ByRows { m, k, y, a, x });
            } else if sums == 0 {
                run(level, ByColumns { m, k, y: y.data, accumulate: y.accumulate, a, x });
            } else {
                let own = memory.add(packed);
                run(level, ByColumns { m, k, y: own, accumulate: false, a, x });
                for i in 0..m {
                    Target { alpha: T::ONE, ..y }.put(i, 0, *own.add(i));
                }
            }
        }
    });
}

struct ByRows<T> {
    m: usize,
    k: usize,
    y: Target<T>,
    a: View<T>,
    x: *const T,
}

impl<T: Real> Job<T> for ByRows<T> {
    #[inline(always)]
    unsafe fn run<V: Vector<E = T>>(self) {
        let mut i = 0;
        // SAFETY: rows i..i + ROWS are inside the matrix.
        unsafe {
            while i + ROWS <= self.m {
                self.rows::<V, ROWS>(i);
                i += ROWS;
            }
            while i < self.m {
                self.rows::<V, 1>(i);
                i += 1;
            }
        }
    }
}

impl<T: Real> ByRows<T> {
    #[inline(always)]
    unsafe fn rows<V: Vector<E = T>, const R: usize>(&self, i: usize) {
        let ahead = ROWS * self.a.row;
        // Further ahead than this, lines would leave the cache again before their turn.
        let far = ahead * size_of::<T>() > 32 * 1024;
        // SAFETY: every element read is in rows i..i + R and below k; prefetching is free to miss.
        unsafe {
            let row = |r: usize| self.a.data.add((i + r) * self.a.row);
            let mut sums = [[V::c(0.0); 2]; R];
            let mut p = 0;
            while p + 2 * V::LANES <= self.k {
                let (x0, x1) = (V::load(self.x.add(p)), V::load(self.x.add(p + V::LANES)));
                for (r, sum) in sums.iter_mut().enumerate() {
                    let at = row(r).add(p);
                    if !far {
                        prefetch(at.wrapping_add(ahead));
                        prefetch(at.wrapping_add(ahead + V::LANES));
                    }
                    sum[0] = V::load(at).fma(x0, sum[0]);
                    sum[1] = V::load(at.add(V::LANES)).fma(x1, sum[1]);
                }
                p += 2 * V::LANES;
            }
            while p < self.k {
                let lanes = V::LANES.min(self.k - p);
                let x = V::load_first(self.x.add(p), lanes);
                for (r, sum) in sums.iter_mut().enumerate() {
                    sum[0] = V::load_first(row(r).add(p), lanes).fma(x, sum[0]);
                }
                p += lanes;
            }
            for (r, sum) in sums.iter().enumerate() {
                self.y.put(i + r, 0, sum[0].add(sum[1]).fold(Fold::Add));
            }
        }
    }
}

struct ByColumns<T> {
    m: usize,
    k: usize,
    y: *mut T,
    accumulate: bool,
    a: View<T>,
    x: *const T,
}

impl<T: Real> Job<T> for ByColumns<T> {
    #[inline(always)]
    unsafe fn run<V: Vector<E = T>>(self) {
        let mut j = 0;
        // SAFETY: columns j..j + COLS are inside the matrix.
        unsafe {
            while j + COLS <= self.k {
                self.columns::<V, COLS>(j);
                j += COLS;
            }
            while j < self.k {
                self.columns::<V, 1>(j);
                j += 1;
            }
        }
    }
}

impl<T: Real> ByColumns<T> {
    #[inline(always)]
    unsafe fn columns<V: Vector<E = T>, const C: usize>(&self, j: usize) {
        let next = COLS * self.a.col;
        // Further ahead than this, lines would leave the cache again before their turn.
        let fetch = j + 2 * COLS <= self.k && next * size_of::<T>() <= 256 * 1024;
        let fresh = j == 0 && !self.accumulate;
        // SAFETY: every element read is in columns j..j + C and below m; prefetching is free to miss.
        unsafe {
            let mut factors = [V::c(0.0); C];
            for (q, factor) in factors.iter_mut().enumerate() {
                *factor = V::splat(*self.x.add(j + q));
            }
            let column = |q: usize| self.a.data.add((j + q) * self.a.col);
            let mut i = 0;
            while i + V::LANES <= self.m {
                let mut sum = [if fresh { V::c(0.0) } else { V::load(self.y.add(i)) }, V::c(0.0)];
                for (q, factor) in factors.iter().enumerate() {
                    let at = column(q).add(i);
                    if fetch {
                        prefetch(at.wrapping_add(next));
                    }
                    sum[q % 2] = V::load(at).fma(*factor, sum[q % 2]);
                }
                sum[0].add(sum[1]).store(self.y.add(i));
                i += V::LANES;
            }
            let lanes = self.m - i;
            if lanes > 0 {
                let start = if fresh { V::c(0.0) } else { V::load_first(self.y.add(i), lanes) };
                let mut sum = [start, V::c(0.0)];
                for (q, factor) in factors.iter().enumerate() {
                    sum[q % 2] = V::load_first(column(q).add(i), lanes).fma(*factor, sum[q % 2]);
                }
                sum[0].add(sum[1]).store_first(self.y.add(i), lanes);
            }
        }
    }
}
