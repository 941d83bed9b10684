//! Machine code against the reference evaluator: every operator at its sample points, hand-written composites, lengths around
//! vector and tile sizes, and random graphs. Stages and the life of programs are in `program`, tiles in
//! `tiles`; every comparison is made with tiles of a few rows as well.

mod case;
mod dense;
mod direct;
mod program;
mod tiles;
mod wide;

use blo_compiler::ir::graph::{Attrs, DotAxes, NodeId, Role};
use blo_compiler::ops;
use blo_compiler::passes::differentiate::{gradient, jvp};
use blo_compiler::passes::simplify::simplify;
use blo_compiler::types::{Elem, Type};
use case::Case;
use ndarray::{ArrayD, IxDyn};

#[test]
fn every_operator_at_its_samples() {
    for &op in ops::all() {
        for (k, sample) in (op.samples)().into_iter().enumerate() {
            for role in [Role::Lower, Role::Data] {
                let mut case = Case::new(1);
                let mut inputs = Vec::new();
                for (ty, value) in &sample.inputs {
                    let role = if ty.elem == Elem::Real { role } else { Role::Data };
                    inputs.push(case.input(role, ty.clone(), value.clone()));
                }
                let root = match &sample.attrs {
                    Attrs::Input(_) => case.real(role, &[3]),
                    attrs => case.g.apply(op, attrs.clone(), &inputs),
                };
                case.check(&format!("{} sample {k}", op.name), &[root]);
            }
        }
    }
}

#[test]
fn lengths_around_vectors_and_tiles() {
    for n in (1..=70).chain([255, 256, 257, 1000, 4095, 4096, 4097, 9000]) {
        let mut case = Case::new(n as u64);
        let (x, y) = (case.real(Role::Upper, &[n]), case.real(Role::Lower, &[n]));
        let g = &mut case.g;
        let product = g.mul(x, y);
        let chain = g.sub(product, x);
        let squares = g.mul(chain, chain);
        let total = g.sum(squares, &[0]);
        let e = g.unary(&ops::EXP, y);
        let mixed = g.mul(e, chain);
        let tiled = g.sum(mixed, &[0]);
        let t = g.unary(&ops::TANH, product);
        let (top, low) = (g.max_over(mixed, &[0]), g.min_over(chain, &[0]));
        case.check(&format!("length {n}"), &[chain, total, mixed, tiled, t, top, low]);
    }
}

#[test]
fn reductions_over_every_subset_of_axes() {
    for shape in [[3, 4, 5], [1, 7, 2], [2, 1, 33], [5, 3, 1], [2, 2, 300]] {
        for subset in 1usize..8 {
            let axes: Vec<usize> = (0..3).filter(|k| subset >> k & 1 == 1).collect();
            let mut case = Case::new(subset as u64);
            let (x, y) = (case.real(Role::Lower, &shape), case.real(Role::Upper, &shape));
            let g = &mut case.g;
            let z = g.mul(x, y);
            let e = g.unary(&ops::SIGMOID, z);
            let sums = [g.sum(z, &axes), g.sum(e, &axes), g.prod(x, &axes)];
            let extremes = [g.max_over(z, &axes), g.min_over(e, &axes), g.add(z, y)];
            case.check(&format!("reduce {shape:?} over {axes:?}"), &[sums, extremes].concat());
        }
    }
}

#[test]
fn views_fold_into_their_readers() {
    let mut case = Case::new(5);
    let (a, b) = (case.real(Role::Lower, &[6, 8]), case.real(Role::Upper, &[8]));
    let g = &mut case.g;
    let rows = g.broadcast(b, &[6, 8], &[1]);
    let scaled = g.mul(a, rows);
    let turned = g.transpose(scaled, &[1, 0]);
    let part = g.slice(turned, &[1, 2], &[7, 6]);
    let flat = g.reshape(part, &[24]);
    let split = g.reshape(flat, &[2, 3, 4]);
    let swapped = g.transpose(split, &[2, 0, 1]);
    let e = g.unary(&ops::EXP, swapped);
    let back = g.reshape(e, &[4, 6]);
    let wide = g.broadcast(back, &[3, 4, 6], &[1, 2]);
    let s = g.sum(wide, &[0, 2]);
    let padded = g.pad(part, &[1, 0], &[2, 3]);
    let joined = [g.concat(&[part, part], 0), g.concat(&[part, part, part], 1)];
    let direct = g.transpose(a, &[1, 0]);
    let sub = g.slice(a, &[2, 0], &[4, 8]);
    let roots = [scaled, turned, part, flat, split, swapped, e, back, s, padded, direct, sub, rows];
    case.check("views", &[roots.as_slice(), &joined].concat());
}

