//! One-lane registers: plain `f32` and `f64`, for the portable level on any machine, and the reference of the others.

use super::{Fold, Vector};

macro_rules! scalar_vector {
    ($t:ty, $mantissa:expr, $sign:expr) => {
        impl Vector for $t {
            type E = $t;
            type M = bool;
            const LANES: usize = 1;
            // Without the instruction, `mul_add` is a slow library call.
            const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self {
                unsafe { *p }
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                unsafe { *p = self }
            }
            #[inline(always)]
            unsafe fn load_first(p: *const $t, k: usize) -> Self {
                if k == 0 { 0.0 } else { unsafe { *p } }
            }
            #[inline(always)]
            unsafe fn store_first(self, p: *mut $t, k: usize) {
                if k > 0 {
                    unsafe { *p = self }
                }
            }
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                x
            }
            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                self + b
            }
            #[inline(always)]
            unsafe fn sub(self, b: Self) -> Self {
                self - b
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                self * b
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                self / b
            }
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                if Self::FUSED { self.mul_add(b, c) } else { self * b + c }
            }
            #[inline(always)]
            unsafe fn fnma(self, b: Self, c: Self) -> Self {
                unsafe { Vector::fma(-self, b, c) }
            }
            #[inline(always)]
            unsafe fn sqrt(self) -> Self {
                <$t>::sqrt(self)
            }
            #[inline(always)]
            unsafe fn min(self, b: Self) -> Self {
                if self < b { self } else { b }
            }
            #[inline(always)]
            unsafe fn max(self, b: Self) -> Self {
                if self > b { self } else { b }
            }
            #[inline(always)]
            unsafe fn round(self) -> Self {
                self.round_ties_even()
            }
            #[inline(always)]
            unsafe fn and(self, b: Self) -> Self {
                <$t>::from_bits(self.to_bits() & b.to_bits())
            }
            #[inline(always)]
            unsafe fn or(self, b: Self) -> Self {
                <$t>::from_bits(self.to_bits() | b.to_bits())
            }
            #[inline(always)]
            unsafe fn xor(self, b: Self) -> Self {
                <$t>::from_bits(self.to_bits() ^ b.to_bits())
            }
            #[inline(always)]
            unsafe fn andnot(self, b: Self) -> Self {
                <$t>::from_bits(!self.to_bits() & b.to_bits())
            }
            #[inline(always)]
            unsafe fn int_add(self, b: Self) -> Self {
                <$t>::from_bits(self.to_bits().wrapping_add(b.to_bits()))
            }
            #[inline(always)]
            unsafe fn int_sub(self, b: Self) -> Self {
                <$t>::from_bits(self.to_bits().wrapping_sub(b.to_bits()))
            }
            #[inline(always)]
            unsafe fn shl_mantissa(self) -> Self {
                <$t>::from_bits(self.to_bits() << $mantissa)
            }
            #[inline(always)]
            unsafe fn shr_mantissa(self) -> Self {
                <$t>::from_bits(self.to_bits() >> $mantissa)
            }
            #[inline(always)]
            unsafe fn low_bit_to_sign(self) -> Self {
                <$t>::from_bits(self.to_bits() << $sign)
            }
            #[inline(always)]
            unsafe fn second_bit_to_sign(self) -> Self {
                <$t>::from_bits(self.to_bits() << ($sign - 1))
            }
            #[inline(always)]
            unsafe fn lt(self, b: Self) -> bool {
                self < b
            }
            #[inline(always)]
            unsafe fn le(self, b: Self) -> bool {
                self <= b
            }
            #[inline(always)]
            unsafe fn eq(self, b: Self) -> bool {
                self == b
            }
            #[inline(always)]
            unsafe fn is_negative(self) -> bool {
                self.is_sign_negative()
            }
            #[inline(always)]
            unsafe fn select(m: bool, a: Self, b: Self) -> Self {
                if m { a } else { b }
            }
            #[inline(always)]
            unsafe fn mask_and(a: bool, b: bool) -> bool {
                a & b
            }
            #[inline(always)]
            unsafe fn mask_or(a: bool, b: bool) -> bool {
                a | b
            }
            #[inline(always)]
            unsafe fn mask_without(a: bool, b: bool) -> bool {
                a & !b
            }
            #[inline(always)]
            unsafe fn any(m: bool) -> bool {
                m
            }
            #[inline(always)]
            unsafe fn fold(self, _op: Fold) -> $t {
                self
            }
        }
    };
}

scalar_vector!(f64, 52, 63);
scalar_vector!(f32, 23, 31);

macro_rules! transpose4 {
    ($($name:ident $t:ty),*) => {
        $(
            /// [`Real::transpose4`] element by element.
            #[cfg(not(target_arch = "x86_64"))]
            #[inline(always)]
            pub unsafe fn $name(to: *mut $t, to_row: usize, from: *const $t, from_row: usize) {
                for i in 0..4 {
                    for j in 0..4 {
                        unsafe { *to.add(j * to_row + i) = *from.add(i * from_row + j) }
                    }
                }
            }
        )*
    };
}
transpose4!(transpose4_pd f64, transpose4_ps f32);
