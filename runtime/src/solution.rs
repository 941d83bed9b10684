//! What a run returns, and the entry point that makes one: solve, then check independently.

use ndarray::ArrayD;

use crate::check::{Check, check};
use crate::constrained::tree::Proof;
use crate::constrained::tree::ties::Ties;
use crate::constrained::{Found, ending};
use crate::derivatives::{Derivatives, Quantity};
use crate::fallback::{self, Fallback};
use crate::hypergradient::Trajectory;
use crate::monitor::{Monitor, Trace};
use crate::problem::{Fault, Problem};
use crate::settings::Settings;
use crate::slopes::{Slopes, slopes};
use crate::solvers::options::FINISH;
use crate::solvers::{Ended, Point, Run, Solver, evaluations};
use crate::space::Space;
use crate::state::{Keep, Snapshot};
use crate::status::{Cause, PointStatus, Termination, verdict};

/// A variable at the solution.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// The name in the model.
    pub name: String,
    /// The values in the variable's shape; no axes for a scalar.
    pub values: ArrayD<f64>,
}

/// The result of a run. Objectives are in the user's sign; everything inside `check` is minimised.
#[derive(Clone, Debug)]
pub struct Solution {
    /// The solver's name.
    pub solver: &'static str,
    /// Why the run stopped.
    pub termination: Termination,
    /// What the point is worth.
    pub point: PointStatus,
    /// Both in words.
    pub verdict: String,
    /// `F(x, y)` in the user's sign; NaN when it could not be evaluated.
    pub upper_objective: f64,
    /// `f(x, y)` in the user's sign; `None` without a lower level.
    pub lower_objective: Option<f64>,
    /// `F(x, ŷ)` in the user's sign, with `ŷ` the lower solution found by the check.
    pub upper_objective_checked: f64,
    /// What is proved about the upper objective, by the method; the bound is in the user's sign.
    pub proof: Option<Proof>,
    /// What the upper objective may be over the follower's best answers, in the user's sign: the best of them for the leader, and
    /// the worst.
    pub ties: Option<Ties>,
    /// The independent check.
    pub check: Check,
    /// The lower gap of the method's own last iterate, where the lower level was solved after it (option `finish`).
    pub gap_left: Option<f64>,
    /// What is returned instead of where the run ended, where that was worse than its start.
    pub fallback: Option<Fallback>,
    /// The solver's own measure at the last iteration.
    pub measure: f64,
    /// The upper variables, flat (n): the last complete iterate, or after divergence the one with the smallest measure.
    pub x: Vec<f64>,
    /// The lower variables, flat (m), of the same iterate, or those of the lower solution found from them: see `gap_left`.
    pub y: Vec<f64>,
    /// The upper variables by name.
    pub upper: Vec<Variable>,
    /// The lower variables by name.
    pub lower: Vec<Variable>,
    /// The reported scalars at the point, by name.
    pub reports: Vec<(String, f64)>,
    /// Multipliers of the constraints with names, of both levels.
    pub multipliers: Vec<Variable>,
    /// The reported derivatives of the follower's answer.
    pub slopes: Vec<Slopes>,
    /// Complete outer iterations.
    pub iterations: usize,
    /// The iteration of the point, where the watcher kept one.
    pub kept: Option<usize>,
    /// Passes over the terms of the sampled sums, by what was evaluated at one point on one batch; `None` for methods that do not sample.
    pub epochs: Option<f64>,
    /// Evaluations by the solver, per quantity, without the check.
    pub calls: Vec<(Quantity, u64)>,
    /// Evaluations by the check.
    pub check_calls: u64,
    /// The course of the run.
    pub trace: Trace,
    /// How the iterates that were differentiated through were held; `None` for methods that do not.
    pub trajectory: Option<Trajectory>,
    /// The first value that was not finite, and the point to blame.
    pub fault: Option<Fault>,
}

impl Solution {
    /// Whether the point is one the model allows, as far as the check can tell: the lower level is solved and no constraint
    /// violated. Without either every point with finite values is.
    pub fn is_feasible(&self) -> bool {
        match self.point {
            PointStatus::Optimal | PointStatus::Stationary | PointStatus::Feasible => true,
            PointStatus::NotAttained => true,
            PointStatus::NotSolved => self.check.lower.is_none() && self.check.violation.is_none(),
            PointStatus::Unknown => false,
        }
    }

