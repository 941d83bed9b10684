//! Whether either of two truth values hold.

use super::curvature::interval::Interval;
use super::elementwise::{logical_binary, truth, truth_table, zip};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};

/// Whether either of two truth values hold.
pub static OR: Operator = Operator {
    name: "or",
    definition: "or(a, b), elementwise on two bool arrays of one shape",
    domain: "bool arrays",
    surface: Surface::Hidden,
    shape: logical_binary,
    value: |_, x, _| zip(x[0], x[1], |a, b| truth(a != 0.0 || b != 0.0)),
    derivative: Derivative::Zero,
    curvature: Curvature::Steps(|_, _, _| Interval::UNIT),
    lowering: Lowering::Instruction(Instruction::Or),
    samples: || truth_table(2),
};
