//! Rules for expressions that overflow or lose digits as written and have a form that does not.

use crate::ir::graph::{Graph, NodeId};
use crate::ops;
use crate::types::{Axes, Shape};

use super::{Rule, as_scaled, fill_like, matching, operands};

pub static RULES: &[Rule] = &[
    Rule::at(&ops::LOG, "log(exp x)", |g, id| {
        let [x] = operands(g, id);
        matching(g, x, &ops::EXP).map(|[y]| y)
    }),
    Rule::at(&ops::LOG, "log(sigmoid x)", |g, id| {
        let [s] = operands(g, id);
        let [x] = matching(g, s, &ops::SIGMOID)?;
        let negative = g.neg(x);
        let softplus = g.unary(&ops::SOFTPLUS, negative);
        Some(g.neg(softplus))
    }),
    Rule::at(&ops::LOG, "log(softmax x)", |g, id| {
        let [s] = operands(g, id);
        let [x] = matching(g, s, &ops::SOFTMAX)?;
        let axis = ops::axes::along_axis(&g.node(s).attrs);
        Some(g.log_softmax(x, axis))
    }),
    Rule::at(&ops::LOG, "log of a view of softmax or sigmoid", log_of_view),
    Rule::at(&ops::LOG, "log(sum(exp x))", log_of_sum),
    Rule::at(&ops::LOG, "log(k sum(exp x))", |g, id| {
        let [x] = operands(g, id);
        let (k, sum) = as_scaled(g, x).filter(|&(k, _)| k > 0.0)?;
        sum_of_exp(g, sum)?;
        let log = g.unary(&ops::LOG, sum);
        let shift = fill_like(g, id, libm::log(k));
        Some(g.add(shift, log))
    }),
    Rule::at(&ops::LOG, "log(1 + x)", |g, id| {
        let [x] = operands(g, id);
        let [one, y] = matching(g, x, &ops::ADD)?;
        (g.fill_value(one) == Some(1.0)).then(|| g.unary(&ops::LOG1P, y))
    }),
    Rule::at(&ops::LOG, "log(1 - x)", |g, id| {
        let [x] = operands(g, id);
        let [one, y] = matching(g, x, &ops::SUB)?;
        if g.fill_value(one) != Some(1.0) {
            return None;
        }
        let negative = g.neg(y);
        Some(g.unary(&ops::LOG1P, negative))
    }),
    Rule::at(&ops::LOG1P, "log1p(exp x)", |g, id| {
        let [x] = operands(g, id);
        let [y] = matching(g, x, &ops::EXP)?;
        Some(g.unary(&ops::SOFTPLUS, y))
    }),
    Rule::at(&ops::LOG1P, "log1p(-sigmoid x)", |g, id| {
        let [x] = operands(g, id);
        let [s] = matching(g, x, &ops::NEG)?;
        let [y] = matching(g, s, &ops::SIGMOID)?;
        let softplus = g.unary(&ops::SOFTPLUS, y);
        Some(g.neg(softplus))
    }),
    Rule::at(&ops::SUB, "exp x - 1", |g, id| {
        let [x, one] = operands(g, id);
        let [y] = matching(g, x, &ops::EXP)?;
        (g.fill_value(one) == Some(1.0)).then(|| g.unary(&ops::EXPM1, y))
    }),
    Rule::at(&ops::ADD, "-1 + exp x", |g, id| {
        let [minus_one, x] = operands(g, id);
        let [y] = matching(g, x, &ops::EXP)?;
        (g.fill_value(minus_one) == Some(-1.0)).then(|| g.unary(&ops::EXPM1, y))
    }),
    Rule::at(&ops::DIV, "exp x / (1 + exp x)", logistic),
    Rule::at(&ops::DIV, "exp x / sum(exp x)", softmax_quotient),
];

/// `log(view(x))` is `view(log(x))` for a rearrangement of a softmax or sigmoid: then the logarithm meets it.
fn log_of_view(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [view] = operands(g, id);
    let is_view = |g: &Graph, x: NodeId| {
        [&ops::GATHER, &ops::SLICE, &ops::RESHAPE, &ops::TRANSPOSE, &ops::BROADCAST]
            .iter()
            .any(|op| g.is(x, op))
    };
    let mut source = view;
    while is_view(g, source) {
        source = g.node(source).inputs[0];
    }
    if source == view || !(g.is(source, &ops::SOFTMAX) || g.is(source, &ops::SIGMOID)) {
        return None;
    }
    let (op, attrs, mut inputs) = (g.node(view).op, g.node(view).attrs.clone(), g.node(view).inputs.clone());
    inputs[0] = g.unary(&ops::LOG, inputs[0]);
    Some(g.apply(op.0, attrs, &inputs))
}

/// The `x` and the axes of `sum(exp x)`.
fn sum_of_exp(g: &Graph, node: NodeId) -> Option<(NodeId, Axes)> {
    let [exp] = matching(g, node, &ops::SUM)?;
    let [x] = matching(g, exp, &ops::EXP)?;
    Some((x, ops::axes::reduced_axes(&g.node(node).attrs).clone()))
}

fn log_of_sum(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [sum] = operands(g, id);
    let (x, axes) = sum_of_exp(g, sum)?;
    if let [axis] = axes[..] {
        return Some(g.logsumexp(x, axis));
    }
    let shape = g.shape(x).clone();
    let mut perm = ops::axes::kept(shape.len(), &axes);
    let mut rows: Shape = perm.iter().map(|&axis| shape[axis]).collect();
    rows.push(axes.iter().map(|&axis| shape[axis]).product());
    perm.extend_from_slice(&axes);
    let moved = g.transpose(x, &perm);
    let flat = g.reshape(moved, &rows);
    Some(g.logsumexp(flat, rows.len() - 1))
}

/// `1 / (1 + exp x)` and `exp x / (1 + exp x)`.
fn logistic(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [above, below] = operands(g, id);
    let [one, exp] = matching(g, below, &ops::ADD)?;
    if g.fill_value(one) != Some(1.0) {
        return None;
    }
    let [x] = matching(g, exp, &ops::EXP)?;
    if above == exp {
        return Some(g.unary(&ops::SIGMOID, x));
    }
    if g.fill_value(above) != Some(1.0) {
        return None;
    }
    let negative = g.neg(x);
    Some(g.unary(&ops::SIGMOID, negative))
}

/// `exp x / sum(exp x)` along one axis.
fn softmax_quotient(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [above, below] = operands(g, id);
    let [sum] = matching(g, below, &ops::BROADCAST)?;
    let (x, axes) = sum_of_exp(g, sum)?;
    let [axis] = axes[..] else { return None };
    let (_, map) = ops::broadcast::parameters(&g.node(below).attrs);
    let fits = matching(g, above, &ops::EXP) == Some([x]) && *map == ops::axes::kept(g.shape(x).len(), &axes);
    fits.then(|| g.softmax(x, axis))
}
