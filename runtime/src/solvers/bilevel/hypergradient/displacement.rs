//! The hypergradient `displacement`: the derivative by a shared start is replaced by how far the lower steps went, `y_0 − y_K`, averaged over
//! the copies of each upper variable (Reptile). An upper step of size `ε` then moves the start by `ε` of the way to where the tasks end up.
//!
//! `F` is not asked for the start; it counts for other upper variables only. Not the gradient of the upper objective: with many steps it
//! leads to a point near the solutions of all tasks.
//!
//! Source: A. Nichol, J. Achiam, J. Schulman, "On first-order meta-learning algorithms", 2018, arXiv 1803.02999, algorithm 2.

use super::{Differentiates, HypergradientRecord};
use crate::derivatives::Derivatives;
use crate::linear::blas1::axpy;
use crate::problem::Problem;
use crate::settings::{Piece, Requirement};
use crate::solvers::bilevel::Sensitivity;
use crate::solvers::bilevel::lower::Solves;
use crate::state::State;

pub(crate) static DISPLACEMENT: HypergradientRecord = HypergradientRecord {
    piece: Piece {
        name: "displacement",
        doc: "how far the lower steps went from a shared start, in place of a gradient",
        assumes: "a shared start whose good values lie near the solutions of all tasks",
        cost: "one upper gradient",
        source: "Nichol et al. 2018, arXiv 1803.02999",
        groups: &[],
        requires: &[Requirement {
            option: "init",
            one_of: &["shared"],
            because: "it moves the start of the lower steps and nothing else",
        }],
    },
    needs: |_, _| Vec::new(),
    build: |context, _| {
        let lower = (context.lower.record.build.solver)(context, &context.lower.settings);
        Box::new(Displacement { lower, gy: vec![0.0; context.start.y.len()] })
    },
};

struct Displacement {
    lower: Box<dyn Solves>,
    gy: Vec<f64>,
}

impl Differentiates for Displacement {
    fn evaluate(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        poll: &mut dyn FnMut(&Problem) -> bool,
        into: &mut Sensitivity,
    ) -> Option<(f64, f64)> {
        into.mean = true;
        into.y0.copy_from_slice(y);
        let lower = self.lower.run(problem, x, y, poll)?;
        axpy(-1.0, y, &mut into.y0);
        let upper = problem.upper_gradients(x, y, &mut into.x, &mut self.gy);
        let lower = if lower.is_nan() { problem.lower_value(x, y) } else { lower };
        Some((upper, lower))
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.lower.state(state)
    }
}
