//! NEON registers, which every 64-bit ARM has, with fused multiply-add: the bits are those of AVX2 and AVX-512.
//!
//! SAFETY of all blocks: as in the parent module.

use super::{Fold, Vector};
use std::arch::aarch64::*;

#[inline(always)]
unsafe fn any64(m: uint64x2_t) -> bool {
    unsafe { vmaxvq_u32(vreinterpretq_u32_u64(m)) != 0 }
}
#[inline(always)]
unsafe fn any32(m: uint32x4_t) -> bool {
    unsafe { vmaxvq_u32(m) != 0 }
}
#[inline(always)]
unsafe fn negative64(x: float64x2_t) -> uint64x2_t {
    unsafe { vcltzq_s64(vreinterpretq_s64_f64(x)) }
}
#[inline(always)]
unsafe fn negative32(x: float32x4_t) -> uint32x4_t {
    unsafe { vcltzq_s32(vreinterpretq_s32_f32(x)) }
}
#[inline(always)]
unsafe fn fold64(v: float64x2_t, op: Fold) -> f64 {
    unsafe { vgetq_lane_f64::<0>(op.apply::<float64x2_t>(v, vextq_f64::<1>(v, v))) }
}
#[inline(always)]
unsafe fn fold32(v: float32x4_t, op: Fold) -> f32 {
    unsafe {
        let two = op.apply::<float32x4_t>(v, vextq_f32::<2>(v, v));
        vgetq_lane_f32::<0>(op.apply::<float32x4_t>(two, vextq_f32::<1>(two, two)))
    }
}

macro_rules! neon {
    ($v:ty, $e:ty, $m:ty, $lanes:literal, $load:ident, $store:ident, $splat:ident, $add:ident, $sub:ident, $mul:ident, $div:ident,
     $fma:ident, $fnma:ident, $sqrt:ident, $round:ident, $to_int:ident, $from_int:ident, $and:ident, $or:ident, $xor:ident,
     $clear:ident, $iadd:ident, $isub:ident, $shl:ident, $shr:ident, $lt:ident, $le:ident, $eq:ident, $select:ident,
     $negative:ident, $any:ident, $fold:ident, $mantissa:literal, $sign:literal, $second:literal) => {
        impl Vector for $v {
            type E = $e;
            type M = $m;
            const LANES: usize = $lanes;
            const FUSED: bool = true;
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
                unsafe { $fma(c, self, b) }
            }
            #[inline(always)]
            unsafe fn fnma(self, b: Self, c: Self) -> Self {
                unsafe { $fnma(c, self, b) }
            }
            #[inline(always)]
            unsafe fn sqrt(self) -> Self {
                unsafe { $sqrt(self) }
            }
            // The instructions for extremes treat NaN and zeros otherwise than the trait says.
            #[inline(always)]
            unsafe fn min(self, b: Self) -> Self {
                unsafe { $select($lt(self, b), self, b) }
            }
            #[inline(always)]
            unsafe fn max(self, b: Self) -> Self {
                unsafe { $select($lt(b, self), self, b) }
            }
            #[inline(always)]
            unsafe fn round(self) -> Self {
                unsafe { $round(self) }
            }
            #[inline(always)]
            unsafe fn and(self, b: Self) -> Self {
                unsafe { $from_int($and($to_int(self), $to_int(b))) }
            }
            #[inline(always)]
            unsafe fn or(self, b: Self) -> Self {
                unsafe { $from_int($or($to_int(self), $to_int(b))) }
            }
            #[inline(always)]
            unsafe fn xor(self, b: Self) -> Self {
                unsafe { $from_int($xor($to_int(self), $to_int(b))) }
            }
            #[inline(always)]
            unsafe fn andnot(self, b: Self) -> Self {
                unsafe { $from_int($clear($to_int(b), $to_int(self))) }
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
            unsafe fn lt(self, b: Self) -> $m {
                unsafe { $lt(self, b) }
            }
            #[inline(always)]
            unsafe fn le(self, b: Self) -> $m {
                unsafe { $le(self, b) }
            }
            #[inline(always)]
            unsafe fn eq(self, b: Self) -> $m {
                unsafe { $eq(self, b) }
            }
            #[inline(always)]
            unsafe fn is_negative(self) -> $m {
                unsafe { $negative(self) }
            }
            #[inline(always)]
            unsafe fn select(m: $m, a: Self, b: Self) -> Self {
                unsafe { $select(m, a, b) }
            }
            #[inline(always)]
            unsafe fn mask_and(a: $m, b: $m) -> $m {
                unsafe { $and(a, b) }
            }
            #[inline(always)]
            unsafe fn mask_or(a: $m, b: $m) -> $m {
                unsafe { $or(a, b) }
            }
            #[inline(always)]
            unsafe fn mask_without(a: $m, b: $m) -> $m {
                unsafe { $clear(a, b) }
            }
            #[inline(always)]
            unsafe fn any(m: $m) -> bool {
                unsafe { $any(m) }
            }
            #[inline(always)]
            unsafe fn fold(self, op: Fold) -> $e {
                unsafe { $fold(self, op) }
            }
        }
    };
}

#[rustfmt::skip]
neon!(float64x2_t, f64, uint64x2_t, 2, vld1q_f64, vst1q_f64, vdupq_n_f64, vaddq_f64, vsubq_f64, vmulq_f64, vdivq_f64,
    vfmaq_f64, vfmsq_f64, vsqrtq_f64, vrndnq_f64, vreinterpretq_u64_f64, vreinterpretq_f64_u64, vandq_u64, vorrq_u64,
    veorq_u64, vbicq_u64, vaddq_u64, vsubq_u64, vshlq_n_u64, vshrq_n_u64, vcltq_f64, vcleq_f64, vceqq_f64, vbslq_f64,
    negative64, any64, fold64, 52, 63, 62);
#[rustfmt::skip]
neon!(float32x4_t, f32, uint32x4_t, 4, vld1q_f32, vst1q_f32, vdupq_n_f32, vaddq_f32, vsubq_f32, vmulq_f32, vdivq_f32,
    vfmaq_f32, vfmsq_f32, vsqrtq_f32, vrndnq_f32, vreinterpretq_u32_f32, vreinterpretq_f32_u32, vandq_u32, vorrq_u32,
    veorq_u32, vbicq_u32, vaddq_u32, vsubq_u32, vshlq_n_u32, vshrq_n_u32, vcltq_f32, vcleq_f32, vceqq_f32, vbslq_f32,
    negative32, any32, fold32, 23, 31, 30);
