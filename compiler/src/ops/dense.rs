//! What operators of dense linear algebra share: shape rules for (batches of) matrices, reference factorisations, masks of
//! triangles, and sample points. The last two axes are rows and columns; the axes before them are a batch.

use ndarray::{Array2, Array3, ArrayView2, Ix3};

use super::Sample;
use super::axes::reshaped;
use super::elementwise::{expect_elem, operands, real};
use crate::bug;
use crate::ir::eval::Array;
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::types::{Axes, Elem, Type};

/// Whether a solve is with the transpose; a fault of blo if the parameters are others.
pub fn transposed(attrs: &Attrs) -> bool {
    match attrs {
        Attrs::Transposed(transposed) => *transposed,
        other => bug!("solve with {other:?}"),
    }
}

/// An error unless `x` is a real array whose last two axes have `extra` more rows than columns (0: square).
fn expect_matrix(x: &Type, extra: usize) -> Result<(), String> {
    expect_elem(x, Elem::Real)?;
    match *x.shape {
        [.., rows, cols] if rows == cols + extra => Ok(()),
        _ if extra == 0 => Err(format!("takes square matrices, not {x}")),
        _ => Err(format!("takes packed factors, not {x}")),
    }
}

/// Shape rule: square matrices; gives their type.
pub fn square(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    if *attrs != Attrs::None {
        return Err(format!("takes no parameters, not {attrs:?}"));
    }
    let [x] = operands(types)?;
    expect_matrix(x, 0).map(|()| x.clone())
}

/// Shape rule: matrices with `extra` more rows than columns, and right-hand sides with as many rows as those have columns.
pub fn with_right_side(attrs: &Attrs, types: &[&Type], extra: usize) -> Result<Type, String> {
    let Attrs::Transposed(_) = attrs else { return Err(format!("takes a transposition, not {attrs:?}")) };
    let [a, b] = operands(types)?;
    expect_matrix(a, extra)?;
    expect_elem(b, Elem::Real)?;
    let rank = a.rank();
    let fits = b.rank() == rank
        && a.shape[..rank - 2] == b.shape[..rank - 2]
        && a.shape[rank - 1] == b.shape[rank - 2];
    if fits { Ok(b.clone()) } else { Err(format!("the right-hand side {b} does not fit {a}")) }
}

/// An array of matrices as a batch of them.
fn batch(x: &Array) -> Array3<f64> {
    let rank = x.ndim();
    let sizes = [x.shape()[..rank - 2].iter().product(), x.shape()[rank - 2], x.shape()[rank - 1]];
    let x = reshaped(x.clone(), &sizes);
    x.into_dimensionality::<Ix3>().unwrap_or_else(|e| bug!("batch of matrices: {e}"))
}

/// Computes every element of a batch of results from the matrices of the operands. What `f` cannot compute is NaN.
pub fn each(operands: &[&Array], ty: &Type, f: impl Fn(&[ArrayView2<f64>]) -> Option<Array2<f64>>) -> Array {
    let operands: Vec<Array3<f64>> = operands.iter().map(|x| batch(x)).collect();
    let count = operands[0].shape()[0];
    let cells = ty.len().checked_div(count).unwrap_or(0);
    let mut values = Vec::with_capacity(ty.len());
    for k in 0..count {
        let matrices: Vec<ArrayView2<f64>> =
            operands.iter().map(|x| x.index_axis(ndarray::Axis(0), k)).collect();
        match f(&matrices) {
            Some(result) => values.extend(result.iter().copied()),
            None => values.extend(std::iter::repeat_n(f64::NAN, cells)),
        }
    }
    Array::from_shape_vec(ty.shape.as_slice(), values).unwrap_or_else(|e| bug!("batch of results: {e}"))
}

/// Packed LU factors with partial pivoting: column `j` of the factors in row `j`, then, for every row of the factors, the row
/// of the matrix it comes from. `None` if a pivot is zero or not finite.
pub fn lu(a: ArrayView2<f64>) -> Option<Array2<f64>> {
    let n = a.nrows();
    let mut f = a.to_owned();
    let mut order: Vec<usize> = (0..n).collect();
    for k in 0..n {
        let mut pivot = k;
        for i in k + 1..n {
            if f[[i, k]].abs() > f[[pivot, k]].abs() {
                pivot = i;
            }
        }
        for j in 0..n {
            f.swap([k, j], [pivot, j]);
        }
        order.swap(k, pivot);
        if f[[k, k]] == 0.0 || !f[[k, k]].is_finite() {
            return None;
        }
        for i in k + 1..n {
            f[[i, k]] /= f[[k, k]];
            for j in k + 1..n {
                f[[i, j]] -= f[[i, k]] * f[[k, j]];
            }
        }
    }
    Some(Array2::from_shape_fn((n + 1, n), |(i, j)| if i < n { f[[j, i]] } else { order[j] as f64 }))
}

