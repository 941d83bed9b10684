//! The exponential and what is made of it.
//!
//! `x = n ln 2 + r` with |r| <= ln(2)/2 (Cody and Waite), then `e^r - 1` by a polynomial.
//!
//! SAFETY of all blocks: as in the parent module.

use super::log::log1p_unit;
use super::{polynomial, quotient};
use crate::real::Real;
use crate::vector::Vector;

/// `(n, p)` with `e^x = 2^n (1 + p)`, for |x| within the exponent range.
#[inline(always)]
unsafe fn reduce<V: Vector>(x: V) -> (V, V) {
    unsafe {
        let magic = V::splat(V::E::MAGIC);
        let n = x.fma(V::splat(V::E::LOG2_E), magic).sub(magic);
        let r = n.fnma(V::splat(V::E::LN2_LO), n.fnma(V::splat(V::E::LN2_HI), x));
        (n, polynomial(r, V::E::EXP).fma(r.mul(r), r))
    }
}

/// [`reduce`] with what rounding r lost added to the small terms: half an ulp better, an eighth slower.
#[inline(always)]
unsafe fn reduce_finely<V: Vector>(x: V) -> (V, V) {
    unsafe {
        let magic = V::splat(V::E::MAGIC);
        let n = x.fma(V::splat(V::E::LOG2_E), magic).sub(magic);
        let low = V::splat(V::E::LN2_LO);
        let high = n.fnma(V::splat(V::E::LN2_HI), x);
        let r = n.fnma(low, high);
        let lost = n.fnma(low, high.sub(r));
        (n, r.add(polynomial(r, V::E::EXP).fma(r.mul(r), lost)))
    }
}

/// Clamps, keeping NaN.
#[inline(always)]
unsafe fn clamp<V: Vector>(x: V, low: V::E, high: V::E) -> V {
    unsafe { V::splat(low).max(V::splat(high).min(x)) }
}

/// e^x.
#[inline(always)]
pub unsafe fn exp<V: Vector>(x: V) -> V {
    unsafe {
        let (n, p) = reduce(clamp(x, V::E::EXP_MIN, V::E::EXP_MAX));
        p.add(V::c(1.0)).scale2(n)
    }
}

/// e^(hi + lo) for a small `lo`, where `hi` is within the exponent range.
#[inline(always)]
pub unsafe fn exp_sum<V: Vector>(hi: V, lo: V) -> V {
    unsafe {
        let magic = V::splat(V::E::MAGIC);
        let n = hi.fma(V::splat(V::E::LOG2_E), magic).sub(magic);
        let r = n.fnma(V::splat(V::E::LN2_LO), n.fnma(V::splat(V::E::LN2_HI), hi)).add(lo);
        polynomial(r, V::E::EXP).fma(r.mul(r), r).add(V::c(1.0)).scale2(n)
    }
}

/// `(e^x - 1) / 2` for x in [EXPM1_MIN, SINH_MAX], without overflow before the result does.
#[inline(always)]
unsafe fn half_expm1<V: Vector>(x: V) -> V {
    unsafe {
        let (n, p) = reduce_finely(x);
        let quarter = n.sub(V::c(2.0)).exp2_int();
        let y = quarter.fma(p, quarter.sub(V::c(0.25)));
        y.add(y)
    }
}

/// e^x - 1.
#[inline(always)]
pub unsafe fn expm1<V: Vector>(x: V) -> V {
    unsafe {
        let y = half_expm1(clamp(x, V::E::EXPM1_MIN, V::E::EXP_MAX));
        V::select(x.abs().lt(V::splat(V::E::TINY)), x, y.add(y))
    }
}

/// Hyperbolic sine.
#[inline(always)]
pub unsafe fn sinh<V: Vector>(x: V) -> V {
    unsafe {
        // With h = (e^|x| - 1)/2: sinh |x| = h + h/(2h + 1). Up to one, a series is more accurate.
        let a = x.abs();
        let h = half_expm1(V::splat(V::E::SINH_MAX).min(a));
        let far = h.add(h.div(h.add(h).add(V::c(1.0))));
        let far = V::select(h.lt(V::splat(V::E::INFINITY)), far, h);
        let z = a.mul(a);
        let near = polynomial(z, V::E::SINH).mul(z).fma(a, a);
        V::select(a.lt(V::c(1.0)), near, far).or(x.sign())
    }
}

/// Hyperbolic cosine.
#[inline(always)]
pub unsafe fn cosh<V: Vector>(x: V) -> V {
    unsafe {
        // With h = e^|x| / 2: cosh x = h + 1/(4h).
        let (n, p) = reduce(V::splat(V::E::SINH_MAX).min(x.abs()));
        let h = p.add(V::c(1.0)).scale2(n.sub(V::c(1.0)));
        h.add(V::c(0.25).div(h))
    }
}

/// Hyperbolic tangent.
#[inline(always)]
pub unsafe fn tanh<V: Vector>(x: V) -> V {
    unsafe {
        // With e = e^(2|x|) - 1: tanh |x| = e/(e + 2), numerator and denominator in two parts.
        let a = V::splat(V::E::TANH_MAX).min(x.abs());
        let two = V::c(2.0);
        let (n, p) = reduce_finely(a.add(a));
        let scale = n.exp2_int();
        let whole = scale.sub(V::c(1.0));
        let e = scale.fma(p, whole);
        let e_lo = scale.fma(p, whole.sub(e));
        // The larger first, so that the sum's rounding is found exactly.
        let (large, small) = (two.max(e), two.min(e));
        let below = large.add(small);
        let below_lo = large.sub(below).add(small).add(e_lo);
        // A zero numerator gives zero; below are at least two.
        let y = quotient((e, e_lo), (below, below_lo));
        V::select(x.abs().lt(V::splat(V::E::TINY)), x, y.or(x.sign()))
    }
}

/// 1/(1 + e^-x).
#[inline(always)]
pub unsafe fn sigmoid<V: Vector>(x: V) -> V {
    unsafe {
        let one = V::c(1.0);
        let e = exp(x.abs().neg());
        let below = one.add(e);
        let lost = one.sub(below).add(e);
        quotient((V::select(x.is_negative(), e, one), V::c(0.0)), (below, lost))
    }
}

/// ln(1 + e^x).
#[inline(always)]
pub unsafe fn softplus<V: Vector>(x: V) -> V {
    unsafe { V::c(0.0).max(x).add(log1p_unit(exp(x.abs().neg()))) }
}
