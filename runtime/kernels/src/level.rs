//! Which instruction set the kernels use, found once per process.

use std::sync::OnceLock;

/// An instruction-set level. Higher levels are faster; those with a fused multiply-add ([`Level::fused`]) give the same bits,
/// and so do those without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Plain Rust, any machine.
    Portable,
    /// Any x86-64: registers of 128 bits.
    Sse2,
    /// Any 64-bit ARM: registers of 128 bits, with fused multiply-add.
    Neon,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F, DQ and VL.
    Avx512,
}

impl Level {
    /// Every level, the plainest first.
    const ALL: [Level; 5] = [Level::Portable, Level::Sse2, Level::Neon, Level::Avx2, Level::Avx512];

    /// The best level of this machine; looked up once.
    pub fn detect() -> Level {
        static FOUND: OnceLock<Level> = OnceLock::new();
        *FOUND.get_or_init(|| *Level::available().last().unwrap_or(&Level::Portable))
    }

    /// Whether this machine can run the level.
    pub fn supported(self) -> bool {
        match self {
            Level::Portable => true,
            Level::Sse2 => cfg!(target_arch = "x86_64"),
            Level::Neon => cfg!(target_arch = "aarch64"),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => {
                Level::Avx2.supported()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// Whether a multiplication and an addition are rounded once.
    pub fn fused(self) -> bool {
        match self {
            Level::Portable => <f64 as crate::vector::Vector>::FUSED,
            Level::Sse2 => false,
            Level::Neon | Level::Avx2 | Level::Avx512 => true,
        }
    }

    /// Every level this machine can run, the plainest first.
    pub fn available() -> Vec<Level> {
        Level::ALL.into_iter().filter(|level| level.supported()).collect()
    }
}
