//! `sflcb`: one loop of gradient descent and ascent on an augmented Lagrangian of two copies of the lower level.
//!
//! Assumes a follower `min f(x, y)` subject to `c(x, y) <= 0` or `= 0` that is convex in `y` with a constraint qualification; smooth
//! objectives and constraints. With `delta` the weight of `F`, a second copy `z` of the lower variables, slacks `a, b <= 0`
//! (0 for equalities), residuals `h_a = c(x, y) − a` and `h_b = c(x, z) − b`, per iteration, all from old values but `u` and `v`:
//! `u ← u + s h_a`, `v ← v + s h_b`,
//! `x ← P(x − r (delta ∇x F + ∇x f(x, y) − ∇x f(x, z) + Jx c(x, y)'(u + rho h_a) − Jx c(x, z)'(v + rho h_b)))`,
//! `y ← P(y − e (delta ∇y F + ∇y f(x, y) + Jy c(x, y)'(u + rho h_a)))`, `z ← P(z − e (∇y f(x, z) + Jy c(x, z)'(v + rho h_b)))`,
//! `a ← min(a + s (u + rho h_a), 0)`, `b ← min(b + s (v + rho h_b), 0)`.
//! `r` is `upper_step`, automatically at most `e`, `e` is `lower_step`, `s` `dual_step`. Stops when the moves divided by their step sizes and both residuals are at
//! most `tolerance`. Costs four evaluations of `f` and `c` with gradients and one of `F`; memory of a few vectors.
//!
//! Not guaranteed: with `delta > 0` the limit is biased by order `delta`; the steps of a saddle point have no line search.
//!
//! Source: W. Shen, J. Zhang, M. Huang, C. Shen, "A single-loop first-order algorithm for linearly constrained bilevel optimization",
//! NeurIPS 2025, arXiv 2510.24710.

use super::options::{POSITIVE, RUN, UPPER};
use super::rows::{Copy, LOWER, lower_step, needs, rows, with_follower};
use super::run::{Evaluation, Method, Point, Run};
use super::step::Step;
use super::{Levels, Solver};
use crate::derivatives::Derivatives;
use crate::linear::blas1::{axpy, norm2, scale, squared_distance};
use crate::problem::{Feature, Problem};
use crate::settings::{OptionSpec, Preset, Settings};
use crate::state::State;
use crate::status::Termination;

const OWN: &[OptionSpec] = &[
    OptionSpec {
        name: "delta",
        kind: POSITIVE,
        default: Preset::Number(0.1),
        doc: "Weight of the upper objective against the lower level.",
    },
    OptionSpec {
        name: "rho",
        kind: POSITIVE,
        default: Preset::Number(1.0),
        doc: "Weight of the squared residuals.",
    },
];

/// The solver.
pub static SFLCB: Solver = Solver {
    name: "sflcb",
    summary: "one first-order loop for followers with constraints: descent and ascent on two augmented Lagrangians",
    source: "Shen et al. 2025, arXiv 2510.24710",
    groups: &[RUN, LOWER, OWN, UPPER],
    paper: &[
        ("steps", Preset::Number(10000.0)),
        ("lower_step", Preset::Number(0.01)),
        ("dual_step", Preset::Number(0.01)),
        ("upper_step", Preset::Number(0.01)),
        ("delta", Preset::Number(0.1)),
        ("rho", Preset::Number(1.0)),
    ],
    levels: Levels::Rows,
    handles: &[Feature::LowerConstraints],
    needs,
    build,
};

/// A copy with its multipliers and slacks.
struct Side {
    copy: Copy,
    multipliers: Vec<f64>,
    slacks: Vec<f64>,
    /// `c − slack`.
    residual: Vec<f64>,
    /// `multiplier + rho · residual`.
    weights: Vec<f64>,
}

impl Side {
    fn new(start: &Point, rows: usize) -> Self {
        let none = vec![0.0; rows];
        Side {
            copy: Copy::new(start, rows),
            multipliers: none.clone(),
            slacks: none.clone(),
            residual: none.clone(),
            weights: none,
        }
    }
}

