//! The kernels as safe functions of slices.
//!
//! The errors stated are the largest found, rounded up, against 40-digit arithmetic on 20,000 points in each of
//! one to four ranges (for sin and cos up to 1e5, for tan up to 1e4). They are not proved bounds. In the tests'
//! single-precision samples results are at most 2 (`tan`: 3) numbers from the rounded exact value. The portable level
//! calls the platform's mathematics library instead.
//!
//! Elementwise and row functions panic if the lengths do not fit each other; that is an error of the caller.

use crate::Float;
use crate::elementwise::{self as e, binary, unary};
use crate::level::Level;
use crate::reduce::{self as r, reduction, reduction2};
use crate::rows as w;

macro_rules! unary_functions {
    ($($(#[$doc:meta])* $name:ident $operation:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $name<T: Float>(out: &mut [T], a: &[T]) {
                assert_eq!(out.len(), a.len(), "lengths differ");
                // SAFETY: both slices have this length, and the level is supported by detection.
                unsafe { unary::<T, e::$operation>(Level::detect())(a.len(), out.as_mut_ptr(), a.as_ptr()) }
            }
        )*
    };
}

unary_functions! {
    /// e^x; infinity on overflow, gradual underflow.
    ///
    /// Largest error found at the vector levels: 1.1 ulp in double precision.
    exp Exp;
    /// Natural logarithm; minus infinity at zero, NaN below.
    ///
    /// Largest error found at the vector levels: 0.8 ulp in double precision.
    log Log;
    /// ln(1 + x); minus infinity at -1, NaN below.
    ///
    /// Largest error found at the vector levels: 0.8 ulp in double precision.
    log1p Log1p;
    /// e^x - 1.
    ///
    /// Largest error found at the vector levels: 1.7 ulp in double precision.
    expm1 Expm1;
    /// Sine; NaN at infinities.
    ///
    /// Largest error found at the vector levels: 1.6 ulp in double precision.
    sin Sin;
    /// Cosine; NaN at infinities.
    ///
    /// Largest error found at the vector levels: 1.5 ulp in double precision.
    cos Cos;
    /// Tangent; NaN at infinities.
    ///
    /// Largest error found at the vector levels: 3.0 ulp in double precision.
    tan Tan;
    /// Arc sine; NaN outside [-1, 1].
    ///
    /// Largest error found at the vector levels: 1.0 ulp in double precision.
    asin Asin;
    /// Arc cosine; NaN outside [-1, 1].
    ///
    /// Largest error found at the vector levels: 1.1 ulp in double precision.
    acos Acos;
    /// Arc tangent.
    ///
    /// Largest error found at the vector levels: 1.9 ulp in double precision.
    atan Atan;
    /// Hyperbolic sine.
    ///
    /// Largest error found at the vector levels: 1.4 ulp in double precision.
    sinh Sinh;
    /// Hyperbolic cosine.
    ///
    /// Largest error found at the vector levels: 1.4 ulp in double precision.
    cosh Cosh;
    /// Hyperbolic tangent.
    ///
    /// Largest error found at the vector levels: 2.5 ulp in double precision.
    tanh Tanh;
    /// 1/(1 + e^-x).
    ///
    /// Largest error found at the vector levels: 2.3 ulp in double precision.
    sigmoid Sigmoid;
    /// ln(1 + e^x), without overflow.
    ///
    /// Largest error found at the vector levels: 1.6 ulp in double precision.
    softplus Softplus;
    /// Error function.
    ///
    /// Largest error found at the vector levels: 1.3 ulp in double precision.
    erf Erf;
}

/// x^y with the special cases of C's `pow`.
///
/// At the vector levels the results found were at most one double from the standard library's.
pub fn pow<T: Float>(out: &mut [T], x: &[T], y: &[T]) {
    assert_eq!(out.len(), x.len(), "lengths differ");
    assert_eq!(out.len(), y.len(), "lengths differ");
    // SAFETY: all slices have this length, and the level is supported by detection.
    unsafe { binary::<T, e::Pow>(Level::detect())(x.len(), out.as_mut_ptr(), x.as_ptr(), y.as_ptr()) }
}

macro_rules! reductions {
    ($($(#[$doc:meta])* $name:ident $operation:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $name<T: Float>(a: &[T]) -> T {
                // SAFETY: the slice has this length, and the level is supported by detection.
                unsafe { reduction::<T, r::$operation>(Level::detect())(a.len(), a.as_ptr()) }
            }
        )*
    };
}

reductions! {
    /// Sum in the kernels' fixed order; zero if empty.
    sum Sum;
    /// Sum of squares in the kernels' fixed order; zero if empty.
    sumsq SumSquares;
    /// Maximum; NaN if any element is, minus infinity if empty.
    max Max;
    /// Minimum; NaN if any element is, plus infinity if empty.
    min Min;
}

/// Inner product in the kernels' fixed order; zero if empty. Panics if the lengths differ.
pub fn dot<T: Float>(a: &[T], b: &[T]) -> T {
    assert_eq!(a.len(), b.len(), "lengths differ");
    // SAFETY: both slices have this length, and the level is supported by detection.
    unsafe { reduction2::<T, r::Dot>(Level::detect())(a.len(), a.as_ptr(), b.as_ptr()) }
}

macro_rules! row_functions {
    ($($(#[$doc:meta])* $name:ident $operation:ident |$rows:ident, $cols:ident| $size:expr;)*) => {
        $(
            $(#[$doc])*
            pub fn $name<T: Float>($rows: usize, $cols: usize, out: &mut [T], x: &[T]) {
                assert_eq!(Some(x.len()), $rows.checked_mul($cols), "x is not rows x cols");
                assert_eq!(out.len(), $size, "out has the wrong length");
                // SAFETY: the lengths were checked, and the level is supported by detection.
                unsafe { w::rows::<T, w::$operation>(Level::detect())($rows, $cols, out.as_mut_ptr(), x.as_ptr()) }
            }
        )*
    };
}

row_functions! {
    /// Softmax of every row of the row-major `x: rows x cols`. A row of minus infinities gives NaN; plus
    /// infinity gives NaN in its place and zero elsewhere.
    softmax_rows Softmax |rows, cols| rows * cols;
    /// Logarithm of the softmax of every row of the row-major `x: rows x cols`.
    log_softmax_rows LogSoftmax |rows, cols| rows * cols;
    /// Log-sum-exp of every row of the row-major `x: rows x cols`; minus infinity for a row of minus
    /// infinities or without elements. `out: rows`.
    logsumexp_rows LogSumExp |rows, cols| rows;
}
