//! What every kernel owes whatever it computes: any length, in place, nothing written past the end, the same bits
//! at all levels that fuse, and at all that do not. Also the values of reductions and row kernels, and the symbol table.

use crate::common::{Number, Random, binary, reduction, reduction2, rows, unary};
use blo_kernels::{Kernel, Level, One, Precision, Signature, Two, blas1, lookup, map, singles_for, symbols};

const GUARD: f64 = 12345.0;

fn numbers<T: Number>(n: usize, seed: u64, low: f64, high: f64) -> Vec<T> {
    let mut random = Random(seed);
    (0..n).map(|_| T::of(random.uniform(low, high))).collect()
}

fn with(signature: Signature) -> impl Iterator<Item = Kernel> {
    Kernel::ALL.iter().copied().filter(move |k| k.signature() == signature)
}

/// Runs an elementwise kernel out of place and in place with a guard behind the end; returns the values' bits.
fn elementwise<T: Number>(level: Level, kernel: Kernel, x: &[T], y: &[T]) -> Vec<u64> {
    let n = x.len();
    let call = |out: *mut T, a: *const T, b: *const T| {
        // SAFETY: all arrays have n elements.
        unsafe {
            if kernel.signature() == Signature::Unary {
                unary::<T>(level, kernel)(n, out, a);
            } else {
                binary::<T>(level, kernel)(n, out, a, b);
            }
        }
    };
    let guarded = |x: &[T]| [x, &[T::of(GUARD); 20]].concat();
    let mut out = guarded(&vec![T::of(f64::NAN); n]);
    call(out.as_mut_ptr(), x.as_ptr(), y.as_ptr());
    let mut left = guarded(x);
    let p = left.as_mut_ptr();
    call(p, p, y.as_ptr());
    let mut right = guarded(y);
    let p = right.as_mut_ptr();
    if kernel.signature() == Signature::Binary {
        call(p, x.as_ptr(), p);
    }
    let bits = |x: &[T]| x.iter().map(|x| x.bits()).collect::<Vec<_>>();
    assert_eq!(bits(&out), bits(&left), "{kernel:?} {level:?} in place");
    assert!(out[n..].iter().all(|&g| g == T::of(GUARD)), "{kernel:?} {level:?} writes past the end");
    if kernel.signature() == Signature::Binary {
        assert_eq!(bits(&out), bits(&right), "{kernel:?} {level:?} in place of the second");
    }
    bits(&out[..n])
}

fn check_elementwise<T: Number>() {
    for kernel in with(Signature::Unary).chain(with(Signature::Binary)) {
        for n in (0..70).chain([255, 256, 1001]) {
            let x = numbers::<T>(n, n as u64, -3.0, 3.0);
            let y = numbers::<T>(n, 1000 + n as u64, -3.0, 3.0);
            let results: Vec<(Level, Vec<u64>)> =
                Level::available().into_iter().map(|l| (l, elementwise(l, kernel, &x, &y))).collect();
            for (level, bits) in &results {
                let alike = results.iter().find(|(other, _)| other.fused() == level.fused());
                assert_eq!(Some(bits), alike.map(|(_, bits)| bits), "{kernel:?} {level:?} n = {n}");
                // A value must not depend on its place among the lanes.
                let alone = elementwise(*level, kernel, &x[n / 2..], &y[n / 2..]);
                assert_eq!(&alone, &bits[n / 2..], "{kernel:?} {level:?} n = {n} shifted");
            }
        }
    }
}

#[test]
fn elementwise_kernels_take_any_length_and_work_in_place() {
    check_elementwise::<f64>();
    check_elementwise::<f32>();
}

fn check_singles<T: Number>() {
    let x = numbers::<T>(200, 3, -3.0, 3.0);
    let y = numbers::<T>(200, 4, -3.0, 3.0);
    for level in Level::available() {
        let singles: Vec<_> =
            singles_for(level).into_iter().filter(|s| s.precision == T::PRECISION).collect();
        let elementwise_kernels = with(Signature::Unary).chain(with(Signature::Binary));
        assert!(elementwise_kernels.eq(singles.iter().map(|s| s.kernel)), "one form each, in order");
        for single in singles {
            let bits = elementwise(level, single.kernel, &x, &y);
            for ((x, y), bits) in x.iter().zip(&y).zip(bits) {
                // SAFETY: the code has the kernel's number of operands, and the machine has the level.
                let value = unsafe {
                    if single.kernel.signature() == Signature::Unary {
                        std::mem::transmute::<*const u8, One<T>>(single.address)(*x)
                    } else {
                        std::mem::transmute::<*const u8, Two<T>>(single.address)(*x, *y)
                    }
                };
                assert_eq!(value.bits(), bits, "{} {level:?}", single.name);
            }
        }
    }
}

#[test]
fn a_number_in_a_register_gives_the_bits_of_an_array() {
    check_singles::<f64>();
    check_singles::<f32>();
}

