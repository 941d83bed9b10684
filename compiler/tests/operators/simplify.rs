//! Simplification: every rule fires in a case of its own and keeps the value, and whole derivatives come out as expected.

use crate::support::{Bound, assert_close};
use blo_compiler::ir::graph::{Graph, NodeId};
use blo_compiler::ops::{self, Operator};
use blo_compiler::passes::differentiate::gradient;
use blo_compiler::passes::simplify::{rules, simplify, simplify_noting};
use blo_compiler::types::{Elem, Type};
use ndarray::{IxDyn, array};

/// An expression for a rule, and the operator that the simplified root applies.
type Case = (&'static str, &'static Operator, fn(&mut Bound) -> NodeId);

fn vector(b: &mut Bound) -> NodeId {
    b.random_input(&[4])
}

/// A vector with entries in `[0.5, 1.5]`.
fn positive(b: &mut Bound) -> NodeId {
    let value = b.random_array(&[4]) * 0.5 + 1.0;
    b.input(&Type::new(Elem::Real, [4]), value)
}

fn truths(b: &mut Bound) -> NodeId {
    let (x, zero) = (vector(b), b.graph.fill(0.0, &[4]));
    b.graph.binary(&ops::LT, x, zero)
}

fn matrix(b: &mut Bound) -> NodeId {
    b.random_input(&[3, 4])
}

/// A vector repeated to a matrix `[3, 4]`, along the first axis.
fn row(b: &mut Bound) -> NodeId {
    let x = vector(b);
    b.graph.broadcast(x, &[3, 4], &[1])
}

/// A vector repeated to a matrix `[3, 4]`, along the second axis.
fn column(b: &mut Bound) -> NodeId {
    let x = b.random_input(&[3]);
    b.graph.broadcast(x, &[3, 4], &[0])
}

fn exp(b: &mut Bound, x: NodeId) -> NodeId {
    b.graph.unary(&ops::EXP, x)
}

fn log(b: &mut Bound, x: NodeId) -> NodeId {
    b.graph.unary(&ops::LOG, x)
}

fn fill(b: &mut Bound, value: f64) -> NodeId {
    b.graph.fill(value, &[4])
}

fn product(b: &mut Bound) -> NodeId {
    let (x, y) = (matrix(b), b.random_input(&[4, 5]));
    b.graph.contract(x, y, &[], &[(1, 0)])
}

