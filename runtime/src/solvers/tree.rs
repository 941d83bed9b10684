//! `tree`: branching on complementarity, to a proof.
//!
//! Assumes that the model's single-level form is affine but for its pairs of multiplier and slack, and an upper objective that is
//! quadratic: lower levels that are linear or convex quadratic programs for every `x`, and upper variables that may be whole
//! numbers. Every node is the single-level form with some pairs decided: the multiplier is 0, or the slack. Without the other
//! pairs it is a convex program, solved with its dual, so that its value bounds all that can be found below the node; a
//! node with a bound as high as the best point is left. The pair that is violated most is decided next, the node with the lowest
//! bound is looked at first, and from it a leaf is gone down to. An upper objective that is not convex, a toll times a flow say,
//! is made so with the rows and pairs of the follower where that is possible.
//!
//! Where the form is not affine, but made of sums, products, powers, `exp`, `log`, `sqrt`, `sin`, `cos` and `abs`, and the follower is convex with constraints that
//! are affine in its variables, nodes are boxes as well: [`crate::constrained::tree::spatial`] says how they are bounded. A follower of few variables whose
//! optimality conditions do not tell its answers (not convex, or with other constraints) is bounded by its value: [`crate::constrained::tree::value`]. One
//! with whole numbers, and a pessimistic leader, have trees of their own: [`crate::constrained::tree::whole`] and [`crate::constrained::tree::worst`].
//!
//! Points in boxes are those of `kkt`: one of its starts before each of the first nodes, and runs from relaxed solutions. With a `budget` a tree
//! that is not closed ends when so many programs were solved, after all nine starts, with the best point and the bound.
//!
//! Ends when no node is open: then the best point is a
//! global optimum up to `tolerance`, or the model has no point, or its objective falls without end along a ray. Costs one
//! convex program per node, of the size of the single-level form; memory for the open nodes.
//!
//! Not guaranteed: a number of nodes below 2 to the number of pairs, or any at all in boxes; a bound, where a variable below a product has none that can
//! be found, or the infimum is not attained.
//!
//! Sources: J. F. Bard, J. T. Moore, SIAM J. Sci. Stat. Comput. 11 (1990), sections 2 and 3; J. F. Bard, "Convex two-level
//! optimization", Math. Programming 40 (1988); and those of [`crate::constrained::tree`].

use super::options::{CHECK_STEPS, SEED, TOLERANCE};
use super::run::{Evaluation, Method, Point, Run};
use super::{Levels, Solver};
use crate::constrained::nlp::count;
use crate::constrained::tree::search::{End, Task, Tree};
use crate::constrained::{Constrained, Found};
use crate::derivatives::Quantity;
use crate::problem::{Feature, Problem};
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::state::State;
use crate::status::{Cause, Termination};

const OWN: &[OptionSpec] = &[
    OptionSpec {
        name: "steps",
        kind: Kind::Count(0),
        default: Preset::Number(100_000.0),
        doc: "Nodes after the first.",
    },
    OptionSpec {
        default: Preset::Number(1e-7),
        doc: "Stop when the best point is within this of the bound, relative to its size.",
        ..TOLERANCE
    },
    OptionSpec {
        name: "budget",
        kind: Kind::CountOr("none"),
        default: Preset::Word("none"),
        doc: "Programs solved for bounds: when so many are solved without a proof, the run ends with the best point and the bound.",
    },
    SEED,
    OptionSpec {
        doc: "Newton steps the final check may spend on solving the follower again, from each of its starts.",
        ..CHECK_STEPS
    },
];

/// The solver.
pub static TREE: Solver = Solver {
    name: "tree",
    summary: "branching on complementarity: a proof that no better point exists",
    source: "Bard, Moore 1990; Bard 1988; Mitsos, Lemonidis, Barton 2008",
    groups: &[OWN],
    paper: &[],
    levels: Levels::Any,
    handles: &[
        Feature::UpperConstraints,
        Feature::LowerConstraints,
        Feature::Multipliers,
        Feature::UpperIntegers,
        Feature::LowerIntegers,
        Feature::Pessimistic,
    ],
    needs: |_| vec![Quantity::UpperGradients],
    build,
};

struct Branching {
    tree: Result<Tree, String>,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let task = Task {
        tolerance: settings.real("tolerance").max(1e-10),
        budget: settings.number("budget").map(|budget| budget as usize),
        seed: settings.count("seed") as u64,
        x: start.x.clone(),
        convex: problem.lower_convex,
    };
    let tree = match &mut problem.constrained {
        Some(c) => {
            let tree = Tree::new(c, &task);
            // Reading the form is not counted: a run that goes on from a checkpoint reads it again.
            c.single.take_calls();
            tree
        }
        None => Err("there is no single-level form".into()),
    };
    Box::new(Branching { tree })
}

impl Method for Branching {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        let (Ok(tree), Some(mut c)) = (&mut self.tree, problem.constrained.take()) else {
            return Evaluation::NONE;
        };
        tree.step(&mut c, &mut || run.look(problem));
        c.programs().for_each(|program| count(problem, program));
        let mut evaluation = Evaluation::NONE;
        let proof = tree.proof_of_found();
        let of_nodes = || {
            let best = tree.best.as_ref()?;
            let (z, objective, violation) = (best.z.clone(), best.objective, best.violation);
            let weights = vec![0.0; c.single.equal.len()];
            Some(Found { z, weights, objective, violation, answered: true, ..Found::empty(0, 0) })
        };
        if let Some(found) = tree.found().cloned().or_else(of_nodes) {
            let (n, m) = c.lens;
            point.x.copy_from_slice(&found.z[..n]);
            point.y.copy_from_slice(&c.lower_part(&found.z));
            evaluation.upper = found.objective;
            evaluation.lower = lower_objective(problem, &mut c, &found.z[..n], &found.z[n..n + m]);
            evaluation.measure = proof.gap;
            c.found = Some(found);
            c.proof = Some(proof);
        }
        problem.constrained = Some(c);
        evaluation
    }

    fn update(&mut self, problem: &mut Problem, _: &mut Point, k: usize) -> Option<Termination> {
        let (Ok(tree), Some(c)) = (&self.tree, &problem.constrained) else {
            return Some(Termination::Stalled { iteration: k });
        };
        match tree.end(c) {
            End::Open => None,
            End::Proved => Some(Termination::Tolerance),
            End::Spent => Some(Termination::Steps),
            End::Infeasible => Some(Termination::Infeasible(Cause::Unknown)),
            End::Unbounded => Some(Termination::Unbounded),
            End::Unresolved => Some(Termination::Stalled { iteration: k }),
        }
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        match &mut self.tree {
            Ok(tree) => {
                tree.state(state);
                true
            }
            Err(_) => false,
        }
    }

    fn refusal(&self) -> Option<String> {
        let reason = self.tree.as_ref().err()?;
        Some(format!("`tree` cannot prove anything about this model: {reason}"))
    }
}

/// The follower's objective at a point; NaN without a lower level.
fn lower_objective(problem: &mut Problem, c: &mut Constrained, x: &[f64], y: &[f64]) -> f64 {
    let Some(follower) = &mut c.follower else { return f64::NAN };
    follower.nlp.set_parameters(x);
    let (mut g, mut rows) = (vec![0.0; y.len()], vec![0.0; follower.rows.len()]);
    let none = vec![0.0; rows.len()];
    let value = follower.nlp.evaluate(y, &none, &mut g, &mut rows);
    count(problem, &follower.nlp);
    value
}
