//! `bamm`: a single loop over the averaged objective `p = mu F + (1 − mu) f` with an auxiliary vector (sl-BAMM).
//!
//! Assumes a lower level that is convex in `y`, not necessarily with one minimiser, an `F` that is strongly convex in `y`, both
//! twice differentiable. Per iteration `k`, with `mu = mu0 / (k + 1)^(1/p)`, all from the old values:
//! `y ← P(y − beta ∇y p)`, `v ← v − eta (∇²yy p · v − ∇y F)` with `eta` the exact minimiser of the residual's norm along it, and
//! `x ← P(x − alpha (∇x F − ∇²xy p · v))` with `alpha = upper_step · mu³ (k + 1)^(−1.5 tau)`. `beta` is `lower_step`. Stops when
//! `‖(Δy/beta, r, Δx/alpha)‖` is at most `tolerance`, `r` the residual of `v`. Costs two fused second-order products of each
//! objective and a gradient of each; memory of a few vectors.
//!
//! Not guaranteed: `mu` must fall slowly enough to select among lower solutions: the limit for constant `mu` is biased by its order.
//!
//! Source: R. Liu, Y. Liu, W. Yao, S. Zeng, J. Zhang, "Averaged method of multipliers for bi-level optimization without lower-
//! level strong convexity", ICML 2023, arXiv 2302.03407 (strategy 3; the line search as in the authors' "CG" mode).

use super::options::{LOWER_STEP, RUN, UPPER};
use super::run::{Evaluation, Method, Point, Run};
use super::step::Step;
use super::step_size::StepSize;
use super::{Levels, Solver, step_needs};
use crate::derivatives::{Derivatives, Quantity};
use crate::linear::blas1::{axpy, distance, dot, norm2, scale};
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::state::State;
use crate::status::Termination;

const OWN: &[OptionSpec] = &[
    LOWER_STEP,
    OptionSpec {
        name: "mu",
        kind: Kind::Real { min: 0.0, max: 1.0, open: true },
        default: Preset::Number(0.9),
        doc: "Share of F in the averaged objective at the first iteration.",
    },
    OptionSpec {
        name: "p",
        kind: Kind::Real { min: 1.0, max: f64::INFINITY, open: false },
        default: Preset::Number(10.0),
        doc: "The share falls like (k+1)^(-1/p); `inf` keeps it.",
    },
    OptionSpec {
        name: "tau",
        kind: Kind::Real { min: 0.0, max: 1.0, open: false },
        default: Preset::Number(0.025),
        doc: "The upper step falls like mu^3 (k+1)^(-1.5 tau).",
    },
];

/// The solver.
pub static BAMM: Solver = Solver {
    name: "bamm",
    summary: "single-loop second-order method on the average of both objectives, for lower levels with many solutions",
    source: "Liu et al. 2023, arXiv 2302.03407",
    groups: &[RUN, OWN, UPPER],
    paper: &[
        ("steps", Preset::Number(10000.0)),
        ("lower_step", Preset::Number(0.1)),
        ("upper_step", Preset::Number(0.1)),
        ("mu", Preset::Number(0.9)),
        ("p", Preset::Number(10.0)),
        ("tau", Preset::Number(0.025)),
    ],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| {
        let mut needs = vec![
            Quantity::LowerGradient,
            Quantity::LowerSecondOrder,
            Quantity::UpperGradients,
            Quantity::UpperSecondOrder,
        ];
        needs.extend(step_needs(settings));
        needs
    },
    build,
};

struct Bamm {
    size: StepSize,
    mu: f64,
    p: f64,
    tau: f64,
    step: Step,
    k: usize,
    v: Vec<f64>,
    /// Residual of `v`.
    residual: Vec<f64>,
    /// `∇p` in `y`, and the direction of `x`.
    direction: Point,
    of_upper: Point,
    product: Point,
    work: Point,
    before: Point,
    moved: f64,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    Box::new(Bamm {
        size: StepSize::lower(problem, settings, start, 0.5, 0.0),
        mu: settings.real("mu"),
        p: settings.real("p"),
        tau: settings.real("tau"),
        step: Step::upper(settings, &problem.upper),
        k: 0,
        v: vec![0.0; start.y.len()],
        residual: vec![0.0; start.y.len()],
        direction: start.clone(),
        of_upper: start.clone(),
        product: start.clone(),
        work: start.clone(),
        before: start.clone(),
        moved: f64::INFINITY,
    })
}

impl Bamm {
    fn share(&self) -> f64 {
        self.mu * ((self.k + 1) as f64).powf(-1.0 / self.p)
    }

    /// In `product` both second-order products of `p` along `along`.
    fn averaged(&mut self, problem: &mut Problem, point: &Point, along: &[f64]) {
        let (mu, Point { x, y }) = (self.share(), point);
        let Point { x: product_x, y: product_y } = &mut self.product;
        problem.lower_second_order(x, y, along, product_y, product_x);
        scale(1.0 - mu, product_y);
        scale(1.0 - mu, product_x);
        problem.upper_second_order(x, y, along, &mut self.work.y, &mut self.work.x);
        axpy(mu, &self.work.y, product_y);
        axpy(mu, &self.work.x, product_x);
    }
}

impl Method for Bamm {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, _: &mut Run<'_>) -> Evaluation {
        self.size.follow(problem, &point.x, &point.y);
        let upper = problem.upper_gradients(&point.x, &point.y, &mut self.of_upper.x, &mut self.of_upper.y);
        let v = std::mem::take(&mut self.v);
        self.averaged(problem, point, &v);
        self.v = v;
        self.residual.copy_from_slice(&self.product.y);
        axpy(-1.0, &self.of_upper.y, &mut self.residual);
        self.direction.x.copy_from_slice(&self.of_upper.x);
        axpy(-1.0, &self.product.x, &mut self.direction.x);
        let lower = problem.lower_gradient(&point.x, &point.y, &mut self.direction.y);
        scale(1.0 - self.share(), &mut self.direction.y);
        axpy(self.share(), &self.of_upper.y, &mut self.direction.y);
        Evaluation { upper, lower, measure: self.moved.hypot(norm2(&self.residual)) }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        // The step on v needs the product along its residual, at the old point.
        let residual = std::mem::take(&mut self.residual);
        self.averaged(problem, point, &residual);
        let curvature = dot(&residual, &self.product.y);
        let eta = if curvature > 0.0 { dot(&residual, &residual) / curvature } else { 0.0 };
        axpy(-eta, &residual, &mut self.v);
        self.residual = residual;

        self.before.x.copy_from_slice(&point.x);
        self.before.y.copy_from_slice(&point.y);
        axpy(-self.size.get(), &self.direction.y, &mut point.y);
        problem.lower.project(&mut point.y);
        let mu = self.share();
        self.step.share = mu.powi(3) * ((k + 1) as f64).powf(-1.5 * self.tau);
        self.step.apply(&problem.upper, k, &self.direction.x, &mut point.x);
        self.moved = self
            .step
            .pace(distance(&point.x, &self.before.x))
            .hypot(distance(&point.y, &self.before.y) / self.size.get());
        self.k = k + 1;
        None
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.size.state(state);
        self.step.state(state);
        state.count(&mut self.k);
        state.numbers(&mut self.v);
        state.number(&mut self.moved);
        true
    }
}
