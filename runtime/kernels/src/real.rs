//! Element types: the constants and polynomial coefficients of each precision, and the door to the standard
//! library's functions. The algorithms that use them are in `math`.
//!
//! Coefficients are interpolations in Chebyshev nodes (weighted minimax for the exponential) computed in 60
//! decimal digits; lowest degree first.
#![allow(clippy::excessive_precision, reason = "shortest round-trip decimals of the intended bits")]
#![allow(clippy::approx_constant, reason = "a leading coefficient may resemble a named constant")]

use crate::vector::Vector;

macro_rules! std_functions {
    ($($(#[$doc:meta])* $name:ident $(($arg:ident))? = $std:ident),* $(,)?) => {
        /// The standard library's functions of a number type.
        pub trait StdMath: Sized {
            $($(#[$doc])* fn $name(self $(, $arg: Self)?) -> Self;)*
        }
        impl StdMath for f64 {
            $(#[inline(always)] fn $name(self $(, $arg: Self)?) -> Self { f64::$std(self $(, $arg)?) })*
        }
        impl StdMath for f32 {
            $(#[inline(always)] fn $name(self $(, $arg: Self)?) -> Self { f32::$std(self $(, $arg)?) })*
        }
    };
}

std_functions! {
    /// sin.
    std_sin = sin,
    /// cos.
    std_cos = cos,
    /// tan.
    std_tan = tan,
    /// x to the power y.
    std_pow(y) = powf,
}

/// A number type with its constants. Sealed through [`crate::Float`].
pub trait Real:
    StdMath
    + Copy
    + PartialOrd
    + Send
    + Sync
    + 'static
    + std::fmt::Debug
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::Neg<Output = Self>
    + Vector<E = Self, M = bool>
    + faer::traits::ComplexField
{
    /// The AVX-512 register of this type.
    #[cfg(target_arch = "x86_64")]
    type V512: Vector<E = Self>;
    /// The AVX2 register of this type.
    #[cfg(target_arch = "x86_64")]
    type V256: Vector<E = Self>;
    /// `self * b + c` with one rounding: an instruction where the caller has one, a slow library call elsewhere.
    fn fused(self, b: Self, c: Self) -> Self;
    /// The 128-bit register of this type.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    type V128: Vector<E = Self>;
    /// Transposes the four by four matrix at `from` to `to`, with rows this far apart.
    ///
    /// # Safety
    /// The rows are readable and writable.
    unsafe fn transpose4(to: *mut Self, to_row: usize, from: *const Self, from_row: usize);
    /// Zero.
    const ZERO: Self;
    /// Rounds a double to this type.
    fn from_f64(x: f64) -> Self;
    /// One.
    const ONE: Self;
    /// Base-two logarithm of e.
    const LOG2_E: Self;
    /// Upper part of ln 2, with enough trailing zeros that a product with any exponent is exact.
    const LN2_HI: Self;
    /// ln 2 - `LN2_HI`.
    const LN2_LO: Self;
    /// 2/pi.
    const TWO_OVER_PI: Self;
    /// pi/2 as a sum of three parts, each rounded to nearest.
    const PI_2: [Self; 3];
    /// The first part of `PI_2` as an upper and a lower half, whose products with a quadrant number (up to `TRIG_MAX`) are exact.
    const PI_2_HALVES: [Self; 2];
    /// The number whose representation masks the upper half of a mantissa, with sign and exponent.
    const UPPER_HALF: Self;
    /// 1/3 minus its rounded value.
    const THIRD_LO: Self;
    /// 1.5 * 2^(mantissa width): adding it rounds to an integer held in the low bits.
    const MAGIC: Self;
    /// `MAGIC` plus the exponent bias.
    const MAGIC_BIASED: Self;
    /// 2^(mantissa width).
    const TWO_MANTISSA: Self;
    /// Width of the stored mantissa in bits.
    const MANTISSA_WIDTH: Self;
    /// Exponent bias.
    const BIAS: Self;
    /// Smallest positive normal number.
    const MIN_NORMAL: Self;
    /// The number whose representation is the mantissa mask.
    const MANTISSA_MASK: Self;
    /// Plus infinity.
    const INFINITY: Self;
    /// A quiet NaN.
    const NAN: Self;
    /// Above this, exp overflows.
    const EXP_MAX: Self;
    /// Below this, exp rounds to zero.
    const EXP_MIN: Self;
    /// Below this, expm1 rounds to minus one.
    const EXPM1_MIN: Self;
    /// Above this, tanh rounds to one.
    const TANH_MAX: Self;
    /// Below this in magnitude, odd functions with unit slope at zero return their argument.
    const TINY: Self;
    /// Largest magnitude for which three parts of pi/2 reduce an angle accurately.
    const TRIG_MAX: Self;
    /// Above this, sinh and cosh overflow.
    const SINH_MAX: Self;
    /// Above this, erf rounds to one.
    const ERF_MAX: Self;
    /// Polynomial for `(e^r - 1 - r) / r^2` on |r| <= ln(2)/2.
    const EXP: &'static [Self];
    /// Polynomial for `(2 atanh(s) - 2s) / s^3` in s^2, for |s| <= (sqrt 2 - 1)/(sqrt 2 + 1).
    const LOG: &'static [Self];
    /// Polynomial for `(atanh(s)/s - 1 - s^2/3) / s^4` in s^2, same range as `LOG`.
    const POW_LOG: &'static [Self];
    /// Polynomial for `(sin r - r) / r^3` in r^2, for |r| <= pi/4.
    const SIN: &'static [Self];
    /// Polynomial for `(cos r - 1 + r^2/2) / r^4` in r^2, for |r| <= pi/4.
    const COS: &'static [Self];
    /// Polynomial for `(atan t - t) / t^3` in t^2, for |t| <= tan(pi/8).
    const ATAN: &'static [Self];
    /// Polynomial for `(asin x - x) / x^3` in x^2, for |x| <= 1/2.
    const ASIN: &'static [Self];
    /// Polynomial for `erf(x)/x - 1` in x^2, for |x| <= 1.
    const ERF: &'static [Self];
    /// Polynomial for `exp(x^2) erfc(x)` in t = (x - 2.5)/(x + 2.5), from x = 1 to where erf rounds to one.
    const ERFCX: &'static [Self];
    /// Polynomial for `(sinh x - x) / x^3` in x^2, for |x| <= 1.
    const SINH: &'static [Self];
}

impl Real for f64 {
    #[cfg(target_arch = "x86_64")]
    type V512 = std::arch::x86_64::__m512d;
    #[cfg(target_arch = "x86_64")]
    type V256 = std::arch::x86_64::__m256d;
    #[cfg(target_arch = "x86_64")]
    type V128 = std::arch::x86_64::__m128d;
    #[cfg(target_arch = "aarch64")]
    type V128 = std::arch::aarch64::float64x2_t;
    #[inline(always)]
    fn fused(self, b: Self, c: Self) -> Self {
        self.mul_add(b, c)
    }
    #[inline(always)]
    unsafe fn transpose4(to: *mut Self, to_row: usize, from: *const Self, from_row: usize) {
        // SAFETY: the caller's contract.
        unsafe { crate::vector::transpose4_pd(to, to_row, from, from_row) }
    }
    const ZERO: Self = 0.0;
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }
    const ONE: Self = 1.0;
    const LOG2_E: Self = std::f64::consts::LOG2_E;
    const LN2_HI: Self = 0.6931471804855391;
    const LN2_LO: Self = 7.440617110012397e-11;
    const TWO_OVER_PI: Self = std::f64::consts::FRAC_2_PI;
    const PI_2: [Self; 3] = [std::f64::consts::FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591698e-33];
    const PI_2_HALVES: [Self; 2] = {
        let upper = f64::from_bits(Self::PI_2[0].to_bits() & Self::UPPER_HALF.to_bits());
        [upper, Self::PI_2[0] - upper]
    };
    const UPPER_HALF: Self = f64::from_bits(0xffff_ffff_f800_0000);
    const THIRD_LO: Self = 1.850371707708594e-17;
    const MAGIC: Self = 6755399441055744.0;
    const MAGIC_BIASED: Self = 6755399441056767.0;
    const TWO_MANTISSA: Self = 4503599627370496.0;
    const MANTISSA_WIDTH: Self = 52.0;
    const BIAS: Self = 1023.0;
    const MIN_NORMAL: Self = f64::MIN_POSITIVE;
    const MANTISSA_MASK: Self = f64::from_bits(0x000f_ffff_ffff_ffff);
    const INFINITY: Self = f64::INFINITY;
    const NAN: Self = f64::NAN;
    const EXP_MAX: Self = 710.0;
    const EXP_MIN: Self = -746.0;
    const EXPM1_MIN: Self = -40.0;
    const TANH_MAX: Self = 20.0;
    const TINY: Self = 1e-290;
    const TRIG_MAX: Self = 100000.0;
    const SINH_MAX: Self = 710.5;
    const ERF_MAX: Self = 6.0;
    const EXP: &'static [Self] = &[
        0.5,
        0.16666666666666602,
        0.04166666666661963,
        0.008333333333388841,
        0.0013888888920682543,
        0.00019841269708495,
        2.4801516091258154e-05,
        2.755742557990354e-06,
        2.762234358381876e-07,
        2.504585054954697e-08,
    ];
    const LOG: &'static [Self] = &[
        0.666666666666667,
        0.3999999999989889,
        0.28571428626253836,
        0.22222211089379496,
        0.1818289243253687,
        0.15331611722055008,
        0.14617807153417325,
    ];
    const POW_LOG: &'static [Self] = &[
        0.20000000000000015,
        0.14285714285669004,
        0.11111111135663404,
        0.09090904105460941,
        0.07692788731654072,
        0.06642934418772871,
        0.06457356091967545,
    ];
    const SIN: &'static [Self] = &[
        -0.16666666666666666,
        0.008333333333330936,
        -0.00019841269836740532,
        2.7557316093198404e-06,
        -2.5051129896450185e-08,
        1.5917988979397435e-10,
    ];
    const COS: &'static [Self] = &[
        0.041666666666666664,
        -0.0013888888888887389,
        2.48015872987544e-05,
        -2.755731726587808e-07,
        2.087614504941318e-09,
        -1.138254464534925e-11,
    ];
    const ATAN: &'static [Self] = &[
        -0.3333333333333333,
        0.1999999999999548,
        -0.14285714284657894,
        0.11111111014561013,
        -0.09090904549884611,
        0.07692182535116648,
        -0.06664502215671447,
        0.058580687568615106,
        -0.05085030492810941,
        0.03921955253255129,
        -0.019162068915902573,
    ];
    const ASIN: &'static [Self] = &[
        0.16666666666666669,
        0.07499999999998425,
        0.04464285714637338,
        0.030381944137085216,
        0.022372173002005596,
        0.017352391265909227,
        0.013971235301124539,
        0.011478952690257387,
        0.010324318288744113,
        0.00545087818772055,
        0.017419357964884856,
        -0.014881409392818066,
        0.02877844261259304,
    ];
    const ERF: &'static [Self] = &[
        0.12837916709551256,
        -0.37612638903183543,
        0.11283791670945006,
        -0.02686617064323777,
        0.0052239776071164225,
        -0.0008548325975389692,
        0.00012055294904839707,
        -1.492473690741966e-05,
        1.6447424703317362e-06,
        -1.6208483801871705e-07,
        1.3720064546777686e-08,
        -7.795898827002142e-10,
    ];
    const ERFCX: &'static [Self] = &[
        0.21080636406114356,
        -0.3717367339489732,
        0.251713193217456,
        -0.12503305237885554,
        0.0399225390747838,
        -0.0039937011641469865,
        -0.002642365927759658,
        0.0008759154019168855,
        0.00022837955896605415,
        -0.00012887649615317198,
        -3.4172229273553035e-05,
        1.8609712314617464e-05,
        7.48480117852628e-06,
        -2.2842173094341345e-06,
        -1.5625258507743158e-06,
        8.134380709229634e-08,
    ];
    const SINH: &'static [Self] = &[
        0.16666666666666666,
        0.008333333333333299,
        0.00019841269841324198,
        2.7557319191381816e-06,
        2.5052117695907823e-08,
        1.6057679623801638e-10,
        7.746178593018827e-13,
    ];
}