const ARITHMETIC: &[Case] = &[
    ("constant operands", &ops::MUL, |b| {
        let (x, two) = (vector(b), fill(b, 2.0));
        let e = exp(b, two);
        b.graph.mul(e, x)
    }),
    ("add: operands in order", &ops::ADD, |b| {
        let (x, y) = (vector(b), vector(b));
        b.graph.add(y, x)
    }),
    ("mul: operands in order", &ops::MUL, |b| {
        let (x, k) = (vector(b), fill(b, 3.0));
        b.graph.mul(x, k)
    }),
    ("x + 0", &ops::INPUT, |b| {
        let (x, zero) = (vector(b), fill(b, 0.0));
        b.graph.add(x, zero)
    }),
    ("x + -y", &ops::SUB, |b| {
        let (x, y) = (vector(b), vector(b));
        let y = b.graph.neg(y);
        b.graph.add(x, y)
    }),
    ("j x + k x", &ops::MUL, |b| {
        let x = vector(b);
        let x3 = b.graph.scale(x, 3.0);
        b.graph.add(x, x3)
    }),
    ("sum of choices", &ops::SELECT, |b| {
        let (c, x, y, zero) = (truths(b), vector(b), vector(b), fill(b, 0.0));
        let p = b.graph.select(c, x, zero);
        let q = b.graph.select(c, zero, y);
        b.graph.add(p, q)
    }),
    ("x - 0", &ops::INPUT, |b| {
        let (x, zero) = (vector(b), fill(b, 0.0));
        b.graph.sub(x, zero)
    }),
    ("0 - x", &ops::NEG, |b| {
        let (x, zero) = (vector(b), fill(b, 0.0));
        b.graph.sub(zero, x)
    }),
    ("x - -y", &ops::ADD, |b| {
        let (x, y) = (vector(b), vector(b));
        let y = b.graph.neg(y);
        b.graph.sub(x, y)
    }),
    ("-(-x)", &ops::INPUT, |b| {
        let x = vector(b);
        let x = b.graph.neg(x);
        b.graph.neg(x)
    }),
    ("-(x - y)", &ops::SUB, |b| {
        let (x, y) = (vector(b), vector(b));
        let x = b.graph.sub(x, y);
        b.graph.neg(x)
    }),
    ("-(k x)", &ops::MUL, |b| {
        let x = vector(b);
        let x = b.graph.scale(x, 3.0);
        b.graph.neg(x)
    }),
    ("0 * x", &ops::BROADCAST, |b| {
        let x = vector(b);
        b.graph.scale(x, 0.0)
    }),
    ("1 * x", &ops::NEG, |b| {
        let x = vector(b);
        let x = b.graph.scale(x, -1.0);
        b.graph.scale(x, 1.0)
    }),
    ("x * (k y)", &ops::MUL, |b| {
        let (x, y) = (vector(b), vector(b));
        let (x, y) = (b.graph.scale(x, 2.0), b.graph.neg(y));
        b.graph.mul(x, y)
    }),
    ("x * (k / y)", &ops::DIV, |b| {
        let (x, y) = (vector(b), positive(b));
        let y = b.graph.reciprocal(y);
        b.graph.mul(x, y)
    }),
    ("x / k", &ops::MUL, |b| {
        let (x, k) = (vector(b), fill(b, 3.0));
        b.graph.div(x, k)
    }),
    ("0 / x", &ops::BROADCAST, |b| {
        let (x, zero) = (positive(b), fill(b, 0.0));
        b.graph.div(zero, x)
    }),
    ("(j x) / (k y)", &ops::MUL, |b| {
        let (x, y) = (vector(b), positive(b));
        let (x, y) = (b.graph.scale(x, 3.0), b.graph.neg(y));
        b.graph.div(x, y)
    }),
];

/// A sum of powers with every exponent that has a simple form, and one that has none.
fn powers(b: &mut Bound) -> NodeId {
    let mut sum = fill(b, 1.0);
    for exponent in [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 2.5] {
        let (x, exponent) = (positive(b), fill(b, exponent));
        let power = b.graph.pow(x, exponent);
        sum = b.graph.add(sum, power);
    }
    sum
}

const LOGIC: &[Case] = &[
    ("power with a simple exponent", &ops::ADD, powers),
    ("not not x", &ops::LT, |b| {
        let x = truths(b);
        let x = b.graph.not(x);
        b.graph.not(x)
    }),
    ("and with a constant", &ops::LT, |b| {
        let (x, yes) = (truths(b), b.graph.boolean(true));
        let yes = b.graph.broadcast_scalar(yes, &[4]);
        b.graph.and(x, yes)
    }),
    ("or with a constant", &ops::BROADCAST, |b| {
        let (x, yes) = (truths(b), b.graph.boolean(true));
        let yes = b.graph.broadcast_scalar(yes, &[4]);
        b.graph.or(x, yes)
    }),
    ("choice by a constant", &ops::INPUT, |b| {
        let (x, y, no) = (vector(b), vector(b), b.graph.boolean(false));
        let no = b.graph.broadcast_scalar(no, &[4]);
        b.graph.select(no, x, y)
    }),
    ("choice between equals", &ops::INPUT, |b| {
        let (c, x) = (truths(b), vector(b));
        b.graph.select(c, x, x)
    }),
    ("choice by a negation", &ops::SELECT, |b| {
        let (c, x, y) = (truths(b), vector(b), vector(b));
        let c = b.graph.not(c);
        b.graph.select(c, x, y)
    }),
    ("the same choice twice", &ops::SELECT, |b| {
        let (c, x, y, z) = (truths(b), vector(b), vector(b), vector(b));
        let inner = b.graph.select(c, x, y);
        b.graph.select(c, inner, z)
    }),
    ("cast of a cast", &ops::CAST, |b| {
        let x = truths(b);
        let x = b.graph.cast(x, Elem::Int);
        b.graph.cast(x, Elem::Real)
    }),
];

