//! `reptile`: meta-learning by moving the start towards where the tasks end up.
//!
//! Several tasks are a leading axis of the lower variables: with `theta: real[tasks, d]` below and `theta0: real[d]` above, every task starts
//! at `theta0`; `from = starts(theta = theta0)` says so where the shapes leave a choice. `f` is the sum of the tasks' training losses, `F` that of
//! their test losses at the adapted parameters.
//!
//! Assumes that a good start lies near the solutions of all tasks. Per iteration: `y_0` from `x`; `lower_steps` steps on `f`; `g = y_0 − y_K`, averaged
//! over the copies of each upper variable (and `∇x F` for other upper variables); then a step on `x`. Stops when `‖x − P(x − g)‖ ≤ tolerance`.
//! Costs `K` gradients and one of `F`, which plays no part for the start; no memory.
//!
//! Not guaranteed: does not minimise `F`. The final check will say that the lower level is not solved, which it is not meant to be.
//!
//! Source: A. Nichol, J. Achiam, J. Schulman, "On first-order meta-learning algorithms", 2018, arXiv 1803.02999, algorithm 2.

use super::bilevel::hypergradient::displacement::DISPLACEMENT;
use super::bilevel::meta::{GROUPS, composition};
use super::{Levels, Solver};

/// The solver.
pub(crate) static REPTILE: Solver = Solver {
    name: "reptile",
    summary: "meta-learning: the start moves towards where the tasks end up",
    source: "Nichol et al. 2018, arXiv 1803.02999",
    groups: GROUPS,
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| composition(&DISPLACEMENT, settings).needs(settings),
    build: |problem, settings, start| composition(&DISPLACEMENT, settings).build(problem, settings, start),
};
