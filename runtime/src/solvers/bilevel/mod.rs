//! The bilevel loop: start the lower level, run its steps, differentiate what they lead to, step on the upper variables. Each part is
//! a piece with a record in its own file; a method is a [`Composition`] of five of them and nothing more.

pub(crate) mod composed;
pub(crate) mod hypergradient;
pub(crate) mod init;
pub(crate) mod lower;
pub(crate) mod meta;
pub(crate) mod truncate;
pub(crate) mod upper;

use super::record::{Chosen, Record, named, pieces};
use super::run::{Evaluation, Method, Point, Run};
use crate::derivatives::Quantity;
use crate::hypergradient::{Trajectory, Truncation};
use crate::linear::blas1::norm2;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::state::State;
use crate::status::Termination;
use hypergradient::Differentiates;
use init::Init;
use upper::{Seen, Upper};

/// The parts of a method.
pub(crate) struct Composition {
    pub(crate) init: Chosen<init::Build>,
    pub(crate) lower: Chosen<lower::Build>,
    pub(crate) truncate: Chosen<truncate::Build>,
    pub(crate) hypergradient: Chosen<hypergradient::Build>,
    pub(crate) upper: Chosen<upper::Build>,
}

/// What the pieces are put together for.
pub(crate) struct Context<'a> {
    pub(crate) problem: &'a mut Problem,
    /// The settings of the method.
    pub(crate) settings: &'a Settings,
    pub(crate) start: &'a Point,
    pub(crate) lower: &'a Chosen<lower::Build>,
    pub(crate) truncation: Truncation,
}

impl Composition {
    /// What the loop evaluates.
    pub(crate) fn needs(&self, settings: &Settings) -> Vec<Quantity> {
        let mut needs = vec![Quantity::LowerValue, Quantity::UpperGradients];
        needs.extend((self.init.record.needs)(settings, &self.init.settings));
        needs.extend((self.lower.record.needs)(settings, &self.lower.settings));
        needs.extend((self.truncate.record.needs)(settings, &self.truncate.settings));
        needs.extend((self.hypergradient.record.needs)(settings, &self.hypergradient.settings));
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    /// Puts the loop together.
    pub(crate) fn build(&self, problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
        let truncation = (self.truncate.record.build)(&self.truncate.settings);
        let mut context = Context { problem, settings, start, lower: &self.lower, truncation };
        let init = (self.init.record.build)(&mut context, &self.init.settings);
        let differentiate = (self.hypergradient.record.build)(&mut context, &self.hypergradient.settings);
        let upper = (self.upper.record.build)(&mut context, &self.upper.settings);
        Box::new(Loop {
            init,
            differentiate,
            upper,
            value: f64::NAN,
            begun: false,
            sensitivity: Sensitivity {
                x: vec![0.0; start.x.len()],
                y0: vec![0.0; start.y.len()],
                mean: false,
            },
            scratch: vec![0.0; start.x.len()],
        })
    }
}

/// What a hypergradient comes to.
pub(crate) struct Sensitivity {
    /// The derivative by `x` (n), with the start of the lower steps held fast.
    pub(crate) x: Vec<f64>,
    /// The derivative by that start (m), where the piece finds it.
    pub(crate) y0: Vec<f64>,
    /// Whether copies of one upper variable in the start are averaged, not summed.
    pub(crate) mean: bool,
}

struct Loop {
    init: Box<dyn Init>,
    differentiate: Box<dyn Differentiates>,
    upper: Box<dyn Upper>,
    /// `F` at the iterate.
    value: f64,
    begun: bool,
    sensitivity: Sensitivity,
    scratch: Vec<f64>,
}

impl Method for Loop {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        let Point { x, y } = point;
        self.init.begin(problem, x, y);
        let mut poll = |problem: &Problem| run.poll(problem);
        let found = self.differentiate.evaluate(problem, x, y, &mut poll, &mut self.sensitivity);
        let Some((upper, lower)) = found else { return Evaluation::NONE };
        self.value = upper;
        let own = self.init.chain(problem, &mut self.sensitivity);
        let mut measure = problem.upper.stationarity(x, &self.sensitivity.x, &mut self.scratch);
        if own != 0.0 {
            measure = norm2(&[measure, own]);
        }
        // A few steps from a start where `f` does not feel `x` say nothing yet: the next ones begin elsewhere.
        if measure == 0.0 && !self.begun && self.init.goes_on() {
            measure = f64::INFINITY;
        }
        self.begun = true;
        Evaluation { upper, lower, measure }
    }

    fn trajectory(&self) -> Option<Trajectory> {
        self.differentiate.trajectory()
    }

    fn refusal(&self) -> Option<String> {
        self.init.refusal().or_else(|| self.differentiate.refusal())
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        let accuracy = self.differentiate.accuracy().unwrap_or(0.0);
        let seen = Seen { gradient: &self.sensitivity.x, value: self.value, accuracy };
        self.upper.update(problem, k, seen, &mut point.x);
        self.init.update(problem, k, &self.sensitivity.y0);
        None
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        state.flag(&mut self.begun);
        self.upper.state(state) && self.init.state(state) && self.differentiate.state(state)
    }
}
