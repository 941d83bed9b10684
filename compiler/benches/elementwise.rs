//! Fused elementwise chains, reductions and functions at three lengths, as machine code of each register width: one JSON object
//! a line with the case, the length, the precision, the level and the nanoseconds an element takes. The data are kept, one number
//! changes from call to call, and one element of the result is read.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark looks at the clock and prints"
)]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

use std::time::Instant;

use blo_compiler::codegen::{Choice, Level, jit_at};
use blo_compiler::entry::{Entry, Layout};
use blo_compiler::ir::eval::Bindings;
use blo_compiler::ir::graph::{Graph, InputId, NodeId, Role};
use blo_compiler::lower::lower;
use blo_compiler::model::Precision;
use blo_compiler::ops;
use blo_compiler::types::{Elem, Type};
use blo_runtime::derivatives::{Derivatives, Quantity};
use ndarray::{ArrayD, IxDyn};

/// A case by name, of three vectors and a number in all elements of a fourth.
type Case = (&'static str, fn(&mut Graph, [NodeId; 4]) -> NodeId);

const CASES: [Case; 7] = [
    ("axpy", |g, [a, b, _, s]| {
        let product = g.mul(a, s);
        g.add(product, b)
    }),
    ("chain10", |g, [a, b, c, s]| {
        let mut x = a;
        for (k, factor) in [b, c, s, b, c].into_iter().enumerate() {
            let product = g.mul(x, factor);
            x = if k % 2 == 0 { g.add(product, a) } else { g.sub(product, b) };
        }
        x
    }),
    ("reduce", |g, [a, b, c, s]| {
        let product = g.mul(a, b);
        let shifted = g.mul(c, s);
        let difference = g.sub(product, shifted);
        let square = g.mul(difference, difference);
        g.sum(square, &[0])
    }),
    ("exp", |g, [a, _, _, s]| {
        let scaled = g.mul(a, s);
        g.unary(&ops::EXP, scaled)
    }),
    ("sigmoid", |g, [a, _, _, s]| {
        let scaled = g.mul(a, s);
        g.unary(&ops::SIGMOID, scaled)
    }),
    ("tanh", |g, [a, _, _, s]| {
        let scaled = g.mul(a, s);
        g.unary(&ops::TANH, scaled)
    }),
    ("mix", |g, [a, b, c, s]| {
        let product = g.mul(a, s);
        let product = g.mul(product, b);
        let sum = g.add(b, c);
        let square = g.mul(c, c);
        let minus = g.unary(&ops::NEG, square);
        let (t, sigma) = (g.unary(&ops::TANH, product), g.unary(&ops::SIGMOID, sum));
        let (both, e) = (g.mul(t, sigma), g.unary(&ops::EXP, minus));
        g.add(both, e)
    }),
];

/// The best time of a call, in nanoseconds.
fn time(case: Case, n: usize, precision: Precision, level: Level) -> f64 {
    let mut g = Graph::new();
    let mut values = Bindings::new();
    let mut vectors = Vec::new();
    for k in 0..3 {
        let (id, node) = g.add_input(format!("v{k}"), Role::Data, Type::new(Elem::Real, [n]));
        let numbers = (0..n).map(|i| ((i * (7919 + k)) % 2000) as f64 / 1000.0 - 1.0).collect();
        values.set(id, ArrayD::from_shape_vec(IxDyn(&[n]), numbers).unwrap());
        vectors.push(node);
    }
    let (_, s) = g.add_input("s".to_string(), Role::Lower, Type::new(Elem::Real, Vec::<usize>::new()));
    let s = g.broadcast_scalar(s, &[n]);
    let result = case.1(&mut g, [vectors[0], vectors[1], vectors[2], s]);
    let output = if g.shape(result).is_empty() {
        result
    } else {
        let zero = g.fill_int(0, &[1]);
        g.gather(result, zero, 0)
    };
    let layout = Layout { lower: vec![InputId(3)], ..Layout::default() };
    let entries = [Entry { quantity: Quantity::Reports, outputs: vec![vec![output]] }];
    let loops = lower(&mut g, &layout, &entries, precision);
    let mut program = jit_at(&loops, &values, Choice::None, level).unwrap();
    // Blocks of a fraction of a millisecond: the best of many is not disturbed by other processes.
    let calls = (300_000 / n).max(1);
    let (mut best, mut out, mut s) = (f64::INFINITY, [0.0], 1.0);
    for _ in 0..if n > 1_000_000 { 15 } else { 200 } {
        let start = Instant::now();
        for _ in 0..calls {
            s += 1e-9;
            program.reports(&[], &[s], &mut out);
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / calls as f64);
    }
    best
}

fn main() {
    for case in CASES {
        for precision in [Precision::F64, Precision::F32] {
            for n in [1_000, 100_000, 10_000_000] {
                for level in Level::available() {
                    let nanoseconds = time(case, n, precision, level) / n as f64;
                    let dtype = if precision == Precision::F64 { "f64" } else { "f32" };
                    println!(
                        r#"{{"case":"{}","n":{n},"dtype":"{dtype}","level":"{level:?}","ns_per_element":{nanoseconds:.4}}}"#,
                        case.0
                    );
                }
            }
        }
    }
}
