//! Order `upper_first`: `x` steps first, and `y` by the gradients at the new `x`. The measure is that of the moves.

use super::{Order, OrderRecord};
use crate::derivatives::Quantity;
use crate::settings::Piece;

pub(crate) static UPPER_FIRST: OrderRecord = OrderRecord {
    piece: Piece {
        name: "upper_first",
        doc: "`x`, then `y` by the gradients at the new `x`",
        assumes: "nothing",
        cost: "one upper gradient in `x` and one in full",
        source: "Liu et al. 2024, arXiv 2405.09927",
        groups: &[],
        requires: &[],
    },
    needs: |_, _| vec![Quantity::UpperGradientX, Quantity::LowerGradientX],
    build: |_| Order::UpperFirst,
};
