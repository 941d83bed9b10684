//! `lvhba`: one first-order loop on the proximal Lagrangian of the follower, with a projection onto its constraints.
//!
//! Assumes a follower `min f(x, y)` subject to `c(x, y) <= 0` or `= 0` that is convex in `y`, with few constraints that are convex in
//! `(x, y)` together. With `θ` and `l` the sides of the proximal saddle point, `z` its multipliers of before, and `C` the points that
//! satisfy the constraints, in this order, with `c_k = c (k + 1)^p`:
//! `θ⁺ = P(θ − eta (∇y f(x, θ) + Jy c(x, θ)'l + (θ − y)/gamma1))`, `l⁺ = P(l + eta (c(x, θ) − (l − z)/gamma2))`,
//! `(x, y)⁺ = P_C(x − alpha (∇x F/c_k + ∇x f(x, y) − ∇x f(x, θ⁺) − Jx c(x, θ⁺)'l⁺), y − alpha (∇y F/c_k + ∇y f(x, y) − (y − θ⁺)/gamma1))`,
//! `z⁺ = clip(z + s (l⁺ − z)/gamma2, −R, R)`.
//! `alpha` is `upper_step`, automatically at most `eta`, which is `lower_step`; `s` is `dual_step`, `R` is `bound`. `x` and `y` have one step
//! size: where the projection holds against a step that it undoes, parts of different length would leave a drift along `C`. An automatic
//! size goes by what is left of the moves after it. The projection onto `C` is exact for linear constraints: their Jacobian is read
//! off row by row and the dual of the projection solved by coordinate ascent; for others it is that of the linearised constraints, twice.
//! Stops when the moves divided by their step sizes are at most `tolerance`. Costs three evaluations of `f` and `c` with gradients and
//! two per constraint, one of `F`, and memory of one vector per constraint: for many constraints take `sflcb`.
//!
//! Not guaranteed: with bounded `c_k` the limit is biased by order `1/c_k`; domains of `x` and `y` are projected onto after `C`, so that
//! both hold in the limit alone.
//!
//! Source: W. Yao, C. Yu, S. Zeng, J. Zhang, "Constrained bi-level optimization: proximal Lagrangian value function approach and
//! Hessian-free algorithm", ICLR 2024, arXiv 2401.16164, algorithm 1.

use super::adaptive::Adaptive;
use super::options::{RUN, UPPER};
use super::rows::{
    Copy, LOWER, into_cone, lower_step, needs, proximal, proximal_direction, rows, with_follower,
};
use super::run::{Evaluation, Method, Point, Run};
use super::step::Step;
use super::{Levels, Solver};
use crate::constrained::nlp::Nlp;
use crate::derivatives::Derivatives;
use crate::linear::blas1::{axpy, dot, squared_distance};
use crate::problem::{Feature, Problem};
use crate::schedule::Schedule;
use crate::settings::{OptionSpec, Preset, Settings};
use crate::state::State;
use crate::status::Termination;

/// Linearisations of the constraints per projection, and sweeps over their multipliers for each.
const LINEARISATIONS: usize = 2;
const SWEEPS: usize = 50;

const OWN: &[OptionSpec] = &proximal(10.0);

/// The solver.
pub static LVHBA: Solver = Solver {
    name: "lvhba",
    summary: "one first-order loop for followers with few constraints, on their proximal Lagrangian, with projections",
    source: "Yao et al. 2024, arXiv 2401.16164",
    groups: &[RUN, LOWER, OWN, UPPER],
    paper: &[
        ("steps", Preset::Number(1500.0)),
        ("lower_step", Preset::Number(0.01)),
        ("dual_step", Preset::Number(0.02)),
        ("upper_step", Preset::Number(0.008)),
        ("gamma1", Preset::Number(10.0)),
        ("gamma2", Preset::Number(10.0)),
        ("c", Preset::Number(0.025)),
        ("p", Preset::Number(0.3)),
    ],
    levels: Levels::Rows,
    handles: &[Feature::LowerConstraints],
    needs,
    build,
};

/// The projection onto the constraints.
struct Onto {
    /// The Jacobian by `x` and by `y`, one row per constraint.
    by_x: Vec<f64>,
    by_y: Vec<f64>,
    at: Copy,
    unit: Vec<f64>,
    multipliers: Vec<f64>,
}

/// Finds a size for steps on `x` and `y` together, where nobody chose one. What counts as a direction is the last move over its
/// size: the part that the projection undoes does not vanish at a solution, and would make the steps shorter for ever.
struct Together {
    adaptive: Adaptive,
    at: Vec<f64>,
    along: Vec<f64>,
    begun: bool,
    most: f64,
}

