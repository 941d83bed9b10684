//! Why a run stopped, what its point is worth, and the sentence that says both.

use crate::check::{Check, LowerCheck};
use crate::constrained::tree::Proof;
use crate::constrained::tree::ties::Ties;
use crate::derivatives::Quantity;
use crate::space::Space;

/// Why a run stopped.
#[derive(Clone, Debug, PartialEq)]
pub enum Termination {
    /// The solver's measure came down to the tolerance.
    Tolerance,
    /// All the steps asked for were taken.
    Steps,
    /// The time was up.
    TimeLimit,
    /// The user interrupted it.
    Interrupted,
    /// What the run was to reach by its watcher has been reached.
    Goal,
    /// What the watcher looks at has not become better for long.
    Patience,
    /// A value was NaN or infinite at a point of ordinary size.
    NonFinite {
        /// What was being evaluated.
        quantity: Quantity,
        /// The outer iteration.
        iteration: usize,
    },
    /// The iterates, or the adjoints of a sweep, grew beyond all proportion to the start.
    Diverged {
        /// The outer iteration.
        iteration: usize,
        /// The largest magnitude met.
        size: f64,
        /// What has this magnitude.
        part: Part,
    },
    /// No lower value can be found at the accuracy of the arithmetic.
    Stalled {
        /// The outer iteration.
        iteration: usize,
    },
    /// No finite value was found along a search direction.
    LineSearchFailed {
        /// The outer iteration.
        iteration: usize,
    },
    /// There is no point that the model allows, and why.
    Infeasible(Cause),
    /// The upper objective falls without end along points that the model allows.
    Unbounded,
    /// The lower objective falls without end, at the upper variables described.
    LowerUnbounded(String),
    /// The solver is not for this problem.
    Refused {
        /// Why.
        reason: String,
    },
}

impl Termination {
    /// The word used in results.
    pub fn name(&self) -> &'static str {
        match self {
            Termination::Tolerance => "tolerance",
            Termination::Steps => "steps",
            Termination::TimeLimit => "time_limit",
            Termination::Interrupted => "interrupted",
            Termination::Goal => "goal",
            Termination::Patience => "patience",
            Termination::NonFinite { .. } => "non_finite",
            Termination::Diverged { .. } => "diverged",
            Termination::Stalled { .. } => "stalled",
            Termination::LineSearchFailed { .. } => "line_search_failed",
            Termination::Infeasible(Cause::Response) => "infeasible_response",
            Termination::Infeasible(_) => "infeasible",
            Termination::Unbounded => "unbounded",
            Termination::LowerUnbounded(_) => "lower_unbounded",
            Termination::Refused { .. } => "refused",
        }
    }

    /// Whether there is no point to look at.
    pub fn leaves_no_point(&self) -> bool {
        matches!(
            self,
            Termination::Refused { .. }
                | Termination::Infeasible(_)
                | Termination::Unbounded
                | Termination::LowerUnbounded(_)
        )
    }

    /// Whether the run broke down instead of ending by a test or by request.
    pub fn is_failure(&self) -> bool {
        match self {
            Termination::NonFinite { .. }
            | Termination::Diverged { .. }
            | Termination::LineSearchFailed { .. }
            | Termination::Refused { .. } => true,
            Termination::Tolerance
            | Termination::Steps
            | Termination::TimeLimit
            | Termination::Interrupted
            | Termination::Goal
            | Termination::Patience
            | Termination::Infeasible(_)
            | Termination::Unbounded
            | Termination::LowerUnbounded(_)
            | Termination::Stalled { .. } => false,
        }
    }
}

/// What grew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The upper variables.
    Upper,
    /// The lower variables.
    Lower,
    /// Both levels' variables, one after the other.
    Both,
    /// An adjoint or another direction in the space of a level.
    Direction,
}

