//! What operators along axes share: shape rules, folds over rows, and sample points.

use ndarray::{Array2, ArrayView1, ArrayViewMut1, Axis, IxDyn};

use super::Sample;
use super::curvature::interval::Interval;
use super::elementwise::{expect_elem, expect_number, operands, real};
use crate::bug;
use crate::ir::eval::Array;
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::types::{Axes, Elem, Shape, Type};

/// The axes of a reduction; a fault of blo if the parameters are others.
pub fn reduced_axes(attrs: &Attrs) -> &Axes {
    match attrs {
        Attrs::Axes(axes) => axes,
        other => bug!("reduction with {other:?}"),
    }
}

/// The axis of an operator along one axis; a fault of blo if the parameters are others.
pub fn along_axis(attrs: &Attrs) -> usize {
    match attrs {
        Attrs::Axis(axis) => *axis,
        other => bug!("operator along an axis with {other:?}"),
    }
}

/// How many elements a reduction folds to one.
pub fn reduced_length(g: &Graph, id: NodeId) -> usize {
    let operand = g.shape(g.node(id).inputs[0]);
    reduced_axes(&g.node(id).attrs).iter().map(|&axis| operand[axis]).product()
}

/// Where the result of an operator that finds a position lies.
pub fn position_bounds(g: &Graph, id: NodeId, _: &[Interval]) -> Interval {
    let length = g.shape(g.node(id).inputs[0])[along_axis(&g.node(id).attrs)];
    Interval { lo: 0.0, hi: length.saturating_sub(1) as f64 }
}

/// `shape` without `axes`.
pub fn without(shape: &[usize], axes: &[usize]) -> Shape {
    shape.iter().enumerate().filter(|(k, _)| !axes.contains(k)).map(|(_, &n)| n).collect()
}

/// The axes of an array of `rank` axes that are not in `axes`, ascending.
pub fn kept(rank: usize, axes: &[usize]) -> Axes {
    (0..rank).filter(|k| !axes.contains(k)).collect()
}

fn check_axes<'a>(attrs: &'a Attrs, x: &Type) -> Result<&'a Axes, String> {
    let Attrs::Axes(axes) = attrs else { return Err(format!("takes axes, not {attrs:?}")) };
    if axes.is_empty() || !axes.is_sorted_by(|a, b| a < b) {
        return Err(format!("axes {axes:?} are not one or more in ascending order"));
    }
    match axes.iter().find(|&&axis| axis >= x.rank()) {
        Some(axis) => Err(format!("{x} has no axis {axis}")),
        None => Ok(axes),
    }
}

/// Checks an axis against a type with such an axis.
pub fn check_axis(axis: usize, x: &Type) -> Result<(), String> {
    if axis < x.rank() { Ok(()) } else { Err(format!("{x} has no axis {axis}")) }
}

/// Shape rule: reduction of numbers over axes.
pub fn reduction(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    let [x] = operands(types)?;
    expect_number(x)?;
    let axes = check_axes(attrs, x)?;
    Ok(Type { elem: x.elem, shape: without(&x.shape, axes) })
}

/// Shape rule: the position of an element of a number array along an axis that is not empty.
pub fn position(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    let [x] = operands(types)?;
    expect_number(x)?;
    let axis = expect_axis(attrs, x)?;
    if x.shape[axis] == 0 {
        return Err(format!("axis {axis} of {x} is empty"));
    }
    Ok(Type { elem: Elem::Int, shape: without(&x.shape, &[axis]) })
}

/// Shape rule: along an axis of a real array; the axis stays.
pub fn along(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    let [x] = operands(types)?;
    expect_elem(x, Elem::Real)?;
    expect_axis(attrs, x)?;
    Ok(x.clone())
}

/// Shape rule: along an axis of a real array; the axis disappears.
pub fn along_reduced(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    let [x] = operands(types)?;
    expect_elem(x, Elem::Real)?;
    let axis = expect_axis(attrs, x)?;
    Ok(Type { elem: Elem::Real, shape: without(&x.shape, &[axis]) })
}

fn expect_axis(attrs: &Attrs, x: &Type) -> Result<usize, String> {
    let Attrs::Axis(axis) = *attrs else { return Err(format!("takes an axis, not {attrs:?}")) };
    check_axis(axis, x)?;
    Ok(axis)
}

/// The elements with the axes in another order, row-major: result axis `k` is `perm[k]`.
pub fn permuted(x: &Array, perm: &[usize]) -> Array {
    x.view().permuted_axes(IxDyn(perm)).as_standard_layout().into_owned()
}

