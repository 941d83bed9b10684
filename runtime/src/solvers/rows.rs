//! What first-order methods for followers with constraints share: values and gradients of `f + w · c` at one copy of the lower
//! variables, the cone of the multipliers, and a step size for `y` from the curvature of `f + ½ rho ‖c‖²`.

use super::options::POSITIVE;
use super::run::Point;
use crate::constrained::Follower;
use crate::constrained::nlp::{Nlp, count};
use crate::derivatives::Quantity;
use crate::linear::blas1::{all_finite, axpy, scale, squared_distance};
use crate::linear::power::{seeded, spectral_radius};
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::state::State;

/// The quantities besides those of the follower's program.
pub(super) fn needs(_: &Settings) -> Vec<Quantity> {
    vec![Quantity::UpperGradients]
}

/// Steps on the lower variables and the multipliers.
pub(super) const LOWER: &[OptionSpec] = &[
    LOWER_SIZE,
    OptionSpec {
        name: "dual_step",
        kind: Kind::PositiveOr("auto"),
        default: Preset::Word("auto"),
        doc: "Step size of the multipliers; `auto` is that of the lower variables.",
    },
];

/// The step on the lower variables.
pub(super) const LOWER_SIZE: OptionSpec = OptionSpec {
    name: "lower_step",
    kind: Kind::PositiveOr("auto"),
    default: Preset::Word("auto"),
    doc: "Step size of the lower variables; `auto` is half the inverse curvature of the lower level with its constraints, at the start.",
};

/// The proximities of the lower variables and of the multipliers, the latter by default `of_multipliers`; the penalty
/// `c (k+1)^p` on the lower level; and the bound of the multipliers.
pub(super) const fn proximal(of_multipliers: f64) -> [OptionSpec; 5] {
    [
        positive("gamma1", 10.0, "Proximity of the lower variables."),
        positive("gamma2", of_multipliers, "Proximity of the multipliers."),
        positive("c", 1.0, "Penalty at the first iteration."),
        OptionSpec {
            name: "p",
            kind: Kind::Real { min: 0.0, max: 0.5, open: false },
            default: Preset::Number(0.3),
            doc: "Growth of the penalty, c (k+1)^p.",
        },
        positive("bound", 1000.0, "Largest magnitude of a multiplier."),
    ]
}

const fn positive(name: &'static str, default: f64, doc: &'static str) -> OptionSpec {
    OptionSpec { name, kind: POSITIVE, default: Preset::Number(default), doc }
}

/// From `∇F` in `direction` to the direction of `weight F + L(y) − L(theta) − ‖y − theta‖² / 2 gamma`, with the Lagrangians `L` at the
/// two copies as they were last evaluated.
pub(super) fn proximal_direction(
    direction: &mut Point,
    weight: f64,
    (at_y, at_theta): (&Copy, &Copy),
    y: &[f64],
    gamma: f64,
) {
    scale(weight, &mut direction.x);
    axpy(1.0, &at_y.by_x, &mut direction.x);
    axpy(-1.0, &at_theta.by_x, &mut direction.x);
    scale(weight, &mut direction.y);
    axpy(1.0, &at_y.by_y, &mut direction.y);
    for ((d, y), theta) in direction.y.iter_mut().zip(y).zip(&at_theta.y) {
        *d -= (y - theta) / gamma;
    }
}

/// `f + w · c` at a copy of the lower variables.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    /// The lower variables (m).
    pub y: Vec<f64>,
    /// `c(x, y)`.
    pub rows: Vec<f64>,
    /// The gradient by `x` of the last evaluation.
    pub by_x: Vec<f64>,
    /// The gradient by `y` of the last evaluation.
    pub by_y: Vec<f64>,
    /// `f` of the last evaluation, without the constraints.
    pub value: f64,
    none: Vec<f64>,
    before: Vec<f64>,
}

impl Copy {
    /// At the start of the lower level.
    pub(super) fn new(start: &Point, rows: usize) -> Self {
        Copy {
            y: start.y.clone(),
            rows: vec![0.0; rows],
            by_x: vec![0.0; start.x.len()],
            by_y: vec![0.0; start.y.len()],
            value: f64::NAN,
            none: vec![0.0; rows],
            before: start.y.clone(),
        }
    }

    /// Finds `f` and `c` at `(x, y)`.
    pub(super) fn look(&mut self, problem: &mut Problem, nlp: &mut Nlp, x: &[f64]) {
        let none = std::mem::take(&mut self.none);
        self.value = self.evaluate(problem, nlp, x, &none);
        self.none = none;
    }

    /// Finds the gradients of `f + w · c` at `(x, y)`, and `c`.
    pub(super) fn differentiate(&mut self, problem: &mut Problem, nlp: &mut Nlp, x: &[f64], w: &[f64]) {
        self.evaluate(problem, nlp, x, w);
    }

