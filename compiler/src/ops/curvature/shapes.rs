//! Shapes of functions of one number: the building blocks of the records' [`super::Curvature::Scalar`].

use super::interval::Interval;
use super::{Bend, Shape, Slope, Smoothness};

/// A smooth rising function.
pub fn rising(x: Interval, f: impl Fn(f64) -> f64, bend: Bend) -> Shape {
    Shape { range: x.rising(f), slope: Slope::Up, bend, smooth: Smoothness::Smooth }
}

/// A smooth falling function.
pub fn falling(x: Interval, f: impl Fn(f64) -> f64, bend: Bend) -> Shape {
    Shape { range: x.falling(f), slope: Slope::Down, bend, smooth: Smoothness::Smooth }
}

/// Bends one way below 0 and the other way above, as `tanh` does; nothing is known for an interval with 0 inside.
pub fn turning(x: Interval, below: Bend) -> Bend {
    if x.is_nonpositive() {
        below
    } else if x.is_nonnegative() {
        below.flipped()
    } else {
        Bend::Unknown
    }
}

/// Concave and rising from `edge` on, where its slope is infinite: `log` and `sqrt`.
pub fn root_like(x: Interval, edge: f64, f: impl Fn(f64) -> f64) -> Shape {
    let inside = Interval::new(x.lo.max(edge), x.hi.max(edge));
    let smooth = if x.lo > edge { Smoothness::Smooth } else { Smoothness::Steep };
    Shape { smooth, ..rising(inside, f, Bend::Concave) }
}

/// `sin(x + quarters * pi / 2)`.
pub fn wave(x: Interval, quarters: f64) -> Shape {
    use std::f64::consts::{FRAC_PI_2, PI};
    // Away from the ends of the pieces by more than the error of the argument, which grows with its size.
    let margin = 1e-12 * (1.0 + x.magnitude());
    let (lo, hi) = (x.lo + quarters * FRAC_PI_2, x.hi + quarters * FRAC_PI_2);
    // The half or quarter-shifted half turn that holds the interval, if one does.
    let piece = |shift: f64| -> Option<bool> {
        let turn = libm::floor((lo - shift) / PI);
        let inside = lo - shift >= turn * PI + margin && hi - shift <= (turn + 1.0) * PI - margin;
        (inside && margin < 1e-3).then(|| turn.rem_euclid(2.0) == 0.0)
    };
    let bend = piece(0.0).map_or(Bend::Unknown, |up| if up { Bend::Concave } else { Bend::Convex });
    let slope = piece(-FRAC_PI_2).map_or(Slope::Unknown, |up| if up { Slope::Up } else { Slope::Down });
    let f = |x: f64| libm::sin(x + quarters * FRAC_PI_2);
    let widened = |i: Interval| Interval::new(i.lo - 1e-9, i.hi + 1e-9).meet(Interval { lo: -1.0, hi: 1.0 });
    let range = match slope {
        Slope::Up => widened(x.rising(f)),
        Slope::Down => widened(x.falling(f)),
        _ => Interval { lo: -1.0, hi: 1.0 },
    };
    Shape { range, slope, bend, smooth: Smoothness::Smooth }
}

/// `tan` between two of its poles; nothing is known across one.
pub fn tangent(x: Interval) -> Shape {
    use std::f64::consts::{FRAC_PI_2, PI};
    let margin = 1e-12 * (1.0 + x.magnitude());
    let branch = libm::floor((x.lo + FRAC_PI_2) / PI);
    let centre = branch * PI;
    let inside = x.lo > centre - FRAC_PI_2 + margin && x.hi < centre + FRAC_PI_2 - margin && margin < 1e-3;
    if !inside {
        let (slope, bend) = (Slope::Unknown, Bend::Unknown);
        return Shape { range: Interval::ALL, slope, bend, smooth: Smoothness::Jumps };
    }
    let away = Interval::new(x.lo - centre, x.hi - centre);
    let bend = if away.hi <= -margin {
        Bend::Concave
    } else if away.lo >= margin || (branch == 0.0 && x.is_nonnegative()) {
        Bend::Convex
    } else if branch == 0.0 && x.is_nonpositive() {
        Bend::Concave
    } else {
        Bend::Unknown
    };
    let range = x.rising(libm::tan);
    let slack = |v: f64| 1e-9 * (1.0 + v * v);
    let range = Interval::new(range.lo - slack(range.lo), range.hi + slack(range.hi));
    Shape { range, slope: Slope::Up, bend, smooth: Smoothness::Smooth }
}

