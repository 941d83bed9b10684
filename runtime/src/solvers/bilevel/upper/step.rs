//! The upper step `step`: `x ← P(x − t d)` with a size, rule, momentum, schedule, clipping and rates as the options `upper_step` and those after
//! it say.

use super::{Seen, Upper, UpperRecord};
use crate::problem::Problem;
use crate::settings::{Piece, Settings};
use crate::solvers::bilevel::Chosen;
use crate::solvers::step::Step;
use crate::state::State;

pub(crate) static STEP: UpperRecord = UpperRecord {
    piece: Piece {
        name: "step",
        doc: "a step as `upper_step` and the options after it say",
        assumes: "a size below 2/L of the upper problem",
        cost: "nothing but the rule's memory",
        source: "",
        groups: &[],
        requires: &[],
    },
    needs: |_, _| Vec::new(),
    build: |context, _| Box::new(Plain(Step::upper(context.settings, &context.problem.upper))),
};

/// The step of a method with the options of the upper level.
pub(crate) fn step(settings: &Settings) -> Chosen<super::Build> {
    STEP.with(settings)
}

struct Plain(Step);

impl Upper for Plain {
    fn update(&mut self, problem: &Problem, k: usize, seen: Seen<'_>, x: &mut [f64]) {
        self.0.apply(&problem.upper, k, seen.gradient, x);
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.0.state(state);
        true
    }
}
