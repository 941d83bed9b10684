//! Rules for elementwise arithmetic: constants, neutral elements, signs, factors and powers.

use crate::ir::eval::Array;
use crate::ir::graph::{Graph, NodeId};
use crate::ops::{self, Lowering};

use super::{Rule, as_scaled, fill_like, matching, operands, scaled};

pub static RULES: &[Rule] = &[
    Rule::everywhere("constant operands", constant_operands),
    Rule::at(&ops::ADD, "add: operands in order", in_order),
    Rule::at(&ops::MUL, "mul: operands in order", in_order),
    Rule::at(&ops::ADD, "x + 0", |g, id| {
        let [a, b] = operands(g, id);
        (g.fill_value(a) == Some(0.0)).then_some(b)
    }),
    Rule::at(&ops::ADD, "x + -y", |g, id| {
        let [a, b] = operands(g, id);
        if let Some([y]) = matching(g, b, &ops::NEG) {
            return Some(g.sub(a, y));
        }
        let [y] = matching(g, a, &ops::NEG)?;
        Some(g.sub(b, y))
    }),
    Rule::at(&ops::ADD, "j x + k x", |g, id| {
        let [a, b] = operands(g, id);
        let (j, x) = as_scaled(g, a).unwrap_or((1.0, a));
        let (k, y) = as_scaled(g, b).unwrap_or((1.0, b));
        (x == y && g.fill_value(x).is_none()).then(|| scaled(g, j + k, x))
    }),
    Rule::at(&ops::ADD, "sum of choices", sum_of_choices),
    Rule::at(&ops::SUB, "x - 0", |g, id| {
        let [a, b] = operands(g, id);
        (g.fill_value(b) == Some(0.0)).then_some(a)
    }),
    Rule::at(&ops::SUB, "0 - x", |g, id| {
        let [a, b] = operands(g, id);
        (g.fill_value(a) == Some(0.0)).then(|| g.neg(b))
    }),
    Rule::at(&ops::SUB, "x - -y", |g, id| {
        let [a, b] = operands(g, id);
        if let Some([y]) = matching(g, b, &ops::NEG) {
            return Some(g.add(a, y));
        }
        let [x] = matching(g, a, &ops::NEG)?;
        let sum = g.add(x, b);
        Some(g.neg(sum))
    }),
    Rule::at(&ops::NEG, "-(-x)", |g, id| {
        let [x] = operands(g, id);
        matching(g, x, &ops::NEG).map(|[y]| y)
    }),
    Rule::at(&ops::NEG, "-(x - y)", |g, id| {
        let [x] = operands(g, id);
        let [a, b] = matching(g, x, &ops::SUB)?;
        Some(g.sub(b, a))
    }),
    Rule::at(&ops::NEG, "-(k x)", |g, id| {
        let [x] = operands(g, id);
        let (k, y) = as_scaled(g, x)?;
        Some(scaled(g, -k, y))
    }),
    Rule::at(&ops::MUL, "0 * x", |g, id| {
        let [a, _] = operands(g, id);
        (g.fill_value(a) == Some(0.0)).then_some(a)
    }),
    Rule::at(&ops::MUL, "1 * x", |g, id| {
        let [a, b] = operands(g, id);
        match g.fill_value(a) {
            Some(1.0) => Some(b),
            Some(-1.0) => Some(g.neg(b)),
            _ => None,
        }
    }),
    Rule::at(&ops::MUL, "x * (k y)", constant_factor_out),
    Rule::at(&ops::MUL, "x * (k / y)", reciprocal_factor),
    Rule::at(&ops::DIV, "x / k", |g, id| {
        let [a, b] = operands(g, id);
        let reciprocal = 1.0 / g.fill_value(b)?;
        (reciprocal.is_normal()).then(|| scaled(g, reciprocal, a))
    }),
    Rule::at(&ops::DIV, "0 / x", |g, id| {
        let [a, _] = operands(g, id);
        (g.fill_value(a) == Some(0.0)).then_some(a)
    }),
    Rule::at(&ops::DIV, "(j x) / (k y)", |g, id| {
        let [a, b] = operands(g, id);
        let (above, below) = (as_scaled(g, a), as_scaled(g, b));
        if above.is_none() && below.is_none() {
            return None;
        }
        let (j, x) = above.unwrap_or((1.0, a));
        let (k, y) = below.unwrap_or((1.0, b));
        let factor = j / k;
        factor.is_normal().then(|| {
            let quotient = g.div(x, y);
            scaled(g, factor, quotient)
        })
    }),
    Rule::at(&ops::POW, "power with a simple exponent", simple_power),
];

