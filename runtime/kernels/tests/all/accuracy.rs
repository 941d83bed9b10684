//! The error of every elementwise kernel at every level, against thirty digits in double precision and against the
//! double-precision standard library in single. With `--nocapture` the largest errors found are printed.

use crate::common::{Number, Random, binary, map, ulps};
use crate::exact;
use blo_kernels::{Kernel, Level};

struct Case {
    kernel: Kernel,
    exact: fn(f64) -> f64,
    /// Ranges to sample uniformly.
    ranges: &'static [(f64, f64)],
    /// The error stated in `map`, in units in the last place of the exact value, for both precisions and every level.
    ulps: f64,
}

fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The rounded error function: of the thirty digits, or the limits.
fn erf(x: f64) -> f64 {
    match exact::unary("erf", x) {
        Some(y) => y.0,
        None if x.abs() > 1.0 => 1f64.copysign(x),
        None => x * std::f64::consts::FRAC_2_SQRT_PI,
    }
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { kernel: Kernel::Exp, exact: f64::exp, ranges: &[(-5.0, 5.0), (-745.0, 710.0), (-104.0, 89.0)], ulps: 1.1 },
    Case { kernel: Kernel::Log, exact: f64::ln, ranges: &[(0.0, 2.0), (0.9, 1.1), (0.0, 1e9), (0.0, 1e-300)], ulps: 0.9 },
    Case { kernel: Kernel::Log1p, exact: f64::ln_1p, ranges: &[(-1.0, 1.0), (-1e-3, 1e-3), (0.0, 1e9)], ulps: 0.9 },
    Case { kernel: Kernel::Expm1, exact: f64::exp_m1, ranges: &[(-1.0, 1.0), (-1e-3, 1e-3), (-45.0, 90.0), (0.0, 710.0)], ulps: 1.7 },
    Case { kernel: Kernel::Sin, exact: f64::sin, ranges: &[(-4.0, 4.0), (-1e-2, 1e-2), (-6e3, 6e3), (-2e5, 2e5), (-1e30, 1e30)], ulps: 1.0 },
    Case { kernel: Kernel::Cos, exact: f64::cos, ranges: &[(-4.0, 4.0), (1.5, 1.6), (-6e3, 6e3), (-2e5, 2e5), (-1e30, 1e30)], ulps: 1.0 },
    Case { kernel: Kernel::Tan, exact: f64::tan, ranges: &[(-4.0, 4.0), (1.5, 1.6), (-6e3, 6e3), (-2e5, 2e5)], ulps: 1.3 },
    Case { kernel: Kernel::Asin, exact: f64::asin, ranges: &[(-1.0, 1.0), (0.45, 0.55), (0.999, 1.0), (1.0, 2.0)], ulps: 1.1 },
    Case { kernel: Kernel::Acos, exact: f64::acos, ranges: &[(-1.0, 1.0), (0.45, 0.55), (0.999, 1.0), (-3.0, -1.0)], ulps: 1.1 },
    Case { kernel: Kernel::Atan, exact: f64::atan, ranges: &[(-3.0, 3.0), (-0.5, 0.5), (-1e5, 1e5)], ulps: 1.8 },
    Case { kernel: Kernel::Sinh, exact: f64::sinh, ranges: &[(-1.0, 1.0), (-90.0, 90.0), (700.0, 711.0), (88.0, 90.0)], ulps: 1.6 },
    Case { kernel: Kernel::Cosh, exact: f64::cosh, ranges: &[(-1.0, 1.0), (-90.0, 90.0), (700.0, 711.0), (88.0, 90.0)], ulps: 1.6 },
    Case { kernel: Kernel::Tanh, exact: f64::tanh, ranges: &[(-1.0, 1.0), (-1e-3, 1e-3), (-25.0, 25.0)], ulps: 1.5 },
    Case { kernel: Kernel::Sigmoid, exact: sigmoid, ranges: &[(-5.0, 5.0), (-745.0, 100.0), (-100.0, 50.0)], ulps: 1.5 },
    Case { kernel: Kernel::Softplus, exact: softplus, ranges: &[(-5.0, 5.0), (-745.0, 100.0), (-100.0, 50.0)], ulps: 1.6 },
    Case { kernel: Kernel::Erf, exact: erf, ranges: &[(-1.0, 1.0), (0.9, 1.2), (-7.0, 7.0), (-1e-3, 1e-3)], ulps: 1.6 },
];

const EDGES: &[f64] = &[
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    1e-310,
    -1e-310,
    5e-324,
    1e-40,
    -1e-40,
    1e-45,
    1e-300,
    -1e-300,
    1e300,
    -1e300,
    88.8,
    710.1,
    709.7,
    -745.3,
    -103.5,
    1e16,
    1e5,
    100001.0,
    f64::MAX,
    f64::MIN_POSITIVE,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    std::f64::consts::PI,
    std::f64::consts::FRAC_PI_2,
    std::f64::consts::FRAC_PI_4,
];

/// The edges, each range uniformly, and numbers of any size: any representation, and the range's logarithm uniformly.
fn samples<T: Number>(case: &Case) -> Vec<T> {
    let mut random = Random(case.kernel as u64);
    let mut x: Vec<T> = EDGES.iter().map(|&x| T::of(x)).collect();
    for &(low, high) in case.ranges {
        x.extend((0..10_000).map(|_| T::of(random.uniform(low, high))));
    }
    x.extend((0..4_000).map(|_| T::from_bits(random.bits())));
    x.extend((0..4_000).map(|_| {
        let size = 2f64.powf(random.uniform(-30.0, 8.0));
        T::of(if random.bits() & 1 == 0 { size } else { -size })
    }));
    x
}

