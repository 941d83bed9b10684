//! Negation of truth values.

use super::curvature::interval::Interval;
use super::elementwise::{logical_unary, map, truth_table};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};

/// Negation of truth values.
pub static NOT: Operator = Operator {
    name: "not",
    definition: "not(x) = whether x is false, elementwise",
    domain: "bool arrays",
    surface: Surface::Hidden,
    shape: logical_unary,
    value: |_, x, _| map(x[0], |x| 1.0 - x),
    derivative: Derivative::Zero,
    curvature: Curvature::Steps(|_, _, _| Interval::UNIT),
    lowering: Lowering::Instruction(Instruction::Not),
    samples: || truth_table(1),
};
