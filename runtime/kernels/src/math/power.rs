//! Powers: `x^y = e^(y ln |x|)` with the logarithm and the product carried in two parts.
//!
//! SAFETY of all blocks: as in the parent module.

use super::exp::exp_sum;
use super::log::split;
use super::{patch, polynomial};
use crate::real::{Real, StdMath};
use crate::vector::Vector;

/// `ln x` for positive finite x as an unevaluated sum of two parts.
#[inline(always)]
unsafe fn log_in_two<V: Vector>(x: V) -> (V, V) {
    unsafe {
        let (e, m) = split(x);
        let f = m.sub(V::c(1.0));
        // s + s_lo = f/(2 + f), where 2 + f = d + d_lo.
        let d = f.add(V::c(2.0));
        let d_lo = f.sub(d.sub(V::c(2.0)));
        let reciprocal = V::c(1.0).div(d);
        let s = f.mul(reciprocal);
        let s_lo = s.fnma(d_lo, s.residual(d, f)).mul(reciprocal);
        let z = s.mul(s);
        let z_lo = s.product_error(s, z).add(s.add(s).mul(s_lo));
        // c + c_lo = z (1/3 + z P(z)), so that atanh s = s (1 + c).
        let third = V::c(1.0 / 3.0);
        let tail = z.mul(polynomial(z, V::E::POW_LOG));
        let q = third.add(tail);
        let q_lo = tail.sub(q.sub(third)).add(V::splat(V::E::THIRD_LO));
        let c = z.mul(q);
        let c_lo = z.product_error(q, c).add(z.fma(q_lo, z_lo.mul(q)));
        // 2 s (1 + c): s is the exact leading part, the rest is about a hundredth of it.
        let bend = s.mul(c);
        let bend_lo = s.product_error(c, bend).add(s.fma(c_lo, s_lo.mul(c)));
        let l = s.add(bend);
        let l_lo = bend.sub(l.sub(s)).add(bend_lo.add(s_lo));
        let (l, l_lo) = (l.add(l), l_lo.add(l_lo));
        // e ln 2 is zero or the larger term, so the short two-sum holds.
        let big = e.mul(V::splat(V::E::LN2_HI));
        let hi = big.add(l);
        let lo = l.sub(hi.sub(big)).add(e.fma(V::splat(V::E::LN2_LO), l_lo));
        let sum = hi.add(lo);
        (sum, lo.sub(sum.sub(hi)))
    }
}

/// x^y.
#[inline(always)]
pub unsafe fn pow<V: Vector>(x: V, y: V) -> V {
    unsafe {
        let (zero, one, infinity) = (V::c(0.0), V::c(1.0), V::splat(V::E::INFINITY));
        let a = x.abs();
        let (hi, lo) = log_in_two(a);
        let product = y.mul(hi);
        let rest = y.product_error(hi, product).add(y.mul(lo));
        let low = V::splat(V::E::EXP_MIN);
        let high = V::splat(V::E::EXP_MAX);
        let clamped = low.max(high.min(product));
        let value = exp_sum(clamped, V::select(clamped.eq(product), rest, zero));
        let value = V::select(a.eq(zero), V::select(y.lt(zero), infinity, zero), value);
        let value = V::select(y.eq(zero), one, value);
        // A negative base: sign by the parity of an integer exponent, NaN for any other.
        let integer = y.round().eq(y);
        let half = y.mul(V::c(0.5));
        let even = half.round().eq(half);
        let odd = V::mask_without(integer, even);
        let value = V::select(odd, value.or(x.sign()), value);
        let value = V::select(V::mask_without(x.lt(zero), integer), V::splat(V::E::NAN), value);
        // Infinite and NaN arguments are left to the standard library.
        let finite = V::mask_and(a.lt(infinity), y.abs().lt(infinity));
        let special = V::mask_without(one.eq(one), finite);
        if V::any(special) { patch(value, special, x, y, |x, y| x.std_pow(y)) } else { value }
    }
}
