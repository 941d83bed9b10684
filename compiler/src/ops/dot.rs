//! Contraction of two arrays.

use ndarray::{Array3, Axis, Ix3};
use smallvec::SmallVec;

use super::curvature::{Fact, Facts, contract, products};
use super::axes::{permuted, reshaped};
use super::elementwise::{expect_elem, operand, operands, real};
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::bug;
use crate::ir::eval::Array;
use crate::ir::graph::{Attrs, DotAxes, Graph, NodeId};
use crate::types::{Axes, Elem, Shape, Type};

/// Contraction: the matrix product and its relatives.
pub static DOT: Operator = Operator {
    name: "dot",
    definition: "dot(a, b) = the sum of a * b over paired axes; result axes are the paired batch axes, then the free axes \
                 of a, then those of b, in operand order; real arrays",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape,
    value: |attrs, x, ty| value(axes(attrs), x[0], x[1], &ty.shape),
    derivative: Derivative::Rule {
        jvp: |g, node, tangents| {
            let (a, b) = (operand(g, node, 0), operand(g, node, 1));
            let axes = axes(&g.node(node).attrs).clone();
            let left = tangents[0].map(|t| g.dot(t, b, axes.clone()));
            let right = tangents[1].map(|t| g.dot(a, t, axes.clone()));
            match (left, right) {
                (Some(left), Some(right)) => Some(g.add(left, right)),
                (left, right) => left.or(right),
            }
        },
        vjp: |g, node, cotangent, k| {
            Some(if k == 0 { of_left(g, node, cotangent) } else { of_right(g, node, cotangent) })
        },
    },
    curvature: Curvature::Rule(curvature),
    lowering: Lowering::Dot,
    samples,
};

/// The pairs of axes.
pub fn axes(attrs: &Attrs) -> &DotAxes {
    match attrs {
        Attrs::Dot(axes) => axes,
        other => bug!("dot with {other:?}"),
    }
}

impl DotAxes {
    /// The axes of the left operand (of `rank` axes) that are not paired, ascending.
    pub fn free_left(&self, rank: usize) -> Axes {
        (0..rank).filter(|&k| self.batch.iter().chain(&self.contract).all(|&(left, _)| left != k)).collect()
    }

    /// The axes of the right operand (of `rank` axes) that are not paired, ascending.
    pub fn free_right(&self, rank: usize) -> Axes {
        (0..rank).filter(|&k| self.batch.iter().chain(&self.contract).all(|&(_, right)| right != k)).collect()
    }
}

fn shape(attrs: &Attrs, types: &[&Type]) -> Result<Type, String> {
    let [a, b] = operands(types)?;
    expect_elem(a, Elem::Real)?;
    expect_elem(b, Elem::Real)?;
    let Attrs::Dot(axes) = attrs else { return Err(format!("takes pairs of axes, not {attrs:?}")) };
    let (mut left, mut right) = (Axes::new(), Axes::new());
    for &(l, r) in axes.batch.iter().chain(&axes.contract) {
        if l >= a.rank() || r >= b.rank() || left.contains(&l) || right.contains(&r) {
            return Err(format!("axes {l} of {a} and {r} of {b} are missing or paired twice"));
        }
        if a.shape[l] != b.shape[r] {
            return Err(format!("axis {l} of {a} does not match axis {r} of {b}"));
        }
        left.push(l);
        right.push(r);
    }
    let batch = axes.batch.iter().map(|&(l, _)| a.shape[l]);
    let free_left = axes.free_left(a.rank()).into_iter().map(|k| a.shape[k]);
    let free_right = axes.free_right(b.rank()).into_iter().map(|k| b.shape[k]);
    Ok(Type { elem: Elem::Real, shape: batch.chain(free_left).chain(free_right).collect() })
}

/// Brings both operands to stacks of matrices and multiplies those.
fn value(axes: &DotAxes, a: &Array, b: &Array, shape: &Shape) -> Array {
    let left = |pairs: &[(usize, usize)]| -> Axes { pairs.iter().map(|&(l, _)| l).collect() };
    let right = |pairs: &[(usize, usize)]| -> Axes { pairs.iter().map(|&(_, r)| r).collect() };
    let a = stack(a, [left(&axes.batch), axes.free_left(a.ndim()), left(&axes.contract)]);
    let b = stack(b, [right(&axes.batch), right(&axes.contract), axes.free_right(b.ndim())]);
    let mut out = Array3::zeros((a.shape()[0], a.shape()[1], b.shape()[2]));
    for ((mut out, a), b) in out.outer_iter_mut().zip(a.axis_iter(Axis(0))).zip(b.axis_iter(Axis(0))) {
        ndarray::linalg::general_mat_mul(1.0, &a, &b, 0.0, &mut out);
    }
    reshaped(out.into_dyn(), shape)
}

