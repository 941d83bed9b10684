//! Intervals of real numbers. Arithmetic rounds outwards, so that the true result of real arithmetic lies inside.

/// All numbers from `lo` to `hi`; the ends may be infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub lo: f64,
    /// The upper end.
    pub hi: f64,
}

/// Relative error allowed to an operation on the ends: functions of the mathematics library are off by about one unit in the
/// last place, that is `EPSILON / 2`.
const SLACK: f64 = 4.0 * f64::EPSILON;

impl Interval {
    /// Every number.
    pub const ALL: Interval = Interval { lo: f64::NEG_INFINITY, hi: f64::INFINITY };
    /// From 0 to 1.
    pub const UNIT: Interval = Interval { lo: 0.0, hi: 1.0 };

    /// From `lo` to `hi`; an end that is NaN, or out of order, counts as unknown.
    pub fn new(lo: f64, hi: f64) -> Interval {
        if lo > hi {
            return Interval::ALL;
        }
        let lo = if lo.is_nan() { f64::NEG_INFINITY } else { lo };
        Interval { lo, hi: if hi.is_nan() { f64::INFINITY } else { hi } }
    }

    /// One number.
    pub fn point(x: f64) -> Interval {
        Interval::new(x, x)
    }

    /// Both ends moved outwards by the error of one operation. An end that is 0 stays, so signs are kept.
    #[must_use]
    pub fn rounded(self) -> Interval {
        let slack = |x: f64| if x.is_finite() { x.abs() * SLACK } else { 0.0 };
        Interval::new(self.lo - slack(self.lo), self.hi + slack(self.hi))
    }

    /// The interval of `f` at the ends of this one, for a rising `f`.
    pub fn rising(self, f: impl Fn(f64) -> f64) -> Interval {
        Interval::new(f(self.lo), f(self.hi)).rounded()
    }

    /// The interval of `f` at the ends of this one, for a falling `f`.
    pub fn falling(self, f: impl Fn(f64) -> f64) -> Interval {
        Interval::new(f(self.hi), f(self.lo)).rounded()
    }

    /// No number is below 0.
    pub fn is_nonnegative(self) -> bool {
        self.lo >= 0.0
    }

    /// No number is above 0.
    pub fn is_nonpositive(self) -> bool {
        self.hi <= 0.0
    }

    /// Whether it holds one number only.
    pub fn is_point(self) -> bool {
        self.lo == self.hi
    }

    /// The largest absolute value.
    pub fn magnitude(self) -> f64 {
        self.lo.abs().max(self.hi.abs())
    }

