//! Which positions an index reaches: known ones are checked at once, those that depend on data when the data are bound. A
//! position outside the dimension is no error in turns that a range, a filter or a condition leaves out.

use blo_grammar::ast::{Expr, ExprKind};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;
use blo_grammar::span::Span;

use super::Checker;
use super::arithmetic::union;
use super::index::{Cut, Part};
use super::scope::Expansion;
use super::value::{Affine, Axes, Axis, LoopId, Loops, Value};
use crate::ir::eval::{Array, evaluate};
use crate::ir::graph::{NodeId, Role};
use crate::types::Elem;

/// An index whose positions are looked at once everything is elaborated.
pub struct IndexCheck {
    index: Value,
    axis: Axis,
    /// The index as written, and the array.
    places: (Span, Span),
    guards: Vec<Value>,
    calls: Vec<Expansion>,
}

impl Checker<'_> {
    /// `a..b` as an index.
    pub fn stretch(
        &mut self,
        axis: Axis,
        start: Option<&Expr>,
        end: Option<&Expr>,
        span: Span,
        base: &Expr,
    ) -> Option<Cut> {
        let first = start.map(|e| self.expr(e));
        let last = end.map(|e| self.expr(e));
        let first = match first {
            Some(value) => value?,
            None => self.int(0),
        };
        let last = match last {
            Some(value) => value?,
            None => self.size_value(&axis),
        };
        if !first.loops.is_empty() || !last.loops.is_empty() {
            return self.moving(axis, (&first, &last), span, base);
        }
        let from = self.whole_number_of(&first, start.map_or(span, |e| e.span), "the start of a range");
        let to = self.whole_number_of(&last, end.map_or(span, |e| e.span), "the end of a range");
        let ((from, a), (to, b)) = (from?, to?);
        if from < 0 || to < from || to > axis.size as i64 || to == from {
            let what = if to <= from { "the range is empty" } else { "the range runs off the dimension" };
            let label = format!("{from}..{to} of a dimension {}", self.axis_text(&axis));
            let diagnostic = Diagnostic::error("E0213", what, span, label);
            self.emit(diagnostic.note("ranges are half-open and positions count from 0"));
            return None;
        }
        let full = from == 0 && to == axis.size as i64;
        let size = (to - from) as usize;
        // A slice up to a dimension has that dimension, whatever its size happens to be.
        let named = match end {
            Some(end) if from == 0 && self.names_dimension(end) => self.dimension(end)?.dim,
            _ => None,
        };
        let kept = if full && named.is_none() { axis } else { Axis { size, dim: named, assumed: a || b } };
        Some(Cut { part: Part::Keep(kept), start: from as usize, end: to as usize })
    }

    /// A slice that moves with a loop; its length must not change.
    fn moving(&mut self, axis: Axis, (from, to): (&Value, &Value), span: Span, base: &Expr) -> Option<Cut> {
        for value in [from, to] {
            if value.elem != Elem::Int || value.rank() > 0 || self.stage(value.node) != Role::Data {
                let message = "the end of a range must be a whole number known before the solve";
                return self.error("E0215", message, span, format!("this is {}", self.value_text(value)));
            }
        }
        let loops = union(&from.loops, &to.loops);
        let (a, b) = (self.spread(from, &loops, &[]), self.spread(to, &loops, &[]));
        let known = match (from.affine, to.affine) {
            (Some(x), Some(y)) => y.plus(x, -1).filter(|d| d.index.is_none()).map(|d| d.offset),
            _ => None,
        };
        let length = known.or_else(|| {
            let difference = self.graph.sub(b, a);
            self.decided_by(&[difference]);
            let lengths = evaluate(&self.graph, &[difference], &self.bindings).ok()?.pop()?;
            let first = lengths.iter().next().copied()?;
            lengths.iter().all(|l| *l == first).then_some(first as i64)
        });
        let Some(length) = length else {
            let message = "a slice must have the same length in every turn";
            let diagnostic = Diagnostic::error("E0215", message, span, "the length of this one changes");
            self.emit(
                diagnostic.help("to sum over it, let an index run over the range: `sum(x[j] for j in a..b)`"),
            );
            return None;
        };
        if length <= 0 {
            return self.error("E0213", "the range is empty", span, "it holds no numbers");
        }
        let part = Axis::of(length as usize);
        let sizes = self.sizes(&loops, &[part]);
        let outer: Vec<usize> = (0..loops.len()).collect();
        let first = self.graph.broadcast(a, &sizes, &outer);
        let steps = self.graph.iota(part.size);
        let steps = self.graph.broadcast(steps, &sizes, &[loops.len()]);
        let node = self.graph.add(first, steps);
        let index = self.value(node, loops, Axes::from_slice(&[part]));
        self.check_later(&index, axis, (span, base.span));
        Some(Cut { part: Part::Pick(index), start: 0, end: axis.size })
    }

    /// A label, or a list of labels, as an index.
    pub fn labelled(&mut self, axis: Axis, e: &Expr) -> Option<Cut> {
        let ExprKind::Array(items) = &e.kind else {
            let at = self.label_position(axis, e)?;
            return Some(Cut { part: Part::Drop, start: at, end: at + 1 });
        };
        let positions: Vec<Option<usize>> =
            items.iter().map(|item| self.label_position(axis, item)).collect();
        let positions: Vec<f64> =
            positions.into_iter().map(|p| p.map(|p| p as f64)).collect::<Option<_>>()?;
        let index = Array::from_shape_vec(vec![items.len()], positions).ok()?;
        let index = self.anonymous(index, Elem::Int, e.span);
        Some(Cut { part: Part::Pick(index), start: 0, end: axis.size })
    }

    /// The position of a label.
    pub fn label_position(&mut self, axis: Axis, e: &Expr) -> Option<usize> {
        let ExprKind::Text(text) = &e.kind else {
            return self.error("E0232", "labels do not mix with positions", e.span, "a label expected");
        };
        let labels = axis.dim.and_then(|d| self.dims[d.0].labels.clone());
        let Some(labels) = labels else {
            // The statement with the labels may be one that could not be read.
            if self.excused(&self.axis_name(&axis)) {
                return None;
            }
            let label = format!("the dimension {} has no labels", self.axis_name(&axis));
            let diagnostic = Diagnostic::error("E0232", "this dimension has no labels", e.span, label);
            let help =
                "labels are declared with `dim city = [\"Paris\", \"Lyon\"]`; a position is a whole number";
            self.emit(diagnostic.help(help));
            return None;
        };
        if let Some(at) = labels.iter().position(|l| l == text) {
            return Some(at);
        }
        let name = self.axis_name(&axis);
        let message = format!("\"{text}\" is not a label of `{name}`");
        let mut diagnostic = Diagnostic::error("E0232", message, e.span, "unknown label");
        diagnostic = match nearest(text, labels.iter().map(String::as_str)) {
            Some(near) => {
                diagnostic.help(format!("did you mean \"{near}\"?")).edit(e.span, format!("\"{near}\""))
            }
            None => diagnostic.help(format!("its labels are {}", listed(&labels))),
        };
        self.emit(diagnostic);
        None
    }

    /// A label beside `==` or `!=`: the position of the label, to compare with an index.
    pub fn label_beside(&mut self, label: &Expr, other: &Value, written: &Expr) -> Option<Value> {
        let index = other.affine.filter(|a| a.coefficient == 1).and_then(|a| Some((a.index?, a.offset)));
        let over =
            index.filter(|(l, offset)| self.loops[l.0].start == *offset).map(|(l, _)| self.loops[l.0].axis);
        match over {
            Some(axis) if axis.dim.is_some_and(|d| self.dims[d.0].labels.is_some()) => {
                let at = self.label_position(axis, label)?;
                Some(self.int(at as i64))
            }
            _ => {
                let found = format!("`{}` is {}", self.source_text(written.span), self.value_text(other));
                let diagnostic = Diagnostic::error(
                    "E0232",
                    "a label compares only with an index over its dimension",
                    label.span,
                    "a label",
                );
                self.emit(diagnostic.label(written.span, found));
                None
            }
        }
    }

    /// One position, a loop's positions, or positions from an array.
    pub fn position(
        &mut self,
        axis: Axis,
        v: Value,
        e: &Expr,
        base: &Expr,
        taken: &mut Loops,
    ) -> Option<Cut> {
        if v.elem != Elem::Int {
            let found = format!("this is {}", self.value_text(&v));
            let diagnostic = Diagnostic::error("E0214", "an index must be a whole number", e.span, found);
            self.emit(diagnostic.help(match v.elem {
                Elem::Bool => "to select by a condition, sum with a filter: `sum(e for i in n if c)`",
                _ => "whole numbers are literals without a point, loop indices, `int` data, `argmax` and `div(a, b)`",
            }));
            return None;
        }
        let places = (e.span, base.span);
        let pick = |v: Value| Cut { part: Part::Pick(v), start: 0, end: axis.size };
        let Some(affine) = v.affine.filter(|_| v.rank() == 0) else {
            self.check_later(&v, axis, places);
            return Some(pick(v));
        };
        let Some(index) = affine.index else {
            let at = affine.offset;
            if at >= 0 && at < axis.size as i64 {
                return Some(Cut { part: Part::Drop, start: at as usize, end: at as usize + 1 });
            }
            if axis.assumed && at >= 0 && !v.assumed {
                return Some(pick(v));
            }
            return self.left_out(axis, at, v, places).map(pick);
        };
        self.same_dimension(axis, index, affine, e, base)?;
        let over = self.loops[index.0].axis;
        let last = affine.coefficient * (over.size as i64 - 1) + affine.offset;
        let (low, high) = (affine.offset.min(last), affine.offset.max(last));
        if low < 0 || high >= axis.size as i64 {
            if (axis.assumed || over.assumed) && axis.dim != over.dim && low >= 0 {
                return Some(pick(v));
            }
            return self.left_out(axis, if low < 0 { low } else { high }, v, places).map(pick);
        }
        if affine.coefficient == 1 && !taken.contains(&index) {
            taken.push(index);
            let start = affine.offset as usize;
            return Some(Cut { part: Part::Turn(index), start, end: start + over.size });
        }
        Some(pick(v))
    }

    /// An index that reaches outside: an error, unless conditions around it may leave those turns out.
    fn left_out(&mut self, axis: Axis, at: i64, v: Value, places: (Span, Span)) -> Option<Value> {
        if self.guards.is_empty() {
            let diagnostic = self.off_the_end(axis, at, v.affine, places);
            self.emit(diagnostic);
            return None;
        }
        self.check_later(&v, axis, places);
        Some(v)
    }

    /// Refuses a plain loop index over one named dimension on another.
    fn same_dimension(
        &mut self,
        axis: Axis,
        index: LoopId,
        affine: Affine,
        e: &Expr,
        base: &Expr,
    ) -> Option<()> {
        let info = &self.loops[index.0];
        let (over, start, declared) = (info.axis, info.start, info.span);
        let plain = affine.coefficient == 1 && affine.offset == start;
        let (Some(a), Some(b), true) = (over.dim, axis.dim, plain) else { return Some(()) };
        if a == b {
            return Some(());
        }
        let (m, n) = (self.axis_name(&over), self.axis_name(&axis));
        // One wrong index is one mistake, however often it is used.
        if !self.told.insert(("E0203", declared, n.clone())) {
            return None;
        }
        let label = format!("this runs over {m}");
        let diagnostic = Diagnostic::error("E0203", "an index runs over another dimension", e.span, label)
            .label(declared, format!("declared over {m} here"))
            .label(base.span, format!("this dimension is {n}"));
        let mut help = format!("if they are meant to be the same, declare `dim {m} = {n}`");
        if over.size < axis.size && !over.assumed && !axis.assumed && affine.offset == 0 {
            let array = self.source_text(base.span);
            help.push_str(&format!("; for the first positions alone write `{array}[..{m}]`"));
        }
        self.emit(diagnostic.help(help));
        None
    }

    fn off_the_end(
        &self,
        axis: Axis,
        at: i64,
        affine: Option<Affine>,
        (e, base): (Span, Span),
    ) -> Diagnostic {
        let size = axis.size as i64;
        let text = if axis.assumed && at >= size {
            match at - size {
                0 => format!("the position {}", self.axis_name(&axis)),
                more => format!("the position {} + {more}", self.axis_name(&axis)),
            }
        } else {
            format!("the position {at}")
        };
        let label = format!("this reaches {text}");
        let diagnostic = Diagnostic::error("E0213", "the index runs off the dimension", e, label)
            .label(base, format!("this dimension is {}", self.axis_text(&axis)));
        match affine.and_then(|affine| self.way_back(axis, at, affine)) {
            Some((help, Some(position))) => diagnostic.help(help).edit(e, position),
            Some((help, None)) => diagnostic.help(help),
            None if at == size => {
                diagnostic.note("indices are 0-based: the last position is the size minus one")
            }
            None => diagnostic,
        }
    }

    /// How an index that reaches the position `at` outside of the axis stays inside, and what to write where that is one position.
    fn way_back(&self, axis: Axis, at: i64, affine: Affine) -> Option<(String, Option<String>)> {
        let size = axis.size as i64;
        let from_end = |axis: &Axis, back: i64| match axis.dim {
            Some(d) => format!("{} - {back}", self.dims[d.0].name),
            None => (axis.size as i64 - back).to_string(),
        };
        let Some(index) = affine.index else {
            let position = from_end(&axis, if at < 0 { -at } else { 1 });
            return match at {
                at if at < -size => None,
                at if at < 0 => Some((
                    format!("from the end it is `{position}`: positions are not negative"),
                    Some(position),
                )),
                _ => Some((format!("positions count from 0: the last one is `{position}`"), None)),
            };
        };
        let info = &self.loops[index.0];
        let (start, turns) = (info.start, info.axis.size as i64);
        if affine.coefficient != 1 {
            return None;
        }
        if at < 0 {
            return Some((format!("let the index start at {}", start - at), None));
        }
        let excess = at - size + 1;
        if excess >= turns {
            return None;
        }
        let end =
            if start == 0 { from_end(&info.axis, excess) } else { (start + turns - excess).to_string() };
        Some(if affine.offset == start && start >= excess {
            (format!("positions count from 0: let the index run over `{}..{end}`", start - excess), None)
        } else {
            (format!("let the index run over `{start}..{end}`"), None)
        })
    }

    /// Remembers to look at an index when everything is known.
    fn check_later(&mut self, v: &Value, axis: Axis, places: (Span, Span)) {
        if axis.assumed || self.stage(v.node) != Role::Data {
            return;
        }
        let (guards, calls) = (self.guards.clone(), self.calls());
        self.index_checks.push(IndexCheck { index: v.clone(), axis, places, guards, calls });
    }

    /// Looks at indices that depend on data or on conditions.
    pub fn check_indices(&mut self) {
        let mut seen: Vec<(NodeId, usize, usize)> = Vec::new();
        for check in std::mem::take(&mut self.index_checks) {
            let key = (check.index.node, check.axis.size, check.guards.len());
            if seen.contains(&key) && check.guards.is_empty() {
                continue;
            }
            seen.push(key);
            if let Some(at) = self.reaches_outside(&check) {
                let diagnostic = self.off_the_end(check.axis, at, None, check.places);
                self.emit_in(diagnostic, &check.calls);
            }
        }
    }

    /// A position outside that a real turn reaches.
    fn reaches_outside(&mut self, check: &IndexCheck) -> Option<i64> {
        let outside = |x: &f64| *x < 0.0 || *x >= check.axis.size as f64;
        let plain = evaluate(&self.graph, &[check.index.node], &self.bindings).ok()?.pop()?;
        let first = plain.iter().copied().find(outside)?;
        if check.guards.is_empty() {
            return Some(first as i64);
        }
        let loops = check.guards.iter().fold(check.index.loops.clone(), |all, g| union(&all, &g.loops));
        let mut nodes = vec![self.spread(&check.index, &loops, &check.index.shape)];
        for guard in &check.guards {
            nodes.push(self.spread_before(guard, &loops, &check.index.shape));
        }
        let arrays = evaluate(&self.graph, &nodes, &self.bindings).ok()?;
        let guards: Vec<Vec<f64>> = arrays[1..].iter().map(|a| a.iter().copied().collect()).collect();
        let counts = |turn: usize| guards.iter().all(|guard| guard[turn] != 0.0);
        let mut all = arrays[0].iter().enumerate();
        all.find(|(turn, at)| outside(at) && counts(*turn)).map(|(_, at)| *at as i64)
    }

    /// A value without own axes, repeated over more loops and these own axes.
    fn spread_before(&mut self, value: &Value, loops: &Loops, shape: &[Axis]) -> NodeId {
        let over = self.spread(value, loops, &[]);
        let sizes = self.sizes(loops, shape);
        let outer: Vec<usize> = (0..loops.len()).collect();
        self.graph.broadcast(over, &sizes, &outer)
    }
}

/// Labels in quotes, cut after a dozen.
fn listed(labels: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut parts: Vec<String> = labels.iter().take(SHOWN).map(|l| format!("\"{l}\"")).collect();
    if labels.len() > SHOWN {
        parts.push(format!("{} more", labels.len() - SHOWN));
    }
    parts.join(", ")
}
