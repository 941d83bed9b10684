//! Comprehensions. A binder adds a loop; the body is elaborated once, with the loop as an axis; the reduction then runs over
//! that axis. A filter becomes a mask, or a segmented sum where it picks one segment by an index array.

use blo_grammar::ast::{BinaryOp, Binder, Comprehension, Expr, ExprKind, Ident, IndexRange};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;
use blo_grammar::span::Span;

use super::arithmetic::union;
use super::builtins::reduce::{Reducer, reducer};
use super::scope::Local;
use super::value::{Affine, Axes, Axis, Label, LoopId, Loops, Value};
use super::{Checker, Loop};
use crate::ir::graph::Role;
use crate::types::Elem;

impl Checker<'_> {
    /// `sum(e for i in n if c)`.
    pub fn reduction(&mut self, function: &Ident, c: &Comprehension, span: Span) -> Option<Value> {
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
        self.with_binders(&c.binders, |this, loops| {
            if reducer == Reducer::Sum
                && let Some(value) = this.segmented_sum(c, &loops)
            {
                return value;
            }
            let body = this.expr(&c.body);
            let filter = c.filter.as_ref().map(|f| (this.expr(f), f));
            let body = body?;
            let filter = match filter {
                None => None,
                Some((condition, f)) => Some(this.filter_condition(condition?, f)?),
            };
            this.reduce_loops(reducer, &body, filter.as_ref(), &loops, &c.body, span)
        })
    }

    /// `[e for i in n, j in m]`: the loops become leading own axes.
    pub fn array_comprehension(&mut self, c: &Comprehension) -> Option<Value> {
        if let Some(filter) = &c.filter {
            return self.error(
                "E0214",
                "an array comprehension cannot have a filter",
                filter.span,
                "the size of the result would depend on values",
            );
        }
        self.with_binders(&c.binders, |this, loops| {
            let body = this.expr(&c.body)?;
            let all = union(&body.loops, &loops);
            let node = this.spread(&body, &all, &body.shape);
            let from = all.iter().map(|&l| Label::Loop(l));
            let own: Vec<Label> = (0..body.rank()).map(Label::Own).collect();
            let from: Vec<Label> = from.chain(own.iter().copied()).collect();
            let outer: Loops = all.iter().copied().filter(|l| !loops.contains(l)).collect();
            let to: Vec<Label> = outer.iter().chain(&loops).map(|&l| Label::Loop(l)).chain(own).collect();
            let node = this.arrange(node, &from, &to);
            let mut shape: Axes = loops.iter().map(|l| this.loops[l.0].axis).collect();
            shape.extend(body.shape.iter().copied());
            Some(this.value(node, outer, shape))
        })
    }

    /// Adds the binders' loops to the scope for the duration of `work`.
    pub fn with_binders<T>(
        &mut self,
        binders: &[Binder],
        work: impl FnOnce(&mut Self, Loops) -> Option<T>,
    ) -> Option<T> {
        let depth = self.frame().locals.len();
        let mut loops = Some(Loops::new());
        for binder in binders {
            let range = self.range(&binder.range);
            let value = range.map(|(axis, start)| self.add_loop(axis, start, binder.span));
            match (&mut loops, &value) {
                (Some(all), Some(v)) => all.extend(v.loops.iter().copied()),
                _ => loops = None,
            }
            self.bind(&binder.name, Local::Value(value), depth);
        }
        // The body is looked at even after a bad range, for its own errors.
        let result = work(self, loops.clone().unwrap_or_default());
        self.frame().locals.truncate(depth);
        loops.and(result)
    }

    /// A new loop's index as a value.
    fn add_loop(&mut self, axis: Axis, start: i64, span: Span) -> Value {
        let id = LoopId(self.loops.len());
        self.loops.push(Loop { axis, start, span });
        let mut node = self.graph.iota(axis.size);
        if start != 0 {
            let shift = self.graph.int(start);
            let shift = self.graph.broadcast_scalar(shift, &[axis.size]);
            node = self.graph.add(node, shift);
        }
        let affine = Affine { index: Some(id), coefficient: 1, offset: start };
        Value { affine: Some(affine), ..self.value(node, Loops::from_slice(&[id]), Axes::new()) }
    }

    /// The axis and first value of an index range.
    fn range(&mut self, range: &IndexRange) -> Option<(Axis, i64)> {
        match range {
            IndexRange::Count(e) => Some((self.dimension(e)?, 0)),
            IndexRange::Range(a, b) => {
                let (start, end) = (
                    self.whole_number(a, "the start of a range"),
                    self.whole_number(b, "the end of a range"),
                );
                let ((start, x), (end, y)) = (start?, end?);
                if end <= start {
                    let label = format!("{start}..{end} holds no numbers");
                    return self.error("E0213", "the range is empty", a.span.to(b.span), label);
                }
                let size = (end - start) as usize;
                let dim = match &b.kind {
                    ExprKind::Name(_) if start == 0 => self.dimension(b)?.dim,
                    _ => None,
                };
                Some((Axis { size, dim, assumed: x || y }, start))
            }
        }
    }

    fn filter_condition(&mut self, condition: Value, e: &Expr) -> Option<Value> {
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
        let before = self.diagnostics.len();
        let sides = (self.expr(left), self.expr(right));
        self.diagnostics.truncate(before);
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
        let labels: Vec<Label> = std::iter::once(Label::Loop(position)).chain(rest.iter().copied()).collect();
        let result = union(&outer, &Loops::from_slice(&[position]));
        let out: Vec<Label> = result.iter().map(label).chain((0..body.rank()).map(Label::Own)).collect();
        let node = self.arrange(node, &labels, &out);
        self.value(node, result, body.shape.clone())
    }
}
