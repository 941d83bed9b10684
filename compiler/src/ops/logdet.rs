//! Logarithms of determinants.

use ndarray::Array2;

use super::axes::spread;
use super::dense::{each, general_samples, lu, square, turn, where_column};
use super::elementwise::operand;
use super::{Curvature, Derivative, Lowering, Operator, Surface};
use crate::ir::graph::Attrs;
use crate::types::{Elem, Type};

/// Logarithms of the absolute values of determinants.
pub static LOGDET: Operator = Operator {
    name: "logdet",
    definition: "logdet(A) = log |det A| of any square matrix; A: batch, n, n to batch; real arrays",
    domain: "regular matrices; NaN if a pivot is zero or not finite",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let shape = square(attrs, types)?.shape;
        Ok(Type::new(Elem::Real, shape[..shape.len() - 2].iter().copied()))
    },
    value: |_, x, ty| {
        each(x, ty, |x| {
            let logs = lu(x[0])?.diag().mapv(|pivot| libm::log(pivot.abs()));
            Some(Array2::from_elem((1, 1), logs.sum()))
        })
    },
    derivative: Derivative::Rule {
        // trace(inv(A) A'), where A' is the tangent.
        jvp: |g, node, tangents| {
            let tangent = tangents[0]?;
            let inverse = g.inv(operand(g, node, 0));
            let inverse = turn(g, inverse);
            let rank = g.shape(inverse).len();
            let terms = g.mul(inverse, tangent);
            Some(g.sum(terms, &[rank - 2, rank - 1]))
        },
        vjp: |g, node, cotangent, _| {
            let inverse = g.inv(operand(g, node, 0));
            let inverse = turn(g, inverse);
            let shape = g.shape(inverse).clone();
            let cotangent = spread(g, cotangent, &shape, &[shape.len() - 2, shape.len() - 1]);
            Some(g.mul(cotangent, inverse))
        },
    },
    curvature: Curvature::Opaque("the log-determinant of a matrix that is not known to be positive definite"),
    lowering: Lowering::Expand(|g, node| {
        let a = operand(g, node, 0);
        let packed = g.apply(&super::LU, Attrs::None, &[a]);
        let shape = g.shape(a).clone();
        let rank = shape.len();
        let factors = g.slice(packed, &vec![0; rank], &shape);
        let diagonal = where_column(g, &super::EQ, &shape);
        let zero = g.zeros_like(factors);
        let pivots = g.select(diagonal, factors, zero);
        let pivots = g.sum(pivots, &[rank - 1]);
        let pivots = g.unary(&super::ABS, pivots);
        let logs = g.unary(&super::LOG, pivots);
        g.sum(logs, &[rank - 2])
    }),
    samples: general_samples,
};
