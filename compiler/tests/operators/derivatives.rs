//! Derivatives where the plain rules would fail: untaken branches, kinks, zeros, nodes without derivative.

use blo_compiler::ir::eval::Array;
use blo_compiler::ir::graph::{Attrs, Graph, NodeId, Role};
use blo_compiler::ops::{self, Derivative, Operator};
use blo_compiler::passes::differentiate::{DerivativeError, gradient, jvp, vjp};
use blo_compiler::passes::simplify::simplify;
use blo_compiler::types::{Elem, Type};
use blo_grammar::span::{FileId, Span};
use ndarray::{IxDyn, array};

use crate::support::{Bound, assert_close};

fn vector(b: &mut Bound, values: &[f64]) -> NodeId {
    b.input(
        &Type::new(Elem::Real, [values.len()]),
        Array::from_shape_vec(IxDyn(&[values.len()]), values.to_vec()).unwrap(),
    )
}

fn scalar(b: &mut Bound, value: f64) -> NodeId {
    b.input(&Type::scalar(Elem::Real), Array::from_elem(IxDyn(&[]), value))
}

/// The value, the gradient of the sum, and the Hessian of the sum times ones by three ways of combining the modes, as given
/// and simplified, at `points`.
fn assert_orders(points: &[f64], expected: [&[f64]; 3], build: impl Fn(&mut Graph, NodeId) -> NodeId) {
    let mut b = Bound::new(1);
    let x = vector(&mut b, points);
    let g = &mut b.graph;
    let y = build(g, x);
    let sum = g.sum_all(y);
    let first = gradient(g, sum, &[x]).unwrap()[0];
    let ones = g.fill(1.0, &[points.len()]);
    let forward_over_reverse = jvp(g, &[first], &[(x, ones)]).unwrap()[0];
    let reverse_over_reverse = vjp(g, &[(first, ones)], &[x]).unwrap()[0];
    let forward = jvp(g, &[sum], &[(x, ones)]).unwrap()[0];
    let reverse_over_forward = gradient(g, forward, &[x]).unwrap()[0];
    let roots = [y, first, forward_over_reverse, reverse_over_reverse, reverse_over_forward];
    let simple = simplify(g, &roots);
    for nodes in [roots.to_vec(), simple] {
        let values = b.values(&nodes);
        let names =
            ["value", "gradient", "forward over reverse", "reverse over reverse", "reverse over forward"];
        let expected = [expected[0], expected[1], expected[2], expected[2], expected[2]];
        for ((value, expected), name) in values.iter().zip(expected).zip(names) {
            let expected = Array::from_shape_vec(IxDyn(&[points.len()]), expected.to_vec()).unwrap();
            assert_close(value, &expected, 1e-13, 1e-14, name);
        }
    }
}

fn positive(g: &mut Graph, x: NodeId) -> NodeId {
    let zero = g.zeros_like(x);
    g.binary(&ops::LT, zero, x)
}

#[test]
fn square_root_in_an_untaken_branch() {
    let expected: [&[f64]; 3] = [&[0.0, 2.0, 0.0], &[0.0, 0.25, 0.0], &[0.0, -1.0 / 32.0, 0.0]];
    assert_orders(&[0.0, 4.0, -1.0], expected, |g, x| {
        let (c, root, zero) = (positive(g, x), g.unary(&ops::SQRT, x), g.zeros_like(x));
        g.select(c, root, zero)
    });
}

#[test]
fn sine_quotient() {
    let (s, c) = (1f64.sin(), 1f64.cos());
    let expected: [&[f64]; 3] = [&[1.0, s], &[0.0, c - s], &[0.0, -s - 2.0 * (c - s)]];
    assert_orders(&[0.0, 1.0], expected, |g, x| {
        let (zero, one) = (g.zeros_like(x), g.fill(1.0, &[2]));
        let (c, sin) = (g.binary(&ops::NE, x, zero), g.unary(&ops::SIN, x));
        let quotient = g.div(sin, x);
        g.select(c, quotient, one)
    });
}

