//! The start `learned` (initialisation auxiliary): the start `z` of the lower steps is a variable of its own, moved against the
//! derivative of `F` by it: `z ← P(z − t ∇z F(x, y_K(x, z)))`, with the same rule as the upper variables.
//!
//! With a lower level that is not convex, `z` finds the valley that is best for `F`. Trap: with finitely many steps, `z` also makes up
//! for what the steps should do, and on a strongly convex lower level drives `y_K` to the unconstrained minimiser of `F`. So it wants
//! a bounded set, and the pessimistic truncation `argmax_upper` or many steps.
//!
//! Source: R. Liu, Y. Liu, S. Zeng, J. Zhang, "Towards gradient-based bilevel optimization with non-convex followers and beyond",
//! NeurIPS 2021, arXiv 2110.00455.

use super::{Init, InitRecord};
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Piece, Preset, Requirement};
use crate::solvers::bilevel::Sensitivity;
use crate::solvers::options::POSITIVE;
use crate::solvers::step::Step;
use crate::space::Space;
use crate::state::State;

/// The options.
pub(crate) const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "bound",
        kind: POSITIVE,
        default: Preset::Number(f64::INFINITY),
        doc: "How far each coordinate of the learned start may be from the model's.",
    },
    OptionSpec {
        name: "init_step",
        kind: Kind::PositiveOr("auto"),
        default: Preset::Word("auto"),
        doc: "Step size of the learned start; `auto` is that of the upper variables.",
    },
];

pub(crate) static LEARNED: InitRecord = InitRecord {
    piece: Piece {
        name: "learned",
        doc: "the start of the lower steps is a variable, moved with the upper ones",
        assumes: "alone it makes up for lower steps that do too little: bound it, and truncate by `argmax_upper`",
        cost: "one step on m variables",
        source: "Liu et al. 2021, arXiv 2110.00455",
        groups: &[OPTIONS],
        requires: &[
            Requirement {
                option: "hypergradient",
                one_of: &["reverse", "finite_difference", "first_order"],
                because: "only a sweep back to the start gives the derivative by it",
            },
            Requirement {
                option: "truncate",
                one_of: &["full", "argmax_upper"],
                because: "a sweep over the last steps does not reach the start",
            },
        ],
    },
    needs: |_, _| Vec::new(),
    build: |context, own| {
        let bound = own.real("bound");
        let start = context.start.y.clone();
        let (settings, space) = (context.settings, &context.problem.lower);
        let step = match own.number("init_step") {
            Some(size) => Step::outer(settings, space, size),
            None => Step::upper(settings, space),
        };
        Box::new(Learned {
            step,
            ends: start.iter().map(|y| (y - bound, y + bound)).collect(),
            trial: vec![0.0; start.len()],
            z: start,
        })
    },
};

struct Learned {
    z: Vec<f64>,
    ends: Vec<(f64, f64)>,
    step: Step,
    trial: Vec<f64>,
}

/// Into the bounds, then into the domains.
fn project(ends: &[(f64, f64)], space: &Space, z: &mut [f64]) {
    for (z, (lo, hi)) in z.iter_mut().zip(ends) {
        *z = z.max(*lo).min(*hi);
    }
    space.project(z);
}

impl Init for Learned {
    fn begin(&mut self, _: &Problem, _: &[f64], y: &mut [f64]) {
        y.copy_from_slice(&self.z);
    }

    fn chain(&mut self, problem: &Problem, sensitivity: &mut Sensitivity) -> f64 {
        let Learned { z, ends, trial, .. } = self;
        for ((t, z), g) in trial.iter_mut().zip(z.iter()).zip(&sensitivity.y0) {
            *t = z - g;
        }
        project(ends, &problem.lower, trial);
        crate::linear::blas1::distance(z, trial)
    }

    fn update(&mut self, problem: &Problem, k: usize, g: &[f64]) {
        self.step.apply(&problem.lower, k, g, &mut self.z);
        project(&self.ends, &problem.lower, &mut self.z);
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        state.numbers(&mut self.z);
        self.step.state(state);
        true
    }
}
