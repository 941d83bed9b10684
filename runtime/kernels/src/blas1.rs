//! Vector operations for solvers, on slices of doubles. Sums are taken in the kernels' fixed order.
//!
//! Functions of two slices panic if the lengths differ; that is an error of the caller.

use crate::map;

/// `y += alpha x`.
pub fn axpy(alpha: f64, x: &[f64], y: &mut [f64]) {
    assert_eq!(x.len(), y.len(), "lengths differ");
    for (y, x) in y.iter_mut().zip(x) {
        *y += alpha * x;
    }
}

/// `y = alpha x + beta y`.
pub fn axpby(alpha: f64, x: &[f64], beta: f64, y: &mut [f64]) {
    assert_eq!(x.len(), y.len(), "lengths differ");
    for (y, x) in y.iter_mut().zip(x) {
        *y = alpha * x + beta * *y;
    }
}

/// `x *= alpha`.
pub fn scale(alpha: f64, x: &mut [f64]) {
    for x in x {
        *x *= alpha;
    }
}

/// `out = a - b`.
pub fn sub(out: &mut [f64], a: &[f64], b: &[f64]) {
    assert_eq!(out.len(), a.len(), "lengths differ");
    assert_eq!(out.len(), b.len(), "lengths differ");
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = a - b;
    }
}

/// Inner product.
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    map::dot(x, y)
}

/// Euclidean norm, without overflow or underflow on the way.
pub fn norm2(x: &[f64]) -> f64 {
    let square = map::sumsq(x);
    if (1e-280..1e300).contains(&square) || square.is_nan() {
        return square.sqrt();
    }
    let largest = norm_inf(x);
    if largest == 0.0 || largest.is_infinite() {
        return largest;
    }
    // A power of two, so that scaling is exact.
    let factor = 2f64.powi(if largest > 1.0 { -600 } else { 600 });
    let scaled: f64 = x.iter().map(|x| (x * factor) * (x * factor)).sum();
    scaled.sqrt() / factor
}

/// Largest magnitude; zero if empty, NaN if any element is.
pub fn norm_inf(x: &[f64]) -> f64 {
    let (high, low) = (map::max(x), -map::min(x));
    // Both are NaN or neither is; of an empty slice both are minus infinity.
    if high.is_nan() { high } else { high.max(low).max(0.0) }
}