struct Sflcb {
    delta: f64,
    rho: f64,
    size: f64,
    dual: f64,
    upper: Step,
    /// At `y`, and at `z`.
    sides: [Side; 2],
    direction: Point,
    before: Point,
    begun: bool,
    moved: f64,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let rho = settings.real("rho");
    let size = lower_step(problem, settings, start, rho, 0.0);
    let rows = rows(problem);
    Box::new(Sflcb {
        delta: settings.real("delta"),
        rho,
        size,
        dual: settings.number("dual_step").unwrap_or(size),
        // All parts of a saddle point move at one pace, or the fastest runs away.
        upper: Step::upper(settings, &problem.upper).at_most(size),
        sides: [Side::new(start, rows), Side::new(start, rows)],
        direction: start.clone(),
        before: start.clone(),
        begun: false,
        moved: f64::INFINITY,
    })
}

impl Method for Sflcb {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, _: &mut Run<'_>) -> Evaluation {
        let Self { sides, rho, dual, begun, direction, delta, .. } = self;
        sides[0].copy.y.copy_from_slice(&point.y);
        let value = with_follower(problem, |problem, follower| {
            let nlp = &mut follower.nlp;
            for side in sides.iter_mut() {
                side.copy.look(problem, nlp, &point.x);
                if !*begun {
                    side.slacks.copy_from_slice(&side.copy.rows);
                    side.slacks
                        .iter_mut()
                        .zip(&nlp.equal)
                        .filter(|(_, equal)| **equal)
                        .for_each(|(a, _)| *a = 0.0);
                }
                for (h, (c, a)) in side.residual.iter_mut().zip(side.copy.rows.iter().zip(&side.slacks)) {
                    *h = c - a;
                }
                axpy(*dual, &side.residual, &mut side.multipliers);
                side.weights.copy_from_slice(&side.multipliers);
                axpy(*rho, &side.residual, &mut side.weights);
                side.copy.differentiate(problem, nlp, &point.x, &side.weights);
            }
        });
        *begun = true;
        if value.is_none() {
            return Evaluation::NONE;
        }
        let upper = problem.upper_gradients(&point.x, &point.y, &mut direction.x, &mut direction.y);
        let [at_y, at_z] = &self.sides;
        scale(*delta, &mut direction.x);
        axpy(1.0, &at_y.copy.by_x, &mut direction.x);
        axpy(-1.0, &at_z.copy.by_x, &mut direction.x);
        scale(*delta, &mut direction.y);
        axpy(1.0, &at_y.copy.by_y, &mut direction.y);
        let off = norm2(&at_y.residual).hypot(norm2(&at_z.residual));
        Evaluation { upper, lower: at_y.copy.value, measure: self.moved.hypot(off) }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        self.before.x.copy_from_slice(&point.x);
        self.before.y.copy_from_slice(&self.sides[1].copy.y);
        self.upper.apply(&problem.upper, k, &self.direction.x, &mut point.x);
        let of_x = self.upper.pace(squared_distance(&point.x, &self.before.x).sqrt());
        let Self { sides: [at_y, at_z], size, dual, direction, before, .. } = self;
        let moved = with_follower(problem, |_, follower| {
            let nlp = &follower.nlp;
            at_y.copy.step(nlp, *size, &direction.y);
            at_z.copy.descend(nlp, *size);
            for side in [&mut *at_y, &mut *at_z] {
                for ((a, w), equal) in side.slacks.iter_mut().zip(&side.weights).zip(&nlp.equal) {
                    *a = if *equal { 0.0 } else { (*a + *dual * w).min(0.0) };
                }
            }
            let of_z = squared_distance(&at_z.copy.y, &before.y);
            (squared_distance(&at_y.copy.y, &point.y) + of_z).sqrt() / *size
        });
        point.y.copy_from_slice(&at_y.copy.y);
        self.moved = of_x.hypot(moved.unwrap_or(f64::INFINITY));
        None
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.upper.state(state);
        for side in &mut self.sides {
            side.copy.state(state);
            state.numbers(&mut side.multipliers);
            state.numbers(&mut side.slacks);
        }
        state.flag(&mut self.begun);
        state.number(&mut self.moved);
        true
    }
}