/// A reference value: more digits, or the rounded value alone.
#[derive(Clone, Copy)]
struct Reference {
    more: Option<exact::Two>,
    rounded: f64,
}

/// The error of y in units in the last place of the reference. Where only the rounded value is known, that is half a
/// unit less than the distance, which the standard library's own error may have added.
fn error<T: Number>(y: T, widen: fn(T) -> f64, reference: Reference) -> f64 {
    let rounded = T::of(reference.rounded);
    match reference.more {
        Some(exact::Two(high, low)) if !y.nan() => {
            let unit = T::unit(high);
            ((widen(y) - high) - low).abs() / unit
        }
        _ => (ulps(y, rounded) as f64 - 0.5).max(0.0),
    }
}

fn references<T: Number>(case: &Case, widen: fn(T) -> f64, x: &[T]) -> Vec<Reference> {
    let double = T::UNIT == f64::EPSILON;
    let reference = |&x: &T| {
        let x = widen(x);
        let rounded = (case.exact)(x);
        let normal = (1e-37..3e38).contains(&rounded.abs());
        let more = if double {
            exact::unary(case.kernel.name(), x)
        } else {
            normal.then_some(exact::Two(rounded, 0.0))
        };
        Reference { more, rounded }
    };
    x.iter().map(reference).collect()
}

fn check<T: Number>(widen: fn(T) -> f64, case: &Case) {
    let x = samples::<T>(case);
    let references = references(case, widen, &x);
    for level in Level::available() {
        let y = map(level, case.kernel, &x);
        let mut worst = (0.0, 0.0);
        for ((&x, &y), &reference) in x.iter().zip(&y).zip(&references) {
            let error = error(y, widen, reference);
            if error > worst.0 {
                worst = (error, widen(x));
            }
        }
        println!("{} {level:?} {:?}: {:.2} ulp at {:e}", case.kernel.name(), T::PRECISION, worst.0, worst.1);
        assert!(worst.0 <= case.ulps, "{} {level:?}: {} ulp at {:e}", case.kernel.name(), worst.0, worst.1);
    }
}

#[test]
fn double_kernels_are_accurate() {
    for case in CASES {
        check::<f64>(|x| x, case);
    }
}

#[test]
fn single_kernels_are_accurate() {
    for case in CASES {
        check::<f32>(f64::from, case);
    }
}

/// Pairs for pow: all edges with all edges, and random ones over several ranges.
fn pairs<T: Number>() -> (Vec<T>, Vec<T>) {
    let mut edges = EDGES.to_vec();
    edges.extend([3.0, -3.0, 4.0, 1.5, -1.5, 1e15 + 1.0, 9007199254740993.0, 16777217.0, 0.3]);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for &a in &edges {
        for &b in &edges {
            x.push(T::of(a));
            y.push(T::of(b));
        }
    }
    let mut random = Random(9);
    let ranges = [
        (0.0, 10.0, -3.0, 3.0),
        (0.9, 1.1, -5000.0, 5000.0),
        (0.0, 1e300, -1.0, 1.0),
        (0.5, 2.0, -1000.0, 1000.0),
    ];
    for (x0, x1, y0, y1) in ranges {
        for _ in 0..20_000 {
            x.push(T::of(random.uniform(x0, x1)));
            y.push(T::of(random.uniform(y0, y1)));
        }
    }
    for _ in 0..20_000 {
        x.push(T::of(random.uniform(-10.0, 10.0)));
        y.push(T::of(random.uniform(-9.0, 9.0).round()));
    }
    (x, y)
}

fn check_pow<T: Number>(widen: fn(T) -> f64) {
    let (x, y) = pairs::<T>();
    let double = T::UNIT == f64::EPSILON;
    let references: Vec<Reference> = x
        .iter()
        .zip(&y)
        .map(|(&x, &y)| {
            let rounded = widen(x).powf(widen(y));
            let normal = (1e-37..3e38).contains(&rounded.abs());
            let more = if double {
                exact::pow(widen(x), widen(y))
            } else {
                normal.then_some(exact::Two(rounded, 0.0))
            };
            Reference { more, rounded }
        })
        .collect();
    for level in Level::available() {
        let mut out = x.clone();
        // SAFETY: all arrays have x.len() elements.
        unsafe { binary::<T>(level, Kernel::Pow)(x.len(), out.as_mut_ptr(), x.as_ptr(), y.as_ptr()) };
        let mut worst = 0f64;
        for i in 0..x.len() {
            let (a, b) = (widen(x[i]), widen(y[i]));
            let error = error(out[i], widen, references[i]);
            worst = worst.max(error);
            assert!(error <= 1.3, "{level:?}: {a:e}^{b:e} is {:?}, {error} ulp off", out[i]);
        }
        println!("pow {level:?} {:?}: {worst:.2} ulp", T::PRECISION);
    }
}

#[test]
fn pow_is_accurate_and_has_the_special_cases_of_c() {
    check_pow::<f64>(|x| x);
    check_pow::<f32>(f64::from);
}

#[test]
fn odd_functions_keep_the_sign_of_zero() {
    use Kernel::{Asin, Atan, Erf, Expm1, Log1p, Sin, Sinh, Tan, Tanh};
    for level in Level::available() {
        for kernel in [Asin, Atan, Erf, Expm1, Log1p, Sin, Sinh, Tan, Tanh] {
            assert_eq!(
                map(level, kernel, &[-0.0f64])[0].to_bits(),
                (-0.0f64).to_bits(),
                "{kernel:?} {level:?}"
            );
            assert_eq!(
                map(level, kernel, &[-0.0f32])[0].to_bits(),
                (-0.0f32).to_bits(),
                "{kernel:?} {level:?}"
            );
        }
    }
}