/// The kernel's value, by either signature.
fn reduce<T: Number>(level: Level, kernel: Kernel, x: &[T], y: &[T]) -> T {
    // SAFETY: both arrays have x.len() elements.
    unsafe {
        if kernel.signature() == Signature::Reduce {
            reduction::<T>(level, kernel)(x.len(), x.as_ptr())
        } else {
            reduction2::<T>(level, kernel)(x.len(), x.as_ptr(), y.as_ptr())
        }
    }
}

fn exact(kernel: Kernel, x: &[f64], y: &[f64]) -> f64 {
    match kernel {
        Kernel::Sum => x.iter().sum(),
        Kernel::SumSquares => x.iter().map(|x| x * x).sum(),
        Kernel::Dot => x.iter().zip(y).map(|(x, y)| x * y).sum(),
        Kernel::Max => x.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Kernel::Min => x.iter().copied().fold(f64::INFINITY, f64::min),
        other => panic!("{other:?} is not a reduction"),
    }
}

fn check_reductions<T: Number>(widen: fn(T) -> f64) {
    for kernel in with(Signature::Reduce).chain(with(Signature::Reduce2)) {
        for n in (0..140).chain([1000, 4099]) {
            // Away from zero on one side, so that lanes past the end show in an extreme.
            let (low, high) = if kernel == Kernel::Max { (-4.0, -1.0) } else { (1.0, 4.0) };
            let (x, y) = (numbers::<T>(n, n as u64, low, high), numbers::<T>(n, 7, -1.0, 1.0));
            let wide = |x: &[T]| x.iter().map(|&x| widen(x)).collect::<Vec<_>>();
            let exact = exact(kernel, &wide(&x), &wide(&y));
            let values: Vec<(bool, T)> =
                Level::available().into_iter().map(|l| (l.fused(), reduce(l, kernel, &x, &y))).collect();
            for &(_, value) in &values {
                let close = (widen(value) - exact).abs() <= T::UNIT * (n as f64 + 1.0) * exact.abs().max(4.0);
                assert!(close || widen(value) == exact, "{kernel:?} n = {n}: {value:?} for {exact}");
            }
            for (fused, value) in &values {
                let alike = values.iter().find(|(other, _)| other == fused);
                assert_eq!(Some(value.bits()), alike.map(|(_, v)| v.bits()), "{kernel:?} n = {n}");
            }
        }
    }
}

#[test]
fn reductions_are_right_and_have_the_same_bits_on_vector_levels() {
    check_reductions::<f64>(|x| x);
    check_reductions::<f32>(f64::from);
}

#[test]
fn a_nan_anywhere_reaches_every_reduction() {
    for level in Level::available() {
        for kernel in with(Signature::Reduce).chain(with(Signature::Reduce2)) {
            for n in [1, 5, 33, 100] {
                for at in 0..n {
                    let mut x = vec![1.0f64; n];
                    x[at] = f64::NAN;
                    assert!(reduce(level, kernel, &x, &x).is_nan(), "{kernel:?} {level:?} {n} {at}");
                }
            }
        }
    }
}

/// Softmax, its logarithm and log-sum-exp of one row, in double precision.
fn exact_row(x: &[f64]) -> (Vec<f64>, Vec<f64>, f64) {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = x.iter().map(|x| (x - max).exp()).sum();
    let total = if x.is_empty() { max } else { max + sum.ln() };
    let soft = x.iter().map(|x| (x - max).exp() / sum).collect();
    (soft, x.iter().map(|x| x - max - sum.ln()).collect(), total)
}

fn check_rows<T: Number>(widen: fn(T) -> f64) {
    for (m, n) in [(0, 3), (3, 0), (1, 1), (7, 2), (300, 10), (11, 127), (5, 128), (4, 129), (3, 1500)] {
        let x = numbers::<T>(m * n, (m + n) as u64, -30.0, 30.0);
        for kernel in with(Signature::Rows) {
            let size = if kernel == Kernel::LogSumExpRows { m } else { m * n };
            let mut results = Vec::new();
            for level in Level::available() {
                let mut out = vec![T::of(GUARD); size + 20];
                // SAFETY: the arrays have the stated sizes.
                unsafe { rows::<T>(level, kernel)(m, n, out.as_mut_ptr(), x.as_ptr()) };
                assert!(out[size..].iter().all(|&g| g == T::of(GUARD)), "{kernel:?} writes past the end");
                if size == m * n {
                    let mut place = x.clone();
                    let p = place.as_mut_ptr();
                    // SAFETY: as above; the output may be the input.
                    unsafe { rows::<T>(level, kernel)(m, n, p, p) };
                    assert!(place == out[..size], "{kernel:?} {level:?} {m}x{n} in place");
                }
                for i in 0..m {
                    let row: Vec<f64> = x[i * n..(i + 1) * n].iter().map(|&x| widen(x)).collect();
                    let (soft, log, total) = exact_row(&row);
                    let exact = match kernel {
                        Kernel::SoftmaxRows => soft,
                        Kernel::LogSoftmaxRows => log,
                        _ => vec![total],
                    };
                    let got = &out[i * exact.len()..(i + 1) * exact.len()];
                    for (&got, exact) in got.iter().zip(exact) {
                        let scale = if kernel == Kernel::SoftmaxRows { exact } else { exact.abs().max(60.0) };
                        let close = (widen(got) - exact).abs() <= T::UNIT * (n as f64 + 8.0) * scale;
                        assert!(
                            close || widen(got) == exact,
                            "{kernel:?} {level:?} {m}x{n}: {got:?} for {exact}"
                        );
                    }
                }
                results.push((level.fused(), out.iter().map(|x| x.bits()).collect::<Vec<_>>()));
            }
            for (fused, bits) in &results {
                let alike = results.iter().find(|(other, _)| other == fused);
                assert_eq!(Some(bits), alike.map(|(_, bits)| bits), "{kernel:?} {m}x{n}");
            }
        }
    }
}

