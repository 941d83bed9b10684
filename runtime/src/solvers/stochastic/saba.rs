//! `saba`: the single loop of `soba` with SAGA tables instead of plain batches, and constant steps (SABA).
//!
//! Assumes what `soba` does. For every batch of the lower level the last `∇y f`, `∇²yy f · v` and `∇²xy f · v` are kept, for every batch of
//! the upper level the last `∇y F` and `∇x F`; a direction is what the drawn batch says now, minus what it said last, plus the mean of the
//! table. The tables are filled at the start, which is one pass. Steps and stopping test are those of `soba`. Costs as much as `soba`;
//! memory of `2 m + n` numbers for every lower batch and `m + n` for every upper batch: larger batches need less.
//!
//! Guaranteed by the paper under these assumptions: the rate of SAGA, linear where `phi` satisfies the Polyak–Łojasiewicz inequality.
//! Not guaranteed: that the step suits batches that were not looked at; it is then too long.
//!
//! Source: M. Dagréou, P. Ablin, S. Vaiter, T. Moreau, "A framework for bilevel optimization that enables stochastic and global
//! variance reduction algorithms", NeurIPS 2022, arXiv 2201.13409, section 2.3 (there with −v for v).

use super::super::options::{RUN, UPPER};
use super::super::{Levels, Solver};
use super::estimator::Saga;
use super::single::single;
use super::{ADJOINT_STEP, BATCH, LOWER_STEP, STEADY, decay, paper, single_needs};
use crate::settings::OptionSpec;

const OWN: &[OptionSpec] = &[BATCH, LOWER_STEP, ADJOINT_STEP, decay(STEADY)];

/// The solver.
pub static SABA: Solver = Solver {
    name: "saba",
    summary: "single loop with variance reduction by tables of what every batch said last",
    source: "Dagréou et al. 2022, arXiv 2201.13409",
    groups: &[RUN, OWN, UPPER],
    paper: &paper(0.0),
    levels: Levels::Two,
    handles: &[],
    needs: single_needs,
    build: |problem, settings, start| {
        single(problem, settings, start, |oracle, p, _| Box::new(Saga::new(oracle, p.memory)), None)
    },
};
