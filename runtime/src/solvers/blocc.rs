//! `blocc`: two saddle points per iteration, of the follower alone and of the follower with the leader's objective added.
//!
//! Assumes a follower `min f(x, y)` subject to `c(x, y) <= 0` or `= 0` that is strongly convex in `y` with a constraint qualification.
//! Per iteration, with `(z, l)` a saddle point of `f + l · c` and `(y, u)` one of `F/gamma + f + u · c`, both found by at most
//! `lower_steps` primal and dual steps from the last ones, to `lower_tolerance`:
//! `x ← P(x − alpha (∇x F(x, y) + gamma (∇x f(x, y) + Jx c(x, y)'u − ∇x f(x, z) − Jx c(x, z)'l)))`.
//! A primal step is a projected gradient step of size `lower_step` on the augmented Lagrangian with `½ rho ‖c‖²` (for inequalities
//! of the positive part of `c + l/rho`), a dual step of size `rho`. `alpha` is `upper_step`. Stops when `‖x − P(x − g)‖ <= tolerance`.
//! Costs two evaluations of `f` and `c` per inner step of each kind, and one of `F` for the second; memory of a few vectors.
//!
//! Not guaranteed: with finite `gamma` the limit is biased by order `1/gamma`; many inner steps are needed.
//!
//! Source: L. Jiang, Q. Xiao, V. Tenorio, F. Real-Rojas, A. Marques, T. Chen, "A primal-dual-assisted penalty approach to bilevel
//! optimization with coupled constraints", NeurIPS 2024, arXiv 2406.10148, algorithm 1.

use super::options::{POSITIVE, RUN, UPPER, lower_steps};
use super::rows::{Copy, LOWER_SIZE, into_cone, lower_step, needs, rows, with_follower};
use super::run::{Evaluation, Method, Point, Run};
use super::step::Step;
use super::{Levels, Solver};
use crate::constrained::Follower;
use crate::derivatives::Derivatives;
use crate::linear::blas1::{axpy, scale, squared_distance};
use crate::problem::{Feature, Problem};
use crate::settings::{OptionSpec, Preset, Settings};
use crate::state::State;
use crate::status::Termination;

const OWN: &[OptionSpec] = &[
    lower_steps(200.0),
    LOWER_SIZE,
    OptionSpec {
        name: "lower_tolerance",
        kind: POSITIVE,
        default: Preset::Number(1e-6),
        doc: "Residual at which the inner steps end.",
    },
    OptionSpec {
        name: "gamma",
        kind: POSITIVE,
        default: Preset::Number(10.0),
        doc: "Weight of the lower level against the upper objective.",
    },
    OptionSpec {
        name: "rho",
        kind: POSITIVE,
        default: Preset::Number(1.0),
        doc: "Weight of the squared residuals, and the dual step.",
    },
];

/// The solver.
pub static BLOCC: Solver = Solver {
    name: "blocc",
    summary: "a penalty method for followers with constraints that solves two saddle points per iteration",
    source: "Jiang et al. 2024, arXiv 2406.10148",
    groups: &[RUN, OWN, UPPER],
    paper: &[
        ("lower_step", Preset::Number(0.1)),
        ("lower_tolerance", Preset::Number(1e-4)),
        ("upper_step", Preset::Number(0.01)),
        ("gamma", Preset::Number(5.0)),
    ],
    levels: Levels::Rows,
    handles: &[Feature::LowerConstraints],
    needs,
    build,
};

/// A copy with its multipliers.
struct Side {
    copy: Copy,
    multipliers: Vec<f64>,
    weights: Vec<f64>,
}

struct Blocc {
    gamma: f64,
    rho: f64,
    size: f64,
    steps: usize,
    tolerance: f64,
    upper: Step,
    at_y: Side,
    at_z: Side,
    /// `∇F`, then the direction of `x`.
    direction: Point,
    before: Vec<f64>,
    scratch: Vec<f64>,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let rho = settings.real("rho");
    let rows = rows(problem);
    let side =
        || Side { copy: Copy::new(start, rows), multipliers: vec![0.0; rows], weights: vec![0.0; rows] };
    Box::new(Blocc {
        gamma: settings.real("gamma"),
        rho,
        size: lower_step(problem, settings, start, rho, 0.0),
        steps: settings.count("lower_steps"),
        tolerance: settings.real("lower_tolerance"),
        upper: Step::upper(settings, &problem.upper),
        at_y: side(),
        at_z: side(),
        direction: start.clone(),
        before: start.y.clone(),
        scratch: start.x.clone(),
    })
}