const STABLE: &[Case] = &[
    ("log(exp x)", &ops::INPUT, |b| {
        let x = vector(b);
        let x = exp(b, x);
        log(b, x)
    }),
    ("log(sigmoid x)", &ops::NEG, |b| {
        let x = vector(b);
        let x = b.graph.unary(&ops::SIGMOID, x);
        log(b, x)
    }),
    ("log(softmax x)", &ops::LOG_SOFTMAX, |b| {
        let x = matrix(b);
        let x = b.graph.softmax(x, 0);
        log(b, x)
    }),
    ("log of a view of softmax or sigmoid", &ops::GATHER, |b| {
        let x = matrix(b);
        let x = b.graph.softmax(x, 1);
        let x = b.graph.transpose(x, &[1, 0]);
        let index = b.input(&Type::new(Elem::Int, [2]), array![3.0, 1.0].into_dyn());
        let x = b.graph.gather(x, index, 0);
        log(b, x)
    }),
    ("log(sum(exp x))", &ops::ADD, |b| {
        let x = b.random_input(&[3, 4, 2]);
        let e = exp(b, x);
        let (one, two) = (b.graph.sum(e, &[1]), b.graph.sum(e, &[0, 2]));
        let (one, two) = (log(b, one), log(b, two));
        let (one, two) = (b.graph.sum_all(one), b.graph.sum_all(two));
        b.graph.add(one, two)
    }),
    ("log(k sum(exp x))", &ops::ADD, |b| {
        let x = matrix(b);
        let e = exp(b, x);
        let sum = b.graph.sum(e, &[1]);
        let mean = b.graph.scale(sum, 0.25);
        log(b, mean)
    }),
    ("log(1 + x)", &ops::LOG1P, |b| {
        let (x, one) = (positive(b), fill(b, 1.0));
        let x = b.graph.add(one, x);
        log(b, x)
    }),
    ("log(1 - x)", &ops::LOG1P, |b| {
        let (x, one) = (positive(b), fill(b, 1.0));
        let half = b.graph.scale(x, 0.5);
        let rest = b.graph.sub(one, half);
        log(b, rest)
    }),
    ("log1p(exp x)", &ops::SOFTPLUS, |b| {
        let (x, one) = (vector(b), fill(b, 1.0));
        let x = exp(b, x);
        let x = b.graph.add(one, x);
        log(b, x)
    }),
    ("log1p(-sigmoid x)", &ops::NEG, |b| {
        let (x, one) = (vector(b), fill(b, 1.0));
        let x = b.graph.unary(&ops::SIGMOID, x);
        let x = b.graph.sub(one, x);
        log(b, x)
    }),
    ("exp x - 1", &ops::EXPM1, |b| {
        let (x, one) = (vector(b), fill(b, 1.0));
        let x = exp(b, x);
        b.graph.sub(x, one)
    }),
    ("-1 + exp x", &ops::EXPM1, |b| {
        let (x, one) = (vector(b), fill(b, -1.0));
        let x = exp(b, x);
        b.graph.add(x, one)
    }),
    ("exp x / (1 + exp x)", &ops::MUL, |b| {
        let (x, y, one) = (vector(b), vector(b), fill(b, 1.0));
        let (ex, ny) = (exp(b, x), b.graph.neg(y));
        let ey = exp(b, ny);
        let (below_x, below_y) = (b.graph.add(one, ex), b.graph.add(one, ey));
        let (p, q) = (b.graph.div(ex, below_x), b.graph.div(one, below_y));
        b.graph.mul(p, q)
    }),
    ("exp x / sum(exp x)", &ops::SOFTMAX, |b| {
        let x = matrix(b);
        let e = exp(b, x);
        let sum = b.graph.sum(e, &[1]);
        let below = b.graph.broadcast(sum, &[3, 4], &[0]);
        b.graph.div(e, below)
    }),
];

