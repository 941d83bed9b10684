//! Domains as bounds and constraints: a simplex is nonnegative entries and rows that sum to 1, a ball a constraint on the
//! squared norm. Programs with rows know bounds alone.

use crate::ir::graph::Graph;
use crate::model::{Constraint, Domain, Level, Model, Relation, Side, Var};

use super::nonnegative;

/// The model with bounds for every domain.
pub fn boxed(model: &Model) -> Model {
    let mut model = model.clone();
    let Model { graph, upper, lower, .. } = &mut model;
    for level in std::iter::once(upper).chain(lower) {
        box_level(graph, level);
    }
    model
}

fn box_level(graph: &mut Graph, level: &mut Level) {
    for var in &mut level.vars {
        let (residual, relation, domain) = match var.domain {
            Domain::Free | Domain::Interval(..) => continue,
            Domain::Simplex => {
                let sums = graph.sum(var.node, &[var.ty.shape.len() - 1]);
                let shape = graph.shape(sums).clone();
                let ones = graph.fill(1.0, &shape);
                (graph.sub(sums, ones), Relation::Equal, nonnegative(graph, var.node))
            }
            Domain::Ball(radius) => {
                let squares = graph.mul(var.node, var.node);
                let squares = graph.sum_all(squares);
                let limit = graph.mul(radius, radius);
                (graph.sub(squares, limit), Relation::AtMost, Domain::Free)
            }
        };
        var.domain = domain;
        level.constraints.push(of_domain(graph, var, residual, relation));
    }
}

fn of_domain(graph: &Graph, var: &Var, residual: crate::ir::graph::NodeId, relation: Relation) -> Constraint {
    Constraint {
        name: None,
        dims: vec![None; graph.shape(residual).len()],
        family: 0,
        relation,
        residual,
        side: Side::Whole,
        multiplier: None,
        operands: (var.span, var.span),
        span: var.span,
    }
}
