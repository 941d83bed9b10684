//! SSE2 registers, which every x86-64 has: no fused multiply-add, no blend, no masked access.
//!
//! SAFETY of all blocks: as in the parent module.

use super::{Fold, Vector};
use std::arch::x86_64::*;

#[inline(always)]
unsafe fn negative_pd(x: __m128d) -> __m128d {
    // The upper half of each number, spread over both halves of its lane.
    unsafe {
        let signs = _mm_srai_epi32::<31>(_mm_castpd_si128(x));
        _mm_castsi128_pd(_mm_shuffle_epi32::<0b11_11_01_01>(signs))
    }
}
#[inline(always)]
unsafe fn negative_ps(x: __m128) -> __m128 {
    unsafe { _mm_castsi128_ps(_mm_srai_epi32::<31>(_mm_castps_si128(x))) }
}
#[inline(always)]
unsafe fn fold_pd(v: __m128d, op: Fold) -> f64 {
    unsafe { _mm_cvtsd_f64(op.apply::<__m128d>(v, _mm_unpackhi_pd(v, v))) }
}
#[inline(always)]
unsafe fn fold_ps(v: __m128, op: Fold) -> f32 {
    unsafe {
        let two = op.apply::<__m128>(v, _mm_movehl_ps(v, v));
        _mm_cvtss_f32(op.apply::<__m128>(two, _mm_shuffle_ps::<0b01>(two, two)))
    }
}

macro_rules! sse2 {
    ($v:ty, $e:ty, $lanes:literal, $load:ident, $store:ident, $splat:ident, $add:ident, $sub:ident, $mul:ident, $div:ident,
     $sqrt:ident, $min:ident, $max:ident, $and:ident, $or:ident, $xor:ident, $andnot:ident, $lt:ident, $le:ident, $eq:ident,
     $movemask:ident, $to_int:ident, $from_int:ident, $iadd:ident, $isub:ident, $shl:ident, $shr:ident, $negative:ident,
     $fold:ident, $mantissa:literal, $sign:literal, $second:literal, $two_mantissa:literal) => {
        impl Vector for $v {
            type E = $e;
            type M = $v;
            const LANES: usize = $lanes;
            const FUSED: bool = false;
            #[inline(always)]
            unsafe fn load(p: *const $e) -> Self {
                unsafe { $load(p) }
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $e) {
                unsafe { $store(p, self) }
            }
            #[inline(always)]
            unsafe fn load_first(p: *const $e, k: usize) -> Self {
                let mut lanes = [0.0; $lanes];
                unsafe {
                    for (i, lane) in lanes.iter_mut().enumerate().take(k) {
                        *lane = *p.add(i);
                    }
                    $load(lanes.as_ptr())
                }
            }
            #[inline(always)]
            unsafe fn store_first(self, p: *mut $e, k: usize) {
                let mut lanes = [0.0; $lanes];
                unsafe {
                    $store(lanes.as_mut_ptr(), self);
                    for (i, lane) in lanes.iter().enumerate().take(k) {
                        *p.add(i) = *lane;
                    }
                }
            }
            #[inline(always)]
            unsafe fn splat(x: $e) -> Self {
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                unsafe { $add(self, b) }
            }
            #[inline(always)]
            unsafe fn sub(self, b: Self) -> Self {
                unsafe { $sub(self, b) }
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                unsafe { $mul(self, b) }
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                unsafe { $div(self, b) }
            }
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                unsafe { $add($mul(self, b), c) }
            }
            #[inline(always)]
            unsafe fn fnma(self, b: Self, c: Self) -> Self {
                unsafe { $sub(c, $mul(self, b)) }
            }
            #[inline(always)]
            unsafe fn sqrt(self) -> Self {
                unsafe { $sqrt(self) }
            }
            #[inline(always)]
            unsafe fn min(self, b: Self) -> Self {
                unsafe { $min(self, b) }
            }
            #[inline(always)]
            unsafe fn max(self, b: Self) -> Self {
                unsafe { $max(self, b) }
            }
            #[inline(always)]
            unsafe fn round(self) -> Self {
                // Beyond 2^mantissa every number is an integer; below, adding that with the same sign rounds to one.
                unsafe {
                    let magic = $or($splat($two_mantissa), self.sign());
                    let rounded = $or($sub($add(self, magic), magic), self.sign());
                    Self::select($lt(self.abs(), $splat($two_mantissa)), rounded, self)
                }
            }
            #[inline(always)]
            unsafe fn and(self, b: Self) -> Self {
                unsafe { $and(self, b) }
            }
            #[inline(always)]
            unsafe fn or(self, b: Self) -> Self {
                unsafe { $or(self, b) }
            }
            #[inline(always)]
            unsafe fn xor(self, b: Self) -> Self {
                unsafe { $xor(self, b) }
            }
            #[inline(always)]
            unsafe fn andnot(self, b: Self) -> Self {
                unsafe { $andnot(self, b) }
            }
            #[inline(always)]
            unsafe fn int_add(self, b: Self) -> Self {
                unsafe { $from_int($iadd($to_int(self), $to_int(b))) }
            }
            #[inline(always)]
            unsafe fn int_sub(self, b: Self) -> Self {
                unsafe { $from_int($isub($to_int(self), $to_int(b))) }
            }
            #[inline(always)]
            unsafe fn shl_mantissa(self) -> Self {
                unsafe { $from_int($shl::<$mantissa>($to_int(self))) }
            }
            #[inline(always)]
            unsafe fn shr_mantissa(self) -> Self {
                unsafe { $from_int($shr::<$mantissa>($to_int(self))) }
            }
            #[inline(always)]
            unsafe fn low_bit_to_sign(self) -> Self {
                unsafe { $from_int($shl::<$sign>($to_int(self))) }
            }
            #[inline(always)]
            unsafe fn second_bit_to_sign(self) -> Self {
                unsafe { $from_int($shl::<$second>($to_int(self))) }
            }
            #[inline(always)]
            unsafe fn lt(self, b: Self) -> $v {
                unsafe { $lt(self, b) }
            }
            #[inline(always)]
            unsafe fn le(self, b: Self) -> $v {
                unsafe { $le(self, b) }
            }
            #[inline(always)]
            unsafe fn eq(self, b: Self) -> $v {
                unsafe { $eq(self, b) }
            }
            #[inline(always)]
            unsafe fn is_negative(self) -> $v {
                unsafe { $negative(self) }
            }
            #[inline(always)]
            unsafe fn select(m: $v, a: Self, b: Self) -> Self {
                unsafe { $or($and(m, a), $andnot(m, b)) }
            }
            #[inline(always)]
            unsafe fn mask_and(a: $v, b: $v) -> $v {
                unsafe { $and(a, b) }
            }
            #[inline(always)]
            unsafe fn mask_or(a: $v, b: $v) -> $v {
                unsafe { $or(a, b) }
            }
            #[inline(always)]
            unsafe fn mask_without(a: $v, b: $v) -> $v {
                unsafe { $andnot(b, a) }
            }
            #[inline(always)]
            unsafe fn any(m: $v) -> bool {
                unsafe { $movemask(m) != 0 }
            }
            #[inline(always)]
            unsafe fn fold(self, op: Fold) -> $e {
                unsafe { $fold(self, op) }
            }
        }
    };
}

