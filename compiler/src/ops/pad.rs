//! Zeros around an array.

use ndarray::{Axis, IxDyn, Slice};

use super::elementwise::{operand, operands, real};
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::bug;
use crate::ir::eval::Array;
use crate::ir::graph::Attrs;
use crate::types::{Axes, Type};

/// Zeros (false for truth values) around an array.
pub static PAD: Operator = Operator {
    name: "pad",
    definition: "pad(x): x with before[k] zeros before and after[k] zeros after it along every axis k",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [x] = operands(types)?;
        let Attrs::Pad { before, after } = attrs else { return Err(format!("takes widths, not {attrs:?}")) };
        if before.len() != x.rank() || after.len() != x.rank() {
            return Err(format!("widths {before:?} and {after:?} do not fit {x}"));
        }
        Ok(Type { elem: x.elem, shape: (0..x.rank()).map(|k| before[k] + x.shape[k] + after[k]).collect() })
    },
    value: |attrs, x, ty| {
        let before = widths(attrs).0;
        let mut out = Array::zeros(IxDyn(&ty.shape));
        let mut middle = out.view_mut();
        for (axis, &before) in before.iter().enumerate() {
            middle.slice_axis_inplace(Axis(axis), Slice::from(before..before + x[0].shape()[axis]));
        }
        middle.assign(x[0]);
        out
    },
    derivative: Derivative::Linear(|g, node, cotangent, _| {
        let shape = g.shape(operand(g, node, 0)).clone();
        let start = widths(&g.node(node).attrs).0.clone();
        let end: Axes = start.iter().zip(&shape).map(|(start, size)| start + size).collect();
        g.slice(cotangent, &start, &end)
    }),
    curvature: Curvature::Sum(|_, _| (0, 1)),
    lowering: Lowering::Place,
    samples: || {
        let sample = |shape: &[usize], before: &[usize], after: &[usize]| Sample {
            attrs: Attrs::Pad { before: before.into(), after: after.into() },
            inputs: vec![real(shape, &[0.5, -1.0, 2.0, 3.5, 0.1, 0.7, -0.2])],
        };
        vec![sample(&[3], &[1], &[2]), sample(&[2, 3], &[0, 1], &[1, 0]), sample(&[0, 2], &[1, 0], &[0, 0])]
    },
};

/// How many zeros before and after.
pub fn widths(attrs: &Attrs) -> (&Axes, &Axes) {
    match attrs {
        Attrs::Pad { before, after } => (before, after),
        other => bug!("pad with {other:?}"),
    }
}
