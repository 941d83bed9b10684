//! Lower steps `aggregated` (descent aggregation): each goes down `f` and, by a share, `F`:
//! `y ← P(y − (1 − a_k) s ∇y f(x, y) − a_k t ∇y F(x, y))` with `a_k = alpha · share(k)` for `k = 0, 1, …` within an outer iteration. Of
//! many lower solutions they find the one that is best for `F`.
//!
//! The theory wants `a_k → 0` with a sum that diverges, as `alpha / (k + 1)` has. A constant share does not lead to the bilevel
//! solution: on `f = ½ y² − x y`, `F = ½ y² + ½ (x − 1)²` it ends at `x = 1 / (1 + (1 − a)²)`, not ½. From a cold start a vanishing
//! share takes many steps; a warm start makes up for that. `t` must respect the curvature of `F`, not that of `f`.
//!
//! Source: R. Liu, P. Mu, X. Yuan, S. Zeng, J. Zhang, "A generic first-order algorithmic framework for bi-level programming beyond
//! lower-level singleton", ICML 2020, arXiv 2006.04045. The authors' released code lets the share decay by 0.9 per step instead.

use super::{Build, LowerRecord, Solves, descent_needs};
use crate::derivatives::{Derivatives, Quantity};
use crate::hypergradient::dynamics::Dynamics;
use crate::hypergradient::{Descent, apply_scale};
use crate::linear::blas1::axpy;
use crate::linear::power::{seeded, spectral_radius};
use crate::problem::Problem;
use crate::schedule::Schedule;
use crate::settings::{Kind, OptionSpec, Piece, Preset, Requirement, Settings};
use crate::solvers::bilevel::Context;
use crate::solvers::step::rates;
use crate::solvers::step_size::StepSize;
use crate::state::State;

/// The options.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "alpha",
        kind: Kind::Real { min: 0.0, max: 1.0, open: true },
        default: Preset::Number(0.5),
        doc: "Share of the upper objective in the first lower step; the rest is that of the lower one.",
    },
    OptionSpec {
        name: "share",
        kind: Kind::Schedule,
        default: Preset::Call("power", 1.0),
        doc: "Factor on `alpha` over the lower steps: (k+1)^-p, r^k, or a cosine down to 0.",
    },
    OptionSpec {
        name: "pull_step",
        kind: Kind::PositiveOr("auto"),
        default: Preset::Word("auto"),
        doc: "Step size along the upper objective's gradient; `auto` is 1/L with L the upper objective's largest curvature in `y` at the start, made smaller with the lower step; without curvature it is the lower step.",
    },
];

pub(crate) static AGGREGATED: LowerRecord = LowerRecord {
    piece: Piece {
        name: "aggregated",
        doc: "steps down a weighted sum of both objectives, so that of many lower solutions the best for `F` is found",
        assumes: "a convex `f`, an `F` convex in `y`; a share that vanishes",
        cost: "`lower_steps` gradients of both objectives; backwards two products of each",
        source: "Liu et al. 2020, arXiv 2006.04045",
        groups: &[OPTIONS],
        requires: &[Requirement {
            option: "hypergradient",
            one_of: &["reverse", "first_order"],
            because: "its steps are not those of `f`, whose second derivatives the others go by",
        }],
    },
    needs: |settings, own| {
        let mut needs = descent_needs(settings, own);
        needs.extend([Quantity::UpperGradients, Quantity::UpperSecondOrder]);
        needs
    },
    build: Build {
        dynamics: Some(|context, own| Box::new(Aggregated::new(context, own))),
        momentum: None,
        solver: |context, own| {
            let size = super::size(context);
            let (steps, dynamics) = (context.settings.count("lower_steps"), Aggregated::new(context, own));
            Box::new(Steps { size, steps, dynamics })
        },
    },
};

#[derive(Debug)]
struct Aggregated {
    alpha: f64,
    share: Schedule,
    steps: usize,
    size: f64,
    pull: Pull,
    scale: Vec<f64>,
    /// Values of `f` and `F` at the first and the last point that was evaluated.
    seen: Option<[(f64, f64); 2]>,
    gx: Vec<f64>,
    gf: Vec<f64>,
    gu: Vec<f64>,
    v: Vec<f64>,
    hv: Vec<f64>,
    xv: Vec<f64>,
}

/// The size along `∇y F`.
#[derive(Clone, Copy, Debug)]
enum Pull {
    Given(f64),
    /// Found at the start, where the lower steps had the first size, if any were taken yet.
    Found(f64, Option<f64>),
}

impl Pull {
    /// The size when that of the lower steps is `size`: what made these smaller makes it smaller too.
    fn size(self, size: f64) -> f64 {
        match self {
            Pull::Given(pull) => pull,
            Pull::Found(pull, Some(first)) if size < first => pull * size / first,
            Pull::Found(pull, _) => pull,
        }
    }
}

