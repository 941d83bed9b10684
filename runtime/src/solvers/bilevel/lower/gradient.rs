//! Lower steps `gradient`: `y ← P(y − s ∇y f(x, y))`, `lower_steps` times. With `s ≤ 1/L` they never go uphill; on a strongly convex
//! lower level the distance to the solution shrinks by `1 − s mu` per step.

use super::{Build, LowerRecord, by, descent_needs, momentum};
use crate::settings::Piece;
use crate::solvers::rule::Kind;

pub(crate) static GRADIENT: LowerRecord = LowerRecord {
    piece: Piece {
        name: "gradient",
        doc: "projected gradient steps",
        assumes: "a smooth `f`; the pace is that of its conditioning",
        cost: "`lower_steps` gradients",
        source: "",
        groups: &[],
        requires: &[],
    },
    needs: descent_needs,
    build: Build {
        dynamics: Some(|context, _| Box::new(momentum(context, 0.0, false))),
        momentum: Some(|context, _| momentum(context, 0.0, false)),
        solver: |context, _| by(Kind::Gradient, context),
    },
};
