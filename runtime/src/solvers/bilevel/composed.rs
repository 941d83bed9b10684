//! `bilevel`: the loop with pieces of one's own choice: where the lower steps start (`init`), what they are (`lower`), which of them are
//! differentiated (`truncate`), and how (`hypergradient`); then a step on `x`.
//!
//! Which pieces there are, what each assumes, costs and goes with is in their records, which the reference prints. A composition that
//! makes no sense is refused with the reason. Stops when `‖x − P(x − g)‖ ≤ tolerance`, the same for a learned start included.
//!
//! Not guaranteed: what a composition leads to is what its pieces say together; the final check does not depend on them.
//!
//! Source: R. Liu, J. Gao, J. Zhang, D. Meng, Z. Lin, "Investigating bi-level optimization for learning and vision from a unified
//! perspective: a survey and beyond", TPAMI 2022, arXiv 2101.11517, for the view of the methods as parts of one loop.

use super::{Composition, hypergradient, init, lower, named, truncate, upper};
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::solvers::options::{LOWER_STEP, RUN, UPPER, lower_steps};
use crate::solvers::{Levels, Solver};

const PARTS: &[OptionSpec] = &[
    OptionSpec {
        name: "init",
        kind: Kind::Piece(&init::PIECES),
        default: Preset::Word("warm"),
        doc: "Where the lower steps start.",
    },
    OptionSpec {
        name: "lower",
        kind: Kind::Piece(&lower::PIECES),
        default: Preset::Word("gradient"),
        doc: "The lower steps.",
    },
    OptionSpec {
        name: "truncate",
        kind: Kind::Piece(&truncate::PIECES),
        default: Preset::Word("full"),
        doc: "Which lower steps a sweep goes back through.",
    },
    OptionSpec {
        name: "hypergradient",
        kind: Kind::Piece(&hypergradient::PIECES),
        default: Preset::Word("conjugate_gradient"),
        doc: "How the gradient of the upper objective through the lower level is found.",
    },
    OptionSpec {
        name: "upper",
        kind: Kind::Piece(&upper::PIECES),
        default: Preset::Word("step"),
        doc: "How the upper variables move.",
    },
    lower_steps(20.0),
    LOWER_STEP,
];

/// The solver.
pub(crate) static BILEVEL: Solver = Solver {
    name: "bilevel",
    summary: "the bilevel loop with pieces of one's own choice",
    source: "Liu et al. 2022, arXiv 2101.11517",
    groups: &[RUN, PARTS, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(settings).needs(settings),
    build: |problem, settings, start| composition(settings).build(problem, settings, start),
};

fn composition(settings: &Settings) -> Composition {
    let part = |option| settings.piece(option);
    let ((init, init_own), (lower, lower_own)) = (part("init"), part("lower"));
    let ((truncate, truncate_own), (gradient, gradient_own)) = (part("truncate"), part("hypergradient"));
    let (upper, upper_own) = part("upper");
    Composition {
        init: named(&init::ALL, init, &init_own),
        lower: named(&lower::ALL, lower, &lower_own),
        truncate: named(&truncate::ALL, truncate, &truncate_own),
        hypergradient: named(&hypergradient::ALL, gradient, &gradient_own),
        upper: named(&upper::ALL, upper, &upper_own),
    }
}
