//! Numbers that look random and depend on a seed alone: splitmix64 (Steele, Lea, Flood, 2014, doi 10.1145/2660193.2660195).

use crate::state::State;

/// A stream of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// The stream of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Random { state: seed }
    }

    /// How far it has come.
    pub(crate) fn state(&mut self, state: &mut dyn State) {
        state.word(&mut self.state);
    }

    /// The next 64 bits.
    pub(crate) fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to but without `n`, which must not be 0; all are equally likely up to one part in 2^64 / n.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let scaled = u128::from(self.word()) * n as u128;
        (scaled >> 64) as usize
    }
}
