//! Looking at nodes and building small pieces: what the families of rules share.

use smallvec::SmallVec;

use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::ops::{self, Lowering, Operator, Surface};
use crate::types::{Axes, Elem, Type};

/// The operand, if `id` is an application of the unary `op`.
pub fn unary_of(g: &Graph, id: NodeId, op: &'static Operator) -> Option<NodeId> {
    g.is(id, op).then(|| g.node(id).inputs[0])
}

/// The operands, if `id` is an application of the binary `op`.
pub fn binary_of(g: &Graph, id: NodeId, op: &'static Operator) -> Option<(NodeId, NodeId)> {
    g.is(id, op).then(|| (g.node(id).inputs[0], g.node(id).inputs[1]))
}

/// Operand and axis, if `id` is an application of an operator along one axis.
pub fn along(g: &Graph, id: NodeId, op: &'static Operator) -> Option<(NodeId, usize)> {
    match g.node(id).attrs {
        Attrs::Axis(axis) if g.is(id, op) => Some((g.node(id).inputs[0], axis)),
        _ => None,
    }
}

/// Condition and branches, if `id` is a `select`.
pub fn select_of(g: &Graph, id: NodeId) -> Option<(NodeId, NodeId, NodeId)> {
    g.is(id, &ops::SELECT).then(|| (g.node(id).inputs[0], g.node(id).inputs[1], g.node(id).inputs[2]))
}

/// The operands of a commutative `op` with the one that satisfies `wanted` first.
pub fn either_of(
    g: &Graph,
    id: NodeId,
    op: &'static Operator,
    wanted: impl Fn(NodeId) -> bool,
) -> Option<(NodeId, NodeId)> {
    let (a, b) = binary_of(g, id, op)?;
    if wanted(a) {
        Some((a, b))
    } else if wanted(b) {
        Some((b, a))
    } else {
        None
    }
}

/// Whether every entry of `id` is known to be `value`.
pub fn is_fill(g: &Graph, id: NodeId, value: f64) -> bool {
    g.fill_value(id) == Some(value)
}

/// An array of one type, every entry `value`.
pub fn fill_of(g: &mut Graph, value: f64, ty: &Type) -> NodeId {
    let scalar = g.scalar(value, ty.elem);
    g.broadcast_scalar(scalar, &ty.shape)
}

/// An array of the type of `like`, every entry `value`.
pub fn fill_like(g: &mut Graph, value: f64, like: NodeId) -> NodeId {
    let ty = g.ty(like).clone();
    fill_of(g, value, &ty)
}

/// `value * x` with the constant in its canonical place, for any number type.
pub fn scaled(g: &mut Graph, value: f64, x: NodeId) -> NodeId {
    if value == 1.0 {
        x
    } else if value == -1.0 {
        g.neg(x)
    } else {
        let factor = fill_like(g, value, x);
        g.mul(factor, x)
    }
}

/// `(c, y)` with `x = c * y`; the constant is 1 if none stands outermost.
pub fn coefficient(g: &Graph, x: NodeId) -> (f64, NodeId) {
    if let Some(y) = unary_of(g, x, &ops::NEG) {
        return (-1.0, y);
    }
    let factors = either_of(g, x, &ops::MUL, |a| g.fill_value(a).is_some());
    match factors.and_then(|(c, y)| Some((g.fill_value(c)?, y))) {
        Some(found) => found,
        None => (1.0, x),
    }
}

/// Whether `id` holds reals.
pub fn is_real(g: &Graph, id: NodeId) -> bool {
    g.ty(id).elem == Elem::Real
}

/// Whether an operator works element by element on operands of one shape.
pub fn is_elementwise(op: &Operator) -> bool {
    match op.lowering {
        Lowering::Instruction(_) | Lowering::Kernel(_) => true,
        Lowering::Expand(_) => matches!(op.surface, Surface::Elementwise(_)),
        _ => false,
    }
}

/// The operand and the map, if `id` is a broadcast.
pub fn broadcast_of(g: &Graph, id: NodeId) -> Option<(NodeId, Axes)> {
    match &g.node(id).attrs {
        Attrs::Broadcast { map, .. } => Some((g.node(id).inputs[0], map.clone())),
        _ => None,
    }
}

/// The operand and the permutation, if `id` is a transpose.
pub fn transpose_of(g: &Graph, id: NodeId) -> Option<(NodeId, Axes)> {
    match &g.node(id).attrs {
        Attrs::Permutation(perm) => Some((g.node(id).inputs[0], perm.clone())),
        _ => None,
    }
}

/// The same operator and parameters on other operands.
pub fn with_inputs(g: &mut Graph, id: NodeId, inputs: &[NodeId]) -> NodeId {
    let op = g.node(id).op.0;
    let attrs = g.node(id).attrs.clone();
    g.apply(op, attrs, inputs)
}

/// The operands.
pub fn inputs(g: &Graph, id: NodeId) -> SmallVec<[NodeId; 3]> {
    g.node(id).inputs.clone()
}

/// The product with the operands in canonical order.
pub fn product(g: &mut Graph, a: NodeId, b: NodeId) -> NodeId {
    let (a, b) = if in_order(g, a, b) { (a, b) } else { (b, a) };
    g.mul(a, b)
}

/// Whether two operands of a commutative operator are in canonical order: constants first, then by age.
pub fn in_order(g: &Graph, a: NodeId, b: NodeId) -> bool {
    let rank = |x: NodeId| (g.fill_value(x).is_none(), x);
    rank(a) <= rank(b)
}
