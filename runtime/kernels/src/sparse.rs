//! Products with sparse matrices whose rows are stretches of one list of nonzeros: row `r` holds `values[p]` in column
//! `columns[p]` for the positions `p` in `start[r]..end[r]`. Rows may overlap or repeat, so a selection of rows is such a
//! matrix too. Positions outside the list and columns outside the matrix count as zeros. Dense operands and results are
//! row-major; a vector has width 1.
//!
//! Sums are taken in a fixed order that depends on the stretch alone, so results do not depend on how rows are split over
//! threads.

use crate::Float;
use crate::level::Level;
use crate::real::Real;

/// Partial sums of a row for vectors: they hide the latency of additions.
const SUMS: usize = 4;
/// Columns of a dense operand that one pass over a row keeps in registers.
const BLOCK: usize = 8;

/// A product with a sparse matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sparse {
    /// [`product`].
    Product,
    /// [`transposed`].
    Transposed,
    /// [`outer`].
    Outer,
}

impl Sparse {
    /// The name in printed loops.
    pub fn name(self) -> &'static str {
        match self {
            Sparse::Product => "sparse",
            Sparse::Transposed => "sparse'",
            Sparse::Outer => "sparse_outer",
        }
    }

    /// The lengths of the two operands besides the places of the nonzeros, and of the result, for a matrix of `[rows, columns,
    /// nonzeros]` and dense arrays of some width. The operands are the nonzeros and a dense array, or two dense arrays.
    pub fn lens(self, [rows, columns, nonzeros, width]: [usize; 4]) -> ([usize; 2], usize) {
        match self {
            Sparse::Product => ([nonzeros, columns * width], rows * width),
            Sparse::Transposed => ([nonzeros, rows * width], columns * width),
            Sparse::Outer => ([rows * width, columns * width], nonzeros),
        }
    }
}

/// A sparse matrix, or some rows of one.
#[derive(Clone, Copy)]
pub struct Matrix<'a, T> {
    /// The first position of every row.
    pub start: &'a [i64],
    /// One past the last position of every row.
    pub end: &'a [i64],
    /// The column of every nonzero.
    pub columns: &'a [i64],
    /// Every nonzero.
    pub values: &'a [T],
}

impl<'a, T: Copy> Matrix<'a, T> {
    /// The columns and values of a row.
    fn row(&self, row: usize) -> (&'a [i64], &'a [T]) {
        let stretch = self.stretch(row);
        (&self.columns[stretch.clone()], &self.values[stretch])
    }

    fn stretch(&self, row: usize) -> std::ops::Range<usize> {
        let inside = |p: i64| usize::try_from(p).unwrap_or(0).min(self.columns.len());
        let end = inside(self.end[row]);
        inside(self.start[row]).min(end)..end
    }

    /// # Panics
    /// If starts and ends, or columns and values, differ in number.
    fn check(&self) {
        assert_eq!(self.start.len(), self.end.len(), "starts and ends differ in number");
        assert_eq!(self.columns.len(), self.values.len(), "columns and values differ in number");
    }
}

/// `out = A x` for the rows `first..` of `A` that `out` has room for; `x`: columns × width, `out`: rows × width.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn product<T: Float>(a: Matrix<T>, width: usize, x: &[T], first: usize, out: &mut [T]) {
    a.check();
    if width == 0 {
        return;
    }
    assert!(x.len().is_multiple_of(width) && out.len().is_multiple_of(width), "an operand has a broken row");
    assert!(first + out.len() / width <= a.start.len(), "the result has too many rows");
    dispatch(Level::detect(), Product { a, width, x, first, out });
}

/// `out = A' x` for `x`: rows × width, `out`: columns × width.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn transposed<T: Float>(a: Matrix<T>, width: usize, x: &[T], out: &mut [T]) {
    a.check();
    assert!(x.len() >= a.start.len() * width, "an operand is too short");
    out.fill(T::ZERO);
    if width == 0 {
        return;
    }
    dispatch(Level::detect(), Transposed { a, width, x, out });
}

/// The elements of `l r'` where `A` has nonzeros: `out[p]` is the sum, over the rows that hold `p`, of the inner products of
/// that row of `l` with row `columns[p]` of `r`. `l`: rows × width, `r`: columns × width; the values of `A` are not read.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn outer<T: Float>(
    start: &[i64],
    end: &[i64],
    columns: &[i64],
    width: usize,
    l: &[T],
    r: &[T],
    out: &mut [T],
) {
    let a = Matrix { start, end, columns, values: columns };
    a.check();
    assert_eq!(out.len(), columns.len(), "the result does not have the list's length");
    assert!(l.len() >= start.len() * width, "an operand is too short");
    out.fill(T::ZERO);
    if width > 0 {
        for row in 0..start.len() {
            let l = &l[row * width..(row + 1) * width];
            for p in a.stretch(row) {
                if let Some(r) = chunk(r, columns[p], width) {
                    let mut sum = out[p];
                    l.iter().zip(r).for_each(|(&l, &r)| sum += l * r);
                    out[p] = sum;
                }
            }
        }
    }
}

