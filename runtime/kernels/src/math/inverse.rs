//! Inverse trigonometric functions.
//!
//! SAFETY of all blocks: as in the parent module.

use super::polynomial;
use crate::real::Real;
use crate::vector::Vector;

/// `x + x z P(z)` for z = x^2.
#[inline(always)]
unsafe fn odd_series<V: Vector>(x: V, z: V, c: &'static [V::E]) -> V {
    unsafe { polynomial(z, c).mul(z).fma(x, x) }
}

/// Arc tangent.
#[inline(always)]
pub unsafe fn atan<V: Vector>(x: V) -> V {
    unsafe {
        // tan(pi/8) < |x| <= tan(3 pi/8): atan |x| = pi/4 + atan((|x| - 1)/(|x| + 1)); above: pi/2 - atan(1/|x|).
        let one = V::c(1.0);
        let a = x.abs();
        let middle = V::c(std::f64::consts::SQRT_2 - 1.0).lt(a);
        let upper = V::c(std::f64::consts::SQRT_2 + 1.0).lt(a);
        let numerator = V::select(upper, one.neg(), V::select(middle, a.sub(one), a));
        let denominator = V::select(upper, a, V::select(middle, a.add(one), one));
        let t = numerator.div(denominator);
        let [hi, lo, _] = V::E::PI_2;
        let quarters = V::select(upper, one, V::select(middle, V::c(0.5), V::c(0.0)));
        let z = t.mul(t);
        let tail = polynomial(z, V::E::ATAN).mul(z).mul(t);
        let y = quarters.mul(V::splat(hi)).add(quarters.fma(V::splat(lo), tail).add(t));
        y.or(x.sign())
    }
}

/// `asin` of sqrt(z) for z in [0, 1/4] as `(s, tail)` with the sum s + tail.
#[inline(always)]
unsafe fn arc_of_root<V: Vector>(z: V) -> (V, V) {
    unsafe {
        let s = z.sqrt();
        // What the square root lost: (z - s^2) / (2 s); the smallest normal number stands in for s = 0.
        let lost = s.residual(s, z).div(s.add(s).max(V::splat(V::E::MIN_NORMAL)));
        (s, polynomial(z, V::E::ASIN).mul(z).fma(s, lost))
    }
}

/// Arc sine.
#[inline(always)]
pub unsafe fn asin<V: Vector>(x: V) -> V {
    unsafe {
        // Above 1/2: asin |x| = pi/2 - 2 asin sqrt((1 - |x|)/2).
        let a = x.abs();
        let outer = V::c(0.5).lt(a);
        let (s, tail) = arc_of_root(V::c(1.0).sub(a).mul(V::c(0.5)));
        let [hi, lo, _] = V::E::PI_2;
        // pi/4 - s is exact to half an ulp of the result, so the sum is taken in quarters.
        let quarter = V::splat(hi).mul(V::c(0.5));
        let far = quarter.sub(s.add(s)).add(V::splat(lo).sub(tail.add(tail))).add(quarter);
        let near = odd_series(a, a.mul(a), V::E::ASIN);
        V::select(outer, far, near).or(x.sign())
    }
}

/// Arc cosine.
#[inline(always)]
pub unsafe fn acos<V: Vector>(x: V) -> V {
    unsafe {
        let a = x.abs();
        let outer = V::c(0.5).lt(a);
        let (s, tail) = arc_of_root(V::c(1.0).sub(a).mul(V::c(0.5)));
        let [hi, lo, _] = V::E::PI_2;
        let half = s.add(tail);
        let positive = half.add(half);
        let negative = V::splat(hi).sub(s).add(V::splat(lo).sub(tail));
        let far = V::select(x.is_negative(), negative.add(negative), positive);
        let z = x.mul(x);
        let bend = polynomial(z, V::E::ASIN).mul(z).mul(x);
        let near = V::splat(hi).sub(x.sub(V::splat(lo).sub(bend)));
        V::select(outer, far, near)
    }
}
