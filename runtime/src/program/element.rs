//! Arithmetic on the cells of buffers, so that the runtime's own steps are written once for reals and whole numbers.

use crate::kernel::Word;

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
    /// Whether `self` replaces the extreme value `best` found so far: it is strictly beyond it, or the first NaN.
    fn beyond(self, best: Self, largest: bool) -> bool;
    /// `out = alpha · lhs · rhs` for m × k and k × n operands with (row, column) strides and a row-major result.
    fn gemm(sizes: [usize; 3], out: &mut [Self], lhs: Strided<'_, Self>, rhs: Strided<'_, Self>, alpha: f64, threads: usize);
}

/// A matrix as the cells from its first on, the distance between rows, and that between columns.
#[derive(Clone, Copy)]
pub struct Strided<'a, T> {
    /// From the first element on.
    pub cells: &'a [T],
    /// Distance between rows.
    pub row: usize,
    /// Distance between columns.
    pub col: usize,
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
                !best.is_nan() && (self.is_nan() || if largest { self > best } else { self < best })
            }
            fn gemm(
                sizes: [usize; 3],
                out: &mut [Self],
                lhs: Strided<'_, Self>,
                rhs: Strided<'_, Self>,
                alpha: f64,
                _threads: usize,
            ) {
                product(sizes, out, lhs, rhs);
                if alpha != 1.0 {
                    out.iter_mut().for_each(|c| *c *= alpha as $t);
                }
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
            fn rows(name: &str, _rows: usize, len: usize, out: &mut [Self], x: &[Self]) {
                for (r, row) in x.chunks_exact(len).enumerate() {
                    let top = row.iter().copied().fold(<$t>::NEG_INFINITY, <$t>::max);
                    let sum: $t = row.iter().map(|v| (v - top).exp()).sum();
                    match name {
                        "logsumexp" => out[r] = top + sum.ln(),
                        "softmax" => (0..len).for_each(|j| out[r * len + j] = (row[j] - top).exp() / sum),
                        _ => (0..len).for_each(|j| out[r * len + j] = row[j] - top - sum.ln()),
                    }
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
    fn gemm(
        sizes: [usize; 3],
        out: &mut [Self],
        lhs: Strided<'_, Self>,
        rhs: Strided<'_, Self>,
        _alpha: f64,
        _threads: usize,
    ) {
        product(sizes, out, lhs, rhs);
    }
}

/// The definition of a matrix product.
fn product<T: Element>([m, n, k]: [usize; 3], out: &mut [T], lhs: Strided<'_, T>, rhs: Strided<'_, T>) {
    for i in 0..m {
        for j in 0..n {
            let terms = (0..k).map(|p| lhs.cells[i * lhs.row + p * lhs.col].times(rhs.cells[p * rhs.row + j * rhs.col]));
            out[i * n + j] = terms.fold(T::ZERO, T::plus);
        }
    }
}
