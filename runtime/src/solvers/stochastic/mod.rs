//! Stochastic methods: what an iteration needs is estimated on batches of the sums that the model marks `~`. A method is composed of
//! an [`Estimator`] of the directions (a batch, SAGA tables, SPIDER recursion), how often each variable steps (all at once in
//! [`single`], lower and adjoint steps in an inner loop in [`nested`]), and sizes of steps that fall over the run.
//!
//! On a model without `~`, or with `batch = all`, every batch is the whole: the methods are then deterministic.
//!
//! What all of them drive to zero are the three directions of SOBA, with `H v = ∇y F` for the adjoint `v`: `∇y f` for `y`,
//! `∇²yy f · v − ∇y F` for `v` and `∇x F − ∇²xy f · v` for `x`. (The papers on SOBA, SABA and SRBA write `−v`.) Now and then the run
//! looks at the full objectives and directions: at the start, at the end, and whenever a pass over the data is complete and a row of
//! the trace is due. Only then can it stop at a tolerance. Looks are not counted in the passes.

pub(super) mod amigo;
mod estimator;
pub(super) mod f2sa;
pub(super) mod fsla;
pub(super) mod ma_soba;
mod nested;
mod oracle;
pub(super) mod saba;
mod single;
mod sizes;
pub(super) mod soba;
pub(super) mod srba;
pub(super) mod stocbio;

use self::oracle::Oracle;
use super::run::{Evaluation, Method, Point, Run};
use crate::derivatives::Quantity;
use crate::monitor::Trace;
use crate::problem::Problem;
use crate::settings::{Kind, OptionSpec, Preset, Settings};
use crate::state::State;
use crate::status::Termination;

/// How many terms a batch has.
pub(super) const BATCH: OptionSpec = OptionSpec {
    name: "batch",
    kind: Kind::CountOr("all"),
    default: Preset::Number(64.0),
    doc: "Terms of a sampled sum in a batch, at most; the terms are cut into batches of sizes that differ by 1 at most. `all` takes the full sums.",
};

/// How the steps fall.
const fn decay(default: Preset) -> OptionSpec {
    OptionSpec {
        name: "decay",
        kind: Kind::ShareOr("auto"),
        default,
        doc: "All steps fall like (k+1)^-decay, but for an automatic upper step, which falls by itself; with 0 they keep their size, and without variance reduction the iterates then stay as noisy as they are. `auto` is 0.5 on batches and 0 on whole sums, which have no noise.",
    }
}

/// Steps that fall as long as there is noise.
const FALLING: Preset = Preset::Word("auto");

/// Steps that do not fall.
const STEADY: Preset = Preset::Number(0.0);

/// The step on the adjoint.
const ADJOINT_STEP: OptionSpec = OptionSpec {
    name: "adjoint_step",
    kind: Kind::PositiveOr("auto"),
    default: Preset::Word("auto"),
    doc: "Step size of the adjoint (eta); `auto` is that of the lower steps.",
};

/// The step on the lower variables.
const LOWER_STEP: OptionSpec = OptionSpec {
    name: "lower_step",
    kind: Kind::PositiveOr("auto"),
    default: Preset::Word("auto"),
    doc: "Step size on the lower level; `auto` is 1/(3 B) with B the largest curvature of a batch, found again whenever the passes have doubled; without batches 1/(2 L) with L that of the whole.",
};

/// The sizes of the benchmark that came with SOBA and SABA, for steps that fall like (k+1)^-decay.
const fn paper(decay: f64) -> [(&'static str, Preset); 5] {
    [
        ("batch", Preset::Number(64.0)),
        ("lower_step", Preset::Number(0.1)),
        ("adjoint_step", Preset::Number(0.1)),
        ("decay", Preset::Number(decay)),
        ("upper_step", Preset::Number(0.1)),
    ]
}

/// What the single-loop methods evaluate.
fn single_needs(_: &Settings) -> Vec<Quantity> {
    vec![Quantity::LowerGradient, Quantity::LowerHessian, Quantity::LowerDirections, Quantity::UpperGradients]
}

/// A method that works on batches.
trait Stochastic {
    /// One iteration; `k` counts from 0.
    fn step(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &mut Point, k: usize);

    /// The full objectives and directions, and sizes of steps that suit the point.
    fn look(&mut self, oracle: &mut Oracle, problem: &mut Problem, point: &Point) -> Evaluation;

    /// As [`Method::state`], of all that is not the oracle's.
    fn state(&mut self, state: &mut dyn State);

    /// The bytes of tables it keeps.
    fn bytes(&self) -> usize {
        0
    }
}

/// A stochastic method as the run sees it.
struct Sampling<S> {
    method: S,
    oracle: Oracle,
    steps: usize,
    k: usize,
    /// Terms that were touched when the run looked last.
    looked: Option<u64>,
    fresh: bool,
    known: Evaluation,
    memory: usize,
}

impl<S: Stochastic> Sampling<S> {
    fn new(problem: &Problem, settings: &Settings, oracle: Oracle, method: S) -> Self {
        Sampling {
            method,
            oracle,
            steps: settings.count("steps"),
            k: 0,
            looked: None,
            fresh: false,
            known: Evaluation::NONE,
            memory: problem.memory,
        }
    }

    /// Whether it is time to look: after a pass, where a row of the trace is due, and at both ends.
    fn is_due(&self) -> bool {
        let Some(looked) = self.looked else { return true };
        let row = self.k.is_multiple_of(Trace::stride(self.steps));
        self.k == self.steps || (row && self.oracle.touched() - looked >= self.oracle.terms())
    }
}

impl<S: Stochastic> Method for Sampling<S> {
    fn evaluate(&mut self, problem: &mut Problem, point: &mut Point, _: &mut Run<'_>) -> Evaluation {
        self.fresh = self.is_due();
        if self.fresh {
            self.known = self.method.look(&mut self.oracle, problem, point);
            self.looked = Some(self.oracle.touched());
        }
        self.known
    }

    fn update(&mut self, problem: &mut Problem, point: &mut Point, k: usize) -> Option<Termination> {
        self.method.step(&mut self.oracle, problem, point, k);
        self.k = k + 1;
        None
    }

    fn state(&mut self, state: &mut dyn State) -> bool {
        self.oracle.state(state);
        state.count(&mut self.k);
        let mut looked = self.looked.unwrap_or(u64::MAX);
        state.word(&mut looked);
        self.looked = (looked != u64::MAX).then_some(looked);
        let Evaluation { upper, lower, measure } = &mut self.known;
        for value in [upper, lower, measure] {
            state.number(value);
        }
        self.method.state(state);
        true
    }

    fn is_fresh(&self) -> bool {
        self.fresh
    }

    fn epochs(&self) -> Option<f64> {
        Some(self.oracle.epochs())
    }

    fn refusal(&self) -> Option<String> {
        let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
        (self.method.bytes() > self.memory).then(|| {
            format!(
                "its tables need {:.1} MiB, and it may use {:.1} MiB: larger batches or more memory would do",
                mib(self.method.bytes()),
                mib(self.memory)
            )
        })
    }
}
