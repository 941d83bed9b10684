//! The double loop: lower steps from the last `y`, each on a batch of its own; then the adjoint; then one step on `x`.

use super::super::run::{Evaluation, Method, Point};
use super::super::step::Step;
use super::oracle::Oracle;
use super::single::Look;
use super::sizes::Sizes;
use super::{Sampling, Stochastic};
use crate::derivatives::{Derivatives, Quantity};
use crate::linear::blas1::{axpy, scale};
use crate::problem::Problem;
use crate::samples::Side;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::state::State;

/// How many lower steps.
pub(super) const LOWER_STEPS: OptionSpec = OptionSpec {
    name: "lower_steps",
    kind: Kind::Count(1),
    default: Preset::Number(10.0),
    doc: "Steps on the lower level per outer iteration, each on a batch of its own.",
};

/// What the double loop evaluates.
pub(super) fn needs(_: &Settings) -> Vec<Quantity> {
    vec![
        Quantity::LowerGradient,
        Quantity::LowerHessian,
        Quantity::LowerSecondOrder,
        Quantity::LowerDirections,
        Quantity::UpperGradients,
    ]
}

/// How the adjoint is found.
#[derive(Clone, Copy)]
pub(super) enum Adjoint {
    /// `eta Σ Π (I − eta H) ∇y F` up to this power, every factor on a batch of its own.
    Series(usize),
    /// This many steps `v ← v − eta (H v − ∇y F)` from the last `v`.
    Steps(usize),
}

/// The loop.
struct Nested {
    lower_steps: usize,
    adjoint: Adjoint,
    sizes: Sizes,
    v: Vec<f64>,
    gradient: Vec<f64>,
    product: Vec<f64>,
    of_upper: Point,
    direction: Vec<f64>,
    upper_step: Step,
    lower_step: Step,
    look: Look,
}

/// Puts a method together.
pub(super) fn nested(
    problem: &mut Problem,
    settings: &Settings,
    start: &Point,
    adjoint: Adjoint,
) -> Box<dyn Method> {
    let mut oracle = Oracle::new(problem, settings.count("seed") as u64);
    let sizes = Sizes::with_adjoint(&mut oracle, problem, settings, start);
    let zeros = vec![0.0; start.y.len()];
    let method = Nested {
        lower_steps: settings.count("lower_steps"),
        adjoint,
        v: zeros.clone(),
        gradient: zeros.clone(),
        product: zeros,
        of_upper: start.clone(),
        direction: vec![0.0; start.x.len()],
        upper_step: Step::upper(settings, &problem.upper),
        lower_step: Step::lower(settings, &problem.lower, sizes.lower()),
        sizes,
        look: Look::new(&oracle, start),
    };
    Box::new(Sampling::new(problem, settings, oracle, method))
}

impl Nested {
    /// In `product` the lower Hessian on a new batch times `along`.
    fn hessian(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &Point, along: &[f64]) {
        let batches = oracle.draw();
        oracle.touch(problem, Side::Lower, batches);
        let product = &mut self.product;
        problem.on_batches(batches, |p| p.lower_hessian(&point.x, &point.y, along, product));
    }

    /// In `of_upper` the upper gradients on a new batch.
    fn upper(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &Point) {
        let batches = oracle.draw();
        oracle.touch(problem, Side::Upper, batches);
        let Point { x: gx, y: gy } = &mut self.of_upper;
        problem.on_batches(batches, |p| p.upper_gradients_only(&point.x, &point.y, gx, gy));
    }

    /// The adjoint; the upper gradients are those of the last batch that it took.
    fn solve(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &Point, factor: f64) {
        let eta = factor * self.sizes.adjoint();
        match self.adjoint {
            Adjoint::Series(terms) => {
                self.upper(oracle, problem, point);
                let mut power = std::mem::take(&mut self.gradient);
                power.copy_from_slice(&self.of_upper.y);
                self.v.copy_from_slice(&power);
                for _ in 0..terms {
                    self.hessian(oracle, problem, point, &power);
                    axpy(-eta, &self.product, &mut power);
                    axpy(1.0, &power, &mut self.v);
                }
                scale(eta, &mut self.v);
                self.gradient = power;
            }
            Adjoint::Steps(steps) => {
                for _ in 0..steps {
                    self.upper(oracle, problem, point);
                    let mut v = std::mem::take(&mut self.v);
                    self.hessian(oracle, problem, point, &v);
                    axpy(-eta, &self.product, &mut v);
                    axpy(eta, &self.of_upper.y, &mut v);
                    self.v = v;
                }
                self.upper(oracle, problem, point);
            }
        }
    }
}

impl Stochastic for Nested {
    fn step(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &mut Point, k: usize) {
        let factor = self.sizes.factor(k);
        self.lower_step.size = factor * self.sizes.lower();
        for _ in 0..self.lower_steps {
            let batches = oracle.draw();
            oracle.touch(problem, Side::Lower, batches);
            let gradient = &mut self.gradient;
            problem.on_batches(batches, |p| p.lower_gradient_only(&point.x, &point.y, gradient));
            self.lower_step.apply(&problem.lower, k, &self.gradient, &mut point.y);
        }
        // The series of a fixed step has a limit that depends on the step, so that its step does not fall.
        let falls = matches!(self.adjoint, Adjoint::Steps(_));
        self.solve(oracle, problem, point, if falls { factor } else { 1.0 });
        let batches = oracle.draw();
        oracle.touch(problem, Side::Lower, batches);
        let Nested { v, product, direction, .. } = self;
        problem.on_batches(batches, |p| p.lower_second_order(&point.x, &point.y, v, product, direction));
        scale(-1.0, direction);
        axpy(1.0, &self.of_upper.x, &mut self.direction);
        self.upper_step.share = self.sizes.upper_factor(k);
        self.upper_step.apply(&problem.upper, k, &self.direction, &mut point.x);
    }

    fn look(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &Point) -> Evaluation {
        self.sizes.follow(oracle, problem, point);
        self.look.at(oracle, problem, point, &self.v)
    }

    fn state(&mut self, state: &mut dyn State) {
        self.sizes.state(state);
        state.numbers(&mut self.v);
        self.upper_step.state(state);
        self.lower_step.state(state);
    }
}
