//! Choice between two arrays.

use ndarray::Zip;

use super::elementwise::{boolean, expect_elem, operand, operands, real};
use super::{Derivative, Instruction, Lowering, Operator, Sample, Surface};
use crate::ir::graph::Attrs;
use crate::types::Elem;

/// Elementwise choice.
pub static SELECT: Operator = Operator {
    name: "select",
    definition: "select(c, a, b) = a where c, b elsewhere; c is bool, a and b are of one type, all of one shape",
    domain: "everywhere; the value that is not chosen counts for nothing, even if it is NaN",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [c, a, b] = operands(types)?;
        expect_elem(c, Elem::Bool)?;
        if *attrs != Attrs::None {
            return Err(format!("takes no parameters, not {attrs:?}"));
        }
        if a != b || a.shape != c.shape {
            return Err(format!("operands differ: {c}, {a} and {b}"));
        }
        Ok(a.clone())
    },
    value: |_, x, _| {
        Zip::from(x[0]).and(x[1]).and(x[2]).map_collect(|&c, &a, &b| if c != 0.0 { a } else { b })
    },
    derivative: Derivative::Linear(|g, node, cotangent, k| {
        let condition = operand(g, node, 0);
        let zero = g.zeros_like(cotangent);
        if k == 1 { g.select(condition, cotangent, zero) } else { g.select(condition, zero, cotangent) }
    }),
    lowering: Lowering::Instruction(Instruction::Select),
    samples: || {
        let sample = |shape: &[usize]| Sample {
            attrs: Attrs::None,
            inputs: vec![
                boolean(shape, &[1.0, 0.0, 0.0]),
                real(shape, &[0.5, -1.0, 2.0, 3.5]),
                real(shape, &[-0.3, 0.8]),
            ],
        };
        vec![sample(&[]), sample(&[5]), sample(&[2, 3])]
    },
};
