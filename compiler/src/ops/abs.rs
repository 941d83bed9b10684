//! The absolute value.

use super::curvature::shapes;
use super::elementwise::{map, number_unary, operand, unary_samples};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};

/// The absolute value.
pub static ABS: Operator = Operator {
    name: "abs",
    definition: "abs(x) = |x|, elementwise on real or int arrays",
    domain: "everywhere; the derivative at 0 is taken as 0",
    surface: Surface::Elementwise("abs"),
    shape: number_unary,
    value: |_, x, _| map(x[0], f64::abs),
    derivative: Derivative::Partials(|g, node, _| {
        let x = operand(g, node, 0);
        Some(g.unary(&super::SIGN, x))
    }),
    curvature: Curvature::Scalar(shapes::absolute),
    lowering: Lowering::Instruction(Instruction::Abs),
    samples: || unary_samples(&[-3.0, -0.01, 0.2, 1.5]),
};
