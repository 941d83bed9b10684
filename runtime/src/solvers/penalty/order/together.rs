//! Order `together`: `x` and `y` step at once, by the gradients at one point.

use super::{Order, OrderRecord};
use crate::settings::Piece;

pub(crate) static TOGETHER: OrderRecord = OrderRecord {
    piece: Piece {
        name: "together",
        doc: "`x` and `y` at once, by the gradients at one point",
        assumes: "nothing",
        cost: "one upper gradient",
        source: "",
        groups: &[],
        requires: &[],
    },
    needs: |_, _| Vec::new(),
    build: |_| Order::Together,
};
