//! The start `shared`: lower variables start at upper variables, as meta-learning has it: the initial parameters are what is learned,
//! and the lower level adapts them. Several tasks are leading axes of the lower variable: with `theta: tasks × d` below and `theta0: d`
//! above, every task starts at `theta0`, and the derivatives by the copies are summed.
//!
//! Source: C. Finn, P. Abbeel, S. Levine, "Model-agnostic meta-learning for fast adaptation of deep networks", ICML 2017,
//! arXiv 1703.03400.

use super::{Init, InitRecord};
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Piece, Preset, Requirement, Settings};
use crate::solvers::bilevel::Sensitivity;
use crate::space::{Block, Space};
use crate::state::State;

/// The options.
pub(crate) const OPTIONS: &[OptionSpec] = &[OptionSpec {
    name: "from",
    kind: Kind::Starts,
    default: Preset::NoStarts,
    doc: "Which upper variable each lower variable starts at; it has the same shape, or that of the last axes. Without any, the upper variable whose shape fits, when it is the only one.",
}];

pub(crate) static SHARED: InitRecord = InitRecord {
    piece: Piece {
        name: "shared",
        doc: "lower variables start at upper variables, one for all tasks",
        assumes: "an upper variable of the shape of each lower one, without its leading axes",
        cost: "nothing",
        source: "Finn et al. 2017, arXiv 1703.03400",
        groups: &[OPTIONS],
        requires: &[
            Requirement {
                option: "hypergradient",
                one_of: &[
                    "reverse",
                    "finite_difference",
                    "first_order",
                    "displacement",
                    "conjugate_gradient",
                    "neumann",
                    "fixed_point",
                    "direct",
                    "quasi_newton",
                ],
                because: "the derivative by the start needs a sweep back to it, or a lower level that is solved whatever the start",
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
        let Problem { upper, lower, .. } = &*context.problem;
        match pairs(upper, lower, own) {
            Ok(pairs) => Box::new(Shared { pairs, refusal: None }),
            Err(reason) => Box::new(Shared { pairs: Vec::new(), refusal: Some(reason) }),
        }
    },
};

/// A lower block that starts at copies of an upper one.
struct Pair {
    upper: std::ops::Range<usize>,
    lower: std::ops::Range<usize>,
}

struct Shared {
    pairs: Vec<Pair>,
    refusal: Option<String>,
}

/// Whether every task of `lower` can start at `upper`.
fn fits(lower: &Block, upper: &Block) -> bool {
    lower.shape.ends_with(&upper.shape) && upper.len > 0
}

/// Which lower block starts where.
fn pairs(upper: &Space, lower: &Space, own: &Settings) -> Result<Vec<Pair>, String> {
    let range = |block: &Block| block.offset..block.offset + block.len;
    let mut pairs = Vec::new();
    for block in lower.blocks() {
        let name = &block.name;
        let start = match own.start(name) {
            Some(named) => {
                let found = upper.blocks().iter().find(|b| b.name == named);
                let found = found.ok_or_else(|| format!("`{named}` is no upper variable"))?;
                if !fits(block, found) {
                    return Err(format!(
                        "`{name}` cannot start at `{named}`: their shapes are {:?} and {:?}",
                        block.shape, found.shape
                    ));
                }
                found
            }
            None => {
                let mut found = upper.blocks().iter().filter(|b| fits(block, b));
                match (found.next(), found.next()) {
                    (Some(only), None) => only,
                    (None, _) => {
                        return Err(format!(
                            "no upper variable has the shape of `{name}` or of its last axes"
                        ));
                    }
                    (Some(_), Some(_)) => {
                        return Err(format!(
                            "`{name}` could start at several upper variables: say which one, `from = starts({name} = …)`"
                        ));
                    }
                }
            }
        };
        pairs.push(Pair { upper: range(start), lower: range(block) });
    }
    Ok(pairs)
}

impl Init for Shared {
    fn begin(&mut self, problem: &Problem, x: &[f64], y: &mut [f64]) {
        for Pair { upper, lower } in &self.pairs {
            for copy in y[lower.clone()].chunks_exact_mut(upper.len()) {
                copy.copy_from_slice(&x[upper.clone()]);
            }
        }
        problem.lower.project(y);
    }

    fn chain(&mut self, _: &Problem, sensitivity: &mut Sensitivity) -> f64 {
        let Sensitivity { x, y0, mean } = sensitivity;
        for Pair { upper, lower } in &self.pairs {
            let share = if *mean { upper.len() as f64 / lower.len() as f64 } else { 1.0 };
            for copy in y0[lower.clone()].chunks_exact(upper.len()) {
                crate::linear::blas1::axpy(share, copy, &mut x[upper.clone()]);
            }
        }
        0.0
    }

    fn refusal(&self) -> Option<String> {
        self.refusal.clone()
    }

    fn state(&mut self, _: &mut dyn State) -> bool {
        true
    }
}
