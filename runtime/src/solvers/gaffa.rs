//! `gaffa`: one first-order loop on a doubly regularised gap function of the follower's Lagrangian (BiC-GAFFA).
//!
//! Assumes a follower `min f(x, y)` subject to `c(x, y) <= 0` or `= 0` that is convex in `y`, with bounded multipliers. With `θ` an
//! approximate proximal answer, multipliers `l` and `l0 = P(l + gamma2 c(x, y))` (`P` onto the nonnegative for inequalities), in this
//! order, with `c_k = min(c (k + 1)^p, 10)`:
//! `θ ← P(θ − eta (∇y f(x, θ) + Jy c(x, θ)'l + (θ − y)/gamma1))`,
//! `x⁺ = P(x − alpha (∇x F/c_k + ∇x f(x, y) + Jx c(x, y)'l0 − ∇x f(x, θ) − Jx c(x, θ)'l))`,
//! `y⁺ = P(y − beta (∇y F/c_k + ∇y f(x, y) + Jy c(x, y)'l0 − (y − θ)/gamma1))`,
//! `l⁺ = clip(l + s ((l − l0)/gamma2 + c(x, θ)), −R, R)`, from 0 on for inequalities.
//! `alpha` is `upper_step`, automatically at most `eta`, which is `lower_step`; `beta` is `alpha` as published, or half of `eta` where `alpha` is
//! automatic: the whole of it leads outwards where a row is steep in `x`; `s` is `dual_step`, `R` is `bound`. Stops when the moves divided by their step sizes are at most `tolerance`. Costs four
//! evaluations of `f` and `c` with gradients and one of `F`; memory of a few vectors.
//!
//! Not guaranteed: with `c_k` bounded the limit is biased by order `1/c_k`; too small a `bound` cuts the multipliers off.
//!
//! Source: W. Yao, H. Yin, S. Zeng, J. Zhang, "Overcoming lower-level constraints in bilevel optimization: a novel approach with
//! regularized gap functions", ICLR 2025, arXiv 2406.01992, algorithm 1.

use super::options::{RUN, UPPER};
use super::rows::{
    Copy, LOWER, into_cone, lower_step, needs, proximal, proximal_direction, rows, with_follower,
};
use super::run::{Evaluation, Method, Point, Run};
use super::step::Step;
use super::{Levels, Solver};
use crate::derivatives::Derivatives;
use crate::linear::blas1::{axpy, squared_distance};
use crate::problem::{Feature, Problem};
use crate::schedule::Schedule;
use crate::settings::{OptionSpec, Preset, Settings};
use crate::state::State;
use crate::status::Termination;

/// The largest penalty.
const MOST: f64 = 10.0;

const OWN: &[OptionSpec] = &proximal(1.0);

/// The solver.
pub static GAFFA: Solver = Solver {
    name: "gaffa",
    summary: "one first-order loop for followers with constraints, on a regularised gap of their Lagrangian",
    source: "Yao et al. 2025, arXiv 2406.01992",
    groups: &[RUN, LOWER, OWN, UPPER],
    paper: &[
        ("lower_step", Preset::Number(0.01)),
        ("dual_step", Preset::Number(0.001)),
        ("upper_step", Preset::Number(0.001)),
        ("gamma1", Preset::Number(10.0)),
        ("gamma2", Preset::Number(1.0)),
        ("c", Preset::Number(1.0)),
        ("p", Preset::Number(0.3)),
        ("bound", Preset::Number(1.0)),
    ],
    levels: Levels::Rows,
    handles: &[Feature::LowerConstraints],
    needs,
    build,
};

