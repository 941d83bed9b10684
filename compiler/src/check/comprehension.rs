//! Comprehensions. A binder adds a loop; the body is elaborated once, with the loop as an axis; the reduction then runs over
//! that axis. A filter becomes a mask, or a segmented sum where it picks one segment by an index array.

use blo_grammar::ast::{BinaryOp, Comprehension, Expr, ExprKind, Ident};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;
use blo_grammar::span::Span;

use super::Checker;
use super::arithmetic::union;
use super::builtins::reduce::{Reducer, reducer};
use super::range::Bound;
use super::value::{Axes, Axis, Label, LoopId, Loops, Value};
use crate::ir::graph::Role;
use crate::types::Elem;

impl Checker<'_> {
    /// `sum(e for i in n if c)`.
    pub fn reduction(&mut self, function: &Ident, c: &Comprehension, span: Span) -> Option<Value> {
        let function = &self.known_by(function);
        let Some(reducer) = reducer(&function.name) else {
            let known = super::builtins::reduce::NAMES;
            let mut diagnostic = Diagnostic::error(
                "E0205",
                format!("`{}` does not reduce over indices", function.name),
                function.span,
                "not a reduction",
            )
            .note(format!("the reductions are {}", known.join(", ")));
            if let Some(near) = nearest(&function.name, known.iter().copied()) {
                diagnostic = diagnostic.did_you_mean(near);
            }
            self.emit(diagnostic);
            return None;
        };
        self.samples(&c.binders, reducer, function)?;
        self.with_binders(&c.binders, |this, bound| {
            let value = this.terms_of(reducer, c, bound, span)?;
            this.record_samples(&c.binders, bound, reducer, &value);
            Some(value)
        })
    }

    fn terms_of(&mut self, reducer: Reducer, c: &Comprehension, bound: &Bound, span: Span) -> Option<Value> {
        if reducer == Reducer::Sum
            && bound.real.is_none()
            && let Some(value) = self.segmented_sum(c, &bound.loops)
        {
            return value;
        }
        let filter = c.filter.as_ref().map(|f| self.filter_condition(f));
        let known = filter.clone().flatten();
        let body = self.guarded(known.as_ref(), |this| this.expr(&c.body));
        let mut condition = bound.real.clone();
        if let Some(filter) = filter {
            condition = Some(self.both(condition, filter?));
        }
        self.reduce_loops(reducer, &body?, condition.as_ref(), &bound.loops, &c.body, span)
    }

    /// `[e for i in n, j in m]`: the loops become leading own axes.
    pub fn array_comprehension(&mut self, c: &Comprehension) -> Option<Value> {
        if let Some(filter) = &c.filter {
            let [body, condition] = [&c.body, filter].map(|e| self.source_text(e.span));
            let diagnostic = Diagnostic::error(
                "E0214",
                "an array comprehension cannot have a filter",
                filter.span,
                "the size of the result would depend on values",
            );
            self.emit(
                diagnostic.help(format!("write a choice: `[if {condition} then {body} else 0 for …]`")),
            );
            return None;
        }
        for binder in &c.binders {
            if binder.sampled {
                return self.not_sampled(binder, "an array has a place for every turn");
            }
        }
        self.with_binders(&c.binders, |this, bound| {
            let body = this.expr(&c.body);
            if let Some(span) = bound.changing {
                return this.ragged(span);
            }
            let (body, loops) = (body?, &bound.loops);
            let all = union(&body.loops, loops);
            let node = this.spread(&body, &all, &body.shape);
            let from = all.iter().map(|&l| Label::Loop(l));
            let own: Vec<Label> = (0..body.rank()).map(Label::Own).collect();
            let from: Vec<Label> = from.chain(own.iter().copied()).collect();
            let outer: Loops = all.iter().copied().filter(|l| !loops.contains(l)).collect();
            let to: Vec<Label> = outer.iter().chain(loops).map(|&l| Label::Loop(l)).chain(own).collect();
            let node = this.arrange(node, &from, &to);
            let mut shape: Axes = loops.iter().map(|l| this.loops[l.0].axis).collect();
            shape.extend(body.shape.iter().copied());
            Some(this.value(node, outer, shape))
        })
    }

    fn ragged(&mut self, span: Span) -> Option<Value> {
        let diagnostic = Diagnostic::error(
            "E0215",
            "the rows of an array must have the same length",
            span,
            "this range depends on an index",
        );
        let help = "run over the whole range and fill up: `[if j < i then e else 0 for i in n, j in n]`";
        self.emit(diagnostic.help(help));
        None
    }

    fn filter_condition(&mut self, e: &Expr) -> Option<Value> {
        let condition = self.expr(e)?;
        let condition = self.truth(condition, e.span, "a filter")?;
        if condition.rank() == 0 {
            return Some(condition);
        }
        let label = format!("this is {}", self.value_text(&condition));
        self.error("E0222", "a filter must be a single truth value", e.span, label)
    }

    /// `sum(e for a in m if p[a] == i)` with `i` an outer loop that `e` does not depend on: every term is added into its
    /// segment once. `None` when the sum does not have this form.
    fn segmented_sum(&mut self, c: &Comprehension, loops: &Loops) -> Option<Option<Value>> {
        let ExprKind::Binary { op: BinaryOp::Eq, left, right, .. } = &c.filter.as_ref()?.kind else {
            return None;
        };
        let sides = self.quietly(|c| (c.expr(left), c.expr(right)));
        let (a, b) = (sides.0?, sides.1?);
        let plain = |v: &Value| {
            let index = v.affine?.index.filter(|l| !loops.contains(l))?;
            (v.affine?.coefficient == 1).then_some(index)
        };
        let (segment, position, target) = match (plain(&a), plain(&b)) {
            (None, Some(index)) => (a, index, b.affine?),
            (Some(index), None) => (b, index, a.affine?),
            _ => return None,
        };
        let inside = |l: &LoopId| loops.contains(l);
        if segment.elem != Elem::Int || segment.rank() > 0 || !segment.loops.iter().all(inside) {
            return None;
        }
        let over = self.loops[position.0].axis;
        if target.offset != 0 || !self.within(&segment, over) {
            return None;
        }
        let body = self.expr(&c.body);
        let Some(body) = body else { return Some(None) };
        if body.elem == Elem::Bool || body.loops.contains(&position) || segment.loops.len() != loops.len() {
            return None;
        }
        Some(Some(self.scatter_segments(&body, &segment, loops, position)))
    }

    /// Whether every element of a data-only value is a position of the axis. Unknown values are trusted when only shapes
    /// are being checked.
    fn within(&mut self, value: &Value, axis: Axis) -> bool {
        if self.graph.node(value.node).stage != Role::Data {
            return false;
        }
        match self.known_array(value) {
            Some(array) => array.iter().all(|&x| x >= 0.0 && x < axis.size as f64),
            None => false,
        }
    }

    fn scatter_segments(&mut self, body: &Value, segment: &Value, loops: &Loops, position: LoopId) -> Value {
        let body = self.real(body);
        let all = union(&body.loops, loops);
        let outer: Loops = all.iter().copied().filter(|l| !loops.contains(l)).collect();
        let label = |l: &LoopId| Label::Loop(*l);
        let own: Vec<Label> = (0..body.rank()).map(Label::Own).collect();
        let from: Vec<Label> = all.iter().map(label).chain(own.iter().copied()).collect();
        let rest: Vec<Label> = outer.iter().map(label).chain(own).collect();
        let to: Vec<Label> = loops.iter().map(label).chain(rest.iter().copied()).collect();
        let updates = self.spread(&body, &all, &body.shape);
        let updates = self.arrange(updates, &from, &to);
        let order = Self::labels(segment, |k| k);
        let wanted: Vec<Label> = loops.iter().map(label).collect();
        let index = self.arrange(segment.node, &order, &wanted);
        let size = self.loops[position.0].axis.size;
        let node = self.graph.scatter_add(updates, index, 0, size);
        self.summed = Some((node, loops.clone()));
        let labels: Vec<Label> = std::iter::once(Label::Loop(position)).chain(rest.iter().copied()).collect();
        let result = union(&outer, &Loops::from_slice(&[position]));
        let out: Vec<Label> = result.iter().map(label).chain((0..body.rank()).map(Label::Own)).collect();
        let node = self.arrange(node, &labels, &out);
        self.value(node, result, body.shape.clone())
    }
}
