//! Surrogate `restarted_copy`: as `copy`, but the copy starts at `y` in every iteration, so that it finds the attraction point that `y`
//! itself flows to. Its first step is along the gradient at `y`, which the gap needs anyway.

use super::copy::Copy;
use super::{SurrogateRecord, around, copy_needs};
use crate::settings::Piece;

pub(crate) static RESTARTED: SurrogateRecord = SurrogateRecord {
    piece: Piece {
        name: "restarted_copy",
        doc: "`f(x, y) − f(x, z)`, where `z` is `lower_steps` gradient steps on the lower level from `y`",
        assumes: "that gradient steps from `y` lead to one attraction point; finitely many leave a bias",
        cost: "`lower_steps` gradients, one of them in full, one in `x`",
        source: "Ye et al. 2022, arXiv 2209.08709",
        groups: &[],
        requires: &[],
    },
    needs: copy_needs,
    build: |problem, settings, _, start, rest| {
        let copy = Copy::new(problem, settings, start, &rest, true);
        around(problem, settings, start, copy, rest)
    },
};
