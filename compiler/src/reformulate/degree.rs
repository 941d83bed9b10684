//! The degree of a program's objective and rows in its variables, by the rules of the operator records. What is proved to be
//! affine or quadratic is known completely from a few evaluations, so that a method can read exact matrices off compiled
//! products.

use blo_runtime::constrained::{Degree, Degrees};

use super::Program;
use super::kkt::single_level;
use crate::convexity::lower_is_convex;
use crate::convexity::scope::domain;
use crate::convexity::walk::Walk;
use crate::ir::eval::Bindings;
use crate::ir::graph::{Graph, NodeId};
use crate::model::{Constraint, Domain, Model, Relation};
use crate::ops::curvature::Fact;
use crate::passes::simplify::simplify;
use crate::solution::data_bindings;

/// The degrees of the objective and of these row arrays in all variables of a program.
pub fn degrees(program: &Program, data: &Bindings) -> Degrees {
    let mut graph = program.model.graph.clone();
    let roots: Vec<NodeId> = [program.objective].into_iter().chain(program.rows.iter().copied()).collect();
    let simple = simplify(&mut graph, &roots);
    let mut walk = Walk::new(data);
    for var in program.model.lower.iter().flat_map(|level| &level.vars) {
        walk.declare(var.input, Fact::variable(domain(&graph, var, data)));
    }
    let mut found = simple.iter().map(|node| of(&mut walk, &graph, *node));
    let objective = found.next().unwrap_or(Degree::Affine);
    let each = found.zip(&program.rows);
    let rows = each.flat_map(|(degree, row)| vec![degree; program.model.graph.ty(*row).len()]).collect();
    Degrees { objective, rows }
}

/// For a model whose single-level form is affine but for its pairs, with a quadratic upper objective and a convex lower level
/// of real variables, so that branching on the pairs proves an optimum: the number of the pairs.
pub fn pairs_to_branch_on(model: &Model) -> Option<usize> {
    let lower = model.lower.as_ref()?;
    if lower.pessimistic.is_some() || lower.vars.iter().any(|var| var.integer) {
        return None;
    }
    let form = single_level(model).ok()?;
    let data = data_bindings(model);
    if !degrees(&form.program, &data).is_quadratic_program() || !lower_is_convex(model) {
        return None;
    }
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
    Some(rows + bounds.sum::<usize>())
}

fn of(walk: &mut Walk<'_>, graph: &Graph, node: NodeId) -> Degree {
    match walk.fact(graph, node).degree {
        Some(0 | 1) => Degree::Affine,
        Some(2) => Degree::Quadratic,
        _ => Degree::Other,
    }
}
