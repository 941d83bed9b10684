//! The truncation `last`: the sweep goes back through the last lower steps only. On a strongly convex lower level what is left out shrinks
//! like `(1 − s mu)^K'` with the number `K'` of steps.
//!
//! Source: A. Shaban, C.-A. Cheng, N. Hatch, B. Boots, "Truncated back-propagation for bilevel optimization", AISTATS 2019,
//! arXiv 1810.10667.

use super::{SWEEPS, TruncateRecord};
use crate::hypergradient::Truncation;
use crate::settings::{Kind, OptionSpec, Piece, Preset};

/// The option, which the methods have beside `full`.
const OPTIONS: &[OptionSpec] = &[OptionSpec {
    name: "truncate",
    kind: Kind::Count(1),
    default: Preset::Number(10.0),
    doc: "How many of the last lower steps the sweep covers.",
}];

pub(crate) static LAST: TruncateRecord = TruncateRecord {
    piece: Piece {
        name: "last",
        doc: "a sweep goes back through the last lower steps only",
        assumes: "lower steps that forget where they started: a strongly convex `f` near its solution",
        cost: "products for as many steps, the memory of as many lower vectors",
        source: "Shaban et al. 2019, arXiv 1810.10667",
        groups: &[OPTIONS],
        requires: &[SWEEPS],
    },
    needs: |_, _| Vec::new(),
    build: |own| Truncation::Last(own.count("truncate")),
};
