//! The way from a level to compiled code: one generic body becomes a function per level.
//!
//! A body is an `#[inline(always)]` function over [`crate::vector::Vector`]; the functions made here carry the
//! target features, so everything inlined into them may use those instructions.

/// Defines `fn $pick(level) -> fn pointer` with C ABI for the body `$body::<V, O>`.
macro_rules! entry {
    ($(#[$doc:meta])* $pick:ident, $alias:ident, $op:path, $body:ident, $plain:ident,
     ($($arg:ident: $ty:ty),*) $(-> $ret:ty)?) => {
        mod $pick {
            #[allow(unused_imports, reason = "not every body needs every item")]
            use super::*;
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
            pub unsafe extern "C" fn avx512<E: Real, O: $op>($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: the caller holds this function's contract, which is the body's.
                unsafe { $body::<E::V512, O>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            pub unsafe extern "C" fn avx2<E: Real, O: $op>($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: the caller holds this function's contract, which is the body's.
                unsafe { $body::<E::V256, O>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            pub unsafe extern "C" fn sse2<E: Real, O: $op>($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: every x86-64 has the register's instructions; the contract is handed on.
                unsafe { $body::<E::V128, O>($($arg),*) }
            }
            #[cfg(target_arch = "aarch64")]
            pub unsafe extern "C" fn neon<E: Real, O: $op>($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: every 64-bit ARM has the register's instructions; the contract is handed on.
                unsafe { $body::<E::V128, O>($($arg),*) }
            }
            pub unsafe extern "C" fn portable<E: Real, O: $op>($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: the caller holds this function's contract, which is the body's.
                unsafe { $plain::<E, O>($($arg),*) }
            }
        }
        $(#[$doc])*
        pub fn $pick<E: Real, O: $op>(level: Level) -> $alias<E> {
            match level {
                Level::Portable => $pick::portable::<E, O>,
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => $pick::avx2::<E, O>,
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => $pick::avx512::<E, O>,
                #[cfg(target_arch = "x86_64")]
                Level::Sse2 => $pick::sse2::<E, O>,
                #[cfg(target_arch = "aarch64")]
                Level::Neon => $pick::neon::<E, O>,
                #[allow(unreachable_patterns, reason = "which levels remain depends on the machine")]
                _ => $pick::portable::<E, O>,
            }
        }
    };
}
pub(crate) use entry;
