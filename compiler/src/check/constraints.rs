//! Constraints: `subject to name[i in n]: lo <= e <= hi` becomes residuals over the family's indices and the operands' common
//! shape. What no choice of variables can change, or never satisfies, is found here as far as bound data decide it.

use blo_grammar::ast::{self, BinaryOp};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Checker;
use super::arithmetic::{join, union};
use super::range::Bound;
use super::scope::{DeclId, Frame, LevelId, Reads};
use super::value::{Axes, Axis, Loops, Value};
use crate::ir::eval::Array;
use crate::ir::graph::{NodeId, Role};
use crate::model::{Constraint, Domain, Relation, Side};
use crate::types::Elem;

/// A constraint with what the checker knows beyond the model.
pub struct ConstraintState {
    pub constraint: Constraint,
    pub level: LevelId,
    /// The declaration of its name.
    pub decl: Option<DeclId>,
    /// The axes of its residual.
    pub shape: Axes,
}

/// Known numbers that a node must be at least, or at most, element by element.
pub struct Limit {
    node: NodeId,
    high: bool,
    values: Array,
    span: Span,
}

/// Operands brought to the family's indices and one shape.
struct Operands {
    nodes: Vec<NodeId>,
    /// The axes of the family: its indices, or one for all members where a range depends on an index.
    family: Axes,
    shape: Axes,
}