#[test]
fn logarithm_in_an_untaken_branch() {
    let expected: [&[f64]; 3] = [&[0.0, 0.0, -2.0], &[1.0, 1.0, 1.0], &[0.0, -1.0, 0.0]];
    assert_orders(&[0.0, 1.0, -2.0], expected, |g, x| {
        let (c, log) = (positive(g, x), g.unary(&ops::LOG, x));
        g.select(c, log, x)
    });
}

/// The logarithm is used under two conditions; where neither holds it must not matter.
#[test]
fn branches_under_several_conditions() {
    let expected: [&[f64]; 3] = [&[0.0, 0.0, 3.0 * 2f64.ln()], &[0.0, 1.0, 1.5], &[0.0, -1.0, -0.75]];
    assert_orders(&[0.0, 1.0, 2.0], expected, |g, x| {
        let (zero, one) = (g.zeros_like(x), g.fill(1.0, &[3]));
        let (c, d) = (positive(g, x), g.binary(&ops::LT, one, x));
        let log = g.unary(&ops::LOG, x);
        let twice = g.scale(log, 2.0);
        let (p, q) = (g.select(c, log, zero), g.select(d, twice, zero));
        g.add(p, q)
    });
}

/// The same through operators that rearrange, sum and repeat.
#[test]
fn branches_around_rearrangements() {
    let expected: [&[f64]; 3] = [&[0.0; 2], &[0.0; 2], &[0.0; 2]];
    assert_orders(&[0.0, 0.0], expected, |g, x| {
        let root = g.unary(&ops::SQRT, x);
        let (row, twice) = (g.reshape(root, &[1, 2]), g.concat(&[root, root], 0));
        let (padded, part) = (g.pad(twice, &[1], &[1]), g.slice(twice, &[1], &[3]));
        let turned = g.transpose(row, &[1, 0]);
        let (sum, total, largest) = (g.sum_all(turned), g.sum_all(padded), g.max_over(part, &[0]));
        let product = g.prod(part, &[0]);
        let several = g.add(sum, total);
        let several = g.add(several, largest);
        let several = g.add(several, product);
        let spread = g.logsumexp(root, 0);
        let several = g.add(several, spread);
        let zero = g.constant(0.0);
        let never = g.binary(&ops::LT, several, zero);
        let chosen = g.select(never, several, zero);
        g.broadcast_scalar(chosen, &[2])
    });
}

/// A condition on a scalar, repeated together with the scalar: `if s > 0 then log(s) * v else v`.
#[test]
fn scalar_conditions_are_kept_through_broadcasts() {
    let mut b = Bound::new(2);
    let s = scalar(&mut b, 0.0);
    let v = vector(&mut b, &[1.0, 2.0]);
    let g = &mut b.graph;
    let (log, c) = (g.unary(&ops::LOG, s), positive(g, s));
    let (log, c) = (g.broadcast_scalar(log, &[2]), g.broadcast_scalar(c, &[2]));
    let product = g.mul(log, v);
    let chosen = g.select(c, product, v);
    let sum = g.sum_all(chosen);
    let roots = gradient(g, sum, &[s, v]).unwrap();
    let values = b.values(&roots);
    assert_eq!(values[0].first(), Some(&0.0));
    assert_eq!(values[1], array![1.0, 1.0].into_dyn());
}

#[test]
fn powers_at_zero_and_of_negative_bases() {
    let third = |p: f64| {
        move |g: &mut Graph, x: NodeId| {
            let p = g.fill(p, &[2]);
            g.pow(x, p)
        }
    };
    assert_orders(&[0.0, -2.0], [&[0.0, -8.0], &[0.0, 12.0], &[0.0, -12.0]], third(3.0));
    assert_orders(&[0.0, -2.0], [&[0.0, 4.0], &[0.0, -4.0], &[2.0, 2.0]], third(2.0));
    assert_orders(&[0.0, -2.0], [&[0.0, -2.0], &[1.0, 1.0], &[0.0, 0.0]], third(1.0));
    assert_orders(&[0.0, -2.0], [&[1.0, 1.0], &[0.0, 0.0], &[0.0, 0.0]], third(0.0));
}

