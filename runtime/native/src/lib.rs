//! The C ABI of a compiled model. This library is a template: `blo compile` appends a frozen problem ([`blo_runtime::frozen`]), writes
//! its place into [`blo_kernel_payload`], and gives every `blo_kernel_…` the name of the model instead. All state is in handles; a
//! handle works for one caller at a time and makes others wait. No function unwinds into its caller: what goes wrong is a [`Code`],
//! and words that can be asked for. The functions are documented in the header that goes with a model, and in `docs/native.md`.

#![allow(unsafe_code)]

mod evaluate;
pub mod handle;
mod solve;

use std::ffi::c_char;

pub use evaluate::*;
use handle::{Handle, copy_text};
pub use solve::*;

/// The version of the functions and structs. A change that old callers would not survive makes it larger.
pub const ABI: u32 = 1;

/// What functions return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    /// It is done.
    Ok = 0,
    /// An argument is wrong.
    Argument = 1,
    /// The model does not have it, or it was not compiled.
    Absent = 2,
    /// The library cannot be used here.
    Unusable = 3,
    /// A fault of blo.
    Fault = 4,
}

/// Where the frozen problem lies.
#[repr(C)]
pub struct Payload {
    /// So many bytes behind this struct; 0 in the template.
    distance: u64,
    /// Its length.
    len: u64,
}

/// Filled in by `blo compile`.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "a name in a C ABI")]
pub static blo_kernel_payload: Payload = Payload { distance: 0, len: 0 };

fn payload() -> &'static [u8] {
    let slot = &raw const blo_kernel_payload;
    // SAFETY: the static exists; a file is edited after it was compiled, so it is read as it is and not as it was.
    let Payload { distance, len } = unsafe { slot.read_volatile() };
    if distance == 0 {
        return &[];
    }
    // SAFETY: the writer of the file has put `len` bytes there, in a segment that is mapped with the library and only read.
    unsafe { std::slice::from_raw_parts(slot.cast::<u8>().add(distance as usize), len as usize) }
}

/// The version of the ABI.
#[unsafe(no_mangle)]
pub extern "C" fn blo_kernel_abi() -> u32 {
    ABI
}

/// Makes a handle; where that fails, `why` (of `room` bytes) says why.
///
/// # Safety
/// `out` must be a place for a pointer, `why` null or `room` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn blo_kernel_open(out: *mut *mut Handle, why: *mut c_char, room: usize) -> i32 {
    if out.is_null() {
        return Code::Argument as i32;
    }
    let (code, handle) = match handle::guarded(|| Handle::open(payload())) {
        Ok(Ok(handle)) => (Code::Ok, Box::into_raw(Box::new(handle))),
        Ok(Err(words)) => {
            // SAFETY: as promised by the caller.
            unsafe { copy_text(&words, why, room) };
            (Code::Unusable, std::ptr::null_mut())
        }
        Err(words) => {
            // SAFETY: as promised by the caller.
            unsafe { copy_text(&words, why, room) };
            (Code::Fault, std::ptr::null_mut())
        }
    };
    // SAFETY: not null, and as promised by the caller.
    unsafe { *out = handle };
    code as i32
}

/// Frees a handle; nothing happens for null.
///
/// # Safety
/// `handle` must come from [`blo_kernel_open`] and not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn blo_kernel_close(handle: *mut Handle) {
    if !handle.is_null() {
        // SAFETY: as promised by the caller.
        let handle = unsafe { Box::from_raw(handle) };
        drop(handle::guarded(|| drop(handle)));
    }
}

/// Copies the words for the last failure of a handle into `text`, cut to `room` bytes with the zero at the end.
///
/// # Safety
/// `handle` must be open, `text` null or `room` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn blo_kernel_message(handle: *const Handle, text: *mut c_char, room: usize) {
    // SAFETY: as promised by the caller.
    if let Some(handle) = unsafe { handle.as_ref() } {
        // SAFETY: as promised by the caller.
        unsafe { copy_text(&handle.message(), text, room) };
    }
}

/// The manifest, in JSON; it lives as long as the handle.
///
/// # Safety
/// `handle` must be open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn blo_kernel_manifest(handle: *const Handle) -> *const c_char {
    // SAFETY: as promised by the caller.
    unsafe { handle.as_ref() }.map_or(std::ptr::null(), |handle| handle.manifest.as_ptr())
}

macro_rules! lengths {
    ($($name:ident: $field:ident, $doc:literal;)*) => {$(
        #[doc = $doc]
        ///
        /// # Safety
        /// `handle` must be open.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(handle: *const Handle) -> usize {
            // SAFETY: as promised by the caller.
            unsafe { handle.as_ref() }.map_or(0, |handle| handle.lens.$field)
        }
    )*};
}

lengths! {
    blo_kernel_upper_len: upper, "How many numbers `x` has.";
    blo_kernel_lower_len: lower, "How many numbers `y` has.";
    blo_kernel_reports_len: reports, "How many numbers are reported.";
    blo_kernel_upper_rows: upper_rows, "How many rows the constraints of the upper level have.";
    blo_kernel_lower_rows: lower_rows, "How many rows the constraints of the lower level have.";
}
