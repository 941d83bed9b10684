//! `f2sa` on batches: the lower copy, the lower variables and `x` step along gradients of batches (F2SA of the paper). The method, its
//! options and its full form are those of `f2sa`; here is its loop when `batch` is a number.
//!
//! Per iteration, with `λ = penalty(k)`: `lower_steps` steps `z ← P(z − rho ∇y f(x, z))` and `y_steps` steps
//! `y ← P(y − step (∇y F + λ ∇y f)(x, y) / max(1, λ))`, the first of both on a new batch, then the second, and so on; then
//! `x ← P(x − alpha (∇x F(x, y) + λ (∇x f(x, y) − ∇x f(x, z))))`, both `∇x f` on one new batch. The paper draws a batch for each; with
//! shared ones the noise that `λ` multiplies vanishes with `y − z`.

use super::super::rule::{Kind, Rule};
use super::super::run::{Evaluation, Method, Point};
use super::super::step::{Step, rates};
use super::oracle::Oracle;
use super::sizes::Sizes;
use super::{Sampling, Stochastic};
use crate::derivatives::Derivatives;
use crate::hypergradient::apply_scale;
use crate::linear::blas1::{axpy, scale};
use crate::problem::Problem;
use crate::samples::Side;
use crate::schedule::Growth;
use crate::settings::Settings;
use crate::state::State;

struct F2sa {
    weight: Growth,
    sizes: Sizes,
    /// Steps of the copy and of `y`.
    steps: [usize; 2],
    y_step: Option<f64>,
    rule: Rule,
    rates: Vec<f64>,
    /// The copy.
    z: Vec<f64>,
    lower: Point,
    upper: Point,
    at_copy: Vec<f64>,
    y_rule: Step,
    x_step: Step,
    k: usize,
}

/// Puts the method together.
pub(in super::super) fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let mut oracle = Oracle::new(problem, settings.count("seed") as u64);
    let sizes = Sizes::new(&mut oracle, problem, settings, start, None, 0.0);
    let kind = Kind::named(settings.word("lower_rule"), settings.real("lower_momentum"));
    let method = F2sa {
        weight: settings.growth("penalty"),
        steps: [settings.count("lower_steps"), settings.count("y_steps")],
        y_step: settings.number("y_step"),
        rule: Rule::new(kind, start.y.len()),
        rates: rates(settings, &problem.lower),
        z: start.y.clone(),
        lower: start.clone(),
        upper: start.clone(),
        at_copy: vec![0.0; start.x.len()],
        y_rule: Step::lower(settings, &problem.lower, sizes.lower()),
        x_step: Step::upper(settings, &problem.upper),
        k: 0,
        sizes,
    };
    Box::new(Sampling::new(problem, settings, oracle, method))
}

impl F2sa {
    /// In `upper.x` the direction of `x`, in `upper.y` that of `y`, by whatever `problem` evaluates.
    fn directions(&mut self, problem: &mut Problem, point: &Point) -> (f64, f64) {
        let weight = self.weight.at(self.k);
        let Point { x, y } = point;
        let lower = problem.lower_gradients(x, y, &mut self.lower.x, &mut self.lower.y);
        problem.lower_gradient_x_only(x, &self.z, &mut self.at_copy);
        let upper = problem.upper_gradients(x, y, &mut self.upper.x, &mut self.upper.y);
        axpy(weight, &self.lower.x, &mut self.upper.x);
        axpy(-weight, &self.at_copy, &mut self.upper.x);
        axpy(weight, &self.lower.y, &mut self.upper.y);
        scale(1.0 / weight.max(1.0), &mut self.upper.y);
        (lower, upper)
    }

    fn copy_step(&mut self, oracle: &mut Oracle, problem: &mut Problem, batches: [usize; 2], point: &Point) {
        oracle.touch(problem, Side::Lower, batches);
        let (z, gradient) = (&mut self.z, &mut self.lower.y);
        problem.on_batches(batches, |p| p.lower_gradient_only(&point.x, z, gradient));
        let direction = self.rule.direction(gradient);
        apply_scale(&self.rates, direction);
        axpy(-self.sizes.lower(), direction, z);
        problem.lower.project(z);
    }

    fn y_step(&mut self, oracle: &mut Oracle, problem: &mut Problem, batches: [usize; 2], point: &mut Point) {
        oracle.touch(problem, Side::Lower, batches);
        oracle.touch(problem, Side::Upper, batches);
        let (of_f, of_upper) = (&mut self.lower.y, &mut self.upper);
        problem.on_batches(batches, |p| {
            p.lower_gradient_only(&point.x, &point.y, of_f);
            p.upper_gradients_only(&point.x, &point.y, &mut of_upper.x, &mut of_upper.y);
        });
        let weight = self.weight.at(self.k);
        axpy(weight, &self.lower.y, &mut self.upper.y);
        scale(1.0 / weight.max(1.0), &mut self.upper.y);
        self.y_rule.apply(&problem.lower, self.k, &self.upper.y, &mut point.y);
    }
}

impl Stochastic for F2sa {
    fn step(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &mut Point, k: usize) {
        self.k = k;
        self.rule.reset();
        self.y_rule.size = self.y_step.unwrap_or_else(|| self.sizes.lower());
        for t in 0..self.steps[0].max(self.steps[1]) {
            let batches = oracle.draw();
            if t < self.steps[0] {
                self.copy_step(oracle, problem, batches, point);
            }
            if t < self.steps[1] {
                self.y_step(oracle, problem, batches, point);
            }
        }
        let batches = oracle.draw();
        // Two points of the lower level, one of the upper.
        oracle.touch(problem, Side::Lower, batches);
        oracle.touch(problem, Side::Lower, batches);
        oracle.touch(problem, Side::Upper, batches);
        problem.on_batches(batches, |p| self.directions(p, point));
        self.x_step.apply(&problem.upper, k, &self.upper.x, &mut point.x);
        self.k = k + 1;
    }

    fn look(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &Point) -> Evaluation {
        self.sizes.follow(oracle, problem, point);
        let (lower, upper) = self.directions(problem, point);
        let x = problem.upper.stationarity(&point.x, &self.upper.x, &mut self.lower.x);
        let y = problem.lower.stationarity(&point.y, &self.upper.y, &mut self.lower.y);
        Evaluation { upper, lower, measure: x.hypot(y) }
    }

    fn state(&mut self, state: &mut dyn State) {
        self.sizes.state(state);
        state.numbers(&mut self.z);
        state.count(&mut self.k);
        self.y_rule.state(state);
        self.x_step.state(state);
    }
}