impl Part {
    /// The larger of the magnitudes of upper variables, lower variables and directions, and whose it is.
    pub(crate) fn largest(x: f64, y: f64, direction: f64) -> (f64, Part) {
        let together = |a: f64, b: f64| a.min(b) > 1e-3 * a.max(b);
        if direction > x && direction > y {
            (direction, Part::Direction)
        } else if together(x, y) {
            (x.max(y), Part::Both)
        } else if x > y {
            (x, Part::Upper)
        } else {
            (y, Part::Lower)
        }
    }
}

impl std::fmt::Display for Termination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Termination::Tolerance => write!(f, "stopped at the tolerance"),
            Termination::Steps => write!(f, "ran all the steps"),
            Termination::TimeLimit => write!(f, "stopped at the time limit"),
            Termination::Interrupted => write!(f, "interrupted"),
            Termination::Goal => write!(f, "stopped at the goal"),
            Termination::Patience => write!(f, "stopped because the watched value did not become better"),
            Termination::NonFinite { quantity, iteration } => {
                write!(f, "{} was not finite in iteration {iteration}", describe(*quantity))
            }
            Termination::Diverged { iteration, size, part } => {
                let (what, step) = match part {
                    Part::Upper => ("an upper variable", "`upper_step`"),
                    Part::Lower => ("a lower variable", "`lower_step`"),
                    Part::Both => ("a variable", "`upper_step` or `lower_step`"),
                    Part::Direction => ("an adjoint", "`lower_step`"),
                };
                write!(
                    f,
                    "diverged in iteration {iteration}: {what} reached {size:.1e}; try a smaller step ({step})"
                )
            }
            Termination::Stalled { iteration } => {
                write!(
                    f,
                    "no lower value was found at the accuracy of the arithmetic in iteration {iteration}"
                )
            }
            Termination::LineSearchFailed { iteration } => {
                write!(f, "no finite value was found along the search direction in iteration {iteration}")
            }
            Termination::Infeasible(cause) => write!(f, "the model has no solution: {}", cause.words()),
            Termination::LowerUnbounded(place) => {
                write!(f, "the follower has no answer: its objective falls without end at {place}")
            }
            Termination::Unbounded => write!(f, "the model has no solution: {NO_BOUND}"),
            Termination::Refused { reason } => write!(f, "{reason}"),
        }
    }
}

/// Why there is no point that the model allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The constraints of both levels contradict each other, whatever the follower does.
    Constraints,
    /// They hold together at some points, but not at an answer of the follower.
    Response,
    /// It was not found out.
    Unknown,
}

impl Cause {
    fn words(self) -> &'static str {
        match self {
            Cause::Constraints => "the constraints contradict each other, whatever the follower answers",
            Cause::Response => {
                "there are points at which all constraints hold, but the follower's answers are none of them (infeasible by response)"
            }
            Cause::Unknown => {
                "every branch ends without a point at which all constraints hold and the lower level is solved"
            }
        }
    }
}

const NO_BOUND: &str = "along a ray of points at which all constraints hold and the lower level is solved, the upper objective falls without end";

/// A quantity in words.
fn describe(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::LowerValue => "the lower objective",
        Quantity::LowerGradient
        | Quantity::LowerGradients
        | Quantity::LowerGradientX
        | Quantity::SmoothGradient => "the lower objective or its gradient",
        Quantity::LowerHessian
        | Quantity::LowerSecondOrder
        | Quantity::LowerDirections
        | Quantity::LowerCross
        | Quantity::SmoothHessian => "a second derivative of the lower objective",
        Quantity::ProximalWeights => "the weight of a nonsmooth term of the lower objective",
        Quantity::UpperValue => "the upper objective",
        Quantity::UpperGradients | Quantity::UpperGradientX => "the upper objective or its gradient",
        Quantity::UpperSecondOrder => "a second derivative of the upper objective",
        Quantity::Reports => "a reported value",
    }
}