    /// The solver's evaluations, reports left out.
    pub fn evaluations(&self) -> u64 {
        self.calls.iter().filter(|(quantity, _)| *quantity != Quantity::Reports).map(|(_, n)| n).sum()
    }
}

/// Runs `solver` on `problem` from the model's start, checks the point it returns, and says what it is worth. `settings` must
/// come from [`Solver::settings`] of the same solver.
///
/// Never fails: a run that breaks down returns its last good iterate and says so.
pub fn solve(
    problem: &mut Problem,
    solver: &Solver,
    settings: &Settings,
    monitor: &mut dyn Monitor,
) -> Solution {
    let start = Point::start(problem);
    solve_from(problem, solver, settings, start, monitor)
}

/// As [`solve`], from another start, which is put into the domains first.
///
/// # Panics
/// When the lengths of `start` are not those of the problem.
pub fn solve_from(
    problem: &mut Problem,
    solver: &Solver,
    settings: &Settings,
    start: Point,
    monitor: &mut dyn Monitor,
) -> Solution {
    run(problem, solver, settings, start, None, monitor)
}

/// As [`solve_from`] with the same problem, settings and start, from where a run of them was when it gave its watcher this snapshot:
/// what follows has the same bits. A snapshot of another run is refused where its size tells.
///
/// # Panics
/// As [`solve_from`].
pub fn resume(
    problem: &mut Problem,
    solver: &Solver,
    settings: &Settings,
    start: Point,
    snapshot: &Snapshot,
    monitor: &mut dyn Monitor,
) -> Solution {
    run(problem, solver, settings, start, Some(snapshot), monitor)
}

fn run(
    problem: &mut Problem,
    solver: &Solver,
    settings: &Settings,
    mut start: Point,
    snapshot: Option<&Snapshot>,
    monitor: &mut dyn Monitor,
) -> Solution {
    assert_eq!(
        (start.x.len(), start.y.len()),
        (problem.upper.len(), problem.lower.len()),
        "lengths of the start"
    );
    problem.upper.project(&mut start.x);
    problem.lower.project(&mut start.y);
    if let Some(constrained) = &mut problem.constrained {
        constrained.found = None;
        constrained.proof = None;
    }
    let (before, before_table) = (problem.calls(), problem.call_table());
    let (evaluated, calls) = (evaluations(problem), problem.all_calls());
    let unformed = (solver.levels.has_rows() && problem.constrained.is_none())
        .then(|| format!("`{}` needs the single-level form, which was not compiled", solver.name));
    let mut trajectory = None;
    let origin = fallback::compares(problem, settings).then(|| start.clone());
    let ended = match solver.misfit(problem.has_lower, &problem.asks).or(unformed) {
        Some(reason) => refused(start, reason),
        None => {
            let mut method = (solver.build)(problem, settings, &start);
            trajectory = method.trajectory();
            if let Some(Trajectory::TooLarge { needed }) = trajectory {
                refused(start, does_not_fit(solver.name, needed, problem.memory))
            } else if let Some(reason) = method.refusal() {
                refused(start, reason)
            } else if (monitor.keeps() && monitor.insists() || snapshot.is_some())
                && !method.state(&mut Keep::default())
            {
                let reason = "`{}` does not show its memory, so a run of it cannot be kept and go on later";
                refused(start, reason.replace("{}", solver.name))
            } else {
                let (steps, tolerance) = (settings.count("steps"), settings.real("tolerance"));
                let run = Run::new(problem, &start, steps, tolerance, monitor)
                    .counting(method.as_ref(), problem)
                    .counting_from(evaluated, calls)
                    .retreating(solver, settings, &start);
                match snapshot {
                    None => run.drive(method, problem, start),
                    Some(snapshot) => run
                        .resume(snapshot, method, problem, start.clone())
                        .unwrap_or_else(|| refused(start, "the checkpoint is not one of this run".into())),
                }
            }
        }
    };
    monitor.ended();
    let fault = problem.take_fault();
    let calls = since(&problem.call_table(), &before_table);
    // The check may cost as much as the run, but a short run must not starve it.
    let spent = usize::try_from(problem.calls() - before).unwrap_or(usize::MAX);
    let budget = settings.count("check_steps").min(spent.max(200));
    let finish = settings.says(FINISH);
    let named = (solver.name, solver.has_steps());
    Solution { calls, fault, trajectory, ..assess(problem, named, ended, origin, (budget, finish)) }
}

