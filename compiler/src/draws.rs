//! Seeded random streams: one per name, so that declaring another array or variable never changes the draws of the first.

use rand_pcg::Pcg64;

/// A portable generator for the thing called `name`: the same numbers on every machine.
pub fn generator(seed: u64, name: &str) -> Pcg64 {
    // FNV-1a turns the name into the stream number.
    let stream = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    Pcg64::new(u128::from(seed), u128::from(stream))
}
