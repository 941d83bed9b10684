//! The penalty loop: `min F(x, y) + w_k · gap(x, y)`, where a [`surrogate`] of the lower level says how far `y` is from a lower
//! solution at `x`, a [`weight`] how much that counts, and an [`order`] which variables step when. Each part is a piece with a record in
//! its own file; a method is a [`Composition`] of three of them and nothing more.
//!
//! Directions are divided as [`Scale`] says. Where they are divided by `max(1, w)`, a `y` step keeps inside the stability bound of the
//! lower level, whatever the weight: `w` times the step stays below `1/L`.

pub(crate) mod composed;
mod curvature;
pub(crate) mod order;
pub(crate) mod surrogate;
pub(crate) mod weight;

use super::record::{Chosen, Record, named, pieces};
use super::run::{Evaluation, Method, Point, Run};
use super::step::Step;
use crate::derivatives::{Derivatives, Quantity};
use crate::linear::blas1::squared_distance;
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::state::State;
use crate::status::Termination;
use curvature::UpperCurvature;
use order::Order;
use surrogate::Surrogate;
use weight::Weight;

/// The size of the step on `y`.
pub(super) const Y_STEP: OptionSpec = OptionSpec {
    name: "y_step",
    kind: Kind::PositiveOr("auto"),
    default: Preset::Word("auto"),
    doc: "Step size of the lower variables on (F + penalty gap)/max(1, penalty); `auto` suits the curvatures of both, at most half the inverse curvature of the gap.",
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

/// What the directions of `F + w gap` are divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// Both by `max(1, w)`.
    Bounded,
    /// That of `y` by `max(1, w)`, that of `x` by nothing.
    Lower,
    /// Both by `w`: `F/w + gap`.
    Weight,
    /// By nothing.
    None,
}

impl Scale {
    /// The words users write.
    const WORDS: [&'static str; 4] = ["bounded", "lower", "weight", "none"];

    fn named(word: &str) -> Self {
        match word {
            "lower" => Scale::Lower,
            "weight" => Scale::Weight,
            "none" => Scale::None,
            _ => Scale::Bounded,
        }
    }

    /// The factors of `F` and of the gap in the direction of `x`.
    fn of_x(self, w: f64) -> (f64, f64) {
        match self {
            Scale::Bounded => (1.0 / w.max(1.0), w / w.max(1.0)),
            Scale::Weight => (1.0 / w, 1.0),
            Scale::Lower | Scale::None => (1.0, w),
        }
    }

    /// The same in the direction of `y`.
    fn of_y(self, w: f64) -> (f64, f64) {
        match self {
            Scale::Lower => Scale::Bounded.of_x(w),
            Scale::Bounded | Scale::Weight | Scale::None => self.of_x(w),
        }
    }
}

/// The parts of a method.
pub(super) struct Composition {
    pub(super) surrogate: Chosen<surrogate::Build>,
    pub(super) weight: Chosen<weight::Build>,
    pub(super) order: Chosen<order::Build>,
    pub(super) scale: Scale,
    /// Whether rule, schedule and clip of the upper step are those of the step on `y` as well.
    pub(super) joint: bool,
    /// Whether an automatic step on `y` is at most the step on `x`.
    pub(super) capped: bool,
}

/// What the loop has besides its surrogate.
pub(super) struct Rest {
    weight: Weight,
    order: Order,
    scale: Scale,
    joint: bool,
    capped: bool,
}

impl Composition {
    /// What the loop evaluates.
    pub(super) fn needs(&self, settings: &Settings) -> Vec<Quantity> {
        let mut needs = vec![Quantity::UpperGradients];
        needs.extend((self.surrogate.record.needs)(settings, &self.surrogate.settings));
        needs.extend((self.order.record.needs)(settings, &self.order.settings));
        needs
    }