impl Together {
    fn size(&mut self, point: &Point, direction: &Point) -> f64 {
        join(&mut self.at, point);
        if !self.begun {
            join(&mut self.along, direction);
        }
        self.adaptive.size(&self.at, &self.along).min(self.most)
    }

    /// Takes note of a move that ended at `point`; it began where the last size was found.
    fn note(&mut self, point: &Point, size: f64) {
        self.begun = true;
        join(&mut self.along, point);
        for (along, at) in self.along.iter_mut().zip(&self.at) {
            *along = (at - *along) / size;
        }
    }

    fn state(&mut self, state: &mut dyn State) {
        self.adaptive.state(state);
        state.numbers(&mut self.along);
        state.flag(&mut self.begun);
    }
}

fn join(all: &mut [f64], parts: &Point) {
    let (x, y) = all.split_at_mut(parts.x.len());
    x.copy_from_slice(&parts.x);
    y.copy_from_slice(&parts.y);
}

struct Lvhba {
    gamma: (f64, f64),
    c: f64,
    growth: Schedule,
    bound: f64,
    size: f64,
    dual: f64,
    upper: Step,
    together: Option<Together>,
    at_y: Copy,
    at_theta: Copy,
    multipliers: Vec<f64>,
    before_multipliers: Vec<f64>,
    /// `z`.
    anchors: Vec<f64>,
    onto: Onto,
    direction: Point,
    before: Point,
    moved: f64,
    theta_moved: f64,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let gamma = (settings.real("gamma1"), settings.real("gamma2"));
    // The saddle of θ and l turns: steps beyond 2d/(d² + ‖J‖²), with d = 1/gamma, lead outwards.
    let size = lower_step(problem, settings, start, gamma.0.max(gamma.1), 1.0 / gamma.0);
    let rows = rows(problem);
    let none = vec![0.0; rows];
    let (given, all) = (settings.number("upper_step"), vec![0.0; start.x.len() + start.y.len()]);
    let onto = Onto {
        by_x: vec![0.0; rows * start.x.len()],
        by_y: vec![0.0; rows * start.y.len()],
        at: Copy::new(start, rows),
        unit: none.clone(),
        multipliers: none.clone(),
    };
    Box::new(Lvhba {
        gamma,
        c: settings.real("c"),
        growth: Schedule::Power(settings.real("p")),
        bound: settings.real("bound"),
        size,
        dual: settings.number("dual_step").unwrap_or(size),
        upper: Step::outer(settings, &problem.upper, given.unwrap_or(0.0)),
        together: given.is_none().then(|| Together {
            adaptive: Adaptive::new(all.len(), settings.caution()),
            at: all.clone(),
            along: all,
            begun: false,
            // All parts of a saddle point move at one pace, or the fastest runs away.
            most: size,
        }),
        at_y: Copy::new(start, rows),
        at_theta: Copy::new(start, rows),
        multipliers: none.clone(),
        before_multipliers: none.clone(),
        anchors: none,
        onto,
        direction: start.clone(),
        before: start.clone(),
        moved: f64::INFINITY,
        theta_moved: f64::INFINITY,
    })
}

impl Onto {
    /// Moves `(x, y)` to the nearest point where the constraints, linearised at it, hold.
    fn project(&mut self, problem: &mut Problem, nlp: &mut Nlp, x: &mut [f64], y: &mut [f64]) {
        for _ in 0..LINEARISATIONS {
            self.linearise(problem, nlp, x, y);
            self.solve(x, y, &nlp.equal);
        }
    }

    /// The constraints and their Jacobian at `(x, y)`: gradients of `f + c_i` less those of `f`.
    fn linearise(&mut self, problem: &mut Problem, nlp: &mut Nlp, x: &[f64], y: &[f64]) {
        let (n, m) = (x.len(), y.len());
        self.at.y.copy_from_slice(y);
        for i in 0..self.unit.len() {
            self.unit.fill(0.0);
            self.at.differentiate(problem, nlp, x, &self.unit);
            let (by_x, by_y) = (&mut self.by_x[i * n..][..n], &mut self.by_y[i * m..][..m]);
            by_x.copy_from_slice(&self.at.by_x);
            by_y.copy_from_slice(&self.at.by_y);
            self.unit[i] = 1.0;
            self.at.differentiate(problem, nlp, x, &self.unit);
            for (row, g) in [(by_x, &self.at.by_x), (by_y, &self.at.by_y)] {
                for (row, g) in row.iter_mut().zip(g) {
                    *row = g - *row;
                }
            }
        }
    }

