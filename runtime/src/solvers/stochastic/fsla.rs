//! `fsla`: one lower step, one adjoint step and one upper step with a momentum that corrects itself, each on batches of its own (FSLA).
//!
//! Assumes what `soba` does. Per iteration, with `theta = (k + 1)^-decay` the factor on every step: `y⁺ = P(y − rho ∇y f(x, y))`;
//! `v⁺ = v − eta (∇²yy f(x, y⁺) v − ∇y F(x, y⁺))`; on one more batch of each level `h = ∇x F − ∇²xy f · v` at `(x, y⁺, v⁺)` and `h'` the same
//! at the iterate before, `(x⁻, y, v)`; `d ← h + (1 − theta) (d − h')`; `x ← P(x − alpha d)`. Stops as `soba` does. Costs one lower
//! gradient, one Hessian product, two cross products and three upper gradients of a batch; memory of a few vectors.
//!
//! Not guaranteed: less noise in `y` and `v`, whose directions are plain.
//!
//! Source: J. Li, B. Gu, H. Huang, "A fully single loop algorithm for bilevel optimization without Hessian inverse", AAAI 2022,
//! arXiv 2112.04660, algorithm 1; the momentum is that of STORM (Cutkosky, Orabona, 2019, arXiv 1905.10018).

use super::super::options::{RUN, UPPER};
use super::super::run::{Evaluation, Method, Point};
use super::super::step::Step;
use super::super::{Levels, Solver};
use super::oracle::{At, Oracle};
use super::single::Look;
use super::sizes::Sizes;
use super::{ADJOINT_STEP, BATCH, FALLING, LOWER_STEP, Sampling, Stochastic, decay, single_needs};
use crate::linear::blas1::axpy;
use crate::problem::Problem;
use crate::settings::{OptionSpec, Settings};
use crate::state::State;

const OWN: &[OptionSpec] = &[BATCH, LOWER_STEP, ADJOINT_STEP, decay(FALLING)];

/// The solver.
pub static FSLA: Solver = Solver {
    name: "fsla",
    summary: "single loop on batches with a momentum on the upper directions that corrects itself",
    source: "Li, Gu and Huang 2022, arXiv 2112.04660",
    groups: &[RUN, OWN, UPPER],
    paper: &[],
    levels: Levels::Two,
    handles: &[],
    needs: single_needs,
    build,
};

struct Fsla {
    sizes: Sizes,
    v: Vec<f64>,
    /// The iterate before: `x`, `y` and `v`.
    before: (Point, Vec<f64>),
    momentum: Vec<f64>,
    directions: Vec<f64>,
    upper: Vec<f64>,
    upper_step: Step,
    lower_step: Step,
    look: Look,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let mut oracle = Oracle::new(problem, settings.count("seed") as u64);
    let sizes = Sizes::with_adjoint(&mut oracle, problem, settings, start);
    let v = vec![0.0; start.y.len()];
    let method = Fsla {
        before: (start.clone(), v.clone()),
        v,
        momentum: vec![0.0; start.x.len()],
        directions: vec![0.0; oracle.lower_len()],
        upper: vec![0.0; oracle.upper_len()],
        upper_step: Step::upper(settings, &problem.upper),
        lower_step: Step::lower(settings, &problem.lower, sizes.lower()),
        sizes,
        look: Look::new(&oracle, start),
    };
    Box::new(Sampling::new(problem, settings, oracle, method))
}

impl Fsla {
    /// The directions at a point on a batch.
    fn directions(&mut self, oracle: &mut Oracle, problem: &mut Problem, batches: [usize; 2], at: At<'_>) {
        oracle.lower(problem, batches, at, &mut self.directions);
        oracle.upper(problem, batches, at, &mut self.upper);
        oracle.add_upper(&self.upper, &mut self.directions);
    }
}

impl Stochastic for Fsla {
    fn step(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &mut Point, k: usize) {
        let theta = self.sizes.factor(k);
        // The momentum below reads y and v before their steps, and x before its last one.
        let (mut old, mut old_v) = std::mem::take(&mut self.before);
        old.y.copy_from_slice(&point.y);
        old_v.copy_from_slice(&self.v);

        let mut v = std::mem::take(&mut self.v);
        let batches = oracle.draw();
        oracle.lower(problem, batches, At { x: &point.x, y: &point.y, v: &v }, &mut self.directions);
        self.lower_step.size = theta * self.sizes.lower();
        self.lower_step.apply(&problem.lower, k, oracle.parts(&self.directions)[0], &mut point.y);

        let batches = oracle.draw();
        self.directions(oracle, problem, batches, At { x: &point.x, y: &point.y, v: &v });
        axpy(-theta * self.sizes.adjoint(), oracle.parts(&self.directions)[1], &mut v);

        let batches = oracle.draw();
        if k > 0 {
            self.directions(oracle, problem, batches, At { x: &old.x, y: &old.y, v: &old_v });
            axpy(-1.0, oracle.parts(&self.directions)[2], &mut self.momentum);
        }
        self.directions(oracle, problem, batches, At { x: &point.x, y: &point.y, v: &v });
        let of_x = oracle.parts(&self.directions)[2];
        self.momentum.iter_mut().zip(of_x).for_each(|(d, h)| *d = h + (1.0 - theta) * *d);

        old.x.copy_from_slice(&point.x);
        self.upper_step.share = self.sizes.upper_factor(k);
        self.upper_step.apply(&problem.upper, k, &self.momentum, &mut point.x);
        self.v = v;
        self.before = (old, old_v);
    }

    fn look(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &Point) -> Evaluation {
        self.sizes.follow(oracle, problem, point);
        self.look.at(oracle, problem, point, &self.v)
    }

    fn state(&mut self, state: &mut dyn State) {
        self.sizes.state(state);
        let (point, v) = &mut self.before;
        for values in [&mut self.v, &mut self.momentum, &mut point.x, &mut point.y, v] {
            state.numbers(values);
        }
        self.upper_step.state(state);
        self.lower_step.state(state);
    }
}
