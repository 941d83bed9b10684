//! Reading at integer positions.

use ndarray::IxDyn;

use super::elementwise::{expect_elem, int, operand, operands, real};
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::bug;
use crate::ir::eval::Array;
use crate::ir::graph::Attrs;
use crate::types::{Elem, Type};

/// Reading at integer positions.
pub static GATHER: Operator = Operator {
    name: "gather",
    definition: "gather(x, i): x has shape B ++ [K] ++ R, the int positions i have shape B ++ I, the result is x[b, i[b, j], r] \
                 with shape B ++ I ++ R; B is the first `batch` axes",
    domain: "0 <= i < K; the result is NaN (0 for int and bool) where i is outside",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [x, index] = operands(types)?;
        expect_elem(index, Elem::Int)?;
        let Attrs::Gather { batch } = *attrs else {
            return Err(format!("takes a count of axes, not {attrs:?}"));
        };
        if x.rank() <= batch || index.rank() < batch || x.shape[..batch] != index.shape[..batch] {
            return Err(format!("{x} and {index} do not share {batch} leading axes"));
        }
        Ok(Type { elem: x.elem, shape: index.shape.iter().chain(&x.shape[batch + 1..]).copied().collect() })
    },
    value: |attrs, x, ty| {
        let missing = if ty.elem == Elem::Real { f64::NAN } else { 0.0 };
        let layout = Layout::new(x[0].shape(), x[1].shape(), batch(attrs));
        let source = x[0].as_standard_layout();
        let source: Vec<f64> = source.iter().copied().collect();
        let mut values = vec![missing; ty.len()];
        layout.visit(x[1], |from, to| {
            values[to..to + layout.row].copy_from_slice(&source[from..from + layout.row])
        });
        Array::from_shape_vec(IxDyn(&ty.shape), values).unwrap_or_else(|e| bug!("gather: {e}"))
    },
    derivative: Derivative::Linear(|g, node, cotangent, _| {
        let batch = batch(&g.node(node).attrs);
        let size = g.shape(operand(g, node, 0))[batch];
        let index = operand(g, node, 1);
        g.scatter_add(cotangent, index, batch, size)
    }),
    curvature: Curvature::Sum(|_, _| (1, 1)),
    lowering: Lowering::Gather,
    samples: || {
        let sample = |shape: &[usize], index: &[usize], batch| Sample {
            attrs: Attrs::Gather { batch },
            inputs: vec![
                real(shape, &[0.5, -1.0, 2.0, 3.5, 0.1, 0.7, -0.2]),
                int(index, &[1.0, 0.0, 1.0, 2.0]),
            ],
        };
        vec![
            sample(&[3], &[], 0),
            sample(&[3], &[5], 0),
            sample(&[3, 2], &[2, 2], 0),
            sample(&[2, 3], &[2], 1),
            sample(&[2, 3, 2], &[2, 4], 1),
        ]
    },
};

/// How many leading axes operand and indices share.
pub fn batch(attrs: &Attrs) -> usize {
    match *attrs {
        Attrs::Gather { batch } | Attrs::Scatter { batch, .. } => batch,
        ref other => bug!("gather or scatter_add with {other:?}"),
    }
}

/// Offsets of rows in the indexed array `B ++ [K] ++ R` and in the array `B ++ I ++ R` of what was read.
pub struct Layout {
    size: usize,
    per_batch: usize,
    /// The number of elements of a row `R`.
    pub row: usize,
}

impl Layout {
    /// The layout of an indexed array and its indices.
    pub fn new(indexed: &[usize], index: &[usize], batch: usize) -> Self {
        Layout {
            size: indexed[batch],
            per_batch: index[batch..].iter().product(),
            row: indexed[batch + 1..].iter().product(),
        }
    }

    /// Calls `visit` with the two offsets for every index in range, in row-major order.
    pub fn visit(&self, index: &Array, mut visit: impl FnMut(usize, usize)) {
        for (count, &position) in index.iter().enumerate() {
            if position >= 0.0 && position < self.size as f64 {
                let batch = count / self.per_batch;
                visit((batch * self.size + position as usize) * self.row, count * self.row);
            }
        }
    }
}
