//! Simplification: every rule fires in a case of its own and keeps the value, and whole derivatives come out as expected.

use blo_compiler::ir::graph::{Graph, InputId, NodeId};
use blo_compiler::ops::{self, Operator};
use blo_compiler::passes::differentiate::gradient;
use blo_compiler::passes::simplify::{rules, simplify, simplify_noting};
use blo_compiler::types::{Elem, Type};
use ndarray::IxDyn;

use crate::cases::{GROUPS, STABLE};
use crate::support::{Bound, assert_close};

#[test]
fn every_rule_fires_and_keeps_the_value() {
    for &(rule, op, build) in GROUPS.iter().copied().flatten() {
        for seed in 0..3 {
            let mut bound = Bound::new(seed);
            let root = build(&mut bound);
            let mut fired = Vec::new();
            let simple = simplify_noting(&mut bound.graph, &[root], &mut |name| fired.push(name))[0];
            assert!(fired.contains(&rule), "`{rule}` did not fire, only {fired:?}");
            assert_eq!(bound.graph.node(simple).op.0.name, op.name, "after {fired:?}");
            let values = bound.values(&[root, simple]);
            assert_close(&values[0], &values[1], 1e-13, 1e-14, &format!("{rule}, seed {seed}"));
        }
    }
}

#[test]
fn every_rule_has_a_case() {
    let cases: Vec<&str> = GROUPS.iter().copied().flatten().map(|case| case.0).collect();
    let names: Vec<&str> = rules().map(|rule| rule.name).collect();
    assert_eq!(cases, names, "cases and rules in the same order");
}

#[test]
fn simplifying_twice_changes_nothing() {
    for &(rule, _, build) in GROUPS.iter().copied().flatten() {
        let mut bound = Bound::new(7);
        let root = build(&mut bound);
        let once = simplify(&mut bound.graph, &[root]);
        let mut fired = Vec::new();
        let twice = simplify_noting(&mut bound.graph, &once, &mut |name| fired.push(name));
        assert_eq!(once, twice, "case `{rule}`: {fired:?}");
    }
}

#[test]
fn stable_forms_do_not_overflow() {
    for &(rule, _, build) in STABLE {
        if ["log(1 + x)", "log(1 - x)", "exp x - 1", "-1 + exp x", "log(k sum(exp x))"].contains(&rule) {
            continue;
        }
        let mut bound = Bound::new(3);
        let root = build(&mut bound);
        let simple = simplify(&mut bound.graph, &[root])[0];
        for (id, input) in bound.graph.inputs().iter().enumerate() {
            if input.ty.elem == Elem::Real {
                let id = InputId(id as u32);
                let large = bound.bindings.get(id).unwrap() * 2000.0;
                bound.bindings.set(id, large);
            }
        }
        assert!(bound.value(simple).iter().all(|x| x.is_finite()), "{rule}: {}", bound.value(simple));
    }
}

#[test]
fn infinite_constants_stay_visible() {
    let mut bound = Bound::new(1);
    let zero = bound.graph.constant(0.0);
    let log = bound.graph.unary(&ops::LOG, zero);
    let simple = simplify(&mut bound.graph, &[log])[0];
    assert!(bound.graph.is(simple, &ops::LOG));
}

/// How often `op` is applied in what `roots` depend on.
fn count(g: &Graph, roots: &[NodeId], op: &'static Operator) -> usize {
    g.reachable(roots).into_iter().filter(|&id| g.is(id, op)).count()
}

/// The largest number of entries of a value that is computed elementwise.
fn largest_elementwise(g: &Graph, roots: &[NodeId]) -> usize {
    let elementwise =
        |op: &Operator| matches!(op.lowering, ops::Lowering::Instruction(_) | ops::Lowering::Kernel(_));
    let sizes = g.reachable(roots).into_iter().filter(|&id| elementwise(g.node(id).op.0));
    sizes.map(|id| g.ty(id).len()).max().unwrap_or(0)
}

