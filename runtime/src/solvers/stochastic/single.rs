//! The single loop: `y`, the adjoint `v` and `x` step at once, each along its estimated direction, all from the old values.

use super::super::run::{Evaluation, Point};
use super::super::step::Step;
use super::estimator::Estimator;
use super::oracle::{At, Oracle};
use super::sizes::Sizes;
use super::{Sampling, Stochastic};
use crate::derivatives::Derivatives;
use crate::linear::blas1::{axpy, norm2};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::solvers::run::Method;
use crate::state::State;

/// The loop.
struct Single {
    estimator: Box<dyn Estimator>,
    sizes: Sizes,
    v: Vec<f64>,
    directions: Vec<f64>,
    upper_step: Step,
    lower_step: Step,
    average: Option<Average>,
    look: Look,
}

/// A moving average of the directions of `x`.
struct Average {
    /// The share of a new direction.
    share: f64,
    value: Vec<f64>,
}

/// Puts a method together: how directions are estimated, and the share of a new direction of `x` in its moving average, if there is one.
pub(super) fn single(
    problem: &mut Problem,
    settings: &Settings,
    start: &Point,
    estimator: impl FnOnce(&Oracle, &Problem, At<'_>) -> Box<dyn Estimator>,
    average: Option<f64>,
) -> Box<dyn Method> {
    let mut oracle = Oracle::new(problem, settings.count("seed") as u64);
    let sizes = Sizes::with_adjoint(&mut oracle, problem, settings, start);
    let v = vec![0.0; start.y.len()];
    let estimator = estimator(&oracle, problem, At { x: &start.x, y: &start.y, v: &v });
    let method = Single {
        estimator,
        v,
        directions: vec![0.0; oracle.lower_len()],
        upper_step: Step::upper(settings, &problem.upper),
        lower_step: Step::lower(settings, &problem.lower, sizes.lower()),
        sizes,
        average: average.map(|share| Average { share, value: vec![0.0; start.x.len()] }),
        look: Look::new(&oracle, start),
    };
    Box::new(Sampling::new(problem, settings, oracle, method))
}

impl Stochastic for Single {
    fn step(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &mut Point, k: usize) {
        let at = At { x: &point.x, y: &point.y, v: &self.v };
        self.estimator.estimate(oracle, problem, at, k, &mut self.directions);
        let [of_y, of_v, of_x] = oracle.parts(&self.directions);
        let factor = self.sizes.factor(k);
        self.lower_step.size = factor * self.sizes.lower();
        self.lower_step.apply(&problem.lower, k, of_y, &mut point.y);
        axpy(-factor * self.sizes.adjoint(), of_v, &mut self.v);
        self.upper_step.share = self.sizes.upper_factor(k);
        let of_x = match &mut self.average {
            None => of_x,
            Some(Average { share, value }) => {
                let share = if k == 0 { 1.0 } else { *share };
                value.iter_mut().zip(of_x).for_each(|(h, d)| *h += share * (d - *h));
                value
            }
        };
        self.upper_step.apply(&problem.upper, k, of_x, &mut point.x);
    }

    fn look(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &Point) -> Evaluation {
        self.sizes.follow(oracle, problem, point);
        self.look.at(oracle, problem, point, &self.v)
    }

    fn state(&mut self, state: &mut dyn State) {
        self.estimator.state(state);
        self.sizes.state(state);
        state.numbers(&mut self.v);
        if let Some(average) = &mut self.average {
            state.numbers(&mut average.value);
        }
        self.upper_step.state(state);
        self.lower_step.state(state);
    }

    fn bytes(&self) -> usize {
        self.estimator.bytes()
    }
}

/// Looks at the full objectives and directions.
pub(super) struct Look {
    directions: Vec<f64>,
    of_upper: Point,
    scratch: Point,
}

impl Look {
    pub(super) fn new(oracle: &Oracle, start: &Point) -> Self {
        Look { directions: vec![0.0; oracle.lower_len()], of_upper: start.clone(), scratch: start.clone() }
    }

    /// Both objectives, and the length of the three directions, those of variables in a domain projected.
    pub(super) fn at(
        &mut self,
        oracle: &Oracle,
        problem: &mut Problem,
        point: &Point,
        v: &[f64],
    ) -> Evaluation {
        let Point { x, y } = point;
        oracle.lower_of(problem, At { x, y, v }, &mut self.directions);
        let upper = problem.upper_gradients(x, y, &mut self.of_upper.x, &mut self.of_upper.y);
        let (m, n) = (y.len(), x.len());
        axpy(-1.0, &self.of_upper.y, &mut self.directions[m..2 * m]);
        axpy(1.0, &self.of_upper.x, &mut self.directions[2 * m..2 * m + n]);
        let [of_y, of_v, of_x] = oracle.parts(&self.directions);
        let measure = problem
            .lower
            .stationarity(y, of_y, &mut self.scratch.y)
            .hypot(norm2(of_v))
            .hypot(problem.upper.stationarity(x, of_x, &mut self.scratch.x));
        // The scratch is done with; the gradient comes with the value.
        let lower = problem.lower_gradient(x, y, &mut self.scratch.y);
        Evaluation { upper, lower, measure }
    }
}