    /// Coordinate ascent on the dual of `min ½‖d‖²` subject to `c + J d <= 0` or `= 0`: every step moves the primal point along.
    fn solve(&mut self, x: &mut [f64], y: &mut [f64], equal: &[bool]) {
        let (n, m) = (x.len(), y.len());
        self.multipliers.fill(0.0);
        for _ in 0..SWEEPS {
            let mut largest: f64 = 0.0;
            for (i, equal) in equal.iter().enumerate() {
                let (by_x, by_y) = (&self.by_x[i * n..][..n], &self.by_y[i * m..][..m]);
                let square = dot(by_x, by_x) + dot(by_y, by_y);
                if square == 0.0 {
                    continue;
                }
                let value = self.at.rows[i];
                let new = self.multipliers[i] + value / square;
                let new = if *equal { new } else { new.max(0.0) };
                let step = new - self.multipliers[i];
                if step == 0.0 {
                    continue;
                }
                self.multipliers[i] = new;
                axpy(-step, by_x, x);
                axpy(-step, by_y, y);
                largest = largest.max(step.abs() * square.sqrt());
                for (k, row) in self.at.rows.iter_mut().enumerate() {
                    let (other_x, other_y) = (&self.by_x[k * n..][..n], &self.by_y[k * m..][..m]);
                    *row -= step * (dot(other_x, by_x) + dot(other_y, by_y));
                }
            }
            if largest <= f64::EPSILON {
                break;
            }
        }
    }
}

impl Method for Lvhba {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, _: &mut Run<'_>) -> Evaluation {
        let Self { gamma, size, at_y, at_theta, multipliers, before_multipliers, anchors, .. } = self;
        let moved = with_follower(problem, |problem, follower| {
            let nlp = &mut follower.nlp;
            let of_theta = at_theta.approach(problem, nlp, (&point.x, &point.y), multipliers, gamma.0, *size);
            before_multipliers.copy_from_slice(multipliers);
            for ((l, row), z) in multipliers.iter_mut().zip(&at_theta.rows).zip(anchors.iter()) {
                *l += *size * (row - (*l - z) / gamma.1);
            }
            into_cone(multipliers, &nlp.equal);
            at_theta.differentiate(problem, nlp, &point.x, multipliers);
            at_y.y.copy_from_slice(&point.y);
            at_y.look(problem, nlp, &point.x);
            of_theta.hypot(squared_distance(multipliers, before_multipliers).sqrt() / *size)
        });
        let Some(moved) = moved else { return Evaluation::NONE };
        self.theta_moved = moved;
        let upper = problem.upper_gradients(&point.x, &point.y, &mut self.direction.x, &mut self.direction.y);
        Evaluation { upper, lower: self.at_y.value, measure: self.moved.hypot(self.theta_moved) }
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        let weight = self.growth.factor(k, 0) / self.c;
        let Self { gamma, bound, dual, upper, together, at_y, at_theta, direction, before, onto, .. } = self;
        proximal_direction(direction, weight, (at_y, at_theta), &point.y, gamma.0);
        before.x.copy_from_slice(&point.x);
        before.y.copy_from_slice(&point.y);
        if let Some(together) = together {
            upper.size = together.size(point, direction);
        }
        upper.apply(&problem.upper, k, &direction.x, &mut point.x);
        let alpha = upper.length(k);
        with_follower(problem, |problem, follower| {
            at_y.step(&follower.nlp, alpha, &direction.y);
            point.y.copy_from_slice(&at_y.y);
            onto.project(problem, &mut follower.nlp, &mut point.x, &mut point.y);
        });
        problem.upper.project(&mut point.x);
        problem.lower.project(&mut point.y);
        if let Some(together) = together
            && alpha > 0.0
        {
            together.note(point, alpha);
        }
        let mut of_z: f64 = 0.0;
        for (z, l) in self.anchors.iter_mut().zip(&self.multipliers) {
            let new = (*z + *dual * (l - *z) / gamma.1).clamp(-*bound, *bound);
            of_z = of_z.max((new - *z).abs() / *dual);
            *z = new;
        }
        let of_x = upper.pace(squared_distance(&point.x, &before.x).sqrt());
        let of_y = upper.pace(squared_distance(&point.y, &before.y).sqrt());
        self.moved = of_x.hypot(of_y).hypot(of_z);
        None
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.upper.state(state);
        if let Some(together) = &mut self.together {
            together.state(state);
        }
        self.at_theta.state(state);
        state.numbers(&mut self.multipliers);
        state.numbers(&mut self.anchors);
        state.number(&mut self.moved);
        true
    }
}