/// What the point is worth, by the independent check. Stationary is not optimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointStatus {
    /// No point that the model allows is better: proved, to the tolerance of the proof.
    Optimal,
    /// The lower level is solved and the upper level stationary, both to the check's tolerances.
    Stationary,
    /// The lower level is solved; the upper level is not shown to be stationary.
    Feasible,
    /// The lower level is solved, and the upper objective falls towards a place at which the follower's answer jumps: its infimum is
    /// not attained.
    NotAttained,
    /// The lower level is not solved, or without one the point is not stationary.
    NotSolved,
    /// The check could not be made.
    Unknown,
}

impl PointStatus {
    /// The word used in results.
    pub fn name(self) -> &'static str {
        match self {
            PointStatus::Optimal => "optimal",
            PointStatus::Stationary => "stationary",
            PointStatus::Feasible => "feasible",
            PointStatus::NotAttained => "not_attained",
            PointStatus::NotSolved => "not_solved",
            PointStatus::Unknown => "unknown",
        }
    }
}

/// One or two sentences: what the point is worth, why the run stopped when that was not a test, and the lower gap that the
/// method left where the lower level was solved after it. `proof` and `ties`: what is proved and
/// what else the follower may answer, in the model's own sense. `has_steps`: whether
/// an option of the method shortens its steps.
pub fn verdict(
    termination: &Termination,
    check: &Check,
    (proof, ties): (Option<Proof>, Option<Ties>),
    gap_left: Option<f64>,
    has_steps: bool,
) -> String {
    if termination.leaves_no_point() {
        return termination.to_string();
    }
    let mut text = worth(check, proof);
    text.extend(ties.and_then(ties_worth).map(|said| format!("; {said}")));
    if let Some(gap) = gap_left {
        text += &format!("; the method left a lower gap of {}, closed at its last x", short(gap));
    }
    match termination {
        Termination::Tolerance | Termination::Steps | Termination::Stalled { .. } => text,
        Termination::Diverged { size, .. } if !has_steps => {
            format!(
                "a variable reached {size:.1e}: the objective may be unbounded. At the point kept: {text}"
            )
        }
        stopped => format!("{stopped}. At the point kept: {text}"),
    }
}

/// What the point is worth.
fn worth(check: &Check, proof: Option<Proof>) -> String {
    if check.point == PointStatus::Unknown {
        return "the point could not be checked".to_string();
    }
    let mut parts: Vec<String> = check.violation.map(|v| constraints_worth(v, check)).into_iter().collect();
    parts.extend(check.lower.iter().map(lower_worth));
    // What a local run shows of a point stands beside the bound, where there is no proof.
    let local = check.single_level.is_some() && check.point != PointStatus::Optimal;
    if proof.is_none() || local {
        parts.push(upper_worth(check));
    }
    parts.extend(proof.map(|proof| proof_worth(proof, check)));
    parts.extend(check.note.clone());
    parts.join("; ")
}

fn lower_worth(lower: &LowerCheck) -> String {
    let gap = short(lower.gap);
    if lower.spent {
        return format!(
            "the lower gap is not known: solving the lower level again takes more evaluations than the check may spend (stationarity {})",
            short(lower.stationarity)
        );
    }
    if !lower.polished {
        let stationarity = short(lower.stationarity);
        return format!(
            "the lower level could not be solved for comparison (stationarity {stationarity}, gap at least {gap})"
        );
    }
    let state = if lower.solved { "is solved" } else { "is not solved" };
    let place = if lower.local { "local gap" } else { "gap" };
    format!("the lower level {state} ({place} {gap})")
}

fn constraints_worth(violation: f64, check: &Check) -> String {
    let off = short(violation);
    if check.point == PointStatus::NotSolved && violation > crate::constrained::relax::FEASIBLE {
        return format!("the constraints are violated by {off}");
    }
    format!("no constraint is violated by more than {off}")
}

