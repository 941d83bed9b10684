//! Elementwise kernels against the standard library (itself within two ulp for the hyperbolic functions, one for
//! the rest) or a series, at every level.

use crate::common::{Number, Random, binary, map, ulps};
use blo_kernels::{Kernel, Level};

struct Case {
    kernel: Kernel,
    exact: fn(f64) -> f64,
    /// Ranges to sample uniformly.
    ranges: &'static [(f64, f64)],
    /// Allowed distance from the rounded reference in double and single precision.
    ulps: (u64, u64),
}

fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// erf by its positive series (error of a few ulp in double, where all terms have one sign) with the sum in two
/// parts; above 3 by the continued fraction of the complement.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    if a.is_nan() {
        return a;
    }
    let y = if a > 6.5 {
        1.0
    } else if a > 3.0 {
        let mut fraction = 0.0;
        for k in (1..80).rev() {
            fraction = f64::from(k) / 2.0 / (a + fraction);
        }
        1.0 - (-a * a).exp() / (a + fraction) / std::f64::consts::PI.sqrt()
    } else {
        alternating_erf(a)
    };
    y.copysign(x)
}

/// Sum of two doubles and its rounding error.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    let t = s - a;
    (s, (a - (s - t)) + (b - t))
}
fn dd_mul(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    let p = a.0 * b.0;
    two_sum(p, a.0.mul_add(b.0, -p) + (a.0 * b.1 + a.1 * b.0))
}
fn dd_div(a: (f64, f64), b: f64) -> (f64, f64) {
    let q = a.0 / b;
    two_sum(q, ((-q).mul_add(b, a.0) + a.1) / b)
}

