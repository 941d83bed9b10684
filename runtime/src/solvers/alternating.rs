//! `alternating`: steps on each level in turn, without the coupling between them. A baseline to compare with, not a bilevel
//! method.
//!
//! Assumes differentiable objectives. Per iteration: `lower_steps` steps on `f(x, ·)` from the last `y`; then `x ← P(x − step ∇x F(x, y))`, as if `y` did not depend on
//! `x`. Stops when `‖x − P(x − ∇x F)‖ ≤ tolerance`. Costs `lower_steps` lower gradients and one upper gradient.
//!
//! Not guaranteed: a solution. The limit is an equilibrium of two players who move at the same time; where `F` reads `x` only
//! through `y`, `x` never moves.
//!
//! Source: none; it is what people do who overlook the coupling (first-order DARTS is of this kind).

use super::options::{LOWER_COPY, RUN, UPPER};
use super::run::{Evaluation, Method, Point, Run};
use super::step::{LowerSteps, Step};
use super::step_size::StepSize;
use super::{Levels, Solver, step_needs};
use crate::derivatives::{Derivatives, Quantity};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::state::State;
use crate::status::Termination;

/// The solver.
pub static ALTERNATING: Solver = Solver {
    name: "alternating",
    summary: "a baseline: steps on each level in turn, ignoring that the follower responds",
    source: "folklore",
    groups: &[RUN, LOWER_COPY, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| {
        let mut needs = vec![Quantity::LowerValue, Quantity::LowerGradient, Quantity::UpperGradients];
        needs.extend(step_needs(settings));
        needs
    },
    build,
};

struct Alternating {
    lower: LowerSteps,
    upper: Step,
    gradient: Point,
    scratch: Vec<f64>,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let size = StepSize::lower(problem, settings, start, 1.0, 0.0);
    Box::new(Alternating {
        lower: LowerSteps::new(settings, &problem.lower, size),
        upper: Step::upper(settings, &problem.upper),
        gradient: start.clone(),
        scratch: vec![0.0; start.x.len()],
    })
}

impl Method for Alternating {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        let Point { x, y } = point;
        if !self.lower.run(problem, x, y, None, |p| run.poll(p)) {
            return Evaluation::NONE;
        }
        let upper = problem.upper_gradients(x, y, &mut self.gradient.x, &mut self.gradient.y);
        let lower = problem.lower_value(x, y);
        let measure = problem.upper.stationarity(x, &self.gradient.x, &mut self.scratch);
        Evaluation { upper, lower, measure }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        self.upper.apply(&problem.upper, k, &self.gradient.x, &mut point.x);
        None
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.lower.state(state);
        self.upper.state(state);
        true
    }
}
