//! A barrier for derivatives.

use super::elementwise::{operand, real_unary, unary_samples};
use super::{Derivative, Lowering, Operator, Surface};

/// The value without its derivative.
pub static STOP_GRADIENT: Operator = Operator {
    name: "stop_gradient",
    definition: "stop_gradient(x) = x, but counts as constant in derivatives; real arrays",
    domain: "everywhere",
    surface: Surface::Elementwise("stop_gradient"),
    shape: real_unary,
    value: |_, x, _| x[0].clone(),
    derivative: Derivative::Zero,
    lowering: Lowering::Expand(|g, node| operand(g, node, 0)),
    samples: || unary_samples(&[-1.5, 0.0, 2.0]),
};
