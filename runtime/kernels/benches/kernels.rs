//! Timings of the kernels, the products in turns with faer: `cargo bench -p blo-kernels [-- products|tiles|elementwise]`.
//!
//! Each figure is the best of several rounds on one thread; pin the process to a core. Operands are in cache where they
//! fit, except in the tiles, which go over 31 MB (half of that in single precision) as a gradient over its data does.
#![allow(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark reads the clock and prints"
)]

use blo_kernels::{Float, Kernel, Level, Precision, Signature, Unary, gemm, gemm_tile, map, symbol};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use std::time::Instant;

/// Rounds of every timing.
const ROUNDS: usize = 40;

/// An element type with what the benchmark says about it.
trait Number: Float + std::ops::Mul<Output = Self> + std::ops::Sub<Output = Self> {
    const PRECISION: Precision;
    const NAME: &'static str;
    fn of(x: f64) -> Self;
}
impl Number for f64 {
    const PRECISION: Precision = Precision::Double;
    const NAME: &'static str = "f64";
    fn of(x: f64) -> Self {
        x
    }
}
impl Number for f32 {
    const PRECISION: Precision = Precision::Single;
    const NAME: &'static str = "f32";
    fn of(x: f64) -> Self {
        x as f32
    }
}

/// Numbers between -1/2 and 1/2 from a fixed sequence.
fn numbers<T: Number>(count: usize) -> Vec<T> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    };
    (0..count).map(|_| T::of(next())).collect()
}

/// Seconds of one call, the best of the rounds; short calls are repeated.
fn best(repeats: usize, mut call: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..repeats {
            call();
        }
        best = best.min(start.elapsed().as_secs_f64() / repeats as f64);
    }
    best
}

#[rustfmt::skip]
const SHAPES: &[[usize; 3]] = &[
    [4, 4, 4], [8, 8, 8], [10, 10, 10], [16, 16, 16], [20, 20, 20], [32, 32, 32], [48, 48, 48], [64, 64, 64], [128, 128, 128],
    [16, 16, 256], [16, 256, 16], [256, 16, 16], [100, 10, 100], [10, 200, 32], [32, 10, 784], [64, 20, 200], [500, 200, 784],
    [2000, 5, 200], [5000, 10, 784], [784, 10, 5000], [2000, 1, 200], [200, 1, 2000], [1024, 1024, 1024],
];

/// Own rate, faer's, and their ratio, for each layout of the factors: n is row-major, t the transpose of such.
fn products<T: Number>() {
    for &[m, n, k] in SHAPES {
        let (a, b) = (numbers::<T>(m * k), numbers::<T>(n * k));
        let mut c = vec![T::of(0.0); m * n];
        let operations = 2.0 * (m * n * k) as f64;
        let repeats = (3e5 / operations) as usize + 1;
        print!("{} {m} x {n} x {k}, GFLOP/s:", T::NAME);
        for (turned, name) in [((false, false), "nn"), ((true, false), "tn"), ((false, true), "nt")] {
            let (ar, ac) = if turned.0 { (1, m) } else { (k, 1) };
            let (br, bc) = if turned.1 { (1, k) } else { (n, 1) };
            let (pa, pb, pc) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
            // SAFETY: the matrices have these shapes and strides.
            let own = best(repeats, || unsafe {
                gemm(m, n, k, pc, n, 1, pa, ar, ac, pb, br, bc, T::of(1.0), false, 1);
            });
            // SAFETY: as above.
            let other = best(repeats, || unsafe {
                let to = MatMut::from_raw_parts_mut(pc, m, n, n as isize, 1);
                let left = MatRef::from_raw_parts(pa, m, k, ar as isize, ac as isize);
                let right = MatRef::from_raw_parts(pb, k, n, br as isize, bc as isize);
                matmul(to, Accum::Replace, left, right, T::of(1.0), Par::Seq);
            });
            let rate = |seconds: f64| operations / seconds / 1e9;
            print!("  {name} {:.1} faer {:.1} ({:.2})", rate(own), rate(other), other / own);
        }
        println!();
    }
}

