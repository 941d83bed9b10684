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

use super::options::{CHECK_STEPS, SEED, TOLERANCE};
use super::run::{Evaluation, Method, Point, Run};
use super::{Levels, Solver};
use crate::constrained::local::Local;
use crate::constrained::nlp::count;
use crate::constrained::{Found, relax};
use crate::derivatives::Quantity;
use crate::problem::{Feature, Problem};
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::state::State;
use crate::status::Termination;

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
    /// Why the model is too large; else its starts.
    local: Result<Local, String>,
    steps: usize,
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
    let seed = settings.count("seed") as u64;
    let local = match (refusal, &problem.constrained) {
        (Some(refusal), _) => Err(refusal),
        (None, Some(c)) => Ok(Local::new(c, &start.x, seed, problem.lower_convex)),
        (None, None) => Err("there is no single-level form".into()),
    };
    Box::new(Kkt { local, steps: settings.count("steps") })
}

impl Method for Kkt {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, run: &mut Run<'_>) -> Evaluation {
        let (Ok(local), Some(mut c)) = (&mut self.local, problem.constrained.take()) else {
            return Evaluation::NONE;
        };
        local.next(&mut c, &mut |nlp| {
            count(problem, nlp);
            run.poll(problem)
        });
        count(problem, &c.single);
        let mut evaluation = Evaluation::NONE;
        if let Some(best) = &local.best {
            c.found = Some(best.clone());
            let (n, m) = c.lens;
            point.x.copy_from_slice(&best.z[..n]);
            point.y.copy_from_slice(&c.lower_part(&best.z));
            let measure = best.violation.max(best.stationarity);
            let more = local.begun <= self.steps;
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
        let best = self.local.as_ref().ok().and_then(|local| local.best.as_ref());
        best.is_some_and(Found::is_ray).then_some(Termination::Unbounded)
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.local.iter_mut().for_each(|local| local.state(state));
        true
    }

    fn refusal(&self) -> Option<String> {
        self.local.as_ref().err().cloned()
    }
}
