//! The independent check of a point: it trusts nothing the solver said. The lower level is solved again from `y` at fixed `x`
//! and the values compared, with proximal steps where a part of its objective is nonsmooth; the hypergradient is computed at that
//! solution by the implicit function theorem.
//!
//! Tolerances are relative: the lower level counts as solved when the gap is at most [`LOWER`] `· max(1, |f|)`, and the upper
//! level as stationary when the projected hypergradient is at most [`UPPER`] `· max(1, ‖∇x F‖, ‖∇²xy f v‖)`, both no finer
//! than the arithmetic allows. Where a lower variable is just about to reach or leave a bound, the response has a kink and the
//! hypergradient is that of one side. A lower solution found by descent is local unless the lower level is known to be convex.

use crate::constrained::jump::Jump;
use crate::constrained::leader::Reduced;
use crate::constrained::tree::Proof;
use crate::constrained::tree::ties::Ties;
use crate::derivatives::Derivatives;
use crate::hypergradient::Implicit;
use crate::linear::blas1::{all_finite, norm2};
use crate::linear::cg::{CgEnd, CgReport};
use crate::minimise::{Composite, End, Minimiser};
use crate::problem::Problem;
use crate::sides;
use crate::status::PointStatus;

/// The relative gap at which the lower level counts as solved.
pub const LOWER: f64 = 1e-6;
/// The relative projected hypergradient at which the upper level counts as stationary.
pub const UPPER: f64 = 1e-4;
/// The stationarity polishing aims at, relative to `max(1, ‖y‖)`.
const POLISHED: f64 = 1e-10;
/// The stationarity at which a polished point that cannot be improved further still counts as a solution.
const ACCEPTED: f64 = 1e-6;
/// The adjoint residual aimed at, and the largest at which the hypergradient is still reported.
const ADJOINT: (f64, f64) = (1e-9, 1e-3);

const NOT_UNIQUE: &str = "the lower Hessian is singular, so lower solutions are not unique; the upper objective is stationary over them";

/// What was found about the lower level at fixed `x`.
#[derive(Clone, Debug, PartialEq)]
pub struct LowerCheck {
    /// `f(x, y)`, minimised.
    pub objective: f64,
    /// `‖y − P(y − ∇y f)‖`, with the proximal operator of what is nonsmooth for `P`.
    pub stationarity: f64,
    /// `stationarity / max(1, ‖y‖)`.
    pub relative_stationarity: f64,
    /// `f(x, y) − f(x, ŷ)` with `ŷ` the point polished from `y`.
    pub gap: f64,
    /// Whether polishing reached a stationary point; if not, the gap is only a lower bound.
    pub polished: bool,
    /// Whether `ŷ` is known to be a local solution only.
    pub local: bool,
    /// Whether no multiplier was found at it, though it is proved to be the follower's answer.
    pub without_multiplier: bool,
    /// Whether the gap is within the tolerance.
    pub solved: bool,
    /// `ŷ` (m).
    pub solution: Vec<f64>,
    /// `f(x, ŷ)`, minimised.
    pub solution_objective: f64,
    /// Whether no solution was found because the work that a check may take was spent.
    pub spent: bool,
}

/// What was found about a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What the point is worth.
    pub point: PointStatus,
    /// The lower level; `None` without one.
    pub lower: Option<LowerCheck>,
    /// `F(x, ŷ)`, minimised; without a lower level `F(x)`.
    pub upper_objective: f64,
    /// `‖x − P(x − g)‖` with `g` the hypergradient at `(x, ŷ)`, or the gradient without a lower level; `None` when it is not
    /// defined or could not be computed: see `note`.
    pub hypergradient_norm: Option<f64>,
    /// Whether `hypergradient_norm`, or `single_level`, is within the tolerance.
    pub upper_stationary: bool,
    /// The largest violation of a constraint or bound of either level; `None` where the method knows no constraints.
    pub violation: Option<f64>,
    /// How far the single-level form is from strong stationarity; `None` where the method does not work on it.
    pub single_level: Option<f64>,
    /// What a tree proves about the point; `None` where the method makes none.
    pub proof: Option<Proof>,
    /// What the upper objective may be over the follower's best answers at `x`; `None` where that was not found out.
    pub ties: Option<Ties>,
    /// The gradient of the upper level through the follower's constraints, with multipliers; `None` where there is none.
    pub reduced: Option<Reduced>,
    /// Where the follower's answer jumps beside the point.
    pub jump: Option<Jump>,
    /// Why there is no hypergradient, or a caveat about it.
    pub note: Option<String>,
}