    /// Puts the loop together.
    pub(super) fn build(&self, problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
        let rest = Rest {
            weight: (self.weight.record.build)(&self.weight.settings, start),
            order: (self.order.record.build)(&self.order.settings),
            scale: self.scale,
            joint: self.joint,
            capped: self.capped,
        };
        (self.surrogate.record.build)(problem, settings, &self.surrogate.settings, start, rest)
    }
}

/// The loop.
struct Penalty<S> {
    surrogate: S,
    weight: Weight,
    order: Order,
    scale: Scale,
    k: usize,
    /// The curvature of `F` and the most that a step on `y` may be which goes with both; `None` where its size is given.
    automatic: Option<(UpperCurvature, f64)>,
    /// A factor on such a step.
    caution: f64,
    upper_step: Step,
    lower_step: Step,
    /// `∇F`, then the direction.
    direction: Point,
    before: Point,
    /// The square of the last moves divided by their step sizes.
    moved: f64,
    /// Whether the moves are the measure: where it is not the length of one direction at one point that vanishes.
    by_moves: bool,
}

impl<S: Surrogate> Penalty<S> {
    fn new(problem: &mut Problem, settings: &Settings, start: &Point, surrogate: S, rest: Rest) -> Self {
        let Rest { weight, order, scale, joint, capped } = rest;
        let given = settings.number("y_step");
        let most = settings.number("upper_step").filter(|_| capped).unwrap_or(f64::INFINITY);
        let size = given.unwrap_or_else(|| most.min(surrogate.y_step()));
        let seed = settings.count("seed");
        let automatic = given.is_none().then(|| (UpperCurvature::new(problem, start, seed), most));
        Penalty {
            by_moves: order == Order::UpperFirst || (surrogate.is_proximal() && problem.proximal.is_some()),
            surrogate,
            weight,
            order,
            scale,
            k: 0,
            automatic,
            caution: settings.caution(),
            upper_step: Step::upper(settings, &problem.upper),
            lower_step: match joint {
                true => Step::outer(settings, &problem.lower, size),
                false => Step::lower(settings, &problem.lower, size),
            },
            direction: start.clone(),
            before: start.clone(),
            moved: f64::INFINITY,
        }
    }

    /// Fits an automatic step on `y` to the curvatures of `F` and of the gap, with the factors that they have in the direction.
    fn fit(&mut self, (of_upper, of_gap): (f64, f64)) {
        if let Some((curvature, most)) = &self.automatic {
            let longest = most.min(self.surrogate.y_step());
            let steep = 2.0 * of_upper * curvature.get() / self.caution + of_gap / longest;
            self.lower_step.size = longest.min(1.0 / steep);
        }
    }

    /// One step on `y` along the direction.
    fn step_y(&mut self, problem: &Problem, k: usize, y: &mut Vec<f64>) {
        if !self.by_moves {
            return self.lower_step.apply(&problem.lower, k, &self.direction.y, y);
        }
        std::mem::swap(y, &mut self.before.y);
        if self.surrogate.is_proximal() {
            self.lower_step.advance_lower(problem, k, &self.direction.y, &self.before.y, y);
        } else {
            self.lower_step.advance(&problem.lower, k, &self.direction.y, &self.before.y, y);
        }
    }

    /// `y` several times, `x` being held.
    fn lower_first(
        &mut self,
        problem: &mut Problem,
        point: &mut Point,
        steps: usize,
        run: &mut Run<'_>,
    ) -> bool {
        for _ in 0..steps {
            if run.poll(problem) {
                return false;
            }
            problem.upper_gradients_only(&point.x, &point.y, &mut self.direction.x, &mut self.direction.y);
            self.surrogate.gradient_y(problem, point);
            let (a, b) = self.scale.of_y(self.weight.at(self.k, self.surrogate.gap()));
            self.fit((a, b));
            self.surrogate.add_y(point, a, b, &mut self.direction.y);
            self.step_y(problem, self.k, &mut point.y);
        }
        true
    }

