//! The error function: `x + x P(x^2)` up to one, `1 - e^(-x^2) Q(t)` beyond.
//!
//! SAFETY of all blocks: as in the parent module.

use super::{exp, polynomial};
use crate::real::Real;
use crate::vector::Vector;

/// erf x.
#[inline(always)]
pub unsafe fn erf<V: Vector>(x: V) -> V {
    unsafe {
        let one = V::c(1.0);
        let a = V::splat(V::E::ERF_MAX).min(x.abs());
        let z = a.mul(a);
        let near = polynomial(z, V::E::ERF).fma(a, a);
        let t = a.sub(V::c(2.5)).div(a.add(V::c(2.5)));
        let far = exp(z.neg()).fnma(polynomial(t, V::E::ERFCX), one);
        V::select(one.lt(a), far, near).or(x.sign())
    }
}
