//! Change of element type.

use super::elementwise::{boolean, int, operands};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Sample, Surface};
use crate::ir::graph::Attrs;
use crate::types::{Elem, Type};

/// Widening: bool to int to real.
pub static CAST: Operator = Operator {
    name: "cast",
    definition: "cast(x) = x as an array of a wider element type (bool, int, real); true is 1, false is 0",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [x] = operands(types)?;
        match *attrs {
            Attrs::Cast(elem) if elem > x.elem => Ok(Type { elem, shape: x.shape.clone() }),
            Attrs::Cast(elem) => Err(format!("{x} does not widen to {}", elem.name())),
            ref other => Err(format!("takes an element type, not {other:?}")),
        }
    },
    value: |_, x, _| x[0].clone(),
    derivative: Derivative::Zero,
    curvature: Curvature::Sum(|_, _| (1, 1)),
    lowering: Lowering::Instruction(Instruction::Cast),
    samples: || {
        vec![
            Sample { attrs: Attrs::Cast(Elem::Real), inputs: vec![int(&[2, 2], &[-1.0, 0.0, 5.0])] },
            Sample { attrs: Attrs::Cast(Elem::Real), inputs: vec![boolean(&[3], &[1.0, 0.0])] },
            Sample { attrs: Attrs::Cast(Elem::Int), inputs: vec![boolean(&[], &[1.0])] },
        ]
    },
};
