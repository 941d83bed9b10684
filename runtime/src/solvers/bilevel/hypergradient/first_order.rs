//! The hypergradient `first_order`: all second derivatives are dropped. With a start that does not depend on `x` it is `∇x F(x, y_K)`: the
//! coupling through the lower level is ignored (first-order DARTS). With a start that does (`shared`, `learned`), the derivative by the start is
//! `∇y F(x, y_K)`: first-order MAML.
//!
//! Not a gradient of anything in general: on `f = ½ y² − x y`, `F = ½ y² + ½ (x − 1)²` it ends at `x = 1`, not ½.
//!
//! Source: C. Finn, P. Abbeel, S. Levine, "Model-agnostic meta-learning for fast adaptation of deep networks", ICML 2017,
//! arXiv 1703.03400, section 5.2.

use super::{Differentiates, HypergradientRecord};
use crate::derivatives::Derivatives;
use crate::problem::Problem;
use crate::settings::Piece;
use crate::solvers::bilevel::Sensitivity;
use crate::solvers::bilevel::lower::Solves;
use crate::state::State;

pub(crate) static FIRST_ORDER: HypergradientRecord = HypergradientRecord {
    piece: Piece {
        name: "first_order",
        doc: "the upper gradients where the lower steps end, without second derivatives",
        assumes: "that what the lower level does with `x` may be ignored, or passes through its start",
        cost: "one upper gradient",
        source: "Finn et al. 2017, arXiv 1703.03400",
        groups: &[],
        requires: &[],
    },
    needs: |_, _| Vec::new(),
    build: |context, _| {
        Box::new(FirstOrder { lower: (context.lower.record.build.solver)(context, &context.lower.settings) })
    },
};

struct FirstOrder {
    lower: Box<dyn Solves>,
}

impl Differentiates for FirstOrder {
    fn evaluate(
        &mut self,
        problem: &mut Problem,
        x: &[f64],
        y: &mut [f64],
        poll: &mut dyn FnMut(&Problem) -> bool,
        into: &mut Sensitivity,
    ) -> Option<(f64, f64)> {
        let lower = self.lower.run(problem, x, y, poll)?;
        let upper = problem.upper_gradients(x, y, &mut into.x, &mut into.y0);
        let lower = if lower.is_nan() { problem.lower_value(x, y) } else { lower };
        Some((upper, lower))
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.lower.state(state)
    }
}