/// An array with three axes, each made of a group of axes of `x`.
fn stack(x: &Array, groups: [Axes; 3]) -> Array3<f64> {
    let sizes: SmallVec<[usize; 3]> =
        groups.iter().map(|group| group.iter().map(|&k| x.shape()[k]).product()).collect();
    let perm: Axes = groups.into_iter().flatten().collect();
    let x = reshaped(permuted(x, &perm), &sizes);
    x.into_dimensionality::<Ix3>().unwrap_or_else(|e| bug!("stack of matrices: {e}"))
}

/// The cotangent of the left operand: the result's cotangent times the right operand, over the right's free axes.
fn of_left(g: &mut Graph, node: NodeId, cotangent: NodeId) -> NodeId {
    let b = operand(g, node, 1);
    let left_rank = g.shape(operand(g, node, 0)).len();
    let axes = axes(&g.node(node).attrs).clone();
    let batch = axes.batch.len();
    let free_left = axes.free_left(left_rank);
    let free_right = axes.free_right(g.shape(b).len());
    let product = DotAxes {
        batch: axes.batch.iter().enumerate().map(|(k, &(_, right))| (k, right)).collect(),
        contract: free_right
            .iter()
            .enumerate()
            .map(|(k, &right)| (batch + free_left.len() + k, right))
            .collect(),
    };
    let result = g.dot(cotangent, b, product);
    // The free axes of the right that are left over are its contracted ones, in the right operand's order.
    let mut contracted = axes.contract.clone();
    contracted.sort_by_key(|&(_, right)| right);
    let mut place: Axes = axes.batch.iter().map(|&(left, _)| left).collect();
    place.extend(free_left);
    place.extend(contracted.iter().map(|&(left, _)| left));
    g.transpose(result, &super::transpose::inverse(&place))
}

/// The cotangent of the right operand: the left operand times the result's cotangent, over the left's free axes.
fn of_right(g: &mut Graph, node: NodeId, cotangent: NodeId) -> NodeId {
    let a = operand(g, node, 0);
    let right_rank = g.shape(operand(g, node, 1)).len();
    let axes = axes(&g.node(node).attrs).clone();
    let batch = axes.batch.len();
    let free_left = axes.free_left(g.shape(a).len());
    let product = DotAxes {
        batch: axes.batch.iter().enumerate().map(|(k, &(left, _))| (left, k)).collect(),
        contract: free_left.iter().enumerate().map(|(k, &left)| (left, batch + k)).collect(),
    };
    let result = g.dot(a, cotangent, product);
    let mut contracted = axes.contract.clone();
    contracted.sort_by_key(|&(left, _)| left);
    let mut place: Axes = axes.batch.iter().map(|&(_, right)| right).collect();
    place.extend(contracted.iter().map(|&(_, right)| right));
    place.extend(axes.free_right(right_rank));
    g.transpose(result, &super::transpose::inverse(&place))
}

fn samples() -> Vec<Sample> {
    let left = [0.5, -1.0, 2.0, 3.5, 0.1, 0.7, -0.2, 1.3, -0.6];
    let right = [1.1, 0.4, -0.9, 0.3, 2.2, -1.7, 0.8];
    let sample = |a: &[usize], b: &[usize], batch: &[(usize, usize)], contract: &[(usize, usize)]| Sample {
        attrs: Attrs::Dot(Box::new(DotAxes { batch: batch.into(), contract: contract.into() })),
        inputs: vec![real(a, &left), real(b, &right)],
    };
    vec![
        sample(&[4], &[4], &[], &[(0, 0)]),
        sample(&[3], &[2], &[], &[]),
        sample(&[2, 3], &[3, 4], &[], &[(1, 0)]),
        sample(&[3, 2], &[4, 3], &[], &[(0, 1)]),
        sample(&[2, 3], &[3, 2], &[], &[(0, 1), (1, 0)]),
        sample(&[2, 3], &[3, 2], &[(1, 0)], &[(0, 1)]),
        sample(&[2, 3, 2], &[3, 2, 4], &[(1, 0)], &[(0, 1)]),
        sample(&[2, 2, 3, 2], &[3, 2, 2], &[(0, 2)], &[(2, 0), (1, 1)]),
        sample(&[2, 0], &[0, 3], &[], &[(1, 0)]),
    ]
}

/// As a sum of products: of squares where both operands are one node, axis by axis.
fn curvature(g: &Graph, facts: &Facts, id: NodeId) -> Fact {
    let (a, b) = (operand(g, id, 0), operand(g, id, 1));
    let axes = axes(&g.node(id).attrs);
    let terms = axes.contract.iter().map(|&(left, _)| g.shape(a)[left]).product();
    let rank = g.shape(a).len();
    let paired = axes.batch.len() + axes.contract.len() == rank && rank == g.shape(b).len();
    let aligned = paired && axes.batch.iter().chain(&axes.contract).all(|(left, right)| left == right);
    let range = contract::range(g, facts, id, terms, aligned && a == b);
    if aligned && a == b {
        return products::summed(products::square(facts, id, a, range), terms);
    }
    for (x, log) in [(a, b), (b, a)] {
        if aligned && products::entropy(g, facts, x, log) {
            return products::entropy_fact(facts, x, range);
        }
    }
    products::summed(products::product(facts, id, a, b, range), terms)
}
