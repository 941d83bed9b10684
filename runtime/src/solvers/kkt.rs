//! `kkt`: the follower's problem replaced by its optimality conditions, and the single-level program solved by relaxation.
//!
//! Assumes twice differentiable objectives and constraints, and a follower whose conditions of Karush, Kuhn and Tucker characterise
//! its answers: a convex one with a constraint qualification. For every start: the follower is solved at `x`, or, every third
//! time, lower variables are drawn and multipliers and slacks are 1; then an interior-point method solves the program with the pairs
//! of multiplier and slack relaxed to `a b <= τ`, `τ` in proportion to its barrier and at last 1e-9; then one end of every pair is held at
//! its bound, the program solved again and finished by Newton's method on the active set. Where both ends of a pair are at their
//! bounds, the other pieces that meet there are tried one at a time. The best point over all starts that is feasible, and where
//! the follower solved again does no better, is kept. Where the follower does better and has few variables, that answer's branch gives
//! a cut by its value, and the run is repeated (see `cuts` of [`crate::constrained`]). Bounds, simplices and balls of the follower have multipliers too. Costs per
//! step a few Hessian products (one per colour of the sparsity pattern) and one factorisation of a matrix of variables and rows, sparse
//! where that is cheaper than dense: models with thousands of variables are solved where each is coupled with few others.
//!
//! Not guaranteed: a stationary point need not be a minimum, and with a follower that is not convex its stationary points are
//! feasible for the program (the check then tells a false answer where it finds a better one). Multipliers that are not unique
//! leave the choice to the leader.
//!
//! Sources: S. Dempe, J. Dutta, "Is bilevel programming a special case of a mathematical program with complementarity
//! constraints?", Math. Programming 131 (2012); S. Scholtes, SIAM J. Optim. 11 (2001); A. U. Raghunathan, L. T. Biegler, SIAM J. Optim. 15
//! (2005); A. Wächter, L. T. Biegler, Math. Programming 106 (2006): see [`crate::constrained`].

use std::cmp::Ordering;

use super::options::{CHECK_STEPS, SEED, TOLERANCE};
use super::run::{Evaluation, Method, Point, Run};
use super::{Levels, Solver};
use crate::constrained::check::check_follower;
use crate::constrained::cuts::{BRANCHES, VARIABLES};
use crate::constrained::nlp::{Nlp, count};
use crate::constrained::relax::{self, From};
use crate::constrained::{Constrained, Found};
use crate::derivatives::Quantity;
use crate::problem::{Feature, Problem};
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::state::State;
use crate::status::Termination;

/// Boxes for the follower with few variables that is not convex, where a start ended.
const BOXES: usize = 600;
/// Runs per start, each with one more cut.
const ROUNDS: usize = 5;
/// Steps for solving the follower again where a start ended.
const FOLLOWER_STEPS: usize = 1000;

const OWN: &[OptionSpec] = &[
    OptionSpec {
        name: "steps",
        kind: Kind::Count(0),
        default: Preset::Number(8.0),
        doc: "Further starts after the model's own; the upper variables are drawn within their bounds.",
    },
    OptionSpec { default: Preset::Number(1e-6), ..TOLERANCE },
    SEED,
    OptionSpec {
        doc: "Steps the final check may spend on solving the follower again, from each of its starts.",
        ..CHECK_STEPS
    },
];

/// The solver.
pub static KKT: Solver = Solver {
    name: "kkt",
    summary: "the follower's optimality conditions as constraints, complementarity relaxed and driven to zero",
    source: "Wächter, Biegler 2006; Raghunathan, Biegler 2005; Scholtes 2001; Dempe, Dutta 2012",
    groups: &[OWN],
    paper: &[],
    levels: Levels::Any,
    handles: &[Feature::UpperConstraints, Feature::LowerConstraints, Feature::Multipliers],
    needs: |_| vec![Quantity::UpperGradients],
    build,
};

/// Variables and rows of the single-level form up to which nobody asks for the cost of a factorisation, and those that are too many to ask.
const SMALL: usize = 1000;
const LARGEST: usize = 100_000;
/// Multiplications of a factorisation: beyond, a run takes many minutes.
const COSTLIEST: f64 = 1e9;

struct Kkt {
    /// Why the model is too large.
    refusal: Option<String>,
    start: Vec<f64>,
    begun: usize,
    /// Whether the patterns of the programs were learned.
    learned: bool,
    steps: usize,
    seed: u64,
    /// The best point so far.
    best: Option<Found>,
    /// The branches of the follower's answers that cuts were made of, one after the other.
    branches: Vec<f64>,
    /// A point of the right lengths, for one that is put back.
    empty: Found,
}

fn build(problem: &mut Problem, settings: &Settings, start: &Point) -> Box<dyn Method> {
    let single = problem.constrained.as_ref().map(|c| &c.single);
    let (variables, rows) = single.map_or((0, 0), |nlp| (nlp.len(), nlp.equal.len()));
    let unknowns = variables + rows;
    let cost = match &mut problem.constrained {
        Some(c) if unknowns > SMALL && unknowns <= LARGEST => relax::factor_cost(c),
        _ => 0.0,
    };
    let refusal = (unknowns > LARGEST || cost > COSTLIEST).then(|| {
        let why = if unknowns > LARGEST {
            format!("at most {LARGEST}")
        } else {
            format!("{cost:.0e} multiplications each time, at most {COSTLIEST:.0e}")
        };
        format!(
            "`kkt` factorises a matrix for all unknowns of the single-level form, here {unknowns}: {why}; \
             `sflcb`, `gaffa`, `blocc` and `lvhba` are for followers with many variables"
        )
    });
    Box::new(Kkt {
        refusal,
        start: start.x.clone(),
        begun: 0,
        learned: false,
        steps: settings.count("steps"),
        seed: settings.count("seed") as u64,
        best: None,
        branches: Vec::new(),
        empty: Found::empty(variables, rows),
    })
}

