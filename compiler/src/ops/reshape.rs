//! The same elements under other sizes.

use super::axes::reshaped;
use super::elementwise::{operand, operands, real};
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::ir::graph::Attrs;
use crate::types::Type;

/// The same elements, row-major, under other sizes.
pub static RESHAPE: Operator = Operator {
    name: "reshape",
    definition: "reshape(x): the elements of x in row-major order under other sizes with the same product",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [x] = operands(types)?;
        let Attrs::Shape(shape) = attrs else { return Err(format!("takes sizes, not {attrs:?}")) };
        if shape.iter().product::<usize>() != x.len() {
            return Err(format!("{x} does not have the elements of {shape:?}"));
        }
        Ok(Type { elem: x.elem, shape: shape.clone() })
    },
    value: |_, x, ty| reshaped(x[0].clone(), &ty.shape),
    derivative: Derivative::Linear(|g, node, cotangent, _| {
        let shape = g.shape(operand(g, node, 0)).clone();
        g.reshape(cotangent, &shape)
    }),
    curvature: Curvature::Sum(|_, _| (1, 1)),
    lowering: Lowering::View,
    samples: || {
        let sample = |from: &[usize], to: &[usize]| Sample {
            attrs: Attrs::Shape(to.into()),
            inputs: vec![real(from, &[0.5, -1.0, 2.0, 3.5, 0.1, 0.7, -0.2])],
        };
        vec![
            sample(&[6], &[2, 3]),
            sample(&[2, 3, 2], &[4, 3]),
            sample(&[], &[1, 1]),
            sample(&[0, 2], &[3, 0]),
        ]
    },
};