const VIEWS: &[Case] = &[
    ("broadcast of a broadcast", &ops::BROADCAST, |b| {
        let x = row(b);
        b.graph.broadcast(x, &[3, 2, 4], &[0, 2])
    }),
    ("transpose of a transpose", &ops::INPUT, |b| {
        let x = b.random_input(&[2, 3, 4]);
        let x = b.graph.transpose(x, &[2, 0, 1]);
        b.graph.transpose(x, &[1, 2, 0])
    }),
    ("transpose of a broadcast", &ops::BROADCAST, |b| {
        let x = matrix(b);
        let x = b.graph.broadcast(x, &[3, 2, 4], &[0, 2]);
        b.graph.transpose(x, &[2, 1, 0])
    }),
    ("reshape of a reshape", &ops::RESHAPE, |b| {
        let x = matrix(b);
        let x = b.graph.reshape(x, &[2, 6]);
        b.graph.reshape(x, &[4, 3])
    }),
    ("reshape of a repeated scalar", &ops::BROADCAST, |b| {
        let x = b.random_input(&[]);
        let x = b.graph.broadcast_scalar(x, &[2, 6]);
        b.graph.reshape(x, &[4, 3])
    }),
    ("slice of a slice", &ops::SLICE, |b| {
        let x = b.random_input(&[6, 7]);
        let x = b.graph.slice(x, &[1, 2], &[5, 7]);
        b.graph.slice(x, &[1, 0], &[3, 4])
    }),
    ("slice of a broadcast", &ops::BROADCAST, |b| {
        let x = row(b);
        b.graph.slice(x, &[1, 1], &[3, 3])
    }),
    ("slice of a pad", &ops::SLICE, |b| {
        let x = matrix(b);
        let x = b.graph.pad(x, &[1, 2], &[0, 3]);
        b.graph.slice(x, &[2, 2], &[4, 5])
    }),
    ("slice of a part", &ops::SLICE, |b| {
        let (x, y) = (matrix(b), matrix(b));
        let x = b.graph.concat(&[x, y], 0);
        b.graph.slice(x, &[4, 1], &[6, 4])
    }),
    ("pad of a pad", &ops::PAD, |b| {
        let x = vector(b);
        let x = b.graph.pad(x, &[1], &[2]);
        b.graph.pad(x, &[0], &[3])
    }),
    ("pad of zeros", &ops::BROADCAST, |b| {
        let x = fill(b, 0.0);
        b.graph.pad(x, &[1], &[2])
    }),
    ("scatter of zeros", &ops::BROADCAST, |b| {
        let x = fill(b, 0.0);
        let index = b.input(&Type::new(Elem::Int, [4]), array![3.0, 1.0, 1.0, 0.0].into_dyn());
        b.graph.scatter_add(x, index, 0, 5)
    }),
    ("running sum of zeros", &ops::BROADCAST, |b| {
        let x = fill(b, 0.0);
        b.graph.cumsum(x, 0, true)
    }),
    ("gather of everything", &ops::INPUT, |b| {
        let (x, index) = (matrix(b), b.graph.iota(3));
        b.graph.gather(x, index, 0)
    }),
    ("elementwise on repeated operands", &ops::BROADCAST, |b| {
        let (x, y) = (row(b), row(b));
        let x = exp(b, x);
        b.graph.mul(x, y)
    }),
];

