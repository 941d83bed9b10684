//! Arrays one behind the other.

use ndarray::{Axis, IxDyn, Slice};

use super::axes::{along_axis, check_axis};
use super::elementwise::{operand, real};
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::ir::eval::Array;
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::types::{Axes, Type};

/// Arrays one behind the other along an axis.
pub static CONCAT: Operator = Operator {
    name: "concat",
    definition: "concat(a, b, ...): the operands one behind the other along an axis; the other axes agree",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape,
    value: |attrs, x, ty| {
        let axis = along_axis(attrs);
        let mut out = Array::zeros(IxDyn(&ty.shape));
        let mut start = 0;
        for part in x {
            let end = start + part.shape()[axis];
            out.slice_axis_mut(Axis(axis), Slice::from(start..end)).assign(part);
            start = end;
        }
        out
    },
    derivative: Derivative::Linear(|g, node, cotangent, k| {
        let (start, end) = part(g, node, k);
        g.slice(cotangent, &start, &end)
    }),
    curvature: Curvature::Sum(|_, _| (1, 1)),
    lowering: Lowering::Place,
    samples: || {
        let sample = |shapes: &[&[usize]], axis| Sample {
            attrs: Attrs::Axis(axis),
            inputs: shapes.iter().map(|shape| real(shape, &[0.5, -1.0, 2.0, 3.5, 0.1, 0.7, -0.2])).collect(),
        };
        vec![
            sample(&[&[3]], 0),
            sample(&[&[3], &[0], &[2]], 0),
            sample(&[&[2, 3], &[1, 3]], 0),
            sample(&[&[2, 1], &[2, 3], &[2, 2]], 1),
        ]
    },
};

fn shape(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    let Attrs::Axis(axis) = *attrs else { return Err(format!("takes an axis, not {attrs:?}")) };
    let Some((first, rest)) = types.split_first() else {
        return Err("takes at least one operand".to_string());
    };
    check_axis(axis, first)?;
    let mut result = (*first).clone();
    for ty in rest {
        let agrees = ty.elem == first.elem && ty.rank() == first.rank();
        if !agrees || (0..ty.rank()).any(|k| k != axis && ty.shape[k] != first.shape[k]) {
            return Err(format!("{ty} does not continue {first} along axis {axis}"));
        }
        result.shape[axis] += ty.shape[axis];
    }
    Ok(result)
}

/// Where operand `k` lies in the result: first positions, and positions behind the last.
pub fn part(g: &Graph, node: NodeId, k: usize) -> (Axes, Axes) {
    let axis = along_axis(&g.node(node).attrs);
    let before: usize = (0..k).map(|j| g.shape(operand(g, node, j))[axis]).sum();
    let mut end = g.shape(operand(g, node, k)).clone();
    let mut start: Axes = end.iter().map(|_| 0).collect();
    start[axis] = before;
    end[axis] += before;
    (start, end)
}
