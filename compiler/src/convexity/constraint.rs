//! The verdict on a constraint: what the set of points that satisfy it is.

use super::explain::culprit;
use super::form::{Class, Remark, best_fact, judge};
use super::scope::Scope;
use super::terms::covers;
use crate::ir::graph::{Graph, NodeId};
use crate::model::{Constraint, Relation};
use crate::ops::curvature::Bend;
use blo_grammar::span::Span;

/// What the points that satisfy a constraint form, in the chosen variables, for every value of the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Satisfying {
    /// A polyhedron: the residual is affine.
    Polyhedron,
    /// A convex set: the residual of an inequality is convex.
    Convex,
    /// Not known to be convex: the residual of an inequality is not convex, or not known to be, or that of an equality is not
    /// known to be affine. The set may be convex all the same.
    Unknown,
}

/// The verdict on one constraint of a level.
#[derive(Clone, Debug)]
pub struct ConstraintForm {
    /// The verdict.
    pub set: Satisfying,
    /// Where the constraint stands.
    pub span: Span,
    /// The deepest part that keeps the set from being known to be convex.
    pub obstacle: Option<Remark>,
}

/// Elements of a constraint that are judged one by one where the rules fail for all of them together.
const MOST_ELEMENTS: usize = 64;

/// Judges a constraint, for every element of its residual.
pub fn judge_constraint(g: &mut Graph, scope: &Scope, constraint: &Constraint) -> ConstraintForm {
    let Constraint { residual, relation, span, .. } = *constraint;
    let mut walk = scope.walk(g);
    let fact = best_fact(g, &mut walk, residual);
    let form = |set, obstacle| ConstraintForm { set, span, obstacle };
    if fact.bend.is_affine() {
        return form(Satisfying::Polyhedron, None);
    }
    if relation == Relation::Equal {
        let found = culprit(g, &walk, residual, Bend::Affine);
        let obstacle =
            found.map(|(node, text)| remark(g, node, format!("{text}; an equality must be affine"), span));
        return form(Satisfying::Unknown, obstacle);
    }
    if fact.bend.is_convex() {
        return form(Satisfying::Convex, None);
    }
    let elements = elements(g, residual);
    let mut set = Satisfying::Convex;
    let mut obstacle = None;
    for element in &elements {
        let one = judge(g, scope, *element, span, false);
        if !one.class.is_convex() {
            set = Satisfying::Unknown;
            obstacle = one.obstacle.map(|remark| match one.class {
                Class::Nonconvex(_) => {
                    Remark { text: format!("{}; the constraint is not convex", remark.text), ..remark }
                }
                _ => remark,
            });
            break;
        }
    }
    if elements.is_empty() {
        set = Satisfying::Unknown;
        let found = culprit(g, &walk, residual, Bend::Convex);
        obstacle = found.map(|(node, text)| remark(g, node, text, span));
    }
    form(set, obstacle)
}

fn remark(g: &Graph, node: NodeId, text: String, place: Span) -> Remark {
    let span = g.node(node).span.unwrap_or(place);
    Remark { span, text, within: (!covers(place, span)).then_some(place) }
}

/// The elements of an array as scalars; none if there are too many.
fn elements(g: &mut Graph, array: NodeId) -> Vec<NodeId> {
    let shape = g.shape(array).clone();
    let count: usize = shape.iter().product();
    if count > MOST_ELEMENTS {
        return Vec::new();
    }
    let span = g.node(array).span;
    let outer = g.set_span(span);
    let flat = g.reshape(array, &[count]);
    let found = (0..count)
        .map(|k| {
            let one = g.slice(flat, &[k], &[k + 1]);
            g.reshape(one, &[])
        })
        .collect();
    g.set_span(outer);
    found
}