impl Aggregated {
    fn new(context: &mut Context<'_>, own: &Settings) -> Self {
        let Context { problem, settings, start, .. } = context;
        let (n, m) = (start.x.len(), start.y.len());
        let pull = own.number("pull_step").map_or_else(
            || {
                let mut direction = seeded(m, settings.count("seed") as u64);
                let (mut work, mut cross) = (vec![0.0; m], vec![0.0; n]);
                let curvature = spectral_radius(&mut direction, &mut work, 1e-4, |v, hv| {
                    problem.tolerantly(|p| p.upper_second_order(&start.x, &start.y, v, hv, &mut cross));
                });
                Pull::Found(settings.caution() / curvature, None)
            },
            Pull::Given,
        );
        Aggregated {
            alpha: own.real("alpha"),
            share: own.schedule("share"),
            steps: settings.count("lower_steps"),
            size: f64::NAN,
            pull,
            scale: rates(settings, &problem.lower),
            seen: None,
            gx: vec![0.0; n],
            gf: vec![0.0; m],
            gu: vec![0.0; m],
            v: vec![0.0; m],
            hv: vec![0.0; m],
            xv: vec![0.0; n],
        }
    }

    /// The factors on `∇y f` and `∇y F` in step `k`.
    fn factors(&self, k: usize) -> (f64, f64) {
        let a = self.alpha * self.share.factor(k, self.steps);
        ((1.0 - a) * self.size, a * self.pull.size(self.size))
    }
}

impl Dynamics for Aggregated {
    fn begin(&mut self, size: f64) {
        self.size = size;
        self.seen = None;
        if let Pull::Found(pull, first @ None) = &mut self.pull {
            *first = Some(size);
            // An upper objective that is linear in `y` has no curvature to go by.
            if !pull.is_finite() || *pull <= 0.0 {
                *pull = size;
            }
        }
    }

    fn memory(&self) -> &[f64] {
        &[]
    }

    fn recall(&mut self, _: &[f64]) {}

    fn step(&mut self, problem: &mut Problem, x: &[f64], y: &mut [f64], k: usize) {
        let f = problem.lower_gradient(x, y, &mut self.gf);
        let u = problem.upper_gradients(x, y, &mut self.gx, &mut self.gu);
        let first = self.seen.map_or((f, u), |[first, _]| first);
        self.seen = Some([first, (f, u)]);
        let (lower, upper) = self.factors(k);
        apply_scale(&self.scale, &mut self.gf);
        apply_scale(&self.scale, &mut self.gu);
        axpy(-lower, &self.gf, y);
        axpy(-upper, &self.gu, y);
    }

    /// The steps descend on the weighted sum of the last step; on `f` alone they may go uphill.
    fn descent(&self) -> Descent {
        let (lower, upper) = self.factors(self.steps.saturating_sub(1));
        let sum = |(f, u): (f64, f64)| lower * f + upper * u;
        self.seen.map_or(Descent::START, |[first, last]| Descent { first: sum(first), last: sum(last) })
    }

    fn begin_backward(&mut self) {}

    fn pull_back(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &[f64],
        k: usize,
        adjoint: &mut [f64],
        g: &mut [f64],
    ) {
        let (lower, upper) = self.factors(k);
        self.v.copy_from_slice(adjoint);
        apply_scale(&self.scale, &mut self.v);
        problem.lower_second_order(x, y, &self.v, &mut self.hv, &mut self.xv);
        axpy(-lower, &self.hv, adjoint);
        axpy(-lower, &self.xv, g);
        problem.upper_second_order(x, y, &self.v, &mut self.hv, &mut self.xv);
        axpy(-upper, &self.hv, adjoint);
        axpy(-upper, &self.xv, g);
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        if let Pull::Found(pull, first) = &mut self.pull {
            state.number(pull);
            // A size is never 0.
            let mut size = first.unwrap_or(0.0);
            state.number(&mut size);
            *first = (size != 0.0).then_some(size);
        }
        true
    }
}

/// The steps without a sweep.
struct Steps {
    size: StepSize,
    steps: usize,
    dynamics: Aggregated,
}

impl Solves for Steps {
    fn run(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        poll: &mut dyn FnMut(&Problem) -> bool,
    ) -> Option<f64> {
        let Steps { size, steps, dynamics } = self;
        size.follow(problem, x, y);
        let run = size.descend(problem, x, y, |problem, y, size| {
            dynamics.begin(size);
            for k in 0..*steps {
                if poll(problem) {
                    return None;
                }
                dynamics.step(problem, x, y, k);
                problem.lower.project(y);
            }
            Some(dynamics.descent())
        });
        run.then_some(f64::NAN)
    }

    fn step_size(&mut self, problem: &mut Problem, x: &[f64], y: &[f64]) -> f64 {
        self.size.follow(problem, x, y);
        self.size.get()
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.size.state(state);
        self.dynamics.state(state)
    }
}
