//! The power.

use super::elementwise::{binary_samples, fill_like, operand, real_binary, zip};
use super::{Derivative, Lowering, Operator, Surface};
use crate::ir::graph::{Graph, NodeId};

/// The power.
pub static POW: Operator = Operator {
    name: "pow",
    definition: "pow(a, b) = a^b, elementwise on two real arrays of one shape; a^0 = 1",
    domain: "a > 0 with any b, a = 0 with b >= 0, a < 0 with whole b (NaN otherwise). The derivative by b at a = 0 is taken as 0",
    surface: Surface::Elementwise("pow"),
    shape: real_binary,
    value: |_, x, _| zip(x[0], x[1], libm::pow),
    derivative: Derivative::Partials(|g, node, k| {
        Some(if k == 0 { by_base(g, node) } else { by_exponent(g, node) })
    }),
    lowering: Lowering::Kernel("pow"),
    samples: || binary_samples(&[(0.5, 2.0), (2.0, -1.5), (3.0, 0.0), (1e-2, 0.5), (1.0, 3.3), (40.0, 1.0)]),
};

/// `b a^(b - 1)`, and 0 where `a` and `b` are 0 (there `a^(b - 1)` is infinite). A constant exponent needs no case distinction
/// and stays constant, so that whole powers of negative bases have derivatives of every order.
fn by_base(g: &mut Graph, node: NodeId) -> NodeId {
    let (a, b) = (operand(g, node, 0), operand(g, node, 1));
    match g.fill_value(b) {
        Some(0.0) => fill_like(g, node, 0.0),
        Some(1.0) => fill_like(g, node, 1.0),
        Some(2.0) => g.scale(a, 2.0),
        Some(p) => {
            let lower = fill_like(g, node, p - 1.0);
            let power = g.pow(a, lower);
            g.scale(power, p)
        }
        None => {
            let one = fill_like(g, node, 1.0);
            let lower = g.sub(b, one);
            let power = g.pow(a, lower);
            let rate = g.mul(b, power);
            let zero = fill_like(g, node, 0.0);
            let base_zero = g.binary(&super::EQ, a, zero);
            let exponent_zero = g.binary(&super::EQ, b, zero);
            let flat = g.and(base_zero, exponent_zero);
            g.select(flat, zero, rate)
        }
    }
}

/// `a^b log a`, and 0 where `a` is 0.
fn by_exponent(g: &mut Graph, node: NodeId) -> NodeId {
    let a = operand(g, node, 0);
    let log = g.unary(&super::LOG, a);
    let rate = g.mul(node, log);
    let zero = fill_like(g, node, 0.0);
    let at_zero = g.binary(&super::EQ, a, zero);
    g.select(at_zero, zero, rate)
}