/// An elementwise operator whose operands are constant has a constant result.
fn constant_operands(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let node = g.node(id);
    let elementwise =
        matches!(node.op.0.lowering, Lowering::Instruction(_) | Lowering::Kernel(_) | Lowering::Expand(_));
    if !elementwise || node.inputs.is_empty() {
        return None;
    }
    let values: Option<Vec<Array>> = node
        .inputs
        .iter()
        .map(|&input| g.fill_value(input).map(|value| Array::from_elem(ndarray::IxDyn(&[]), value)))
        .collect();
    let values = values?;
    let scalar = crate::types::Type::scalar(node.ty.elem);
    let result = (node.op.0.value)(&node.attrs, &values.iter().collect::<Vec<_>>(), &scalar);
    let value = result.first().copied()?;
    (value.is_finite()).then(|| fill_like(g, id, value))
}

/// Constants first, then by age: equal sums and products become one node.
fn in_order(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [a, b] = operands(g, id);
    let key = |x: NodeId| (g.fill_value(x).is_none(), x);
    if key(a) <= key(b) {
        return None;
    }
    let op = g.node(id).op;
    Some(g.binary(op.0, b, a))
}

/// `select(c, a, 0) + select(c, b, 0)` and its mirror images.
fn sum_of_choices(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [x, y] = operands(g, id);
    let [c, a, b] = matching(g, x, &ops::SELECT)?;
    let [d, p, q] = matching(g, y, &ops::SELECT)?;
    let zero = |g: &Graph, v: NodeId| g.fill_value(v) == Some(0.0);
    if c != d || !(zero(g, a) || zero(g, b)) || !(zero(g, p) || zero(g, q)) {
        return None;
    }
    let yes = g.add(a, p);
    let no = g.add(b, q);
    Some(g.select(c, yes, no))
}

/// Constant factors and signs move outwards, where they meet.
fn constant_factor_out(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [a, b] = operands(g, id);
    if let Some(j) = g.fill_value(a) {
        let (k, y) = as_scaled(g, b)?;
        return Some(scaled(g, j * k, y));
    }
    let (left, right) = (as_scaled(g, a), as_scaled(g, b));
    if left.is_none() && right.is_none() {
        return None;
    }
    let (j, x) = left.unwrap_or((1.0, a));
    let (k, y) = right.unwrap_or((1.0, b));
    let product = g.mul(x, y);
    Some(scaled(g, j * k, product))
}

/// `x * (k / y)` is `k * (x / y)`.
fn reciprocal_factor(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [a, b] = operands(g, id);
    for (x, quotient) in [(a, b), (b, a)] {
        if let Some([above, y]) = matching(g, quotient, &ops::DIV)
            && let Some(k) = g.fill_value(above)
        {
            if let Some(j) = g.fill_value(x) {
                let above = fill_like(g, x, j * k);
                return Some(g.div(above, y));
            }
            let quotient = g.div(x, y);
            return Some(scaled(g, k, quotient));
        }
    }
    None
}

fn simple_power(g: &mut Graph, id: NodeId) -> Option<NodeId> {
    let [x, exponent] = operands(g, id);
    let exponent = g.fill_value(exponent)?;
    let whole = [0.0, 1.0, 2.0, 3.0, 4.0].contains(&exponent.abs());
    let power = if whole {
        whole_power(g, x, exponent.abs())
    } else if exponent.abs() == 0.5 {
        g.unary(&ops::SQRT, x)
    } else {
        return None;
    };
    Some(if exponent < 0.0 { g.reciprocal(power) } else { power })
}

/// `x^n` for `n` from 0 to 4.
fn whole_power(g: &mut Graph, x: NodeId, n: f64) -> NodeId {
    if n == 0.0 {
        return fill_like(g, x, 1.0);
    }
    if n == 1.0 {
        return x;
    }
    let square = g.mul(x, x);
    if n == 2.0 {
        square
    } else if n == 3.0 {
        g.mul(x, square)
    } else {
        g.mul(square, square)
    }
}