impl Checker<'_> {
    /// Elaborates a constraint of a level; `decl` is its name's declaration.
    pub fn constraint(&mut self, written: &ast::Constraint, level: Option<LevelId>, decl: Option<DeclId>) {
        let Some(level) = level else { crate::bug!("a constraint outside the levels") };
        self.at(Frame::top(0, Some(level)), Reads::Variables, |c| {
            c.every_index_counts_all(written);
            let operands = c.with_binders(&written.binders, |c, bound| c.operands(written, bound));
            let Some(operands) = operands else { return };
            c.graph.set_span(Some(extent(written)));
            for k in 0..written.relations.len() {
                c.relation(written, k, &operands, level, decl);
            }
        });
    }

    /// Elaborates the constraints of a level that were not needed before.
    pub fn elaborate_constraints(&mut self, id: LevelId, level: &ast::Level) {
        for item in &level.items {
            let ast::ItemKind::Constraint(written) = &item.kind else { continue };
            let decl = written.name.as_ref().and_then(|name| {
                let decl = *self.modules[0].names.get(&name.name)?;
                (self.decls[decl.0].span == name.span).then_some((decl, name.span))
            });
            match decl {
                Some((decl, span)) => drop(self.resolve(decl, span)),
                None => self.constraint(written, Some(id), None),
            }
        }
    }

    /// The constraints of a level, in source order.
    pub fn constraints_in(&self, level: LevelId) -> Vec<Constraint> {
        let own = self.constraints.iter().filter(|c| c.level == level);
        let mut all: Vec<Constraint> = own.map(|c| c.constraint.clone()).collect();
        all.sort_by_key(|c| c.span);
        all
    }

    /// A constraint holds for every index: none can be left to sampling.
    fn every_index_counts_all(&mut self, written: &ast::Constraint) {
        for binder in written.binders.iter().filter(|b| b.sampled) {
            let diagnostic = Diagnostic::error(
                "E0238",
                "a family of constraints cannot be sampled",
                binder.span,
                "`~` marks a sum that may be estimated",
            );
            let help = self.source_text(binder.span).replacen('~', "in", 1);
            self.emit(diagnostic.help(format!("every member must hold: write `{help}`")));
        }
    }

    fn operands(&mut self, written: &ast::Constraint, bound: &Bound) -> Option<Operands> {
        let loops = &bound.loops;
        let values: Vec<Option<Value>> = written
            .operands
            .iter()
            .map(|e| {
                let value = self.expr(e)?;
                let value = self.numeric(value, e.span, "a constraint")?;
                Some(self.real(&value))
            })
            .collect();
        let values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
        let mut shape = values[0].shape.clone();
        for k in 1..values.len() {
            let fits = |j: usize| join(&values[j].shape, &values[k].shape).is_some();
            // The neighbour is named where it is to blame, else the first operand, which the neighbour broadcast to.
            let against = if fits(k - 1) { 0 } else { k - 1 };
            let Some(joined) = join(&shape, &values[k].shape) else {
                let (op, place) = written.relations[k - 1];
                let what = format!("`{}`", op.spelling());
                let (left, right) = (&written.operands[against], &written.operands[k]);
                return self.shapes_differ(&what, place, (&values[against], left), (&values[k], right));
            };
            shape = joined;
        }
        let used = values.iter().fold(Loops::new(), |all, v| union(&all, &v.loops));
        // With a range that was refused, the other indices of the family are not among its loops.
        if used.iter().any(|index| !loops.contains(index)) {
            return None;
        }
        for (binder, index) in written.binders.iter().zip(loops) {
            if !used.contains(index) {
                let message = format!("the constraint is the same for every `{}`", binder.name.name);
                let label = format!("nothing depends on `{}`", binder.name.name);
                let name = &binder.name.name;
                let help = format!("read `{name}` in it, or leave the index out");
                self.emit(Diagnostic::warning("W0204", message, binder.span, label).help(help));
            }
        }
        let mut nodes: Vec<NodeId> = values.iter().map(|v| self.spread(v, loops, &shape)).collect();
        let mut family: Axes = loops.iter().map(|l| self.loops[l.0].axis).collect();
        if let Some(members) = self.members(bound) {
            let all: usize = family.iter().map(|a| a.size).product();
            let count = Axis::of(members.len());
            let index = self.anonymous(members, Elem::Int, extent(written));
            let flat = self.sizes(&Loops::new(), &shape);
            let flat = [&[all], flat.as_slice()].concat();
            for node in &mut nodes {
                let rows = self.graph.reshape(*node, &flat);
                *node = self.graph.gather(rows, index.node, 0);
            }
            family = Axes::from_slice(&[count]);
        }
        Some(Operands { nodes, family, shape })
    }

    /// The positions of the real members among all turns, where a range depends on an earlier index and data decide it.
    fn members(&mut self, bound: &Bound) -> Option<Array> {
        let real = bound.real.clone()?;
        let node = self.spread(&real, &bound.loops, &[]);
        let known = self.known_node(node)?;
        let members: Vec<f64> =
            known.iter().enumerate().filter(|(_, real)| **real != 0.0).map(|(k, _)| k as f64).collect();
        Array::from_shape_vec(vec![members.len()], members).ok()
    }

    /// One relation of a constraint.
    fn relation(
        &mut self,
        written: &ast::Constraint,
        k: usize,
        operands: &Operands,
        level: LevelId,
        decl: Option<DeclId>,
    ) {
        let (op, _) = written.relations[k];
        let (mut small, mut large) = (k, k + 1);
        if op == BinaryOp::Ge {
            (small, large) = (large, small);
        }
        let (a, b) = (operands.nodes[small], operands.nodes[large]);
        let residual = self.graph.sub(a, b);
        let relation = if op == BinaryOp::Eq { Relation::Equal } else { Relation::AtMost };
        let side = match written.relations.len() {
            1 => Side::Whole,
            // The middle operand is the larger one on the low side.
            _ if large == 1 => Side::Low,
            _ => Side::High,
        };
        let shape: Axes = operands.family.iter().chain(&operands.shape).copied().collect();
        let (left, right) = (written.operands[k].span, written.operands[k + 1].span);
        let constraint = Constraint {
            name: written.name.as_ref().map(|n| n.name.clone()),
            dims: shape.iter().map(|a| a.dim.map(|d| self.dims[d.0].name.clone())).collect(),
            family: operands.family.len(),
            relation,
            residual,
            side,
            multiplier: None,
            operands: (left, right),
            span: extent(written),
        };
        if self.says_something(&constraint, level) {
            for (node, other, high) in [(a, b, true), (b, a, false)] {
                self.limit(node, other, high, left.to(right));
                if relation == Relation::Equal {
                    self.limit(node, other, !high, left.to(right));
                }
            }
        }
        self.constraints.push(ConstraintState { constraint, level, decl, shape });
    }

    /// Whether the residual depends on variables; complains where it does not, or not on those of its level.
    fn says_something(&mut self, constraint: &Constraint, level: LevelId) -> bool {
        let stage = self.graph.node(constraint.residual).stage;
        if stage == Role::Data {
            self.constant_constraint(constraint);
            return false;
        }
        if level.is_lower() && stage == Role::Upper {
            let message = format!("a constraint of `{}` reads none of its variables", self.level_name(level));
            let label = "only `upper` can do something about this";
            let diagnostic = Diagnostic::warning("W0204", message, constraint.span, label);
            self.emit(diagnostic.help("move it into `upper`"));
        }
        true
    }

    fn constant_constraint(&mut self, constraint: &Constraint) {
        let Constraint { residual, relation, span, operands: (left, right), .. } = *constraint;
        let Some(values) = self.known_node(residual) else {
            let label = "it depends on data alone";
            self.emit(Diagnostic::warning("W0204", "a constraint reads no variable", span, label));
            return;
        };
        let broken = |r: &f64| match relation {
            Relation::AtMost => *r > 0.0 || r.is_nan(),
            Relation::Equal => *r != 0.0,
        };
        match values.iter().position(broken) {
            None => {
                let label = "it reads no variable, and the data satisfy it";
                self.emit(Diagnostic::warning("W0204", "a constraint always holds", span, label));
            }
            Some(at) => {
                let off = values.iter().nth(at).copied().unwrap_or(f64::NAN).abs();
                let element = if values.len() > 1 { format!("element {at} is ") } else { String::new() };
                let diagnostic = Diagnostic::error(
                    "E0236",
                    "a constraint never holds",
                    span,
                    format!("it reads no variable, and {element}violated by {off}"),
                );
                self.emit(
                    diagnostic.label(left, "this side").label(right, "and this side are fixed by data"),
                );
            }
        }
    }

    /// Takes note that `node` is at most (`high`) or at least `other`, where that is known, and looks for a contradiction
    /// with the domain or an earlier constraint.
    fn limit(&mut self, node: NodeId, other: NodeId, high: bool, span: Span) {
        let free = self.graph.node(node).stage != Role::Data;
        let Some(values) = self.known_node(other).filter(|_| free) else { return };
        self.domain_limits(node);
        let against = self.limits.iter().find_map(|l| {
            let (low, top) = if high { (&l.values, &values) } else { (&values, &l.values) };
            let clash = low.iter().zip(top).find(|(a, b)| a > b).map(|(a, b)| (*a, *b));
            (l.node == node && l.high != high).then_some((clash?, l.span))
        });
        if let Some(((low, top), earlier)) = against {
            let words = |high: bool| {
                if high { format!("at most {top} here") } else { format!("at least {low} here") }
            };
            let diagnostic = Diagnostic::error("E0236", "bounds contradict each other", span, words(high));
            self.emit(if earlier == span {
                diagnostic.note(words(!high))
            } else {
                diagnostic.label(earlier, words(!high))
            });
        }
        self.limits.push(Limit { node, high, values, span });
    }

    /// The bounds in a variable's declaration as limits, once.
    fn domain_limits(&mut self, node: NodeId) {
        if self.limits.iter().any(|l| l.node == node) {
            return;
        }
        let Some(var) = self.vars.iter().find(|v| v.var.node == node) else { return };
        let Domain::Interval(low, high) = var.var.domain else { return };
        let span = var.var.span;
        for (bound, high) in [(low, false), (high, true)] {
            if let Some(values) = self.known_node(bound) {
                self.limits.push(Limit { node, high, values, span });
            }
        }
    }

    /// The elements of a node that depends on bound data alone, its axes as they are.
    pub fn known_node(&mut self, node: NodeId) -> Option<Array> {
        let shape: Axes = self.graph.shape(node).iter().map(|&size| Axis::of(size)).collect();
        let value = self.value(node, Loops::new(), shape);
        self.known_array(&value)
    }
}

/// Everything a constraint consists of, from its name on.
fn extent(written: &ast::Constraint) -> Span {
    let first = written.name.as_ref().map_or(written.operands[0].span, |n| n.span);
    first.to(written.operands[written.operands.len() - 1].span)
}
