//! The elementwise functions of one number in a register, for code that has no array: the lanes' own function on a splat, so that
//! the bits are those of the kernels over arrays.
//!
//! SAFETY of blocks without a sentence: they hand the function's own contract on to the lanes' function.

use crate::elementwise::{self, Binary1, Unary1};
use crate::entry::entry;
use crate::level::Level;
use crate::real::Real;
use crate::table::{Kernel, Precision, Signature};
use crate::vector::Vector;

/// `fn(x) -> f(x)`.
pub type One<T> = unsafe extern "C" fn(x: T) -> T;
/// `fn(x, y) -> f(x, y)`.
pub type Two<T> = unsafe extern "C" fn(x: T, y: T) -> T;

/// The most lanes that a register has.
const MOST: usize = 16;

#[inline(always)]
unsafe fn first<V: Vector>(v: V) -> V::E {
    let mut lanes = [V::E::ZERO; MOST];
    // SAFETY: no register has more lanes than this array.
    unsafe { v.store(lanes.as_mut_ptr()) };
    lanes[0]
}

#[inline(always)]
unsafe fn lanes1<V: Vector, O: Unary1>(x: V::E) -> V::E {
    unsafe { first(O::lanes(V::splat(x))) }
}

#[inline(always)]
unsafe fn lanes2<V: Vector, O: Binary1>(x: V::E, y: V::E) -> V::E {
    unsafe { first(O::lanes(V::splat(x), V::splat(y))) }
}

entry! {
    /// A function of one number, in registers.
    one, One, Unary1, lanes1, lanes1, (x: E) -> E
}
entry! {
    /// A function of two numbers, in registers.
    two, Two, Binary1, lanes2, lanes2, (x: E, y: E) -> E
}

/// A function of numbers in registers: its link name, as `blo_s_exp_f64`, and its code.
#[derive(Clone, Debug)]
pub struct Single {
    /// The link name.
    pub name: String,
    /// The code for the level asked for.
    pub address: *const u8,
    /// What it computes; its signature says of how many numbers.
    pub kernel: Kernel,
    /// The type of the numbers.
    pub precision: Precision,
}

// SAFETY: the address is that of code, which is never written or freed.
unsafe impl Send for Single {}
// SAFETY: as above.
unsafe impl Sync for Single {}

/// The link name of a kernel's form in registers; its plain name as in [`Kernel::name`].
pub fn single_name(name: &str, precision: Precision) -> String {
    format!("blo_s_{name}_{}", if precision == Precision::Double { "f64" } else { "f32" })
}

/// The forms in registers of all kernels that have one, at a level. The code must only be called on a machine that supports it.
pub fn singles_for(level: Level) -> Vec<Single> {
    let mut singles = Vec::new();
    for &kernel in Kernel::ALL {
        for precision in [Precision::Double, Precision::Single] {
            let address = match precision {
                Precision::Double => address::<f64>(kernel, level),
                Precision::Single => address::<f32>(kernel, level),
            };
            if let Some(address) = address {
                singles.push(Single {
                    name: single_name(kernel.name(), precision),
                    address,
                    kernel,
                    precision,
                });
            }
        }
    }
    singles
}

/// The forms in registers at the level of this machine.
pub fn singles() -> Vec<Single> {
    singles_for(Level::detect())
}

fn address<E: Real>(kernel: Kernel, level: Level) -> Option<*const u8> {
    let code: One<E> = match kernel {
        Kernel::Exp => one::<E, elementwise::Exp>(level),
        Kernel::Log => one::<E, elementwise::Log>(level),
        Kernel::Log1p => one::<E, elementwise::Log1p>(level),
        Kernel::Expm1 => one::<E, elementwise::Expm1>(level),
        Kernel::Sin => one::<E, elementwise::Sin>(level),
        Kernel::Cos => one::<E, elementwise::Cos>(level),
        Kernel::Tan => one::<E, elementwise::Tan>(level),
        Kernel::Asin => one::<E, elementwise::Asin>(level),
        Kernel::Acos => one::<E, elementwise::Acos>(level),
        Kernel::Atan => one::<E, elementwise::Atan>(level),
        Kernel::Sinh => one::<E, elementwise::Sinh>(level),
        Kernel::Cosh => one::<E, elementwise::Cosh>(level),
        Kernel::Tanh => one::<E, elementwise::Tanh>(level),
        Kernel::Sigmoid => one::<E, elementwise::Sigmoid>(level),
        Kernel::Softplus => one::<E, elementwise::Softplus>(level),
        Kernel::Erf => one::<E, elementwise::Erf>(level),
        Kernel::Pow => return Some(two::<E, elementwise::Pow>(level) as *const u8),
        _ => {
            debug_assert!(!matches!(kernel.signature(), Signature::Unary | Signature::Binary));
            return None;
        }
    };
    Some(code as *const u8)
}
