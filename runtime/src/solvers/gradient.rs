//! `gradient`: an ordinary optimisation, for models with an upper level alone.
//!
//! Assumes a differentiable objective. With `line_search` it is the method of [`crate::minimise`]: limited-memory BFGS with
//! backtracking where all variables are free, else the spectral projected gradient; otherwise one projected step of the
//! chosen `upper_rule` per iteration. Stops when `‖x − P(x − ∇F)‖ ≤ tolerance`. Costs one gradient per iteration, and one more
//! per backtracking.
//!
//! Not guaranteed: a stationary point need not be a minimum.
//!
//! Sources: D. Liu, J. Nocedal, Math. Programming 45 (1989); E. Birgin, J. Martínez, M. Raydan, SIAM J. Optim. 10 (2000).

use super::options::{RUN_ALONE, UPPER};
use super::run::{Evaluation, Method, Point, Run};
use super::step::Step;
use super::{Levels, Solver};
use crate::derivatives::{Derivatives, Quantity};
use crate::minimise::{End, Minimiser};
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::state::State;
use crate::status::Termination;

const OWN: &[OptionSpec] = &[OptionSpec {
    name: "line_search",
    kind: Kind::Flag,
    default: Preset::Bool(true),
    doc: "Find step sizes by backtracking; otherwise take the steps the options of the upper level describe.",
}];

/// The solver.
pub static GRADIENT: Solver = Solver {
    name: "gradient",
    summary: "ordinary optimisation of a model without a lower level: quasi-Newton or projected gradient",
    source: "Liu, Nocedal 1989; Birgin, Martínez, Raydan 2000",
    groups: &[RUN_ALONE, OWN, UPPER],
    paper: &[],
    levels: Levels::One,
    handles: &[],
    needs: |_| vec![Quantity::UpperGradients],
    build,
};

struct Gradient {
    minimiser: Minimiser,
    fixed: Option<Step>,
    begun: bool,
}

fn build(problem: &mut Problem, settings: &Settings, _: &Point) -> Box<dyn Method> {
    let fixed = !settings.flag("line_search");
    Box::new(Gradient {
        minimiser: Minimiser::new(&problem.upper, problem.roundoff),
        fixed: fixed.then(|| Step::upper(settings, &problem.upper)),
        begun: false,
    })
}

impl Method for Gradient {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        run.poll(problem);
        if !self.begun || self.fixed.is_some() {
            // The space is moved out for the call, since both it and the derivatives belong to the problem.
            let space = std::mem::take(&mut problem.upper);
            self.minimiser.begin(&space, &point.x, |x, g| problem.upper_gradients(x, &[], g, &mut []));
            problem.upper = space;
            self.begun = true;
        }
        let measure = self.minimiser.residual(&problem.upper, &point.x);
        Evaluation { upper: self.minimiser.value, lower: f64::NAN, measure }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        if let Some(step) = &mut self.fixed {
            step.apply(&problem.upper, k, &self.minimiser.gradient, &mut point.x);
            return None;
        }
        let space = std::mem::take(&mut problem.upper);
        let minimiser = &mut self.minimiser;
        let end = problem.tolerantly(|problem| {
            minimiser.step(&space, &mut point.x, |x, g| problem.upper_gradients(x, &[], g, &mut []))
        });
        problem.upper = space;
        match end {
            None => None,
            Some(End::NonFinite) => Some(Termination::LineSearchFailed { iteration: k }),
            Some(End::Stalled | End::Converged | End::Budget) => Some(Termination::Stalled { iteration: k }),
        }
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.minimiser.state(state);
        if let Some(step) = &mut self.fixed {
            step.state(state);
        }
        state.flag(&mut self.begun);
        true
    }
}
