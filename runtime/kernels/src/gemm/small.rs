//! Small products: blocks of C in registers, straight from A and B, which are in cache as they are.
//!
//! Up to about twenty in each direction that saves what a general GEMM spends on deciding; most where B has contiguous columns.
//! A is read one number at a time, so its layout does not matter; B must have contiguous rows, or is copied once so that
//! it has.
#![allow(clippy::needless_range_loop, reason = "register blocks are clearest with their indices")]

use super::{Job, Target, View, run, transpose};
use crate::level::Level;
use crate::real::Real;
use crate::scratch;
use crate::vector::Vector;

/// Multiply-adds up to which products are taken here.
const MOST: usize = 20 * 20 * 20;
/// Multiply-adds from which they are taken although B has contiguous rows: faer is good at those.
const LEAST_BY_ROWS: usize = 10 * 10 * 10;

/// Computes the product if its shape suits; returns whether it did.
///
/// # Safety
/// As [`super::gemm`].
pub unsafe fn product<T: Real>(
    level: Level,
    (m, n, k): (usize, usize, usize),
    c: Target<T>,
    a: View<T>,
    b: View<T>,
) -> bool {
    let least = if b.col == 1 { LEAST_BY_ROWS } else { 0 };
    if level == Level::Portable || !(least..=MOST).contains(&(m * n * k)) {
        return false;
    }
    // SAFETY: the caller's contract, also of the transposed product C^T = B^T A^T.
    unsafe {
        // The other way round if only so C is written by rows and nothing is copied.
        if a.row == 1 && c.row == 1 && !(b.col == 1 && c.col == 1) {
            by_rows(level, (n, m, k), c.transposed(), b.transposed(), a.transposed());
        } else {
            by_rows(level, (m, n, k), c, a, b);
        }
    }
    true
}

unsafe fn by_rows<T: Real>(
    level: Level,
    (m, n, k): (usize, usize, usize),
    c: Target<T>,
    a: View<T>,
    b: View<T>,
) {
    // SAFETY: the caller's contract; the copy of B has k rows of n.
    unsafe {
        if b.col == 1 {
            run(level, Small { m, n, k, c, a, b });
        } else {
            scratch::with(n * k, |rows: *mut T| {
                transpose::copy((n, k), (rows, n), b.transposed());
                run(level, Small { m, n, k, c, a, b: View { data: rows, row: n, col: 1 } });
            });
        }
    }
}

/// `C = alpha A B (+ C)` with the rows of B contiguous.
struct Small<T> {
    m: usize,
    n: usize,
    k: usize,
    c: Target<T>,
    a: View<T>,
    b: View<T>,
}

/// Calls the block method with its number of registers (1 to 3), and whether the last is partial, as constants.
macro_rules! by_width {
    ($self:ident, $v:ident, $tall:literal, $wide:expr, $partial:expr, $($arg:expr),*) => {
        match ($wide, $partial) {
            (1, false) => $self.block::<$v, $tall, 1, false>($($arg),*),
            (2, false) => $self.block::<$v, $tall, 2, false>($($arg),*),
            (_, false) => $self.block::<$v, $tall, 3, false>($($arg),*),
            (1, true) => $self.block::<$v, $tall, 1, true>($($arg),*),
            (2, true) => $self.block::<$v, $tall, 2, true>($($arg),*),
            (_, true) => $self.block::<$v, $tall, 3, true>($($arg),*),
        }
    };
}

impl<T: Real> Job<T> for Small<T> {
    #[inline(always)]
    unsafe fn run<V: Vector<E = T>>(self) {
        // AVX-512 and NEON have 32 registers, the others 16.
        let most = if size_of::<V>() == 64 || cfg!(target_arch = "aarch64") { 8 } else { 4 };
        let mut j = 0;
        while j < self.n {
            let wide = (self.n - j).div_ceil(V::LANES).min(3);
            let partial = j + wide * V::LANES > self.n;
            let mut i = 0;
            while i < self.m {
                let left = self.m - i;
                // SAFETY: rows i..i + tall and the columns are inside C, or masked.
                unsafe {
                    if left >= 8 && most == 8 {
                        by_width!(self, V, 8, wide, partial, i, j);
                        i += 8;
                    } else if left >= 4 {
                        by_width!(self, V, 4, wide, partial, i, j);
                        i += 4;
                    } else if left >= 2 {
                        by_width!(self, V, 2, wide, partial, i, j);
                        i += 2;
                    } else {
                        by_width!(self, V, 1, wide, partial, i, j);
                        i += 1;
                    }
                }
            }
            j += wide * V::LANES;
        }
    }
}

impl<T: Real> Small<T> {
    /// Rows i.. (R of them) and columns j.. (H registers of them, the last partial if PART) of C.
    #[inline(always)]
    unsafe fn block<V: Vector<E = T>, const R: usize, const H: usize, const PART: bool>(
        &self,
        i: usize,
        j: usize,
    ) {
        let last = self.n - j - (H - 1) * V::LANES;
        let load = |p: *const T, h: usize| {
            // SAFETY: a partial register is masked.
            unsafe { if PART && h == H - 1 { V::load_first(p, last) } else { V::load(p) } }
        };
        // SAFETY: the block is inside C, the rows of A and the columns of B are inside theirs.
        unsafe {
            let mut sums = [[V::c(0.0); H]; R];
            let (mut row, mut column) = (self.b.data.add(j), self.a.data.add(i * self.a.row));
            for _ in 0..self.k {
                let mut b = [V::c(0.0); H];
                for h in 0..H {
                    b[h] = load(row.add(h * V::LANES), h);
                }
                for r in 0..R {
                    let a = V::splat(*column.add(r * self.a.row));
                    for h in 0..H {
                        sums[r][h] = a.fma(b[h], sums[r][h]);
                    }
                }
                row = row.wrapping_add(self.b.row);
                column = column.wrapping_add(self.a.col);
            }
            let alpha = V::splat(self.c.alpha);
            for r in 0..R {
                for h in 0..H {
                    let columns = if PART && h == H - 1 { last } else { V::LANES };
                    if self.c.col == 1 {
                        let at = self.c.data.add((i + r) * self.c.row + j + h * V::LANES);
                        let scaled = alpha.mul(sums[r][h]);
                        let value = if self.c.accumulate { load(at, h).add(scaled) } else { scaled };
                        if columns < V::LANES { value.store_first(at, columns) } else { value.store(at) }
                    } else {
                        let mut lanes = [T::ZERO; 16];
                        sums[r][h].store(lanes.as_mut_ptr());
                        for (q, &value) in lanes.iter().enumerate().take(columns) {
                            self.c.put(i + r, j + h * V::LANES + q, value);
                        }
                    }
                }
            }
        }
    }
}
