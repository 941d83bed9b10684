//! Code for registers of every width: the same bits from AVX-512, AVX2 and Cranelift's 128 bits, and the reference's values.

use blo_compiler::codegen::{Choice, Level, jit_at};
use blo_compiler::ir::graph::{NodeId, Role};
use blo_compiler::model::Precision;
use blo_compiler::ops;
use blo_compiler::types::{Elem, Type};
use blo_runtime::derivatives::Derivatives;
use ndarray::{ArrayD, IxDyn};

use crate::case::Case;

/// The elements of the roots at a level.
fn values(case: &mut Case, roots: &[NodeId], precision: Precision, level: Level) -> Vec<f64> {
    let len = roots.iter().map(|&r| case.g.ty(r).len()).sum();
    let loops = case.lower(roots, precision);
    let mut program =
        jit_at(&loops, &case.values, Choice::None, level).unwrap_or_else(|e| panic!("{e}\n{loops}"));
    let layout = case.layout();
    let (x, y) = (case.flat(&layout.upper), case.flat(&layout.lower));
    let mut out = vec![0.123; len];
    program.reports(&x, &y, &mut out);
    out
}

/// Bits, with one kind of NaN.
fn bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

/// Demands the same bits from every level.
fn agree(name: &str, case: &mut Case, roots: &[NodeId]) {
    for precision in [Precision::F64, Precision::F32] {
        let plain = values(case, roots, precision, Level::Portable);
        for level in Level::available() {
            let wide = values(case, roots, precision, level);
            let differs = (0..plain.len()).find(|&k| bits(wide[k]) != bits(plain[k]));
            if let Some(k) = differs {
                let (got, want, loops) = (wide[k], plain[k], case.lower(roots, precision));
                panic!("{name} {precision:?} {level:?}: element {k} is {got}, with 128 bits {want}\n{loops}");
            }
        }
    }
}

/// A random node over the pool, of operators that wide registers have.
fn node(case: &mut Case, pool: &[NodeId]) -> NodeId {
    let mut pick = || pool[case.rng.below(pool.len())];
    let (a, b, c) = (pick(), pick(), pick());
    let kind = case.rng.below(20);
    let g = &mut case.g;
    match kind {
        0..=2 => g.add(a, b),
        3..=4 => g.sub(a, b),
        5..=8 => g.mul(a, b),
        9 => g.binary(&ops::DIV, a, b),
        10 => g.unary(&ops::NEG, a),
        11 => g.unary(&ops::ABS, a),
        12 => g.unary(&ops::SQRT, a),
        13 => g.unary(&ops::FLOOR, a),
        14 => g.unary(&ops::SIGN, a),
        15 => g.min(a, b),
        16 => g.max(a, b),
        17 => {
            let less = g.binary(&ops::LT, a, b);
            let same = g.binary(&ops::LE, b, c);
            let other = g.unary(&ops::NOT, same);
            let both = g.binary(&ops::OR, less, other);
            let mask = g.binary(&ops::AND, both, less);
            g.select(mask, a, c)
        }
        18 => {
            let differ = g.binary(&ops::NE, a, b);
            g.cast(differ, Elem::Real)
        }
        _ => g.scale(a, 0.7),
    }
}

/// Random operations over vectors of `n` elements, some of them odd numbers, one number, and sums.
fn random(case: &mut Case, n: usize, inputs: usize, size: usize) -> Vec<NodeId> {
    let mut pool: Vec<NodeId> =
        (0..inputs).map(|k| case.real([Role::Lower, Role::Upper][k % 2], &[n])).collect();
    let odd = [f64::NAN, f64::INFINITY, -0.0, 0.0, f64::NEG_INFINITY, -2.5, 1e-310];
    let odd: Vec<f64> =
        (0..n).map(|k| if k % 5 == 1 { odd[k / 5 % odd.len()] } else { 0.25 * k as f64 }).collect();
    let odd = ArrayD::from_shape_vec(IxDyn(&[n]), odd).expect("as many as the shape says");
    pool.push(case.input(Role::Data, Type::new(Elem::Real, [n]), odd));
    let one = case.real(Role::Lower, &[]);
    pool.push(case.g.broadcast_scalar(one, &[n]));
    let first = pool.len();
    for _ in 0..size {
        let next = node(case, &pool);
        pool.push(next);
    }
    let mut roots: Vec<NodeId> = pool[first..].iter().copied().step_by(1 + size / 4).collect();
    let last = pool[pool.len() - 1];
    let (a, b) = (pool[case.rng.below(pool.len())], pool[case.rng.below(inputs)]);
    let product = case.g.mul(last, b);
    roots.extend([last, case.g.sum(product, &[0]), case.g.sum(a, &[0]), case.g.prod(b, &[0])]);
    roots.extend([case.g.max_over(a, &[0]), case.g.min_over(last, &[0])]);
    roots
}

