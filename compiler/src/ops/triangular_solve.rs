//! Linear systems with triangular matrices.

use super::curvature::combine;
use super::dense::{
    each, lower_triangle, product, solve_samples, transposed, triangular_solve, with_right_side,
};
use super::elementwise::operand;
use super::{Curvature, Derivative, Lowering, Operator, Surface};
use blo_runtime::program::spec::Dense;

/// Linear systems with lower triangular matrices or their transposes.
pub static TRIANGULAR_SOLVE: Operator = Operator {
    name: "triangular_solve",
    definition: "triangular_solve(L, b) = the x with L x = b, or L' x = b when transposed, where what L holds above its diagonal \
                 counts as zero; L: batch, n, n; b and x: batch, n, k; real arrays",
    domain: "diagonals without zeros; NaN everywhere otherwise",
    surface: Surface::Hidden,
    shape: |attrs, types| with_right_side(attrs, types, 0),
    value: |attrs, x, ty| each(x, ty, |x| triangular_solve(x[0], x[1], transposed(attrs))),
    derivative: Derivative::Rule {
        jvp: |g, node, tangents| {
            let turned = transposed(&g.node(node).attrs);
            let l = operand(g, node, 0);
            let moved = tangents[0].map(|t| {
                let t = lower_triangle(g, t);
                product(g, (t, turned), (node, false))
            });
            let side = match (tangents[1], moved) {
                (Some(b), Some(moved)) => g.sub(b, moved),
                (None, Some(moved)) => g.neg(moved),
                (b, None) => b?,
            };
            Some(g.triangular_solve(l, side, turned))
        },
        vjp: |g, node, cotangent, k| {
            let turned = transposed(&g.node(node).attrs);
            let l = operand(g, node, 0);
            let side = g.triangular_solve(l, cotangent, !turned);
            if k == 1 {
                return Some(side);
            }
            let outer = if turned {
                product(g, (node, false), (side, true))
            } else {
                product(g, (side, false), (node, true))
            };
            let outer = lower_triangle(g, outer);
            Some(g.neg(outer))
        },
    },
    curvature: Curvature::Rule(combine::linear_system),
    lowering: Lowering::Dense(Dense::TriangularSolve),
    samples: || {
        // Strong entries of the general matrices stand on a shifted diagonal.
        solve_samples(|a| {
            let n = a.nrows();
            ndarray::Array2::from_shape_fn((n, n), |(i, j)| a[[i, (j + 1) % n]])
        })
    },
};
