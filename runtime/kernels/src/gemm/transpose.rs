//! Transposition of thin matrices: between k x n and n x k with few columns.
//!
//! Blocks of four by four go through registers; what is left over is moved element by element.

use super::{Target, View};
use crate::real::Real;

/// Writes the transpose of `from: k x n` as n rows, `stride` apart, and zeros behind row j's k-th element up to the stride.
///
/// # Safety
/// `from` is readable and `to` has `n * stride` writable elements, `stride >= k`.
pub unsafe fn copy<T: Real>((k, n): (usize, usize), (to, stride): (*mut T, usize), from: View<T>) {
    // SAFETY: blocks and elements are inside both matrices.
    unsafe {
        let whole = if from.col == 1 { (k & !3, n & !3) } else { (0, 0) };
        for p in (0..whole.0).step_by(4) {
            for j in (0..whole.1).step_by(4) {
                T::transpose4(to.add(j * stride + p), stride, from.data.add(p * from.row + j), from.row);
            }
        }
        for j in 0..n {
            let row = to.add(j * stride);
            for p in if j < whole.1 { whole.0 } else { 0 }..k {
                *row.add(p) = from.at(p, j);
            }
            for p in k..stride {
                *row.add(p) = T::ZERO;
            }
        }
    }
}

/// Puts the transpose of n rows of m elements, `stride` apart, into `c: m x n`.
///
/// # Safety
/// `c` is writable and `from` has n rows.
pub unsafe fn put<T: Real>((m, n): (usize, usize), c: Target<T>, (from, stride): (*const T, usize)) {
    // SAFETY: blocks and elements are inside both matrices; a block is put from a buffer of its size.
    unsafe {
        let whole = (m & !3, n & !3);
        let mut block = [T::ZERO; 16];
        for i in (0..whole.0).step_by(4) {
            for j in (0..whole.1).step_by(4) {
                T::transpose4(block.as_mut_ptr(), 4, from.add(j * stride + i), stride);
                for r in 0..4 {
                    for q in 0..4 {
                        c.put(i + r, j + q, block[4 * r + q]);
                    }
                }
            }
            for j in whole.1..n {
                for r in 0..4 {
                    c.put(i + r, j, *from.add(j * stride + i + r));
                }
            }
        }
        for i in whole.0..m {
            for j in 0..n {
                c.put(i, j, *from.add(j * stride + i));
            }
        }
    }
}
