//! What `tree` would branch on to solve a model, told before anything is compiled: `auto` chooses by it.

use blo_runtime::constrained::tree::terms::Term;
use blo_runtime::constrained::tree::value::VARIABLES;

use super::Program;
use super::degree::degrees;
use super::kkt::single_level;
use super::terms::written;
use crate::convexity::lower_is_convex;
use crate::convexity::scope::domain;
use crate::model::{Constraint, Domain, Level, Model, Relation};
use crate::solution::data_bindings;

/// How large the single-level form is that boxes are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boxes {
    /// Its variables.
    pub variables: usize,
    /// Its pairs.
    pub pairs: usize,
    /// Its products and functions of one number.
    pub bent: usize,
}

/// Forms with arrays of more elements are not asked for.
const ELEMENTS: usize = 20_000;

/// For a model whose single-level form is affine but for its pairs, with a quadratic upper objective and a convex lower level
/// of real variables, so that branching on the pairs proves an optimum: the number of the pairs.
pub fn pairs_to_branch_on(model: &Model) -> Option<usize> {
    let lower = branched(model)?;
    let form = single_level(model).ok()?;
    let affine = degrees(&form.program, &data_bindings(model)).is_quadratic_program();
    (affine && lower_is_convex(model)).then(|| pairs(model, lower))
}

/// For a model with such a lower level whose single-level form is not affine, but small and made of terms that are bounded over boxes: its size.
pub fn boxes_to_branch_in(model: &Model) -> Option<Boxes> {
    let lower = branched(model)?;
    let form = single_level(model).ok()?;
    let Program { model: inner, objective, rows, .. } = &form.program;
    let roots: Vec<_> = [*objective].into_iter().chain(rows.iter().copied()).collect();
    let nodes = inner.graph.reachable(&roots);
    let elements: usize = nodes.into_iter().map(|node| inner.graph.ty(node).len()).sum();
    if elements > ELEMENTS || !lower_is_convex(model) {
        return None;
    }
    let data = data_bindings(model);
    let degrees = degrees(&form.program, &data);
    let terms = written(model, &form, &degrees, &data, (true, false))
        .0
        .filter(|_| !degrees.is_quadratic_program())?;
    let vars = inner.lower.iter().flat_map(|level| &level.vars);
    let bent = terms.terms.iter().filter(|term| matches!(term, Term::Product(..) | Term::Apply(..)));
    let variables = vars.map(|var| var.ty.len()).sum();
    Some(Boxes { variables, pairs: pairs(model, lower), bent: bent.count() })
}

/// For a model of few variables whose follower is bounded by its value, as its optimality conditions do not tell its answers: the number of
/// variables of both levels.
pub fn levels_to_branch_in(model: &Model) -> Option<usize> {
    let lower = branched(model)?;
    let variables = model.upper.vars.iter().chain(&lower.vars).map(|var| var.ty.len()).sum();
    if variables > VARIABLES {
        return None;
    }
    let form = single_level(model).ok()?;
    let data = data_bindings(model);
    let degrees = degrees(&form.program, &data);
    written(model, &form, &degrees, &data, (lower_is_convex(model), true)).1.map(|_| variables)
}

/// The lower level, where it is one of real variables below an optimistic leader.
fn branched(model: &Model) -> Option<&Level> {
    let lower = model.lower.as_ref()?;
    let other = lower.pessimistic.is_some() || lower.vars.iter().any(|var| var.integer);
    (!other).then_some(lower)
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
