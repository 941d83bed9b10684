//! Logarithms: `x = 2^e m` with m in [sqrt(1/2), sqrt 2), and `ln m = 2 atanh((m - 1)/(m + 1))`.
//!
//! SAFETY of all blocks: as in the parent module.

use super::polynomial;
use crate::real::Real;
use crate::vector::Vector;

/// `(e, m)` with `x = 2^e m` and m in [sqrt(1/2), sqrt 2), for positive finite x.
#[inline(always)]
pub unsafe fn split<V: Vector>(x: V) -> (V, V) {
    unsafe {
        let small = x.lt(V::splat(V::E::MIN_NORMAL));
        let two_mantissa = V::splat(V::E::TWO_MANTISSA);
        // 2^(mantissa width) lifts every subnormal number to a normal one.
        let scaled = V::select(small, x.mul(two_mantissa), x);
        let (e, m) = split_normal(scaled);
        let width = V::splat(V::E::MANTISSA_WIDTH);
        (V::select(small, e.sub(width), e), m)
    }
}

/// [`split`] for normal x: no subnormal numbers.
#[inline(always)]
pub unsafe fn split_normal<V: Vector>(x: V) -> (V, V) {
    unsafe {
        let root = V::c(std::f64::consts::FRAC_1_SQRT_2);
        let shifted = x.int_add(V::c(1.0).int_sub(root));
        let m = shifted.and(V::splat(V::E::MANTISSA_MASK)).int_add(root);
        let two_mantissa = V::splat(V::E::TWO_MANTISSA);
        let e = shifted.shr_mantissa().or(two_mantissa).sub(V::splat(V::E::TWO_MANTISSA + V::E::BIAS));
        (e, m)
    }
}

/// `e ln 2 + ln(1 + f) + c` for a small correction c, with 1 + f in [sqrt(1/2), sqrt 2).
#[inline(always)]
unsafe fn assemble<V: Vector>(e: V, f: V, c: V) -> V {
    unsafe {
        let s = f.div(f.add(V::c(2.0)));
        let z = s.mul(s);
        let r = z.mul(polynomial(z, V::E::LOG));
        // ln(1 + f) = f - (f^2/2 - s (f^2/2 + r)): the largest term, f, is exact.
        let half_square = f.mul(f).mul(V::c(0.5));
        let low = s.fma(half_square.add(r), e.fma(V::splat(V::E::LN2_LO), c));
        e.fma(V::splat(V::E::LN2_HI), f.sub(half_square.sub(low)))
    }
}

/// Natural logarithm.
#[inline(always)]
pub unsafe fn log<V: Vector>(x: V) -> V {
    unsafe {
        let zero = V::c(0.0);
        let infinity = V::splat(V::E::INFINITY);
        let (e, m) = split(x);
        let y = assemble(e, m.sub(V::c(1.0)), zero);
        // Plus infinity and NaN return themselves; zero gives minus infinity; less than zero gives NaN.
        let y = V::select(x.lt(infinity), y, x);
        let y = V::select(x.eq(zero), infinity.neg(), y);
        V::select(x.lt(zero), V::splat(V::E::NAN), y)
    }
}

/// ln(1 + x).
#[inline(always)]
pub unsafe fn log1p<V: Vector>(x: V) -> V {
    unsafe {
        let one = V::c(1.0);
        let infinity = V::splat(V::E::INFINITY);
        let u = x.add(one);
        // What rounding 1 + x lost, by the exact two-sum.
        let back = u.sub(one);
        let lost = one.sub(u.sub(back)).add(x.sub(back));
        let (e, m) = split_normal(u);
        let y = assemble(e, m.sub(one), lost.div(u));
        let y = V::select(x.lt(infinity), y, x);
        let y = V::select(x.eq(one.neg()), infinity.neg(), y);
        let y = V::select(x.lt(one.neg()), V::splat(V::E::NAN), y);
        V::select(x.abs().lt(V::splat(V::E::TINY)), x, y)
    }
}

/// ln(1 + x) for x in [0, 1].
#[inline(always)]
pub unsafe fn log1p_unit<V: Vector>(x: V) -> V {
    unsafe {
        let one = V::c(1.0);
        let u = x.add(one);
        let lost = x.sub(u.sub(one));
        // 1/u to a few hundredths, and better as x goes to zero: enough for a term below an ulp of u.
        let reciprocal = x.fma(x.fma(V::c(0.5), one.neg()), one);
        let upper = V::c(std::f64::consts::SQRT_2).lt(u);
        let e = V::select(upper, one, V::c(0.0));
        let m = V::select(upper, u.mul(V::c(0.5)), u);
        assemble(e, m.sub(one), lost.mul(reciprocal))
    }
}