/// Checks a point that another program found and reads its values, as if a method of this name had ended there. The point is put into
/// the domains first; `iterations`: how often the program ran; `settings`: those
/// of a method that works on what the problem was compiled for.
pub fn judge(
    problem: &mut Problem,
    name: &'static str,
    mut point: Point,
    (termination, iterations): (Termination, usize),
    settings: &Settings,
) -> Solution {
    problem.upper.project(&mut point.x);
    problem.lower.project(&mut point.y);
    if let Some(constrained) = &mut problem.constrained {
        (constrained.found, constrained.proof) = (None, None);
    }
    let ended = Ended { termination, iterations, ..refused(point, String::new()) };
    let solution = assess(problem, (name, false), ended, None, (settings.count("check_steps"), false));
    Solution { fault: problem.take_fault(), ..solution }
}

/// Checks the point a run ended at and reads its values; `calls`, `fault` and `trajectory` are left empty. With `finish` a lower
/// level that is not solved is solved first; with an `origin` the run is compared with it.
fn assess(
    problem: &mut Problem,
    (name, has_steps): (&'static str, bool),
    ended: Ended,
    origin: Option<Point>,
    (budget, finish): (usize, bool),
) -> Solution {
    let before = problem.calls();
    let Ended { mut termination, iterations, mut point, best, kept, measure, epochs, trace } = ended;
    termination = without_answer(problem, &point, termination);
    let (mut gap_left, mut fallback) = (None, None);
    let (check, mut upper_objective, reports) = if termination.leaves_no_point() {
        (Check::unknown(), f64::NAN, Vec::new())
    } else {
        let mut checked = check(problem, &point.x, &point.y, budget);
        if finish && let Some(lower) = checked.lower.take_if(|lower| lower.polished && !lower.solved) {
            gap_left = Some(lower.gap);
            point.y[..lower.solution.len()].copy_from_slice(&lower.solution);
            checked = check(problem, &point.x, &point.y, budget);
        }
        // What a watcher kept is what it wanted.
        let origin = origin.filter(|origin| kept.is_none() && origin.x != point.x);
        let other = origin.and_then(|start| {
            let ended = Some(checked.upper_objective).filter(|value| value.is_finite());
            fallback::instead(problem, ended.unwrap_or(f64::INFINITY), &start, &best, budget)
        });
        if let Some((other, how)) = other {
            checked = check(problem, &other.x, &other.y, budget);
            (point, fallback, gap_left) = (other, Some(how), None);
        }
        let (upper_objective, reports) = values(problem, &point.x, &point.y);
        (checked, upper_objective, reports)
    };
    let told = not_solved(problem, &point, &check, &mut termination);
    if termination.leaves_no_point() {
        upper_objective = f64::NAN;
    }
    let slopes =
        if check.point == PointStatus::Unknown { Vec::new() } else { slopes(problem, &point.x, &check) };
    let (multipliers, said) = multipliers(problem, &point, &check);
    let Point { x, y } = point;
    let lower_objective = check.lower.as_ref().map_or(f64::NAN, |l| l.objective);
    let proof = check.proof.map(|proof| Proof { bound: problem.upper_sign * proof.bound, ..proof });
    let ties = check.ties.map(|ties| Ties {
        least: problem.upper_sign * ties.least,
        most: problem.upper_sign * ties.most,
        ..ties
    });
    let mut verdict = verdict(&termination, &check, (proof, ties), gap_left, has_steps);
    verdict.extend(told.map(|told| format!("; {told}")));
    verdict.extend(said.map(|said| format!("; {said}")));
    verdict.extend(fallback.map(|fallback| fallback.words(problem.upper_sign)));
    Solution {
        solver: name,
        verdict,
        termination,
        point: check.point,
        upper_objective: problem.upper_sign * upper_objective,
        lower_objective: problem.has_lower.then_some(problem.lower_sign * lower_objective),
        proof,
        ties,
        upper_objective_checked: problem.upper_sign * check.upper_objective,
        measure,
        upper: variables(&problem.upper, &x),
        lower: variables(&problem.lower, &y),
        reports,
        multipliers,
        slopes,
        iterations,
        epochs,
        kept,
        calls: Vec::new(),
        check_calls: problem.calls() - before,
        trace,
        trajectory: None,
        fault: None,
        check,
        gap_left,
        fallback,
        x,
        y,
    }
}

/// The multipliers at an answer, and what is to be said of them.
fn multipliers(problem: &mut Problem, point: &Point, check: &Check) -> (Vec<Variable>, Option<String>) {
    let answers =
        matches!(check.point, PointStatus::Optimal | PointStatus::Stationary | PointStatus::Feasible);
    let Some(c) = problem.constrained.as_deref_mut().filter(|_| answers) else { return (Vec::new(), None) };
    let (named, said) = c.named_multipliers((&point.x, &point.y), check.reduced.as_ref());
    (named.into_iter().map(|(name, values)| Variable { name, values }).collect(), said)
}

/// How a run ended for which there is no answer, with the reason where it can be found.
fn without_answer(problem: &mut Problem, point: &Point, termination: Termination) -> Termination {
    let Some(c) = &mut problem.constrained else { return termination };
    if c.found.as_ref().is_some_and(Found::is_ray) {
        return Termination::Unbounded;
    }
    match termination {
        Termination::Infeasible(_) => ending::reason(c, &point.x, &problem.upper).unwrap_or(termination),
        _ => termination,
    }
}

/// Looks for the reason why a complete run ended without an answer: another termination, or what is to be said besides.
fn not_solved(
    problem: &mut Problem,
    point: &Point,
    check: &Check,
    termination: &mut Termination,
) -> Option<&'static str> {
    let complete =
        matches!(termination, Termination::Steps | Termination::Tolerance | Termination::Stalled { .. });
    if !complete || !matches!(check.point, PointStatus::NotSolved | PointStatus::Unknown) {
        return None;
    }
    match ending::reason(problem.constrained.as_mut()?, &point.x, &problem.upper)? {
        // That the follower has no answer that the constraints allow is not proved here.
        Termination::Infeasible(Cause::Response) => return Some(ending::NO_ANSWER_FOUND),
        reason => *termination = reason,
    }
    None
}

