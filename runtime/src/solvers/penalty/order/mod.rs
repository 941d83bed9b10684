//! Which variables step when.

pub(crate) mod lower_first;
pub(crate) mod together;
pub(crate) mod upper_first;

use super::{Record, pieces};
use crate::settings::{Piece, Settings};

/// Reads an order from the piece's own settings.
pub(crate) type Build = fn(&Settings) -> Order;
pub(crate) type OrderRecord = Record<Build>;

/// All orders.
pub(crate) static ALL: [&OrderRecord; 3] =
    [&together::TOGETHER, &lower_first::LOWER_FIRST, &upper_first::UPPER_FIRST];
/// As an option lists them.
pub(crate) static PIECES: [&Piece; 3] = pieces(ALL);

/// How the levels move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Order {
    /// Both at once.
    Together,
    /// `y` this many times, then `x`.
    LowerFirst(usize),
    /// `x`, then `y` by the gradients at the new `x`.
    UpperFirst,
}
