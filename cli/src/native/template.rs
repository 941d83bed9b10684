//! The library that compiled models are made from, inside of this program. Cargo builds it with `blo-native` and leaves it beside the
//! other dependencies; the assembler puts its bytes here, so that checking the program does not need it.

#![allow(unsafe_code)]

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
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

/// The library `blo-native`, or `None` where it is not built: it is written for 64-bit Linux on x86 with the GNU C library.
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
pub fn template() -> Option<&'static [u8]> {
    // SAFETY: both are labels of the section above.
    unsafe extern "C" {
        static blo_template_start: u8;
        static blo_template_end: u8;
    }
    let (start, end) = (&raw const blo_template_start, &raw const blo_template_end);
    // SAFETY: the bytes between the labels are constants of this program.
    Some(unsafe { std::slice::from_raw_parts(start, end as usize - start as usize) })
}

/// There is none for this machine.
#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
pub fn template() -> Option<&'static [u8]> {
    None
}
