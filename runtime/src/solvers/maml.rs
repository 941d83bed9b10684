//! `maml`: model-agnostic meta-learning. The upper variable is the point the lower steps start from.
//!
//! Several tasks are a leading axis of the lower variables: with `theta: real[tasks, d]` below and `theta0: real[d]` above, every task starts
//! at `theta0`; `from = starts(theta = theta0)` says so where the shapes leave a choice. `f` is the sum of the tasks' training losses, `F` that of
//! their test losses at the adapted parameters.
//!
//! Assumes that a few steps adapt to a task. Per iteration: `y_0` from `x`; `lower_steps` steps on `f`; the gradient of `F(x, y_K(x))`, which passes
//! through all the steps, `a ← a − s ∇²yy f a` backwards from `a = ∇y F`, and is summed over the copies of each upper variable; then a step on
//! `x`. Stops when `‖x − P(x − g)‖ ≤ tolerance`. Costs `K` gradients and fused products; the memory of `K` lower vectors.
//!
//! Not guaranteed: the lower level is not solved and not meant to be, so the final check will say that it is not.
//!
//! Source: C. Finn, P. Abbeel, S. Levine, "Model-agnostic meta-learning for fast adaptation of deep networks", ICML 2017,
//! arXiv 1703.03400, algorithm 1.

use super::bilevel::hypergradient::reverse::REVERSE;
use super::bilevel::meta::{GROUPS, composition};
use super::{Levels, Solver};

/// The solver.
pub(crate) static MAML: Solver = Solver {
    name: "maml",
    summary: "meta-learning: the upper variable is where the lower steps of every task start",
    source: "Finn et al. 2017, arXiv 1703.03400",
    groups: GROUPS,
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(&REVERSE, settings).needs(settings),
    build: |problem, settings, start| composition(&REVERSE, settings).build(problem, settings, start),
};
