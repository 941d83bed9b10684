//! Sparse matrices as operands. A matrix is four arrays: its nonzeros, the column of each, and the first and one past the
//! last nonzero of every row. So rows are selected by selecting starts and ends, and nonzeros are never copied.

use ndarray::IxDyn;

use super::elementwise::{expect_elem, int, operand, operands, real};
use super::curvature::range::Range;
use super::curvature::{Bend, Fact, Facts};
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::bug;
use crate::ir::eval::Array;
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::types::{Elem, Type};

/// A sparse matrix as an array. It stands in graphs until products with it are found; computed as it is only where it is
/// small, by tests and by `dense`.
pub static SPARSE: Operator = Operator {
    name: "sparse",
    definition: "sparse(v, c, s, e) = the matrix whose row r holds v[p] in column c[p] for s[r] <= p < e[r], and zeros; \
                 v: nonzeros, real; c: nonzeros, int; s and e: rows, int; the number of columns is a parameter",
    domain: "no row names a column twice; positions outside v and columns outside the matrix are left out",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [values, columns, start, end] = operands(types)?;
        let (width, _) = parameters(attrs)?;
        let rows = list(values, columns, start, end)?;
        Ok(Type::new(Elem::Real, [rows, width]))
    },
    value: |_, x, ty| {
        let width = ty.shape[1];
        let mut out = vec![0.0; ty.len()];
        visit(x[1], x[2], x[3], |row, position, column| {
            if column < width {
                out[row * width + column] += x[0][position];
            }
        });
        Array::from_shape_vec(IxDyn(&ty.shape), out).unwrap_or_else(|e| bug!("sparse: {e}"))
    },
    derivative: Derivative::Linear(|g, node, cotangent, _| {
        // The elements of C where the matrix has nonzeros: those of C I'.
        let unit = identity(g, node);
        let [_, columns, start, end] = parts(g, node);
        g.apply(&super::SPARSE_OUTER, Attrs::None, &[columns, start, end, cotangent, unit])
    }),
    curvature: Curvature::Rule(|g, facts, id| {
        if let Some(fact) = moving_places(g, facts, id, &[1, 2, 3]) {
            return fact;
        }
        // Every element is a nonzero, or 0; with places that are not known, several may fall on one.
        let known = [1, 2, 3].iter().all(|&k| facts.of(operand(g, id, k)).range.is_known());
        let most = if known { 1 } else { g.ty(operand(g, id, 0)).len() };
        let values = facts.of(operand(g, id, 0)).clone();
        Fact { range: Range::uniform(values.range.hull().repeated(0, most)), log: Bend::Unknown, ..values }
    }),
    lowering: Lowering::Expand(|g, node| {
        let unit = identity(g, node);
        let [values, columns, start, end] = parts(g, node);
        let attrs = g.node(node).attrs.clone();
        g.apply(&super::SPARSE_DOT, attrs, &[values, columns, start, end, unit])
    }),
    samples: || {
        matrices().map(|inputs| Sample { attrs: Attrs::Sparse { columns: 4, transposed: false }, inputs }).into()
    },
};

/// The columns of the matrix, and whether a product is with its transpose.
pub fn parameters(attrs: &Attrs) -> Result<(usize, bool), String> {
    match *attrs {
        Attrs::Sparse { columns, transposed } => Ok((columns, transposed)),
        ref other => Err(format!("takes a number of columns, not {other:?}")),
    }
}

/// Shape rule of the four arrays; gives the number of rows.
pub fn list(values: &Type, columns: &Type, start: &Type, end: &Type) -> Result<usize, String> {
    expect_elem(values, Elem::Real)?;
    if values.rank() != 1 || columns.shape != values.shape {
        return Err(format!("values {values} and columns {columns} are not two lists of one length"));
    }
    stretches(columns, start, end)
}

/// Shape rule of columns, starts and ends; gives the number of rows.
pub fn stretches(columns: &Type, start: &Type, end: &Type) -> Result<usize, String> {
    [columns, start, end].into_iter().try_for_each(|x| expect_elem(x, Elem::Int))?;
    if columns.rank() != 1 || start.rank() != 1 || start != end {
        return Err(format!("columns {columns}, starts {start} and ends {end} are not lists that fit"));
    }
    Ok(start.shape[0])
}

/// Calls `visit` with row, position and column of every nonzero, row by row.
pub fn visit(columns: &Array, start: &Array, end: &Array, mut visit: impl FnMut(usize, usize, usize)) {
    for (row, (&start, &end)) in start.iter().zip(end).enumerate() {
        // The conversions saturate at 0.
        for position in start as usize..(end as usize).min(columns.len()) {
            if columns[position] >= 0.0 {
                visit(row, position, columns[position] as usize);
            }
        }
    }
}

/// What is known of a node if one of the operands that hold places varies: nothing.
pub fn moving_places(g: &Graph, facts: &Facts, id: NodeId, places: &[usize]) -> Option<Fact> {
    let moves = places.iter().any(|&k| !facts.of(operand(g, id, k)).is_constant());
    moves.then(|| Fact::unknown(id, "the places of nonzeros depend on the variables", Range::all()))
}

/// Values, columns, starts and ends of a node that has them as its first operands.
pub fn parts(g: &Graph, node: NodeId) -> [NodeId; 4] {
    [0, 1, 2, 3].map(|k| operand(g, node, k))
}

/// The identity with as many rows as the matrix has columns.
fn identity(g: &mut Graph, node: NodeId) -> NodeId {
    let columns = g.shape(node)[1];
    super::dense::identity(g, &[columns, columns])
}

/// Matrices with 4 columns for samples: with an empty row, without nonzeros, and repeated rows of one.
pub fn matrices() -> [Vec<(Type, Array)>; 3] {
    let matrix = |nonzeros: usize, start: &[f64], end: &[f64]| {
        vec![
            real(&[nonzeros], &[0.5, -1.0, 2.0, 3.5, 0.1, 0.7, -0.2]),
            int(&[nonzeros], &[0.0, 2.0, 3.0, 1.0, 2.0, 3.0]),
            int(&[start.len()], start),
            int(&[end.len()], end),
        ]
    };
    [
        matrix(6, &[0.0, 3.0, 3.0], &[3.0, 3.0, 6.0]),
        matrix(0, &[0.0, 0.0], &[0.0, 0.0]),
        matrix(6, &[4.0, 0.0, 4.0, 1.0], &[6.0, 2.0, 6.0, 3.0]),
    ]
}
