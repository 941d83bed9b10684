//! Products with a matrix of at most sixteen columns (or, transposed, rows), such as a linear model's scores `X W`
//! and gradient `X^T R`.
//!
//! The large matrix is streamed once. A general GEMM would pack it first, which costs more than the product. Row
//! panels defeat the hardware prefetcher, so the next panel is prefetched by hand.
#![allow(clippy::needless_range_loop, reason = "register blocks are clearest with their indices")]

use super::{Job, Target, View, prefetch, run};
use crate::level::Level;
use crate::real::Real;
use crate::vector::{Fold, Vector};

/// Largest number of columns taken here.
const MAX_COLS: usize = 16;
/// Columns of one register block.
const BLOCK: usize = 5;
/// Rows of a panel of the transposed product.
const PANEL: usize = 8;
/// Largest packed thin matrix, in bytes: it should stay in the second-level cache.
const MAX_PACKED: usize = 512 * 1024;

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
    if level == Level::Portable {
        return false;
    }
    // SAFETY: the caller's contract, also of the transposed product C^T = B^T A^T.
    unsafe {
        (n <= MAX_COLS && thin(level, (m, n, k), c, a, b))
            || (m <= MAX_COLS && thin(level, (n, m, k), c.transposed(), b.transposed(), a.transposed()))
    }
}

/// The product for n <= MAX_COLS, if A's strides and the sizes suit.
unsafe fn thin<T: Real>(
    level: Level,
    (m, n, k): (usize, usize, usize),
    c: Target<T>,
    a: View<T>,
    b: View<T>,
) -> bool {
    let width = 64 / size_of::<T>();
    // SAFETY: the caller's contract; the buffers have the sizes the jobs expect and outlive them.
    unsafe {
        if a.col == 1 && m >= 4 && k >= 2 * width && n * k * size_of::<T>() <= MAX_PACKED {
            // B transposed, each of its columns padded with zeros to whole registers.
            let stride = k.next_multiple_of(width);
            let mut packed = vec![T::ZERO; n * stride];
            for p in 0..k {
                for j in 0..n {
                    packed[j * stride + p] = b.at(p, j);
                }
            }
            run(level, Scores { m, n, k, c, a, b: packed.as_ptr(), stride });
        } else if a.row == 1 && k >= 4 && m >= 2 * width && n * m * size_of::<T>() <= MAX_PACKED {
            // C transposed, padded likewise, and the rows of B one after another.
            let stride = m.next_multiple_of(4 * width);
            let mut sums = vec![T::ZERO; n * stride];
            let mut rows = Vec::with_capacity(k * n);
            for p in 0..k {
                rows.extend((0..n).map(|j| b.at(p, j)));
            }
            run(level, Gradient { m, n, k, sums: sums.as_mut_ptr(), stride, a, b: rows.as_ptr() });
            for i in 0..m {
                for j in 0..n {
                    c.put(i, j, sums[j * stride + i]);
                }
            }
        } else {
            return false;
        }
        true
    }
}

/// Calls a block method with its number of columns, `$n` (1 to 5), as a constant.
macro_rules! by_width {
    ($self:ident.$method:ident::<$v:ident, $tall:literal>($n:expr, $($arg:expr),*)) => {
        match $n {
            1 => $self.$method::<$v, $tall, 1>($($arg),*),
            2 => $self.$method::<$v, $tall, 2>($($arg),*),
            3 => $self.$method::<$v, $tall, 3>($($arg),*),
            4 => $self.$method::<$v, $tall, 4>($($arg),*),
            _ => $self.$method::<$v, $tall, 5>($($arg),*),
        }
    };
}

/// Columns of the next block when `left` remain: the remainder is spread so that no block is very thin.
#[inline(always)]
fn block_width(left: usize) -> usize {
    left.div_ceil(left.div_ceil(BLOCK))
}

/// `C = A B` with A row-major and B packed by columns: inner products of rows.
struct Scores<T> {
    m: usize,
    n: usize,
    k: usize,
    c: Target<T>,
    a: View<T>,
    b: *const T,
    stride: usize,
}

impl<T: Real> Job<T> for Scores<T> {
    #[inline(always)]
    unsafe fn run<V: Vector<E = T>>(self) {
        // AVX-512 has twice the registers, so it takes twice the rows.
        let tall = if size_of::<V>() == 64 { 4 } else { 2 };
        let mut i = 0;
        while i < self.m {
            let rows = if i + tall <= self.m { tall } else { 1 };
            let mut j = 0;
            while j < self.n {
                let width = block_width(self.n - j);
                // SAFETY: rows i..i + rows and columns j..j + width are inside.
                unsafe {
                    match rows {
                        4 => by_width!(self.block::<V, 4>(width, i, j)),
                        2 => by_width!(self.block::<V, 2>(width, i, j)),
                        _ => by_width!(self.block::<V, 1>(width, i, j)),
                    }
                }
                j += width;
            }
            i += rows;
        }
    }
}

