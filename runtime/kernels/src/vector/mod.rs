//! The one small layer of explicit SIMD: a trait over a register of lanes, so that every kernel body is
//! written once and compiled per instruction set inside a `#[target_feature]` function.
//!
//! Plain slice loops are not used for kernels because LLVM gives up vectorising when the output aliases an
//! input, which the buffer planner makes happen all the time. What the lanes compute (exp, sin, ...) is in
//! `math`; how arrays are walked is in `elementwise`, `reduce`, `rows` and
//! `gemm`.
//!
//! SAFETY of all blocks in this module: each calls intrinsics of the register's own instruction set, which the
//! trait's contract demands; pointers are those of the caller, used as the method says.

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod sse;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(not(target_arch = "x86_64"))]
pub use scalar::{transpose4_pd, transpose4_ps};
#[cfg(target_arch = "x86_64")]
pub use x86::{transpose4_pd, transpose4_ps};

use crate::real::Real;

/// A register of `LANES` numbers of type `E`.
///
/// # Safety
/// Every method may compile to instructions of the implementing type's instruction set, so it must only be
/// reached from a function that has those target features, on a machine that has them. Pointer methods need
/// the stated number of readable or writable elements; no alignment beyond that of `E` is needed.
pub trait Vector: Copy {
    /// Element type.
    type E: Real;
    /// One truth value per lane.
    type M: Copy;
    /// Number of lanes.
    const LANES: usize;
    /// Whether [`Vector::fma`] rounds once.
    const FUSED: bool;

    /// Reads `LANES` elements.
    unsafe fn load(p: *const Self::E) -> Self;
    /// Writes `LANES` elements.
    unsafe fn store(self, p: *mut Self::E);
    /// Reads the first `k <= LANES` elements, the other lanes are zero.
    unsafe fn load_first(p: *const Self::E, k: usize) -> Self;
    /// Writes the first `k <= LANES` lanes.
    unsafe fn store_first(self, p: *mut Self::E, k: usize);
    /// All lanes equal to `x`.
    unsafe fn splat(x: Self::E) -> Self;
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn sub(self, b: Self) -> Self;
    unsafe fn mul(self, b: Self) -> Self;
    unsafe fn div(self, b: Self) -> Self;
    /// `self * b + c`, with one rounding if [`Vector::FUSED`], else two.
    unsafe fn fma(self, b: Self, c: Self) -> Self;
    /// `c - self * b`, rounded as `fma`.
    unsafe fn fnma(self, b: Self, c: Self) -> Self;
    unsafe fn sqrt(self) -> Self;
    /// `self < b ? self : b`, so a NaN in `b` passes and a NaN in `self` gives `b`.
    unsafe fn min(self, b: Self) -> Self;
    /// `self > b ? self : b`, so a NaN in `b` passes and a NaN in `self` gives `b`.
    unsafe fn max(self, b: Self) -> Self;
    /// Nearest integer, ties to even.
    unsafe fn round(self) -> Self;
    /// Bitwise and of the representations.
    unsafe fn and(self, b: Self) -> Self;
    /// Bitwise or of the representations.
    unsafe fn or(self, b: Self) -> Self;
    /// Bitwise exclusive or of the representations.
    unsafe fn xor(self, b: Self) -> Self;
    /// Bitwise `!self & b` of the representations.
    unsafe fn andnot(self, b: Self) -> Self;
    /// Sum of the representations as unsigned integers, wrapping.
    unsafe fn int_add(self, b: Self) -> Self;
    /// Difference of the representations as unsigned integers, wrapping.
    unsafe fn int_sub(self, b: Self) -> Self;
    /// Representation shifted left by the width of the stored mantissa (52 or 23).
    unsafe fn shl_mantissa(self) -> Self;
    /// Representation shifted right, logically, by the width of the stored mantissa.
    unsafe fn shr_mantissa(self) -> Self;
    /// Representation shifted left so that its lowest bit becomes the sign bit.
    unsafe fn low_bit_to_sign(self) -> Self;
    /// Representation shifted left so that its second lowest bit becomes the sign bit.
    unsafe fn second_bit_to_sign(self) -> Self;
    /// Lanes where `self < b` (false on NaN).
    unsafe fn lt(self, b: Self) -> Self::M;
    /// Lanes where `self <= b` (false on NaN).
    unsafe fn le(self, b: Self) -> Self::M;
    /// Lanes where `self == b` (false on NaN).
    unsafe fn eq(self, b: Self) -> Self::M;
    /// Lanes where the sign bit is set.
    unsafe fn is_negative(self) -> Self::M;
    /// Lane by lane: `a` where the mask is true, else `b`.
    unsafe fn select(m: Self::M, a: Self, b: Self) -> Self;
    /// Both.
    unsafe fn mask_and(a: Self::M, b: Self::M) -> Self::M;
    /// Either.
    unsafe fn mask_or(a: Self::M, b: Self::M) -> Self::M;
    /// `a` and not `b`.
    unsafe fn mask_without(a: Self::M, b: Self::M) -> Self::M;
    /// True if any lane of the mask is true.
    unsafe fn any(m: Self::M) -> bool;
    /// Folds the lanes by halves with `op`: lane i with lane i + LANES/2, and so on down to one.
    unsafe fn fold(self, op: Fold) -> Self::E;
    /// The sums of the lanes of four registers; the order of addition is the register's own.
    #[inline(always)]
    unsafe fn sum4(v: [Self; 4]) -> [Self::E; 4] {
        unsafe { v.map(|v| v.fold(Fold::Add)) }
    }

