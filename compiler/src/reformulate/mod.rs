//! Models rewritten as other models, graph to graph, for methods that work on another form. Whatever comes out is compiled
//! like any model: a program with rows is a lower level whose objective is its Lagrangian and whose upper variables are the
//! weights of the rows (see `blo_runtime::constrained::nlp`).

mod boxes;
pub mod branching;
pub mod degree;
pub mod enclosure;
pub mod kkt;
pub mod stated;
pub mod terms;

use blo_grammar::span::Span;

use crate::ir::graph::{Graph, NodeId, Role};
use crate::model::{Constraint, Domain, Init, Level, Model, Relation, Var};
use crate::passes::simplify::simplify;
use crate::types::{Elem, Type};

/// A program with rows, as a model to be compiled.
pub struct Program {
    /// Upper level: parameters and then one weight array per row array. Lower level: the variables, with the Lagrangian as
    /// objective.
    pub model: Model,
    /// Per row, in the order of the weights, whether it is an equality.
    pub equal: Vec<bool>,
    /// What is minimised, without the rows.
    pub objective: NodeId,
    /// The row arrays.
    pub rows: Vec<NodeId>,
}

/// A row array of a program: what is 0, or at most 0.
struct Rows {
    node: NodeId,
    relation: Relation,
}

impl From<&Constraint> for Rows {
    fn from(constraint: &Constraint) -> Self {
        Rows { node: constraint.residual, relation: constraint.relation }
    }
}

/// A variable of a program that no model declares, starting at 0 put into its domain.
fn variable(graph: &mut Graph, name: String, role: Role, like: NodeId, domain: Domain, span: Span) -> Var {
    let shape = graph.shape(like).clone();
    let init = Init::Value(graph.fill(0.0, &shape));
    let ty = Type { elem: Elem::Real, shape };
    let (input, node) = graph.add_input(name.clone(), role, ty.clone());
    let dims = vec![None; ty.shape.len()];
    Var { name, ty, integer: false, dims, domain, init, input, node, span }
}

/// At least 0, of a node's shape.
fn nonnegative(graph: &mut Graph, like: NodeId) -> Domain {
    let shape = graph.shape(like).clone();
    Domain::Interval(graph.fill(0.0, &shape), graph.fill(f64::INFINITY, &shape))
}

/// `objective + Σ sum(multiplier * row)`.
fn lagrangian(graph: &mut Graph, objective: NodeId, terms: &[(NodeId, NodeId)]) -> NodeId {
    terms.iter().fold(objective, |total, &(multiplier, row)| {
        let product = graph.mul(multiplier, row);
        let term = graph.sum_all(product);
        graph.add(total, term)
    })
}

/// A program from its parts; `like` gives the places that messages point at. The graph of `model` is the program's.
fn program(
    mut model: Model,
    parameters: Vec<Var>,
    vars: Vec<Var>,
    objective: NodeId,
    rows: &[Rows],
    like: &Level,
) -> Program {
    let graph = &mut model.graph;
    let mut weights = parameters;
    let mut terms = Vec::new();
    let mut equal = Vec::new();
    for (k, row) in rows.iter().enumerate() {
        let weight = variable(graph, format!("weight {k}"), Role::Upper, row.node, Domain::Free, like.span);
        terms.push((weight.node, row.node));
        equal.extend(vec![row.relation == Relation::Equal; weight.ty.len()]);
        weights.push(weight);
    }
    let total = lagrangian(graph, objective, &terms);
    let nothing = graph.constant(0.0);
    let level = |vars, objective| Level {
        followers: Vec::new(),
        pessimistic: None,
        vars,
        constraints: Vec::new(),
        objective,
        maximize: false,
        objective_span: like.objective_span,
        span: like.span,
    };
    let (upper, lower) = (level(weights, nothing), level(vars, total));
    let model = Model { upper, lower: Some(lower), reports: Vec::new(), expects: Vec::new(), ..model };
    let rows = rows.iter().map(|row| row.node).collect();
    Program { model, equal, objective, rows }
}

/// In simplest form, so that derivatives are those of the numerically safe expressions.
fn simplest(graph: &mut Graph, node: NodeId) -> NodeId {
    simplify(graph, &[node])[0]
}
