//! `srba`: the single loop of `soba` with the recursion of SPIDER instead of plain batches, and constant steps (SRBA).
//!
//! Assumes what `soba` does. Every `period` iterations the directions are those of the full objectives; in between the last ones plus their
//! change from the last iterate to this one on the drawn batch. Steps and stopping test are those of `soba`. Costs twice as much as
//! `soba`, and a pass every `period` iterations; memory of a few vectors.
//!
//! Guaranteed by the paper under these assumptions: a near-optimal number of evaluations, of the order of the root of the number of terms,
//! for a given stationarity. Not guaranteed: the paper's projection of `v` onto a ball, whose radius takes unknown constants, is left out.
//!
//! Source: M. Dagréou, T. Moreau, S. Vaiter, P. Ablin, "A lower bound and a near-optimal algorithm for bilevel empirical risk
//! minimization", AISTATS 2024, arXiv 2302.08766, algorithm 1 (there with −v for v).

use super::super::options::{RUN, UPPER};
use super::super::{Levels, Solver};
use super::estimator::{Estimator, Spider};
use super::oracle::{At, Oracle};
use super::single::single;
use super::{ADJOINT_STEP, BATCH, LOWER_STEP, STEADY, decay, paper, single_needs};
use crate::problem::Problem;
use crate::samples::Side;
use crate::settings::{Kind, OptionSpec, Preset};

const OWN: &[OptionSpec] = &[
    BATCH,
    LOWER_STEP,
    ADJOINT_STEP,
    decay(STEADY),
    OptionSpec {
        name: "period",
        kind: Kind::CountOr("auto"),
        default: Preset::Word("auto"),
        doc: "Iterations from one full evaluation to the next; `auto` is half the number of batches of both levels.",
    },
];

/// The solver.
pub static SRBA: Solver = Solver {
    name: "srba",
    summary: "single loop with variance reduction by a recursion that starts again from full directions",
    source: "Dagréou et al. 2024, arXiv 2302.08766",
    groups: &[RUN, OWN, UPPER],
    paper: &paper(0.0),
    levels: Levels::Two,
    handles: &[],
    needs: single_needs,
    build: |problem, settings, start| {
        let period = settings.number("period").map(|p| p as usize);
        let estimator = |oracle: &Oracle, _: &Problem, at: At<'_>| -> Box<dyn Estimator> {
            let batches = oracle.batches(Side::Lower) + oracle.batches(Side::Upper);
            Box::new(Spider::new(oracle, period.unwrap_or(batches.div_ceil(2)), at))
        };
        single(problem, settings, start, estimator, None)
    },
};
