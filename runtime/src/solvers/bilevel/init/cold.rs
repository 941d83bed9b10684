//! The start `cold`: every outer iteration starts the lower steps at the model's start. What they lead to is then a function of `x`
//! alone, and its gradient is exact for it; with few steps it stays far from the lower solution.

use super::{Init, InitRecord};
use crate::problem::Problem;
use crate::settings::Piece;
use crate::state::State;

pub(crate) static COLD: InitRecord = InitRecord {
    piece: Piece {
        name: "cold",
        doc: "lower steps start at the model's start",
        assumes: "enough lower steps to get from there to the solution",
        cost: "nothing",
        source: "",
        groups: &[],
        requires: &[],
    },
    needs: |_, _| Vec::new(),
    build: |context, _| Box::new(Cold { start: context.start.y.clone() }),
};

struct Cold {
    start: Vec<f64>,
}

impl Init for Cold {
    fn begin(&mut self, _: &Problem, _: &[f64], y: &mut [f64]) {
        y.copy_from_slice(&self.start);
    }

    fn state(&mut self, _: &mut dyn State) -> bool {
        true
    }
}
