//! Arithmetic with constants: folding, neutral elements, and collecting constants outermost and first.
//!
//! Constants here are fills: constant scalars and their broadcasts.

use ndarray::IxDyn;

use super::pattern::{
    binary_of, coefficient, either_of, fill_like, fill_of, in_order, is_elementwise, is_fill, is_real,
    scaled, select_of, unary_of,
};
use crate::ir::eval::Array;
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::ops;
use crate::types::Type;

/// `f(c, ...) = c'` for an elementwise operator on fills, by the operator's own reference value. A result that is not finite
/// although the operands are is left in place, so that the operation to blame is still there when somebody looks for it.
pub fn fold_constants(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let node = g.node(id);
    if !is_elementwise(node.op.0) {
        return None;
    }
    let values: Vec<f64> = node.inputs.iter().map(|&i| g.fill_value(i)).collect::<Option<_>>()?;
    let arrays: Vec<Array> = values.iter().map(|&v| Array::from_elem(IxDyn(&[]), v)).collect();
    let operands: Vec<&Array> = arrays.iter().collect();
    let scalar = Type::scalar(node.ty.elem);
    let value = *(node.op.0.value)(&node.attrs, &operands, &scalar).first()?;
    if !value.is_finite() && values.iter().all(|v| v.is_finite()) {
        return None;
    }
    Some(fill_like(g, value, id))
}

/// `0 + x = x`, real and int.
pub fn add_zero(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    either_of(g, id, &ops::ADD, |a| is_fill(g, a, 0.0)).map(|(_, x)| x)
}

/// `x - 0 = x` and `0 - x = -x`, real and int.
pub fn sub_zero(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (a, b) = binary_of(g, id, &ops::SUB)?;
    if is_fill(g, b, 0.0) {
        Some(a)
    } else if is_fill(g, a, 0.0) {
        Some(g.neg(b))
    } else {
        None
    }
}

/// `1 * x = x` and `-1 * x = -x`, real and int.
pub fn mul_one(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (c, x) = either_of(g, id, &ops::MUL, |a| is_fill(g, a, 1.0) || is_fill(g, a, -1.0))?;
    if is_fill(g, c, 1.0) { Some(x) } else { Some(g.neg(x)) }
}

/// `0 * x = 0` and `0 / x = 0`. This ignores that `0 * inf` is NaN: zeros are the cotangents of independent parts, and there
/// the product stands for nothing at all.
pub fn mul_zero(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let zero = either_of(g, id, &ops::MUL, |a| is_fill(g, a, 0.0))
        .or_else(|| binary_of(g, id, &ops::DIV).filter(|&(a, _)| is_fill(g, a, 0.0)));
    zero.map(|(zero, _)| zero)
}

/// `x / 1 = x`; `x / c = (1/c) x` where that is exact, that is, for powers of two.
pub fn div_constant(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (x, c) = binary_of(g, id, &ops::DIV)?;
    let c = g.fill_value(c)?;
    let inverse = 1.0 / c;
    let mantissa = (1u64 << 52) - 1;
    let exact = c.is_normal() && inverse.is_normal() && c.to_bits() & mantissa == 0;
    exact.then(|| scaled(g, inverse, x))
}

/// `x - c = -c + x`: a difference with a constant is a sum with a constant. Exact.
pub fn sub_constant(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (x, c) = binary_of(g, id, &ops::SUB)?;
    let c = g.fill_value(c)?;
    let offset = fill_like(g, -c, x);
    Some(g.add(offset, x))
}

/// `c1 * (c2 * x) = (c1 c2) * x`, unless the product of the constants over- or underflows.
pub fn merge_scales(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (outer, x) = either_of(g, id, &ops::MUL, |a| g.fill_value(a).is_some())?;
    let (inner, y) = coefficient(g, x);
    let factor = g.fill_value(outer)? * inner;
    (y != x && factor.is_normal()).then(|| scaled(g, factor, y))
}

/// `c1 + (c2 + x)`, `c1 + (c2 - x)`, `c1 - (c2 + x)` and `c1 - (c2 - x)`: one constant.
pub fn merge_offsets(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (outer, rest, sign) = match either_of(g, id, &ops::ADD, |a| g.fill_value(a).is_some()) {
        Some((c, rest)) => (g.fill_value(c)?, rest, 1.0),
        None => {
            let (c, rest) = binary_of(g, id, &ops::SUB)?;
            (g.fill_value(c)?, rest, -1.0)
        }
    };
    let (inner, x, inner_sign) = match either_of(g, rest, &ops::ADD, |a| g.fill_value(a).is_some()) {
        Some((c, x)) => (g.fill_value(c)?, x, 1.0),
        None => {
            let (c, x) = binary_of(g, rest, &ops::SUB)?;
            (g.fill_value(c)?, x, -1.0)
        }
    };
    let offset = fill_like(g, outer + sign * inner, id);
    Some(if sign * inner_sign > 0.0 { g.add(offset, x) } else { g.sub(offset, x) })
}

