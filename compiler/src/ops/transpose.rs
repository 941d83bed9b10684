//! Axes in another order.

use super::axes::permuted;
use super::elementwise::{operands, real};
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::bug;
use crate::ir::graph::Attrs;
use crate::types::{Axes, Type};

/// Axes in another order.
pub static TRANSPOSE: Operator = Operator {
    name: "transpose",
    definition: "transpose(x): result axis k is operand axis perm[k]",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [x] = operands(types)?;
        let Attrs::Permutation(perm) = attrs else {
            return Err(format!("takes a permutation, not {attrs:?}"));
        };
        if perm.len() != x.rank() || (0..x.rank()).any(|axis| !perm.contains(&axis)) {
            return Err(format!("{perm:?} is not an order of the axes of {x}"));
        }
        Ok(Type { elem: x.elem, shape: perm.iter().map(|&axis| x.shape[axis]).collect() })
    },
    value: |attrs, x, _| permuted(x[0], permutation(attrs)),
    derivative: Derivative::Linear(|g, node, cotangent, _| {
        let perm = inverse(permutation(&g.node(node).attrs));
        g.transpose(cotangent, &perm)
    }),
    curvature: Curvature::Sum(|_, _| (1, 1)),
    lowering: Lowering::View,
    samples: || {
        let values = [0.5, -1.0, 2.0, 3.5, 0.1, 0.7, -0.2];
        let sample = |shape: &[usize], perm: &[usize]| Sample {
            attrs: Attrs::Permutation(perm.into()),
            inputs: vec![real(shape, &values)],
        };
        vec![sample(&[2, 3], &[1, 0]), sample(&[2, 3, 2], &[2, 0, 1]), sample(&[1, 4, 2], &[0, 2, 1])]
    },
};

/// The order of axes.
pub fn permutation(attrs: &Attrs) -> &Axes {
    match attrs {
        Attrs::Permutation(perm) => perm,
        other => bug!("transpose with {other:?}"),
    }
}

/// The order that undoes `perm`.
pub fn inverse(perm: &[usize]) -> Axes {
    let mut inverse: Axes = perm.into();
    for (to, &from) in perm.iter().enumerate() {
        inverse[from] = to;
    }
    inverse
}
