//! One case for every rewrite rule, in the order of the rules.

use blo_compiler::ir::graph::NodeId;
use blo_compiler::ops::{self, Operator};
use blo_compiler::types::{Elem, Type};
use ndarray::array;

use crate::support::Bound;

/// An expression for a rule, and the operator that the simplified root applies.
pub type Case = (&'static str, &'static Operator, fn(&mut Bound) -> NodeId);

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

/// Cases of the rules for stable forms.
pub const STABLE: &[Case] = &[
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

/// All cases, in the order of the rules.
pub const GROUPS: &[&[Case]] = &[ARITHMETIC, LOGIC, STABLE, VIEWS, SUMS, DOTS];