    /// `f + w · c`; the problem takes note of what is not finite.
    fn evaluate(&mut self, problem: &mut Problem, nlp: &mut Nlp, x: &[f64], w: &[f64]) -> f64 {
        nlp.set_parameters(x);
        let Self { y, rows, by_x, by_y, .. } = self;
        let value = nlp.evaluate_fully(y, w, by_x, by_y, rows);
        let finite = value.is_finite() && [&*by_x, &*by_y, &*rows].into_iter().all(|v| all_finite(v));
        problem.note_rows(x, y, finite);
        value
    }

    /// `y ← P(y − size · d)` with the bounds of the program.
    pub(super) fn step(&mut self, nlp: &Nlp, size: f64, d: &[f64]) {
        descend(&mut self.y, nlp, size, d);
    }

    /// As [`Copy::step`], along the gradient of the last evaluation.
    pub(super) fn descend(&mut self, nlp: &Nlp, size: f64) {
        descend(&mut self.y, nlp, size, &self.by_y);
    }

    /// A step on the proximal Lagrangian `f + w · c + ‖y − anchor‖²/(2 gamma)`; `c` is left as it was before the step. The distance
    /// moved, over the size.
    pub(super) fn approach(
        &mut self,
        problem: &mut Problem,
        nlp: &mut Nlp,
        (x, anchor): (&[f64], &[f64]),
        w: &[f64],
        gamma: f64,
        size: f64,
    ) -> f64 {
        self.differentiate(problem, nlp, x, w);
        self.before.copy_from_slice(&self.y);
        for ((d, y), anchor) in self.by_y.iter_mut().zip(&self.y).zip(anchor) {
            *d += (y - anchor) / gamma;
        }
        self.descend(nlp, size);
        squared_distance(&self.y, &self.before).sqrt() / size
    }

    /// What a later iteration reads: the lower variables alone.
    pub(super) fn state(&mut self, state: &mut dyn State) {
        state.numbers(&mut self.y);
    }
}

/// `y ← P(y − size · d)` with the bounds of the program.
fn descend(y: &mut [f64], nlp: &Nlp, size: f64, d: &[f64]) {
    axpy(-size, d, y);
    for ((y, lo), hi) in y.iter_mut().zip(&nlp.lo).zip(&nlp.hi) {
        *y = y.max(*lo).min(*hi);
    }
}

/// `u ← max(u, 0)` for the multipliers of inequalities.
pub(super) fn into_cone(u: &mut [f64], equal: &[bool]) {
    for (u, equal) in u.iter_mut().zip(equal) {
        if !equal {
            *u = u.max(0.0);
        }
    }
}

/// Runs `action` with the follower's program, whose evaluations are counted; `None` for a problem without one.
pub(super) fn with_follower<R>(
    problem: &mut Problem,
    action: impl FnOnce(&mut Problem, &mut Follower) -> R,
) -> Option<R> {
    let mut constrained = problem.constrained.take()?;
    let result = constrained.follower.as_mut().map(|follower| {
        let result = action(problem, follower);
        count(problem, &follower.nlp);
        result
    });
    problem.constrained = Some(constrained);
    result
}

/// The number of rows of the follower.
pub(super) fn rows(problem: &Problem) -> usize {
    let follower = problem.constrained.as_ref().and_then(|c| c.follower.as_ref());
    follower.map_or(0, |follower| follower.rows.len())
}

/// The option `lower_step`, or half the inverse of the largest curvature of `f + ½ rho ‖c‖² + ½ shift ‖y‖²` in `y` at the start.
pub(super) fn lower_step(
    problem: &mut Problem,
    settings: &Settings,
    start: &Point,
    rho: f64,
    shift: f64,
) -> f64 {
    if let Some(size) = settings.number("lower_step") {
        return size;
    }
    let seed = settings.count("seed") as u64;
    let curvature = with_follower(problem, |_, follower| {
        let nlp = &mut follower.nlp;
        nlp.set_parameters(&start.x);
        let (m, rows) = (start.y.len(), nlp.equal.len());
        let (mut v, mut work) = (seeded(m, seed), vec![0.0; m]);
        let (none, mut image, mut back) = (vec![0.0; rows], vec![0.0; rows], vec![0.0; m]);
        spectral_radius(&mut v, &mut work, 1e-2, |v, hv| {
            nlp.product(&start.y, &none, v, hv, &mut image);
            nlp.transposed(&start.y, &image, &mut back);
            axpy(rho, &back, hv);
        })
    });
    let size = 0.5 / (curvature.unwrap_or(0.0) + shift);
    settings.caution() * if size.is_finite() && size > 0.0 { size } else { 0.5 }
}