const SUMS: &[Case] = &[
    ("sum of a sum", &ops::SUM, |b| {
        let x = b.random_input(&[2, 3, 4]);
        let x = b.graph.sum(x, &[1]);
        b.graph.sum(x, &[1])
    }),
    ("sum of k x", &ops::MUL, |b| {
        let x = matrix(b);
        let x = b.graph.scale(x, 3.0);
        b.graph.sum(x, &[1])
    }),
    ("sum of a repetition", &ops::MUL, |b| {
        let x = row(b);
        b.graph.sum_all(x)
    }),
    ("sum of a transpose", &ops::TRANSPOSE, |b| {
        let x = b.random_input(&[2, 3, 4]);
        let x = b.graph.transpose(x, &[2, 0, 1]);
        b.graph.sum(x, &[1])
    }),
    ("sum of all of a rearrangement", &ops::SUM, |b| {
        let x = matrix(b);
        let x = b.graph.reshape(x, &[2, 6]);
        let x = b.graph.pad(x, &[1, 0], &[0, 2]);
        b.graph.sum_all(x)
    }),
    ("sum of single entries", &ops::RESHAPE, |b| {
        let x = b.random_input(&[3, 1, 2]);
        b.graph.sum(x, &[1])
    }),
    ("sum of x / c", &ops::DIV, |b| {
        let (x, c) = (matrix(b), b.random_input(&[3]));
        let c = exp(b, c);
        let c = b.graph.broadcast(c, &[3, 4], &[0]);
        let x = b.graph.div(x, c);
        b.graph.sum(x, &[1])
    }),
    ("sum of a contraction", &ops::DOT, |b| {
        let x = product(b);
        b.graph.sum(x, &[0])
    }),
    ("sum of products to contraction", &ops::DOT, |b| {
        let (x, y) = (matrix(b), row(b));
        let x = b.graph.mul(x, y);
        b.graph.sum(x, &[1])
    }),
];

const DOTS: &[Case] = &[
    ("contraction with zeros", &ops::BROADCAST, |b| {
        let (x, y) = (matrix(b), fill(b, 0.0));
        b.graph.contract(x, y, &[], &[(1, 0)])
    }),
    ("contraction of k x", &ops::MUL, |b| {
        let (x, y) = (matrix(b), vector(b));
        let (x, y) = (b.graph.neg(x), b.graph.scale(y, 3.0));
        b.graph.contract(x, y, &[], &[(1, 0)])
    }),
    ("contraction of a transpose", &ops::DOT, |b| {
        let (x, y) = (b.random_input(&[2, 3, 4]), matrix(b));
        let (x, y) = (b.graph.transpose(x, &[2, 0, 1]), b.graph.transpose(y, &[1, 0]));
        b.graph.contract(x, y, &[(0, 0)], &[(2, 1)])
    }),
    ("contraction of a repetition", &ops::BROADCAST, |b| {
        let (x, y) = (row(b), column(b));
        let y = b.graph.transpose(y, &[1, 0]);
        b.graph.contract(x, y, &[], &[(1, 0)])
    }),
    ("contraction over nothing", &ops::MUL, |b| {
        let (x, y) = (vector(b), vector(b));
        b.graph.contract(x, y, &[], &[])
    }),
    ("transpose of a contraction", &ops::DOT, |b| {
        let x = product(b);
        b.graph.transpose(x, &[1, 0])
    }),
    ("sum of contractions with a common operand", &ops::DOT, |b| {
        let (x, y, z) = (matrix(b), vector(b), vector(b));
        let (p, q) = (b.graph.contract(x, y, &[], &[(1, 0)]), b.graph.contract(x, z, &[], &[(1, 0)]));
        b.graph.add(p, q)
    }),
    ("difference of contractions with a common operand", &ops::DOT, |b| {
        let (x, y, z) = (matrix(b), matrix(b), vector(b));
        let (p, q) = (b.graph.contract(x, z, &[], &[(1, 0)]), b.graph.contract(y, z, &[], &[(1, 0)]));
        b.graph.sub(p, q)
    }),
];

const GROUPS: &[&[Case]] = &[ARITHMETIC, LOGIC, STABLE, VIEWS, SUMS, DOTS];

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
                let id = blo_compiler::ir::graph::InputId(id as u32);
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
