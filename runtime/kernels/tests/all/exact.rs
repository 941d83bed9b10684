//! Reference values: elementary functions of doubles to about thirty digits, as unevaluated sums of two doubles.
//!
//! Slow and plain: Taylor series and one step of Newton from the standard library's value. Where a result is not a
//! normal number, or an argument too large to reduce here, there is no such value, and the tests fall back to the
//! standard library's.

/// An unevaluated sum of two doubles.
#[derive(Clone, Copy, Debug)]
pub struct Two(pub f64, pub f64);

/// Sum of two doubles and its rounding error.
fn two_sum(a: f64, b: f64) -> Two {
    let s = a + b;
    let t = s - a;
    Two(s, (a - (s - t)) + (b - t))
}

impl Two {
    const ONE: Two = Two(1.0, 0.0);

    fn new(x: f64) -> Two {
        Two(x, 0.0)
    }
    fn neg(self) -> Two {
        Two(-self.0, -self.1)
    }
    fn add(self, b: Two) -> Two {
        let (s, t) = (two_sum(self.0, b.0), two_sum(self.1, b.1));
        let s = two_sum(s.0, s.1 + t.0);
        two_sum(s.0, s.1 + t.1)
    }
    fn sub(self, b: Two) -> Two {
        self.add(b.neg())
    }
    fn mul(self, b: Two) -> Two {
        let p = self.0 * b.0;
        two_sum(p, self.0.mul_add(b.0, -p) + (self.0 * b.1 + self.1 * b.0))
    }
    fn div(self, b: Two) -> Two {
        let q = self.0 / b.0;
        let rest = self.sub(b.mul(Two::new(q)));
        let r = rest.0 / b.0;
        two_sum(q, r).add(Two::new(rest.sub(b.mul(Two::new(r))).0 / b.0))
    }
    fn scale(self, by: f64) -> Two {
        Two(self.0 * by, self.1 * by)
    }
    fn abs(self) -> Two {
        if self.0 < 0.0 { self.neg() } else { self }
    }
}

const LN_2: Two = Two(std::f64::consts::LN_2, 2.3190468138462996e-17);
const PI_2: [f64; 3] = [std::f64::consts::FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591698e-33];
/// Beyond this the three parts of pi/2 do not reduce an angle to thirty digits.
const TRIG_MAX: f64 = 2e5;

/// `sum x^k / k!` from k = 1 on, every `step`-th term, with alternating signs if `sign` is -1; the first term is given.
fn series(x: Two, first: Two, mut k: f64, step: usize, sign: f64) -> Two {
    let (mut term, mut sum) = (first, first);
    for _ in 0..40 {
        for _ in 0..step {
            k += 1.0;
            term = term.mul(x).div(Two::new(k));
        }
        term = term.scale(sign);
        sum = sum.add(term);
        if term.0.abs() <= 1e-35 * sum.0.abs() {
            break;
        }
    }
    sum
}

fn exp(x: Two) -> Two {
    let n = (x.0 / LN_2.0).round();
    let r = x.sub(LN_2.mul(Two::new(n))).scale(1.0 / 64.0);
    let mut y = Two::ONE.add(series(r, r, 1.0, 1, 1.0));
    for _ in 0..6 {
        y = y.mul(y);
    }
    let half = (n / 2.0).round();
    y.scale(2f64.powi(half as i32)).scale(2f64.powi((n - half) as i32))
}

fn expm1(x: Two) -> Two {
    if x.0.abs() < 0.5 { series(x, x, 1.0, 1, 1.0) } else { exp(x).sub(Two::ONE) }
}

/// The logarithm of x, given that of about x.
fn log_near(x: Two, about: f64) -> Two {
    let e = x.mul(exp(Two::new(-about))).sub(Two::ONE);
    Two::new(about).add(e).sub(e.mul(e).scale(0.5))
}

/// ln(1 + x) for a small x by its series, else by Newton.
fn log1p(x: Two) -> Two {
    if x.0.abs() > 1e-4 {
        return log_near(Two::ONE.add(x), x.0.ln_1p());
    }
    let (mut power, mut sum) = (x, x);
    for k in 2..10 {
        power = power.mul(x).neg();
        sum = sum.add(power.div(Two::new(f64::from(k))));
    }
    sum
}

/// Sine and cosine.
fn sin_cos(x: f64) -> (Two, Two) {
    let n = (x / PI_2[0]).round();
    let product = |p: f64| Two(n * p, n.mul_add(p, -(n * p)));
    let r = PI_2.iter().fold(Two::new(x), |r, &p| r.sub(product(p)));
    let sin = if r.0 == 0.0 { r } else { series(r, r, 1.0, 2, -1.0) };
    let cos = series(r, Two::ONE, 0.0, 2, -1.0);
    match (n as i64).rem_euclid(4) {
        0 => (sin, cos),
        1 => (cos, sin.neg()),
        2 => (sin.neg(), cos.neg()),
        _ => (cos.neg(), sin),
    }
}

