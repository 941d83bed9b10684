//! A range of every axis.

use ndarray::{Axis, Slice};

use super::elementwise::{operand, operands, real};
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::bug;
use crate::ir::graph::Attrs;
use crate::types::{Axes, Type};

/// A range of every axis.
pub static SLICE: Operator = Operator {
    name: "slice",
    definition: "slice(x): positions start[k]..end[k] of every axis k",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [x] = operands(types)?;
        let Attrs::Slice { start, end } = attrs else { return Err(format!("takes ranges, not {attrs:?}")) };
        let fits = start.len() == x.rank() && end.len() == x.rank();
        if !fits || (0..x.rank()).any(|k| start[k] > end[k] || end[k] > x.shape[k]) {
            return Err(format!("{x} does not contain {start:?} to {end:?}"));
        }
        Ok(Type { elem: x.elem, shape: end.iter().zip(start).map(|(end, start)| end - start).collect() })
    },
    value: |attrs, x, _| {
        let (start, end) = bounds(attrs);
        let mut part = x[0].view();
        for (axis, (&start, &end)) in start.iter().zip(end).enumerate() {
            part.slice_axis_inplace(Axis(axis), Slice::from(start..end));
        }
        part.to_owned()
    },
    derivative: Derivative::Linear(|g, node, cotangent, _| {
        let shape = g.shape(operand(g, node, 0)).clone();
        let (before, end) = bounds(&g.node(node).attrs);
        let before = before.clone();
        let after: Axes = shape.iter().zip(end).map(|(size, end)| size - end).collect();
        g.pad(cotangent, &before, &after)
    }),
    curvature: Curvature::Sum(|_, _| (1, 1)),
    lowering: Lowering::View,
    samples: || {
        let sample = |shape: &[usize], start: &[usize], end: &[usize]| Sample {
            attrs: Attrs::Slice { start: start.into(), end: end.into() },
            inputs: vec![real(shape, &[0.5, -1.0, 2.0, 3.5, 0.1, 0.7, -0.2])],
        };
        vec![
            sample(&[5], &[1], &[4]),
            sample(&[5], &[0], &[2]),
            sample(&[3, 4], &[1, 0], &[3, 1]),
            sample(&[3, 4], &[2, 2], &[2, 4]),
        ]
    },
};

/// First positions, and positions behind the last.
pub fn bounds(attrs: &Attrs) -> (&Axes, &Axes) {
    match attrs {
        Attrs::Slice { start, end } => (start, end),
        other => bug!("slice with {other:?}"),
    }
}
