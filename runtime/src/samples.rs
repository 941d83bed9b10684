//! Batches of the terms of sampled sums: how the terms are cut into batches, and the program that evaluates one of them.
//!
//! The terms of every sum are put in a random order once and cut into as many parts as its level has batches; their sizes differ by 1
//! at most. A term of a batch counts as often as there are batches, so the mean of the estimates over all batches is the full
//! quantity, and a batch that is drawn uniformly gives an unbiased one, whether or not the batches divide the terms.

use crate::derivatives::Derivatives;
use crate::random::Random;

/// One of the two levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The lower level.
    Lower,
    /// The upper level.
    Upper,
}

/// The sampled sums of a level.
struct Level {
    /// The number of its first sum in the program.
    first: usize,
    /// The terms of every sum, in random order.
    orders: Vec<Vec<i64>>,
    batches: usize,
}

/// A program that evaluates batches, and what they are made of.
pub struct Samples {
    /// Both objectives on the batches that were selected.
    pub(crate) program: Box<dyn Derivatives>,
    levels: [Level; 2],
}

crate::frozen::wire::wire!(Level { first, orders, batches });
crate::frozen::wire::wire!(Samples { program, levels });

impl Samples {
    /// `sizes`: the terms of every sampled sum of the lower and of the upper level, in the order of the program's sums; `batches`:
    /// the number of batches of each level. The terms keep their order until [`Samples::shuffle`].
    pub fn new(program: Box<dyn Derivatives>, sizes: [Vec<usize>; 2], batches: [usize; 2]) -> Self {
        let lower = sizes[0].len();
        let level = |k: usize| Level {
            first: if k == 0 { 0 } else { lower },
            orders: sizes[k].iter().map(|&n| (0..n as i64).collect()).collect(),
            batches: batches[k].max(1),
        };
        let mut samples = Samples { program, levels: [level(0), level(1)] };
        samples.select(Side::Lower, 0);
        samples.select(Side::Upper, 0);
        samples
    }

    /// Puts the terms in an order that depends on the seed alone.
    pub fn shuffle(&mut self, seed: u64) {
        let mut random = Random::new(seed);
        for order in self.levels.iter_mut().flat_map(|level| &mut level.orders) {
            order.sort_unstable();
            for last in (1..order.len()).rev() {
                order.swap(last, random.below(last + 1));
            }
        }
    }

    /// How many batches a level has.
    pub fn batches(&self, side: Side) -> usize {
        self.levels[side as usize].batches
    }

    /// How many terms the sums of a level have; 1 for a level without sampled sums, which is one term.
    pub fn terms(&self, side: Side) -> u64 {
        self.levels[side as usize].orders.iter().map(|o| o.len() as u64).sum::<u64>().max(1)
    }

    /// How many of them are in a batch.
    pub fn terms_of(&self, side: Side, batch: usize) -> u64 {
        let level = &self.levels[side as usize];
        level.orders.iter().map(|o| level.part(o.len(), batch).len() as u64).sum::<u64>().max(1)
    }

    /// Makes the program evaluate a batch of a level.
    pub fn select(&mut self, side: Side, batch: usize) {
        let level = &self.levels[side as usize];
        for (k, order) in level.orders.iter().enumerate() {
            let rows = &order[level.part(order.len(), batch)];
            self.program.select(level.first + k, rows, level.batches as f64);
        }
    }
}

impl Level {
    /// Which of `n` terms in order are in a batch.
    fn part(&self, n: usize, batch: usize) -> std::ops::Range<usize> {
        batch * n / self.batches..(batch + 1) * n / self.batches
    }
}
