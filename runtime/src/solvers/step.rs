//! The steps of both levels: a rule, a size and its schedule, rates per variable, clipping, and the projection onto the domain.

use super::rule::{Kind, Rule};
use crate::derivatives::Derivatives;
use crate::hypergradient::apply_scale;
use crate::linear::blas1::{axpy, norm2};
use crate::linear::power::spectral_radius;
use crate::problem::Problem;
use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::solvers::run::Point;
use crate::space::Space;

/// The factors `rates(…)` puts on the step, per coordinate; empty when they are all 1.
pub(crate) fn rates(settings: &Settings, space: &Space) -> Vec<f64> {
    let rate = |name: &str| settings.rate("rates", name);
    if space.blocks().iter().all(|b| rate(&b.name) == 1.0) {
        return Vec::new();
    }
    space.blocks().iter().flat_map(|b| std::iter::repeat_n(rate(&b.name), b.len)).collect()
}

/// The option `lower_step`, or `numerator / (L + shift)` with `L` the largest curvature of `f` in `y` at the start.
pub(crate) fn lower_step(
    problem: &mut Problem,
    settings: &Settings,
    start: &Point,
    numerator: f64,
    shift: f64,
) -> f64 {
    settings.number("lower_step").unwrap_or_else(|| {
        let seed = settings.count("seed") as u64;
        let curvature = spectral_radius(start.y.len(), seed, |v, hv| {
            problem.lower_hessian(&start.x, &start.y, v, hv);
        });
        let step = numerator / (curvature + shift);
        // A lower objective that is linear at the start has no curvature to go by.
        if step.is_finite() { step } else { numerator }
    })
}

/// A projected descent step with everything the options say about it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    rule: Rule,
    size: f64,
    schedule: Schedule,
    steps: usize,
    clip: f64,
    rates: Vec<f64>,
}

impl Step {
    /// The step of the outer iteration on the variables of `space`, of size `size` and otherwise as the options of the upper
    /// level say.
    pub(crate) fn outer(settings: &Settings, space: &Space, size: f64) -> Self {
        let kind = Kind::named(settings.word("upper_rule"), settings.real("momentum"));
        Step {
            rule: Rule::new(kind, space.len()),
            size,
            schedule: settings.schedule("schedule"),
            steps: settings.count("steps"),
            clip: settings.real("clip"),
            rates: rates(settings, space),
        }
    }

    /// `v ← P(v − size · schedule(k) · rates ∘ rule(clipped g))`.
    pub(crate) fn apply(&mut self, space: &Space, k: usize, g: &[f64], v: &mut [f64]) {
        let direction = self.rule.direction(g);
        if self.clip.is_finite() {
            let norm = norm2(direction);
            if norm > self.clip {
                crate::linear::blas1::scale(self.clip / norm, direction);
            }
        }
        apply_scale(&self.rates, direction);
        axpy(-self.size * self.schedule.factor(k, self.steps), direction, v);
        space.project(v);
    }
}

/// A fixed number of projected steps on `f(x, ·)`.
#[derive(Clone, Debug)]
pub(crate) struct LowerSteps {
    rule: Rule,
    count: usize,
    /// The step size.
    pub(crate) size: f64,
    rates: Vec<f64>,
    gradient: Vec<f64>,
}

impl LowerSteps {
    /// As the options of the lower level say, with step size `size`.
    pub(crate) fn new(settings: &Settings, space: &Space, size: f64) -> Self {
        let kind = Kind::named(settings.word("lower_rule"), settings.real("lower_momentum"));
        LowerSteps {
            rule: Rule::new(kind, space.len()),
            count: settings.count("lower_steps"),
            size,
            rates: rates(settings, space),
            gradient: vec![0.0; space.len()],
        }
    }

    /// Runs all steps from `y`, asking `poll` before each; false when it asked to stop. With `first`, the gradient at `y` is
    /// known already.
    pub(crate) fn run(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        first: Option<&[f64]>,
        mut poll: impl FnMut(&Problem) -> bool,
    ) -> bool {
        self.rule.reset();
        for k in 0..self.count {
            if poll(problem) {
                return false;
            }
            match first {
                Some(g) if k == 0 => self.gradient.copy_from_slice(g),
                _ => {
                    problem.lower_gradient(x, y, &mut self.gradient);
                }
            }
            let direction = self.rule.direction(&self.gradient);
            apply_scale(&self.rates, direction);
            axpy(-self.size, direction, y);
            problem.lower.project(y);
        }
        true
    }
}
