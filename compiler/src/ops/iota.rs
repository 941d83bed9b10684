//! The positions along an axis.

use ndarray::IxDyn;

use super::elementwise::operands;
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::ir::eval::Array;
use crate::ir::graph::Attrs;
use crate::types::{Elem, Type};

/// Counting from 0.
pub static IOTA: Operator = Operator {
    name: "iota",
    definition: "iota = the int array 0, 1, ..., len - 1",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [] = operands(types)?;
        match attrs {
            Attrs::Iota { len } => Ok(Type::new(Elem::Int, [*len])),
            other => Err(format!("takes a length, not {other:?}")),
        }
    },
    value: |_, _, ty| Array::from_shape_fn(IxDyn(&ty.shape), |position| position[0] as f64),
    derivative: Derivative::Zero,
    curvature: Curvature::Leaf,
    lowering: Lowering::Iota,
    samples: || [0, 1, 5].map(|len| Sample { attrs: Attrs::Iota { len }, inputs: vec![] }).into(),
};
