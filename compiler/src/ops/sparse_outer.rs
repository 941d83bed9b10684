//! Products of two dense matrices, where a sparse one has nonzeros: the adjoint of sparse products by their nonzeros.

use super::curvature::{contract, products};
use super::elementwise::{expect_elem, operand, operands, real};
use super::sparse::{matrices, moving_places, stretches, visit};
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::ir::eval::Array;
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::types::{Elem, Type};

/// The elements of a product of dense matrices at the places of nonzeros.
pub static SPARSE_OUTER: Operator = Operator {
    name: "sparse_outer",
    definition: "sparse_outer(c, s, e, l, r)[p] = the sum, over the rows k with s[k] <= p < e[k], of the inner products of \
                 l[k] and r[c[p]]; c: nonzeros, int; s and e: rows, int; l: rows ++ R; r: columns ++ R; result: nonzeros, real",
    domain: "positions outside c and columns outside r are left out",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        if *attrs != Attrs::None {
            return Err(format!("takes no parameters, not {attrs:?}"));
        }
        let [columns, start, end, l, r] = operands(types)?;
        let rows = stretches(columns, start, end)?;
        expect_elem(l, Elem::Real)?;
        expect_elem(r, Elem::Real)?;
        if l.rank() == 0 || r.rank() == 0 || l.shape[0] != rows || l.shape[1..] != r.shape[1..] {
            return Err(format!("{l} and {r} are not rows and columns of one width"));
        }
        Ok(Type::new(Elem::Real, columns.shape.iter().copied()))
    },
    value: |_, x, ty| {
        let [l, r] = [3, 4].map(|k| x[k].as_standard_layout().iter().copied().collect::<Vec<f64>>());
        let width: usize = x[3].shape()[1..].iter().product();
        let mut out = Array::zeros(ty.shape.as_slice());
        visit(x[0], x[1], x[2], |row, position, column| {
            if let Some(r) = r.get(column * width..(column + 1) * width) {
                let l = &l[row * width..(row + 1) * width];
                out[position] += l.iter().zip(r).map(|(l, r)| l * r).sum::<f64>();
            }
        });
        out
    },
    derivative: Derivative::Rule {
        jvp: |g, node, tangents| {
            let [columns, start, end, l, r] = [0, 1, 2, 3, 4].map(|k| operand(g, node, k));
            let of =
                |g: &mut Graph, l, r| g.apply(&SPARSE_OUTER, Attrs::None, &[columns, start, end, l, r]);
            let first = tangents[3].map(|t| of(g, t, r));
            let second = tangents[4].map(|t| of(g, l, t));
            match (first, second) {
                (Some(first), Some(second)) => Some(g.add(first, second)),
                (first, second) => first.or(second),
            }
        },
        vjp: |g, node, cotangent, k| {
            let [columns, start, end, l, r] = [0, 1, 2, 3, 4].map(|k| operand(g, node, k));
            let (transposed, b) = if k == 3 { (false, r) } else { (true, l) };
            let attrs = Attrs::Sparse { columns: g.shape(r)[0], transposed };
            Some(g.apply(&super::SPARSE_DOT, attrs, &[cotangent, columns, start, end, b]))
        },
    },
    curvature: Curvature::Rule(|g, facts, id| {
        if let Some(fact) = moving_places(g, facts, id, &[0, 1, 2]) {
            return fact;
        }
        let (l, r): (NodeId, NodeId) = (operand(g, id, 3), operand(g, id, 4));
        let most = g.ty(l).len();
        let range = contract::sparse_range(g, facts, id, [3, 4], most);
        products::summed(products::product(facts, id, l, r, range), most)
    }),
    lowering: Lowering::Sparse,
    samples: || {
        let mut samples = Vec::new();
        for matrix in matrices() {
            for rest in [&[][..], &[1], &[3], &[2, 5], &[0]] {
                let shape = |from: usize| [from].iter().chain(rest).copied().collect::<Vec<usize>>();
                let mut inputs = matrix[1..].to_vec();
                inputs.push(real(&shape(inputs[1].0.len()), &[1.1, 0.4, -0.9, 0.3, 2.2, -1.7, 0.8]));
                inputs.push(real(&shape(4), &[0.6, -0.3, 1.9, 0.2, -1.4]));
                samples.push(Sample { attrs: Attrs::None, inputs });
            }
        }
        samples
    },
};
