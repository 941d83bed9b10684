//! Which of the lower steps a sweep goes back through, and from where.

pub(crate) mod argmax_upper;
pub(crate) mod full;
pub(crate) mod last;

use super::{Chosen, Record, pieces};
use crate::hypergradient::Truncation;
use crate::settings::{Piece, Requirement, Settings};

pub(crate) type Build = fn(&Settings) -> Truncation;
pub(crate) type TruncateRecord = Record<Build>;

/// All truncations.
pub(crate) static ALL: [&TruncateRecord; 3] = [&full::FULL, &last::LAST, &argmax_upper::ARGMAX_UPPER];
/// As an option lists them.
pub(crate) static PIECES: [&Piece; 3] = pieces(ALL);

/// What has a sweep to truncate.
const SWEEPS: Requirement = Requirement {
    option: "hypergradient",
    one_of: &["reverse", "finite_difference"],
    because: "only a sweep back through the lower steps can be cut short",
};

/// As the option `truncate` of the methods says: `full`, or how many of the last steps.
pub(crate) fn by_number(settings: &Settings) -> Chosen<Build> {
    let record = if settings.number("truncate").is_some() { &last::LAST } else { &full::FULL };
    record.with(settings)
}