/// `|x|`.
pub fn absolute(x: Interval) -> Shape {
    let range = x.absolute();
    let (slope, bend, smooth) = if x.is_nonnegative() {
        (Slope::Up, Bend::Affine, Smoothness::Smooth)
    } else if x.is_nonpositive() {
        (Slope::Down, Bend::Affine, Smoothness::Smooth)
    } else {
        (Slope::Unknown, Bend::Convex, Smoothness::Kinked)
    };
    Shape { range, slope, bend, smooth }
}

/// `x * Phi(x)`, convex between the roots of its second derivative `(2 - x^2) phi(x)`.
pub fn gelu(x: Interval, f: impl Fn(f64) -> f64) -> Shape {
    // Just inside and outside of sqrt(2), and of the minimum at -0.7517915…
    use std::f64::consts::SQRT_2;
    const ROOT: (f64, f64) = (SQRT_2 - 1e-9, SQRT_2 + 1e-9);
    const LOWEST: (f64, f64) = (-0.75180, -0.75179);
    let bend = if x.lo >= -ROOT.0 && x.hi <= ROOT.0 {
        Bend::Convex
    } else if x.lo >= ROOT.1 || x.hi <= -ROOT.1 {
        Bend::Concave
    } else {
        Bend::Unknown
    };
    let (slope, range) = if x.lo >= LOWEST.1 {
        (Slope::Up, x.rising(&f))
    } else if x.hi <= LOWEST.0 {
        (Slope::Down, x.falling(&f))
    } else {
        (Slope::Unknown, Interval::new(-0.16998, f(x.lo).max(f(x.hi)).max(0.0)).rounded())
    };
    // At infinite ends the formula is 0 times infinity.
    let range = if range.lo.is_finite() { range } else { Interval::new(-0.16998, range.hi) };
    Shape { range, slope, bend, smooth: Smoothness::Smooth }
}

/// `x^p` for one exponent. Whole exponents take negative bases, others do not.
pub fn power(x: Interval, p: f64) -> Shape {
    let whole = libm::floor(p) == p;
    let even = whole && p.rem_euclid(2.0) == 0.0;
    if p == 0.0 || p == 1.0 {
        let range = if p == 0.0 { Interval::point(1.0) } else { x };
        let slope = if p == 0.0 { Slope::Flat } else { Slope::Up };
        return Shape { range, slope, bend: Bend::Affine, smooth: Smoothness::Smooth };
    }
    if whole && x.is_nonpositive() && x.lo < 0.0 {
        let mirrored = power_of_positive(x.opposite(), p);
        let Shape { range, slope, bend, smooth } = mirrored;
        let (range, bend) = if even { (range, bend) } else { (range.opposite(), bend.flipped()) };
        return Shape { range, slope: if even { slope.flipped() } else { slope }, bend, smooth };
    }
    if x.is_nonnegative() {
        return power_of_positive(x, p);
    }
    if whole && p > 0.0 {
        let size = power_of_positive(x.absolute(), p).range;
        let range = if even { size } else { x.rising(|x| libm::pow(x, p)) };
        let (slope, bend) = if even { (Slope::Unknown, Bend::Convex) } else { (Slope::Up, Bend::Unknown) };
        return Shape { range, slope, bend, smooth: Smoothness::Smooth };
    }
    if whole {
        // 1 / x and its like across 0.
        let range = if even { Interval::new(0.0, f64::INFINITY) } else { Interval::ALL };
        let (slope, bend) = (Slope::Unknown, Bend::Unknown);
        return Shape { range, slope, bend, smooth: Smoothness::Jumps };
    }
    // Not defined below 0. Falling and root-like powers can be continued there by an infinity of the right sign; a rising
    // convex one cannot, so nothing is said of its slope.
    let inside = Interval::new(0.0, x.hi.max(0.0));
    let shape = power_of_positive(inside, p);
    let slope = if p > 1.0 { Slope::Unknown } else { shape.slope };
    Shape { slope, smooth: shape.smooth.max(Smoothness::Steep), ..shape }
}

