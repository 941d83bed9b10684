//! `soba`: lower variables, adjoint and upper variables step at once along stochastic directions (SOBA).
//!
//! Assumes a lower level that is strongly convex in `y`, both objectives twice differentiable, and lower variables that end away from
//! the boundary of their domain. Per iteration, on a batch of each level, all from the old values and with the factor
//! `(k + 1)^-decay` on every step: `y ← P(y − rho ∇y f)`, `v ← v − eta (∇²yy f · v − ∇y F)`, `x ← P(x − alpha (∇x F − ∇²xy f · v))`.
//! Stops when the length of the full directions, looked at once in a pass, is at most `tolerance`. Costs one fused second-order
//! product and one upper gradient of a batch per iteration; memory of a few vectors.
//!
//! `decay` is the published ½ on batches, and 0 on whole sums: there a fall would only leave `y` and `v` behind `x`.
//!
//! Not guaranteed: with `decay = 0` the iterates keep the noise of their batches; with the published decay of ½ convergence is slow.
//!
//! Source: M. Dagréou, P. Ablin, S. Vaiter, T. Moreau, "A framework for bilevel optimization that enables stochastic and global
//! variance reduction algorithms", NeurIPS 2022, arXiv 2201.13409, algorithm 1 (there with −v for v).

use super::super::options::{RUN, UPPER};
use super::super::{Levels, Solver};
use super::estimator::Minibatch;
use super::single::single;
use super::{ADJOINT_STEP, BATCH, FALLING, LOWER_STEP, decay, paper, single_needs};
use crate::settings::OptionSpec;

const OWN: &[OptionSpec] = &[BATCH, LOWER_STEP, ADJOINT_STEP, decay(FALLING)];

/// The solver.
pub static SOBA: Solver = Solver {
    name: "soba",
    summary: "single loop on batches: lower variables, adjoint and upper variables step at once",
    source: "Dagréou et al. 2022, arXiv 2201.13409",
    groups: &[RUN, OWN, UPPER],
    paper: &paper(0.5),
    levels: Levels::Two,
    handles: &[],
    needs: single_needs,
    build: |problem, settings, start| {
        single(problem, settings, start, |oracle, _, _| Box::new(Minibatch::new(oracle)), None)
    },
};