fn proof_worth(proof: Proof, check: &Check) -> String {
    let Proof { nodes, bound, gap } = proof;
    let many = if nodes == 1 { "node" } else { "nodes" };
    if check.point == PointStatus::Optimal {
        return format!("global optimum, proved by branching: {nodes} {many}, bound {}", long(bound));
    }
    if bound.is_infinite() {
        return format!("no bound of the upper objective is proved ({nodes} {many})");
    }
    // Without an answer of the follower there is nothing to set beside the bound.
    let left =
        if gap.is_finite() { format!(", which leaves a gap of {}", short(gap)) } else { String::new() };
    format!("the bound of the upper objective is {}{left} ({nodes} {many})", long(bound))
}

/// What the leader must know of a follower with several best answers.
fn ties_worth(ties: Ties) -> Option<String> {
    let Ties { least, most, exact, local } = ties;
    if (most - least).abs() <= 1e-6 * least.abs().max(1.0) {
        return None;
    }
    if local {
        return Some(format!(
            "the follower has several answers that are equally good as far as is known: with the best of those found the upper objective is {}, with the \
             worst {}",
            plain(least),
            plain(most)
        ));
    }
    let far = if most.is_infinite() {
        "is without bound".to_string()
    } else {
        format!("is {}{}", if exact { "" } else { "no better than " }, plain(most))
    };
    Some(format!(
        "the follower has several best answers: with the one that suits the leader most the upper objective is {}, with the one that \
         suits least it {far}",
        plain(least)
    ))
}

fn upper_worth(check: &Check) -> String {
    if let Some(residual) = check.single_level.map(short) {
        let form = if check.lower.is_some() { "the single-level form" } else { "the point" };
        match (check.upper_stationary, check.is_reduced()) {
            (false, _) => return format!("{form} is not shown to be stationary (residual {residual})"),
            (true, false) => {
                return format!("{form} is stationary (residual {residual}), which is no proof of a minimum");
            }
            // Stationary by the hypergradient alone.
            (true, true) => {}
        }
    }
    let name = if check.lower.is_some() { "hypergradient norm" } else { "gradient norm" };
    match check.hypergradient_norm.map(short) {
        Some(norm) if check.upper_stationary => {
            format!("the upper level is stationary ({name} {norm}), which is no proof of a minimum")
        }
        Some(norm) => format!("the {name} is {norm}, so the upper level can still be improved"),
        None => "whether the upper level is stationary is not known".to_string(),
    }
}

/// The elements of variables by name, the first four of them.
pub(crate) fn named(space: &Space, flat: &[f64]) -> String {
    let mut all = Vec::new();
    for block in space.blocks() {
        for (k, value) in flat[block.offset..block.offset + block.len].iter().enumerate() {
            let mut places = Vec::new();
            let mut left = k;
            for size in block.shape.iter().rev() {
                places.insert(0, (left % size).to_string());
                left /= size;
            }
            let index = if places.is_empty() { String::new() } else { format!("[{}]", places.join(", ")) };
            all.push(format!("{}{index} = {}", block.name, plain(*value)));
        }
    }
    let more = if all.len() > 4 { ", …" } else { "" };
    all.truncate(4);
    all.join(", ") + more
}

/// Nine decimals at most, or seven significant digits.
pub(crate) fn long(v: f64) -> String {
    if v == 0.0 || (v.abs() >= 1e-3 && v.abs() < 1e9) {
        let digits = format!("{v:.9}");
        return digits.trim_end_matches('0').trim_end_matches('.').to_string();
    }
    format!("{v:.6e}")
}

/// Six decimals at most: what ties are known to.
pub(crate) fn plain(v: f64) -> String {
    let rounded = (v * 1e6).round() / 1e6 + 0.0;
    if v.abs() < 1e9 && rounded != 0.0 { format!("{rounded}") } else { short(rounded) }
}

/// Two significant digits.
fn short(v: f64) -> String {
    if v == 0.0 || (v.abs() >= 1e-2 && v.abs() < 1e4) {
        let digits = format!("{v:.3}");
        let trimmed = digits.trim_end_matches('0').trim_end_matches('.');
        trimmed.to_string()
    } else {
        format!("{v:.1e}")
    }
}
