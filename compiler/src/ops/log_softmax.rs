//! The logarithm of softmax along an axis.

use super::axes::{along, along_axis, along_samples, log_sum_exp, map_rows, spread};
use super::elementwise::operand;
use super::{Derivative, Lowering, Operator, Surface};

/// The logarithm of softmax along an axis.
pub static LOG_SOFTMAX: Operator = Operator {
    name: "log_softmax",
    definition: "log_softmax(x) = x - logsumexp(x) along an axis, which stays; real arrays",
    domain: "everywhere finite; does not overflow",
    surface: Surface::Along("log_softmax"),
    shape: along,
    value: |attrs, x, _| {
        map_rows(x[0], along_axis(attrs), |mut row| {
            let total = log_sum_exp(row.view());
            row.mapv_inplace(|x| x - total);
        })
    },
    derivative: Derivative::Rule {
        jvp: |g, node, tangents| {
            let tangent = tangents[0]?;
            let axis = along_axis(&g.node(node).attrs);
            let x = operand(g, node, 0);
            let softmax = g.softmax(x, axis);
            let weighted = g.mul(softmax, tangent);
            let mean = g.sum(weighted, &[axis]);
            let shape = g.shape(node).clone();
            let mean = spread(g, mean, &shape, &[axis]);
            Some(g.sub(tangent, mean))
        },
        vjp: |g, node, cotangent, _| {
            let axis = along_axis(&g.node(node).attrs);
            let x = operand(g, node, 0);
            let softmax = g.softmax(x, axis);
            let total = g.sum(cotangent, &[axis]);
            let shape = g.shape(node).clone();
            let total = spread(g, total, &shape, &[axis]);
            let shared = g.mul(softmax, total);
            Some(g.sub(cotangent, shared))
        },
    },
    lowering: Lowering::Rows("log_softmax"),
    samples: along_samples,
};
