//! `cg`: implicit differentiation with conjugate gradients (AID-CG).
//!
//! Assumes that `f(x, ·)` has one minimiser with a positive definite Hessian `H`. Per iteration: `lower_steps` steps on `f`
//! from the last `y` (with `warm`); at most `cg_steps` steps of conjugate gradients on `H v = ∇y F`, from the last `v` (with
//! `warm_adjoint`), to the relative residual `cg_tolerance`; `g = ∇x F − ∇²xy f · v`; then a step on `x`. On active lower
//! domains the system is that of the face. Stops when `‖x − P(x − g)‖ ≤ tolerance`. Costs `lower_steps` gradients,
//! `cg_steps + 1` Hessian products and one fused product; memory of about 8 lower vectors.
//!
//! Not guaranteed: `g` is the hypergradient only at the exact lower solution and for a solved system. A direction of zero or
//! negative curvature stops the inner method and `v` is used as it is; the final check then reports that the hypergradient is
//! not defined.
//!
//! Sources: F. Pedregosa, "Hyperparameter optimization with approximate gradient", ICML 2016, arXiv 1602.02355; R. Grazzi,
//! L. Franceschi, M. Pontil, S. Salzo, "On the iteration complexity of hypergradient computation", ICML 2020, arXiv 2006.16218.

use super::options::{LOWER_IMPLICIT, RUN, UPPER};
use super::run::{Evaluation, Method, Point, Run};
use super::step::{LowerSteps, Step};
use super::step_size::StepSize;
use super::{Levels, Solver};
use crate::derivatives::{Derivatives, Quantity};
use crate::hypergradient::Implicit;
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::status::Termination;

const OWN: &[OptionSpec] = &[
    OptionSpec {
        name: "cg_steps",
        kind: Kind::Count(1),
        default: Preset::Number(20.0),
        doc: "Steps of conjugate gradients per outer iteration, at most.",
    },
    OptionSpec {
        name: "cg_tolerance",
        kind: Kind::Real { min: 0.0, max: 1.0, open: false },
        default: Preset::Number(1e-10),
        doc: "Relative residual at which conjugate gradients stop.",
    },
    OptionSpec {
        name: "warm_adjoint",
        kind: Kind::Flag,
        default: Preset::Bool(true),
        doc: "Start conjugate gradients from the last adjoint, not from zero.",
    },
];

/// The solver.
pub static CG: Solver = Solver {
    name: "cg",
    summary: "implicit differentiation: lower steps, then conjugate gradients on the adjoint system",
    source: "Pedregosa 2016, arXiv 1602.02355; Grazzi et al. 2020, arXiv 2006.16218",
    groups: &[RUN, LOWER_IMPLICIT, OWN, UPPER],
    levels: Levels::Two,
    handles: &[],
    needs: |_| {
        vec![
            Quantity::LowerValue,
            Quantity::LowerGradient,
            Quantity::LowerHessian,
            Quantity::LowerSecondOrder,
            Quantity::UpperGradients,
        ]
    },
    build,
};

struct Cg {
    lower: LowerSteps,
    implicit: Implicit,
    upper: Step,
    cold: Option<Vec<f64>>,
    cg_steps: usize,
    cg_tolerance: f64,
    warm_adjoint: bool,
    gradient: Vec<f64>,
    scratch: Vec<f64>,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let size = StepSize::lower(problem, settings, start, 1.0, 0.0);
    Box::new(Cg {
        lower: LowerSteps::new(settings, &problem.lower, size),
        implicit: Implicit::new(problem),
        upper: Step::outer(settings, &problem.upper, settings.real("upper_step")),
        cold: (!settings.flag("warm")).then(|| start.y.clone()),
        cg_steps: settings.count("cg_steps"),
        cg_tolerance: settings.real("cg_tolerance"),
        warm_adjoint: settings.flag("warm_adjoint"),
        gradient: vec![0.0; start.x.len()],
        scratch: vec![0.0; start.x.len()],
    })
}

impl Method for Cg {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        let Point { x, y } = point;
        if let Some(start) = &self.cold {
            y.copy_from_slice(start);
        }
        if !self.lower.run(problem, x, y, None, |p| run.poll(p)) {
            return Evaluation::NONE;
        }
        if !self.warm_adjoint {
            self.implicit.adjoint.fill(0.0);
        }
        let (steps, tolerance) = (self.cg_steps, self.cg_tolerance);
        let (upper, _) = self.implicit.evaluate(problem, x, y, steps, tolerance, &mut self.gradient);
        let lower = problem.lower_value(x, y);
        let measure = problem.upper.stationarity(x, &self.gradient, &mut self.scratch);
        Evaluation { upper, lower, measure }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        self.upper.apply(&problem.upper, k, &self.gradient, &mut point.x);
        None
    }
}
