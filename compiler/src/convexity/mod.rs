//! Convexity of a model's levels: what each objective, constraint and feasible set is in its own variables, in those of the
//! other level, and in both.
//!
//! Three means are combined. The rules of the operator records ([`crate::ops::curvature`]) judge every term; the Hessian of the
//! quadratic terms together is computed, over the domains of whatever it depends on, and factored; for a few smooth variables
//! the Hessian of everything is bounded over the domains. What these do not prove is searched for a counterexample. See
//! decision 7.

pub mod constraint;
pub mod definite;
pub mod explain;
pub mod form;
pub mod hessian;
mod piecewise;
pub mod scope;
pub mod terms;
pub mod walk;
pub mod witness;

pub use constraint::{ConstraintForm, Satisfying};
pub use form::{Class, Form, Remark, TermForm};

use blo_grammar::span::Span;

use crate::model::{Domain, Level, Model, Var};
use crate::solution::data_bindings;
use scope::Scope;

/// The levels of a model.
#[derive(Clone, Debug)]
pub struct Convexity {
    /// The leader.
    pub upper: LevelConvexity,
    /// The follower, where there is one.
    pub lower: Option<LevelConvexity>,
}

/// One level. The objective is minimised: of a `maximize` it is the opposite, of several followers the sum.
#[derive(Clone, Debug)]
pub struct LevelConvexity {
    /// The objective in the level's own variables, those of the other level being parameters.
    pub own: Form,
    /// The objective in the variables of the other level, the own ones being parameters; for the upper level with a lower one.
    pub other: Option<Form>,
    /// The objective in the variables of both levels, where there are two.
    pub joint: Option<Form>,
    /// The constraints, in source order: those of the lower level in its own variables, those of the upper level in the
    /// variables of both.
    pub constraints: Vec<ConstraintForm>,
    /// The set that domains and constraints leave, in the variables of [`LevelConvexity::constraints`].
    pub feasible: Feasible,
}

/// A feasible set, for every value of the parameters. Integer variables count as real ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Feasible {
    /// Whether it is proved to be convex.
    pub convex: bool,
    /// Whether it is proved to be a polyhedron.
    pub polyhedron: bool,
    /// Whether nothing restricts the variables.
    pub free: bool,
    /// Whether some variables must be whole, so that the set of points that count is not convex.
    pub integers: bool,
}

/// Judges all levels. Data without values count as parameters that may have any value.
pub fn convexity(model: &Model) -> Convexity {
    let data = &data_bindings(model);
    let upper: Vec<&Var> = model.upper.vars.iter().collect();
    let lower: Vec<&Var> = model.lower.iter().flat_map(|level| &level.vars).collect();
    let both: Vec<&Var> = upper.iter().chain(&lower).copied().collect();
    let two = model.lower.is_some();
    let scope = |chosen: &[&'_ Var]| {
        let fixed = both.iter().copied().filter(|v| chosen.iter().all(|c| c.input != v.input)).collect();
        Scope {
            chosen: both.iter().copied().filter(|v| chosen.iter().any(|c| c.input == v.input)).collect(),
            fixed,
            data,
        }
    };
    let judge = |level: &Level, chosen: &[&Var]| {
        form::judge(&mut model.graph.clone(), &scope(chosen), level.objective, place(level), level.maximize)
    };
    let judged = |level: &Level, own: Form, other: Option<Form>, joint: Option<Form>, chosen: &[&Var]| {
        let mut graph = model.graph.clone();
        let scope = scope(chosen);
        let constraints: Vec<ConstraintForm> =
            level.constraints.iter().map(|c| constraint::judge_constraint(&mut graph, &scope, c)).collect();
        let feasible = feasible(level, &constraints);
        LevelConvexity { own, other, joint, constraints, feasible }
    };
    let own = judge(&model.upper, &upper);
    let other = two.then(|| judge(&model.upper, &lower));
    let joint = two.then(|| judge(&model.upper, &both));
    Convexity {
        upper: judged(&model.upper, own, other, joint, &both),
        lower: model
            .lower
            .as_ref()
            .map(|level| judged(level, judge(level, &lower), None, Some(judge(level, &both)), &lower)),
    }
}

/// What [`convexity`] says of the lower objective in its own variables, without the rest, which costs several times as much.
pub fn lower_objective(model: &Model) -> Option<Form> {
    let level = model.lower.as_ref()?;
    let data = &data_bindings(model);
    let scope = Scope { chosen: level.vars.iter().collect(), fixed: model.upper.vars.iter().collect(), data };
    Some(form::judge(&mut model.graph.clone(), &scope, level.objective, place(level), level.maximize))
}

/// Where the objective is written. Several followers count as one whose objective is the sum.
fn place(level: &Level) -> Span {
    level.followers.iter().fold(level.objective_span, |all, f| all.to(f.objective_span))
}

/// Whether the lower level is proved to be convex in its own real variables: objective and feasible set.
pub fn lower_is_convex(model: &Model) -> bool {
    let Some(level) = &model.lower else { return true };
    !level.vars.iter().any(|var| var.integer) && lower_is_convex_between_whole_numbers(model)
}

/// As [`lower_is_convex`], were all numbers allowed for lower variables that must be whole.
pub fn lower_is_convex_between_whole_numbers(model: &Model) -> bool {
    let Some(level) = &model.lower else { return true };
    let data = &data_bindings(model);
    let scope = Scope { chosen: level.vars.iter().collect(), fixed: model.upper.vars.iter().collect(), data };
    let mut graph = model.graph.clone();
    let constraints: Vec<ConstraintForm> =
        level.constraints.iter().map(|c| constraint::judge_constraint(&mut graph, &scope, c)).collect();
    feasible(level, &constraints).convex && lower_objective(model).is_some_and(|form| form.class.is_convex())
}

fn feasible(level: &Level, constraints: &[ConstraintForm]) -> Feasible {
    let polyhedra = constraints.iter().all(|c| c.set == Satisfying::Polyhedron);
    Feasible {
        convex: constraints.iter().all(|c| c.set != Satisfying::Unknown),
        polyhedron: polyhedra && level.vars.iter().all(|var| !matches!(var.domain, Domain::Ball(_))),
        free: constraints.is_empty() && level.vars.iter().all(|var| var.domain == Domain::Free),
        integers: level.vars.iter().any(|var| var.integer),
    }
}
