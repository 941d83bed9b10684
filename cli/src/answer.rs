//! What a run found, in the terms of the model, and whether it ended as asked.

use blo_compiler::model::Model;
use blo_compiler::{blame, expectations, follower_objectives};
use blo_runtime::derivatives::Quantity;
use blo_runtime::solution::Solution;
use blo_runtime::status::{PointStatus, Termination};
use ndarray::ArrayD;

use crate::output::{Lower, RunResult, Seconds, Variable};
use crate::session::Session;

/// Points at the expression to blame for a run that met a number that is not finite.
pub fn tell_fault(session: &mut Session, model: &Model, solution: &Solution) {
    if let (Termination::NonFinite { .. }, Some(fault)) = (&solution.termination, &solution.fault) {
        let diagnostics: Vec<_> = blame(model, &fault.x, &fault.y).into_iter().collect();
        session.tell(&diagnostics);
    }
}

/// Whether the run came to its own end and the point passes the check of the lower level.
pub fn ended_as_asked(solution: &Solution) -> bool {
    let ended = match solution.termination {
        Termination::Tolerance
        | Termination::Steps
        | Termination::Goal
        | Termination::Patience
        | Termination::Stalled { .. } => true,
        Termination::TimeLimit
        | Termination::Interrupted
        | Termination::NonFinite { .. }
        | Termination::Diverged { .. }
        | Termination::LineSearchFailed { .. }
        | Termination::Infeasible(_)
        | Termination::Unbounded
        | Termination::LowerUnbounded(_)
        | Termination::Refused { .. } => false,
    };
    let answers = !matches!(solution.point, PointStatus::NotSolved | PointStatus::NotAttained);
    ended && solution.is_feasible() && answers
}

/// The times so far.
pub fn seconds(session: &Session, model: &Model, cached: bool) -> Seconds {
    let data = model.data.iter().filter_map(|d| d.value.as_ref()).map(|v| v.len()).sum();
    Seconds { parts: session.clock.read(), cached, data }
}

/// The result in the terms of the model. `calls`: evaluations of the run, the check's included.
pub fn result(
    model: &Model,
    solution: &Solution,
    calls: &[(Quantity, u64)],
    seconds: Seconds,
    seed: u64,
) -> RunResult {
    // Multipliers that the model reads follow the lower variables.
    let lower_variables = model.lower.as_ref().map_or(0, |lower| lower.vars.len());
    let mut result = bare(solution, lower_variables, calls, seconds, seed);
    let lower = result.lower;
    let found = [
        ("lower.gap", lower.map_or(f64::NAN, |l| l.gap)),
        ("lower.stationarity", lower.map_or(f64::NAN, |l| l.stationarity)),
        ("hypergradient_norm", result.hypergradient_norm),
    ];
    result.followers = follower_objectives(model, &solution.x, &solution.y);
    let expects = expectations(model, &solution.x, &solution.y, &found);
    result.expects = expects.into_iter().map(|e| (e.text, e.holds)).collect();
    result.variables.iter_mut().for_each(|variable| variable.labels = labels(model, &variable.name));
    result
}

/// Values without labels.
fn plain(name: String, values: &ArrayD<f64>) -> Variable {
    Variable {
        name,
        shape: values.shape().to_vec(),
        values: values.iter().copied().collect(),
        labels: vec![None; values.ndim()],
    }
}

/// What can be said of a solution without the model: all but its labels, followers and expectations.
pub fn bare(
    solution: &Solution,
    lower_variables: usize,
    calls: &[(Quantity, u64)],
    seconds: Seconds,
    seed: u64,
) -> RunResult {
    let lower = solution.lower_objective.map(|objective| {
        let check = solution.check.lower.as_ref();
        Lower {
            objective,
            gap: check.map_or(f64::NAN, |c| c.gap),
            gap_left: solution.gap_left,
            stationarity: check.map_or(f64::NAN, |c| c.stationarity),
        }
    });
    let status = match (&solution.termination, solution.point) {
        (Termination::Infeasible(_), _) => "infeasible",
        (Termination::Unbounded | Termination::LowerUnbounded(_), _) => solution.termination.name(),
        (_, PointStatus::Optimal) => "optimal",
        (_, PointStatus::Stationary) => "solved",
        (_, PointStatus::Feasible) => "feasible",
        (_, PointStatus::NotAttained) => "not_attained",
        (_, PointStatus::NotSolved | PointStatus::Unknown) => "not_solved",
    };
    let variables = solution.upper.iter().chain(solution.lower.iter().take(lower_variables));
    RunResult {
        status: status.into(),
        termination: solution.termination.name().into(),
        verdict: solution.verdict.clone(),
        upper_objective: solution.upper_objective,
        lower,
        followers: Vec::new(),
        hypergradient_norm: solution.check.hypergradient_norm.unwrap_or(f64::NAN),
        proof: solution.proof,
        ties: solution.ties,
        violation: solution.check.violation,
        variables: variables.map(|v| plain(v.name.clone(), &v.values)).collect(),
        reports: solution.reports.clone(),
        slopes: solution
            .slopes
            .iter()
            .map(|s| (plain(s.name.clone(), &s.values), s.note.map(str::to_owned)))
            .collect(),
        multipliers: solution.multipliers.iter().map(|m| plain(m.name.clone(), &m.values)).collect(),
        expects: Vec::new(),
        method: solution.solver.into(),
        because: None,
        iterations: solution.iterations,
        epochs: solution.epochs,
        kept: solution.kept,
        starts: None,
        trajectory: solution.trajectory.map(|trajectory| trajectory.to_string()),
        calls: calls.iter().map(|(q, n)| (q.name().to_string(), *n)).collect(),
        seconds,
        seed,
    }
}

/// The labels of a variable's axes.
fn labels(model: &Model, name: &str) -> Vec<Option<Vec<String>>> {
    let levels = std::iter::once(&model.upper).chain(&model.lower);
    let var = levels.flat_map(|level| &level.vars).find(|var| var.name == name);
    let labels_of = |dim: &String| model.dims.iter().find(|d| d.name == *dim)?.labels.clone();
    var.map_or_else(Vec::new, |var| var.dims.iter().map(|dim| labels_of(dim.as_ref()?)).collect())
}
