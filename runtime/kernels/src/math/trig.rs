//! Sine, cosine and tangent: reduction by multiples of pi/2 in three parts, polynomials on |r| <= pi/4.
//!
//! Lanes beyond `TRIG_MAX` (and infinities) go one by one to the standard library.
//!
//! SAFETY of all blocks: as in the parent module.

use super::{patch, polynomial};
use crate::real::{Real, StdMath};
use crate::vector::Vector;

/// The reduced angle's sine and cosine, and the quadrant in the low bits.
#[inline(always)]
unsafe fn reduced<V: Vector>(x: V) -> (V, V, V) {
    unsafe {
        let magic = V::splat(V::E::MAGIC);
        let shifted = x.fma(V::splat(V::E::TWO_OVER_PI), magic);
        let n = shifted.sub(magic);
        let [p1, p2, p3] = V::E::PI_2;
        let r = n.fnma(V::splat(p1), x);
        let r = n.fnma(V::splat(p2), r);
        let r = n.fnma(V::splat(p3), r);
        let z = r.mul(r);
        let sin = polynomial(z, V::E::SIN).mul(z).fma(r, r);
        let cos = polynomial(z, V::E::COS).fma(z.mul(z), z.fnma(V::c(0.5), V::c(1.0)));
        (sin, cos, shifted)
    }
}

/// Lanes whose quadrant is odd.
#[inline(always)]
unsafe fn odd<V: Vector>(quadrant: V) -> V::M {
    unsafe { quadrant.low_bit_to_sign().is_negative() }
}

/// A sign bit where bit 1 of the quadrant is set.
#[inline(always)]
unsafe fn lower_half<V: Vector>(quadrant: V) -> V {
    unsafe { quadrant.second_bit_to_sign().sign() }
}

#[inline(always)]
unsafe fn large<V: Vector>(x: V) -> V::M {
    unsafe { V::splat(V::E::TRIG_MAX).lt(x.abs()) }
}

/// Sine.
#[inline(always)]
pub unsafe fn sin<V: Vector>(x: V) -> V {
    unsafe {
        let (s, c, quadrant) = reduced(x);
        let y = V::select(odd(quadrant), c, s).xor(lower_half(quadrant));
        // Zero keeps its sign.
        let y = V::select(x.abs().lt(V::splat(V::E::TINY)), x, y);
        let large = large(x);
        if V::any(large) { patch(y, large, x, x, |x, _| x.std_sin()) } else { y }
    }
}

/// Cosine.
#[inline(always)]
pub unsafe fn cos<V: Vector>(x: V) -> V {
    unsafe {
        let (s, c, quadrant) = reduced(x);
        let next = quadrant.add(V::c(1.0));
        let y = V::select(odd(quadrant), s, c).xor(lower_half(next));
        let large = large(x);
        if V::any(large) { patch(y, large, x, x, |x, _| x.std_cos()) } else { y }
    }
}

/// Tangent.
#[inline(always)]
pub unsafe fn tan<V: Vector>(x: V) -> V {
    unsafe {
        let (s, c, quadrant) = reduced(x);
        let odd = odd(quadrant);
        // tan(r + pi/2) = -cos r / sin r.
        let y = V::select(odd, c.neg(), s).div(V::select(odd, s, c));
        let y = V::select(x.abs().lt(V::splat(V::E::TINY)), x, y);
        let large = large(x);
        if V::any(large) { patch(y, large, x, x, |x, _| x.std_tan()) } else { y }
    }
}
