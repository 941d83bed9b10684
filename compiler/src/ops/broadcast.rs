//! Repetition along new axes.

use ndarray::IxDyn;

use super::axes::kept;
use super::elementwise::{operands, real};
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::bug;
use crate::ir::graph::Attrs;
use crate::types::{Axes, Shape, Type};

/// Repetition along new axes.
pub static BROADCAST: Operator = Operator {
    name: "broadcast",
    definition: "broadcast(x): operand axis k becomes result axis map[k] (ascending, same size); the others repeat",
    domain: "everywhere",
    surface: Surface::Hidden,
    shape: |attrs, types| {
        let [x] = operands(types)?;
        let Attrs::Broadcast { shape, map } = attrs else {
            return Err(format!("takes sizes and a map of axes, not {attrs:?}"));
        };
        let ascending = map.is_sorted_by(|a, b| a < b) && map.last().is_none_or(|&last| last < shape.len());
        if map.len() != x.rank() || !ascending || map.iter().zip(&x.shape).any(|(&to, &n)| shape[to] != n) {
            return Err(format!("{x} does not fit {shape:?} at axes {map:?}"));
        }
        Ok(Type { elem: x.elem, shape: shape.clone() })
    },
    value: |attrs, x, _| {
        let (shape, map) = parameters(attrs);
        let mut sizes: Shape = shape.iter().map(|_| 1).collect();
        for &to in map {
            sizes[to] = shape[to];
        }
        let x = super::axes::reshaped(x[0].clone(), &sizes);
        match x.broadcast(IxDyn(shape)) {
            Some(repeated) => repeated.to_owned(),
            None => bug!("broadcast of {sizes:?} to {shape:?}"),
        }
    },
    derivative: Derivative::Linear(|g, node, cotangent, _| {
        let (shape, map) = parameters(&g.node(node).attrs);
        let repeated = kept(shape.len(), map);
        g.sum(cotangent, &repeated)
    }),
    curvature: Curvature::Sum(|_, _| (1, 1)),
    lowering: Lowering::View,
    samples: || {
        let sample = |from: &[usize], to: &[usize], map: &[usize]| Sample {
            attrs: Attrs::Broadcast { shape: to.into(), map: map.into() },
            inputs: vec![real(from, &[0.5, -1.0, 2.0, 3.5])],
        };
        vec![
            sample(&[], &[3], &[]),
            sample(&[], &[0, 2], &[]),
            sample(&[2], &[2, 3], &[0]),
            sample(&[3], &[2, 3], &[1]),
            sample(&[2, 2], &[2, 3, 2], &[0, 2]),
            sample(&[1, 3], &[1, 3, 2], &[0, 1]),
        ]
    },
};

/// The sizes and the map of axes.
pub fn parameters(attrs: &Attrs) -> (&Shape, &Axes) {
    match attrs {
        Attrs::Broadcast { shape, map } => (shape, map),
        other => bug!("broadcast with {other:?}"),
    }
}