/// `(c x) y = c (x y)`, `(c x) / y = c (x / y)` and `x (1 / y) = x / y`: constants move out of products, where they meet
/// other constants and leave sums. `y` is not itself a constant.
pub fn pull_scale(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let is_scaled = |x: NodeId| g.is(x, &ops::MUL) && coefficient(g, x).1 != x;
    if let Some((x, y)) = binary_of(g, id, &ops::DIV) {
        let (c, rest) = coefficient(g, x);
        return (is_scaled(x) && g.fill_value(y).is_none()).then(|| {
            let ratio = g.div(rest, y);
            scaled(g, c, ratio)
        });
    }
    if let Some((x, y)) = either_of(g, id, &ops::MUL, is_scaled) {
        if g.fill_value(y).is_some() {
            return None;
        }
        let (c, rest) = coefficient(g, x);
        let product = g.mul(rest, y);
        return Some(scaled(g, c, product));
    }
    let is_reciprocal = |x: NodeId| binary_of(g, x, &ops::DIV).is_some_and(|(one, _)| is_fill(g, one, 1.0));
    let (inverse, x) = either_of(g, id, &ops::MUL, is_reciprocal)?;
    let (_, y) = binary_of(g, inverse, &ops::DIV)?;
    Some(g.div(x, y))
}

/// `a x + b x = (a + b) x` and `a x - b x = (a - b) x` for constants `a`, `b` (which may be 1) that do not cancel; also
/// `c x + c y = c (x + y)` and `c x - c y = c (x - y)`.
pub fn collect(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let is_add = g.is(id, &ops::ADD);
    let (x, y) = binary_of(g, id, if is_add { &ops::ADD } else { &ops::SUB })?;
    if g.fill_value(x).is_some() || g.fill_value(y).is_some() {
        return None;
    }
    let ((a, p), (b, q)) = (coefficient(g, x), coefficient(g, y));
    if p == q {
        let total = if is_add { a + b } else { a - b };
        return (total != 0.0 && total.is_finite()).then(|| scaled(g, total, p));
    }
    if a != b || a == 1.0 || a == -1.0 {
        return None;
    }
    let rest = if is_add { g.add(p, q) } else { g.sub(p, q) };
    Some(scaled(g, a, rest))
}

/// `a x + (b x + y) = (a + b) x + y` for constants `a`, `b` (which may be 1) that do not cancel: what several cotangents of one
/// node leave in a sum is found wherever it stands.
pub fn collect_nested(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (left, right) = binary_of(g, id, &ops::ADD)?;
    for (x, sum) in [(left, right), (right, left)] {
        let Some((u, v)) = binary_of(g, sum, &ops::ADD) else { continue };
        for (y, rest) in [(u, v), (v, u)] {
            if g.fill_value(x).is_some() || g.fill_value(y).is_some() {
                continue;
            }
            let ((a, p), (b, q)) = (coefficient(g, x), coefficient(g, y));
            if p == q && a + b != 0.0 && (a + b).is_finite() {
                let both = scaled(g, a + b, p);
                return Some(g.add(both, rest));
            }
        }
    }
    None
}

/// `f(b, a) = f(a, b)`: operands of commutative operators stand in one order, constants first. `min` and `max` are not
/// reordered, because where the operands are equal their derivative goes to the first.
pub fn commute(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let commutative = [&ops::ADD, &ops::MUL, &ops::EQ, &ops::NE, &ops::AND, &ops::OR];
    let op = commutative.into_iter().find(|op| g.is(id, op))?;
    let (a, b) = binary_of(g, id, op)?;
    (!in_order(g, a, b)).then(|| g.binary(op, b, a))
}

/// `cast(cast(x)) = cast(x)`; a cast only ever widens.
pub fn cast_cast(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let outer = unary_of(g, id, &ops::CAST)?;
    let x = unary_of(g, outer, &ops::CAST)?;
    let Attrs::Cast(elem) = g.node(id).attrs else { return None };
    Some(g.cast(x, elem))
}

/// `select(true, a, b) = a`, `select(false, a, b) = b`, `select(c, a, a) = a`, `select(not c, a, b) = select(c, b, a)`, and
/// a choice on the same condition inside a branch is already made.
pub fn select_known(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let (c, a, b) = select_of(g, id)?;
    if let Some(truth) = g.fill_value(c) {
        return Some(if truth != 0.0 { a } else { b });
    }
    if a == b {
        return Some(a);
    }
    if let Some(opposite) = unary_of(g, c, &ops::NOT) {
        return Some(g.select(opposite, b, a));
    }
    let taken = select_of(g, a).filter(|inner| inner.0 == c).map_or(a, |inner| inner.1);
    let other = select_of(g, b).filter(|inner| inner.0 == c).map_or(b, |inner| inner.2);
    (taken != a || other != b).then(|| g.select(c, taken, other))
}

/// `not not x = x`; `and`, `or` with a constant or with itself.
pub fn logic(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    if let Some(x) = unary_of(g, id, &ops::NOT) {
        return unary_of(g, x, &ops::NOT);
    }
    let is_and = g.is(id, &ops::AND);
    let (a, b) = binary_of(g, id, if is_and { &ops::AND } else { &ops::OR })?;
    if a == b {
        return Some(a);
    }
    let constant = if g.fill_value(a).is_some() { a } else { b };
    let rest = if constant == a { b } else { a };
    let truth = g.fill_value(constant)? != 0.0;
    Some(if truth == is_and { rest } else { constant })
}

/// Linear operators map zeros to zeros (`pad`, `scatter_add`, `cumsum`,
/// `dot`).
pub fn linear_of_zero(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let node = g.node(id);
    let operands = if g.is(id, &ops::DOT) {
        &node.inputs[..]
    } else if [&ops::PAD, &ops::SCATTER_ADD, &ops::CUMSUM].into_iter().any(|op| g.is(id, op)) {
        &node.inputs[..1]
    } else {
        return None;
    };
    let zero = operands.iter().any(|&x| is_fill(g, x, 0.0));
    let ty = node.ty.clone();
    (zero && (is_real(g, id) || !g.is(id, &ops::DOT))).then(|| fill_of(g, 0.0, &ty))
}
