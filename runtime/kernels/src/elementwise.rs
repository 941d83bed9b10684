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

/// A function of one number.
pub trait Unary1 {
    /// Over lanes.
    ///
    /// # Safety
    /// As [`Vector`].
    unsafe fn lanes<V: Vector>(x: V) -> V;
}

/// A function of two numbers.
pub trait Binary1 {
    /// Over lanes.
    ///
    /// # Safety
    /// As [`Vector`].
    unsafe fn lanes<V: Vector>(x: V, y: V) -> V;
}

macro_rules! unary_operations {
    ($($name:ident: $lanes:path;)*) => {
        $(
            /// The function of this name.
            pub enum $name {}
            impl Unary1 for $name {
                #[inline(always)]
                unsafe fn lanes<V: Vector>(x: V) -> V {
                    unsafe { $lanes(x) }
                }
            }
        )*
    };
}

unary_operations! {
    Exp: math::exp;
    Log: math::log;
    Log1p: math::log1p;
    Expm1: math::expm1;
    Sin: math::sin;
    Cos: math::cos;
    Tan: math::tan;
    Asin: math::asin;
    Acos: math::acos;
    Atan: math::atan;
    Sinh: math::sinh;
    Cosh: math::cosh;
    Tanh: math::tanh;
    Sigmoid: math::sigmoid;
    Softplus: math::softplus;
    Erf: math::erf;
}

/// x^y.
pub enum Pow {}
impl Binary1 for Pow {
    #[inline(always)]
    unsafe fn lanes<V: Vector>(x: V, y: V) -> V {
        unsafe { math::pow(x, y) }
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

entry! {
    /// The kernel of a function of one number.
    unary, Unary, Unary1, map1, map1, (n: usize, out: *mut E, a: *const E)
}
entry! {
    /// The kernel of a function of two numbers.
    binary, Binary, Binary1, map2, map2, (n: usize, out: *mut E, a: *const E, b: *const E)
}
