//! Row kernels: softmax, log-softmax and log-sum-exp of every row of a row-major matrix.
//!
//! Short rows are gathered in tiles so that the exponential runs over hundreds of elements at a time. The row's
//! maximum is subtracted first; where it is infinite nothing is subtracted, which gives the limits wanted:
//! a row of minus infinities has log-sum-exp minus infinity and NaN softmax; a row with plus infinity has
//! log-sum-exp plus infinity, and its softmax is NaN at the infinite entries and zero elsewhere.

use crate::entry::entry;
use crate::level::Level;
use crate::math;
use crate::real::Real;
use crate::reduce::{self, reduce};
use crate::vector::Vector;

/// `fn(rows, cols, out, x: rows x cols)`; `out` is `rows x cols`, or `rows` for log-sum-exp.
pub type Rows<T> = unsafe extern "C" fn(rows: usize, cols: usize, out: *mut T, x: *const T);

/// Elements of a tile.
const TILE: usize = 1024;
/// Rows up to this length are processed in tiles.
const SHORT: usize = 128;

/// What is written of a row.
#[derive(Clone, Copy, PartialEq)]
pub enum Output {
    /// e^x / sum.
    Softmax,
    /// x - log sum.
    LogSoftmax,
    /// log sum, one number a row.
    LogSumExp,
}

/// A choice of [`Output`] at compile time.
pub trait RowKernel {
    /// The output.
    const OUTPUT: Output;
}
/// e^x / sum.
pub enum Softmax {}
/// x - log sum.
pub enum LogSoftmax {}
/// log sum.
pub enum LogSumExp {}
impl RowKernel for Softmax {
    const OUTPUT: Output = Output::Softmax;
}
impl RowKernel for LogSoftmax {
    const OUTPUT: Output = Output::LogSoftmax;
}
impl RowKernel for LogSumExp {
    const OUTPUT: Output = Output::LogSumExp;
}

/// The amount to subtract from a row with this maximum.
#[inline(always)]
fn shift_of<E: Real>(max: E) -> E {
    if max < E::INFINITY && -max < E::INFINITY { max } else { E::ZERO }
}

/// `out = e^(x - shift)`.
#[inline(always)]
unsafe fn shifted_exp<V: Vector>(n: usize, out: *mut V::E, x: *const V::E, shift: V::E) {
    let mut i = 0;
    // SAFETY: every access is below n.
    unsafe {
        let shift = V::splat(shift);
        while i + V::LANES <= n {
            math::exp(V::load(x.add(i)).sub(shift)).store(out.add(i));
            i += V::LANES;
        }
        if i < n {
            math::exp(V::load_first(x.add(i), n - i).sub(shift)).store_first(out.add(i), n - i);
        }
    }
}

/// `out = (x - shift) * factor - minus`.
#[inline(always)]
unsafe fn affine<V: Vector>(n: usize, out: *mut V::E, x: *const V::E, by: (V::E, V::E, V::E)) {
    let mut i = 0;
    // SAFETY: every access is below n.
    unsafe {
        let (shift, factor, minus) = (V::splat(by.0), V::splat(by.1), V::splat(by.2));
        while i + V::LANES <= n {
            V::load(x.add(i)).sub(shift).mul(factor).sub(minus).store(out.add(i));
            i += V::LANES;
        }
        if i < n {
            let y = V::load_first(x.add(i), n - i).sub(shift).mul(factor).sub(minus);
            y.store_first(out.add(i), n - i);
        }
    }
}

