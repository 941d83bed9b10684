//! `rhg`: reverse differentiation of the lower algorithm (unrolling), in full or truncated.
//!
//! Assumes that `f(x, ·)` has one minimiser that projected gradient steps reach, and that `F`, `f` are twice differentiable.
//! Per iteration, from `y_0` (the model's start, or with `warm` the last `y_K`):
//! `y_{k+1} = P(y_k − s ∇y f(x, y_k))` (or heavy ball) for `K = lower_steps`; then with `a = ∇y F(x, y_K)`, `g = ∇x F(x, y_K)`,
//! for `k = K−1, …, K−K'`: `g ← g − s ∇²xy f a`, `a ← a − s ∇²yy f a` at `(x, y_k)`, through the derivative of `P`; then a step on `x`.
//! Stops when `‖x − P(x − g)‖ ≤ tolerance`. Costs `K` gradients and `K' = truncate` fused second-order products (about `4 K`
//! gradients in full) and the memory of `K'` lower vectors; where that is more than the run may use, of a checkpoint now and then, at
//! the cost of up to `K'` gradients more and with the same result to the bit.
//!
//! Not guaranteed: with finite `K` the limit is stationary for `F(x, y_K(x))`, not for the bilevel problem; the bias decays
//! like `(1 − s mu)^K` on a strongly convex lower level. Where lower solutions are not unique it may be wrong for every `K`.
//! With `warm` the dependence of `y_0` on `x` is neglected.
//!
//! Sources: L. Franceschi, M. Donini, P. Frasconi, M. Pontil, "Forward and reverse gradient-based hyperparameter
//! optimization", ICML 2017, arXiv 1703.01785 (algorithm 1). Truncation: A. Shaban, C.-A. Cheng, N. Hatch, B. Boots,
//! "Truncated back-propagation for bilevel optimization", AISTATS 2019, arXiv 1810.10667.

use super::options::{LOWER_UNROLLED, RUN, UPPER};
use super::run::{Evaluation, Method, Point, Run};
use super::step::{Step, rates};
use super::step_size::StepSize;
use super::{Levels, Solver, step_needs};
use crate::derivatives::{Derivatives, Quantity};
use crate::hypergradient::{Reverse, Trajectory, Unroll};
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::status::Termination;

const OWN: &[OptionSpec] = &[OptionSpec {
    name: "truncate",
    kind: Kind::CountOr("full"),
    default: Preset::Word("full"),
    doc: "How many of the last lower steps the reverse sweep covers.",
}];

/// The solver.
pub static RHG: Solver = Solver {
    name: "rhg",
    summary: "reverse differentiation of a fixed number of lower steps, in full or truncated",
    source: "Franceschi et al. 2017, arXiv 1703.01785; Shaban et al. 2019, arXiv 1810.10667",
    groups: &[RUN, LOWER_UNROLLED, OWN, UPPER],
    levels: Levels::Two,
    handles: &[],
    needs: |settings| {
        let mut needs = vec![
            Quantity::LowerValue,
            Quantity::LowerGradient,
            Quantity::LowerSecondOrder,
            Quantity::UpperGradients,
        ];
        needs.extend(step_needs(settings));
        needs
    },
    build,
};

struct Rhg {
    size: StepSize,
    sweep: Reverse,
    upper: Step,
    cold: Option<Vec<f64>>,
    gradient: Vec<f64>,
    scratch: Vec<f64>,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let steps = settings.count("lower_steps");
    let momentum = settings.word("lower_rule") == "momentum";
    let size = StepSize::lower(problem, settings, start, 1.0, 0.0);
    let plan = Unroll {
        steps,
        step: size.get(),
        momentum: if momentum { settings.real("lower_momentum") } else { 0.0 },
        last: settings.number("truncate").map_or(steps, |last| last as usize),
        scale: rates(settings, &problem.lower),
    };
    Box::new(Rhg {
        size,
        sweep: Reverse::new(problem, plan),
        upper: Step::upper(settings, &problem.upper),
        cold: (!settings.flag("warm")).then(|| start.y.clone()),
        gradient: vec![0.0; start.x.len()],
        scratch: vec![0.0; start.x.len()],
    })
}

impl Method for Rhg {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        if let Some(start) = &self.cold {
            point.y.copy_from_slice(start);
        }
        let Point { x, y } = point;
        self.size.follow(problem, x, y);
        let sweep = &mut self.sweep;
        if !self.size.descend(problem, x, y, |p, y, step| sweep.forward(p, x, y, step, |p| run.poll(p))) {
            return Evaluation::NONE;
        }
        let upper = self.sweep.backward(problem, &point.x, &mut self.gradient);
        let lower = problem.lower_value(&point.x, &point.y);
        let measure = problem.upper.stationarity(&point.x, &self.gradient, &mut self.scratch);
        Evaluation { upper, lower, measure }
    }

    fn trajectory(&self) -> Option<Trajectory> {
        Some(self.sweep.trajectory())
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        self.upper.apply(&problem.upper, k, &self.gradient, &mut point.x);
        None
    }
}
