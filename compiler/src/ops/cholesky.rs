//! Cholesky factors of matrices. The derivatives are those of Iain Murray, "Differentiation of the Cholesky decomposition"
//! (arXiv 1602.07527), with triangular solves.

use super::dense::{cholesky, definite_samples, each, half_triangle, lower_triangle, product, square, turn};
use super::{Curvature, Derivative, Lowering, Operator, Surface};
use blo_runtime::program::spec::Dense;

/// Lower Cholesky factors.
pub static CHOLESKY: Operator = Operator {
    name: "cholesky",
    definition: "cholesky(A) = the lower triangular L with positive diagonal and L L' = A; A is symmetric, and only its lower \
                 triangle is read; A and L: batch, n, n; real arrays",
    domain: "positive definite matrices; NaN everywhere for others",
    surface: Surface::Hidden,
    shape: square,
    value: |_, x, ty| each(x, ty, |x| cholesky(x[0])),
    derivative: Derivative::Rule {
        // L' = L half(inv(L) S inv(L)'), where S is the tangent of the symmetric matrix that the lower triangle stands for.
        jvp: |g, node, tangents| {
            let half = half_triangle(g, tangents[0]?);
            let turned = turn(g, half);
            let symmetric = g.add(half, turned);
            let left = g.triangular_solve(node, symmetric, false);
            let left = turn(g, left);
            let both = g.triangular_solve(node, left, false);
            let half = half_triangle(g, both);
            let lower = lower_triangle(g, node);
            Some(product(g, (lower, false), (half, false)))
        },
        // The transpose: half(M + M') with M = inv(L)' half(L' cotangent) inv(L).
        vjp: |g, node, cotangent, _| {
            let weighted = product(g, (node, true), (cotangent, false));
            let half = half_triangle(g, weighted);
            let half = turn(g, half);
            let right = g.triangular_solve(node, half, true);
            let right = turn(g, right);
            let both = g.triangular_solve(node, right, true);
            let turned = turn(g, both);
            let symmetric = g.add(both, turned);
            Some(half_triangle(g, symmetric))
        },
    },
    curvature: Curvature::Opaque("the factor of a matrix that varies"),
    lowering: Lowering::Dense(Dense::Cholesky),
    samples: definite_samples,
};