/// The solution from packed factors; `None` if those are NaN.
pub fn lu_solve(packed: ArrayView2<f64>, b: ArrayView2<f64>, transposed: bool) -> Option<Array2<f64>> {
    let n = packed.ncols();
    let order = packed.row(n);
    if order.iter().any(|x| x.is_nan()) {
        return None;
    }
    let lower = |i: usize, j: usize| if i == j { 1.0 } else { packed[[j, i]] };
    let upper = |i: usize, j: usize| packed[[j, i]];
    if !transposed {
        let mut x = Array2::from_shape_fn(b.dim(), |(i, j)| b[[order[i] as usize, j]]);
        forward(&mut x, lower);
        backward(&mut x, upper);
        return Some(x);
    }
    let mut x = b.to_owned();
    forward(&mut x, |i, j| upper(j, i));
    backward(&mut x, |i, j| lower(j, i));
    let mut result = x.clone();
    for i in 0..n {
        result.row_mut(order[i] as usize).assign(&x.row(i));
    }
    Some(result)
}

/// Solves with a lower triangular matrix, in place.
fn forward(x: &mut Array2<f64>, lower: impl Fn(usize, usize) -> f64) {
    for i in 0..x.nrows() {
        for c in 0..x.ncols() {
            let known: f64 = (0..i).map(|j| lower(i, j) * x[[j, c]]).sum();
            x[[i, c]] = (x[[i, c]] - known) / lower(i, i);
        }
    }
}

/// Solves with an upper triangular matrix, in place.
fn backward(x: &mut Array2<f64>, upper: impl Fn(usize, usize) -> f64) {
    for i in (0..x.nrows()).rev() {
        for c in 0..x.ncols() {
            let known: f64 = (i + 1..x.nrows()).map(|j| upper(i, j) * x[[j, c]]).sum();
            x[[i, c]] = (x[[i, c]] - known) / upper(i, i);
        }
    }
}

/// The solution with a lower triangular matrix or its transpose; `None` if its diagonal has a zero or NaN.
pub fn triangular_solve(l: ArrayView2<f64>, b: ArrayView2<f64>, transposed: bool) -> Option<Array2<f64>> {
    if l.diag().iter().any(|&x| x == 0.0 || x.is_nan()) {
        return None;
    }
    let mut x = b.to_owned();
    if transposed {
        backward(&mut x, |i, j| l[[j, i]])
    } else {
        forward(&mut x, |i, j| l[[i, j]])
    }
    Some(x)
}

/// The lower Cholesky factor, from the lower triangle; `None` if the matrix is not positive definite.
pub fn cholesky(a: ArrayView2<f64>) -> Option<Array2<f64>> {
    let n = a.nrows();
    let mut l = Array2::zeros((n, n));
    for j in 0..n {
        for i in j..n {
            let known: f64 = (0..j).map(|k| l[[i, k]] * l[[j, k]]).sum();
            let rest: f64 = a[[i, j]] - known;
            if i == j && !(rest > 0.0 && rest.is_finite()) {
                return None;
            }
            l[[i, j]] = if i == j { rest.sqrt() } else { rest / l[[j, j]] };
        }
    }
    Some(l)
}

/// The matrix product of (batches of) matrices, either of them transposed.
pub fn product(g: &mut Graph, (a, turn_a): (NodeId, bool), (b, turn_b): (NodeId, bool)) -> NodeId {
    let rank = g.shape(a).len();
    let batch: Vec<(usize, usize)> = (0..rank - 2).map(|k| (k, k)).collect();
    let inner = (if turn_a { rank - 2 } else { rank - 1 }, if turn_b { rank - 1 } else { rank - 2 });
    g.contract(a, b, &batch, &[inner])
}

/// The transposes of matrices.
pub fn turn(g: &mut Graph, x: NodeId) -> NodeId {
    let rank = g.shape(x).len();
    let mut perm: Axes = (0..rank).collect();
    perm.swap(rank - 2, rank - 1);
    g.transpose(x, &perm)
}

