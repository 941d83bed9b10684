//! `fomaml`: first-order meta-learning. As `maml`, without the second derivatives: what reaches the start is `∇y F(x, y_K)` as it is.
//!
//! Several tasks are a leading axis of the lower variables: with `theta: real[tasks, d]` below and `theta0: real[d]` above, every task starts
//! at `theta0`; `from = starts(theta = theta0)` says so where the shapes leave a choice. `f` is the sum of the tasks' training losses, `F` that of
//! their test losses at the adapted parameters.
//!
//! Assumes that the lower steps change little of the gradient's direction. Per iteration: `y_0` from `x`; `lower_steps` steps on `f`;
//! `g = ∇x F + Σ ∇y F(x, y_K)` over the copies; then a step on `x`. Stops when `‖x − P(x − g)‖ ≤ tolerance`. Costs `K` gradients; no memory.
//!
//! Not guaranteed: not the gradient of a function. The final check will say that the lower level is not solved, which it is not meant to be.
//!
//! Source: C. Finn, P. Abbeel, S. Levine, "Model-agnostic meta-learning for fast adaptation of deep networks", ICML 2017,
//! arXiv 1703.03400, section 5.2.

use super::bilevel::hypergradient::first_order::FIRST_ORDER;
use super::bilevel::meta::{GROUPS, composition};
use super::{Levels, Solver};

/// The solver.
pub(crate) static FOMAML: Solver = Solver {
    name: "fomaml",
    summary: "meta-learning as `maml`, without second derivatives",
    source: "Finn et al. 2017, arXiv 1703.03400",
    groups: GROUPS,
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(&FIRST_ORDER, settings).needs(settings),
    build: |problem, settings, start| composition(&FIRST_ORDER, settings).build(problem, settings, start),
};