/// 2/sqrt(pi) sum (-1)^n x^(2n+1) / (n! (2n+1)) in doubled precision, for x <= 3.
fn alternating_erf(x: f64) -> f64 {
    let square = dd_mul((x, 0.0), (x, 0.0));
    let (mut power, mut sum) = ((x, 0.0), (x, 0.0));
    for n in 1..70 {
        let n = f64::from(n);
        power = dd_div(dd_mul(power, (-square.0, -square.1)), n);
        let term = dd_div(power, 2.0 * n + 1.0);
        let (s, e) = two_sum(sum.0, term.0);
        sum = two_sum(s, e + sum.1 + term.1);
    }
    let two_over_root_pi = (std::f64::consts::FRAC_2_SQRT_PI, 1.533545961316588e-17);
    dd_mul(sum, two_over_root_pi).0
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { kernel: Kernel::Exp, exact: f64::exp, ranges: &[(-5.0, 5.0), (-745.0, 710.0), (-104.0, 89.0)], ulps: (1, 1) },
    Case { kernel: Kernel::Log, exact: f64::ln, ranges: &[(0.0, 2.0), (0.9, 1.1), (0.0, 1e9), (0.0, 1e-300)], ulps: (1, 1) },
    Case { kernel: Kernel::Log1p, exact: f64::ln_1p, ranges: &[(-1.0, 1.0), (-1e-3, 1e-3), (0.0, 1e9)], ulps: (2, 2) },
    Case { kernel: Kernel::Expm1, exact: f64::exp_m1, ranges: &[(-1.0, 1.0), (-1e-3, 1e-3), (-45.0, 90.0), (0.0, 710.0)], ulps: (2, 2) },
    Case { kernel: Kernel::Sin, exact: f64::sin, ranges: &[(-4.0, 4.0), (-1e-2, 1e-2), (-6e3, 6e3), (-2e5, 2e5), (-1e30, 1e30)], ulps: (2, 2) },
    Case { kernel: Kernel::Cos, exact: f64::cos, ranges: &[(-4.0, 4.0), (1.5, 1.6), (-6e3, 6e3), (-2e5, 2e5), (-1e30, 1e30)], ulps: (2, 2) },
    Case { kernel: Kernel::Tan, exact: f64::tan, ranges: &[(-4.0, 4.0), (1.5, 1.6), (-6e3, 6e3), (-2e5, 2e5)], ulps: (4, 4) },
    Case { kernel: Kernel::Asin, exact: f64::asin, ranges: &[(-1.0, 1.0), (0.45, 0.55), (0.999, 1.0), (1.0, 2.0)], ulps: (2, 2) },
    Case { kernel: Kernel::Acos, exact: f64::acos, ranges: &[(-1.0, 1.0), (0.45, 0.55), (0.999, 1.0), (-3.0, -1.0)], ulps: (2, 2) },
    Case { kernel: Kernel::Atan, exact: f64::atan, ranges: &[(-3.0, 3.0), (-0.5, 0.5), (-1e5, 1e5)], ulps: (2, 2) },
    Case { kernel: Kernel::Sinh, exact: f64::sinh, ranges: &[(-1.0, 1.0), (-90.0, 90.0), (700.0, 711.0), (88.0, 90.0)], ulps: (2, 2) },
    Case { kernel: Kernel::Cosh, exact: f64::cosh, ranges: &[(-1.0, 1.0), (-90.0, 90.0), (700.0, 711.0), (88.0, 90.0)], ulps: (2, 2) },
    Case { kernel: Kernel::Tanh, exact: f64::tanh, ranges: &[(-1.0, 1.0), (-1e-3, 1e-3), (-25.0, 25.0)], ulps: (3, 3) },
    Case { kernel: Kernel::Sigmoid, exact: sigmoid, ranges: &[(-5.0, 5.0), (-745.0, 100.0), (-100.0, 50.0)], ulps: (2, 2) },
    Case { kernel: Kernel::Softplus, exact: softplus, ranges: &[(-5.0, 5.0), (-745.0, 100.0), (-100.0, 50.0)], ulps: (2, 2) },
    Case { kernel: Kernel::Erf, exact: erf, ranges: &[(-1.0, 1.0), (0.9, 1.2), (-7.0, 7.0), (-1e-3, 1e-3)], ulps: (4, 4) },
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

fn samples<T: Number>(case: &Case) -> Vec<T> {
    let mut random = Random(case.kernel as u64);
    let mut x: Vec<T> = EDGES.iter().map(|&x| T::of(x)).collect();
    for &(low, high) in case.ranges {
        x.extend((0..20_000).map(|_| T::of(random.uniform(low, high))));
    }
    x
}

fn check<T: Number>(exact_of: fn(f64) -> f64, widen: fn(T) -> f64, case: &Case, level: Level, allowed: u64) {
    let x = samples::<T>(case);
    let y = map(level, case.kernel, &x);
    let mut worst = (0, 0.0);
    for (&x, &y) in x.iter().zip(&y) {
        let distance = ulps(y, T::of(exact_of(widen(x))));
        if distance > worst.0 {
            worst = (distance, widen(x));
        }
    }
    println!("{} {level:?} {:?}: {} ulp at {:e}", case.kernel.name(), T::PRECISION, worst.0, worst.1);
    assert!(worst.0 <= allowed, "{} {level:?}: {} ulp at {:e}", case.kernel.name(), worst.0, worst.1);
}

#[test]
fn double_kernels_are_accurate() {
    for level in Level::available() {
        for case in CASES {
            check::<f64>(case.exact, |x| x, case, level, case.ulps.0);
        }
    }
}

#[test]
fn single_kernels_are_accurate() {
    for level in Level::available() {
        for case in CASES {
            check::<f32>(case.exact, f64::from, case, level, case.ulps.1);
        }
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

fn check_pow<T: Number>(widen: fn(T) -> f64, allowed: u64) {
    let (x, y) = pairs::<T>();
    for level in Level::available() {
        let mut out = x.clone();
        // SAFETY: all arrays have x.len() elements.
        unsafe { binary::<T>(level, Kernel::Pow)(x.len(), out.as_mut_ptr(), x.as_ptr(), y.as_ptr()) };
        let mut worst = 0;
        for i in 0..x.len() {
            let (a, b) = (widen(x[i]), widen(y[i]));
            let distance = ulps(out[i], T::of(a.powf(b)));
            worst = worst.max(distance);
            assert!(distance <= allowed, "{level:?}: {a:e}^{b:e} is {:?}, {distance} ulp off", out[i]);
        }
        println!("pow {level:?} {:?}: {worst} ulp", T::PRECISION);
    }
}

#[test]
fn pow_is_accurate_and_has_the_special_cases_of_c() {
    check_pow::<f64>(|x| x, 2);
    check_pow::<f32>(f64::from, 2);
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
