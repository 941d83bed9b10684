//! Products with a matrix of at most [`MAX_COLS`] columns (or, transposed, rows), such as a linear model's scores `X W`
//! and gradient `X^T R`, of the whole data or of a tile of its rows.
//!
//! The large matrix is streamed once. A general GEMM would pack it first, which costs more than the product. Row
//! panels defeat the hardware prefetcher, so what comes next is prefetched by hand.
//!
//! The layouts that need no copy are B with contiguous columns for the scores and C with contiguous columns for the
//! gradient. Others go through a transposed copy, which for a tile of 32 rows costs about an eighth of the product.
#![allow(clippy::needless_range_loop, reason = "register blocks are clearest with their indices")]

use super::{Job, Target, View, prefetch, run, transpose};
use crate::level::Level;
use crate::real::Real;
use crate::scratch;
use crate::vector::{Fold, Vector};

/// Largest number of columns taken here.
const MAX_COLS: usize = 20;
/// Columns of one register block.
const BLOCK: usize = 5;
/// Most rows of X in one panel of the gradient, if they are all there are.
const TILE: usize = 128;
/// Rows of X in one panel of a longer gradient.
const PANEL: usize = 32;
/// Largest packed thin matrix, in bytes: it should stay in the second-level cache.
const MAX_PACKED: usize = 256 * 1024;

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
    ahead: usize,
) -> bool {
    if level == Level::Portable {
        return false;
    }
    // SAFETY: the caller's contract, also of the transposed product C^T = B^T A^T.
    unsafe {
        (n <= MAX_COLS && thin(level, (m, n, k), c, a, b, ahead))
            || (m <= MAX_COLS
                && thin(level, (n, m, k), c.transposed(), b.transposed(), a.transposed(), ahead))
    }
}

/// The product for n <= MAX_COLS, if A's strides and the sizes suit.
unsafe fn thin<T: Real>(
    level: Level,
    (m, n, k): (usize, usize, usize),
    c: Target<T>,
    a: View<T>,
    b: View<T>,
    ahead: usize,
) -> bool {
    let width = 64 / size_of::<T>();
    // With fewer columns memory sets the pace, and two streams at a time only slow it.
    let ahead = if n >= BLOCK { ahead } else { 0 };
    let cached = ahead > 0;
    // A copy of the thin matrix must be paid for by rows of X.
    let least = |in_place: bool| if in_place { 4 } else { 32 };
    // SAFETY: the caller's contract; the scratch memory has the sizes the jobs expect.
    unsafe {
        if a.col == 1 && m >= least(b.row == 1) && k >= 4 * width && n * k * size_of::<T>() <= MAX_PACKED {
            if b.row == 1 {
                run(level, Scores { m, n, k, c, a, b: b.data, stride: b.col, cached });
            } else {
                let stride = k.next_multiple_of(width);
                scratch::with(n * stride, |packed: *mut T| {
                    transpose::copy((k, n), (packed, stride), b);
                    run(level, Scores { m, n, k, c, a, b: packed, stride, cached });
                });
            }
        } else if a.row == 1
            && k >= least(c.row == 1)
            && m >= 4 * width
            && n * m * size_of::<T>() <= MAX_PACKED
        {
            if c.row == 1 {
                scratch::with(TILE * n, |rows: *mut T| {
                    run(level, Gradient { m, n, k, c, a, b, rows, ahead });
                });
            } else {
                let stride = m.next_multiple_of(width);
                scratch::with((stride + TILE) * n, |sums: *mut T| {
                    let rows = sums.add(stride * n);
                    let own = Target { data: sums, row: 1, col: stride, alpha: T::ONE, accumulate: false };
                    run(level, Gradient { m, n, k, c: own, a, b, rows, ahead });
                    transpose::put((m, n), c, (sums, stride));
                });
            }
        } else {
            return false;
        }
        true
    }
}

