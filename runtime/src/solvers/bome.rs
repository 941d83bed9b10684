//! `bome`: a first-order method on the value function, with a dynamic barrier.
//!
//! Assumes differentiable `F`, `f`; the lower level may be nonconvex where gradient steps from `y` lead to one attraction
//! point. Per iteration: `ŷ` is the result of `lower_steps` steps on `f(x, ·)` from `y`, then held constant;
//! `q = f(x, y) − f(x, ŷ)`, `dq = (∇x f(x, y) − ∇x f(x, ŷ), ∇y f(x, y))`, `dF = (∇x F, ∇y F)`;
//! `λ = max((psi − ⟨dF, dq⟩) / (‖dq‖² + epsilon), 0)` with `psi = eta ‖dq‖²` (written `λ = max(eta − ⟨dF, dq⟩/(‖dq‖² + epsilon), 0)`)
//! or `psi = eta q`; `(x, y) ← P((x, y) − step (dF + λ dq))`, with separate steps for `x` and `y`. Domains apply to `ŷ` as well.
//! Stops when the projected length of `dF + λ dq` is at most `tolerance`. Costs `lower_steps` lower gradients,
//! one of them in full, one in `x` alone and one upper gradient, no second derivatives; memory of a few vectors.
//!
//! Not guaranteed: finite `lower_steps` leaves a bias that decays geometrically in it; `epsilon` leaves one of order
//! `epsilon^(1/3)`. The multiplier grows without bound near `q = 0`.
//!
//! Source: M. Ye, B. Liu, S. Wright, P. Stone, Q. Liu, "BOME! Bilevel optimization made easy: a simple first-order approach",
//! NeurIPS 2022, arXiv 2209.08709, algorithm 1.

use super::options::{LOWER_COPY, POSITIVE, RUN, UPPER};
use super::run::{Evaluation, Method, Point, Run};
use super::step::{LowerSteps, Step};
use super::step_size::StepSize;
use super::{Levels, Solver, gap_needs};
use crate::derivatives::Derivatives;
use crate::linear::blas1::{axpy, dot};
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::status::Termination;

const OWN: &[OptionSpec] = &[
    OptionSpec {
        name: "y_step",
        kind: Kind::PositiveOr("auto"),
        default: Preset::Word("auto"),
        doc: "Outer step size of the lower variables; `auto` is the lower step, at most `upper_step`, over max(1, λ).",
    },
    OptionSpec { name: "eta", kind: POSITIVE, default: Preset::Number(0.5), doc: "Strength of the barrier." },
    OptionSpec {
        name: "psi",
        kind: Kind::Choice(&["gradient", "gap"]),
        default: Preset::Word("gradient"),
        doc: "The decrease asked of the gap: eta times its squared gradient norm, or eta times the gap.",
    },
    OptionSpec {
        name: "epsilon",
        kind: Kind::Real { min: 0.0, max: f64::INFINITY, open: false },
        default: Preset::Number(1e-8),
        doc: "Added to the squared norm that is divided by.",
    },
];

/// The solver.
pub static BOME: Solver = Solver {
    name: "bome",
    summary: "first-order descent on the upper objective with a dynamic barrier on the lower value gap",
    source: "Ye et al. 2022, arXiv 2209.08709",
    groups: &[RUN, LOWER_COPY, OWN, UPPER],
    levels: Levels::Two,
    handles: &[],
    needs: gap_needs,
    build,
};

struct Bome {
    lower: LowerSteps,
    upper_step: Step,
    lower_step: Step,
    /// The most that an automatic `y_step` may be.
    automatic: Option<f64>,
    eta: f64,
    by_gap: bool,
    epsilon: f64,
    copy: Vec<f64>,
    /// Gradients of the gap.
    gap: Point,
    /// `∇x f` at the copy.
    at_copy: Vec<f64>,
    /// Gradients of `F`, then the direction.
    direction: Point,
    scratch: Point,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let size = StepSize::lower(problem, settings, start, 1.0, 0.0);
    let upper = settings.number("upper_step").unwrap_or(f64::INFINITY);
    let y_step = settings.number("y_step");
    Box::new(Bome {
        lower_step: Step::outer(settings, &problem.lower, y_step.unwrap_or_else(|| upper.min(size.get()))),
        automatic: y_step.is_none().then_some(upper),
        lower: LowerSteps::new(settings, &problem.lower, size),
        upper_step: Step::upper(settings, &problem.upper),
        eta: settings.real("eta"),
        by_gap: settings.word("psi") == "gap",
        epsilon: settings.real("epsilon"),
        copy: start.y.clone(),
        gap: start.clone(),
        at_copy: start.x.clone(),
        direction: start.clone(),
        scratch: start.clone(),
    })
}

impl Bome {
    /// The multiplier of the dynamic barrier.
    fn multiplier(&self, gap: f64) -> f64 {
        let size = dot(&self.gap.x, &self.gap.x) + dot(&self.gap.y, &self.gap.y);
        let agreement = dot(&self.direction.x, &self.gap.x) + dot(&self.direction.y, &self.gap.y);
        let denominator = size + self.epsilon;
        if denominator == 0.0 {
            return 0.0;
        }
        let barrier = if self.by_gap { self.eta * gap / denominator } else { self.eta };
        (barrier - agreement / denominator).max(0.0)
    }
}

impl Method for Bome {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        let Point { x, y } = point;
        let lower = problem.lower_gradients(x, y, &mut self.gap.x, &mut self.gap.y);
        self.copy.copy_from_slice(y);
        if !self.lower.run(problem, x, &mut self.copy, Some((lower, &self.gap.y)), |p| run.poll(p)) {
            return Evaluation::NONE;
        }
        let at_copy = &mut self.at_copy;
        let value = if self.by_gap {
            problem.lower_gradient_x(x, &self.copy, at_copy)
        } else {
            problem.lower_gradient_x_only(x, &self.copy, at_copy)
        };
        axpy(-1.0, at_copy, &mut self.gap.x);
        let upper = problem.upper_gradients(x, y, &mut self.direction.x, &mut self.direction.y);
        let lambda = self.multiplier(lower - value);
        if let Some(most) = self.automatic {
            // λ times the step beyond 1/L undoes what the barrier asks for.
            self.lower_step.size = most.min(self.lower.size()) / lambda.max(1.0);
        }
        axpy(lambda, &self.gap.x, &mut self.direction.x);
        axpy(lambda, &self.gap.y, &mut self.direction.y);
        let of_x = problem.upper.stationarity(x, &self.direction.x, &mut self.scratch.x);
        let of_y = problem.lower.stationarity(y, &self.direction.y, &mut self.scratch.y);
        Evaluation { upper, lower, measure: (of_x * of_x + of_y * of_y).sqrt() }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        self.upper_step.apply(&problem.upper, k, &self.direction.x, &mut point.x);
        self.lower_step.apply(&problem.lower, k, &self.direction.y, &mut point.y);
        None
    }
}
