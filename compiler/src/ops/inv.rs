//! Inverse matrices.

use super::dense::{each, general_samples, identity, lu, lu_solve, product, square};
use super::elementwise::operand;
use super::{Curvature, Derivative, Lowering, Operator, Surface};
use crate::ir::graph::Attrs;

/// Inverse matrices.
pub static INV: Operator = Operator {
    name: "inv",
    definition: "inv(A) = the inverse of A; A: batch, n, n; real arrays",
    domain: "regular matrices; NaN everywhere if a pivot is zero or not finite",
    surface: Surface::Hidden,
    shape: square,
    value: |_, x, ty| {
        each(x, ty, |x| {
            let identity = ndarray::Array2::eye(x[0].nrows());
            lu(x[0]).and_then(|f| lu_solve(f.view(), identity.view(), false))
        })
    },
    derivative: Derivative::Rule {
        jvp: |g, node, tangents| {
            let right = product(g, (tangents[0]?, false), (node, false));
            let moved = product(g, (node, false), (right, false));
            Some(g.neg(moved))
        },
        vjp: |g, node, cotangent, _| {
            let right = product(g, (cotangent, false), (node, true));
            let moved = product(g, (node, true), (right, false));
            Some(g.neg(moved))
        },
    },
    curvature: Curvature::Opaque("the inverse of a matrix that varies"),
    lowering: Lowering::Expand(|g, node| {
        let factors = g.apply(&super::LU, Attrs::None, &[operand(g, node, 0)]);
        let shape = g.shape(node).clone();
        let identity = identity(g, &shape);
        g.apply(&super::LU_SOLVE, Attrs::Transposed(false), &[factors, identity])
    }),
    samples: general_samples,
};
