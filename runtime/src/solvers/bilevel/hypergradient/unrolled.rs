//! A sweep back through recorded lower steps, whatever these are.

use super::Differentiates;
use crate::derivatives::Derivatives;
use crate::hypergradient::dynamics::Dynamics;
use crate::hypergradient::{Reverse, Trajectory};
use crate::problem::Problem;
use crate::solvers::bilevel::{Context, Sensitivity, lower};
use crate::solvers::step_size::StepSize;
use crate::state::State;

/// The steps and the sweep.
pub(super) struct Unrolled {
    size: StepSize,
    sweep: Reverse,
}

impl Unrolled {
    pub(super) fn new(context: &mut Context<'_>, dynamics: Box<dyn Dynamics>) -> Self {
        let size = lower::size(context);
        let steps = context.settings.count("lower_steps");
        Unrolled { size, sweep: Reverse::over(context.problem, dynamics, steps, context.truncation) }
    }
}

impl Differentiates for Unrolled {
    fn evaluate(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        poll: &mut dyn FnMut(&Problem) -> bool,
        into: &mut Sensitivity,
    ) -> Option<(f64, f64)> {
        let Unrolled { size, sweep } = self;
        size.follow(problem, x, y);
        if !size.descend(problem, x, y, |p, y, step| sweep.forward(p, x, y, step, &mut *poll)) {
            return None;
        }
        let upper = sweep.backward(problem, x, &mut into.x);
        into.y0.copy_from_slice(sweep.adjoint());
        let upper = sweep.upper_at_end().unwrap_or(upper);
        Some((upper, problem.lower_value(x, y)))
    }

    fn trajectory(&self) -> Option<Trajectory> {
        Some(self.sweep.trajectory())
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.size.state(state);
        self.sweep.state(state)
    }
}
