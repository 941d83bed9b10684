//! The smaller of two arrays.

use super::curvature::Bend;
use super::elementwise::{binary_samples, number_binary, operand, zip};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};
use crate::types::Elem;

/// The smaller of two arrays.
pub static MIN: Operator = Operator {
    name: "min",
    definition: "min(a, b) = the smaller of a and b, elementwise on two real or two int arrays of one shape",
    domain: "everywhere; NaN if either is NaN; where the two are equal the derivative is that of the first operand",
    surface: Surface::Elementwise("min"),
    shape: number_binary,
    value: |_, x, _| zip(x[0], x[1], |a, b| if a.is_nan() || a < b { a } else { b }),
    derivative: Derivative::Partials(|g, node, k| {
        let (a, b) = (operand(g, node, 0), operand(g, node, 1));
        let chosen = if k == 0 { g.binary(&super::LE, a, b) } else { g.binary(&super::LT, b, a) };
        Some(g.cast(chosen, Elem::Real))
    }),
    curvature: Curvature::Extreme(Bend::Concave),
    lowering: Lowering::Instruction(Instruction::Min),
    samples: || binary_samples(&[(-1.5, 2.0), (0.0, 0.3), (2.5, 2.4), (1e-3, -4.0), (3.0, 0.7)]),
};