/// Why a method whose iterates do not fit is not run.
fn does_not_fit(solver: &str, needed: usize, memory: usize) -> String {
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    format!(
        "the iterates that `{solver}` differentiates through need {:.1} MiB even as checkpoints, and it may use {:.1} MiB: fewer lower \
         steps, a smaller `truncate` or more memory would do",
        mib(needed),
        mib(memory)
    )
}

fn refused(point: Point, reason: String) -> Ended {
    Ended {
        termination: Termination::Refused { reason },
        iterations: 0,
        best: point.clone(),
        point,
        kept: None,
        measure: f64::NAN,
        epochs: None,
        trace: Trace::default(),
    }
}

/// The upper objective, minimised, and the reports at a point.
fn values(problem: &mut Problem, x: &[f64], y: &[f64]) -> (f64, Vec<(String, f64)>) {
    problem.tolerantly(|problem| {
        let (mut gx, mut gy) = (vec![0.0; x.len()], vec![0.0; y.len()]);
        let value = problem.upper_gradients(x, y, &mut gx, &mut gy);
        let mut reports = vec![f64::NAN; problem.report_names.len()];
        if !reports.is_empty() {
            problem.reports(x, y, &mut reports);
        }
        (value, problem.report_names.iter().cloned().zip(reports).collect())
    })
}

fn variables(space: &Space, flat: &[f64]) -> Vec<Variable> {
    let variable = |block: &crate::space::Block| Variable {
        name: block.name.clone(),
        values: space.view(block, flat).to_owned(),
    };
    space.blocks().iter().map(variable).collect()
}

/// The difference of two call tables.
pub fn since(now: &[(Quantity, u64)], before: &[(Quantity, u64)]) -> Vec<(Quantity, u64)> {
    let earlier = |q: Quantity| before.iter().find(|(b, _)| *b == q).map_or(0, |(_, n)| *n);
    now.iter().map(|&(q, n)| (q, n - earlier(q))).filter(|(_, n)| *n > 0).collect()
}