impl Kkt {
    /// Lets every iteration begin with the same patterns, so that one that goes on from a checkpoint has the same bits.
    fn learn(&mut self, c: &mut Constrained) {
        let again = self.begun > 0 && !self.learned;
        c.single.learn_at(&[], !self.learned);
        if again {
            c.single.take_calls();
        }
        if let Some(follower) = &mut c.follower {
            follower.nlp.learn_at(&self.start, !self.learned);
            if again {
                follower.nlp.take_calls();
            }
        }
        self.learned = true;
    }

    /// The upper variables of the next start, first the model's and then drawn ones, and where the rest starts.
    fn next_start(&mut self, nlp: &Nlp) -> (Vec<f64>, From) {
        let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(self.begun as u64);
        let from = match self.begun % 3 {
            0 => From::Answer(1.0),
            1 => From::Anywhere(seed),
            // Closer to the follower's own answer from the beginning.
            _ => From::Answer(1e-3),
        };
        self.begun += 1;
        if self.begun <= 2 {
            return (self.start.clone(), from);
        }
        (nlp.drawn(seed)[..self.start.len()].to_vec(), from)
    }
}

impl Method for Kkt {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        let Some(mut c) = problem.constrained.take() else { return Evaluation::NONE };
        self.learn(&mut c);
        let (x, from) = self.next_start(&c.single);
        if let Some(cuts) = &mut c.cuts {
            cuts.branches = self.branches.chunks(c.lens.1.max(1)).map(<[f64]>::to_vec).collect();
        }
        let mut next = Some((x, None, from));
        for _ in 0..ROUNDS {
            let Some((x, near, from)) = next.take() else { break };
            let near: Option<Vec<f64>> = near;
            let found = relax::run(&mut c, &x, near.as_deref(), from, &mut |nlp| {
                count(problem, nlp);
                run.poll(problem)
            });
            let Some(found) = found else { break };
            let x = found.z[..c.lens.0].to_vec();
            let convex = problem.lower_convex;
            let mut watch = |nlp: &Nlp| {
                count(problem, nlp);
                run.poll(problem)
            };
            let Some(better) = keep(&mut c, &mut self.best, found, convex, &mut watch) else { break };
            if let (Some(cuts), Some(follower)) = (&mut c.cuts, &mut c.follower)
                && cuts.remember(&mut follower.nlp, &x, &better)
            {
                self.branches.extend(&better);
                next = Some((x, Some(better), From::Answer(1.0)));
            }
        }
        count(problem, &c.single);
        let mut evaluation = Evaluation::NONE;
        if let Some(best) = &self.best {
            c.found = Some(best.clone());
            let (n, m) = c.lens;
            point.x.copy_from_slice(&best.z[..n]);
            point.y.copy_from_slice(&c.lower_part(&best.z));
            let measure = best.violation.max(best.stationarity);
            let more = self.begun <= self.steps;
            evaluation.upper = best.objective;
            evaluation.measure = if more { f64::INFINITY } else { measure };
            if let Some(follower) = &mut c.follower {
                follower.nlp.set_parameters(&best.z[..n]);
                let (mut g, mut rows) = (vec![0.0; m], vec![0.0; follower.rows.len()]);
                let none = vec![0.0; rows.len()];
                evaluation.lower = follower.nlp.evaluate(&best.z[n..n + m], &none, &mut g, &mut rows);
                count(problem, &follower.nlp);
            }
        }
        problem.constrained = Some(c);
        evaluation
    }

    fn update(&mut self, _: &mut Problem, _: &mut Point, _: usize) -> Option<Termination> {
        self.best.as_ref().is_some_and(Found::is_ray).then_some(Termination::Unbounded)
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        state.count(&mut self.begun);
        let mut of_branches = self.branches.len();
        state.count(&mut of_branches);
        self.branches.resize(of_branches.min(BRANCHES * VARIABLES), 0.0);
        state.numbers(&mut self.branches);
        let mut any = self.best.is_some();
        state.flag(&mut any);
        if any {
            self.best.get_or_insert_with(|| self.empty.clone()).state(state);
        }
        true
    }

    fn refusal(&self) -> Option<String> {
        self.refusal.clone()
    }
}

/// Keeps the better of the best point and a new one: one that is no answer of the follower is worse than any that is. The
/// follower's better answer is returned, where it has one.
fn keep(
    c: &mut Constrained,
    best: &mut Option<Found>,
    mut found: Found,
    convex: bool,
    watch: &mut dyn FnMut(&Nlp) -> bool,
) -> Option<Vec<f64>> {
    let (n, m) = c.lens;
    if best.as_ref().is_some_and(|best| best.answered && found.objective >= best.objective) {
        return None;
    }
    let mut better_answer = None;
    found.answered = found.feasible()
        && c.follower.as_mut().is_none_or(|follower| {
            let (x, y) = (&found.z[..n], &found.z[n..n + m]);
            let lower = check_follower(follower, x, y, convex, (FOLLOWER_STEPS, BOXES), watch).0;
            better_answer = (!lower.solved && lower.polished && lower.gap > 0.0).then_some(lower.solution);
            lower.solved
        });
    let better = best.as_ref().is_none_or(|best| {
        let rank = |f: &Found| (f.feasible(), f.answered);
        match rank(&found).cmp(&rank(best)) {
            Ordering::Equal if found.feasible() => found.objective < best.objective,
            Ordering::Equal => found.violation < best.violation,
            order => order.is_gt(),
        }
    });
    if better {
        *best = Some(found);
    }
    better_answer
}
