//! Sums over axes.

use super::axes::{fold_rows, reduced_axes, reduced_length, reduction, reduction_samples, spread};
use super::elementwise::operand;
use super::{Curvature, Derivative, Lowering, Operator, Reduction, Surface};

/// Sum over axes.
pub static SUM: Operator = Operator {
    name: "sum",
    definition: "sum(x) = the sum of x over the given axes, which disappear; real or int; 0 over nothing",
    domain: "everywhere",
    surface: Surface::Reduction("sum"),
    shape: reduction,
    value: |attrs, x, _| fold_rows(x[0], reduced_axes(attrs), |row| row.sum()),
    derivative: Derivative::Linear(|g, node, cotangent, _| {
        let shape = g.shape(operand(g, node, 0)).clone();
        let axes = reduced_axes(&g.node(node).attrs).clone();
        spread(g, cotangent, &shape, &axes)
    }),
    curvature: Curvature::Sum(|g, id| { let n = reduced_length(g, id); (n, n) }),
    lowering: Lowering::Reduce(Reduction::Sum),
    samples: reduction_samples,
};