    /// `x` by what `evaluate` found, then `y` by the gradients at the new `x`.
    fn upper_first(&mut self, problem: &mut Problem, point: &mut Point, k: usize) {
        let weight = self.weight.at(k, self.surrogate.gap());
        let (a, b) = self.scale.of_x(weight);
        self.surrogate.add_x(a, b, &mut self.direction.x);
        std::mem::swap(&mut point.x, &mut self.before.x);
        self.upper_step.advance(&problem.upper, k, &self.direction.x, &self.before.x, &mut point.x);
        if self.surrogate.is_proximal() {
            problem.weigh(&point.x, &point.y);
        }
        problem.upper_gradients_only(&point.x, &point.y, &mut self.direction.x, &mut self.direction.y);
        self.surrogate.gradient_y(problem, point);
        let (a, b) = self.scale.of_y(weight);
        self.fit((a, b));
        self.surrogate.add_y(point, a, b, &mut self.direction.y);
        self.step_y(problem, k, &mut point.y);
    }
}

impl<S: Surrogate> Method for Penalty<S> {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        if !self.surrogate.advance(problem, point, run) {
            return Evaluation::NONE;
        }
        if let Some((curvature, _)) = &mut self.automatic {
            curvature.follow(problem, point);
        }
        if self.order == Order::UpperFirst {
            let lower = self.surrogate.gradient_x(problem, point);
            let upper = problem.upper_gradient_x(&point.x, &point.y, &mut self.direction.x);
            return Evaluation { upper, lower, measure: (self.moved + self.surrogate.moved()).sqrt() };
        }
        if let Order::LowerFirst(steps) = self.order
            && !self.lower_first(problem, point, steps, run)
        {
            return Evaluation::NONE;
        }
        let lower = self.surrogate.gradients(problem, point);
        let upper = problem.upper_gradients(&point.x, &point.y, &mut self.direction.x, &mut self.direction.y);
        let weight = match &mut self.weight {
            Weight::Balance(barrier) => barrier.weight(&self.surrogate, point, &self.direction),
            weight => weight.at(self.k, self.surrogate.gap()),
        };
        let ((ax, bx), (ay, by)) = (self.scale.of_x(weight), self.scale.of_y(weight));
        self.fit((ay, by));
        self.surrogate.add_x(ax, bx, &mut self.direction.x);
        self.surrogate.add_y(point, ay, by, &mut self.direction.y);
        if self.by_moves {
            return Evaluation { upper, lower, measure: (self.moved + self.surrogate.moved()).sqrt() };
        }
        let x = problem.upper.stationarity(&point.x, &self.direction.x, &mut self.before.x);
        let y = problem.lower.stationarity(&point.y, &self.direction.y, &mut self.before.y);
        Evaluation { upper, lower, measure: x.hypot(y) }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        self.k = k + 1;
        if self.order == Order::UpperFirst {
            self.upper_first(problem, point, k);
        } else {
            if self.by_moves {
                self.before.x.copy_from_slice(&point.x);
            }
            self.upper_step.apply(&problem.upper, k, &self.direction.x, &mut point.x);
            if self.order == Order::Together {
                self.step_y(problem, k, &mut point.y);
            }
            if self.surrogate.is_proximal() {
                problem.weigh(&point.x, &point.y);
            }
        }
        if self.by_moves {
            let x = self.upper_step.pace(squared_distance(&point.x, &self.before.x).sqrt());
            let y = self.lower_step.pace(squared_distance(&point.y, &self.before.y).sqrt());
            self.moved = x * x + y * y;
        }
        None
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        state.count(&mut self.k);
        state.number(&mut self.moved);
        self.upper_step.state(state);
        self.lower_step.state(state);
        if let Some((curvature, _)) = &mut self.automatic {
            curvature.state(state);
        }
        self.surrogate.state(state)
    }
}

/// `d ← a d + b g`.
fn combine(a: f64, b: f64, g: &[f64], d: &mut [f64]) {
    for (d, g) in d.iter_mut().zip(g) {
        *d = a * *d + b * g;
    }
}

/// `d ← a d + b (g − h)`.
fn combine_difference(a: f64, b: f64, g: &[f64], h: &[f64], d: &mut [f64]) {
    for ((d, g), h) in d.iter_mut().zip(g).zip(h) {
        *d = a * *d + b * (g - h);
    }
}
