//! Reductions: sums, extremes and inner products of whole arrays.
//!
//! Element i goes to virtual lane i mod L (L = 32 doubles or 64 singles, whatever the register width), and the
//! lanes are folded by halves, so registers of any width give the same bits, apart from a fused multiply-add.
//!
//! SAFETY of blocks without a sentence: they hand the function's own contract on to the lanes' function.

use crate::entry::entry;
use crate::level::Level;
use crate::real::Real;
use crate::vector::{Fold, Vector};

/// `fn(n, a: n) -> T`.
pub type Reduce<T> = unsafe extern "C" fn(n: usize, a: *const T) -> T;
/// `fn(n, a: n, b: n) -> T`.
pub type Reduce2<T> = unsafe extern "C" fn(n: usize, a: *const T, b: *const T) -> T;

/// Bytes of all virtual lanes together.
const BANK_BYTES: usize = 256;

/// How elements are accumulated.
pub trait Accumulate {
    /// How lanes are folded.
    const FOLD: Fold;
    /// The value of an empty array.
    const EMPTY: f64;
    /// Whether a NaN among the elements must be looked for (an extreme would lose it).
    const WATCH: bool;
    /// One step of an accumulator, for an element of the first and of the second array.
    ///
    /// # Safety
    /// As [`Vector`].
    unsafe fn step<V: Vector>(acc: V, x: V, y: V) -> V;
}

macro_rules! accumulators {
    ($($name:ident: $fold:ident, $empty:expr, $watch:expr, |$acc:ident, $x:ident, $y:ident| $step:expr;)*) => {
        $(
            /// The reduction of this name.
            pub enum $name {}
            impl Accumulate for $name {
                const FOLD: Fold = Fold::$fold;
                const EMPTY: f64 = $empty;
                const WATCH: bool = $watch;
                #[inline(always)]
                unsafe fn step<V: Vector>($acc: V, $x: V, $y: V) -> V {
                    unsafe { $step }
                }
            }
        )*
    };
}

accumulators! {
    Sum: Add, 0.0, false, |acc, x, _y| acc.add(x);
    SumSquares: Add, 0.0, false, |acc, x, _y| x.fma(x, acc);
    Max: Max, f64::NEG_INFINITY, true, |acc, x, _y| x.max(acc);
    Min: Min, f64::INFINITY, true, |acc, x, _y| x.min(acc);
    Dot: Add, 0.0, false, |acc, x, y| x.fma(y, acc);
}

/// The reduction of `a` (and `b`, which may be `a` where the operation takes one array).
#[inline(always)]
pub unsafe fn reduce<V: Vector, O: Accumulate>(n: usize, a: *const V::E, b: *const V::E) -> V::E {
    // SAFETY: every access is below n.
    unsafe {
        let bank = BANK_BYTES / size_of::<V>();
        let empty = V::c(O::EMPTY);
        let mut acc = [empty; BANK_BYTES / 4];
        let mut clean = empty.eq(empty);
        let mut i = 0;
        while i + bank * V::LANES <= n {
            for (j, lane) in acc.iter_mut().enumerate().take(bank) {
                let x = V::load(a.add(i + j * V::LANES));
                *lane = O::step(*lane, x, V::load(b.add(i + j * V::LANES)));
                if O::WATCH {
                    clean = V::mask_and(clean, x.eq(x));
                }
            }
            i += bank * V::LANES;
        }
        for lane in acc.iter_mut().take(bank) {
            let k = V::LANES.min(n - i);
            if k == V::LANES {
                let x = V::load(a.add(i));
                *lane = O::step(*lane, x, V::load(b.add(i)));
                clean = V::mask_and(clean, x.eq(x));
            } else if k > 0 {
                let x = V::load_first(a.add(i), k);
                // Lanes past the end keep their value: for extremes zero is not neutral.
                let kept = V::load_first([V::E::ONE; 16].as_ptr(), k).eq(V::c(1.0));
                *lane = V::select(kept, O::step(*lane, x, V::load_first(b.add(i), k)), *lane);
                clean = V::mask_and(clean, x.eq(x));
            }
            i += k;
        }
        let mut width = bank / 2;
        while width > 0 {
            for j in 0..width {
                acc[j] = O::FOLD.apply(acc[j], acc[j + width]);
            }
            width /= 2;
        }
        if O::WATCH && V::any(V::mask_without(empty.eq(empty), clean)) {
            return V::E::NAN;
        }
        acc[0].fold(O::FOLD)
    }
}

#[inline(always)]
unsafe fn reduce1<V: Vector, O: Accumulate>(n: usize, a: *const V::E) -> V::E {
    // SAFETY: the caller's contract.
    unsafe { reduce::<V, O>(n, a, a) }
}

entry! {
    /// The kernel of a reduction of one array.
    reduction, Reduce, Accumulate, reduce1, reduce1, (n: usize, a: *const E) -> E
}
entry! {
    /// The kernel of a reduction of two arrays.
    reduction2, Reduce2, Accumulate, reduce, reduce, (n: usize, a: *const E, b: *const E) -> E
}