#[test]
fn short_rows_share_tiles() {
    for (m, n) in [(5, 3), (100, 10), (33, 63), (700, 1), (2, 64), (257, 7)] {
        let mut case = Case::new((m * n) as u64);
        let (x, r, c) =
            (case.real(Role::Lower, &[m, n]), case.real(Role::Upper, &[n]), case.real(Role::Lower, &[m]));
        let g = &mut case.g;
        let (rows, cols) = (g.broadcast(r, &[m, n], &[1]), g.broadcast(c, &[m, n], &[0]));
        let inside = g.add(x, rows);
        let e = g.unary(&ops::EXP, inside);
        let l = g.unary(&ops::LOG1P, e);
        let out = g.mul(l, cols);
        let p = g.binary(&ops::POW, e, cols);
        let (by_row, by_col, all) = (g.sum(out, &[1]), g.sum(p, &[0]), g.sum(e, &[0, 1]));
        let turned = g.transpose(p, &[1, 0]);
        let t = g.unary(&ops::TANH, turned);
        case.check(&format!("tiles of {m} x {n}"), &[out, p, by_row, by_col, all, t]);
    }
}

#[test]
fn masks_and_whole_numbers() {
    for n in [1, 2, 3, 7, 64, 301] {
        let mut case = Case::new(n as u64);
        let (x, labels, k) = (case.real(Role::Lower, &[n, 5]), case.int(&[n], 5), case.int(&[n], 9));
        let g = &mut case.g;
        let classes = g.iota(5);
        let (rows, cols) = (g.broadcast(labels, &[n, 5], &[0]), g.broadcast(classes, &[n, 5], &[1]));
        let hot = g.binary(&ops::EQ, rows, cols);
        let zero = g.fill(0.0, &[n, 5]);
        let masked = g.select(hot, x, zero);
        let weights = g.cast(hot, Elem::Real);
        let positive = g.binary(&ops::LT, zero, x);
        let both = g.binary(&ops::AND, hot, positive);
        let neither = g.unary(&ops::NOT, both);
        let count = g.cast(neither, Elem::Real);
        let (two, three) = (g.fill_int(2, &[n]), g.fill_int(3, &[n]));
        let arithmetic = g.mul(k, three);
        let arithmetic = g.sub(arithmetic, labels);
        let (q, r) = (g.binary(&ops::INT_DIV, arithmetic, two), g.binary(&ops::INT_MOD, arithmetic, three));
        let total = g.sum(q, &[0]);
        let (largest, smallest) = (g.max_over(k, &[0]), g.min(k, labels));
        let picked = g.gather(x, labels, 1);
        let (best, worst) = (g.argmax(x, 1), g.argmin(x, 0));
        let real = g.cast(arithmetic, Elem::Real);
        let e = g.unary(&ops::EXP, masked);
        let roots =
            [masked, weights, count, q, r, total, largest, smallest, picked, best, worst, real, e, both];
        case.check(&format!("masks {n}"), &roots);
    }
}

