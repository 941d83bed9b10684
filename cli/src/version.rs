//! Which blo this is: version, commit, and the vector kernels it uses on this machine.

use std::sync::OnceLock;

use blo_compiler::codegen::Level;

/// The commit that was built; empty outside of a repository.
const COMMIT: &str = env!("BLO_COMMIT");

/// `0.1.0 (1234abcd, kernels avx512)`.
pub fn version() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let commit = if COMMIT.is_empty() { String::new() } else { format!("{COMMIT}, ") };
        format!("{} ({commit}kernels {})", env!("CARGO_PKG_VERSION"), kernels())
    })
}

/// The name of the best level of vector kernels that this machine can run.
pub fn kernels() -> &'static str {
    name(Level::detect())
}

/// The names of all levels that this machine can run, the plainest first.
pub fn levels() -> Vec<&'static str> {
    Level::available().into_iter().map(name).collect()
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Portable => "portable",
        Level::Sse2 => "sse2",
        Level::Neon => "neon",
        Level::Avx2 => "avx2",
        Level::Avx512 => "avx512",
    }
}
