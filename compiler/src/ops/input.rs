//! Inputs: data, variables and directions.

use super::{Curvature, Derivative, Lowering, Operator, Surface};
use crate::bug;

/// An input. Its type is declared with the graph and its value is bound from outside, so the shape rule and the
/// reference value are never asked.
pub static INPUT: Operator = Operator {
    name: "input",
    definition: "input = the array bound to the input that the parameters name",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: |_, _| Err("an input has the type it was declared with".to_string()),
    value: |_, _, ty| bug!("the value of an input of type {ty} must be bound"),
    derivative: Derivative::Zero,
    curvature: Curvature::Leaf,
    lowering: Lowering::Input,
    samples: Vec::new,
};
