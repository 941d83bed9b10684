//! Elementwise kernels: walking arrays register by register, with a masked tail.
//!
//! The output may be one of the inputs: a register is loaded before the same place is stored.
//!
//! SAFETY of blocks without a sentence: they hand the function's own contract on to the lanes' function.

use crate::entry::entry;
use crate::level::Level;
use crate::math;
use crate::real::Real;
use crate::vector::Vector;

/// `fn(n, out: n, a: n)`.
pub type Unary<T> = unsafe extern "C" fn(n: usize, out: *mut T, a: *const T);
/// `fn(n, out: n, a: n, b: n)`.
pub type Binary<T> = unsafe extern "C" fn(n: usize, out: *mut T, a: *const T, b: *const T);

/// A function of one number, over lanes and, for the portable level, over one number.
pub trait Unary1 {
    /// Over lanes.
    ///
    /// # Safety
    /// As [`Vector`].
    unsafe fn lanes<V: Vector>(x: V) -> V;
    /// Over one number.
    fn one<E: Real>(x: E) -> E;
}

/// A function of two numbers.
pub trait Binary1 {
    /// Over lanes.
    ///
    /// # Safety
    /// As [`Vector`].
    unsafe fn lanes<V: Vector>(x: V, y: V) -> V;
    /// Over one number.
    fn one<E: Real>(x: E, y: E) -> E;
}

macro_rules! unary_operations {
    ($($name:ident: $lanes:path, |$x:ident| $one:expr;)*) => {
        $(
            /// The function of this name.
            pub enum $name {}
            impl Unary1 for $name {
                #[inline(always)]
                unsafe fn lanes<V: Vector>(x: V) -> V {
                    unsafe { $lanes(x) }
                }
                #[inline(always)]
                fn one<E: Real>($x: E) -> E {
                    $one
                }
            }
        )*
    };
}

unary_operations! {
    Exp: math::exp, |x| x.std_exp();
    Log: math::log, |x| x.std_log();
    Log1p: math::log1p, |x| x.std_log1p();
    Expm1: math::expm1, |x| x.std_expm1();
    Sin: math::sin, |x| x.std_sin();
    Cos: math::cos, |x| x.std_cos();
    Tan: math::tan, |x| x.std_tan();
    Asin: math::asin, |x| x.std_asin();
    Acos: math::acos, |x| x.std_acos();
    Atan: math::atan, |x| x.std_atan();
    Sinh: math::sinh, |x| x.std_sinh();
    Cosh: math::cosh, |x| x.std_cosh();
    Tanh: math::tanh, |x| x.std_tanh();
    Sigmoid: math::sigmoid, |x| sigmoid(x);
    Softplus: math::softplus, |x| softplus(x);
    // SAFETY: the one-lane register needs no instruction set.
    Erf: math::erf, |x| unsafe { math::erf(x) };
}

fn magnitude<E: Real>(x: E) -> E {
    if x < E::ZERO { -x } else { x }
}

fn sigmoid<E: Real>(x: E) -> E {
    let e = (-magnitude(x)).std_exp();
    (if x < E::ZERO { e } else { E::ONE }) / (E::ONE + e)
}

fn softplus<E: Real>(x: E) -> E {
    (if x < E::ZERO { E::ZERO } else { x }) + (-magnitude(x)).std_exp().std_log1p()
}

/// x^y.
pub enum Pow {}
impl Binary1 for Pow {
    #[inline(always)]
    unsafe fn lanes<V: Vector>(x: V, y: V) -> V {
        unsafe { math::pow(x, y) }
    }
    #[inline(always)]
    fn one<E: Real>(x: E, y: E) -> E {
        x.std_pow(y)
    }
}

#[inline(always)]
unsafe fn map1<V: Vector, O: Unary1>(n: usize, out: *mut V::E, a: *const V::E) {
    let mut i = 0;
    // SAFETY: i + LANES <= n in the loop and k = n - i in the tail, so every access is inside the arrays.
    unsafe {
        while i + V::LANES <= n {
            O::lanes(V::load(a.add(i))).store(out.add(i));
            i += V::LANES;
        }
        if i < n {
            O::lanes(V::load_first(a.add(i), n - i)).store_first(out.add(i), n - i);
        }
    }
}

#[inline(always)]
unsafe fn plain1<E: Real, O: Unary1>(n: usize, out: *mut E, a: *const E) {
    for i in 0..n {
        // SAFETY: i < n.
        unsafe { *out.add(i) = O::one(*a.add(i)) }
    }
}

#[inline(always)]
unsafe fn map2<V: Vector, O: Binary1>(n: usize, out: *mut V::E, a: *const V::E, b: *const V::E) {
    let mut i = 0;
    // SAFETY: i + LANES <= n in the loop and k = n - i in the tail, so every access is inside the arrays.
    unsafe {
        while i + V::LANES <= n {
            O::lanes(V::load(a.add(i)), V::load(b.add(i))).store(out.add(i));
            i += V::LANES;
        }
        if i < n {
            let k = n - i;
            O::lanes(V::load_first(a.add(i), k), V::load_first(b.add(i), k)).store_first(out.add(i), k);
        }
    }
}

#[inline(always)]
unsafe fn plain2<E: Real, O: Binary1>(n: usize, out: *mut E, a: *const E, b: *const E) {
    for i in 0..n {
        // SAFETY: i < n.
        unsafe { *out.add(i) = O::one(*a.add(i), *b.add(i)) }
    }
}

entry! {
    /// The kernel of a function of one number.
    unary, Unary, Unary1, map1, plain1, (n: usize, out: *mut E, a: *const E)
}
entry! {
    /// The kernel of a function of two numbers.
    binary, Binary, Binary1, map2, plain2, (n: usize, out: *mut E, a: *const E, b: *const E)
}
