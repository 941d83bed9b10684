//! The truncation `full`: none; the sweep goes back through all lower steps.

use super::TruncateRecord;
use crate::hypergradient::Truncation;
use crate::settings::Piece;

pub(crate) static FULL: TruncateRecord = TruncateRecord {
    piece: Piece {
        name: "full",
        doc: "a sweep goes back through all lower steps",
        assumes: "nothing",
        cost: "products for `lower_steps` steps, the memory of as many lower vectors or checkpoints",
        source: "",
        groups: &[],
        requires: &[],
    },
    needs: |_, _| Vec::new(),
    build: |_| Truncation::Full,
};
