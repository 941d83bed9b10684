//! Random values: `~ normal(m, s)` and `~ uniform(a, b)`. A stream is seeded by the session's seed and the name of what is
//! drawn, so that adding a datum does not change another.

use blo_grammar::ast::Random;
use blo_grammar::diagnostic::Diagnostic;
use rand::SeedableRng;
use rand::distr::Distribution;
use rand_distr::{StandardNormal, StandardUniform};
use rand_pcg::Pcg64;

use super::Checker;
use super::messages::{count, did_you_mean};
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

impl Checker<'_> {
    /// A distribution as written.
    pub fn distribution(&mut self, random: &Random) -> Option<Draw> {
        let name = &random.distribution;
        if !["normal", "uniform"].contains(&name.name.as_str()) {
            let mut diagnostic = Diagnostic::error(
                "E0224",
                format!("there is no distribution `{}`", name.name),
                name.span,
                "`normal` or `uniform` expected",
            );
            if let Some(help) = did_you_mean(&name.name, ["normal", "uniform"]) {
                diagnostic = diagnostic.help(help);
            }
            self.emit(diagnostic);
            return None;
        }
        let [a, b] = random.arguments.as_slice() else {
            let label = format!("{} given", random.arguments.len());
            let message = format!("`{}` takes {}", name.name, count(2, "parameter"));
            return self.error("E0224", message, random.span, label);
        };
        let (x, y) = (self.known_number(a, "a parameter"), self.known_number(b, "a parameter"));
        let (x, y) = (x?, y?);
        if !x.is_finite() || !y.is_finite() {
            return self.error("E0224", "a parameter of a distribution must be finite", random.span, "here");
        }
        if name.name == "normal" {
            if y < 0.0 {
                return self.error(
                    "E0224",
                    "a standard deviation cannot be negative",
                    b.span,
                    format!("this is {y}"),
                );
            }
            return Some(Draw::Normal(x, y));
        }
        if x > y {
            return self.error("E0224", "the interval is empty", random.span, format!("{x} is above {y}"));
        }
        Some(Draw::Uniform(x, y))
    }
}

#[cfg(test)]
mod tests {
    use super::Draw;

    #[test]
    fn draws_are_fixed_by_seed_and_name() {
        let a = Draw::Normal(0.0, 1.0).array(&[1000], 1, "x");
        assert_eq!(a, Draw::Normal(0.0, 1.0).array(&[1000], 1, "x"));
        assert_ne!(a, Draw::Normal(0.0, 1.0).array(&[1000], 1, "y"));
        assert_ne!(a, Draw::Normal(0.0, 1.0).array(&[1000], 2, "x"));
        assert!(a.mean().is_some_and(|m| m.abs() < 0.1));
        let u = Draw::Uniform(2.0, 3.0).array(&[1000], 1, "x");
        assert!(u.iter().all(|x| (2.0..3.0).contains(x)));
    }
}
