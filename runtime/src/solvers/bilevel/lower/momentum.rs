//! Lower steps `momentum` (heavy ball): `b ← μ b + ∇y f(x, y)`, `y ← P(y − s b)`, from `b = 0` in every outer iteration.
//!
//! Source: B. T. Polyak, USSR Comput. Math. Math. Phys. 4 (1964).

use super::{Build, LowerRecord, by, descent_needs, momentum};
use crate::settings::Piece;
use crate::solvers::options::LOWER_MOMENTUM;
use crate::solvers::rule::Kind;

pub(crate) static MOMENTUM: LowerRecord = LowerRecord {
    piece: Piece {
        name: "momentum",
        doc: "heavy-ball steps",
        assumes: "a smooth `f`; may overshoot where it is not quadratic",
        cost: "`lower_steps` gradients, one more lower vector",
        source: "Polyak 1964",
        groups: &[&[LOWER_MOMENTUM]],
        requires: &[],
    },
    needs: descent_needs,
    build: Build {
        dynamics: Some(|context, own| Box::new(momentum(context, own.real("lower_momentum"), false))),
        momentum: Some(|context, own| momentum(context, own.real("lower_momentum"), false)),
        solver: |context, own| by(Kind::Momentum(own.real("lower_momentum")), context),
    },
};
