//! Adding at integer positions.

use ndarray::IxDyn;

use super::elementwise::{expect_elem, expect_number, int, operand, operands, real};
use super::gather::{Layout, batch};
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::bug;
use crate::ir::eval::Array;
use crate::ir::graph::Attrs;
use crate::types::{Elem, Shape, Type};

/// Adding at integer positions: a segmented sum.
pub static SCATTER_ADD: Operator = Operator {
    name: "scatter_add",
    definition: "scatter_add(u, i): updates u have shape B ++ I ++ R, int positions i have shape B ++ I, the result has shape \
                 B ++ [size] ++ R and at [b, k, r] the sum of u[b, j, r] over the j with i[b, j] = k; real or int",
    domain: "0 <= i < size; updates whose position is outside are left out",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [updates, index] = operands(types)?;
        expect_number(updates)?;
        expect_elem(index, Elem::Int)?;
        let Attrs::Scatter { batch, size } = *attrs else {
            return Err(format!("takes axes and a size, not {attrs:?}"));
        };
        if index.rank() < batch || !updates.shape.starts_with(&index.shape) {
            return Err(format!("{updates} does not begin with the axes of {index}, {batch} of them shared"));
        }
        let mut shape: Shape = index.shape[..batch].into();
        shape.push(size);
        shape.extend_from_slice(&updates.shape[index.rank()..]);
        Ok(Type { elem: updates.elem, shape })
    },
    value: |attrs, x, ty| {
        let layout = Layout::new(&ty.shape, x[1].shape(), batch(attrs));
        let updates: Vec<f64> = x[0].as_standard_layout().iter().copied().collect();
        let mut values = vec![0.0; ty.len()];
        layout.visit(x[1], |to, from| {
            for k in 0..layout.row {
                values[to + k] += updates[from + k];
            }
        });
        Array::from_shape_vec(IxDyn(&ty.shape), values).unwrap_or_else(|e| bug!("scatter_add: {e}"))
    },
    derivative: Derivative::Linear(|g, node, cotangent, _| {
        let batch = batch(&g.node(node).attrs);
        let index = operand(g, node, 1);
        g.gather(cotangent, index, batch)
    }),
    curvature: Curvature::Sum(|g, id| (0, g.ty(operand(g, id, 1)).len())),
    lowering: Lowering::ScatterAdd,
    samples: || {
        let sample = |shape: &[usize], index: &[usize], batch| Sample {
            attrs: Attrs::Scatter { batch, size: 3 },
            inputs: vec![
                real(shape, &[0.5, -1.0, 2.0, 3.5, 0.1, 0.7, -0.2]),
                int(index, &[1.0, 0.0, 1.0, 2.0]),
            ],
        };
        vec![
            sample(&[], &[], 0),
            sample(&[5], &[5], 0),
            sample(&[2, 2, 2], &[2, 2], 0),
            sample(&[2], &[2], 1),
            sample(&[2, 4, 2], &[2, 4], 1),
        ]
    },
};