#[test]
fn products_in_every_arrangement() {
    let axes = |batch: &[(usize, usize)], contract: &[(usize, usize)]| DotAxes {
        batch: batch.iter().copied().collect(),
        contract: contract.iter().copied().collect(),
    };
    let cases: &[(&[usize], &[usize], DotAxes)] = &[
        (&[7], &[7], axes(&[], &[(0, 0)])),
        (&[5, 7], &[7], axes(&[], &[(1, 0)])),
        (&[7, 5], &[7], axes(&[], &[(0, 0)])),
        (&[5, 7], &[7, 3], axes(&[], &[(1, 0)])),
        (&[7, 5], &[3, 7], axes(&[], &[(0, 1)])),
        (&[4], &[3], axes(&[], &[])),
        (&[4, 5, 7], &[4, 7, 3], axes(&[(0, 0)], &[(2, 1)])),
        (&[5, 4, 7], &[7, 4, 3], axes(&[(1, 1)], &[(2, 0)])),
        (&[2, 5, 3, 7], &[7, 3, 2, 6], axes(&[], &[(0, 2), (3, 0)])),
        (&[5, 2, 3], &[3, 2], axes(&[], &[(1, 1), (2, 0)])),
        (&[2, 3, 4], &[2, 3, 4], axes(&[(0, 0), (1, 1)], &[(2, 2)])),
        (&[40, 30], &[30, 10], axes(&[], &[(1, 0)])),
        (&[0, 3], &[3, 2], axes(&[], &[(1, 0)])),
        (&[2, 0], &[0, 2], axes(&[], &[(1, 0)])),
    ];
    for (k, (a, b, axes)) in cases.iter().enumerate() {
        let mut case = Case::new(k as u64 + 3);
        let (a, b) = (case.real(Role::Lower, a), case.real(Role::Upper, b));
        let g = &mut case.g;
        let plain = g.dot(a, b, axes.clone());
        let e = g.mul(a, a);
        let fused = g.dot(e, b, axes.clone());
        let out = g.add(plain, fused);
        case.check(&format!("product {k}"), &[plain, out]);
    }
}

#[test]
fn products_of_views_read_strides_or_copies() {
    let mut case = Case::new(8);
    let (x, w, v) =
        (case.real(Role::Data, &[9, 6]), case.real(Role::Lower, &[24]), case.real(Role::Upper, &[6]));
    let g = &mut case.g;
    let w = g.reshape(w, &[4, 6]);
    let turned = g.transpose(w, &[1, 0]);
    let z = g.contract(x, turned, &[], &[(1, 0)]);
    let some = g.slice(x, &[1, 1], &[8, 4]);
    let gram = g.contract(some, some, &[], &[(0, 0)]);
    let spread = g.broadcast(v, &[6, 4], &[0]);
    let s = g.contract(x, spread, &[], &[(1, 0)]);
    case.check("products of views", &[z, gram, s]);
}

#[test]
fn rows_scans_and_indices_along_any_axis() {
    for axis in 0..3 {
        let mut case = Case::new(axis as u64);
        let x = case.real(Role::Lower, &[4, 5, 3]);
        let index = case.int(&[4, 2], 5);
        let outside = ArrayD::from_shape_vec(IxDyn(&[3]), vec![-1.0, 3.0, 4.0]).unwrap();
        let outside = case.input(Role::Data, Type::new(Elem::Int, [3]), outside);
        let g = &mut case.g;
        let twice = g.scale(x, 2.0);
        let picked = g.gather(x, index, 1);
        let part = g.slice(x, &[0, 0, 0], &[3, 5, 3]);
        let roots = [
            g.softmax(twice, axis),
            g.log_softmax(x, axis),
            g.logsumexp(twice, axis),
            g.cumsum(x, axis, false),
            g.cumsum(twice, axis, true),
            g.argmax(x, axis),
            g.argmin(twice, axis),
            picked,
            g.scatter_add(picked, index, 1, 5),
            g.gather(x, outside, 0),
            g.scatter_add(part, outside, 0, 4),
        ];
        case.check(&format!("along {axis}"), &roots);
    }
}

#[test]
fn scalars_constants_and_nothing() {
    let mut case = Case::new(2);
    let (s, none) = (case.real(Role::Lower, &[]), case.real(Role::Upper, &[0]));
    let g = &mut case.g;
    let two = g.constant(2.0);
    let sum = g.add(s, two);
    let e = g.unary(&ops::EXP, sum);
    let zeros = g.fill(0.0, &[3]);
    let wide = g.broadcast_scalar(e, &[5]);
    let (total, product, top) = (g.sum(none, &[0]), g.prod(none, &[0]), g.max_over(none, &[0]));
    let double = g.scale(none, 2.0);
    case.check("scalars", &[sum, e, two, zeros, wide, total, product, top, double, s]);
}

