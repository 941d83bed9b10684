//! The position of the largest element along an axis.

use super::axes::{along_axis, along_samples, fold_rows, position, position_bounds};
use super::{Curvature, Derivative, Lowering, Operator, Reduction, Surface};

/// The position of the largest element along an axis.
pub static ARGMAX: Operator = Operator {
    name: "argmax",
    definition: "argmax(x) = the position of the largest element along an axis, which disappears and is not empty; int",
    domain: "everywhere; the first of several equal elements; NaN is passed over, 0 if there is nothing else",
    surface: Surface::AlongReduced("argmax"),
    shape: position,
    value: |attrs, x, _| {
        fold_rows(x[0], &[along_axis(attrs)], |row| {
            let mut best: Option<(usize, f64)> = None;
            for (k, &x) in row.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
                if best.is_none_or(|(_, so_far)| x > so_far) {
                    best = Some((k, x));
                }
            }
            best.map_or(0.0, |(k, _)| k as f64)
        })
    },
    derivative: Derivative::Zero,
    curvature: Curvature::Steps(position_bounds),
    lowering: Lowering::ArgReduce(Reduction::Max),
    samples: along_samples,
};
