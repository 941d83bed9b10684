//! Order `lower_first`: `y` takes several steps at a fixed `x`, then `x` one by the gradients where `y` ended.

use super::{Order, OrderRecord};
use crate::settings::Piece;
use crate::solvers::penalty::Y_STEPS;

pub(crate) static LOWER_FIRST: OrderRecord = OrderRecord {
    piece: Piece {
        name: "lower_first",
        doc: "`y` several times, then `x` by the gradients where `y` ended",
        assumes: "nothing; the direction of `x` tends to the hypergradient where `y` has settled",
        cost: "`y_steps` lower gradients, `y_steps + 1` upper gradients",
        source: "Kwon et al. 2023, arXiv 2301.10945",
        groups: &[&[Y_STEPS]],
        requires: &[],
    },
    needs: |_, _| Vec::new(),
    build: |own| Order::LowerFirst(own.count("y_steps")),
};
