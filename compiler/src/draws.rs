//! Seeded random arrays. A stream is seeded by the session's seed and the name of what is drawn, so that declaring another
//! array or variable never changes the draws of the first.

use rand::SeedableRng;
use rand::distr::Distribution;
use rand_distr::{StandardNormal, StandardUniform};
use rand_pcg::Pcg64;

use crate::ir::eval::Array;

/// A distribution with known parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Draw {
    /// Mean and standard deviation.
    Normal(f64, f64),
    /// Lower and upper end.
    Uniform(f64, f64),
}

impl Draw {
    /// An array of draws, row by row. The same for the same seed, name and shape on every machine.
    pub fn array(self, shape: &[usize], seed: u64, name: &str) -> Array {
        let mut rng = Pcg64::seed_from_u64(seed ^ fnv(name));
        let one = |_| match self {
            Draw::Normal(mean, deviation) => {
                let z: f64 = StandardNormal.sample(&mut rng);
                mean + deviation * z
            }
            Draw::Uniform(low, high) => {
                let u: f64 = StandardUniform.sample(&mut rng);
                low + (high - low) * u
            }
        };
        let values: Vec<f64> = (0..shape.iter().product::<usize>()).map(one).collect();
        match Array::from_shape_vec(shape.to_vec(), values) {
            Ok(array) => array,
            Err(why) => crate::bug!("a random array of shape {shape:?}: {why}"),
        }
    }
}

/// FNV-1a: a fixed hash, so that streams do not change between versions of the standard library.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}