#[rustfmt::skip]
sse2!(__m128d, f64, 2, _mm_loadu_pd, _mm_storeu_pd, _mm_set1_pd, _mm_add_pd, _mm_sub_pd, _mm_mul_pd, _mm_div_pd,
    _mm_sqrt_pd, _mm_min_pd, _mm_max_pd, _mm_and_pd, _mm_or_pd, _mm_xor_pd, _mm_andnot_pd, _mm_cmplt_pd, _mm_cmple_pd,
    _mm_cmpeq_pd, _mm_movemask_pd, _mm_castpd_si128, _mm_castsi128_pd, _mm_add_epi64, _mm_sub_epi64, _mm_slli_epi64,
    _mm_srli_epi64, negative_pd, fold_pd, 52, 63, 62, 4503599627370496.0);
#[rustfmt::skip]
sse2!(__m128, f32, 4, _mm_loadu_ps, _mm_storeu_ps, _mm_set1_ps, _mm_add_ps, _mm_sub_ps, _mm_mul_ps, _mm_div_ps,
    _mm_sqrt_ps, _mm_min_ps, _mm_max_ps, _mm_and_ps, _mm_or_ps, _mm_xor_ps, _mm_andnot_ps, _mm_cmplt_ps, _mm_cmple_ps,
    _mm_cmpeq_ps, _mm_movemask_ps, _mm_castps_si128, _mm_castsi128_ps, _mm_add_epi32, _mm_sub_epi32, _mm_slli_epi32,
    _mm_srli_epi32, negative_ps, fold_ps, 23, 31, 30, 8388608.0);
