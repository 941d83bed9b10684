//! The library that compiled models are made from, inside of this program. Cargo builds it with `blo-native` and leaves it beside the
//! other dependencies. A program for use holds it deflated (`blo-template`); in one for development, which is built often, the
//! assembler puts its bytes here as they are, so that checking the program does not need it.

#![allow(unsafe_code)]

use std::borrow::Cow;

/// The library `blo-native`, or `None` where it is not built: it is written for 64-bit Linux on x86 with the GNU C library.
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64", not(debug_assertions)))]
pub fn template() -> Option<Cow<'static, [u8]>> {
    const DEFLATED: &[u8] = blo_template::deflated!();
    let mut bytes = Vec::new();
    let read = std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(DEFLATED), &mut bytes);
    read.ok().filter(|len| *len > 0).map(|_| Cow::Owned(bytes))
}

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64", debug_assertions))]
std::arch::global_asm!(
    ".pushsection .rodata.blo_template, \"a\", @progbits",
    ".balign 16",
    ".globl blo_template_start",
    ".hidden blo_template_start",
    "blo_template_start:",
    concat!(".incbin \"", env!("OUT_DIR"), "/../../../deps/libblo_native.so\""),
    ".globl blo_template_end",
    ".hidden blo_template_end",
    "blo_template_end:",
    ".byte 0",
    ".popsection",
);

/// As above.
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64", debug_assertions))]
pub fn template() -> Option<Cow<'static, [u8]>> {
    // SAFETY: both are labels of the section above.
    unsafe extern "C" {
        static blo_template_start: u8;
        static blo_template_end: u8;
    }
    let (start, end) = (&raw const blo_template_start, &raw const blo_template_end);
    // SAFETY: the bytes between the labels are constants of this program.
    let bytes = unsafe { std::slice::from_raw_parts(start, end as usize - start as usize) };
    Some(Cow::Borrowed(bytes))
}

/// There is none for this machine.
#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
pub fn template() -> Option<Cow<'static, [u8]>> {
    None
}
