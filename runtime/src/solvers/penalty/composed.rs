//! `penalty`: the penalty loop with pieces of one's own choice: what stands for the lower level (`surrogate`), how much its gap counts
//! (`weight`), which variables step when (`order`), and what directions are divided by (`scale`).
//!
//! Which pieces there are, what each assumes, costs and goes with is in their records, which the reference prints. A composition that
//! makes no sense is refused with the reason. Stops when the projected length of the directions, or that of the moves divided by
//! their step sizes, is at most `tolerance`.
//!
//! Not guaranteed: what a composition leads to is what its pieces say together; the final check does not depend on them.
//!
//! Source: H. Shen, T. Chen, "On penalty-based bilevel gradient descent method", ICML 2023, arXiv 2302.05185, for the view of
//! the methods as penalties.

use super::{Composition, Scale, Y_STEP, named, order, surrogate, weight};
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::solvers::options::{LOWER_COPY, RUN, UPPER};
use crate::solvers::{Levels, Solver};

const PARTS: &[OptionSpec] = &[
    OptionSpec {
        name: "surrogate",
        kind: Kind::Piece(&surrogate::PIECES),
        default: Preset::Word("copy"),
        doc: "What stands for the distance of `y` from a lower solution.",
    },
    OptionSpec {
        name: "weight",
        kind: Kind::Piece(&weight::PIECES),
        default: Preset::Word("growing"),
        doc: "How much the gap counts against `F`.",
    },
    OptionSpec {
        name: "order",
        kind: Kind::Piece(&order::PIECES),
        default: Preset::Word("together"),
        doc: "Which variables step when.",
    },
    OptionSpec {
        name: "scale",
        kind: Kind::Choice(&Scale::WORDS),
        default: Preset::Word("bounded"),
        doc: "What directions are divided by: both by max(1, weight); that of `y` alone; both by the weight; or none.",
    },
    Y_STEP,
];

/// The solver.
pub(crate) static PENALTY: Solver = Solver {
    name: "penalty",
    summary: "the penalty loop with pieces of one's own choice",
    source: "Shen and Chen 2023, arXiv 2302.05185",
    groups: &[RUN, PARTS, LOWER_COPY, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    let (surrogate, surrogate_own) = settings.piece("surrogate");
    let (weight, weight_own) = settings.piece("weight");
    let (order, order_own) = settings.piece("order");
    Composition {
        surrogate: named(&surrogate::ALL, surrogate, &surrogate_own),
        weight: named(&weight::ALL, weight, &weight_own),
        order: named(&order::ALL, order, &order_own),
        scale: Scale::named(settings.word("scale")),
        joint: order != "lower_first",
        capped: false,
    }
}