#[test]
fn extremes_keep_nan() {
    for n in [1, 5, 12] {
        let mut case = Case::new(3);
        let values = (0..n).map(|k| if k % 3 == 0 { f64::NAN } else { f64::from(k) - 1.5 }).collect();
        let a = ArrayD::from_shape_vec(IxDyn(&[n as usize]), values).unwrap();
        let a = case.input(Role::Lower, Type::new(Elem::Real, [n as usize]), a);
        let b = case.real(Role::Upper, &[n as usize]);
        let g = &mut case.g;
        let roots =
            [g.min(a, b), g.max(a, b), g.min(b, a), g.max(b, a), g.max_over(a, &[0]), g.min_over(a, &[0])];
        let more = [g.unary(&ops::SIGN, a), g.unary(&ops::RELU, a)];
        case.check("NaN", &[roots.as_slice(), &more].concat());
    }
}

#[test]
fn derived_gradients_and_second_order_products() {
    let mut case = Case::new(21);
    let (x, labels) = (case.real(Role::Data, &[13, 6]), case.int(&[13], 4));
    let (u, w) = (case.real(Role::Upper, &[13]), case.real(Role::Lower, &[6, 4]));
    let v = case.real(Role::Lower, &[6, 4]);
    let g = &mut case.g;
    let s = g.unary(&ops::SOFTPLUS, u);
    let z = g.contract(x, w, &[], &[(1, 0)]);
    let h = g.unary(&ops::GELU, z);
    let logp = g.log_softmax(h, 1);
    let picked = g.gather(logp, labels, 1);
    let terms = g.mul(picked, s);
    let loss = g.sum(terms, &[0]);
    let gradients = gradient(g, loss, &[u, w]).unwrap();
    let products = jvp(g, &gradients, &[(w, v)]).unwrap();
    let roots = [vec![loss], gradients, products].concat();
    let simple = simplify(g, &roots);
    case.check("derived", &roots);
    case.check("derived and simplified", &simple);
}

#[test]
fn random_graphs() {
    for seed in 0..400 {
        let mut case = Case::new(seed * 77 + 5);
        let shape: Vec<usize> = (0..1 + case.rng.below(3)).map(|_| 1 + case.rng.below(9)).collect();
        let mut pool: Vec<NodeId> =
            [Role::Data, Role::Upper, Role::Lower].map(|r| case.real(r, &shape)).to_vec();
        for _ in 0..18 {
            let (a, b) = (pool[case.rng.below(pool.len())], pool[case.rng.below(pool.len())]);
            let pick = case.rng.below(14);
            pool.push(random_node(&mut case, pick, a, b));
        }
        let last = pool[pool.len() - 1];
        let roots: Vec<NodeId> = pool[3..].iter().copied().step_by(3).chain([last]).collect();
        case.check_within(&format!("random {seed}"), &roots, 1e-11, 1e-3);
    }
}

fn random_node(case: &mut Case, pick: usize, a: NodeId, b: NodeId) -> NodeId {
    let g = &mut case.g;
    let (shape, other) = (g.shape(a).clone(), g.shape(b).clone());
    let (rank, same) = (shape.len(), shape == other);
    match pick {
        0 if same => g.add(a, b),
        1 if same => g.mul(a, b),
        2 if same => {
            let c = g.binary(&ops::LT, a, b);
            let t = g.unary(&ops::TANH, b);
            g.select(c, a, t)
        }
        3 => g.unary(&ops::TANH, a),
        4 => g.unary(&ops::SIN, a),
        5 if rank > 0 => g.sum(a, &[case.rng.below(rank)]),
        6 if rank < 3 => {
            let wide: Vec<usize> = std::iter::once(3).chain(shape.iter().copied()).collect();
            let map: Vec<usize> = (1..wide.len()).collect();
            g.broadcast(a, &wide, &map)
        }
        7 => {
            let perm: Vec<usize> = (0..rank).rev().collect();
            g.transpose(a, &perm)
        }
        8 if rank > 0 && shape[0] > 1 => {
            let mut start = vec![0; rank];
            start[0] = 1;
            g.slice(a, &start, &shape)
        }
        9 => g.reshape(a, &[shape.iter().product()]),
        10 if rank > 0 && !other.is_empty() && shape[0] == other[0] && rank + other.len() <= 4 => {
            g.contract(a, b, &[], &[(0, 0)])
        }
        11 if rank > 0 => g.softmax(a, 0),
        12 if rank > 0 => g.concat(&[a, a], 0),
        _ => {
            let half = g.scale(a, 0.5);
            g.max(half, a)
        }
    }
}