/// Row `at` of a row-major matrix, if it has one.
#[inline(always)]
fn chunk<T>(x: &[T], at: i64, width: usize) -> Option<&[T]> {
    let from = usize::try_from(at).ok()?.checked_mul(width)?;
    x.get(from..from.checked_add(width)?)
}

/// A computation that is compiled once with fused multiply-adds and wide registers, and once for any machine.
trait Work {
    /// `FUSED`: whether the machine multiplies and adds at once.
    fn run<const FUSED: bool>(self);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn fused(work: impl Work) {
    work.run::<true>();
}

fn dispatch(level: Level, work: impl Work) {
    match level {
        // SAFETY: the level is supported by detection.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 | Level::Avx512 => unsafe { fused(work) },
        _ => work.run::<false>(),
    }
}

/// `a b + c`.
#[inline(always)]
fn multiply_add<T: Real, const FUSED: bool>(a: T, b: T, c: T) -> T {
    if FUSED { a.fused(b, c) } else { a * b + c }
}

struct Product<'a, 'o, T> {
    a: Matrix<'a, T>,
    width: usize,
    x: &'a [T],
    first: usize,
    out: &'o mut [T],
}

impl<T: Real> Work for Product<'_, '_, T> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Product { a, width, x, first, out } = self;
        if width == 1 {
            for (k, out) in out.iter_mut().enumerate() {
                let (columns, values) = a.row(first + k);
                *out = inner::<T, FUSED>(columns, values, x);
            }
            return;
        }
        for (k, out) in out.chunks_exact_mut(width).enumerate() {
            let (columns, values) = a.row(first + k);
            let mut blocks = out.chunks_exact_mut(BLOCK);
            let mut from = 0;
            for block in &mut blocks {
                let mut sums = [T::ZERO; BLOCK];
                for (&column, &value) in columns.iter().zip(values) {
                    if let Some(row) = chunk(x, column, width) {
                        let row: &[T] = &row[from..from + BLOCK];
                        for (sum, &x) in sums.iter_mut().zip(row) {
                            *sum = multiply_add::<T, FUSED>(value, x, *sum);
                        }
                    }
                }
                block.copy_from_slice(&sums);
                from += BLOCK;
            }
            let rest = blocks.into_remainder();
            rest.fill(T::ZERO);
            if !rest.is_empty() {
                for (&column, &value) in columns.iter().zip(values) {
                    if let Some(row) = chunk(x, column, width) {
                        for (sum, &x) in rest.iter_mut().zip(&row[from..]) {
                            *sum = multiply_add::<T, FUSED>(value, x, *sum);
                        }
                    }
                }
            }
        }
    }
}

/// The inner product of a row with a vector.
#[inline(always)]
fn inner<T: Real, const FUSED: bool>(columns: &[i64], values: &[T], x: &[T]) -> T {
    let at = |column: i64| x.get(column as usize).copied().unwrap_or(T::ZERO);
    let mut sums = [T::ZERO; SUMS];
    let (fours, rest) = columns.as_chunks::<SUMS>();
    let (values_of_fours, values_of_rest) = values.as_chunks::<SUMS>();
    for (columns, values) in fours.iter().zip(values_of_fours) {
        for lane in 0..SUMS {
            sums[lane] = multiply_add::<T, FUSED>(values[lane], at(columns[lane]), sums[lane]);
        }
    }
    for (lane, (&column, &value)) in rest.iter().zip(values_of_rest).enumerate() {
        sums[lane] = multiply_add::<T, FUSED>(value, at(column), sums[lane]);
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3])
}

struct Transposed<'a, 'o, T> {
    a: Matrix<'a, T>,
    width: usize,
    x: &'a [T],
    out: &'o mut [T],
}

