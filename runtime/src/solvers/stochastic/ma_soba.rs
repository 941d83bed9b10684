//! `ma_soba`: the single loop of `soba` with a moving average of the directions of `x` (MA-SOBA).
//!
//! Assumes what `soba` does. `y` and `v` step as in `soba`; `x ← P(x − alpha h)` with `h ← (1 − theta) h + theta (∇x F − ∇²xy f · v)`,
//! which begins with the first direction. Stopping test and cost are those of `soba`.
//!
//! Guaranteed by the paper under these assumptions: the rate of stochastic gradient descent without assumptions on third derivatives, for
//! `theta` and steps of the order of the root of the number of iterations. Not guaranteed: less noise in `y` and `v`, which are not averaged.
//!
//! Source: X. Chen, T. Xiao, K. Balasubramanian, "Optimal algorithms for stochastic bilevel optimization under relaxed smoothness
//! conditions", JMLR 2024, arXiv 2306.12067, algorithm 1.

use super::super::options::{RUN, UPPER};
use super::super::{Levels, Solver};
use super::estimator::Minibatch;
use super::single::single;
use super::{ADJOINT_STEP, BATCH, FALLING, LOWER_STEP, decay, single_needs};
use crate::settings::{Kind, OptionSpec, Preset};

const OWN: &[OptionSpec] = &[
    BATCH,
    LOWER_STEP,
    ADJOINT_STEP,
    decay(FALLING),
    OptionSpec {
        name: "theta",
        kind: Kind::Real { min: 0.0, max: 1.0, open: true },
        default: Preset::Number(0.1),
        doc: "Share of a new direction of the upper variables in the moving average.",
    },
];

/// The solver.
pub static MA_SOBA: Solver = Solver {
    name: "ma_soba",
    summary: "single loop on batches with a moving average of the upper directions",
    source: "Chen, Xiao and Balasubramanian 2024, arXiv 2306.12067",
    groups: &[RUN, OWN, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: single_needs,
    build: |problem, settings, start| {
        let theta = Some(settings.real("theta"));
        single(problem, settings, start, |oracle, _, _| Box::new(Minibatch::new(oracle)), theta)
    },
};
