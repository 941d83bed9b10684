//! The single-level form as one would write it down: the model's variables and constraints at one level, the follower's
//! multipliers as variables, its stationarity, and complementarity as products that are 0. No slacks: this form is for people and
//! other programs to read, [`super::kkt`] has the one that is solved.

use std::sync::Arc;

use blo_grammar::diagnostic::Diagnostic;

use super::boxes::boxed;
use super::kkt::{Conditions, Form, conditions};
use super::nonnegative;
use crate::ir::eval::{Array, Bindings, evaluate};
use crate::ir::graph::{NodeId, Role};
use crate::model::{Constraint, Data, Domain, Level, Model, Relation, Side, Var};
use crate::ops;
use crate::passes::simplify::simplify;
use crate::passes::substitute::substitute_all;
use crate::solution::data_bindings;

/// What a constraint of the stated form is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A constraint of the upper level.
    Upper,
    /// A constraint of the follower.
    Feasible,
    /// The follower's Lagrangian is stationary.
    Stationary,
    /// A multiplier or the distance from its constraint is 0.
    Complementary,
}

/// The stated form: a model with one level, whose constraints have these parts in order.
pub struct Stated {
    /// The model.
    pub model: Model,
    /// One entry per constraint of its upper level.
    pub parts: Vec<Part>,
    /// What the complementary constraints multiply.
    pub pairs: Vec<Pair>,
    /// The places among the variables of the multipliers that the model reads, in the order of the constraints.
    pub duals: Vec<usize>,
}

/// The factors of a complementary constraint, both at least 0.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The place of the constraint.
    pub row: usize,
    /// The place of the multiplier among the variables.
    pub multiplier: usize,
    /// The distance from the constraint or bound; infinite where there is none.
    pub distance: NodeId,
}

/// States the single-level form of a model.
///
/// Errors: a lower objective or constraint that cannot be differentiated, and a follower with integer variables, which
/// has no such conditions, and a pessimistic one, whose choice they do not tell.
pub fn stated(model: &Model) -> Result<Stated, Vec<Diagnostic>> {
    if let Some(var) = model.lower.iter().flat_map(|lower| &lower.vars).find(|var| var.integer) {
        let message = "a follower with integer variables has no optimality conditions";
        let label = format!("`{}` must be whole", var.name);
        let help = "the method `tree` solves such models without that form";
        return Err(vec![Diagnostic::error("E0408", message, var.span, label).help(help)]);
    }
    if let Some(place) = model.lower.as_ref().and_then(|lower| lower.pessimistic) {
        let message = "the single-level form is that of the optimistic response";
        let label = "here the follower breaks ties against the leader";
        return Err(vec![
            Diagnostic::error("E0409", message, place, label).help("remove `pessimistic` to see that form"),
        ]);
    }
    let data = data_bindings(model);
    let mut model = boxed(model);
    let (form, places) = conditions(&mut model)?;
    let own = model.upper.vars.len() + model.lower.as_ref().map_or(0, |lower| lower.vars.len());
    let mut statement = Statement {
        vars: form.vars[..own].to_vec(),
        parts: vec![Part::Upper; model.upper.constraints.len()],
        rows: model.upper.constraints.clone(),
        pairs: Vec::new(),
        duals: Vec::new(),
    };
    if let Some(lower) = model.lower.take() {
        statement.follower(&mut model, &lower, &form, &places);
        statement.bounds(&mut model, &lower, &form, &places, &data);
        statement.simplify(&mut model, &form, own);
        model.upper.objective = substitute_all(&mut model.graph, &[model.upper.objective], &form.replace)[0];
    }
    model.upper.vars = statement.vars;
    model.upper.constraints = statement.rows;
    model.reports.clear();
    model.expects.clear();
    model.sampled.clear();
    model.solve = None;
    let Statement { parts, pairs, duals, .. } = statement;
    Ok(Stated { model, parts, pairs, duals })
}

/// A stated form while it is put together.
struct Statement {
    vars: Vec<Var>,
    rows: Vec<Constraint>,
    parts: Vec<Part>,
    pairs: Vec<Pair>,
    duals: Vec<usize>,
}

impl Statement {
    fn add(&mut self, part: Part, row: Constraint) {
        self.rows.push(row);
        self.parts.push(part);
    }

    /// The follower's constraints, the stationarity of its Lagrangian, and the complementarity of its inequalities.
    fn follower(&mut self, model: &mut Model, lower: &Level, form: &Form, places: &Conditions) {
        let named = names(lower);
        for (constraint, name) in lower.constraints.iter().zip(&named) {
            self.add(Part::Feasible, Constraint { name: Some(name.clone()), ..constraint.clone() });
        }
        let rows = &form.rows[form.rows.len() - lower.vars.len()..];
        for (var, row) in lower.vars.iter().zip(rows) {
            let name = format!("stationary_{}", var.name);
            self.add(Part::Stationary, equation(lower, name, row.node, var.dims.clone()));
        }
        for ((constraint, place), name) in lower.constraints.iter().zip(&places.constraints).zip(&named) {
            let multiplier = self.variable(form, place.multiplier, format!("dual_{name}"), &constraint.dims);
            if constraint.relation == Relation::AtMost {
                let product = model.graph.mul(multiplier.node, constraint.residual);
                let row = equation(lower, format!("slack_{name}"), product, constraint.dims.clone());
                self.add(Part::Complementary, row);
                let distance = model.graph.neg(constraint.residual);
                self.pairs.push(Pair { row: self.rows.len() - 1, multiplier: self.vars.len(), distance });
            }
            if constraint.multiplier.is_some() {
                self.duals.push(self.vars.len());
            }
            self.vars.push(multiplier);
        }
    }

