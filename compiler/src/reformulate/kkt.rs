//! The single-level form: the follower's problem `min_y f(x, y)` subject to `r(x, y) <= 0` or `== 0` and bounds is replaced by
//! its conditions of Karush, Kuhn and Tucker. With `L = f + Σ sum(u * r)`:
//!
//! - stationarity `∇y L − low + high = 0`, with `low` and `high` the multipliers of the bounds that are finite;
//! - feasibility `r + s = 0` with a slack `s >= 0`, or `r = 0`;
//! - complementarity of `u >= 0` and `s`, of `low` and `y − lo`, of `high` and `hi − y`, left to the method.
//!
//! `dual(name)` is `u` itself. Several followers need nothing of their own: their Lagrangians add up.

use blo_grammar::diagnostic::Diagnostic;

use super::boxes::boxed;
use super::{Program, Rows, lagrangian, nonnegative, program, simplest, variable};
use crate::derive::not_differentiable;
use crate::ir::graph::{Attrs, Graph, NodeId, Role};
use crate::model::{Constraint, Domain, Level, Model, Relation, Var};
use crate::ops;
use crate::passes::differentiate::gradient;
use crate::passes::substitute::substitute_all;

/// Where the multiplier and the slack of a constraint of the follower stand among the variables of the single-level form.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// The multiplier's variable.
    pub multiplier: usize,
    /// The slack's, for an inequality.
    pub slack: Option<usize>,
}

/// The multipliers of one side of a lower variable's bounds; those of infinite bounds are held at 0.
#[derive(Clone, Copy, Debug)]
pub struct BoundParts {
    /// The multiplier's variable.
    pub multiplier: usize,
    /// The bounded variable.
    pub variable: usize,
    /// Whether it is the upper bound.
    pub high: bool,
}

/// The single-level form and what is needed to make sense of its variables.
pub struct SingleLevel {
    /// The program in `(x, y, …)`. Its first rows are the constraints of the upper level.
    pub program: Program,
    /// The number of rows that are constraints of the upper level.
    pub upper_rows: usize,
    /// The constraints of the follower in order, those that stand for domains included.
    pub constraints: Vec<Parts>,
    /// The bounds of the follower.
    pub bounds: Vec<BoundParts>,
    /// For every multiplier that the model reads, in the order of [`Model::multipliers`], its variable.
    pub duals: Vec<usize>,
    /// The follower's own problem, with `x` as parameters; `None` without a lower level.
    pub follower: Option<Program>,
}

/// Rewrites a model.
///
/// Errors: a lower objective or constraint that cannot be differentiated.
pub fn single_level(model: &Model) -> Result<SingleLevel, Vec<Diagnostic>> {
    let mut model = boxed(model);
    let follower = model.lower.clone().map(|lower| follower(&model, &lower));
    let (mut form, Conditions { upper_rows, constraints, bounds, duals }) = conditions(&mut model)?;
    let objective = form.only_lower(&mut model);
    let Form { vars, rows, .. } = form;
    let like = model.upper.clone();
    let program = program(model, Vec::new(), vars, objective, &rows, &like);
    Ok(SingleLevel { program, upper_rows, constraints, bounds, duals, follower })
}

/// Where the parts of a single-level form stand among its variables, as in [`SingleLevel`].
pub(super) struct Conditions {
    pub upper_rows: usize,
    pub constraints: Vec<Parts>,
    pub bounds: Vec<BoundParts>,
    pub duals: Vec<usize>,
}

/// The follower's objective as a program in the variables of both levels, and as its one row; `None` without a lower level.
pub fn value(model: &Model) -> Option<Program> {
    let mut model = boxed(model);
    let lower = model.lower.clone()?;
    let vars = model.upper.vars.iter().chain(&lower.vars).cloned().collect();
    let rows = vec![Rows { node: lower.objective, relation: Relation::AtMost }];
    let mut form = Form { upper: model.upper.vars.len(), vars, rows, replace: Vec::new() };
    model.upper.objective = lower.objective;
    let objective = form.only_lower(&mut model);
    let Form { vars, rows, .. } = form;
    let like = model.upper.clone();
    Some(program(model, Vec::new(), vars, objective, &rows, &like))
}

/// Both levels side by side, without any condition of optimality: the upper objective in the variables of both levels, subject to the
/// constraints of the upper level and then those of the follower, with the follower's objective as the last row; `None` without a
/// lower level.
pub fn side_by_side(model: &Model) -> Option<Program> {
    let mut model = boxed(model);
    let lower = model.lower.clone()?;
    let vars = model.upper.vars.iter().chain(&lower.vars).cloned().collect();
    let mut rows: Vec<Rows> =
        model.upper.constraints.iter().chain(&lower.constraints).map(Rows::from).collect();
    rows.push(Rows { node: lower.objective, relation: Relation::AtMost });
    let mut form = Form { upper: model.upper.vars.len(), vars, rows, replace: Vec::new() };
    let objective = form.only_lower(&mut model);
    let Form { vars, rows, .. } = form;
    let like = model.upper.clone();
    Some(program(model, Vec::new(), vars, objective, &rows, &like))
}

/// The variables and rows of the single-level form of a model with bounds for domains, in the model's graph.
pub(super) fn conditions(model: &mut Model) -> Result<(Form, Conditions), Vec<Diagnostic>> {
    let rows: Vec<Rows> = model.upper.constraints.iter().map(Rows::from).collect();
    let upper_rows = rows.iter().map(|row| model.graph.ty(row.node).len()).sum();
    let mut form =
        Form { upper: model.upper.vars.len(), vars: model.upper.vars.clone(), rows, replace: Vec::new() };
    let mut constraints = Vec::new();
    let mut bounds = Vec::new();
    let mut duals = Vec::new();
    if let Some(lower) = model.lower.clone() {
        let graph = &mut model.graph;
        form.vars.extend(lower.vars.iter().cloned());
        for constraint in &lower.constraints {
            let parts = form.feasible(graph, constraint);
            if constraint.multiplier.is_some() {
                duals.push(parts.multiplier);
            }
            constraints.push(parts);
        }
        bounds = form.stationary(graph, &lower, &constraints)?;
    }
    Ok((form, Conditions { upper_rows, constraints, bounds, duals }))
}