impl Check {
    /// Whether it is the hypergradient through the follower's constraints, and not the single-level form, that shows the upper level to be
    /// stationary.
    pub(crate) fn is_reduced(&self) -> bool {
        let formed = self.single_level.is_some_and(|residual| residual <= UPPER);
        self.upper_stationary && self.reduced.is_some() && !formed
    }

    /// A check that could not be made.
    pub fn unknown() -> Self {
        Check {
            point: PointStatus::Unknown,
            lower: None,
            upper_objective: f64::NAN,
            hypergradient_norm: None,
            upper_stationary: false,
            violation: None,
            single_level: None,
            proof: None,
            ties: None,
            reduced: None,
            jump: None,
            note: None,
        }
    }
}

/// Checks `(x, y)`. At most about `budget` evaluations go into polishing, and into each of two adjoint systems.
pub fn check(problem: &mut Problem, x: &[f64], y: &[f64], budget: usize) -> Check {
    if let Some(constrained) = &mut problem.constrained {
        let mut checked = crate::constrained::check::check(constrained, x, y, problem.lower_convex, budget);
        let words = |jump: &Jump| jump.words(&problem.upper, problem.upper_sign);
        checked.note = checked.jump.as_ref().map(words).or(checked.note);
        return checked;
    }
    problem.tolerantly(|problem| {
        if problem.has_lower { check_bilevel(problem, x, y, budget) } else { check_single(problem, x) }
    })
}

/// The answer of the lower level from `y` at `x`, and the upper objective there, minimised; `None` where it was not found, or where the
/// point violates a constraint.
pub(crate) fn answered(
    problem: &mut Problem,
    x: &[f64],
    y: &[f64],
    budget: usize,
) -> Option<(Vec<f64>, f64)> {
    let (y, value) = if let Some(constrained) = &mut problem.constrained {
        crate::constrained::check::answered(constrained, x, y, budget)?
    } else {
        problem.tolerantly(|problem| {
            let lower = check_lower(problem, x, y, budget).filter(|lower| lower.polished)?;
            let (mut gx, mut gy) = (vec![0.0; x.len()], vec![0.0; y.len()]);
            let value = problem.upper_gradients(x, &lower.solution, &mut gx, &mut gy);
            Some((lower.solution, value))
        })?
    };
    value.is_finite().then_some((y, value))
}

fn check_single(problem: &mut Problem, x: &[f64]) -> Check {
    let mut g = vec![0.0; x.len()];
    let mut scratch = vec![0.0; x.len()];
    let value = problem.upper_gradients(x, &[], &mut g, &mut []);
    let norm = problem.upper.stationarity(x, &g, &mut scratch);
    if !value.is_finite() || !norm.is_finite() {
        return Check::unknown();
    }
    let stationary = norm <= tolerance(UPPER, problem);
    Check {
        point: if stationary { PointStatus::Stationary } else { PointStatus::NotSolved },
        upper_objective: value,
        hypergradient_norm: Some(norm),
        upper_stationary: stationary,
        ..Check::unknown()
    }
}

fn check_bilevel(problem: &mut Problem, x: &[f64], y: &[f64], budget: usize) -> Check {
    let Some(lower) = check_lower(problem, x, y, budget) else { return Check::unknown() };
    let mut implicit = Implicit::new(problem);
    let mut g = vec![0.0; x.len()];
    let steps = budget.min(2 * y.len() + 10);
    let (value, report) = implicit.evaluate(problem, x, &lower.solution, steps, ADJOINT.0, &mut g);
    if !value.is_finite() {
        return Check::unknown();
    }
    // A gradient of `F` that is zero up to rounding cannot be told from one out of the range of a singular Hessian.
    let mut flat = 0.0;
    if report.end == CgEnd::Singular {
        flat = implicit.least_squares(problem, x, &lower.solution, steps, &mut g);
    }
    let size = norm2(&implicit.direct).max(norm2(&implicit.indirect)).max(1.0);
    let adjoint =
        Adjoint { report, probe: implicit.probe(problem, x, &lower.solution, steps), flat: flat / size };
    let mut scratch = vec![0.0; x.len()];
    let norm = problem.upper.stationarity(x, &g, &mut scratch);
    let (mut norm, mut note) = judge(&adjoint, norm, lower.polished);
    let mut size = size;
    if norm.is_none()
        && lower.solved
        && let Some((larger, of)) =
            sides::hypergradient(problem, (x, &lower.solution), lower.solution_objective, (steps, ADJOINT.0))
    {
        note = Some(sides::words(larger, larger <= tolerance(UPPER, problem) * of));
        if larger <= tolerance(UPPER, problem) * of {
            (norm, size) = (Some(larger), of);
        }
    }
    let stationary = norm.is_some_and(|norm| norm <= tolerance(UPPER, problem) * size);
    let point = match (lower.solved, stationary) {
        (true, true) => PointStatus::Stationary,
        (true, false) => PointStatus::Feasible,
        (false, _) => PointStatus::NotSolved,
    };
    Check {
        point,
        upper_objective: value,
        hypergradient_norm: norm,
        upper_stationary: stationary,
        note,
        lower: Some(lower),
        ..Check::unknown()
    }
}

