//! The steps of both levels: a rule, a size and its schedule, rates per variable, clipping, and the projection onto the domain.

use super::adaptive::Adaptive;
use super::rule::{Kind, Rule};
use super::step_size::StepSize;
use crate::derivatives::Derivatives;
use crate::hypergradient::{Descent, apply_scale};
use crate::linear::blas1::{axpy, norm2};
use crate::problem::Problem;
use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::space::Space;
use crate::state::State;

/// The factors `rates(…)` puts on the step, per coordinate; empty when they are all 1.
pub(crate) fn rates(settings: &Settings, space: &Space) -> Vec<f64> {
    let rate = |name: &str| settings.rate("rates", name);
    if space.blocks().iter().all(|b| rate(&b.name) == 1.0) {
        return Vec::new();
    }
    space.blocks().iter().flat_map(|b| std::iter::repeat_n(rate(&b.name), b.len)).collect()
}

/// A projected descent step with everything the options say about it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    rule: Rule,
    /// The step size.
    pub(crate) size: f64,
    /// A factor on it.
    pub(crate) share: f64,
    schedule: Schedule,
    steps: usize,
    clip: f64,
    rates: Vec<f64>,
    /// Finds the size, where nobody chose one.
    adaptive: Option<Adaptive>,
    /// The longest size it may find.
    most: f64,
}

impl Step {
    /// The step on the upper variables, as the options say; where its size is automatic it is 0 before the first step.
    pub(crate) fn upper(settings: &Settings, space: &Space) -> Self {
        let size = settings.number("upper_step");
        let adaptive = size.is_none().then(|| Adaptive::new(space.len(), settings.caution()));
        Step { adaptive, ..Step::outer(settings, space, size.unwrap_or(0.0)) }
    }

    /// The step of the outer iteration on the variables of `space`, of size `size` and otherwise as the options of the upper
    /// level say.
    pub(crate) fn outer(settings: &Settings, space: &Space, size: f64) -> Self {
        let kind = Kind::named(settings.word("upper_rule"), settings.real("momentum"));
        Step {
            rule: Rule::new(kind, space.len()),
            size,
            share: 1.0,
            schedule: settings.schedule("schedule"),
            steps: settings.count("steps"),
            clip: settings.real("clip"),
            rates: rates(settings, space),
            adaptive: None,
            most: f64::INFINITY,
        }
    }

    /// A plain gradient step on the variables of the lower level.
    pub(crate) fn lower(settings: &Settings, space: &Space, size: f64) -> Self {
        Step {
            rule: Rule::new(Kind::Gradient, space.len()),
            size,
            share: 1.0,
            schedule: Schedule::Constant,
            steps: 0,
            clip: f64::INFINITY,
            rates: rates(settings, space),
            adaptive: None,
            most: f64::INFINITY,
        }
    }

    /// The step, its automatic sizes no longer than `most`.
    pub(crate) fn at_most(self, most: f64) -> Self {
        Step { most, ..self }
    }

    /// Its memory.
    pub(crate) fn state(&mut self, state: &mut dyn State) {
        self.rule.state(state);
        state.number(&mut self.size);
        state.number(&mut self.share);
        if let Some(adaptive) = &mut self.adaptive {
            adaptive.state(state);
        }
    }

    /// A distance moved by the last step, divided by its size.
    pub(crate) fn pace(&self, moved: f64) -> f64 {
        if moved == 0.0 { 0.0 } else { moved / (self.size * self.share) }
    }

    /// The size of the last step, with the schedule as in iteration `k`: the step on variables that move along with these.
    pub(crate) fn length(&self, k: usize) -> f64 {
        self.size * self.share * self.schedule.factor(k, self.steps)
    }

    /// Whether the rule's direction is the gradient itself.
    fn is_plain(&self) -> bool {
        self.adaptive.is_none() && self.rule.is_gradient() && self.rates.is_empty() && !self.clip.is_finite()
    }

    /// `to ← P(from − size · schedule(k) · rates ∘ rule(clipped g))`.
    pub(crate) fn advance(&mut self, space: &Space, k: usize, g: &[f64], from: &[f64], to: &mut [f64]) {
        if self.is_plain() {
            let alpha = -self.length(k);
            for ((to, from), g) in to.iter_mut().zip(from).zip(g) {
                *to = from + alpha * g;
            }
            space.project(to);
        } else {
            to.copy_from_slice(from);
            self.apply(space, k, g, to);
        }
    }