fn asin(x: f64) -> Two {
    let y = x.asin();
    let (s, c) = sin_cos(y);
    let d = Two::new(x).sub(s).div(c);
    Two::new(y).add(d).add(d.mul(d).mul(s).div(c).scale(0.5))
}

fn acos(x: f64) -> Two {
    let y = x.acos();
    let (s, c) = sin_cos(y);
    let d = c.sub(Two::new(x)).div(s);
    Two::new(y).add(d).sub(d.mul(d).mul(c).div(s).scale(0.5))
}

fn atan(x: f64) -> Two {
    let y = x.atan();
    let (s, c) = sin_cos(y);
    // tan(atan x - y) = (x cos y - sin y) / (cos y + x sin y).
    let x = Two::new(x);
    Two::new(y).add(x.mul(c).sub(s).div(c.add(x.mul(s))))
}

fn softplus(x: f64) -> Two {
    let log = log1p(exp(Two::new(-x.abs())));
    if x > 0.0 { log.add(Two::new(x)) } else { log }
}

/// 2/sqrt(pi) sum (-1)^n x^(2n+1) / (n! (2n+1)) up to 3, the continued fraction of the complement beyond.
fn erf(x: f64) -> Two {
    let a = x.abs();
    let y = if a > 6.5 {
        Two::ONE
    } else if a > 3.0 {
        let fraction = (1..80).rev().fold(0.0, |fraction, k| f64::from(k) / 2.0 / (a + fraction));
        Two::ONE.sub(Two::new((-a * a).exp() / (a + fraction) / std::f64::consts::PI.sqrt()))
    } else {
        let x = Two::new(a);
        let square = x.mul(x).neg();
        let (mut power, mut sum) = (x, x);
        for n in 1..70 {
            power = power.mul(square).div(Two::new(f64::from(n)));
            sum = sum.add(power.div(Two::new(2.0 * f64::from(n) + 1.0)));
        }
        sum.mul(Two(std::f64::consts::FRAC_2_SQRT_PI, 1.533545961316588e-17))
    };
    if x < 0.0 { y.neg() } else { y }
}

/// The value if it is a normal number with room below it for a second part.
fn normal(y: Two) -> Option<Two> {
    (1e-280..1e300).contains(&y.0.abs()).then_some(y)
}

/// The function of this name at x, if it can be had to thirty digits.
pub fn unary(name: &str, x: f64) -> Option<Two> {
    let two = Two::new(x);
    let large = match name {
        "sin" | "cos" | "tan" => TRIG_MAX,
        "asin" | "acos" => 1.0,
        "log" | "log1p" | "atan" => 1e290,
        _ => 600.0,
    };
    if x.is_nan() || x.abs() > large || x.abs() < 1e-280 {
        return None;
    }
    normal(match name {
        "exp" => exp(two),
        "expm1" => expm1(two),
        "log" if x > 0.0 => log_near(two, x.ln()),
        "log1p" if x > -1.0 => log1p(two),
        "sin" => sin_cos(x).0,
        "cos" => sin_cos(x).1,
        "tan" => {
            let (s, c) = sin_cos(x);
            s.div(c)
        }
        "asin" => asin(x),
        "acos" => acos(x),
        "atan" => atan(x),
        "sinh" => {
            let e = expm1(two.abs());
            let y = e.add(e.div(e.add(Two::ONE))).scale(0.5);
            if x < 0.0 { y.neg() } else { y }
        }
        "cosh" => {
            let e = exp(two.abs());
            e.add(Two::ONE.div(e)).scale(0.5)
        }
        "tanh" => {
            let e = expm1(two.scale(2.0));
            e.div(e.add(Two::new(2.0)))
        }
        "sigmoid" => {
            let e = exp(two.abs().neg());
            (if x < 0.0 { e } else { Two::ONE }).div(e.add(Two::ONE))
        }
        "softplus" => softplus(x),
        "erf" => erf(x),
        _ => return None,
    })
}

/// x^y for positive x, if it can be had to about twenty-five digits.
pub fn pow(x: f64, y: f64) -> Option<Two> {
    if !(x > 1e-280 && x < 1e290 && y.abs() < 1e280) || x == 1.0 {
        return None;
    }
    let log = log_near(Two::new(x), x.ln()).mul(Two::new(y));
    if log.0.abs() < 640.0 { normal(exp(log)) } else { None }
}