#[test]
fn every_length_gives_the_same_bits_at_every_level() {
    for n in (1..=70).chain([255, 256, 257, 1000, 4095, 4096, 4097]) {
        let mut case = Case::new(n as u64 * 31 + 7);
        let roots = random(&mut case, n, 3, 12);
        agree(&format!("length {n}"), &mut case, &roots);
    }
}

#[test]
fn random_operations_give_the_same_bits_at_every_level() {
    for seed in 0..120 {
        let mut case = Case::new(seed * 77 + 5);
        let (n, inputs, size) = (16 + case.rng.below(120), 1 + case.rng.below(7), 2 + case.rng.below(40));
        let roots = random(&mut case, n, inputs, size);
        agree(&format!("random {seed}"), &mut case, &roots);
    }
}

/// More values alive at once than there are registers.
#[test]
fn values_that_do_not_fit_into_registers_go_through_memory() {
    for (live, n) in [(10, 67), (20, 67), (40, 67), (24, 512)] {
        let mut case = Case::new(live as u64);
        let (x, y) = (case.real(Role::Lower, &[n]), case.real(Role::Upper, &[n]));
        let g = &mut case.g;
        let mut terms = vec![x];
        for k in 1..live {
            let scaled = g.scale(y, 0.1 * k as f64);
            terms.push(g.mul(terms[k - 1], scaled));
        }
        // Every term is used once more, the first ones last.
        let mut total = y;
        for &term in terms.iter().rev() {
            let shifted = g.sub(term, total);
            total = g.max(shifted, term);
        }
        let sum = g.sum(total, &[0]);
        agree(&format!("{live} values"), &mut case, &[total, sum]);
        case.check(&format!("{live} values"), &[total, sum]);
    }
}

/// Rows with numbers of their own, columns that accumulate, slices that are not aligned, tiles between block kernels.
#[test]
fn rows_columns_and_tiles_give_the_same_bits_at_every_level() {
    for (m, n) in [(3, 40), (7, 129), (2, 300), (5, 16), (9, 33)] {
        let mut case = Case::new((m * n) as u64);
        let (x, r) = (case.real(Role::Lower, &[m, n]), case.real(Role::Upper, &[n]));
        let c = case.real(Role::Lower, &[m]);
        let g = &mut case.g;
        let (rows, cols) = (g.broadcast(r, &[m, n], &[1]), g.broadcast(c, &[m, n], &[0]));
        let squared = g.mul(cols, cols);
        let scaled = g.mul(x, squared);
        let shifted = g.sub(scaled, rows);
        let product = g.mul(shifted, x);
        let part = g.slice(shifted, &[0, 3], &[m, n]);
        let e = g.unary(&ops::EXP, shifted);
        let mixed = g.mul(e, product);
        let both = g.add(mixed, rows);
        let t = g.unary(&ops::TANH, both);
        let joined = g.concat(&[t, product], 1);
        let sums =
            [g.sum(product, &[1]), g.sum(product, &[0]), g.sum(mixed, &[0, 1]), g.max_over(both, &[0])];
        let roots = [vec![shifted, part, t, joined], sums.to_vec()].concat();
        agree(&format!("{m} x {n}"), &mut case, &roots);
        case.check(&format!("{m} x {n}"), &roots);
    }
}

#[test]
fn wide_code_agrees_with_the_reference() {
    for n in [16, 31, 64, 257, 4100] {
        let mut case = Case::new(n as u64);
        let (x, y) = (case.real(Role::Lower, &[n]), case.real(Role::Upper, &[n]));
        let s = case.real(Role::Lower, &[]);
        let g = &mut case.g;
        let s = g.broadcast_scalar(s, &[n]);
        let product = g.mul(x, y);
        let (fused, less) = (g.add(product, s), g.sub(s, product));
        let root = g.unary(&ops::ABS, less);
        let root = g.unary(&ops::SQRT, root);
        let two = g.fill(2.0, &[n]);
        let quotient = g.binary(&ops::DIV, fused, two);
        let above = g.binary(&ops::LT, x, y);
        let chosen = g.select(above, quotient, root);
        let extremes = [g.min(x, fused), g.max(chosen, y), g.unary(&ops::SIGN, less), g.unary(&ops::NEG, x)];
        let squares = g.mul(less, less);
        let sums =
            [g.sum(squares, &[0]), g.sum(chosen, &[0]), g.max_over(less, &[0]), g.min_over(root, &[0])];
        let roots = [vec![fused, less, root, quotient, chosen], extremes.to_vec(), sums.to_vec()].concat();
        case.check(&format!("length {n}"), &roots);
        agree(&format!("length {n}"), &mut case, &roots);
    }
}
