//! Vector operations with a fixed order of summation, so that two runs give the same bits.

/// `y += alpha x`.
pub(crate) fn axpy(alpha: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += alpha * x;
    }
}

/// `x · y`, in four interleaved partial sums.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len().min(y.len());
    let (x, y) = (&x[..n], &y[..n]);
    let mut sums = [0.0; 4];
    let mut xs = x.chunks_exact(4);
    let mut ys = y.chunks_exact(4);
    for (x, y) in xs.by_ref().zip(ys.by_ref()) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    let rest: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| x * y).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// The Euclidean norm of `x`.
pub(crate) fn norm2(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

/// `x *= alpha`.
pub(crate) fn scale(alpha: f64, x: &mut [f64]) {
    for x in x {
        *x *= alpha;
    }
}

/// The Euclidean distance of `x` and `y`.
pub(crate) fn distance(x: &[f64], y: &[f64]) -> f64 {
    squared_distance(x, y).sqrt()
}

/// `‖x − y‖²`, summed as in [`dot`].
pub(crate) fn squared_distance(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len().min(y.len());
    let (x, y) = (&x[..n], &y[..n]);
    let mut sums = [0.0; 4];
    let mut xs = x.chunks_exact(4);
    let mut ys = y.chunks_exact(4);
    for (x, y) in xs.by_ref().zip(ys.by_ref()) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += (x - y) * (x - y);
        }
    }
    let rest: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| (x - y) * (x - y)).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// The largest magnitude in `x`; NaN counts as infinite.
pub(crate) fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |m: f64, v| if v.is_nan() { f64::INFINITY } else { m.max(v.abs()) })
}

/// Whether no magnitude in `x` is above `limit`; NaN is.
pub(crate) fn within(x: &[f64], limit: f64) -> bool {
    x.iter().fold(true, |ok, v| ok & (v.abs() <= limit))
}

/// Whether every value of `x` is finite.
pub(crate) fn all_finite(x: &[f64]) -> bool {
    x.iter().fold(true, |ok, v| ok & v.is_finite())
}
