//! Rounding down.

use super::curvature::interval::Interval;
use super::elementwise::{map, real_unary, unary_samples};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};

/// Rounding down.
pub static FLOOR: Operator = Operator {
    name: "floor",
    definition: "floor(x) = the largest whole number not above x (as a real), elementwise",
    domain: "everywhere; the derivative is taken as 0 everywhere",
    surface: Surface::Elementwise("floor"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::floor),
    derivative: Derivative::Zero,
    curvature: Curvature::Steps(|_, _, x| Interval::new(libm::floor(x[0].lo), libm::floor(x[0].hi))),
    lowering: Lowering::Instruction(Instruction::Floor),
    samples: || unary_samples(&[-2.5, -0.5, 0.2, 3.7]),
};
