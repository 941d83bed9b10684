//! Powers with constant base or exponent.

use super::pattern::{binary_of, fill_like, is_fill, unary_of};
use crate::ir::graph::{Graph, NodeId};
use crate::ops;

/// A whole power is a product, a half power a root: `x^0 = 1`, `x^1 = x`, `x^2 = x x`, `x^3`, `x^4`, `x^-1 = 1/x`,
/// `x^-2 = 1/(x x)`, `x^0.5 = sqrt(x)`, `x^-0.5 = 1/sqrt(x)`. Differs from `pow` at `x = -inf` (a root is NaN there).
pub fn power(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (x, exponent) = binary_of(g, id, &ops::POW)?;
    let exponent = g.fill_value(exponent)?;
    let magnitude = match exponent.abs() {
        0.0 => return Some(fill_like(g, 1.0, id)),
        0.5 => g.unary(&ops::SQRT, x),
        1.0 => x,
        2.0 => g.mul(x, x),
        3.0 if exponent > 0.0 => {
            let square = g.mul(x, x);
            g.mul(square, x)
        }
        4.0 if exponent > 0.0 => {
            let square = g.mul(x, x);
            g.mul(square, square)
        }
        _ => return None,
    };
    Some(if exponent > 0.0 { magnitude } else { g.reciprocal(magnitude) })
}

/// `sqrt(x x) = |x|`, which neither overflows nor has a derivative that is not a number.
pub fn root_of_square(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let square = unary_of(g, id, &ops::SQRT)?;
    let (x, y) = binary_of(g, square, &ops::MUL)?;
    (x == y).then(|| g.unary(&ops::ABS, x))
}

/// `1^y = 1`.
pub fn power_of_one(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (x, _) = binary_of(g, id, &ops::POW)?;
    is_fill(g, x, 1.0).then_some(x)
}
