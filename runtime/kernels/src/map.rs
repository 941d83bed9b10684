//! The kernels as safe functions of slices.
//!
//! The errors stated hold in both precisions at every level for the samples of the tests, dense over each function's range with
//! subnormal, huge and special arguments: in double precision against thirty digits. They are not proved bounds. Sines,
//! cosines and tangents of more than 1e5 (6000 in single precision) and powers of infinite or NaN arguments come from the
//! standard library, one by one.
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
    /// Error: at most 1.1 ulp.
    exp Exp;
    /// Natural logarithm; minus infinity at zero, NaN below.
    ///
    /// Error: at most 0.9 ulp.
    log Log;
    /// ln(1 + x); minus infinity at -1, NaN below.
    ///
    /// Error: at most 0.9 ulp.
    log1p Log1p;
    /// e^x - 1.
    ///
    /// Error: at most 1.7 ulp.
    expm1 Expm1;
    /// Sine; NaN at infinities.
    ///
    /// Error: at most 1.0 ulp.
    sin Sin;
    /// Cosine; NaN at infinities.
    ///
    /// Error: at most 1.0 ulp.
    cos Cos;
    /// Tangent; NaN at infinities.
    ///
    /// Error: at most 1.3 ulp.
    tan Tan;
    /// Arc sine; NaN outside [-1, 1].
    ///
    /// Error: at most 1.1 ulp.
    asin Asin;
    /// Arc cosine; NaN outside [-1, 1].
    ///
    /// Error: at most 1.1 ulp.
    acos Acos;
    /// Arc tangent.
    ///
    /// Error: at most 1.8 ulp.
    atan Atan;
    /// Hyperbolic sine.
    ///
    /// Error: at most 1.6 ulp.
    sinh Sinh;
    /// Hyperbolic cosine.
    ///
    /// Error: at most 1.6 ulp.
    cosh Cosh;
    /// Hyperbolic tangent.
    ///
    /// Error: at most 1.5 ulp.
    tanh Tanh;
    /// 1/(1 + e^-x).
    ///
    /// Error: at most 1.5 ulp.
    sigmoid Sigmoid;
    /// ln(1 + e^x), without overflow.
    ///
    /// Error: at most 1.6 ulp.
    softplus Softplus;
    /// Error function.
    ///
    /// Error: at most 1.6 ulp.
    erf Erf;
}

/// x^y with the special cases of C's `pow`.
///
/// Error: at most 1.3 ulp.
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
