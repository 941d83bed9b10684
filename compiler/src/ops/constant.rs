//! Scalar constants.

use ndarray::IxDyn;

use super::elementwise::operands;
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::bug;
use crate::ir::eval::Array;
use crate::ir::graph::Attrs;
use crate::types::{Elem, Type};

/// A scalar constant.
pub static CONSTANT: Operator = Operator {
    name: "constant",
    definition: "constant = the scalar that the parameters hold",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [] = operands(types)?;
        match attrs {
            Attrs::Constant { elem, .. } => Ok(Type::scalar(*elem)),
            other => Err(format!("takes a scalar, not {other:?}")),
        }
    },
    value: |attrs, _, _| match attrs {
        Attrs::Constant { bits, .. } => Array::from_elem(IxDyn(&[]), f64::from_bits(*bits)),
        other => bug!("constant with {other:?}"),
    },
    derivative: Derivative::Zero,
    curvature: Curvature::Leaf,
    lowering: Lowering::Constant,
    samples: || {
        let sample = |value: f64, elem| Sample {
            attrs: Attrs::Constant { bits: value.to_bits(), elem },
            inputs: vec![],
        };
        vec![sample(2.5, Elem::Real), sample(-3.0, Elem::Int), sample(1.0, Elem::Bool)]
    },
};