    /// As [`Step::advance`] on the lower variables; where their objective has a nonsmooth part, a plain step of the rates and the
    /// size alone, and then the proximal operator of that part: it is that of the metric of a plain step.
    pub(crate) fn advance_lower(
        &mut self,
        problem: &Problem,
        k: usize,
        g: &[f64],
        from: &[f64],
        to: &mut [f64],
    ) {
        if problem.proximal.is_none() {
            return self.advance(&problem.lower, k, g, from, to);
        }
        for (i, ((to, from), g)) in to.iter_mut().zip(from).zip(g).enumerate() {
            *to = from - self.size * self.rates.get(i).copied().unwrap_or(1.0) * g;
        }
        problem.settle(self.size, &self.rates, to);
    }

    /// `v ← P(v − size · schedule(k) · rates ∘ rule(clipped g))`.
    pub(crate) fn apply(&mut self, space: &Space, k: usize, g: &[f64], v: &mut [f64]) {
        if self.is_plain() {
            axpy(-self.length(k), g, v);
            space.project(v);
            return;
        }
        let direction = self.rule.direction(g);
        if self.clip.is_finite() {
            let norm = norm2(direction);
            if norm > self.clip {
                crate::linear::blas1::scale(self.clip / norm, direction);
            }
        }
        apply_scale(&self.rates, direction);
        if let Some(adaptive) = &mut self.adaptive {
            self.size = adaptive.size(v, direction).min(self.most);
        }
        axpy(-self.size * self.share * self.schedule.factor(k, self.steps), direction, v);
        space.project(v);
    }
}

/// A fixed number of projected steps on `f(x, ·)`.
#[derive(Clone, Debug)]
pub(crate) struct LowerSteps {
    rule: Rule,
    count: usize,
    /// The step size.
    size: StepSize,
    rates: Vec<f64>,
    gradient: Vec<f64>,
}

impl LowerSteps {
    /// As the options of the lower level say, with step size `size`.
    pub(crate) fn new(settings: &Settings, space: &Space, size: StepSize) -> Self {
        let kind = Kind::named(settings.word("lower_rule"), settings.real("lower_momentum"));
        LowerSteps::by(kind, settings, space, size)
    }

    /// As [`LowerSteps::new`], by this rule.
    pub(crate) fn by(kind: Kind, settings: &Settings, space: &Space, size: StepSize) -> Self {
        LowerSteps {
            rule: Rule::new(kind, space.len()),
            count: settings.count("lower_steps"),
            size,
            rates: rates(settings, space),
            gradient: vec![0.0; space.len()],
        }
    }

    /// As [`LowerSteps::new`], but one plain gradient step.
    pub(crate) fn single(settings: &Settings, space: &Space, size: StepSize) -> Self {
        let rule = Rule::new(Kind::Gradient, space.len());
        LowerSteps { rule, count: 1, size, rates: rates(settings, space), gradient: vec![0.0; space.len()] }
    }

    /// Its memory: the rule forgets before every run.
    pub(crate) fn state(&mut self, state: &mut dyn State) {
        self.size.state(state);
    }

    /// Makes the step size fit `(x, y)`.
    pub(crate) fn follow(&mut self, problem: &mut Problem, x: &[f64], y: &[f64]) {
        self.size.follow(problem, x, y);
    }

    /// The step size of the last run.
    pub(crate) fn size(&self) -> f64 {
        self.size.get()
    }

    /// Runs all steps from `y`, asking `poll` before each; false when it asked to stop. With `first`, value and gradient at
    /// `y` are known already.
    pub(crate) fn run(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        first: Option<(f64, &[f64])>,
        mut poll: impl FnMut(&Problem) -> bool,
    ) -> bool {
        let LowerSteps { rule, count, size, rates, gradient } = self;
        size.follow(problem, x, y);
        let plain = rule.is_gradient() && rates.is_empty();
        // Only an automatic size is judged by the values on the way.
        let valued = size.is_automatic();
        size.descend(problem, x, y, |problem, y, size| {
            rule.reset();
            let mut descent = Descent::START;
            for k in 0..*count {
                if poll(problem) {
                    return None;
                }
                let (value, gradient): (f64, &[f64]) = match first {
                    Some((value, g)) if k == 0 => (value, g),
                    _ if valued => (problem.lower_gradient(x, y, gradient), gradient),
                    _ => (problem.lower_gradient_only(x, y, gradient), gradient),
                };
                descent.pass(value);
                if plain {
                    axpy(-size, gradient, y);
                } else {
                    let direction = rule.direction(gradient);
                    apply_scale(rates, direction);
                    axpy(-size, direction, y);
                }
                problem.lower.project(y);
            }
            Some(descent)
        })
    }
}