/// The lower level at fixed `x`; `None` when it cannot be evaluated at `y`.
fn check_lower(problem: &mut Problem, x: &[f64], y: &[f64], budget: usize) -> Option<LowerCheck> {
    problem.weigh(x, y);
    // What is minimised over is copied for the run, since both it and the derivatives belong to the problem.
    let (space, proximal) = (problem.lower.clone(), problem.proximal.clone());
    let simple = Composite { space: &space, proximal: proximal.as_deref() };
    let mut minimiser = Minimiser::new(&simple, problem.roundoff);
    let mut solution = y.to_vec();
    minimiser.begin(&simple, y, |v, g| problem.smooth_gradient(x, v, g));
    let objective = minimiser.value;
    let stationarity = minimiser.residual(&simple, y);
    let size = norm2(y).max(1.0);
    let aim = POLISHED.max(10.0 * problem.roundoff) * size;
    let end = minimiser.run(&simple, &mut solution, budget, aim, |v, g| problem.smooth_gradient(x, v, g));
    let residual = minimiser.residual(&simple, &solution);
    if !objective.is_finite() || !stationarity.is_finite() {
        return None;
    }
    if minimiser.value > objective {
        solution.copy_from_slice(y);
    }
    let solution_objective = minimiser.value.min(objective);
    let polished = end == End::Converged || residual <= tolerance(ACCEPTED, problem) * size;
    let gap = objective - solution_objective;
    Some(LowerCheck {
        objective,
        stationarity,
        relative_stationarity: stationarity / size,
        gap,
        polished,
        local: !problem.lower_convex,
        without_multiplier: false,
        solved: polished && gap <= tolerance(LOWER, problem) * objective.abs().max(1.0),
        solution,
        solution_objective,
        spent: false,
    })
}

/// A tolerance no finer than the arithmetic.
fn tolerance(wanted: f64, problem: &Problem) -> f64 {
    wanted.max(1e3 * problem.roundoff)
}

/// What is known about the adjoint system.
struct Adjoint {
    report: CgReport,
    probe: CgEnd,
    /// The slope of `F` along directions in which the lower level is flat, relative as the tolerance is.
    flat: f64,
}

/// Whether the hypergradient can be reported, and what must be said about it.
fn judge(adjoint: &Adjoint, norm: f64, polished: bool) -> (Option<f64>, Option<String>) {
    let Adjoint { report, probe, flat } = adjoint;
    let said = |text: &str| Some(text.to_string());
    match report.end {
        CgEnd::Singular if *flat <= UPPER && norm.is_finite() => {
            return (Some(norm), said(NOT_UNIQUE));
        }
        CgEnd::NonFinite => return (None, said("a second derivative of the lower objective is not finite")),
        CgEnd::Negative => {
            return (
                None,
                said("the lower Hessian has negative curvature: the hypergradient is not defined"),
            );
        }
        CgEnd::Singular => {
            return (None, said("the lower Hessian is singular: the hypergradient is not defined"));
        }
        CgEnd::Converged | CgEnd::Steps => {}
    }
    if report.residual > ADJOINT.1 || !norm.is_finite() {
        let note = if *probe == CgEnd::Singular {
            "the lower Hessian is singular: the hypergradient is not defined".to_string()
        } else {
            format!("the adjoint system was solved to a residual of {:.0e} only", report.residual)
        };
        return (None, Some(note));
    }
    let note = match probe {
        CgEnd::Negative => {
            return (
                None,
                said("the lower Hessian has negative curvature: the hypergradient is not defined"),
            );
        }
        CgEnd::Singular => said(NOT_UNIQUE),
        CgEnd::NonFinite => said("a second derivative of the lower objective is not finite"),
        CgEnd::Converged | CgEnd::Steps if !polished => {
            said("the hypergradient is taken where polishing stopped")
        }
        CgEnd::Converged | CgEnd::Steps => None,
    };
    (Some(norm).filter(|n| all_finite(&[*n])), note)
}
