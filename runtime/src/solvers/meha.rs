//! `meha`: a single-loop Moreau envelope method, first order and without Hessians.
//!
//! Assumes a smooth upper objective and a lower objective `f + g`: `f` smooth and weakly convex in `y` over its domain (modulus
//! `rho`), with `gamma < 1/(2 rho)`, and `g` nonsmooth with a proximal operator ([`crate::proximal`]), if there is such a part. Per
//! iteration `k`, in this order, with `c_k = c (k + 1)^p` and `prox` that of `g` and the domain:
//! `θ ← prox_{eta g(x,·)}(θ − eta (∇y f(x, θ) + (θ − y)/gamma))`,
//! `x⁺ = P(x − alpha (∇x F(x, y)/c_k + ∇x (f + g)(x, y) − ∇x (f + g)(x, θ)))`,
//! `y⁺ = prox_{beta g(x⁺,·)}(y − beta (∇y F(x⁺, y)/c_k + ∇y f(x⁺, y) − (y − θ)/gamma))`.
//! `F` is divided by the growing `c_k`. `alpha` is `upper_step`, `beta` `y_step`, `eta` `lower_step`. With a part `g` the step on
//! `y` is plain, of the rule `gradient`: the operator is that of its metric. Stops when the moves
//! divided by their step sizes, `‖(Δx/alpha, Δy/beta, Δθ/eta)‖`, are at most `tolerance`. Costs two lower gradients in `y`, two
//! in `x`, one upper gradient in `x` and one in full, and the weights of `g` once; memory of a few vectors.
//!
//! Not guaranteed: with constant `c_k` (`p = 0`) the limit is biased by order `1/c`. With a nonconvex lower level `y` becomes
//! stationary for `f`, which may be a maximiser.
//!
//! Source: R. Liu, Z. Liu, W. Yao, S. Zeng, J. Zhang, "Moreau envelope for nonconvex bi-level optimization: a single-loop and
//! Hessian-free solution strategy", ICML 2024, arXiv 2405.09927, algorithm 1.

use super::options::{LOWER_PROXIMAL, POSITIVE, RUN, UPPER};
use super::run::{Evaluation, Method, Point, Run};
use super::step::Step;
use super::step_size::StepSize;
use super::{Levels, Solver, step_needs};
use crate::derivatives::{Derivatives, Quantity};
use crate::linear::blas1::squared_distance;
use crate::problem::Problem;
use crate::schedule::Schedule;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::status::Termination;

const OWN: &[OptionSpec] = &[
    OptionSpec {
        name: "y_step",
        kind: Kind::PositiveOr("auto"),
        default: Preset::Word("auto"),
        doc: "Step size of the lower variables (beta); `auto` is the step of the proximal copy.",
    },
    OptionSpec {
        name: "gamma",
        kind: POSITIVE,
        default: Preset::Number(2.0),
        doc: "Proximity of the Moreau envelope; below half the inverse of the lower level's negative curvature.",
    },
    OptionSpec {
        name: "c",
        kind: POSITIVE,
        default: Preset::Number(1.0),
        doc: "Penalty at the first iteration.",
    },
    OptionSpec {
        name: "p",
        kind: Kind::Real { min: 0.0, max: 0.5, open: false },
        default: Preset::Number(0.3),
        doc: "Growth of the penalty, c (k+1)^p.",
    },
];

/// The solver.
pub static MEHA: Solver = Solver {
    name: "meha",
    summary: "single-loop first-order method on the Moreau envelope of the lower level",
    source: "Liu et al. 2024, arXiv 2405.09927",
    groups: &[RUN, LOWER_PROXIMAL, OWN, UPPER],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| {
        let mut needs = vec![
            Quantity::LowerGradient,
            Quantity::LowerGradientX,
            Quantity::UpperGradients,
            Quantity::UpperGradientX,
            Quantity::SmoothGradient,
            Quantity::ProximalWeights,
        ];
        needs.extend(step_needs(settings));
        needs.extend(step_needs(settings).map(|_| Quantity::SmoothHessian));
        needs
    },
    build,
};

