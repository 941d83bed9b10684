//! Weight `log_barrier`: the slope `1/(sigma_k (−gap))` of the barrier `−log(−gap)/sigma_k`, for a gap that is kept below 0. Where the gap
//! is not below 0 the slope is that at `−LEAST`: a barrier cannot be entered from outside.

use super::quadratic::SIGMA;
use super::{Weight, WeightRecord, no_needs};
use crate::settings::{Piece, Requirement};

/// The gap is taken to be at least this far below 0.
const LEAST: f64 = 1e-3;

pub(crate) static LOG_BARRIER: WeightRecord = WeightRecord {
    piece: Piece {
        name: "log_barrier",
        doc: "the slope of a logarithmic barrier, `1/(sigma (−gap))`",
        assumes: "a gap that may be below 0, as that of a regularised copy; the weight is at most `1000/sigma`, so that a growing `sigma` opens the barrier",
        cost: "the gap's value",
        source: "Liu et al. 2023, arXiv 2110.04974",
        groups: &[&[SIGMA]],
        requires: &[Requirement {
            option: "surrogate",
            one_of: &["regularised_copy"],
            because: "other gaps are never below 0",
        }],
    },
    needs: no_needs,
    build: |own, _| Weight::Slope(|sigma, gap| 1.0 / (sigma * (-gap).max(LEAST)), own.growth("sigma")),
};
