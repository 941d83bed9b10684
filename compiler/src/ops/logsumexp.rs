//! The logarithm of a sum of exponentials along an axis.

use super::axes::{along_axis, along_reduced, along_samples, fold_rows, log_sum_exp, spread};
use super::elementwise::operand;
use super::{Derivative, Lowering, Operator, Surface};

/// The logarithm of the sum of exponentials along an axis.
pub static LOGSUMEXP: Operator = Operator {
    name: "logsumexp",
    definition: "logsumexp(x) = log(sum of e^x along an axis), which disappears; real arrays; -inf over nothing",
    domain: "everywhere; does not overflow",
    surface: Surface::AlongReduced("logsumexp"),
    shape: along_reduced,
    value: |attrs, x, _| fold_rows(x[0], &[along_axis(attrs)], log_sum_exp),
    derivative: Derivative::Rule {
        jvp: |g, node, tangents| {
            let tangent = tangents[0]?;
            let axis = along_axis(&g.node(node).attrs);
            let x = operand(g, node, 0);
            let softmax = g.softmax(x, axis);
            let weighted = g.mul(softmax, tangent);
            Some(g.sum(weighted, &[axis]))
        },
        vjp: |g, node, cotangent, _| {
            let axis = along_axis(&g.node(node).attrs);
            let x = operand(g, node, 0);
            let softmax = g.softmax(x, axis);
            let shape = g.shape(x).clone();
            let cotangent = spread(g, cotangent, &shape, &[axis]);
            Some(g.mul(cotangent, softmax))
        },
    },
    lowering: Lowering::Rows("logsumexp"),
    samples: along_samples,
};