/// Calls a block method with its number of columns, `$n` (1 to 5), as a constant.
macro_rules! by_width {
    ($n:expr, $self:ident.$method:ident::<$v:ident, $tall:literal>($($arg:expr),*)) => {
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

/// Registers in the long direction of a block: AVX-512 and NEON have 32 in all, the others 16.
const fn tall<V>() -> usize {
    if size_of::<V>() == 64 || cfg!(target_arch = "aarch64") { 4 } else { 2 }
}

/// `C = A B` with A row-major and B by columns: inner products of rows.
struct Scores<T> {
    m: usize,
    n: usize,
    k: usize,
    c: Target<T>,
    a: View<T>,
    b: *const T,
    stride: usize,
    /// Whether A was fetched already.
    cached: bool,
}

impl<T: Real> Job<T> for Scores<T> {
    #[inline(always)]
    unsafe fn run<V: Vector<E = T>>(self) {
        let mut i = 0;
        while i < self.m {
            let rows = if i + tall::<V>() <= self.m { tall::<V>() } else { 1 };
            let mut j = 0;
            while j < self.n {
                let width = block_width(self.n - j);
                // SAFETY: rows i..i + rows and columns j..j + width are inside.
                unsafe {
                    match rows {
                        4 => by_width!(width, self.block::<V, 4>(i, j)),
                        2 => by_width!(width, self.block::<V, 2>(i, j)),
                        _ => by_width!(width, self.block::<V, 1>(i, j)),
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
        let near = j == 0 && !self.cached && ahead * size_of::<T>() <= 256 * 1024;
        // SAFETY: rows i..i + R, columns j..j + N; what is behind the last element is masked.
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
                let left = self.k - p;
                for (r, sum) in sums.iter_mut().enumerate() {
                    let x = V::load_first(row(r).add(p), left);
                    for (q, sum) in sum.iter_mut().enumerate() {
                        *sum = x.fma(V::load_first(column(q).add(p), left), *sum);
                    }
                }
            }
            let sum = |s: usize| sums[s / N][s % N];
            let mut s = 0;
            while s + 4 <= R * N {
                let four = V::sum4([sum(s), sum(s + 1), sum(s + 2), sum(s + 3)]);
                for (t, &value) in four.iter().enumerate() {
                    self.c.put(i + (s + t) / N, j + (s + t) % N, value);
                }
                s += 4;
            }
            while s < R * N {
                self.c.put(i + s / N, j + s % N, sum(s).fold(Fold::Add));
                s += 1;
            }
        }
    }
}

/// `C = alpha A B (+ C)` with A and C column-major: sums of columns of A.
struct Gradient<T> {
    m: usize,
    n: usize,
    k: usize,
    c: Target<T>,
    a: View<T>,
    b: View<T>,
    /// Memory for TILE rows of B, one after another.
    rows: *mut T,
    /// Columns behind the last of A that will be wanted next.
    ahead: usize,
}

impl<T: Real> Job<T> for Gradient<T> {
    #[inline(always)]
    unsafe fn run<V: Vector<E = T>>(self) {
        let size = if self.k <= TILE { self.k } else { PANEL };
        let mut first = 0;
        while first < self.k {
            let count = size.min(self.k - first);
            for p in 0..count {
                for j in 0..self.n {
                    // SAFETY: inside B, and inside `rows` as count <= TILE.
                    unsafe { *self.rows.add(p * self.n + j) = self.c.alpha * self.b.at(first + p, j) }
                }
            }
            // The next panel comes to the second-level cache while this one computes.
            let more = first + 2 * count <= self.k + self.ahead;
            let mut i = 0;
            while i < self.m {
                let mut j = 0;
                while j < self.n {
                    let width = block_width(self.n - j);
                    let panel = (first, count, more && j == 0);
                    // SAFETY: the block is inside, or ends in its masked part.
                    unsafe {
                        match tall::<V>() {
                            4 => by_width!(width, self.block::<V, 4>(i, j, panel)),
                            _ => by_width!(width, self.block::<V, 2>(i, j, panel)),
                        }
                    }
                    j += width;
                }
                i += tall::<V>() * V::LANES;
            }
            first += count;
        }
    }
}

impl<T: Real> Gradient<T> {
    /// Adds the part of the panel's `count` columns of A to rows i.. (H registers of them) and columns j.. of C.
    #[inline(always)]
    unsafe fn block<V: Vector<E = T>, const H: usize, const N: usize>(
        &self,
        i: usize,
        j: usize,
        (first, count, more): (usize, usize, bool),
    ) {
        let whole = i + H * V::LANES <= self.m;
        let left = |h: usize| self.m.saturating_sub(i + h * V::LANES).min(V::LANES);
        let ahead = count * self.a.col;
        // SAFETY: partial registers of A and C are masked; prefetching is free to miss.
        unsafe {
            let place =
                |q: usize, h: usize| self.c.data.wrapping_add((j + q) * self.c.col + i + h * V::LANES);
            let mut sums = [[V::c(0.0); N]; H];
            if self.c.accumulate || first > 0 {
                for h in 0..H {
                    for q in 0..N {
                        let at = place(q, h).cast_const();
                        sums[h][q] = if whole { V::load(at) } else { V::load_first(at, left(h)) };
                    }
                }
            }
            for p in 0..count {
                let column = self.a.data.wrapping_add((first + p) * self.a.col + i);
                let mut x = [V::c(0.0); H];
                for (h, x) in x.iter_mut().enumerate() {
                    let at = column.wrapping_add(h * V::LANES);
                    if more {
                        prefetch(at.wrapping_add(ahead));
                    }
                    *x = if whole { V::load(at) } else { V::load_first(at, left(h)) };
                }
                for q in 0..N {
                    let r = V::splat(*self.rows.add(p * self.n + j + q));
                    for h in 0..H {
                        sums[h][q] = x[h].fma(r, sums[h][q]);
                    }
                }
            }
            for h in 0..H {
                for q in 0..N {
                    if whole {
                        sums[h][q].store(place(q, h));
                    } else {
                        sums[h][q].store_first(place(q, h), left(h));
                    }
                }
            }
        }
    }
}
