//! Weight `quadratic`: the slope `sigma_k max(gap, 0)` of the penalty `sigma_k/2 max(gap, 0)²`.

use super::{Weight, WeightRecord, no_needs};
use crate::settings::{Kind, OptionSpec, Piece, Preset};

/// How strong a penalty that is a function of the gap is.
pub(crate) const SIGMA: OptionSpec = OptionSpec {
    name: "sigma",
    kind: Kind::Growth,
    default: Preset::Linear(1.0, 1.0),
    doc: "Strength of the penalty over the iterations: a number, first (k+1)^p, first + by k, or up to `to` within `over` iterations.",
};

pub(crate) static QUADRATIC: WeightRecord = WeightRecord {
    piece: Piece {
        name: "quadratic",
        doc: "the slope of a squared gap, `sigma max(gap, 0)`",
        assumes: "nothing; a `sigma` that stays the same leaves a gap of order `sigma^(-2/3)`",
        cost: "the gap's value",
        source: "Liu et al. 2023, arXiv 2110.04974",
        groups: &[&[SIGMA]],
        requires: &[],
    },
    needs: no_needs,
    build: |own, _| Weight::Slope(|sigma, gap| sigma * gap.max(0.0), own.growth("sigma")),
};
