//! What one register of lanes computes: exp, log, sin, ... written once over [`Vector`], with the same operation
//! order at every width. Accuracy figures are on the functions in `map`.
//!
//! SAFETY of all blocks here: they call [`Vector`] methods only, under the same contract as the function around them
//! (its caller has the register's instruction set); memory is touched in `patch` alone, which says why it may.

mod erf;
mod exp;
mod inverse;
mod log;
mod power;
mod trig;

pub use erf::erf;
pub use exp::{cosh, exp, expm1, sigmoid, sinh, softplus, tanh};
pub use inverse::{acos, asin, atan};
pub use log::{log, log1p};
pub use power::pow;
pub use trig::{cos, sin, tan};

use crate::vector::Vector;

/// A polynomial with coefficients `c`, lowest degree first: even and odd parts by two Horner chains.
#[inline(always)]
pub unsafe fn polynomial<V: Vector>(x: V, c: &'static [V::E]) -> V {
    unsafe {
        let n = c.len();
        let square = x.mul(x);
        let (mut high, mut low) = (V::splat(c[n - 1]), V::splat(c[n - 2]));
        let mut i = n - 2;
        while i >= 2 {
            high = high.fma(square, V::splat(c[i - 1]));
            low = low.fma(square, V::splat(c[i - 2]));
            i -= 2;
        }
        // `high` holds the terms of c[n-1], c[n-3], ..., one degree above those in `low`.
        let sum = high.fma(x, low);
        if i == 1 { sum.fma(x, V::splat(c[0])) } else { sum }
    }
}

/// `(a + a_lo) / (b + b_lo)` for small second parts, to little more than half an ulp; b is not zero.
#[inline(always)]
pub unsafe fn quotient<V: Vector>((a, a_lo): (V, V), (b, b_lo): (V, V)) -> V {
    unsafe {
        let reciprocal = V::c(1.0).div(b);
        let q = a.mul(reciprocal);
        let rest = q.residual(b, a).add(q.fnma(b_lo, a_lo));
        rest.fma(reciprocal, q)
    }
}

/// Replaces the lanes of `value` where `mask` holds by a scalar function of the arguments. For rare lanes only.
#[inline(always)]
pub unsafe fn patch<V: Vector>(value: V, mask: V::M, x: V, y: V, f: fn(V::E, V::E) -> V::E) -> V {
    unsafe {
        let zero = V::c(0.0);
        let marked = V::select(mask, V::c(1.0), zero);
        // SAFETY: each array has 16 elements, as many as the widest register.
        let mut lanes = [[<V::E as crate::real::Real>::ZERO; 16]; 4];
        value.store(lanes[0].as_mut_ptr());
        x.store(lanes[1].as_mut_ptr());
        y.store(lanes[2].as_mut_ptr());
        marked.store(lanes[3].as_mut_ptr());
        replace(&mut lanes, V::LANES, f);
        V::load(lanes[0].as_ptr())
    }
}

#[cold]
#[inline(never)]
fn replace<E: crate::real::Real>(lanes: &mut [[E; 16]; 4], count: usize, f: fn(E, E) -> E) {
    let [values, x, y, marked] = lanes;
    for (i, value) in values.iter_mut().enumerate().take(count) {
        if marked[i] != E::ZERO {
            *value = f(x[i], y[i]);
        }
    }
}