/// The gradient of softmax regression (5000 samples, 784 features, k classes) tile by tile; each part the sum over the tiles
/// of its best time.
fn tiles<T: Number>(k: usize, tile: usize, fetch: bool) {
    let (n, d) = (5000, 784);
    let (x, w) = (numbers::<T>(n * d), numbers::<T>(d * k));
    let (mut scores, mut g) = (vec![T::of(0.0); tile * k], vec![T::of(0.0); d * k]);
    let mut shares = vec![T::of(0.0); tile * k];
    let mut parts = vec![[f64::MAX; 3]; n.div_ceil(tile)];
    for _ in 0..ROUNDS {
        for (i, part) in (0..n).step_by(tile).zip(&mut parts) {
            let rows = tile.min(n - i);
            let ahead = if fetch { n - i - rows } else { 0 };
            let at = x[i * d..].as_ptr();
            let mut clock = Instant::now();
            let mut lap = |p: usize| {
                part[p] = part[p].min(clock.elapsed().as_secs_f64());
                clock = Instant::now();
            };
            let to = (scores.as_mut_ptr(), k, 1);
            // SAFETY: the tile is inside X; the others have the shapes said.
            unsafe { gemm_tile((rows, k, d), to, (at, d, 1), (w.as_ptr(), 1, d), T::of(1.0), false, ahead) };
            lap(0);
            map::softmax_rows(rows, k, &mut shares[..rows * k], &scores[..rows * k]);
            for row in shares.chunks_exact_mut(k) {
                row[i % k] -= T::of(1.0);
            }
            lap(1);
            let residual = (shares.as_ptr(), 1, k);
            // SAFETY: as above.
            unsafe {
                gemm_tile(
                    (k, d, rows),
                    (g.as_mut_ptr(), d, 1),
                    residual,
                    (at, d, 1),
                    T::of(1e-4),
                    i > 0,
                    ahead,
                )
            };
            lap(2);
        }
    }
    let [s, p, g] = [0, 1, 2].map(|p| 1e3 * parts.iter().map(|part| part[p]).sum::<f64>());
    println!(
        "{} gradient of {k} classes, tiles of {tile}{}: {:.2} ms (scores {s:.2}, softmax {p:.2}, gradient {g:.2})",
        T::NAME,
        if fetch { ", fetched ahead" } else { "" },
        s + p + g
    );
}

/// Nanoseconds an element over 4000 numbers.
fn elementwise<T: Number>() {
    let x: Vec<T> = numbers(4000);
    let mut out = x.clone();
    print!("{} ns an element:", T::NAME);
    for &kernel in Kernel::ALL.iter().filter(|kernel| kernel.signature() == Signature::Unary) {
        let address = symbol(kernel, T::PRECISION).address;
        // SAFETY: the kernel has this signature.
        let code = unsafe { std::mem::transmute::<*const u8, Unary<T>>(address) };
        // SAFETY: both arrays have this length.
        let seconds = best(10, || unsafe { code(x.len(), out.as_mut_ptr(), x.as_ptr()) });
        print!("  {} {:.2}", kernel.name(), seconds * 1e9 / x.len() as f64);
    }
    let y: Vec<T> = numbers(4000);
    let base: Vec<T> = x.iter().map(|&x| x * x).collect();
    let seconds = best(10, || map::pow(&mut out, &base, &y));
    println!("  pow {:.2}", seconds * 1e9 / x.len() as f64);
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let asked = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    println!("level {:?}", Level::detect());
    if asked("products") {
        products::<f64>();
        products::<f32>();
    }
    if asked("tiles") {
        for (k, tile) in [(10, 32), (10, 64), (20, 32), (1, 64)] {
            for fetch in [false, true] {
                tiles::<f64>(k, tile, fetch);
                tiles::<f32>(k, tile, fetch);
            }
        }
    }
    if asked("elementwise") {
        elementwise::<f64>();
        elementwise::<f32>();
    }
}
