//! Building graphs: one method per operator. Shapes must fit exactly (the checker has inserted every broadcast and cast);
//! a misfit is a bug in blo and stops the program. Nothing is simplified here except applications that do nothing at all,
//! which return their operand.

use smallvec::SmallVec;

use crate::ir::graph::{Attrs, DotAxes, Graph, NodeId};
use crate::ops::{self, Operator};
use crate::types::{Axes, Elem};

/// Scalars, arrays of one value, and elementwise operators.
impl Graph {
    /// A real scalar.
    pub fn constant(&mut self, value: f64) -> NodeId {
        self.scalar(value, Elem::Real)
    }

    /// An int scalar.
    pub fn int(&mut self, value: i64) -> NodeId {
        self.scalar(value as f64, Elem::Int)
    }

    /// A truth value.
    pub fn boolean(&mut self, value: bool) -> NodeId {
        self.scalar(if value { 1.0 } else { 0.0 }, Elem::Bool)
    }

    /// A scalar of any element type, its value as a number.
    pub fn scalar(&mut self, value: f64, elem: Elem) -> NodeId {
        self.apply(&ops::CONSTANT, Attrs::Constant { bits: value.to_bits(), elem }, &[])
    }

    /// The int array `0, 1, ..., len - 1`.
    pub fn iota(&mut self, len: usize) -> NodeId {
        self.apply(&ops::IOTA, Attrs::Iota { len }, &[])
    }

    /// A real array with every entry `value`.
    pub fn fill(&mut self, value: f64, shape: &[usize]) -> NodeId {
        let scalar = self.constant(value);
        self.broadcast_scalar(scalar, shape)
    }

    /// An int array with every entry `value`.
    pub fn fill_int(&mut self, value: i64, shape: &[usize]) -> NodeId {
        let scalar = self.int(value);
        self.broadcast_scalar(scalar, shape)
    }

    /// Zeros with the type of `x`.
    pub fn zeros_like(&mut self, x: NodeId) -> NodeId {
        let ty = self.ty(x).clone();
        let scalar = self.scalar(0.0, ty.elem);
        self.broadcast_scalar(scalar, &ty.shape)
    }

    /// The value that every entry of a node has, if the node is a constant or a broadcast of one.
    pub fn fill_value(&self, x: NodeId) -> Option<f64> {
        let node = self.node(if self.is(x, &ops::BROADCAST) { self.node(x).inputs[0] } else { x });
        match node.attrs {
            Attrs::Constant { bits, .. } => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// An operator with one operand and no parameters.
    pub fn unary(&mut self, op: &'static Operator, x: NodeId) -> NodeId {
        self.apply(op, Attrs::None, &[x])
    }

    /// An operator with two operands (of equal shape) and no parameters.
    pub fn binary(&mut self, op: &'static Operator, a: NodeId, b: NodeId) -> NodeId {
        self.apply(op, Attrs::None, &[a, b])
    }

    /// `a + b`, of equal types.
    pub fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(&ops::ADD, a, b)
    }

    /// `a - b`, of equal types.
    pub fn sub(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(&ops::SUB, a, b)
    }

    /// `a * b`, of equal types.
    pub fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(&ops::MUL, a, b)
    }

    /// `a / b`, real, of equal shapes.
    pub fn div(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(&ops::DIV, a, b)
    }

    /// `a^b`, real, of equal shapes.
    pub fn pow(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(&ops::POW, a, b)
    }

    /// The smaller of `a` and `b`, of equal types.
    pub fn min(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(&ops::MIN, a, b)
    }

    /// The larger of `a` and `b`, of equal types.
    pub fn max(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(&ops::MAX, a, b)
    }

    /// `-x`.
    pub fn neg(&mut self, x: NodeId) -> NodeId {
        self.unary(&ops::NEG, x)
    }

    /// `1 / x`, real.
    pub fn reciprocal(&mut self, x: NodeId) -> NodeId {
        let shape = self.shape(x).clone();
        let one = self.fill(1.0, &shape);
        self.div(one, x)
    }

    /// `factor * x`, real.
    pub fn scale(&mut self, x: NodeId, factor: f64) -> NodeId {
        let shape = self.shape(x).clone();
        let factor = self.fill(factor, &shape);
        self.mul(factor, x)
    }

    /// Both of two truth arrays.
    pub fn and(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(&ops::AND, a, b)
    }

