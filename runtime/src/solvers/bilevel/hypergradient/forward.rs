//! The hypergradient `forward`: the derivative `Z = dy/dx` is carried along with the lower steps, a column per upper coordinate:
//! `Z ← (I − s ∇²yy f) Z − s ∇²yx f` at `(x, y_k)`, through the derivative of the projection, from `Z = 0`; then
//! `g = ∇x F + Zᵀ ∇y F`. The same gradient as `reverse`, without keeping iterates; for few upper coordinates.
//!
//! Source: L. Franceschi, M. Donini, P. Frasconi, M. Pontil, "Forward and reverse gradient-based hyperparameter optimization", ICML
//! 2017, arXiv 1703.01785, algorithm 2.

use super::{Differentiates, HypergradientRecord};
use crate::derivatives::{Derivatives, Quantity};
use crate::hypergradient::dynamics::{Dynamics, Momentum};
use crate::linear::blas1::dot;
use crate::problem::Problem;
use crate::settings::{Piece, Requirement};
use crate::solvers::bilevel::{Sensitivity, lower};
use crate::solvers::step_size::StepSize;
use crate::state::State;

pub(crate) static FORWARD: HypergradientRecord = HypergradientRecord {
    piece: Piece {
        name: "forward",
        doc: "the exact gradient of what the lower steps lead to, by tangents carried along with them",
        assumes: "as `reverse`; few upper coordinates",
        cost: "per step, for each of the n upper coordinates a Hessian and a cross product; memory of n lower vectors, twice with momentum",
        source: "Franceschi et al. 2017, arXiv 1703.01785",
        groups: &[],
        requires: &[
            Requirement {
                option: "lower",
                one_of: &["gradient", "momentum", "nesterov"],
                because: "only their tangents are made of products of `f` alone",
            },
            Requirement {
                option: "init",
                one_of: &["cold", "warm"],
                because: "its tangents start from a point that does not depend on `x`",
            },
            Requirement {
                option: "truncate",
                one_of: &["full"],
                because: "tangents are carried forward through all the steps, and nothing is swept back that could be cut short",
            },
        ],
    },
    needs: |_, _| vec![Quantity::LowerHessian, Quantity::LowerCross],
    build: |context, _| {
        let Some(momentum) = context.lower.record.build.momentum else {
            panic!("blo has a bug: lower steps without tangents were not refused");
        };
        let dynamics = momentum(context, &context.lower.settings);
        let size = lower::size(context);
        let (n, m) = (context.start.x.len(), context.start.y.len());
        let remembers = if dynamics.memory().is_empty() { 0 } else { n * m };
        let carried = Carried {
            shrinks: vec![1.0; context.problem.lower.balls()],
            tangents: vec![0.0; n * m],
            memories: vec![0.0; remembers],
            unit: vec![0.0; n],
            before: vec![0.0; m],
            dynamics,
        };
        Box::new(Forward { size, steps: context.settings.count("lower_steps"), carried, gy: vec![0.0; m] })
    },
};

struct Forward {
    size: StepSize,
    steps: usize,
    carried: Carried,
    gy: Vec<f64>,
}

/// The steps, and what is carried along.
struct Carried {
    dynamics: Momentum,
    /// `dy/dx_i`, row by row.
    tangents: Vec<f64>,
    /// The same of the momentum.
    memories: Vec<f64>,
    unit: Vec<f64>,
    shrinks: Vec<f64>,
    before: Vec<f64>,
}

impl Carried {
    fn step(&mut self, problem: &mut Problem, x: &[f64], y: &mut [f64], k: usize) {
        let m = y.len();
        self.before.copy_from_slice(y);
        self.dynamics.step(problem, x, y, k);
        problem.lower.project_recording(y, &mut self.shrinks);
        for i in 0..x.len() {
            self.unit[i] = 1.0;
            let z = &mut self.tangents[i * m..][..m];
            let b = if self.memories.is_empty() { &mut [] } else { &mut self.memories[i * m..][..m] };
            self.dynamics.push_forward(problem, x, &self.before, &self.unit, z, b);
            problem.lower.project_derivative(y, &self.shrinks, z);
            self.unit[i] = 0.0;
        }
    }
}

impl Differentiates for Forward {
    fn evaluate(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        poll: &mut dyn FnMut(&Problem) -> bool,
        into: &mut Sensitivity,
    ) -> Option<(f64, f64)> {
        let Forward { size, steps, carried, gy } = self;
        size.follow(problem, x, y);
        let run = size.descend(problem, x, y, |problem, y, size| {
            carried.dynamics.begin(size);
            carried.tangents.fill(0.0);
            carried.memories.fill(0.0);
            for k in 0..*steps {
                if poll(problem) {
                    return None;
                }
                carried.step(problem, x, y, k);
            }
            Some(carried.dynamics.descent())
        });
        if !run {
            return None;
        }
        let upper = problem.upper_gradients(x, y, &mut into.x, gy);
        for (g, z) in into.x.iter_mut().zip(carried.tangents.chunks_exact(gy.len().max(1))) {
            *g += dot(z, gy);
        }
        Some((upper, problem.lower_value(x, y)))
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.size.state(state);
        self.carried.dynamics.state(state)
    }
}