#[test]
fn row_kernels_are_right_for_short_and_long_rows() {
    check_rows::<f64>(|x| x);
    check_rows::<f32>(f64::from);
}

#[test]
fn infinite_rows_have_their_limits() {
    let inf = f64::INFINITY;
    for n in [3, 200] {
        for (fill, first, total) in
            [(-inf, -inf, -inf), (0.0, inf, inf), (1e300, -inf, 1e300), (-inf, 2.0, 2.0)]
        {
            let mut x = vec![fill; n];
            x[0] = first;
            let (mut sum, mut soft) = (vec![0.0], vec![0.0; n]);
            map::logsumexp_rows(1, n, &mut sum, &x);
            map::softmax_rows(1, n, &mut soft, &x);
            assert_eq!(sum[0], total);
            assert_eq!(soft[0].is_nan(), total.is_infinite(), "{fill} {first}");
            let rest = if total.is_finite() && fill.is_finite() { 1.0 / (n as f64 - 1.0) } else { 0.0 };
            assert!(fill == total || (soft[1] - rest).abs() < 1e-15, "{fill} {first}: {}", soft[1]);
        }
        let mut x = vec![0.0; n];
        x[n - 1] = f64::NAN;
        let mut soft = vec![0.0; n];
        map::softmax_rows(1, n, &mut soft, &x);
        assert!(soft.iter().all(|y| y.is_nan()));
    }
}

#[test]
fn symbols_have_distinct_names_and_are_found_by_them() {
    let all = symbols();
    assert_eq!(all.len(), 2 * Kernel::ALL.len());
    for symbol in &all {
        assert_eq!(all.iter().filter(|s| s.name == symbol.name).count(), 1);
        assert_eq!(lookup(symbol.name).map(|s| s.address), Some(symbol.address));
    }
    let exp = lookup("blo_k_exp_f64").expect("the name is part of the interface");
    assert_eq!(
        (exp.kernel, exp.precision, exp.signature),
        (Kernel::Exp, Precision::Double, Signature::Unary)
    );
    assert!(lookup("blo_k_none_f64").is_none());
}

#[test]
fn vector_operations_of_solvers() {
    let mut y = vec![1.0, 2.0, 3.0];
    blas1::axpy(2.0, &[1.0, 0.0, -1.0], &mut y);
    assert_eq!(y, [3.0, 2.0, 1.0]);
    blas1::axpby(1.0, &[1.0, 1.0, 1.0], -1.0, &mut y);
    assert_eq!(y, [-2.0, -1.0, 0.0]);
    blas1::scale(-3.0, &mut y);
    assert_eq!(y, [6.0, 3.0, 0.0]);
    let mut z = vec![0.0; 3];
    blas1::sub(&mut z, &y, &[1.0, 1.0, 1.0]);
    assert_eq!(z, [5.0, 2.0, -1.0]);
    assert_eq!(blas1::dot(&y, &z), 36.0);
    assert_eq!(blas1::norm_inf(&[-3.0, 2.0]), 3.0);
    assert_eq!(blas1::norm_inf(&[]), 0.0);
    assert!(blas1::norm_inf(&[1.0, f64::NAN]).is_nan());
}

#[test]
fn the_euclidean_norm_neither_overflows_nor_underflows() {
    assert_eq!(blas1::norm2(&[3.0, 4.0]), 5.0);
    assert!((blas1::norm2(&[3e200, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
    assert!((blas1::norm2(&[3e-200, 4e-200]) / 5e-200 - 1.0).abs() < 1e-15);
    assert_eq!(blas1::norm2(&[]), 0.0);
    assert_eq!(blas1::norm2(&[f64::INFINITY, 1.0]), f64::INFINITY);
    assert!(blas1::norm2(&[f64::NAN, 1e200]).is_nan());
}