impl Side {
    /// The gradients of the augmented Lagrangian at the copy; the weights are what a dual step makes of the multipliers.
    fn differentiate(&mut self, problem: &mut Problem, follower: &mut Follower, x: &[f64], rho: f64) {
        self.copy.look(problem, &mut follower.nlp, x);
        self.weights.copy_from_slice(&self.multipliers);
        axpy(rho, &self.copy.rows, &mut self.weights);
        into_cone(&mut self.weights, &follower.nlp.equal);
        self.copy.differentiate(problem, &mut follower.nlp, x, &self.weights);
    }

    /// Moves `y` along `-d`, or against its gradient, and the multipliers to the weights; the length of both moves, over their sizes.
    fn step(
        &mut self,
        follower: &Follower,
        size: f64,
        rho: f64,
        d: Option<&[f64]>,
        before: &mut [f64],
    ) -> f64 {
        before.copy_from_slice(&self.copy.y);
        match d {
            Some(d) => self.copy.step(&follower.nlp, size, d),
            None => self.copy.descend(&follower.nlp, size),
        }
        let of_y = squared_distance(&self.copy.y, before).sqrt() / size;
        let of_u = squared_distance(&self.weights, &self.multipliers).sqrt() / rho;
        self.multipliers.copy_from_slice(&self.weights);
        of_y.hypot(of_u)
    }
}

impl Blocc {
    /// The saddle point of the follower alone; false when the run was asked to stop.
    fn solve_follower(&mut self, problem: &mut Problem, x: &[f64], run: &mut Run<'_>) -> bool {
        let Self { at_z, before, rho, size, .. } = self;
        for _ in 0..self.steps {
            if run.poll(problem) {
                return false;
            }
            let moved = with_follower(problem, |problem, follower| {
                at_z.differentiate(problem, follower, x, *rho);
                at_z.step(follower, *size, *rho, None, before)
            });
            if moved.is_none_or(|moved| moved <= self.tolerance) {
                break;
            }
        }
        true
    }

    /// The saddle point with `F/gamma` added; false when the run was asked to stop.
    fn solve_both(&mut self, problem: &mut Problem, x: &[f64], run: &mut Run<'_>) -> bool {
        let Self { at_y, before, rho, size, direction, gamma, .. } = self;
        for _ in 0..self.steps {
            if run.poll(problem) {
                return false;
            }
            problem.upper_gradients(x, &at_y.copy.y, &mut direction.x, &mut direction.y);
            let moved = with_follower(problem, |problem, follower| {
                at_y.differentiate(problem, follower, x, *rho);
                scale(1.0 / *gamma, &mut direction.y);
                axpy(1.0, &at_y.copy.by_y, &mut direction.y);
                at_y.step(follower, *size, *rho, Some(&direction.y), before)
            });
            if moved.is_none_or(|moved| moved <= self.tolerance) {
                break;
            }
        }
        true
    }
}

impl Method for Blocc {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        if !self.solve_follower(problem, &point.x, run) || !self.solve_both(problem, &point.x, run) {
            return Evaluation::NONE;
        }
        point.y.copy_from_slice(&self.at_y.copy.y);
        let Self { at_y, at_z, direction, .. } = self;
        let found = with_follower(problem, |problem, follower| {
            for side in [&mut *at_y, &mut *at_z] {
                side.copy.look(problem, &mut follower.nlp, &point.x);
                side.copy.differentiate(problem, &mut follower.nlp, &point.x, &side.multipliers);
            }
        });
        if found.is_none() {
            return Evaluation::NONE;
        }
        let upper = problem.upper_gradients(&point.x, &point.y, &mut direction.x, &mut direction.y);
        axpy(self.gamma, &at_y.copy.by_x, &mut direction.x);
        axpy(-self.gamma, &at_z.copy.by_x, &mut direction.x);
        let measure = problem.upper.stationarity(&point.x, &direction.x, &mut self.scratch);
        Evaluation { upper, lower: at_y.copy.value, measure }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        self.upper.apply(&problem.upper, k, &self.direction.x, &mut point.x);
        None
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.upper.state(state);
        for side in [&mut self.at_y, &mut self.at_z] {
            side.copy.state(state);
            state.numbers(&mut side.multipliers);
        }
        true
    }
}