/// One row that is long enough to be walked alone.
#[inline(always)]
unsafe fn long_row<V: Vector, O: RowKernel>(cols: usize, out: *mut V::E, x: *const V::E) {
    // SAFETY: every access is below cols; the buffer has TILE elements.
    unsafe {
        let max = reduce::<V, reduce::Max>(cols, x, x);
        let shift = shift_of(max);
        if let Output::Softmax = O::OUTPUT {
            shifted_exp::<V>(cols, out, x, shift);
            let sum = reduce::<V, reduce::Sum>(cols, out, out);
            affine::<V>(cols, out, out, (V::E::ZERO, V::E::ONE / sum, V::E::ZERO));
            return;
        }
        let mut buffer = [V::E::ZERO; TILE];
        let (mut start, mut sum) = (0, V::E::ZERO);
        while start < cols {
            let n = TILE.min(cols - start);
            shifted_exp::<V>(n, buffer.as_mut_ptr(), x.add(start), shift);
            sum += reduce::<V, reduce::Sum>(n, buffer.as_ptr(), buffer.as_ptr());
            start += n;
        }
        let log = log_of::<V>(sum);
        match O::OUTPUT {
            Output::LogSumExp => *out = shift + log,
            _ => affine::<V>(cols, out, x, (shift, V::E::ONE, log)),
        }
    }
}

/// The logarithm of one number by the lanes' algorithm.
#[inline(always)]
unsafe fn log_of<V: Vector>(x: V::E) -> V::E {
    let mut one = [x];
    // SAFETY: one element is read and written.
    unsafe {
        math::log(V::load_first(one.as_ptr(), 1)).store_first(one.as_mut_ptr(), 1);
    }
    one[0]
}

/// `count` short rows together; `count * cols <= TILE` and `count <= TILE`.
#[inline(always)]
unsafe fn tile<V: Vector, O: RowKernel>(count: usize, cols: usize, out: *mut V::E, x: *const V::E) {
    let mut buffer = [V::E::ZERO; TILE];
    let mut shifts = [V::E::ZERO; TILE];
    let mut sums = [V::E::ZERO; TILE];
    // SAFETY: all row offsets are below count * cols, the size of x and (but for log-sum-exp) of out.
    unsafe {
        for r in 0..count {
            let row = x.add(r * cols);
            let mut max = -V::E::INFINITY;
            for j in 0..cols {
                let v = *row.add(j);
                max = if v > max { v } else { max };
            }
            let shift = shift_of(max);
            shifts[r] = shift;
            for j in 0..cols {
                buffer[r * cols + j] = *row.add(j) - shift;
            }
        }
        shifted_exp::<V>(count * cols, buffer.as_mut_ptr(), buffer.as_ptr(), V::E::ZERO);
        for r in 0..count {
            let mut sum = V::E::ZERO;
            for e in &buffer[r * cols..(r + 1) * cols] {
                sum += *e;
            }
            sums[r] = sum;
        }
        if let Output::Softmax = O::OUTPUT {
            for r in 0..count {
                let factor = V::E::ONE / sums[r];
                for j in 0..cols {
                    *out.add(r * cols + j) = buffer[r * cols + j] * factor;
                }
            }
            return;
        }
        let mut i = 0;
        while i < count {
            let k = V::LANES.min(count - i);
            math::log(V::load_first(sums.as_ptr().add(i), k)).store_first(sums.as_mut_ptr().add(i), k);
            i += k;
        }
        for r in 0..count {
            if let Output::LogSumExp = O::OUTPUT {
                *out.add(r) = shifts[r] + sums[r];
            } else {
                for j in 0..cols {
                    *out.add(r * cols + j) = *x.add(r * cols + j) - shifts[r] - sums[r];
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn all_rows<V: Vector, O: RowKernel>(rows: usize, cols: usize, out: *mut V::E, x: *const V::E) {
    let out_cols = if let Output::LogSumExp = O::OUTPUT { 1 } else { cols };
    let step = if cols > SHORT { 1 } else { TILE / cols.max(1) };
    let mut r = 0;
    // SAFETY: r + count <= rows.
    unsafe {
        while r < rows {
            let count = step.min(rows - r);
            let (to, from) = (out.add(r * out_cols), x.add(r * cols));
            if cols > SHORT {
                long_row::<V, O>(cols, to, from);
            } else {
                tile::<V, O>(count, cols, to, from);
            }
            r += count;
        }
    }
}

entry! {
    /// The kernel over the rows of a matrix.
    rows, Rows, RowKernel, all_rows, all_rows, (rows: usize, cols: usize, out: *mut E, x: *const E)
}