struct Gaffa {
    gamma: (f64, f64),
    c: f64,
    growth: Schedule,
    bound: f64,
    size: f64,
    dual: f64,
    upper: Step,
    /// Whether the size of the upper step is found.
    automatic: bool,
    at_y: Copy,
    at_theta: Copy,
    multipliers: Vec<f64>,
    leading: Vec<f64>,
    direction: Point,
    before: Vec<f64>,
    moved: f64,
    theta_moved: f64,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let gamma = (settings.real("gamma1"), settings.real("gamma2"));
    let size = lower_step(problem, settings, start, gamma.1, 1.0 / gamma.0);
    let rows = rows(problem);
    Box::new(Gaffa {
        gamma,
        c: settings.real("c"),
        growth: Schedule::Power(settings.real("p")),
        bound: settings.real("bound"),
        size,
        dual: settings.number("dual_step").unwrap_or(size),
        // All parts of a saddle point move at one pace, or the fastest runs away.
        upper: Step::upper(settings, &problem.upper).at_most(size),
        automatic: settings.number("upper_step").is_none(),
        at_y: Copy::new(start, rows),
        at_theta: Copy::new(start, rows),
        multipliers: vec![0.0; rows],
        leading: vec![0.0; rows],
        direction: start.clone(),
        before: start.x.clone(),
        moved: f64::INFINITY,
        theta_moved: f64::INFINITY,
    })
}

impl Method for Gaffa {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, _: &mut Run<'_>) -> Evaluation {
        let Self { gamma, size, at_y, at_theta, multipliers, leading, theta_moved, .. } = self;
        at_y.y.copy_from_slice(&point.y);
        let found = with_follower(problem, |problem, follower| {
            let nlp = &mut follower.nlp;
            *theta_moved = at_theta.approach(problem, nlp, (&point.x, &point.y), multipliers, gamma.0, *size);
            at_theta.differentiate(problem, nlp, &point.x, multipliers);
            at_y.look(problem, nlp, &point.x);
            leading.copy_from_slice(multipliers);
            axpy(gamma.1, &at_y.rows, leading);
            into_cone(leading, &nlp.equal);
            at_y.differentiate(problem, nlp, &point.x, leading);
        });
        if found.is_none() {
            return Evaluation::NONE;
        }
        let upper = problem.upper_gradients(&point.x, &point.y, &mut self.direction.x, &mut self.direction.y);
        Evaluation { upper, lower: self.at_y.value, measure: self.moved.hypot(self.theta_moved) }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        let penalty = (self.c / self.growth.factor(k, 0)).min(MOST);
        let Self {
            gamma,
            bound,
            size,
            dual,
            upper,
            automatic,
            at_y,
            at_theta,
            multipliers,
            leading,
            direction,
            before,
            ..
        } = self;
        proximal_direction(direction, 1.0 / penalty, (at_y, at_theta), &point.y, gamma.0);
        before.copy_from_slice(&point.x);
        upper.apply(&problem.upper, k, &direction.x, &mut point.x);
        let of_x = upper.pace(squared_distance(&point.x, before).sqrt());
        let beta = if *automatic { 0.5 * *size } else { upper.length(k) };
        let of_l = with_follower(problem, |_, follower| {
            at_y.step(&follower.nlp, beta, &direction.y);
            let mut moved = 0.0;
            let limits =
                multipliers.iter_mut().zip(leading.iter()).zip(&at_theta.rows).zip(&follower.nlp.equal);
            for (((l, leading), row), equal) in limits {
                let low = if *equal { -*bound } else { 0.0 };
                let new = (*l + *dual * ((*l - leading) / gamma.1 + row)).clamp(low, *bound);
                moved += (new - *l) * (new - *l);
                *l = new;
            }
            moved.sqrt() / *dual
        });
        let of_y = squared_distance(&at_y.y, &point.y).sqrt() / beta;
        point.y.copy_from_slice(&at_y.y);
        self.moved = of_x.hypot(of_y).hypot(of_l.unwrap_or(f64::INFINITY));
        None
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.upper.state(state);
        self.at_theta.state(state);
        state.numbers(&mut self.multipliers);
        state.number(&mut self.moved);
        true
    }
}
