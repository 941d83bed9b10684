//! The order of the elements along an axis.

use super::axes::{along, along_axis, map_rows, position_bounds};
use super::elementwise::real;
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::ir::graph::Attrs;
use crate::types::{Elem, Type};

/// The order of the elements along an axis.
pub static ARGSORT: Operator = Operator {
    name: "argsort",
    definition: "argsort(x) = the positions of the elements along an axis, which stays, from the smallest element to the largest; \
                 real to int",
    domain: "everywhere; equal elements keep their order, NaN comes last",
    surface: Surface::Along("argsort"),
    shape: |attrs, types| Ok(Type { elem: Elem::Int, shape: along(attrs, types)?.shape }),
    value: |attrs, x, _| {
        map_rows(x[0], along_axis(attrs), |mut row| {
            let mut order: Vec<usize> = (0..row.len()).collect();
            // Comparing first by "is NaN" leaves numbers only, which are in order.
            let key = |k: usize| (row[k].is_nan(), if row[k].is_nan() { 0.0 } else { row[k] });
            order.sort_by(|&a, &b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
            row.iter_mut().zip(order).for_each(|(place, k)| *place = k as f64);
        })
    },
    derivative: Derivative::Zero,
    curvature: Curvature::Steps(position_bounds),
    lowering: Lowering::ArgSort,
    samples: || {
        let values = [0.3, -1.2, 0.3, f64::NAN, -0.4, f64::INFINITY, -1.2, 0.0, -0.0, f64::NEG_INFINITY, 1.1];
        let sample = |shape: &[usize], axis| Sample { attrs: Attrs::Axis(axis), inputs: vec![real(shape, &values)] };
        vec![
            sample(&[11], 0),
            sample(&[1], 0),
            sample(&[3, 4], 0),
            sample(&[3, 4], 1),
            sample(&[2, 3, 2], 1),
            sample(&[0, 3], 1),
            sample(&[3, 0], 1),
            sample(&[2, 40], 1),
        ]
    },
};
