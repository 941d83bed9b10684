//! Convexity of a model's levels: what each objective, constraint and feasible set is in its own variables, in those of the
//! other level, and in both.
//!
//! Three means are combined. The rules of the operator records ([`crate::ops::curvature`]) judge every term; the Hessian of the
//! quadratic terms together is computed, over the domains of whatever it depends on, and factored; for a few smooth variables
//! the Hessian of everything is bounded over the domains. What these do not prove is searched for a counterexample. See
//! decision 7.

pub mod definite;
pub mod explain;
pub mod form;
pub mod hessian;
pub mod scope;
pub mod terms;
pub mod walk;
pub mod witness;

pub use form::{Class, Form, Remark};

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

/// One level. The objective is minimised: of a `maximize` it is the opposite.
#[derive(Clone, Debug)]
pub struct LevelConvexity {
    /// The objective in the level's own variables, those of the other level being parameters.
    pub own: Form,
    /// The objective in the variables of the other level, the own ones being parameters; for the upper level with a lower one.
    pub other: Option<Form>,
    /// The objective in the variables of both levels, where there are two.
    pub joint: Option<Form>,
    /// The set that the domains and constraints leave to the own variables.
    pub feasible: Feasible,
}

/// A feasible set in the variables of its level, for every value of the parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Feasible {
    /// Whether it is proved to be convex (as a relaxation, where variables are integer).
    pub convex: bool,
    /// Whether it is proved to be a polyhedron.
    pub polyhedron: bool,
    /// Whether there is no restriction at all.
    pub free: bool,
}

/// Judges all levels. Data without values count as parameters that may have any value.
pub fn convexity(model: &Model) -> Convexity {
    let data = &data_bindings(model);
    let upper: Vec<&Var> = model.upper.vars.iter().collect();
    let lower: Vec<&Var> = model.lower.iter().flat_map(|level| &level.vars).collect();
    let both: Vec<&Var> = upper.iter().chain(&lower).copied().collect();
    let two = model.lower.is_some();
    let judge = |level: &Level, chosen: &[&Var]| {
        let fixed = both.iter().copied().filter(|v| chosen.iter().all(|c| c.input != v.input)).collect();
        let scope = Scope { chosen: chosen.to_vec(), fixed, data };
        form::judge(&mut model.graph.clone(), &scope, level.objective, level.objective_span)
    };
    Convexity {
        upper: LevelConvexity {
            own: judge(&model.upper, &upper),
            other: two.then(|| judge(&model.upper, &lower)),
            joint: two.then(|| judge(&model.upper, &both)),
            feasible: feasible(&model.upper),
        },
        lower: model.lower.as_ref().map(|level| LevelConvexity {
            own: judge(level, &lower),
            other: None,
            joint: Some(judge(level, &both)),
            feasible: feasible(level),
        }),
    }
}

fn feasible(level: &Level) -> Feasible {
    Feasible {
        convex: true,
        polyhedron: level.vars.iter().all(|var| !matches!(var.domain, Domain::Ball(_))),
        free: level.vars.iter().all(|var| var.domain == Domain::Free),
    }
}