    /// Either of two truth arrays.
    pub fn or(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(&ops::OR, a, b)
    }

    /// The opposite truth array.
    pub fn not(&mut self, x: NodeId) -> NodeId {
        self.unary(&ops::NOT, x)
    }

    /// `a` where `condition`, `b` elsewhere; all of one shape.
    pub fn select(&mut self, condition: NodeId, a: NodeId, b: NodeId) -> NodeId {
        self.apply(&ops::SELECT, Attrs::None, &[condition, a, b])
    }

    /// `x` as an array of `elem`, which must not be narrower.
    pub fn cast(&mut self, x: NodeId, elem: Elem) -> NodeId {
        if self.ty(x).elem == elem { x } else { self.apply(&ops::CAST, Attrs::Cast(elem), &[x]) }
    }

    /// `x`, constant in derivatives; real.
    pub fn stop_gradient(&mut self, x: NodeId) -> NodeId {
        self.unary(&ops::STOP_GRADIENT, x)
    }
}

/// Rearrangements.
impl Graph {
    /// Operand axis `k` becomes axis `map[k]` (ascending) of the result with sizes `shape`; other axes repeat.
    pub fn broadcast(&mut self, x: NodeId, shape: &[usize], map: &[usize]) -> NodeId {
        if self.shape(x).as_slice() == shape && map.len() == shape.len() {
            return x;
        }
        self.apply(&ops::BROADCAST, Attrs::Broadcast { shape: shape.into(), map: map.into() }, &[x])
    }

    /// A scalar repeated to `shape`.
    pub fn broadcast_scalar(&mut self, x: NodeId, shape: &[usize]) -> NodeId {
        self.broadcast(x, shape, &[])
    }

    /// Result axis `k` is operand axis `perm[k]`.
    pub fn transpose(&mut self, x: NodeId, perm: &[usize]) -> NodeId {
        if perm.iter().enumerate().all(|(k, &axis)| k == axis) && perm.len() == self.shape(x).len() {
            return x;
        }
        self.apply(&ops::TRANSPOSE, Attrs::Permutation(perm.into()), &[x])
    }

    /// The elements in row-major order under other sizes.
    pub fn reshape(&mut self, x: NodeId, shape: &[usize]) -> NodeId {
        if self.shape(x).as_slice() == shape {
            return x;
        }
        self.apply(&ops::RESHAPE, Attrs::Shape(shape.into()), &[x])
    }

    /// Positions `start[k]..end[k]` of every axis.
    pub fn slice(&mut self, x: NodeId, start: &[usize], end: &[usize]) -> NodeId {
        if self.shape(x).as_slice() == end && start.len() == end.len() && start.iter().all(|&s| s == 0) {
            return x;
        }
        self.apply(&ops::SLICE, Attrs::Slice { start: start.into(), end: end.into() }, &[x])
    }

    /// Zeros before and after every axis.
    pub fn pad(&mut self, x: NodeId, before: &[usize], after: &[usize]) -> NodeId {
        let rank = self.shape(x).len();
        if before.len() == rank && after.len() == rank && before.iter().chain(after).all(|&n| n == 0) {
            return x;
        }
        self.apply(&ops::PAD, Attrs::Pad { before: before.into(), after: after.into() }, &[x])
    }

    /// The parts one behind the other along `axis`; at least one part.
    pub fn concat(&mut self, parts: &[NodeId], axis: usize) -> NodeId {
        match *parts {
            [only] if axis < self.shape(only).len() => only,
            _ => self.apply(&ops::CONCAT, Attrs::Axis(axis), parts),
        }
    }

    /// `x` (`B ++ [K] ++ R`) at int positions `index` (`B ++ I`): `B ++ I ++ R`; `B` is the first `batch` axes.
    pub fn gather(&mut self, x: NodeId, index: NodeId, batch: usize) -> NodeId {
        self.apply(&ops::GATHER, Attrs::Gather { batch }, &[x, index])
    }

    /// Sums of `updates` (`B ++ I ++ R`) by int positions `index` (`B ++ I`): `B ++ [size] ++ R`.
    pub fn scatter_add(&mut self, updates: NodeId, index: NodeId, batch: usize, size: usize) -> NodeId {
        self.apply(&ops::SCATTER_ADD, Attrs::Scatter { batch, size }, &[updates, index])
    }
}

