//! `amigo`: stochastic lower steps, stochastic steps on the adjoint from the last one, one upper step (AmIGO).
//!
//! Assumes what `stocbio` does. Per iteration: `lower_steps` steps `y ← P(y − rho ∇y f)` from the last `y`; `adjoint_steps` steps
//! `v ← v − eta (∇²yy f · v − ∇y F)` from the last `v`; `x ← P(x − alpha (∇x F − ∇²xy f · v))`; every evaluation on a new batch. Stops as `stocbio` does.
//! Costs `lower_steps` gradients, `adjoint_steps` Hessian products, one cross product and `adjoint_steps + 1` upper gradients, all of
//! batches; memory of a few vectors.
//!
//! Not guaranteed: with constant steps the iterates keep the noise of their batches. The adjoint has no bias of its own.
//!
//! Source: M. Arbel, J. Mairal, "Amortized implicit differentiation for stochastic bilevel optimization", ICLR 2022, arXiv
//! 2111.14580, algorithm 1.

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
        name: "adjoint_steps",
        kind: Kind::Count(1),
        default: Preset::Number(10.0),
        doc: "Steps on the adjoint per outer iteration, each on a batch of its own.",
    },
    decay(STEADY),
];

/// The solver.
pub static AMIGO: Solver = Solver {
    name: "amigo",
    summary: "stochastic lower steps, then stochastic steps on the adjoint from the last one",
    source: "Arbel and Mairal 2022, arXiv 2111.14580",
    groups: &[RUN, OWN, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs,
    build: |problem, settings, start| {
        nested(problem, settings, start, Adjoint::Steps(settings.count("adjoint_steps")))
    },
};