/// The elements in row-major order under other sizes.
pub fn reshaped(x: Array, shape: &[usize]) -> Array {
    let x = if x.is_standard_layout() { x } else { x.as_standard_layout().into_owned() };
    x.into_shape_with_order(IxDyn(shape)).unwrap_or_else(|e| bug!("reshape to {shape:?}: {e}"))
}

/// Folds the elements along `axes` (together, in row-major order) to one number each.
pub fn fold_rows(x: &Array, axes: &[usize], fold: impl Fn(ArrayView1<f64>) -> f64) -> Array {
    let shape = without(x.shape(), axes);
    let mut perm = kept(x.ndim(), axes);
    perm.extend_from_slice(axes);
    let count: usize = shape.iter().product();
    let length: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
    let (values, offset) = permuted(x, &perm).into_raw_vec_and_offset();
    if offset.is_some_and(|start| start != 0) {
        bug!("a fresh array that does not start at its first element");
    }
    let rows =
        Array2::from_shape_vec((count, length), values).unwrap_or_else(|e| bug!("rows of {perm:?}: {e}"));
    let folded: Vec<f64> = rows.rows().into_iter().map(fold).collect();
    Array::from_shape_vec(IxDyn(&shape), folded).unwrap_or_else(|e| bug!("fold to {shape:?}: {e}"))
}

/// Rewrites every row along `axis` in a copy of `x`.
pub fn map_rows(x: &Array, axis: usize, mut rewrite: impl FnMut(ArrayViewMut1<f64>)) -> Array {
    let mut out = x.clone();
    for row in out.lanes_mut(Axis(axis)) {
        rewrite(row);
    }
    out
}

/// The largest element, NaN if there is one, -inf if there are none.
pub fn largest(row: ArrayView1<f64>) -> f64 {
    row.fold(f64::NEG_INFINITY, |best, &x| if best.is_nan() || best > x { best } else { x })
}

/// The logarithm of the sum of exponentials, shifted by the largest element so that nothing overflows.
pub fn log_sum_exp(row: ArrayView1<f64>) -> f64 {
    let shift = largest(row);
    if shift.is_infinite() {
        return shift;
    }
    shift + libm::log(row.fold(0.0, |sum, &x| sum + libm::exp(x - shift)))
}

/// Puts back reduced axes: repeats `x` along `axes` to `shape`.
pub fn spread(g: &mut Graph, x: NodeId, shape: &[usize], axes: &[usize]) -> NodeId {
    let map = kept(shape.len(), axes);
    g.broadcast(x, shape, &map)
}

/// Samples of a reduction: one axis and several, first, middle and last. The values have no ties.
pub fn reduction_samples() -> Vec<Sample> {
    let values = [0.3, -1.2, 2.5, 0.9, -0.4, 1.7, -2.2, 3.1, 0.05, -0.8, 1.1, -1.6];
    let sample = |shape: &[usize], axes: &[usize]| Sample {
        attrs: Attrs::Axes(axes.into()),
        inputs: vec![real(shape, &values)],
    };
    vec![
        sample(&[5], &[0]),
        sample(&[1], &[0]),
        sample(&[3, 4], &[0]),
        sample(&[3, 4], &[1]),
        sample(&[3, 4], &[0, 1]),
        sample(&[2, 3, 2], &[1]),
        sample(&[2, 3, 2], &[0, 2]),
    ]
}

/// Samples of an operator along an axis: every axis of arrays of several ranks. The values have no ties.
pub fn along_samples() -> Vec<Sample> {
    let values = [0.3, -1.2, 2.5, 0.9, -0.4, 1.7, -2.2, 3.1, 0.05, -0.8, 1.1, -1.6];
    let sample = |shape: &[usize], axis: usize| Sample {
        attrs: Attrs::Axis(axis),
        inputs: vec![real(shape, &values)],
    };
    vec![
        sample(&[5], 0),
        sample(&[1], 0),
        sample(&[3, 4], 0),
        sample(&[3, 4], 1),
        sample(&[2, 3, 2], 1),
        sample(&[0, 3], 1),
    ]
}

/// For `max_over` and `min_over`: `amount`, which has the operand's shape, divided by the number of extreme elements reduced
/// together where the element is extreme itself, otherwise 0, even if `amount` is not finite there.
pub fn share_among_ties(g: &mut Graph, node: NodeId, amount: NodeId) -> NodeId {
    let x = g.node(node).inputs[0];
    let axes = reduced_axes(&g.node(node).attrs).clone();
    let shape = g.shape(x).clone();
    let extreme = spread(g, node, &shape, &axes);
    let ties = g.binary(&super::EQ, x, extreme);
    let ones = g.cast(ties, Elem::Real);
    let count = g.sum(ones, &axes);
    let count = spread(g, count, &shape, &axes);
    let share = g.div(amount, count);
    let zero = g.zeros_like(share);
    g.select(ties, share, zero)
}