struct Meha {
    theta: Vec<f64>,
    eta: StepSize,
    /// Whether `y` moves with the step of the proximal copy.
    automatic: bool,
    gamma: f64,
    c: f64,
    growth: Schedule,
    upper_step: Step,
    lower_step: Step,
    /// The squares of the last moves divided by their step sizes: of `x` and `y`, and of `θ`.
    moved: f64,
    theta_moved: f64,
    /// `∇F`, then the direction.
    direction: Point,
    /// `∇x (f + g)` and `∇y f` at `(x, y)`.
    at_y: Point,
    /// The same at `(x, θ)`.
    at_theta: Point,
    before: Point,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let gamma = settings.real("gamma");
    let eta = StepSize::proximal(problem, settings, start, 0.5, 1.0 / gamma);
    problem.weigh(&start.x, &start.y);
    let y_step = settings.number("y_step");
    Box::new(Meha {
        theta: start.y.clone(),
        gamma,
        c: settings.real("c"),
        growth: Schedule::Power(settings.real("p")),
        upper_step: Step::upper(settings, &problem.upper),
        lower_step: Step::outer(settings, &problem.lower, y_step.unwrap_or(eta.get())),
        automatic: y_step.is_none(),
        eta,
        moved: f64::INFINITY,
        theta_moved: f64::INFINITY,
        direction: start.clone(),
        at_y: start.clone(),
        at_theta: start.clone(),
        before: start.clone(),
    })
}

/// `θ⁺ = θ − eta (g + (θ − y)/gamma)`. These are functions of slices so that the compiler knows that they do not overlap.
fn towards_envelope(new: &mut [f64], theta: &[f64], g: &[f64], y: &[f64], eta: f64, proximity: f64) {
    for (((new, t), g), y) in new.iter_mut().zip(theta).zip(g).zip(y) {
        *new = t - eta * (g + (t - y) * proximity);
    }
}

/// `d ← weight · d + ∇x f(x, y) − ∇x f(x, θ)`
fn upper_direction(d: &mut [f64], weight: f64, at_y: &[f64], at_theta: &[f64]) {
    for ((d, f), theta) in d.iter_mut().zip(at_y).zip(at_theta) {
        *d = weight * *d + f - theta;
    }
}

/// `d ← weight · d + ∇y f(x, y) − (y − θ)/gamma`
fn lower_direction(d: &mut [f64], weight: f64, at_y: &[f64], proximity: f64, y: &[f64], theta: &[f64]) {
    for (((d, f), y), theta) in d.iter_mut().zip(at_y).zip(y).zip(theta) {
        *d = weight * *d + f - proximity * y + proximity * theta;
    }
}

impl Method for Meha {
    /// The step on `θ` and everything the step on `x` needs. The measure is that of the move that led here.
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, _: &mut Run<'_>) -> Evaluation {
        let Point { x, y } = point;
        problem.smooth_gradient_only(x, &self.theta, &mut self.at_theta.y);
        self.eta.follow(problem, x, &self.theta);
        let eta = self.eta.get();
        if self.automatic {
            self.lower_step.size = eta;
        }
        let proximity = 1.0 / self.gamma;
        std::mem::swap(&mut self.theta, &mut self.before.y);
        towards_envelope(&mut self.theta, &self.before.y, &self.at_theta.y, y, eta, proximity);
        problem.settle(eta, &[], &mut self.theta);
        self.theta_moved = squared_distance(&self.theta, &self.before.y) / (eta * eta);
        problem.lower_gradient_x_only(x, &self.theta, &mut self.at_theta.x);
        let lower = problem.lower_gradient_x(x, y, &mut self.at_y.x);
        let upper = problem.upper_gradient_x(x, y, &mut self.direction.x);
        Evaluation { upper, lower, measure: (self.moved + self.theta_moved).sqrt() }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        let weight = self.growth.factor(k, 0) / self.c;
        std::mem::swap(&mut point.x, &mut self.before.x);
        upper_direction(&mut self.direction.x, weight, &self.at_y.x, &self.at_theta.x);
        let Point { x, y } = point;
        self.upper_step.advance(&problem.upper, k, &self.direction.x, &self.before.x, x);

        problem.upper_gradients_only(x, y, &mut self.direction.x, &mut self.direction.y);
        problem.weigh(x, y);
        problem.smooth_gradient_only(x, y, &mut self.at_y.y);
        let proximity = 1.0 / self.gamma;
        std::mem::swap(y, &mut self.before.y);
        let (before, theta) = (&self.before.y, &self.theta);
        lower_direction(&mut self.direction.y, weight, &self.at_y.y, proximity, before, theta);
        self.lower_step.advance_lower(problem, k, &self.direction.y, &self.before.y, y);
        let of_x = self.upper_step.pace(squared_distance(x, &self.before.x).sqrt());
        let of_y = self.lower_step.pace(squared_distance(y, &self.before.y).sqrt());
        self.moved = of_x * of_x + of_y * of_y;
        None
    }
}