    /// The smallest interval that covers both.
    #[must_use]
    pub fn hull(self, other: Interval) -> Interval {
        Interval { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }

    /// What both have in common; `self` where that is nothing, as happens to values that are defined nowhere.
    #[must_use]
    pub fn meet(self, other: Interval) -> Interval {
        let (lo, hi) = (self.lo.max(other.lo), self.hi.min(other.hi));
        if lo <= hi { Interval { lo, hi } } else { self }
    }

    /// Sums.
    #[must_use]
    pub fn plus(self, other: Interval) -> Interval {
        Interval::new(self.lo + other.lo, self.hi + other.hi).rounded()
    }

    /// Opposites.
    #[must_use]
    pub fn opposite(self) -> Interval {
        Interval { lo: -self.hi, hi: -self.lo }
    }

    /// Products.
    #[must_use]
    pub fn times(self, other: Interval) -> Interval {
        let corners = [
            product(self.lo, other.lo),
            product(self.lo, other.hi),
            product(self.hi, other.lo),
            product(self.hi, other.hi),
        ];
        let lo = corners.iter().copied().fold(f64::INFINITY, f64::min);
        let hi = corners.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Interval::new(lo, hi).rounded()
    }

    /// Products with itself.
    #[must_use]
    pub fn squared(self) -> Interval {
        let size = self.absolute();
        Interval::new(size.lo * size.lo, size.hi * size.hi).rounded()
    }

    /// Absolute values.
    #[must_use]
    pub fn absolute(self) -> Interval {
        if self.lo >= 0.0 {
            self
        } else if self.hi <= 0.0 {
            self.opposite()
        } else {
            Interval { lo: 0.0, hi: self.magnitude() }
        }
    }

    /// `1 / x` where that is defined: for an interval with 0 strictly inside, every number.
    #[must_use]
    pub fn reciprocal(self) -> Interval {
        if self.lo > 0.0 || self.hi < 0.0 {
            Interval::new(1.0 / self.hi, 1.0 / self.lo).rounded()
        } else if self.lo == 0.0 && self.hi > 0.0 {
            Interval::new(1.0 / self.hi, f64::INFINITY).rounded()
        } else if self.hi == 0.0 && self.lo < 0.0 {
            Interval::new(f64::NEG_INFINITY, 1.0 / self.lo).rounded()
        } else {
            Interval::ALL
        }
    }

    /// Sums of between `least` and `most` numbers of the interval.
    #[must_use]
    pub fn repeated(self, least: usize, most: usize) -> Interval {
        let of = |n: usize| if n == 1 { self } else { self.times(Interval::point(n as f64)) };
        let sums = of(least).hull(of(most));
        if most <= 1 {
            return sums;
        }
        // Each addition may round once more.
        let slack = most as f64 * f64::EPSILON;
        let widen = |x: f64| if x.is_finite() { x.abs() * slack } else { 0.0 };
        Interval::new(sums.lo - widen(sums.lo), sums.hi + widen(sums.hi))
    }
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = |x: f64| if x == 0.0 { "0".to_owned() } else { format!("{}", rounded_text(x)) };
        write!(f, "[{}, {}]", end(self.lo), end(self.hi))
    }
}

/// A number to about six digits, so that outward rounding does not show.
fn rounded_text(x: f64) -> f64 {
    if !x.is_finite() {
        return x;
    }
    let unit = 10f64.powi(5 - libm::floor(libm::log10(x.abs())) as i32);
    let rounded = (x * unit).round() / unit;
    if rounded.is_finite() { rounded } else { x }
}

/// The product of two ends: 0 times an infinite end is 0, and a product that vanishes in rounding keeps its sign.
fn product(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 {
        return 0.0;
    }
    let p = a * b;
    if p == 0.0 { f64::from_bits(1).copysign(p) } else { p }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_covers_samples() {
        let ends = [-3.0, -1.0, -0.1, 0.0, 0.3, 2.0];
        let pairs: Vec<(f64, f64)> =
            ends.iter().enumerate().flat_map(|(k, &a)| ends[k..].iter().map(move |&b| (a, b))).collect();
        for (&(a, b), &(c, d)) in pairs.iter().flat_map(|p| pairs.iter().map(move |q| (p, q))) {
            let (x, y) = (Interval::new(a, b), Interval::new(c, d));
            for (s, t) in [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.3, 0.8)] {
                let (p, q) = ((a + s * (b - a)).min(b), (c + t * (d - c)).min(d));
                let inside = |i: Interval, v: f64| assert!(i.lo <= v && v <= i.hi, "{v} not in {i}");
                inside(x.plus(y), p + q);
                inside(x.times(y), p * q);
                inside(x.squared(), p * p);
                inside(x.absolute(), p.abs());
                inside(x.hull(y), q);
                if p != 0.0 {
                    inside(x.reciprocal(), 1.0 / p);
                }
            }
        }
    }

    #[test]
    fn signs_survive_rounding() {
        assert!(Interval::new(0.0, 3.0).times(Interval::new(0.0, f64::INFINITY)).is_nonnegative());
        assert!(Interval::new(0.0, 1e-200).times(Interval::new(0.0, 1e-200)).is_nonnegative());
        assert!(!Interval::new(-1e-200, 1.0).times(Interval::point(1e-200)).is_nonnegative());
        assert_eq!(Interval::new(-1.0, 2.0).reciprocal(), Interval::ALL);
    }

    #[test]
    fn ends_are_shown_short() {
        assert_eq!(Interval::new(0.0, 2.0).rounded().to_string(), "[0, 2]");
        assert_eq!(Interval::new(-0.1, f64::INFINITY).rounded().to_string(), "[-0.1, inf]");
    }
}
