//! Random sums of products and random contractions: the simplified form has the same value and the same gradients.

use blo_compiler::ir::graph::{DotAxes, NodeId};
use blo_compiler::ops;
use blo_compiler::passes::differentiate::gradient;
use blo_compiler::passes::simplify::simplify;
use rand::RngExt;
use rand::seq::SliceRandom;

use crate::support::{Bound, assert_close};

/// A random subset of `0..n`, ascending.
fn subset(b: &mut Bound, n: usize) -> Vec<usize> {
    (0..n).filter(|_| b.random.random_bool(0.5)).collect()
}

/// A random order of `0..n`.
fn order(b: &mut Bound, n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut b.random);
    order
}

/// An input of the given sizes, or an expression of one, or a transposed or a repeated one.
fn operand(b: &mut Bound, shape: &[usize]) -> NodeId {
    match b.random.random_range(0..6) {
        0 => {
            let x = b.random_input(shape);
            b.graph.unary(&ops::EXP, x)
        }
        1 => {
            let x = b.random_input(shape);
            b.graph.scale(x, -2.5)
        }
        2 => {
            let perm = order(b, shape.len());
            let mut turned = shape.to_vec();
            for (to, &from) in perm.iter().enumerate() {
                turned[from] = shape[to];
            }
            let x = b.random_input(&turned);
            b.graph.transpose(x, &perm)
        }
        3 => {
            let axes = subset(b, shape.len());
            let sizes: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
            let x = b.random_input(&sizes);
            b.graph.broadcast(x, shape, &axes)
        }
        _ => b.random_input(shape),
    }
}

/// Checks a node and the gradient of its squares by every input, before and after simplification.
fn check(b: &mut Bound, root: NodeId, what: &str) {
    let inputs: Vec<NodeId> =
        b.graph.iter().filter(|(_, n)| n.op.0.name == "input").map(|(id, _)| id).collect();
    let g = &mut b.graph;
    let squares = g.mul(root, root);
    let total = g.sum_all(squares);
    let mut roots = gradient(g, total, &inputs).unwrap();
    roots.push(root);
    let simple = simplify(g, &roots);
    let again = simplify(g, &simple);
    assert_eq!(simple, again, "{what}: simplifying twice changes something");
    let (before, after) = (b.values(&roots), b.values(&simple));
    for (before, after) in before.iter().zip(&after) {
        assert_close(before, after, 1e-9, 1e-9, what);
    }
}

#[test]
fn random_sums_of_products() {
    for seed in 0..400 {
        let mut b = Bound::new(seed);
        let shape = [2, 3, 4, 2];
        let rank = b.random.random_range(1..=4);
        let shape = &shape[..rank];
        let mut product = operand(&mut b, shape);
        for _ in 0..b.random.random_range(1..=3) {
            let axes = subset(&mut b, rank);
            let sizes: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
            let factor = operand(&mut b, &sizes);
            let factor = b.graph.broadcast(factor, shape, &axes);
            product = match b.random.random_range(0..8) {
                0 => b.graph.sub(product, factor),
                1 => {
                    let positive = b.graph.unary(&ops::EXP, factor);
                    b.graph.div(product, positive)
                }
                _ => b.graph.mul(product, factor),
            };
        }
        let axes = subset(&mut b, rank);
        let root = b.graph.sum(product, &axes);
        check(&mut b, root, &format!("sum of products, seed {seed}"));
    }
}

#[test]
fn random_contractions() {
    for seed in 0..400 {
        let mut b = Bound::new(1000 + seed);
        let (left, right) = (b.random.random_range(0..=4), b.random.random_range(0..=3));
        let mut left_shape = vec![2, 3, 2, 4];
        left_shape.truncate(left);
        let mut right_shape = vec![3, 2, 5];
        right_shape.truncate(right);
        let (left_order, right_order) = (order(&mut b, left), order(&mut b, right));
        let mut axes = DotAxes { batch: Default::default(), contract: Default::default() };
        for (&l, &r) in left_order.iter().zip(&right_order) {
            match b.random.random_range(0..3) {
                0 => axes.batch.push((l, r)),
                1 => axes.contract.push((l, r)),
                _ => continue,
            }
            right_shape[r] = left_shape[l];
        }
        let (x, y) = (operand(&mut b, &left_shape), operand(&mut b, &right_shape));
        let mut root = b.graph.dot(x, y, axes);
        let rank = b.graph.shape(root).len();
        let perm = order(&mut b, rank);
        root = b.graph.transpose(root, &perm);
        let summed = subset(&mut b, perm.len());
        root = b.graph.sum(root, &summed);
        check(&mut b, root, &format!("contraction, seed {}", 1000 + seed));
    }
}
