//! What a run hands to the outside: one record, written as JSON, as a summary for people, or into a folder.

pub mod comparison;
pub mod convexity;
pub mod cost;
pub mod folder;
pub mod human;
pub mod json;
pub mod messages;
pub mod overview;
pub mod proximal;

use blo_runtime::constrained::tree::Proof;
use blo_runtime::constrained::tree::ties::Ties;

use crate::starts::Start;
use crate::stopwatch::PARTS;

/// The result of a run, in the terms of the model. Objectives are in the user's sign; NaN where a value is not defined.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// What the point is worth, in one word.
    pub status: String,
    /// Why the solver stopped, in one word.
    pub termination: String,
    /// Both in a sentence.
    pub verdict: String,
    /// The upper objective.
    pub upper_objective: f64,
    /// The lower level; `None` for an ordinary optimisation.
    pub lower: Option<Lower>,
    /// The objective of every follower with a name.
    pub followers: Vec<(String, f64)>,
    /// The norm of the (projected) hypergradient.
    pub hypergradient_norm: f64,
    /// The largest violation of a constraint; `None` where the method knows none.
    pub violation: Option<f64>,
    /// What the method proved about the upper objective, in the model's own sense.
    pub proof: Option<Proof>,
    /// What the upper objective may be over the follower's best answers, in the model's own sense.
    pub ties: Option<Ties>,
    /// The variables of both levels, upper first.
    pub variables: Vec<Variable>,
    /// Metrics with their values.
    pub reports: Vec<(String, f64)>,
    /// How the follower's answer moves, by the names of the reports, and what is to be said of it.
    pub slopes: Vec<(Variable, Option<String>)>,
    /// Multipliers of constraints with names, of both levels.
    pub multipliers: Vec<Variable>,
    /// Conditions of `expect` as written, and whether they hold.
    pub expects: Vec<(String, bool)>,
    /// The method's name.
    pub method: String,
    /// Why, where the method was left to blo (`auto`).
    pub because: Option<String>,
    /// Complete outer iterations.
    pub iterations: usize,
    /// The iteration whose iterate was kept, where it is not the last one that counts.
    pub kept: Option<usize>,
    /// All starts, where there were several.
    pub starts: Option<Starts>,
    /// How the iterates that the method differentiated through were held, where it does.
    pub trajectory: Option<String>,
    /// Passes over the terms of the sampled sums; `None` for methods that do not sample.
    pub epochs: Option<f64>,
    /// How often each quantity was evaluated.
    pub calls: Vec<(String, u64)>,
    /// Wall-clock time.
    pub seconds: Seconds,
    /// The seed of random starts and data.
    pub seed: u64,
}

/// A run from several starts.
#[derive(Clone, Debug)]
pub struct Starts {
    /// The start of the answer.
    pub number: usize,
    /// How each one ended.
    pub lines: Vec<Start>,
}

/// The lower level's part of a result.
#[derive(Clone, Copy, Debug)]
pub struct Lower {
    /// The lower objective.
    pub objective: f64,
    /// How far the objective is above what an independent solve from here reaches.
    pub gap: f64,
    /// The gap of the method's own last iterate, where the lower level was solved after it.
    pub gap_left: Option<f64>,
    /// The norm of the (projected) lower gradient.
    pub stationarity: f64,
}

/// One variable at the solution.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its sizes; empty for a scalar.
    pub shape: Vec<usize>,
    /// Its values, row by row.
    pub values: Vec<f64>,
    /// The labels of each axis whose dimension has some.
    pub labels: Vec<Option<Vec<String>>>,
}

impl Variable {
    /// Whether some axis has labels.
    pub fn is_labelled(&self) -> bool {
        self.labels.iter().any(Option::is_some)
    }
}

/// Wall-clock time in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Seconds {
    /// By part, in the order of [`PARTS`].
    pub parts: [f64; PARTS.len()],
    /// Whether the machine code was found in the cache.
    pub cached: bool,
    /// How many numbers the data hold.
    pub data: usize,
}

impl Seconds {
    /// The time of one part.
    pub fn part(&self, name: &str) -> f64 {
        PARTS.iter().zip(&self.parts).filter(|(part, _)| **part == name).map(|(_, seconds)| seconds).sum()
    }

    /// Reading the values of data from files.
    pub fn read(&self) -> f64 {
        self.part("read")
    }

    /// From text to a program that is ready to run, without [`Seconds::read`].
    pub fn compile(&self) -> f64 {
        self.total() - self.solve() - self.read()
    }

    /// Solving, and checking the solution.
    pub fn solve(&self) -> f64 {
        self.part("solve") + self.part("answer")
    }

    /// From start to end of the command.
    pub fn total(&self) -> f64 {
        self.parts.iter().sum()
    }
}

impl RunResult {
    /// Whether some number in the result is not finite.
    pub fn has_non_finite(&self) -> bool {
        let lower = self.lower.map_or([0.0; 3], |l| [l.objective, l.gap, l.stationarity]);
        let scalars = [self.upper_objective, self.hypergradient_norm].into_iter().chain(lower);
        let named = self.reports.iter().chain(&self.followers).map(|(_, value)| *value);
        let variables = self.variables.iter().flat_map(|variable| variable.values.iter().copied());
        scalars.chain(named).chain(variables).any(|value| !value.is_finite())
    }
}

#[cfg(test)]
pub fn sample() -> RunResult {
    RunResult {
        status: "solved".into(),
        termination: "converged".into(),
        verdict: "stationary at both levels".into(),
        upper_objective: 7.2,
        lower: Some(Lower { objective: 0.5, gap: f64::NAN, gap_left: Some(0.5), stationarity: 1e-9 }),
        followers: vec![("firm".into(), 0.5)],
        hypergradient_norm: 2.5e-7,
        violation: None,
        proof: None,
        ties: None,
        variables: vec![
            Variable { name: "x".into(), shape: vec![], values: vec![1.5], labels: vec![] },
            Variable {
                name: "w".into(),
                shape: vec![2, 2],
                values: vec![1.0, 2.0, 3.0, f64::INFINITY],
                labels: vec![None, None],
            },
            Variable {
                name: "big".into(),
                shape: vec![100],
                values: (0..100).map(f64::from).collect(),
                labels: vec![None],
            },
            Variable {
                name: "flow".into(),
                shape: vec![2, 2],
                values: vec![0.0, 3.0, 4.0, 0.0],
                labels: vec![Some(vec!["Paris".into(), "Lyon".into()]), None],
            },
        ],
        reports: vec![("accuracy".into(), 0.9336)],
        slopes: Vec::new(),
        multipliers: Vec::new(),
        expects: vec![("accuracy >= 0.92".into(), true), ("accuracy >= 0.99".into(), false)],
        method: "bome".into(),
        because: None,
        iterations: 2000,
        kept: None,
        starts: None,
        trajectory: Some("checkpoints every 10".into()),
        epochs: None,
        calls: vec![("lower_gradient".into(), 20000)],
        seconds: Seconds {
            parts: [0.0005, 0.0015, 0.25, 0.001, 0.002, 0.001, 0.004, 0.0026, 1.25, 0.25],
            cached: false,
            data: 1 << 21,
        },
        seed: 0,
    }
}
