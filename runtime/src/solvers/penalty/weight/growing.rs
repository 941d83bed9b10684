//! Weight `growing`: a function of the iteration, or a number.

use super::{Weight, WeightRecord, no_needs};
use crate::settings::{Piece, Preset};
use crate::solvers::penalty::penalty;

pub(crate) static GROWING: WeightRecord = WeightRecord {
    piece: Piece {
        name: "growing",
        doc: "a number, or one that grows with the iteration",
        assumes: "nothing; a weight that stays `w` leaves a bias of order `1/w`",
        cost: "",
        source: "",
        groups: &[&[penalty(Preset::Power(1.0, 0.5))]],
        requires: &[],
    },
    needs: no_needs,
    build: |own, _| Weight::Growing(own.growth("penalty")),
};
