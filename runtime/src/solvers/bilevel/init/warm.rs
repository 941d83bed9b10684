//! The start `warm`: the lower steps go on where those of the last outer iteration ended. That this depends on `x` is neglected, which
//! is right in the limit of solved lower levels; with few steps the fixed points are those of another problem.

use super::{Init, InitRecord};
use crate::problem::Problem;
use crate::settings::Piece;
use crate::state::State;

pub(crate) static WARM: InitRecord = InitRecord {
    piece: Piece {
        name: "warm",
        doc: "lower steps start where those of the last outer iteration ended",
        assumes: "neglects that the start depends on `x`",
        cost: "nothing",
        source: "",
        groups: &[],
        requires: &[],
    },
    needs: |_, _| Vec::new(),
    build: |_, _| Box::new(Warm),
};

struct Warm;

impl Init for Warm {
    fn begin(&mut self, _: &Problem, _: &[f64], _: &mut [f64]) {}

    fn goes_on(&self) -> bool {
        true
    }

    fn state(&mut self, _: &mut dyn State) -> bool {
        true
    }
}