    /// A constant given as `f64`, rounded to the element type.
    #[inline(always)]
    unsafe fn c(x: f64) -> Self {
        unsafe { Self::splat(<Self::E as Real>::from_f64(x)) }
    }
    /// `self * b - p` for the rounded product p: what its rounding lost, exactly, whether or not the register fuses.
    #[inline(always)]
    unsafe fn product_error(self, b: Self, p: Self) -> Self {
        unsafe {
            if Self::FUSED {
                return self.fma(b, p.neg());
            }
            // Both factors in halves (Dekker), by masks, which do not overflow as Veltkamp's multiplication does.
            let mask = Self::splat(Self::E::UPPER_HALF);
            let (ah, bh) = (self.and(mask), b.and(mask));
            let (al, bl) = (self.sub(ah), b.sub(bh));
            ah.mul(bh).sub(p).add(ah.mul(bl)).add(al.mul(bh)).add(al.mul(bl))
        }
    }
    /// `c - self * b` where c is close to the product, as exactly as with one rounding.
    #[inline(always)]
    unsafe fn residual(self, b: Self, c: Self) -> Self {
        unsafe {
            if Self::FUSED {
                return self.fnma(b, c);
            }
            let p = self.mul(b);
            c.sub(p).sub(self.product_error(b, p))
        }
    }
    /// Magnitude.
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        unsafe { Self::c(-0.0).andnot(self) }
    }
    /// Negation (flips the sign bit).
    #[inline(always)]
    unsafe fn neg(self) -> Self {
        unsafe { self.xor(Self::c(-0.0)) }
    }
    /// The sign bit alone.
    #[inline(always)]
    unsafe fn sign(self) -> Self {
        unsafe { self.and(Self::c(-0.0)) }
    }
    /// `self * 2^n` for an integer `n` held as a float; |n| up to twice the exponent range. One rounding.
    #[inline(always)]
    unsafe fn scale2(self, n: Self) -> Self {
        unsafe {
            let half = n.mul(Self::c(0.5)).round();
            self.mul(half.exp2_int()).mul(n.sub(half).exp2_int())
        }
    }
    /// `2^n` for an integer `n` held as a float, within the normal exponent range.
    #[inline(always)]
    unsafe fn exp2_int(self) -> Self {
        unsafe { self.add(Self::splat(Self::E::MAGIC_BIASED)).shl_mantissa() }
    }
}

/// The operation of [`Vector::fold`].
#[derive(Clone, Copy)]
pub enum Fold {
    /// Sum.
    Add,
    /// Maximum, in the sense of [`Vector::max`].
    Max,
    /// Minimum, in the sense of [`Vector::min`].
    Min,
}

impl Fold {
    /// Applies the operation to two registers.
    #[inline(always)]
    pub unsafe fn apply<V: Vector>(self, a: V, b: V) -> V {
        unsafe {
            match self {
                Fold::Add => a.add(b),
                Fold::Max => a.max(b),
                Fold::Min => a.min(b),
            }
        }
    }
}