impl<T: Real> Scores<T> {
    #[inline(always)]
    unsafe fn block<V: Vector<E = T>, const R: usize, const N: usize>(&self, i: usize, j: usize) {
        let ahead = R * self.a.row;
        let near = j == 0 && ahead * size_of::<T>() <= 32 * 1024;
        // SAFETY: rows i..i + R, columns j..j + N; the packed columns are whole registers.
        unsafe {
            let row = |r: usize| self.a.data.add((i + r) * self.a.row);
            let column = |q: usize| self.b.add((j + q) * self.stride);
            let mut sums = [[V::c(0.0); N]; R];
            let mut p = 0;
            while p + V::LANES <= self.k {
                let mut x = [V::c(0.0); R];
                for (r, x) in x.iter_mut().enumerate() {
                    if near {
                        prefetch(row(r).wrapping_add(p + ahead));
                    }
                    *x = V::load(row(r).add(p));
                }
                for q in 0..N {
                    let w = V::load(column(q).add(p));
                    for r in 0..R {
                        sums[r][q] = x[r].fma(w, sums[r][q]);
                    }
                }
                p += V::LANES;
            }
            if p < self.k {
                for (r, sum) in sums.iter_mut().enumerate() {
                    let x = V::load_first(row(r).add(p), self.k - p);
                    for (q, sum) in sum.iter_mut().enumerate() {
                        *sum = x.fma(V::load(column(q).add(p)), *sum);
                    }
                }
            }
            for (r, sum) in sums.iter().enumerate() {
                for (q, sum) in sum.iter().enumerate() {
                    self.c.put(i + r, j + q, sum.fold(Fold::Add));
                }
            }
        }
    }
}

/// `C = A B` with A column-major: sums of columns of A, kept transposed in `sums`.
struct Gradient<T> {
    m: usize,
    n: usize,
    k: usize,
    sums: *mut T,
    stride: usize,
    a: View<T>,
    b: *const T,
}

impl<T: Real> Job<T> for Gradient<T> {
    #[inline(always)]
    unsafe fn run<V: Vector<E = T>>(self) {
        let mut first = 0;
        while first < self.k {
            let last = self.k.min(first + PANEL);
            let mut i = 0;
            while i < self.m {
                let mut j = 0;
                while j < self.n {
                    let width = block_width(self.n - j);
                    // Two registers of rows: with four, as AVX-512 has room for, streaming from memory was half as
                    // fast. SAFETY: the block is inside, or ends in its masked part.
                    unsafe { by_width!(self.block::<V, 2>(width, i, j, first, last)) }
                    j += width;
                }
                i += 2 * V::LANES;
            }
            first = last;
        }
    }
}

impl<T: Real> Gradient<T> {
    /// Adds the panel's part of rows i.. (H registers of them) and columns j.. of C.
    #[inline(always)]
    unsafe fn block<V: Vector<E = T>, const H: usize, const N: usize>(
        &self,
        i: usize,
        j: usize,
        first: usize,
        last: usize,
    ) {
        let ahead = PANEL * self.a.col;
        let near = j == 0 && ahead * size_of::<T>() <= 256 * 1024;
        let whole = i + H * V::LANES <= self.m;
        // SAFETY: `sums` is padded to whole blocks; partial registers of A are masked.
        unsafe {
            let place = |q: usize, h: usize| self.sums.add((j + q) * self.stride + i + h * V::LANES);
            let mut sums = [[V::c(0.0); N]; H];
            for (h, sum) in sums.iter_mut().enumerate() {
                for (q, sum) in sum.iter_mut().enumerate() {
                    *sum = V::load(place(q, h));
                }
            }
            for p in first..last {
                let column = self.a.data.wrapping_add(p * self.a.col + i);
                let mut x = [V::c(0.0); H];
                for (h, x) in x.iter_mut().enumerate() {
                    let at = column.wrapping_add(h * V::LANES);
                    if near {
                        prefetch(at.wrapping_add(ahead));
                    }
                    *x = if whole {
                        V::load(at)
                    } else {
                        V::load_first(at, self.m.saturating_sub(i + h * V::LANES).min(V::LANES))
                    };
                }
                for q in 0..N {
                    let r = V::splat(*self.b.add(p * self.n + j + q));
                    for h in 0..H {
                        sums[h][q] = x[h].fma(r, sums[h][q]);
                    }
                }
            }
            for (h, sum) in sums.iter().enumerate() {
                for (q, sum) in sum.iter().enumerate() {
                    sum.store(place(q, h));
                }
            }
        }
    }
}
