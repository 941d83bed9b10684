//! The degree of a program's objective and rows in its variables, by the rules of the operator records. What is proved to be
//! affine or quadratic is known completely from a few evaluations, so that a method can read exact matrices off compiled
//! products.

use blo_runtime::constrained::{Degree, Degrees};

use super::Program;
use crate::convexity::scope::domain;
use crate::convexity::walk::Walk;
use crate::ir::eval::Bindings;
use crate::ir::graph::{Graph, NodeId};
use crate::ops::curvature::Fact;
use crate::passes::simplify::simplify;

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

fn of(walk: &mut Walk<'_>, graph: &Graph, node: NodeId) -> Degree {
    match walk.fact(graph, node).degree {
        Some(0 | 1) => Degree::Affine,
        Some(2) => Degree::Quadratic,
        _ => Degree::Other,
    }
}
