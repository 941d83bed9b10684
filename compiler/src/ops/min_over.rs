//! The smallest element over axes.

use super::curvature::Bend;
use super::axes::{fold_rows, largest, reduced_axes, reduction, reduction_samples, share_among_ties, spread};
use super::elementwise::operand;
use super::{Curvature, Derivative, Lowering, Operator, Reduction, Surface};

/// The smallest element over axes.
pub static MIN_OVER: Operator = Operator {
    name: "min_over",
    definition: "min_over(x) = the smallest element of x over the given axes, which disappear; real or int; inf over nothing",
    domain: "everywhere; NaN if an element is NaN; elements that tie share the derivative equally",
    surface: Surface::Reduction("min"),
    shape: reduction,
    value: |attrs, x, _| fold_rows(x[0], reduced_axes(attrs), |row| -largest(row.mapv(|x| -x).view())),
    derivative: Derivative::Rule {
        jvp: |g, node, tangents| {
            let tangent = tangents[0]?;
            let axes = reduced_axes(&g.node(node).attrs).clone();
            let shares = share_among_ties(g, node, tangent);
            Some(g.sum(shares, &axes))
        },
        vjp: |g, node, cotangent, _| {
            let axes = reduced_axes(&g.node(node).attrs).clone();
            let shape = g.shape(operand(g, node, 0)).clone();
            let cotangent = spread(g, cotangent, &shape, &axes);
            Some(share_among_ties(g, node, cotangent))
        },
    },
    curvature: Curvature::Extreme(Bend::Concave),
    lowering: Lowering::Reduce(Reduction::Min),
    samples: reduction_samples,
};
