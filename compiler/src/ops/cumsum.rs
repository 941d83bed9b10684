//! Running sums along an axis.

use super::axes::{check_axis, map_rows};
use super::elementwise::{expect_number, operands, real};
use super::{Curvature, Derivative, Lowering, Operator, Sample, Surface};
use crate::bug;
use crate::ir::graph::Attrs;

/// Running sum along an axis.
pub static CUMSUM: Operator = Operator {
    name: "cumsum",
    definition: "cumsum(x)[i] = x[0] + ... + x[i] along an axis, or x[i] + ... + x[last] when reversed; real or int",
    domain: "everywhere",
    surface: Surface::Along("cumsum"),
    shape: |attrs, types| {
        let [x] = operands(types)?;
        expect_number(x)?;
        match attrs {
            Attrs::Scan { axis, .. } => check_axis(*axis, x).map(|()| x.clone()),
            other => Err(format!("takes an axis and a direction, not {other:?}")),
        }
    },
    value: |attrs, x, _| {
        let (axis, reverse) = parameters(attrs);
        map_rows(x[0], axis, |mut row| {
            if reverse {
                row.invert_axis(ndarray::Axis(0));
            }
            let mut total = 0.0;
            for x in row {
                total += *x;
                *x = total;
            }
        })
    },
    derivative: Derivative::Linear(|g, node, cotangent, _| {
        let (axis, reverse) = parameters(&g.node(node).attrs);
        g.cumsum(cotangent, axis, !reverse)
    }),
    curvature: Curvature::Sum(|g, id| (1, g.shape(id)[parameters(&g.node(id).attrs).0])),
    lowering: Lowering::Scan,
    samples: || {
        let values = [0.3, -1.2, 2.5, 0.9, -0.4, 1.7, -2.2];
        let sample = |shape: &[usize], axis, reverse| Sample {
            attrs: Attrs::Scan { axis, reverse },
            inputs: vec![real(shape, &values)],
        };
        vec![
            sample(&[5], 0, false),
            sample(&[5], 0, true),
            sample(&[2, 3, 2], 1, false),
            sample(&[2, 3], 0, true),
        ]
    },
};

fn parameters(attrs: &Attrs) -> (usize, bool) {
    match attrs {
        Attrs::Scan { axis, reverse } => (*axis, *reverse),
        other => bug!("cumsum with {other:?}"),
    }
}
