//! Linear systems.

use super::curvature::combine;
use super::dense::{each, lu, lu_solve, product, solve_samples, transposed, with_right_side};
use super::elementwise::operand;
use super::{Curvature, Derivative, Lowering, Operator, Surface};
use crate::ir::graph::Attrs;

/// Linear systems.
pub static SOLVE: Operator = Operator {
    name: "solve",
    definition: "solve(A, b) = the x with A x = b, or A' x = b when transposed; A: batch, n, n; b and x: batch, n, k; real",
    domain: "regular matrices; NaN everywhere if a pivot is zero or not finite",
    surface: Surface::Hidden,
    shape: |attrs, types| with_right_side(attrs, types, 0),
    value: |attrs, x, ty| each(x, ty, |x| lu(x[0]).and_then(|f| lu_solve(f.view(), x[1], transposed(attrs)))),
    derivative: Derivative::Rule {
        // From A x = b: A x' = b' - A' x, where A' is the tangent.
        jvp: |g, node, tangents| {
            let turned = transposed(&g.node(node).attrs);
            let a = operand(g, node, 0);
            let moved = tangents[0].map(|t| product(g, (t, turned), (node, false)));
            let side = match (tangents[1], moved) {
                (Some(b), Some(moved)) => g.sub(b, moved),
                (None, Some(moved)) => g.neg(moved),
                (b, None) => b?,
            };
            Some(g.solve(a, side, turned))
        },
        vjp: |g, node, cotangent, k| {
            let turned = transposed(&g.node(node).attrs);
            let a = operand(g, node, 0);
            let side = g.solve(a, cotangent, !turned);
            if k == 1 {
                return Some(side);
            }
            let outer = if turned {
                product(g, (node, false), (side, true))
            } else {
                product(g, (side, false), (node, true))
            };
            Some(g.neg(outer))
        },
    },
    curvature: Curvature::Rule(combine::linear_system),
    lowering: Lowering::Expand(|g, node| {
        let factors = g.apply(&super::LU, Attrs::None, &[operand(g, node, 0)]);
        let (attrs, b) = (g.node(node).attrs.clone(), operand(g, node, 1));
        g.apply(&super::LU_SOLVE, attrs, &[factors, b])
    }),
    samples: || solve_samples(|a| a),
};
