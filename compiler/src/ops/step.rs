//! The unit step.

use super::curvature::interval::Interval;
use super::elementwise::{fill_like, map, operand, real_unary, truth, unary_samples};
use super::{Curvature, Derivative, Lowering, Operator, Surface};
use crate::types::Elem;

/// The unit step.
pub static STEP: Operator = Operator {
    name: "step",
    definition: "step(x) = 1 where x > 0, otherwise 0 (also for NaN), elementwise",
    domain: "everywhere; the derivative is taken as 0 everywhere",
    surface: Surface::Elementwise("step"),
    shape: real_unary,
    value: |_, x, _| map(x[0], |x| truth(x > 0.0)),
    derivative: Derivative::Zero,
    curvature: Curvature::Steps(|_, _, _| Interval::UNIT),
    lowering: Lowering::Expand(|g, node| {
        let x = operand(g, node, 0);
        let zero = fill_like(g, node, 0.0);
        let above = g.binary(&super::LT, zero, x);
        g.cast(above, Elem::Real)
    }),
    samples: || unary_samples(&[-3.0, -0.01, 0.2, 1.5]),
};