/// `x^p` for `x >= 0`.
fn power_of_positive(x: Interval, p: f64) -> Shape {
    let f = |x: f64| libm::pow(x, p);
    // Twice differentiable at 0 as well for whole powers and those from 2 on.
    let smooth = if x.lo > 0.0 || p >= 2.0 || (p > 0.0 && libm::floor(p) == p) {
        Smoothness::Smooth
    } else {
        Smoothness::Steep
    };
    // `pow` may be off by a few units in the last place.
    let wide = |i: Interval| i.rounded().rounded();
    if p < 0.0 {
        Shape { range: wide(x.falling(f)), slope: Slope::Down, bend: Bend::Convex, smooth }
    } else {
        let bend = if p > 1.0 { Bend::Convex } else { Bend::Concave };
        Shape { range: wide(x.rising(f)), slope: Slope::Up, bend, smooth }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares claims with samples of the function.
    fn holds(name: &str, f: &dyn Fn(f64) -> f64, shape: &dyn Fn(Interval) -> Shape) {
        let ends = [-9.0, -4.0, -1.6, -1.0, -0.76, -0.5, 0.0, 0.3, 0.9, 1.0, 1.5, 3.2, 7.0];
        for (i, &lo) in ends.iter().enumerate() {
            for &hi in &ends[i + 1..] {
                let Shape { range, slope, bend, .. } = shape(Interval::new(lo, hi));
                let at = |k: f64| f(lo + (hi - lo) * k / 40.0);
                for k in 0..40 {
                    let (a, m, b) = (at(f64::from(k)), at(f64::from(k) + 0.5), at(f64::from(k) + 1.0));
                    if !(a.is_finite() && b.is_finite() && m.is_finite()) {
                        continue;
                    }
                    let what = format!("{name} on [{lo}, {hi}] at {k}: {a} {m} {b}");
                    let slack = 1e-9 * (1.0 + a.abs() + b.abs());
                    assert!(range.lo <= m && m <= range.hi, "{what} not in {range}");
                    let bent = (a + b) / 2.0 - m;
                    assert!(!bend.is_convex() || bent >= -slack, "{what} is not convex");
                    assert!(!bend.is_concave() || bent <= slack, "{what} is not concave");
                    assert!(slope != Slope::Up || b >= a - slack, "{what} does not rise");
                    assert!(slope != Slope::Down || b <= a + slack, "{what} does not fall");
                    assert!(slope != Slope::Flat || b == a, "{what} is not flat");
                }
            }
        }
    }

    #[test]
    fn shapes_of_every_operator_hold_at_samples() {
        use crate::ir::eval::Array;
        use crate::ir::graph::Attrs;
        use crate::ops::{self, Curvature};
        use crate::types::{Elem, Type};
        let mut seen = 0;
        for op in ops::all() {
            let Curvature::Scalar(shape) = op.curvature else { continue };
            let value = |x: f64| {
                let x = Array::from_elem(ndarray::IxDyn(&[]), x);
                (op.value)(&Attrs::None, &[&x], &Type::scalar(Elem::Real)).sum()
            };
            holds(op.name, &value, &shape);
            seen += 1;
        }
        assert!(seen >= 15, "only {seen} operators have a shape");
    }

    #[test]
    fn shapes_of_powers_hold_at_samples() {
        for p in [-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0] {
            holds(&format!("power {p}"), &|x| libm::pow(x, p), &|x| power(x, p));
        }
    }
}