/// Reductions, operators along an axis, contractions.
impl Graph {
    fn reduce(&mut self, op: &'static Operator, x: NodeId, axes: &[usize]) -> NodeId {
        if axes.is_empty() {
            return x;
        }
        let mut axes: Axes = axes.into();
        axes.sort_unstable();
        self.apply(op, Attrs::Axes(axes), &[x])
    }

    /// Sum over `axes` (in any order).
    pub fn sum(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        self.reduce(&ops::SUM, x, axes)
    }

    /// Sum over all axes.
    pub fn sum_all(&mut self, x: NodeId) -> NodeId {
        let axes: Axes = (0..self.shape(x).len()).collect();
        self.sum(x, &axes)
    }

    /// Product over `axes` (in any order).
    pub fn prod(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        self.reduce(&ops::PROD, x, axes)
    }

    /// The largest element over `axes` (in any order).
    pub fn max_over(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        self.reduce(&ops::MAX_OVER, x, axes)
    }

    /// The smallest element over `axes` (in any order).
    pub fn min_over(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        self.reduce(&ops::MIN_OVER, x, axes)
    }

    /// The position of the largest element along `axis`; int.
    pub fn argmax(&mut self, x: NodeId, axis: usize) -> NodeId {
        self.apply(&ops::ARGMAX, Attrs::Axis(axis), &[x])
    }

    /// The position of the smallest element along `axis`; int.
    pub fn argmin(&mut self, x: NodeId, axis: usize) -> NodeId {
        self.apply(&ops::ARGMIN, Attrs::Axis(axis), &[x])
    }

    /// The positions that sort `x` along `axis`; int.
    pub fn argsort(&mut self, x: NodeId, axis: usize) -> NodeId {
        self.apply(&ops::ARGSORT, Attrs::Axis(axis), &[x])
    }

    /// Softmax along `axis`.
    pub fn softmax(&mut self, x: NodeId, axis: usize) -> NodeId {
        self.apply(&ops::SOFTMAX, Attrs::Axis(axis), &[x])
    }

    /// The logarithm of softmax along `axis`.
    pub fn log_softmax(&mut self, x: NodeId, axis: usize) -> NodeId {
        self.apply(&ops::LOG_SOFTMAX, Attrs::Axis(axis), &[x])
    }

    /// The logarithm of the sum of exponentials along `axis`, which disappears.
    pub fn logsumexp(&mut self, x: NodeId, axis: usize) -> NodeId {
        self.apply(&ops::LOGSUMEXP, Attrs::Axis(axis), &[x])
    }

    /// Running sum along `axis`, from the end when `reverse`.
    pub fn cumsum(&mut self, x: NodeId, axis: usize, reverse: bool) -> NodeId {
        self.apply(&ops::CUMSUM, Attrs::Scan { axis, reverse }, &[x])
    }

    /// Contraction over paired axes.
    pub fn dot(&mut self, a: NodeId, b: NodeId, axes: DotAxes) -> NodeId {
        self.apply(&ops::DOT, Attrs::Dot(Box::new(axes)), &[a, b])
    }

    /// [`Graph::dot`] with the pairs as slices.
    pub fn contract(
        &mut self,
        a: NodeId,
        b: NodeId,
        batch: &[(usize, usize)],
        contract: &[(usize, usize)],
    ) -> NodeId {
        self.dot(
            a,
            b,
            DotAxes { batch: SmallVec::from_slice(batch), contract: SmallVec::from_slice(contract) },
        )
    }
}

/// Dense linear algebra; the last two axes are rows and columns, those before them a batch.
impl Graph {
    /// The `x` with `a x = b`, or `a' x = b` when `transposed`; `b` is a matrix (or a batch of them).
    pub fn solve(&mut self, a: NodeId, b: NodeId, transposed: bool) -> NodeId {
        self.apply(&ops::SOLVE, Attrs::Transposed(transposed), &[a, b])
    }

    /// The inverse.
    pub fn inv(&mut self, a: NodeId) -> NodeId {
        self.unary(&ops::INV, a)
    }

    /// [`Graph::solve`] with a lower triangular matrix; what it holds above the diagonal is not read.
    pub fn triangular_solve(&mut self, l: NodeId, b: NodeId, transposed: bool) -> NodeId {
        self.apply(&ops::TRIANGULAR_SOLVE, Attrs::Transposed(transposed), &[l, b])
    }
}
