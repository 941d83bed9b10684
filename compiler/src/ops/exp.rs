//! The exponential function.

use super::elementwise::{map, real_unary, unary_samples};
use super::{Derivative, Lowering, Operator, Surface};

/// The exponential function.
pub static EXP: Operator = Operator {
    name: "exp",
    definition: "exp(x) = e^x, elementwise",
    domain: "everywhere; inf above 709.78, 0 below -745.13",
    surface: Surface::Elementwise("exp"),
    shape: real_unary,
    value: |_, x, _| map(x[0], libm::exp),
    derivative: Derivative::Partials(|_, node, _| Some(node)),
    lowering: Lowering::Kernel("exp"),
    samples: || unary_samples(&[-30.0, -1.5, -0.1, 0.0, 0.7, 3.0, 20.0]),
};