#[test]
fn powers_with_variable_exponents_at_base_zero() {
    let mut b = Bound::new(3);
    let (x, p) = (vector(&mut b, &[0.0, 0.0, 2.0]), vector(&mut b, &[2.0, 0.0, 0.0]));
    let power = b.graph.pow(x, p);
    let sum = b.graph.sum_all(power);
    let roots = gradient(&mut b.graph, sum, &[x, p]).unwrap();
    let values = b.values(&roots);
    assert_eq!(values[0], array![0.0, 0.0, 0.0].into_dyn());
    assert_eq!(values[1], array![0.0, 0.0, 2f64.ln()].into_dyn());
}

/// The subgradients that the records state.
#[test]
fn kinks() {
    let zero: &[f64] = &[0.0];
    assert_orders(&[0.0], [zero; 3], |g, x| g.unary(&ops::ABS, x));
    assert_orders(&[0.0], [zero; 3], |g, x| g.unary(&ops::RELU, x));
    assert_orders(&[0.0], [zero; 3], |g, x| g.unary(&ops::SIGN, x));
    assert_orders(&[0.0], [zero; 3], |g, x| g.unary(&ops::STEP, x));
    assert_orders(&[2.0, 2.0, 1.0], [&[2.0; 3], &[1.5, 1.5, 0.0], &[0.0; 3]], |g, x| {
        let largest = g.max_over(x, &[0]);
        g.broadcast_scalar(largest, &[3])
    });
    for op in [&ops::MIN, &ops::MAX] {
        let mut b = Bound::new(4);
        let (x, y) = (scalar(&mut b, 1.0), scalar(&mut b, 1.0));
        let chosen = b.graph.binary(op, x, y);
        let roots = gradient(&mut b.graph, chosen, &[x, y]).unwrap();
        let values: Vec<f64> = b.values(&roots).iter().map(|v| v[IxDyn(&[])]).collect();
        assert_eq!(values, [1.0, 0.0], "ties go to the first operand of {}", op.name);
    }
}

#[test]
fn products_with_zeros() {
    let build = |g: &mut Graph, x: NodeId| {
        let product = g.prod(x, &[0]);
        g.reshape(product, &[1])
    };
    let check = |points: &[f64], first: &[f64], second: &[f64]| {
        let mut b = Bound::new(5);
        let x = vector(&mut b, points);
        let g = &mut b.graph;
        let y = build(g, x);
        let sum = g.sum_all(y);
        let gradient = gradient(g, sum, &[x]).unwrap()[0];
        let ones = g.fill(1.0, &[points.len()]);
        let product = jvp(g, &[gradient], &[(x, ones)]).unwrap()[0];
        let values = b.values(&[gradient, product]);
        assert_eq!(values[0].as_slice(), Some(first));
        assert_eq!(values[1].as_slice(), Some(second));
    };
    check(&[2.0, 0.0, 5.0], &[0.0, 10.0, 0.0], &[5.0, 7.0, 2.0]);
    check(&[2.0, 0.0, 0.0], &[0.0, 0.0, 0.0], &[0.0, 2.0, 2.0]);
    check(&[0.0, 0.0, 0.0], &[0.0, 0.0, 0.0], &[0.0, 0.0, 0.0]);
    check(&[7.0], &[1.0], &[0.0]);
}

#[test]
fn what_does_not_depend_has_zeros() {
    let mut b = Bound::new(6);
    let (x, y) = (vector(&mut b, &[1.0, 2.0]), vector(&mut b, &[3.0]));
    let sum = b.graph.sum_all(x);
    let stopped = b.graph.stop_gradient(y);
    let stopped = b.graph.sum_all(stopped);
    let total = b.graph.add(sum, stopped);
    let roots = gradient(&mut b.graph, total, &[y, x]).unwrap();
    assert_eq!(b.values(&roots), [array![0.0].into_dyn(), array![1.0, 1.0].into_dyn()]);
    let one = b.graph.fill(1.0, &[1]);
    let tangent = jvp(&mut b.graph, &[total, x], &[(y, one)]).unwrap();
    assert_eq!(b.values(&tangent), [Array::zeros(IxDyn(&[])), Array::zeros(IxDyn(&[2]))]);
}

