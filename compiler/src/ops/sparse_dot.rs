//! Products of a sparse matrix with a dense array.

use ndarray::IxDyn;

use super::curvature::{contract, products};
use super::elementwise::{expect_elem, operand, operands, real};
use super::sparse::{list, matrices, moving_places, parameters, parts, visit};
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::bug;
use crate::ir::eval::Array;
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::types::{Elem, Type};

/// A sparse matrix, or its transpose, times a dense array.
pub static SPARSE_DOT: Operator = Operator {
    name: "sparse_dot",
    definition: "sparse_dot(v, c, s, e, b) = A b, or A' b when transposed, for the matrix A of `sparse`; b: columns ++ R, \
                 result: rows ++ R, or the other way round; real",
    domain: "as `sparse`",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [values, columns, start, end, b] = operands(types)?;
        let (width, transposed) = parameters(attrs)?;
        let rows = list(values, columns, start, end)?;
        expect_elem(b, Elem::Real)?;
        let (from, to) = if transposed { (rows, width) } else { (width, rows) };
        if b.rank() == 0 || b.shape[0] != from {
            return Err(format!("the dense operand {b} does not begin with an axis of {from}"));
        }
        Ok(Type::new(Elem::Real, [to].into_iter().chain(b.shape[1..].iter().copied())))
    },
    value: |attrs, x, ty| {
        let transposed = turned(attrs);
        let b: Vec<f64> = x[4].as_standard_layout().iter().copied().collect();
        let width: usize = ty.shape[1..].iter().product();
        let mut out = vec![0.0; ty.len()];
        visit(x[1], x[2], x[3], |row, position, column| {
            let (to, from) = if transposed { (column, row) } else { (row, column) };
            let from = b.get(from * width..(from + 1) * width);
            let to = out.get_mut(to * width..(to + 1) * width);
            if let (Some(to), Some(from)) = (to, from) {
                to.iter_mut().zip(from).for_each(|(to, from)| *to += x[0][position] * from);
            }
        });
        Array::from_shape_vec(IxDyn(&ty.shape), out).unwrap_or_else(|e| bug!("sparse_dot: {e}"))
    },
    derivative: Derivative::Rule {
        jvp: |g, node, tangents| {
            let ([values, columns, start, end], b) = (parts(g, node), operand(g, node, 4));
            let attrs = g.node(node).attrs.clone();
            let of = |g: &mut Graph, values, b| {
                g.apply(&SPARSE_DOT, attrs.clone(), &[values, columns, start, end, b])
            };
            let first = tangents[0].map(|t| of(g, t, b));
            let second = tangents[4].map(|t| of(g, values, t));
            match (first, second) {
                (Some(first), Some(second)) => Some(g.add(first, second)),
                (first, second) => first.or(second),
            }
        },
        vjp: |g, node, cotangent, k| {
            let ([values, columns, start, end], b) = (parts(g, node), operand(g, node, 4));
            let Attrs::Sparse { columns: width, transposed } = g.node(node).attrs else {
                bug!("sparse_dot without its parameters")
            };
            if k == 0 {
                let (rows, others) = if transposed { (b, cotangent) } else { (cotangent, b) };
                return Some(g.apply(
                    &super::SPARSE_OUTER,
                    Attrs::None,
                    &[columns, start, end, rows, others],
                ));
            }
            let attrs = Attrs::Sparse { columns: width, transposed: !transposed };
            Some(g.apply(&SPARSE_DOT, attrs, &[values, columns, start, end, cotangent]))
        },
    },
    curvature: Curvature::Rule(|g, facts, id| {
        if let Some(fact) = moving_places(g, facts, id, &[1, 2, 3]) {
            return fact;
        }
        // An element is a sum of at most as many products as there are nonzeros, for every row that may hold them, and of none
        // in an empty row.
        let (values, b) = (operand(g, id, 0), operand(g, id, 4));
        let most = g.ty(values).len();
        let most = if turned(&g.node(id).attrs) { most.saturating_mul(g.ty(b).len()) } else { most };
        let range = contract::sparse_range(g, facts, id, [0, 4], most);
        products::summed(products::product(facts, id, values, b, range), most)
    }),
    lowering: Lowering::Sparse,
    samples: || {
        let mut samples = Vec::new();
        for matrix in matrices() {
            let rows = matrix[2].0.len();
            for (transposed, from) in [(false, 4), (true, rows)] {
                for rest in [&[][..], &[1], &[3], &[2, 5], &[0]] {
                    let shape: Vec<usize> = [from].iter().chain(rest).copied().collect();
                    let mut inputs = matrix.clone();
                    inputs.push(real(&shape, &[1.1, 0.4, -0.9, 0.3, 2.2, -1.7, 0.8]));
                    samples.push(Sample { attrs: Attrs::Sparse { columns: 4, transposed }, inputs });
                }
            }
        }
        samples
    },
};

/// Whether a product is with the transpose; a fault of blo if the parameters are others.
pub fn turned(attrs: &Attrs) -> bool {
    parameters(attrs).unwrap_or_else(|e| bug!("sparse_dot {e}")).1
}

/// `A b`, or `A' b` when `transposed`, for a node that is [`super::SPARSE`].
pub fn times(g: &mut Graph, a: NodeId, transposed: bool, b: NodeId) -> NodeId {
    let attrs = Attrs::Sparse { columns: g.shape(a)[1], transposed };
    let [values, columns, start, end] = parts(g, a);
    g.apply(&SPARSE_DOT, attrs, &[values, columns, start, end, b])
}
