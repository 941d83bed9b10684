//! How much the gap counts against `F`.

pub(crate) mod dynamic_barrier;
pub(crate) mod growing;
pub(crate) mod log_barrier;
pub(crate) mod quadratic;

use super::{Record, pieces};
use crate::schedule::Growth;
use crate::settings::{Piece, Settings};
use crate::solvers::run::Point;
use dynamic_barrier::DynamicBarrier;

/// Puts a weight together from the piece's own settings, for iterates like this one.
pub(crate) type Build = fn(&Settings, &Point) -> Weight;
pub(crate) type WeightRecord = Record<Build>;

/// All weights.
pub(crate) static ALL: [&WeightRecord; 4] =
    [&growing::GROWING, &dynamic_barrier::DYNAMIC_BARRIER, &quadratic::QUADRATIC, &log_barrier::LOG_BARRIER];
/// As an option lists them.
pub(crate) static PIECES: [&Piece; 4] = pieces(ALL);

/// A weight.
pub(crate) enum Weight {
    /// A function of the iteration.
    Growing(Growth),
    /// The slope of a function of the gap, at a strength that is a function of the iteration.
    Slope(fn(f64, f64) -> f64, Growth),
    /// What balances the two gradients.
    Balance(DynamicBarrier),
}

impl Weight {
    /// In iteration `k`, at this gap. The balance is not known from these: it counts as 1.
    pub(super) fn at(&self, k: usize, gap: f64) -> f64 {
        match self {
            Weight::Growing(growth) => growth.at(k),
            Weight::Slope(slope, growth) => slope(growth.at(k), gap),
            Weight::Balance(_) => 1.0,
        }
    }

    /// Whether it is a function of the gap.
    pub(super) fn is_of_gap(&self) -> bool {
        match self {
            Weight::Growing(_) => false,
            Weight::Slope(..) => true,
            Weight::Balance(barrier) => barrier.by_gap,
        }
    }
}

/// Weights of the iteration alone need nothing.
fn no_needs(_: &Settings, _: &Settings) -> Vec<crate::derivatives::Quantity> {
    Vec::new()
}