impl<T: Real> Work for Transposed<'_, '_, T> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Transposed { a, width, x, out } = self;
        for (row, x) in x.chunks_exact(width).take(a.start.len()).enumerate() {
            let (columns, values) = a.row(row);
            if let [x] = *x {
                for (&column, &value) in columns.iter().zip(values) {
                    if let Some(sum) = out.get_mut(column as usize) {
                        *sum = multiply_add::<T, FUSED>(value, x, *sum);
                    }
                }
                continue;
            }
            for (&column, &value) in columns.iter().zip(values) {
                let Some(from) = usize::try_from(column).ok().and_then(|c| c.checked_mul(width)) else {
                    continue;
                };
                if let Some(sums) = out.get_mut(from..from + width) {
                    for (sum, &x) in sums.iter_mut().zip(x) {
                        *sum = multiply_add::<T, FUSED>(value, x, *sum);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 5 × 7 matrix with an empty row, and rows 3, 0 and 3 of it.
    const COLUMNS: [i64; 13] = [0, 2, 3, 4, 5, 6, 1, 1, 0, 3, 4, 5, 6];
    const START: [i64; 5] = [0, 6, 7, 7, 8];
    const END: [i64; 5] = [6, 7, 7, 8, 13];

    fn values() -> Vec<f64> {
        (0..13).map(|p| f64::from(p) * 0.37 - 2.1).collect()
    }

    fn dense(start: &[i64], end: &[i64]) -> Vec<[f64; 7]> {
        let values = values();
        let row = |k: usize| {
            let mut row = [0.0; 7];
            (start[k] as usize..end[k] as usize).for_each(|p| row[COLUMNS[p] as usize] += values[p]);
            row
        };
        (0..start.len()).map(row).collect()
    }

    fn numbers(len: usize) -> Vec<f64> {
        (0..len).map(|k| ((k * 7 + 3) % 11) as f64 / 4.0 - 1.0).collect()
    }

    fn close<T: Float + Into<f64>>(got: &[T], want: &[f64], tolerance: f64) {
        assert_eq!(got.len(), want.len());
        for (&g, w) in got.iter().zip(want) {
            assert!((g.into() - w).abs() <= tolerance, "{} is not {w}", g.into());
        }
    }

    fn check(start: &[i64], end: &[i64], width: usize) {
        let (values, dense, rows) = (values(), dense(start, end), start.len());
        let narrow: Vec<f32> = values.iter().map(|&v| v as f32).collect();
        let a = Matrix { start, end, columns: &COLUMNS, values: &values };
        let x = numbers(7 * width);
        let want: Vec<f64> = (0..rows * width)
            .map(|k| (0..7).map(|c| dense[k / width][c] * x[c * width + k % width]).sum())
            .collect();
        let mut out = vec![9.0; rows * width];
        product(a, width, &x, 0, &mut out);
        close(&out, &want, 1e-12);
        let mut single = vec![9.0f32; rows * width];
        let b = Matrix { start, end, columns: &COLUMNS, values: &narrow };
        product(b, width, &x.iter().map(|&v| v as f32).collect::<Vec<_>>(), 0, &mut single);
        close(&single, &want, 2e-5);
        // Parts give the same bits as the whole.
        let mut part = vec![9.0; width];
        for row in 0..rows {
            product(a, width, &x, row, &mut part);
            assert_eq!(part, out[row * width..(row + 1) * width]);
        }
        let r = numbers(rows * width);
        let want: Vec<f64> = (0..7 * width)
            .map(|k| (0..rows).map(|i| dense[i][k / width] * r[i * width + k % width]).sum())
            .collect();
        let mut out = vec![9.0; 7 * width];
        transposed(a, width, &r, &mut out);
        close(&out, &want, 1e-12);
        let mut out = vec![9.0; 13];
        outer(start, end, &COLUMNS, width, &r, &x, &mut out);
        let inner =
            |i: usize, c: usize| -> f64 { (0..width).map(|j| r[i * width + j] * x[c * width + j]).sum() };
        let holds = |i: usize, p: usize| (start[i]..end[i]).contains(&(p as i64));
        let want: Vec<f64> = (0..13)
            .map(|p| (0..rows).filter(|&i| holds(i, p)).map(|i| inner(i, COLUMNS[p] as usize)).sum())
            .collect();
        close(&out, &want, 1e-12);
    }

    #[test]
    fn products_agree_with_dense_ones_for_all_widths_and_selections_of_rows() {
        for width in [1, 2, 3, 7, 8, 9, 16, 19] {
            check(&START, &END, width);
            check(&[START[3], START[0], START[3]], &[END[3], END[0], END[3]], width);
        }
        product(Matrix { start: &[], end: &[], columns: &[], values: &[] }, 1, &[1.0], 0, &mut []);
    }

    #[test]
    fn what_lies_outside_counts_as_zero() {
        let a = Matrix { start: &[-4, 1], end: &[2, 99], columns: &[0, 9, -1], values: &[2.0, 3.0, 5.0] };
        let mut out = [7.0; 2];
        product(a, 1, &[10.0, 20.0], 0, &mut out);
        assert_eq!(out, [20.0, 0.0]);
        transposed(a, 1, &[1.0, 1.0], &mut out);
        assert_eq!(out, [2.0, 0.0]);
        let mut wide = [7.0; 4];
        transposed(a, 2, &[1.0, 2.0, 3.0, 4.0], &mut wide);
        assert_eq!(wide, [2.0, 4.0, 0.0, 0.0]);
    }
}