/// A product written with loop indices, as comprehensions are: `e(i, j, k) = a[i, j] * b[j, k]` over `[7, 8, 9]`.
#[test]
fn products_under_sums_are_not_written_down() {
    let mut b = Bound::new(5);
    let (a, w) = (b.random_input(&[7, 8]), b.random_input(&[8, 9]));
    let left = b.graph.broadcast(a, &[7, 8, 9], &[0, 1]);
    let right = b.graph.broadcast(w, &[7, 8, 9], &[1, 2]);
    let product = b.graph.mul(left, right);
    let scores = b.graph.sum(product, &[1]);
    let simple = simplify(&mut b.graph, &[scores])[0];
    assert_eq!(
        blo_compiler::ir::print::print(&b.graph, &[("scores", simple)]),
        "%0 = input x0 : real[7, 8]  # lower\n%1 = input x1 : real[8, 9]  # lower\n\
         %6 = dot(%0, %1) {contract: 1-0} : real[7, 9]  # lower\nscores = %6\n"
    );
    let values = b.values(&[scores, simple]);
    assert_close(&values[0], &values[1], 1e-12, 1e-14, "scores");
}

/// `sum over i, j, k of a[i] b[j] c[k] m[i, j] n[j, k]`: every order of contraction gives the same, none writes `[i, j, k]`.
#[test]
fn several_factors_are_contracted_pair_by_pair() {
    let mut b = Bound::new(6);
    let shape = [5, 6, 7];
    let mut product = b.graph.fill(1.0, &shape);
    for axes in [&[0][..], &[0, 1], &[1, 2], &[2]] {
        let sizes: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
        let factor = b.random_input(&sizes);
        let factor = b.graph.broadcast(factor, &shape, axes);
        product = b.graph.mul(product, factor);
    }
    let sum = b.graph.sum_all(product);
    let partial = b.graph.sum(product, &[0, 2]);
    let simple = simplify(&mut b.graph, &[sum, partial]);
    assert!(largest_elementwise(&b.graph, &simple) <= 7);
    let (before, after) = (b.values(&[sum, partial]), b.values(&simple));
    for (before, after) in before.iter().zip(&after) {
        assert_close(before, after, 1e-11, 1e-13, "product of five");
    }
}

/// The gradient of a weighted logistic loss costs one product with the data forwards and one backwards.
#[test]
fn logistic_regression_gradient_has_two_products() {
    let mut b = Bound::new(8);
    let (x, w, v) = (b.random_input(&[20, 6]), b.random_input(&[6]), b.random_input(&[20]));
    let g = &mut b.graph;
    let scores = g.contract(x, w, &[], &[(1, 0)]);
    let loss = g.unary(&ops::SOFTPLUS, scores);
    let weight = g.unary(&ops::SIGMOID, v);
    let weighted = g.mul(weight, loss);
    let total = g.sum(weighted, &[0]);
    let objective = g.scale(total, 1.0 / 20.0);
    let roots = gradient(g, objective, &[w, v]).unwrap();
    let simple = simplify(g, &roots);
    assert_eq!(count(g, &simple, &ops::DOT), 2);
    assert_eq!(count(g, &simple, &ops::SUM), 0);
    let (before, after) = (b.values(&roots), b.values(&simple));
    for (before, after) in before.iter().zip(&after) {
        assert_close(before, after, 1e-12, 1e-14, "gradient");
    }
}

/// A chain far deeper than the machine's stack would bear.
#[test]
fn deep_graphs_are_simplified() {
    let mut b = Bound::new(9);
    let x = b.input(&Type::scalar(Elem::Real), ndarray::ArrayD::from_elem(IxDyn(&[]), 0.3));
    let mut y = x;
    for _ in 0..20_000 {
        y = b.graph.unary(&ops::SIN, y);
        let zero = b.graph.constant(0.0);
        y = b.graph.add(y, zero);
    }
    let gradient = gradient(&mut b.graph, y, &[x]).unwrap();
    let simple = simplify(&mut b.graph, &[y, gradient[0]]);
    assert_eq!(count(&b.graph, &simple, &ops::ADD), 0);
    assert_eq!(count(&b.graph, &simple, &ops::SIN), 20_000);
}
