//! The negative.

use super::curvature::combine;
use super::elementwise::{fill_like, map, number_unary, operand, unary_samples};
use super::{Curvature, Derivative, Instruction, Lowering, Operator, Surface};

/// The negative.
pub static NEG: Operator = Operator {
    name: "neg",
    definition: "neg(x) = -x, elementwise on real or int arrays",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: number_unary,
    value: |_, x, _| map(x[0], |x| -x),
    derivative: Derivative::Partials(|g, node, _| Some(fill_like(g, node, -1.0))),
    curvature: Curvature::Rule(|g, facts, id| combine::opposite(facts, operand(g, id, 0))),
    lowering: Lowering::Instruction(Instruction::Neg),
    samples: || unary_samples(&[-3.0, 0.0, 1.5]),
};
