//! Lower steps `adam`: a step size per coordinate from running means of the gradient and its square. Not differentiated: the square
//! root has no derivative where a gradient vanishes, as at a lower solution.
//!
//! Source: D. P. Kingma, J. Ba, ICLR 2015, arXiv 1412.6980, algorithm 1.

use super::{Build, IMPLICIT_ONLY, LowerRecord, by, descent_needs};
use crate::settings::Piece;
use crate::solvers::rule::Kind;

pub(crate) static ADAM: LowerRecord = LowerRecord {
    piece: Piece {
        name: "adam",
        doc: "steps of Adam",
        assumes: "a smooth `f`; does not come to rest with a constant step",
        cost: "`lower_steps` gradients, two more lower vectors",
        source: "Kingma, Ba 2015, arXiv 1412.6980",
        groups: &[],
        requires: &[IMPLICIT_ONLY],
    },
    needs: descent_needs,
    build: Build { dynamics: None, momentum: None, solver: |context, _| by(Kind::Adam, context) },
};