impl Real for f32 {
    #[cfg(target_arch = "x86_64")]
    type V512 = std::arch::x86_64::__m512;
    #[cfg(target_arch = "x86_64")]
    type V256 = std::arch::x86_64::__m256;
    #[cfg(target_arch = "x86_64")]
    type V128 = std::arch::x86_64::__m128;
    #[cfg(target_arch = "aarch64")]
    type V128 = std::arch::aarch64::float32x4_t;
    #[inline(always)]
    fn fused(self, b: Self, c: Self) -> Self {
        self.mul_add(b, c)
    }
    #[inline(always)]
    unsafe fn transpose4(to: *mut Self, to_row: usize, from: *const Self, from_row: usize) {
        // SAFETY: the caller's contract.
        unsafe { crate::vector::transpose4_ps(to, to_row, from, from_row) }
    }
    const ZERO: Self = 0.0;
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    const ONE: Self = 1.0;
    const LOG2_E: Self = std::f32::consts::LOG2_E;
    const LN2_HI: Self = 0.69314575;
    const LN2_LO: Self = 1.4286068e-6;
    const TWO_OVER_PI: Self = std::f32::consts::FRAC_2_PI;
    const PI_2: [Self; 3] = [std::f32::consts::FRAC_PI_2, -4.371139e-8, -1.7151245e-15];
    const PI_2_HALVES: [Self; 2] = {
        let upper = f32::from_bits(Self::PI_2[0].to_bits() & Self::UPPER_HALF.to_bits());
        [upper, Self::PI_2[0] - upper]
    };
    const UPPER_HALF: Self = f32::from_bits(0xffff_f000);
    const THIRD_LO: Self = -9.934108e-9;
    const MAGIC: Self = 12582912.0;
    const MAGIC_BIASED: Self = 12583039.0;
    const TWO_MANTISSA: Self = 8388608.0;
    const MANTISSA_WIDTH: Self = 23.0;
    const BIAS: Self = 127.0;
    const MIN_NORMAL: Self = f32::MIN_POSITIVE;
    const MANTISSA_MASK: Self = f32::from_bits(0x007f_ffff);
    const INFINITY: Self = f32::INFINITY;
    const NAN: Self = f32::NAN;
    const EXP_MAX: Self = 89.0;
    const EXP_MIN: Self = -104.0;
    const EXPM1_MIN: Self = -20.0;
    const TANH_MAX: Self = 10.0;
    const TINY: Self = 1e-30;
    const TRIG_MAX: Self = 6000.0;
    const SINH_MAX: Self = 89.5;
    const ERF_MAX: Self = 4.0;
    const EXP: &'static [Self] = &[0.5, 0.16666667, 0.041666552, 0.008333321, 0.001392625, 0.00019882774];
    const LOG: &'static [Self] = &[0.66666687, 0.3998876, 0.29580986];
    const POW_LOG: &'static [Self] = &[0.20000008, 0.14281109, 0.115245014];
    const SIN: &'static [Self] = &[-0.16666667, 0.008333332, -0.00019840084, 2.724962e-06];
    const COS: &'static [Self] = &[0.041666668, -0.0013888888, 2.4800598e-05, -2.7300703e-07];
    const ATAN: &'static [Self] = &[-0.3333333, 0.19999538, -0.14263897, 0.107430995, -0.06449835];
    const ASIN: &'static [Self] =
        &[0.16666667, 0.07499992, 0.044647675, 0.030268919, 0.023613714, 0.010566948, 0.03098546];
    const ERF: &'static [Self] =
        &[0.12837917, -0.37612626, 0.11283594, -0.026854211, 0.0051890872, -0.00080168643, 7.875875e-05];
    const ERFCX: &'static [Self] = &[
        0.21080637,
        -0.37173674,
        0.2517132,
        -0.125033,
        0.039922815,
        -0.003995211,
        -0.0026510805,
        0.00088173326,
        0.000313801,
    ];
    const SINH: &'static [Self] = &[0.16666667, 0.008333339, 0.00019838102, 2.8062802e-06];
}
