//! What `tree` would branch on to solve a model, told before anything is compiled: `auto` chooses by it.

use blo_runtime::constrained::tree::terms::Term;

use super::degree::degrees;
use super::kkt::single_level;
use super::terms::written;
use crate::convexity::lower_is_convex;
use crate::convexity::scope::domain;
use crate::model::{Constraint, Domain, Level, Model, Relation};
use crate::solution::data_bindings;

/// How a model with a convex lower level of real variables and an optimistic leader is solved to a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branching {
    /// The single-level form is affine but for its pairs, with an upper objective that is quadratic: on so many pairs.
    Pairs(usize),
    /// In boxes of the single-level form.
    Boxes {
        /// Its variables.
        variables: usize,
        /// Its pairs.
        pairs: usize,
        /// Its products and functions of one number.
        bent: usize,
    },
}

/// How a model is solved to a proof; `None` where it is not known to be possible.
pub fn branching(model: &Model) -> Option<Branching> {
    let lower = model.lower.as_ref()?;
    if lower.pessimistic.is_some() || lower.vars.iter().any(|var| var.integer) {
        return None;
    }
    let form = single_level(model).ok()?;
    let data = data_bindings(model);
    let degrees = degrees(&form.program, &data);
    let pairs = pairs(model, lower);
    if !lower_is_convex(model) {
        return None;
    }
    if degrees.is_quadratic_program() {
        return Some(Branching::Pairs(pairs));
    }
    let terms = written(model, &form, &degrees, &data)?;
    let vars = form.program.model.lower.iter().flat_map(|level| &level.vars);
    let bent = terms.terms.iter().filter(|term| matches!(term, Term::Product(..) | Term::Apply(..)));
    Some(Branching::Boxes { variables: vars.map(|var| var.ty.len()).sum(), pairs, bent: bent.count() })
}

/// The pairs of multiplier and slack or bound.
fn pairs(model: &Model, lower: &Level) -> usize {
    let data = data_bindings(model);
    let size = |constraint: &&Constraint| model.graph.ty(constraint.residual).len();
    let rows: usize =
        lower.constraints.iter().filter(|c| c.relation == Relation::AtMost).map(|c| size(&c)).sum();
    let bounds = lower.vars.iter().map(|var| match var.domain {
        Domain::Free => 0,
        Domain::Simplex | Domain::Ball(_) => var.ty.len(),
        Domain::Interval(..) => {
            let (lo, hi) = domain(&model.graph, var, &data).ends(&var.ty.shape);
            lo.iter().chain(&hi).filter(|end| end.is_finite()).count()
        }
    });
    rows + bounds.sum::<usize>()
}
