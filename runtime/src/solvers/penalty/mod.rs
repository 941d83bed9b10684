//! The penalty loop: `min F(x, y) + w_k · gap(x, y)`, where a [`Surrogate`] of the lower level says how far `y` is from a lower
//! solution at `x`. Named methods are compositions: a surrogate, a growing weight and an [`Order`] of steps.
//!
//! One iteration: the surrogate moves its own state; then either `x` and `y` step together on `(F + w gap) / max(1, w)`, or `y`
//! takes several such steps first and `x` follows on `F + w gap`. The division keeps the size of a `y` step inside the stability
//! bound of the lower level, whatever the weight: `w` times the step stays below `1/L`.

pub(super) mod copy;
pub(super) mod gradient_norm;

use super::run::{Evaluation, Method, Point, Run};
use super::step::Step;
use crate::derivatives::Derivatives;
use crate::linear::blas1::axpy;
use crate::problem::Problem;
use crate::schedule::Growth;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::status::Termination;

/// What stands for the distance of `y` from a lower solution.
pub(super) trait Surrogate {
    /// The longest step on `y` that suits the gap, half the inverse of its curvature.
    fn y_step(&self) -> f64;

    /// Moves its state after the iterate; false when the run was asked to stop.
    fn advance(&mut self, problem: &mut Problem, point: &Point, run: &mut Run<'_>) -> bool;

    /// `f(x, y)`, and in `gap` both gradients of the gap at `(x, y)`.
    fn gradients(&mut self, problem: &mut Problem, point: &Point, gap: &mut Point) -> f64;

    /// In `gy` the gradient of the gap in `y` alone.
    fn gradient(&mut self, problem: &mut Problem, point: &Point, gy: &mut [f64]);
}

/// How the levels move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    /// Both at once.
    Together,
    /// `y` this many times, then `x`.
    LowerFirst(usize),
}

/// The size of the step on `y`.
pub(super) const Y_STEP: OptionSpec = OptionSpec {
    name: "y_step",
    kind: Kind::PositiveOr("auto"),
    default: Preset::Word("auto"),
    doc: "Step size of the lower variables on (F + penalty gap)/max(1, penalty); `auto` is half the inverse curvature of the gap.",
};

/// The weight, where it is fixed or grows to a bound.
pub(super) const fn penalty(default: Preset) -> OptionSpec {
    OptionSpec {
        name: "penalty",
        kind: Kind::Growth,
        default,
        doc: "Weight of the lower level's gap against F, over the iterations k = 0, 1, …: a number, first (k+1)^p, first + by k, or up to `to` within `over` iterations.",
    }
}

/// How many steps `y` takes before `x` follows.
pub(super) const Y_STEPS: OptionSpec = OptionSpec {
    name: "y_steps",
    kind: Kind::Count(1),
    default: Preset::Number(10.0),
    doc: "Steps of the lower variables on the penalised objective per outer iteration.",
};

/// The loop.
pub(super) struct Penalty<S> {
    surrogate: S,
    weight: Growth,
    order: Order,
    k: usize,
    /// Whether `y` moves with the surrogate's step.
    automatic: bool,
    upper_step: Step,
    lower_step: Step,
    gap: Point,
    /// `∇F`, then the direction.
    direction: Point,
    scratch: Point,
}

impl<S: Surrogate> Penalty<S> {
    /// Puts the loop together.
    pub(super) fn new(
        problem: &Problem,
        settings: &Settings,
        start: &Point,
        surrogate: S,
        order: Order,
    ) -> Self {
        let y_step = settings.number("y_step");
        let size = y_step.unwrap_or_else(|| surrogate.y_step());
        Penalty {
            surrogate,
            weight: settings.growth("penalty"),
            order,
            k: 0,
            automatic: y_step.is_none(),
            upper_step: Step::upper(settings, &problem.upper),
            lower_step: Step::lower(settings, &problem.lower, size),
            gap: start.clone(),
            direction: start.clone(),
            scratch: start.clone(),
        }
    }
}

impl<S: Surrogate> Method for Penalty<S> {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        if !self.surrogate.advance(problem, point, run) {
            return Evaluation::NONE;
        }
        if self.automatic {
            self.lower_step.size = self.surrogate.y_step();
        }
        let weight = self.weight.at(self.k);
        let scaled = 1.0 / weight.max(1.0);
        if let Order::LowerFirst(steps) = self.order {
            for _ in 0..steps {
                if run.poll(problem) {
                    return Evaluation::NONE;
                }
                problem.upper_gradients(&point.x, &point.y, &mut self.direction.x, &mut self.direction.y);
                self.surrogate.gradient(problem, point, &mut self.gap.y);
                combine(scaled, weight * scaled, &self.gap.y, &mut self.direction.y);
                self.lower_step.apply(&problem.lower, self.k, &self.direction.y, &mut point.y);
            }
        }
        let lower = self.surrogate.gradients(problem, point, &mut self.gap);
        let upper = problem.upper_gradients(&point.x, &point.y, &mut self.direction.x, &mut self.direction.y);
        let of_x = if self.order == Order::Together { scaled } else { 1.0 };
        combine(of_x, weight * of_x, &self.gap.x, &mut self.direction.x);
        combine(scaled, weight * scaled, &self.gap.y, &mut self.direction.y);
        let x = problem.upper.stationarity(&point.x, &self.direction.x, &mut self.scratch.x);
        let y = problem.lower.stationarity(&point.y, &self.direction.y, &mut self.scratch.y);
        Evaluation { upper, lower, measure: x.hypot(y) }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        self.upper_step.apply(&problem.upper, k, &self.direction.x, &mut point.x);
        if self.order == Order::Together {
            self.lower_step.apply(&problem.lower, k, &self.direction.y, &mut point.y);
        }
        self.k = k + 1;
        None
    }
}

/// `d ← a d + b g`.
fn combine(a: f64, b: f64, g: &[f64], d: &mut [f64]) {
    crate::linear::blas1::scale(a, d);
    axpy(b, g, d);
}
