//! `stocbio`: stochastic lower steps, a stochastic Neumann series for the adjoint, one upper step (stocBiO).
//!
//! Assumes a lower level that is strongly convex in `y`, both objectives twice differentiable, and lower variables that end away from
//! the boundary of their domain. Per iteration: `lower_steps` steps `y ← P(y − rho ∇y f)` from the last `y`, each on a new batch;
//! `v = eta Σ Π (I − eta ∇²yy f) ∇y F` for powers up to `terms`, every factor on a new batch; `x ← P(x − alpha (∇x F − ∇²xy f · v))`. Stops when
//! the length of the directions of `soba` on the full objectives, looked at once in a pass, is at most `tolerance`; that of `v` tends to the
//! bias of the series. Costs `lower_steps` gradients, `terms` Hessian products, one cross product and one upper gradient, all of batches;
//! memory of a few vectors.
//!
//! Not guaranteed: the limit is biased by `(1 − eta mu)^(terms + 1)` with `mu` the smallest curvature, and with constant steps the
//! iterates keep the noise of their batches.
//!
//! Source: K. Ji, J. Yang, Y. Liang, "Bilevel optimization: convergence analysis and enhanced design", ICML 2021, arXiv 2010.07962,
//! algorithms 2 and 3 (with batches of one size).

use super::super::options::{RUN, UPPER};
use super::super::{Levels, Solver};
use super::nested::{Adjoint, LOWER_STEPS, needs, nested};
use super::{ADJOINT_STEP, BATCH, LOWER_STEP, STEADY, decay};
use crate::settings::{Kind, OptionSpec, Preset};

const OWN: &[OptionSpec] = &[
    BATCH,
    LOWER_STEPS,
    LOWER_STEP,
    ADJOINT_STEP,
    OptionSpec {
        name: "terms",
        kind: Kind::Count(0),
        default: Preset::Number(10.0),
        doc: "The highest power in the series (Q): as many products with the lower Hessian per outer iteration.",
    },
    decay(STEADY),
];

/// The solver.
pub static STOCBIO: Solver = Solver {
    name: "stocbio",
    summary: "stochastic lower steps, then a stochastic Neumann series for the adjoint",
    source: "Ji, Yang and Liang 2021, arXiv 2010.07962",
    groups: &[RUN, OWN, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs,
    build: |problem, settings, start| {
        nested(problem, settings, start, Adjoint::Series(settings.count("terms")))
    },
};
