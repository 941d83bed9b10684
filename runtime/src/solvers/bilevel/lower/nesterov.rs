//! Lower steps `nesterov`: with `g = ∇y f(x, y)`, `b ← μ b + g`, `y ← P(y − s (g + μ b))`, from `b = 0` in every outer iteration.
//!
//! Source: Y. Nesterov, Soviet Math. Doklady 27 (1983), in the form of I. Sutskever, J. Martens, G. Dahl, G. Hinton, ICML 2013.

use super::{Build, LowerRecord, by, descent_needs, momentum};
use crate::settings::Piece;
use crate::solvers::options::LOWER_MOMENTUM;
use crate::solvers::rule::Kind;

pub(crate) static NESTEROV: LowerRecord = LowerRecord {
    piece: Piece {
        name: "nesterov",
        doc: "steps with Nesterov's momentum",
        assumes: "a smooth convex `f`; the pace is that of the root of its conditioning",
        cost: "`lower_steps` gradients, one more lower vector",
        source: "Nesterov 1983",
        groups: &[&[LOWER_MOMENTUM]],
        requires: &[],
    },
    needs: descent_needs,
    build: Build {
        dynamics: Some(|context, own| Box::new(momentum(context, own.real("lower_momentum"), true))),
        momentum: Some(|context, own| momentum(context, own.real("lower_momentum"), true)),
        solver: |context, own| by(Kind::Nesterov(own.real("lower_momentum")), context),
    },
};
