//! AVX2 and AVX-512 registers.

use super::{Fold, Vector};
use std::arch::x86_64::*;

/// Sliding window that gives an AVX2 mask of the first k lanes.
static WINDOW64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
static WINDOW32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

#[inline(always)]
unsafe fn first4(k: usize) -> __m256i {
    unsafe { _mm256_loadu_si256(WINDOW64.as_ptr().add(4 - k).cast()) }
}
#[inline(always)]
unsafe fn first8(k: usize) -> __m256i {
    unsafe { _mm256_loadu_si256(WINDOW32.as_ptr().add(8 - k).cast()) }
}

/// The operations whose intrinsics differ only in name between the four register types.
macro_rules! common {
    ($e:ty, $load:ident, $store:ident, $splat:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $fma:ident,
     $fnma:ident, $sqrt:ident, $min:ident, $max:ident, $and:ident, $or:ident, $xor:ident, $andnot:ident,
     $to_int:ident, $from_int:ident, $iadd:ident, $isub:ident, $shl:ident, $shr:ident, $mantissa:literal,
     $sign:literal, $second:literal) => {
        #[inline(always)]
        unsafe fn load(p: *const $e) -> Self {
            unsafe { $load(p) }
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut $e) {
            unsafe { $store(p, self) }
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
            unsafe { $fma(self, b, c) }
        }
        #[inline(always)]
        unsafe fn fnma(self, b: Self, c: Self) -> Self {
            unsafe { $fnma(self, b, c) }
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
    };
}

macro_rules! avx512 {
    ($v:ty, $e:ty, $mask:ty, $lanes:literal, $half:ty, $load:ident, $store:ident, $round:ident, $cmp:ident, $to_mask:ident,
     $blend:ident, $scalef:ident, $lower:ident, $upper:expr, { $($common:tt)* }) => {
        impl Vector for $v {
            type E = $e;
            type M = $mask;
            const LANES: usize = $lanes;
            const FUSED: bool = true;
            common!($($common)*);
            #[inline(always)]
            unsafe fn load_first(p: *const $e, k: usize) -> Self {
                unsafe { $load(((1u32 << k) - 1) as $mask, p) }
            }
            #[inline(always)]
            unsafe fn store_first(self, p: *mut $e, k: usize) {
                unsafe { $store(p, ((1u32 << k) - 1) as $mask, self) }
            }
            #[inline(always)]
            unsafe fn round(self) -> Self {
                unsafe { $round::<8>(self) }
            }
            // The instruction does in one step, with the same single rounding, what the default does in two.
            #[inline(always)]
            unsafe fn scale2(self, n: Self) -> Self {
                unsafe { $scalef(self, n) }
            }
            #[inline(always)]
            unsafe fn lt(self, b: Self) -> $mask {
                unsafe { $cmp::<_CMP_LT_OQ>(self, b) }
            }
            #[inline(always)]
            unsafe fn le(self, b: Self) -> $mask {
                unsafe { $cmp::<_CMP_LE_OQ>(self, b) }
            }
            #[inline(always)]
            unsafe fn eq(self, b: Self) -> $mask {
                unsafe { $cmp::<_CMP_EQ_OQ>(self, b) }
            }
            #[inline(always)]
            unsafe fn is_negative(self) -> $mask {
                unsafe { $to_mask(std::mem::transmute::<$v, __m512i>(self)) }
            }
            #[inline(always)]
            unsafe fn select(m: $mask, a: Self, b: Self) -> Self {
                unsafe { $blend(m, b, a) }
            }
            #[inline(always)]
            unsafe fn mask_and(a: $mask, b: $mask) -> $mask {
                a & b
            }
            #[inline(always)]
            unsafe fn mask_or(a: $mask, b: $mask) -> $mask {
                a | b
            }
            #[inline(always)]
            unsafe fn mask_without(a: $mask, b: $mask) -> $mask {
                a & !b
            }
            #[inline(always)]
            unsafe fn any(m: $mask) -> bool {
                m != 0
            }
            #[inline(always)]
            unsafe fn fold(self, op: Fold) -> $e {
                unsafe { op.apply::<$half>($lower(self), $upper(self)).fold(op) }
            }
            #[inline(always)]
            unsafe fn sum4(v: [Self; 4]) -> [$e; 4] {
                unsafe { <$half>::sum4(v.map(|v| Vector::add($lower(v), $upper(v)))) }
            }
        }
    };
}

#[inline(always)]
unsafe fn upper_pd(v: __m512d) -> __m256d {
    unsafe { _mm512_extractf64x4_pd::<1>(v) }
}
#[inline(always)]
unsafe fn upper_ps(v: __m512) -> __m256 {
    unsafe { _mm512_extractf32x8_ps::<1>(v) }
}

#[rustfmt::skip]
avx512!(__m512d, f64, __mmask8, 8, __m256d, _mm512_maskz_loadu_pd, _mm512_mask_storeu_pd, _mm512_roundscale_pd,
    _mm512_cmp_pd_mask, _mm512_movepi64_mask, _mm512_mask_blend_pd, _mm512_scalef_pd, _mm512_castpd512_pd256, upper_pd,
    { f64, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_set1_pd, _mm512_add_pd, _mm512_sub_pd, _mm512_mul_pd,
      _mm512_div_pd, _mm512_fmadd_pd, _mm512_fnmadd_pd, _mm512_sqrt_pd, _mm512_min_pd, _mm512_max_pd, _mm512_and_pd,
      _mm512_or_pd, _mm512_xor_pd, _mm512_andnot_pd, _mm512_castpd_si512, _mm512_castsi512_pd, _mm512_add_epi64,
      _mm512_sub_epi64, _mm512_slli_epi64, _mm512_srli_epi64, 52, 63, 62 });
#[rustfmt::skip]
avx512!(__m512, f32, __mmask16, 16, __m256, _mm512_maskz_loadu_ps, _mm512_mask_storeu_ps, _mm512_roundscale_ps,
    _mm512_cmp_ps_mask, _mm512_movepi32_mask, _mm512_mask_blend_ps, _mm512_scalef_ps, _mm512_castps512_ps256, upper_ps,
    { f32, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps,
      _mm512_div_ps, _mm512_fmadd_ps, _mm512_fnmadd_ps, _mm512_sqrt_ps, _mm512_min_ps, _mm512_max_ps, _mm512_and_ps,
      _mm512_or_ps, _mm512_xor_ps, _mm512_andnot_ps, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_add_epi32,
      _mm512_sub_epi32, _mm512_slli_epi32, _mm512_srli_epi32, 23, 31, 30 });

macro_rules! avx2 {
    ($v:ty, $e:ty, $lanes:literal, $first:ident, $load:ident, $store:ident, $round:ident, $cmp:ident, $blend:ident,
     $movemask:ident, $and:ident, $or:ident, $andnot:ident, $fold:ident, $sum4:ident, { $($common:tt)* }) => {
        impl Vector for $v {
            type E = $e;
            type M = $v;
            const LANES: usize = $lanes;
            const FUSED: bool = true;
            common!($($common)*);
            #[inline(always)]
            unsafe fn load_first(p: *const $e, k: usize) -> Self {
                unsafe { $load(p, $first(k)) }
            }
            #[inline(always)]
            unsafe fn store_first(self, p: *mut $e, k: usize) {
                unsafe { $store(p, $first(k), self) }
            }
            #[inline(always)]
            unsafe fn round(self) -> Self {
                unsafe { $round::<8>(self) }
            }
            #[inline(always)]
            unsafe fn lt(self, b: Self) -> $v {
                unsafe { $cmp::<_CMP_LT_OQ>(self, b) }
            }
            #[inline(always)]
            unsafe fn le(self, b: Self) -> $v {
                unsafe { $cmp::<_CMP_LE_OQ>(self, b) }
            }
            #[inline(always)]
            unsafe fn eq(self, b: Self) -> $v {
                unsafe { $cmp::<_CMP_EQ_OQ>(self, b) }
            }
            // The masks of this type are read by their sign bits, so the number itself is its sign mask;
            // `mask_*` and `select` keep that reading.
            #[inline(always)]
            unsafe fn is_negative(self) -> $v {
                self
            }
            #[inline(always)]
            unsafe fn select(m: $v, a: Self, b: Self) -> Self {
                unsafe { $blend(b, a, m) }
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
            #[inline(always)]
            unsafe fn sum4(v: [Self; 4]) -> [$e; 4] {
                unsafe { $sum4(v) }
            }
        }
    };
}

#[inline(always)]
unsafe fn fold_pd(v: __m256d, op: Fold) -> f64 {
    unsafe {
        let halves = op.apply::<__m256d>(v, _mm256_permute2f128_pd::<1>(v, v));
        let one = op.apply::<__m256d>(halves, _mm256_permute_pd::<0b0101>(halves));
        _mm256_cvtsd_f64(one)
    }
}
#[inline(always)]
unsafe fn fold_ps(v: __m256, op: Fold) -> f32 {
    unsafe {
        let halves = op.apply::<__m256>(v, _mm256_permute2f128_ps::<1>(v, v));
        let two = op.apply::<__m256>(halves, _mm256_permute_ps::<0b0100_1110>(halves));
        let one = op.apply::<__m256>(two, _mm256_permute_ps::<0b1011_0001>(two));
        _mm256_cvtss_f32(one)
    }
}

#[inline(always)]
unsafe fn sum4_pd([a, b, c, d]: [__m256d; 4]) -> [f64; 4] {
    unsafe {
        let (ab, cd) = (_mm256_hadd_pd(a, b), _mm256_hadd_pd(c, d));
        let crossed = _mm256_permute2f128_pd::<0x21>(ab, cd);
        std::mem::transmute(_mm256_add_pd(crossed, _mm256_blend_pd::<0b1100>(ab, cd)))
    }
}
#[inline(always)]
unsafe fn sum4_ps([a, b, c, d]: [__m256; 4]) -> [f32; 4] {
    unsafe {
        let halves = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
        std::mem::transmute(_mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps::<1>(halves)))
    }
}

#[rustfmt::skip]
avx2!(__m256d, f64, 4, first4, _mm256_maskload_pd, _mm256_maskstore_pd, _mm256_round_pd, _mm256_cmp_pd,
    _mm256_blendv_pd, _mm256_movemask_pd, _mm256_and_pd, _mm256_or_pd, _mm256_andnot_pd, fold_pd, sum4_pd,
    { f64, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_set1_pd, _mm256_add_pd, _mm256_sub_pd, _mm256_mul_pd,
      _mm256_div_pd, _mm256_fmadd_pd, _mm256_fnmadd_pd, _mm256_sqrt_pd, _mm256_min_pd, _mm256_max_pd, _mm256_and_pd,
      _mm256_or_pd, _mm256_xor_pd, _mm256_andnot_pd, _mm256_castpd_si256, _mm256_castsi256_pd, _mm256_add_epi64,
      _mm256_sub_epi64, _mm256_slli_epi64, _mm256_srli_epi64, 52, 63, 62 });
#[rustfmt::skip]
avx2!(__m256, f32, 8, first8, _mm256_maskload_ps, _mm256_maskstore_ps, _mm256_round_ps, _mm256_cmp_ps,
    _mm256_blendv_ps, _mm256_movemask_ps, _mm256_and_ps, _mm256_or_ps, _mm256_andnot_ps, fold_ps, sum4_ps,
    { f32, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps,
      _mm256_div_ps, _mm256_fmadd_ps, _mm256_fnmadd_ps, _mm256_sqrt_ps, _mm256_min_ps, _mm256_max_ps, _mm256_and_ps,
      _mm256_or_ps, _mm256_xor_ps, _mm256_andnot_ps, _mm256_castps_si256, _mm256_castsi256_ps, _mm256_add_epi32,
      _mm256_sub_epi32, _mm256_slli_epi32, _mm256_srli_epi32, 23, 31, 30 });

/// [`Real::transpose4`](crate::real::Real::transpose4) in registers that every x86-64 has.
#[inline(always)]
pub unsafe fn transpose4_pd(to: *mut f64, to_row: usize, from: *const f64, from_row: usize) {
    unsafe {
        for j in [0, 2] {
            for i in [0, 2] {
                let a = _mm_loadu_pd(from.add(i * from_row + j));
                let b = _mm_loadu_pd(from.add((i + 1) * from_row + j));
                _mm_storeu_pd(to.add(j * to_row + i), _mm_unpacklo_pd(a, b));
                _mm_storeu_pd(to.add((j + 1) * to_row + i), _mm_unpackhi_pd(a, b));
            }
        }
    }
}

/// [`Real::transpose4`](crate::real::Real::transpose4) in registers that every x86-64 has.
#[inline(always)]
pub unsafe fn transpose4_ps(to: *mut f32, to_row: usize, from: *const f32, from_row: usize) {
    unsafe {
        let [mut a, mut b, mut c, mut d] = [0, 1, 2, 3].map(|i| _mm_loadu_ps(from.add(i * from_row)));
        _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
        for (j, row) in [a, b, c, d].into_iter().enumerate() {
            _mm_storeu_ps(to.add(j * to_row), row);
        }
    }
}
