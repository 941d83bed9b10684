//! `imaml`: meta-learning with implicit gradients. The tasks' losses hold their parameters near the start, and are solved.
//!
//! Several tasks are a leading axis of the lower variables: with `theta: real[tasks, d]` below and `theta0: real[d]` above, every task starts
//! at `theta0`; `from = starts(theta = theta0)` says so where the shapes leave a choice. `f` is the sum of the tasks' training losses, `F` that of
//! their test losses at the adapted parameters. The proximal term is part of the model: `f = … + (lambda/2) ‖theta − theta0‖²`.
//!
//! Assumes that `f` with its proximal term has one minimiser with a positive definite Hessian. Per iteration: the lower steps start at `x`;
//! `H v = ∇y F` by conjugate gradients, with `H` that of the whole `f`; `g = ∇x F − ∇²xy f · v`, which for the proximal term is `lambda v`; then a step on `x`.
//! Stops when `‖x − P(x − g)‖ ≤ tolerance`. Costs as `cg`; does not depend on the path of the lower steps.
//!
//! Not guaranteed: as for `cg`; `lambda` must be larger than the most negative curvature of the tasks' losses.
//!
//! Source: A. Rajeswaran, C. Finn, S. Kakade, S. Levine, "Meta-learning with implicit gradients", NeurIPS 2019, arXiv 1909.04630,
//! algorithms 1 and 2.

use super::bilevel::hypergradient::conjugate_gradient::{CONJUGATE_GRADIENT, OPTIONS};
use super::bilevel::init::shared::OPTIONS as START;
use super::bilevel::meta::composition;
use super::options::{LOWER_MOMENTUM, LOWER_RULE_IMPLICIT, LOWER_STEP, RUN, UPPER, lower_steps};
use super::{Levels, Solver};
use crate::settings::OptionSpec;

const LOWER: &[OptionSpec] = &[lower_steps(20.0), LOWER_STEP, LOWER_RULE_IMPLICIT, LOWER_MOMENTUM];

/// The solver.
pub(crate) static IMAML: Solver = Solver {
    name: "imaml",
    summary: "meta-learning with a proximal term and implicit gradients",
    source: "Rajeswaran et al. 2019, arXiv 1909.04630",
    groups: &[RUN, LOWER, START, OPTIONS, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(&CONJUGATE_GRADIENT, settings).needs(settings),
    build: |problem, settings, start| {
        composition(&CONJUGATE_GRADIENT, settings).build(problem, settings, start)
    },
};