/// Where the column compares with the row as `op` says (column first), for matrices of this shape.
pub fn where_column(g: &mut Graph, op: &'static super::Operator, shape: &[usize]) -> NodeId {
    let rank = shape.len();
    let positions = g.iota(shape[rank - 1]);
    let rows = g.broadcast(positions, shape, &[rank - 2]);
    let columns = g.broadcast(positions, shape, &[rank - 1]);
    g.binary(op, columns, rows)
}

/// The lower triangles of matrices, with zeros above.
pub fn lower_triangle(g: &mut Graph, x: NodeId) -> NodeId {
    let shape = g.shape(x).clone();
    let lower = where_column(g, &super::LE, &shape);
    let zero = g.zeros_like(x);
    g.select(lower, x, zero)
}

/// The lower triangles of matrices with half of the diagonals, and zeros above.
pub fn half_triangle(g: &mut Graph, x: NodeId) -> NodeId {
    let shape = g.shape(x).clone();
    let below = where_column(g, &super::LT, &shape);
    let diagonal = where_column(g, &super::EQ, &shape);
    let zero = g.zeros_like(x);
    let half = g.scale(x, 0.5);
    let rest = g.select(diagonal, half, zero);
    g.select(below, x, rest)
}

/// Identity matrices in an array of this shape.
pub fn identity(g: &mut Graph, shape: &[usize]) -> NodeId {
    let same = where_column(g, &super::EQ, shape);
    g.cast(same, Elem::Real)
}

/// A matrix with eigenvalues away from 0 that needs pivoting; `salt` makes different ones.
fn general(n: usize, salt: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, n), |(i, j)| {
        let noise = ((7 * i + 3 * j + i * j + 5 * salt) % 11) as f64 / 11.0 - 0.45;
        let strong = if j == (i + 1) % n { 1.7 } else { 0.0 };
        strong + noise + 0.013 * i as f64 - 0.007 * j as f64
    })
}

/// Operands `A` (and, given a number of columns, `b`) of batches; `make` makes each matrix from its size and number.
fn sample(
    sizes: &[usize],
    n: usize,
    columns: Option<usize>,
    attrs: Attrs,
    make: impl Fn(usize, usize) -> Array2<f64>,
) -> Sample {
    let count: usize = sizes.iter().product();
    let values: Vec<f64> = (0..count).flat_map(|salt| make(n, salt).into_iter()).collect();
    let shape = |last: [usize; 2]| [sizes, last.as_slice()].concat();
    let mut inputs = vec![real(&shape([n, n]), &values)];
    if let Some(columns) = columns {
        let sides = [0.7, -1.3, 0.4, 2.1, -0.6, 1.1, -0.25];
        inputs.push(real(&shape([n, columns]), &sides));
    }
    Sample { attrs, inputs }
}

/// Samples of an operator of one general matrix.
pub fn general_samples() -> Vec<Sample> {
    let of = |sizes: &[usize], n| sample(sizes, n, None, Attrs::None, general);
    vec![of(&[], 1), of(&[], 2), of(&[], 3), of(&[], 5), of(&[2], 3)]
}

/// Samples of an operator of one positive definite matrix.
pub fn definite_samples() -> Vec<Sample> {
    let definite = |n, salt| {
        let b = general(n, salt);
        b.dot(&b.t()) + Array2::<f64>::eye(n)
    };
    let of = |sizes: &[usize], n| sample(sizes, n, None, Attrs::None, definite);
    vec![of(&[], 1), of(&[], 2), of(&[], 3), of(&[], 5), of(&[2], 3)]
}

/// Samples of a solve with matrices that `make` makes from general ones.
pub fn solve_samples(make: fn(Array2<f64>) -> Array2<f64>) -> Vec<Sample> {
    let of = |sizes: &[usize], n, columns, transposed| {
        let attrs = Attrs::Transposed(transposed);
        sample(sizes, n, Some(columns), attrs, |n, salt| make(general(n, salt)))
    };
    vec![
        of(&[], 1, 1, false),
        of(&[], 2, 1, false),
        of(&[], 3, 2, false),
        of(&[], 3, 2, true),
        of(&[], 5, 1, true),
        of(&[2], 3, 2, false),
        of(&[2], 2, 1, true),
    ]
}