/// `y = u * x` with `u = x * x`: by `x` it is `3 x^2`, the way through `u` included, and by `u` it is `x`.
#[test]
fn intermediate_nodes_can_be_differentiated_by() {
    let mut b = Bound::new(7);
    let x = scalar(&mut b, 3.0);
    let u = b.graph.mul(x, x);
    let y = b.graph.mul(u, x);
    let roots = gradient(&mut b.graph, y, &[x, u]).unwrap();
    let values: Vec<f64> = b.values(&roots).iter().map(|v| v[IxDyn(&[])]).collect();
    assert_eq!(values, [27.0, 3.0]);
    let (dx, du) = (b.graph.constant(2.0), b.graph.constant(5.0));
    let tangent = jvp(&mut b.graph, &[y], &[(x, dx), (u, du)]).unwrap();
    assert_eq!(b.value(tangent[0])[IxDyn(&[])], 2.0 * 27.0 + 5.0 * 3.0);
}

static ROUGH: Operator = Operator {
    name: "rough",
    definition: "rough(x) = x",
    domain: "everywhere",
    surface: ops::Surface::Hidden,
    shape: ops::elementwise::real_unary,
    value: |_, x, _| x[0].clone(),
    derivative: Derivative::Undefined("it is only for this test"),
    curvature: ops::Curvature::Opaque("made up"),
    lowering: ops::Lowering::View,
    samples: Vec::new,
};

#[test]
fn nodes_without_derivative_are_errors_only_on_active_paths() {
    let mut b = Bound::new(8);
    let (x, y) = (scalar(&mut b, 1.0), scalar(&mut b, 2.0));
    let rough = b.graph.apply(&ROUGH, Attrs::None, &[x]);
    let sum = b.graph.add(rough, y);
    let error = DerivativeError { node: rough, reason: "it is only for this test" };
    assert_eq!(gradient(&mut b.graph, sum, &[x]), Err(error.clone()));
    let one = b.graph.constant(1.0);
    assert_eq!(jvp(&mut b.graph, &[sum], &[(x, one)]), Err(error));
    assert!(gradient(&mut b.graph, sum, &[y]).is_ok());
}

/// A second derivative of a chain of `n` nodes has a multiple of `n` nodes.
#[test]
fn cost_is_linear() {
    let size = |n: usize| {
        let mut b = Bound::new(9);
        let x = scalar(&mut b, 0.5);
        let mut y = x;
        for _ in 0..n {
            let sin = b.graph.unary(&ops::SIN, y);
            y = b.graph.mul(sin, y);
        }
        let first = gradient(&mut b.graph, y, &[x]).unwrap();
        let second = gradient(&mut b.graph, first[0], &[x]).unwrap();
        b.graph.reachable(&second).len()
    };
    assert!(size(400) <= 2 * size(200) + 100, "{} and {}", size(200), size(400));
}

/// Adjoint nodes come from the expression they are the adjoint of, and simplified nodes from what they replace.
#[test]
fn spans_are_carried_over() {
    let mut g = Graph::new();
    let (_, x) = g.add_input("x", Role::Lower, Type::scalar(Elem::Real));
    let sin_span = Some(Span::new(FileId(0), 10, 16));
    let outer = g.set_span(sin_span);
    let y = g.unary(&ops::SIN, x);
    g.set_span(outer);
    let two = g.constant(2.0);
    let z = g.mul(y, two);
    let roots = gradient(&mut g, z, &[x]).unwrap();
    assert_eq!(g.node(roots[0]).span, sin_span);
    let simple = simplify(&mut g, &[z, roots[0]]);
    assert_ne!(simple[0], z);
    assert_eq!(g.node(simple[0]).span, None);
    assert_eq!(g.node(simple[1]).span, sin_span);
}