    /// Multipliers of the bounds that are finite, and their complementarity.
    fn bounds(
        &mut self,
        model: &mut Model,
        lower: &Level,
        form: &Form,
        places: &Conditions,
        data: &Bindings,
    ) {
        for place in &places.bounds {
            let var = &form.vars[place.variable];
            let Domain::Interval(lo, hi) = var.domain else { continue };
            let (side, bound) = if place.high { ("high", hi) } else { ("low", lo) };
            // A bound that data not yet bound decide counts as finite.
            let values = evaluate(&model.graph, &[bound], data).ok().and_then(|mut values| values.pop());
            let infinite = |value: &&f64| value.is_infinite();
            let free = values.as_ref().map_or(0, |values| values.iter().filter(infinite).count());
            if free > 0 && values.as_ref().is_some_and(|values| values.len() == free) {
                continue;
            }
            let mut multiplier =
                self.variable(form, place.multiplier, format!("{side}_{}", var.name), &var.dims);
            multiplier.domain = multiplier_domain(model, var, values.filter(|_| free > 0));
            let graph = &mut model.graph;
            let distance = if place.high { graph.sub(hi, var.node) } else { graph.sub(var.node, lo) };
            let mut product = graph.mul(multiplier.node, distance);
            if free > 0 {
                // An infinite bound has the multiplier 0, which times infinity would be no number.
                let shape = graph.shape(bound).clone();
                let zeros = graph.fill(0.0, &shape);
                let size = graph.unary(&ops::ABS, bound);
                let infinite = graph.fill(f64::INFINITY, &shape);
                let inside = graph.binary(&ops::LT, size, infinite);
                product = graph.select(inside, product, zeros);
            }
            let name = format!("bound_{side}_{}", var.name);
            self.add(Part::Complementary, equation(lower, name, product, var.dims.clone()));
            self.pairs.push(Pair { row: self.rows.len() - 1, multiplier: self.vars.len(), distance });
            self.vars.push(multiplier);
        }
    }

    /// A multiplier under a name that nothing else has.
    fn variable(&self, form: &Form, place: usize, mut name: String, dims: &[Option<String>]) -> Var {
        while self.vars.iter().any(|var| var.name == name) {
            name.push('_');
        }
        Var { name, dims: dims.to_vec(), ..form.vars[place].clone() }
    }

    /// Puts the multipliers in the place of `dual(…)`, 0 in the place of those of bounds that are all infinite, and
    /// simplifies.
    fn simplify(&mut self, model: &mut Model, form: &Form, own: usize) {
        let gone = form.vars[own..].iter().filter(|var| self.vars.iter().all(|kept| kept.input != var.input));
        let gone: Vec<(NodeId, NodeId)> =
            gone.map(|var| (var.node, model.graph.zeros_like(var.node))).collect();
        let mut residuals: Vec<NodeId> = self.rows.iter().map(|constraint| constraint.residual).collect();
        residuals.extend(self.pairs.iter().map(|pair| pair.distance));
        let replace: Vec<(NodeId, NodeId)> = form.replace.iter().copied().chain(gone).collect();
        let residuals = substitute_all(&mut model.graph, &residuals, &replace);
        let simple = simplify(&mut model.graph, &residuals);
        let (rows, distances) = simple.split_at(self.rows.len());
        for (constraint, &node) in self.rows.iter_mut().zip(rows) {
            constraint.residual = node;
            constraint.multiplier = None;
        }
        for (pair, &node) in self.pairs.iter_mut().zip(distances) {
            pair.distance = node;
        }
    }
}

/// Names for the follower's constraints: their own, with the side of a chain, or a number.
fn names(lower: &Level) -> Vec<String> {
    let own = lower.constraints.iter().enumerate().map(|(k, constraint)| {
        let name = constraint.name.clone().unwrap_or_else(|| format!("c{}", k + 1));
        match constraint.side {
            Side::Whole => name,
            Side::Low => format!("{name}_low"),
            Side::High => format!("{name}_high"),
        }
    });
    own.collect()
}

/// At least 0; where `bounds` are given, exactly 0 at those that are infinite.
fn multiplier_domain(model: &mut Model, var: &Var, bounds: Option<Array>) -> Domain {
    let Some(bounds) = bounds else { return nonnegative(&mut model.graph, var.node) };
    let ty = model.graph.ty(var.node).clone();
    let (input, most) = model.graph.add_input(String::new(), Role::Data, ty);
    let value = bounds.mapv(|bound| if bound.is_infinite() { 0.0 } else { f64::INFINITY });
    let dims = vec![None; value.ndim()];
    let value = Some(Arc::new(value));
    model.data.push(Data::new("", input, value, dims, var.span));
    let zeros = model.graph.zeros_like(var.node);
    Domain::Interval(zeros, most)
}

/// `residual == 0`.
fn equation(lower: &Level, name: String, residual: NodeId, dims: Vec<Option<String>>) -> Constraint {
    Constraint {
        name: Some(name),
        dims,
        family: 0,
        relation: Relation::Equal,
        residual,
        side: Side::Whole,
        multiplier: None,
        operands: (lower.objective_span, lower.objective_span),
        span: lower.span,
    }
}
