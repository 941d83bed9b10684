//! Whether two arrays are different, elementwise.

use super::curvature::interval::Interval;
use super::elementwise::{binary_samples, comparison, truth, zip};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};

/// Whether two arrays are different, elementwise.
pub static NE: Operator = Operator {
    name: "ne",
    definition: "ne(a, b) = a != b, elementwise on two arrays of one type, to bool",
    domain: "everywhere; comparisons with NaN are true",
    surface: Surface::Hidden,
    shape: comparison,
    value: |_, x, _| zip(x[0], x[1], |a, b| truth(a != b)),
    derivative: Derivative::Zero,
    curvature: Curvature::Steps(|_, _, _| Interval::UNIT),
    lowering: Lowering::Instruction(Instruction::Ne),
    samples: || binary_samples(&[(-1.5, 2.0), (0.0, 0.3), (2.5, 2.4), (1e-3, -4.0), (3.0, 0.7)]),
};
