//! Sine, cosine and tangent: reduction by multiples of pi/2 in three parts, polynomials on |r| <= pi/4. The reduced angle
//! is carried in two parts, so that its rounding does not count.
//!
//! Lanes beyond `TRIG_MAX` (and infinities) go one by one to the standard library.
//!
//! SAFETY of all blocks: as in the parent module.

use super::{patch, polynomial, quotient};
use crate::real::{Real, StdMath};
use crate::vector::Vector;

/// An angle reduced to |r| <= pi/4, with sine and cosine as unevaluated sums of two parts, and the quadrant in the low bits.
struct Reduced<V> {
    sin: (V, V),
    cos: (V, V),
    quadrant: V,
}

/// `x - n pi/2` as a sum of two parts. The difference of x and n times the first part of pi/2 is exact, as both are multiples
/// of a bit that is within a mantissa's width of the result.
#[inline(always)]
unsafe fn subtract_quadrants<V: Vector>(x: V, n: V) -> (V, V) {
    unsafe {
        let [p1, p2, p3] = V::E::PI_2.map(|p| V::splat(p));
        let r = if V::FUSED {
            n.fnma(p1, x)
        } else {
            let [upper, lower] = V::E::PI_2_HALVES.map(|p| V::splat(p));
            x.sub(n.mul(upper)).sub(n.mul(lower))
        };
        // The second part, with the exact errors of product and difference: near a multiple of pi/2 either may be larger.
        let product = n.mul(p2);
        let difference = r.sub(product);
        let taken = r.sub(difference);
        let rest = r.sub(difference.add(taken)).add(taken.sub(product)).sub(n.product_error(p2, product));
        let r = difference;
        let rest = n.fnma(p3, rest);
        let sum = r.add(rest);
        (sum, r.sub(sum).add(rest))
    }
}

#[inline(always)]
unsafe fn reduced<V: Vector>(x: V) -> Reduced<V> {
    unsafe {
        let magic = V::splat(V::E::MAGIC);
        let quadrant = x.fma(V::splat(V::E::TWO_OVER_PI), magic);
        let (r, rest) = subtract_quadrants(x, quadrant.sub(magic));
        let z = r.mul(r);
        // sin(r + rest) = r + (r^3 P(z) + rest), as cos r is one to the rest's accuracy.
        let tail = polynomial(z, V::E::SIN).mul(z).fma(r, rest);
        let sin = r.add(tail);
        // cos(r + rest) = 1 - z/2 + (z^2 P(z) - r rest), with what rounding 1 - z/2 lost.
        let half = z.mul(V::c(0.5));
        let one = V::c(1.0);
        let most = one.sub(half);
        let lost = one.sub(most).sub(half);
        let bend = polynomial(z, V::E::COS).fma(z.mul(z), r.fnma(rest, lost));
        let cos = most.add(bend);
        Reduced { sin: (sin, r.sub(sin).add(tail)), cos: (cos, most.sub(cos).add(bend)), quadrant }
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
        let Reduced { sin: (s, _), cos: (c, _), quadrant } = reduced(x);
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
        let Reduced { sin: (s, _), cos: (c, _), quadrant } = reduced(x);
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
        let Reduced { sin: (s, s_lo), cos: (c, c_lo), quadrant } = reduced(x);
        let odd = odd(quadrant);
        // tan(r + pi/2) = -cos r / sin r.
        let above = (V::select(odd, c.neg(), s), V::select(odd, c_lo.neg(), s_lo));
        let below = (V::select(odd, s, c), V::select(odd, s_lo, c_lo));
        let y = quotient(above, below);
        let y = V::select(x.abs().lt(V::splat(V::E::TINY)), x, y);
        let large = large(x);
        if V::any(large) { patch(y, large, x, x, |x, _| x.std_tan()) } else { y }
    }
}
