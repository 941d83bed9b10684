//! The largest magnitude of an eigenvalue of a symmetric operator, by power iteration from a seeded vector.

use super::blas1::{norm2, scale};
use crate::random::Random;

/// Enough for one or two digits, which is what a step size needs.
const PRODUCTS: usize = 40;

/// An estimate from below of the spectral radius of the operator `apply(v, out)` on vectors like `v`, which holds the start
/// and afterwards the direction found; 0 when the start is mapped to zero. Not finite when a product is not. `w` is a work
/// vector of the same length.
pub(crate) fn spectral_radius(
    v: &mut [f64],
    w: &mut [f64],
    tolerance: f64,
    mut apply: impl FnMut(&[f64], &mut [f64]),
) -> f64 {
    let mut radius = 0.0;
    for _ in 0..PRODUCTS {
        let size = norm2(v);
        if size == 0.0 {
            break;
        }
        scale(1.0 / size, v);
        apply(v, w);
        let old = radius;
        radius = norm2(w);
        if !radius.is_finite() || (radius - old).abs() <= tolerance * radius {
            break;
        }
        v.copy_from_slice(w);
    }
    radius
}

/// A vector of values in [−1, 1) that depends on the seed alone.
pub(crate) fn seeded(len: usize, seed: u64) -> Vec<f64> {
    let mut values = vec![0.0; len];
    fill(&mut values, seed);
    values
}

/// Fills a vector with values in [−1, 1) that depend on the seed alone.
pub(crate) fn fill(values: &mut [f64], seed: u64) {
    let mut random = Random::new(seed);
    values.iter_mut().for_each(|value| *value = (random.word() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0);
}