/// The follower's problem as a program.
fn follower(model: &Model, lower: &Level) -> Program {
    let rows: Vec<Rows> = lower.constraints.iter().map(Rows::from).collect();
    let (parameters, vars) = (model.upper.vars.clone(), lower.vars.clone());
    program(model.clone(), parameters, vars, lower.objective, &rows, lower)
}

/// The single-level form while it is put together.
pub(super) struct Form {
    /// Upper variables, lower variables, multipliers and slacks.
    pub vars: Vec<Var>,
    /// How many upper variables there are.
    upper: usize,
    /// The constraints of the upper level, those of the follower with slacks, and its stationarity by each of its variables.
    pub rows: Vec<Rows>,
    /// Inputs of the model and what stands for them.
    pub replace: Vec<(NodeId, NodeId)>,
}

impl Form {
    fn add(&mut self, var: Var) -> (usize, NodeId) {
        let node = var.node;
        self.vars.push(var);
        (self.vars.len() - 1, node)
    }

    /// Multiplier, slack and row of one constraint.
    fn feasible(&mut self, graph: &mut Graph, constraint: &Constraint) -> Parts {
        let Constraint { residual, span, .. } = *constraint;
        let name = constraint.name.as_deref().unwrap_or("_");
        let inequality = constraint.relation == Relation::AtMost;
        let domain = if inequality { nonnegative(graph, residual) } else { Domain::Free };
        let dual = variable(graph, format!("dual({name})"), Role::Lower, residual, domain, span);
        if let Some(input) = constraint.multiplier {
            let read = graph.apply(&ops::INPUT, Attrs::Input(input), &[]);
            self.replace.push((read, dual.node));
        }
        let (multiplier, _) = self.add(dual);
        let mut slack = None;
        let mut node = residual;
        if inequality {
            let domain = nonnegative(graph, residual);
            let var = variable(graph, format!("slack({name})"), Role::Lower, residual, domain, span);
            let (at, of_slack) = self.add(var);
            node = graph.add(residual, of_slack);
            slack = Some(at);
        }
        self.rows.push(Rows { node, relation: Relation::Equal });
        Parts { multiplier, slack }
    }

    /// The stationarity of the follower's Lagrangian, with multipliers for its bounds.
    fn stationary(
        &mut self,
        graph: &mut Graph,
        lower: &Level,
        constraints: &[Parts],
    ) -> Result<Vec<BoundParts>, Vec<Diagnostic>> {
        let mut bounds = Vec::new();
        let terms: Vec<(NodeId, NodeId)> = lower
            .constraints
            .iter()
            .zip(constraints)
            .map(|(constraint, parts)| (self.vars[parts.multiplier].node, constraint.residual))
            .collect();
        let total = lagrangian(graph, lower.objective, &terms);
        let total = simplest(graph, total);
        let nodes: Vec<NodeId> = lower.vars.iter().map(|v| v.node).collect();
        let partials = gradient(graph, total, &nodes).map_err(|e| {
            vec![not_differentiable(graph, lower, "the follower's optimality conditions", &e)]
        })?;
        for (k, (var, partial)) in lower.vars.iter().zip(partials).enumerate() {
            let mut node = partial;
            if let Domain::Interval(lo, hi) = var.domain {
                for (bound, high) in [(lo, false), (hi, true)] {
                    let domain = multiplier_of_bound(graph, bound, high);
                    let name = format!("bound({})", var.name);
                    let added = variable(graph, name, Role::Lower, var.node, domain, var.span);
                    let (multiplier, of_bound) = self.add(added);
                    node = if high { graph.add(node, of_bound) } else { graph.sub(node, of_bound) };
                    bounds.push(BoundParts { multiplier, variable: self.upper + k, high });
                }
            }
            self.rows.push(Rows { node, relation: Relation::Equal });
        }
        Ok(bounds)
    }

    /// Makes the upper variables lower ones, so that every variable of the program has one role; returns the objective.
    fn only_lower(&mut self, model: &mut Model) -> NodeId {
        let graph = &mut model.graph;
        for var in self.vars.iter_mut().take(self.upper) {
            let (input, node) = graph.add_input(var.name.clone(), Role::Lower, var.ty.clone());
            self.replace.push((var.node, node));
            (var.input, var.node) = (input, node);
        }
        let mut roots: Vec<NodeId> = self.rows.iter().map(|row| row.node).collect();
        roots.push(model.upper.objective);
        let roots = substitute_all(graph, &roots, &self.replace);
        for (row, node) in self.rows.iter_mut().zip(&roots) {
            row.node = *node;
        }
        roots[self.rows.len()]
    }
}

/// `[0, inf]` where the bound is finite, `[0, 0]` elsewhere.
fn multiplier_of_bound(graph: &mut Graph, bound: NodeId, high: bool) -> Domain {
    let shape = graph.shape(bound).clone();
    let none = graph.fill(0.0, &shape);
    let infinite = graph.fill(f64::INFINITY, &shape);
    let inside = if high {
        graph.binary(&ops::LT, bound, infinite)
    } else {
        let lowest = graph.fill(f64::NEG_INFINITY, &shape);
        graph.binary(&ops::LT, lowest, bound)
    };
    let most = graph.select(inside, infinite, none);
    Domain::Interval(none, most)
}
