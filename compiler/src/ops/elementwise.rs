//! What elementwise operators share: shape rules, application of a scalar function to arrays, and sample points.
//! Operands of an elementwise operator have equal shapes; broadcasting is a node of its own.

use ndarray::{IxDyn, Zip};

use super::Sample;
use crate::ir::eval::Array;
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::types::{Elem, Type};

/// The operands, if there are exactly `N` of them.
pub fn operands<'a, const N: usize>(types: &[&'a Type]) -> Result<[&'a Type; N], String> {
    <[&Type; N]>::try_from(types.to_vec()).map_err(|_| format!("takes {N} operands, not {}", types.len()))
}

/// An error unless `ty` holds `elem`.
pub fn expect_elem(ty: &Type, elem: Elem) -> Result<(), String> {
    if ty.elem == elem { Ok(()) } else { Err(format!("takes {}, not {ty}", elem.name())) }
}

/// An error unless `ty` holds whole numbers or reals.
pub fn expect_number(ty: &Type) -> Result<(), String> {
    if ty.elem == Elem::Bool { Err(format!("takes numbers, not {ty}")) } else { Ok(()) }
}

fn pair<'a>(types: &[&'a Type]) -> Result<&'a Type, String> {
    let [a, b] = operands(types)?;
    if a == b { Ok(a) } else { Err(format!("operands differ: {a} and {b}")) }
}

fn no_attrs(attrs: &Attrs) -> Result<(), String> {
    if *attrs == Attrs::None { Ok(()) } else { Err(format!("takes no parameters, not {attrs:?}")) }
}

/// Shape rule: real array to real array.
pub fn real_unary(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    no_attrs(attrs)?;
    let [x] = operands(types)?;
    expect_elem(x, Elem::Real)?;
    Ok(x.clone())
}

/// Shape rule: int or real array to the same type.
pub fn number_unary(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    no_attrs(attrs)?;
    let [x] = operands(types)?;
    expect_number(x)?;
    Ok(x.clone())
}

/// Shape rule: two real arrays of one shape.
pub fn real_binary(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    no_attrs(attrs)?;
    let ty = pair(types)?;
    expect_elem(ty, Elem::Real)?;
    Ok(ty.clone())
}

/// Shape rule: two int or two real arrays of one shape, to the same type.
pub fn number_binary(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    no_attrs(attrs)?;
    let ty = pair(types)?;
    expect_number(ty)?;
    Ok(ty.clone())
}

/// Shape rule: two int arrays of one shape.
pub fn int_binary(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    no_attrs(attrs)?;
    let ty = pair(types)?;
    expect_elem(ty, Elem::Int)?;
    Ok(ty.clone())
}

/// Shape rule: two arrays of one type to truth values.
pub fn comparison(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    no_attrs(attrs)?;
    Ok(Type { elem: Elem::Bool, shape: pair(types)?.shape.clone() })
}

/// Shape rule: two arrays of truth values of one shape.
pub fn logical_binary(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    no_attrs(attrs)?;
    let ty = pair(types)?;
    expect_elem(ty, Elem::Bool)?;
    Ok(ty.clone())
}

/// Shape rule: one array of truth values.
pub fn logical_unary(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    no_attrs(attrs)?;
    let [x] = operands(types)?;
    expect_elem(x, Elem::Bool)?;
    Ok(x.clone())
}

/// Applies `f` to every element.
pub fn map(x: &Array, f: impl Fn(f64) -> f64) -> Array {
    x.mapv(f)
}

/// Applies `f` to the elements of two arrays of one shape.
pub fn zip(a: &Array, b: &Array, f: impl Fn(f64, f64) -> f64) -> Array {
    Zip::from(a).and(b).map_collect(|&a, &b| f(a, b))
}

/// 1 for true, 0 for false.
pub fn truth(condition: bool) -> f64 {
    if condition { 1.0 } else { 0.0 }
}

/// An array of `shape` filled with `values` in turn, starting over when they run out.
pub fn array(shape: &[usize], values: &[f64]) -> Array {
    let len = shape.iter().product();
    let data: Vec<f64> = values.iter().copied().cycle().take(len).collect();
    Array::from_shape_vec(IxDyn(shape), data)
        .unwrap_or_else(|e| crate::bug!("sample of shape {shape:?}: {e}"))
}

/// A real operand for a [`Sample`].
pub fn real(shape: &[usize], values: &[f64]) -> (Type, Array) {
    (Type::new(Elem::Real, shape.iter().copied()), array(shape, values))
}

/// An int operand for a [`Sample`].
pub fn int(shape: &[usize], values: &[f64]) -> (Type, Array) {
    (Type::new(Elem::Int, shape.iter().copied()), array(shape, values))
}

/// A bool operand for a [`Sample`].
pub fn boolean(shape: &[usize], values: &[f64]) -> (Type, Array) {
    (Type::new(Elem::Bool, shape.iter().copied()), array(shape, values))
}

/// Samples of an operator with one real operand: every point, as scalars and in arrays of several ranks.
pub fn unary_samples(points: &[f64]) -> Vec<Sample> {
    let scalars = points.iter().map(|&x| real(&[], &[x]));
    let arrays = [vec![points.len()], vec![2, 3], vec![2, 1, points.len()], vec![0, 3]];
    let arrays = arrays.iter().map(|shape| real(shape, points));
    scalars.chain(arrays).map(|x| Sample { attrs: Attrs::None, inputs: vec![x] }).collect()
}

/// Samples of an operator with two real operands of one shape.
pub fn binary_samples(points: &[(f64, f64)]) -> Vec<Sample> {
    let (a, b): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let shapes = [vec![points.len()], vec![2, 3], vec![3, 1, points.len()], vec![0]];
    let scalars = points.iter().map(|&(a, b)| vec![real(&[], &[a]), real(&[], &[b])]);
    let arrays = shapes.iter().map(|shape| vec![real(shape, &a), real(shape, &b)]);
    scalars.chain(arrays).map(|inputs| Sample { attrs: Attrs::None, inputs }).collect()
}

/// Samples of an operator with two int operands of one shape.
pub fn int_samples(points: &[(f64, f64)]) -> Vec<Sample> {
    let (a, b): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    [vec![points.len()], vec![2, 2]]
        .iter()
        .map(|shape| Sample { attrs: Attrs::None, inputs: vec![int(shape, &a), int(shape, &b)] })
        .collect()
}

/// Samples of an operator with one or two bool operands: the whole truth table.
pub fn truth_table(operands: usize) -> Vec<Sample> {
    let inputs = vec![boolean(&[2, 2], &[0.0, 0.0, 1.0, 1.0]), boolean(&[2, 2], &[0.0, 1.0, 0.0, 1.0])];
    vec![Sample { attrs: Attrs::None, inputs: inputs.into_iter().take(operands).collect() }]
}

/// Operand `k` of a node.
pub fn operand(g: &Graph, node: NodeId, k: usize) -> NodeId {
    g.node(node).inputs[k]
}

/// A real array like `node` in shape, every entry `value`.
pub fn fill_like(g: &mut Graph, node: NodeId, value: f64) -> NodeId {
    let shape = g.shape(node).clone();
    g.fill(value, &shape)
}
