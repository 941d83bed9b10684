//! Indexing. A constant index cuts one position out; a loop index that has not been used on the array yet turns the axis into
//! that loop's axis (a slice and a new label, no data moved); everything else is a gather whose shared loops are batch axes.

use blo_grammar::ast::{Expr, ExprKind, Index};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse::nearest;
use blo_grammar::span::Span;

use super::arithmetic::union;
use super::messages::count;
use super::value::{Affine, Axes, Axis, Label, LoopId, Loops, Value};
use super::{Checker, IndexCheck};
use crate::ir::graph::{NodeId, Role};
use crate::types::Elem;

/// What becomes of one axis of the array.
enum Part {
    /// It stays, perhaps shorter.
    Keep(Axis),
    /// It disappears.
    Drop,
    /// It becomes a loop's axis.
    Turn(LoopId),
    /// Positions are picked by whole numbers.
    Pick(Value),
}

/// A part with the stretch of the axis it uses.
struct Cut {
    part: Part,
    start: usize,
    end: usize,
}

/// Own axes that come from an index array are numbered from here.
const FROM_INDEX: usize = 1000;

impl Checker<'_> {
    /// `base[indices]`.
    pub fn index(&mut self, base: &Expr, indices: &[Index]) -> Option<Value> {
        let value = self.expr(base);
        let mut items = Vec::new();
        for index in indices {
            items.push(match index {
                Index::At(e) if !matches!(e.kind, ExprKind::Text(_)) => self.expr(e),
                _ => None,
            });
        }
        let value = value?;
        if indices.len() > value.rank() {
            let found = format!("`{}` is {}", self.source_text(base.span), self.value_text(&value));
            let label = format!("{} given", count(indices.len(), "index").replace("indexs", "indices"));
            let span = index_span(&indices[value.rank()]);
            let diagnostic =
                Diagnostic::error("E0214", "too many indices", span, label).label(base.span, found);
            self.emit(diagnostic);
            return None;
        }
        let mut taken = value.loops.clone();
        let mut cuts = Vec::new();
        for (k, (index, item)) in indices.iter().zip(items).enumerate() {
            let axis = value.shape[k];
            cuts.push(match index {
                Index::All(_) => Some(Cut { part: Part::Keep(axis), start: 0, end: axis.size }),
                Index::Range { start, end, span } => self.stretch(axis, start.as_ref(), end.as_ref(), *span),
                Index::At(Expr { kind: ExprKind::Text(text), span }) => {
                    self.label_position(axis, text, *span)
                }
                Index::At(e) => item.and_then(|v| self.position(axis, v, e, base, &mut taken)),
            });
        }
        let mut cuts: Vec<Cut> = cuts.into_iter().collect::<Option<_>>()?;
        for axis in &value.shape[indices.len()..] {
            cuts.push(Cut { part: Part::Keep(*axis), start: 0, end: axis.size });
        }
        self.take(&value, cuts, base.span)
    }

    /// `a..b` as an index.
    fn stretch(&mut self, axis: Axis, start: Option<&Expr>, end: Option<&Expr>, span: Span) -> Option<Cut> {
        let from = start.map_or(Some((0, false)), |e| self.whole_number(e, "the start of a range"));
        let to = end
            .map_or(Some((axis.size as i64, axis.assumed)), |e| self.whole_number(e, "the end of a range"));
        let ((from, a), (to, b)) = (from?, to?);
        if from < 0 || to < from || to > axis.size as i64 || to == from {
            let what = if to <= from { "the range is empty" } else { "the range runs off the dimension" };
            let diagnostic = Diagnostic::error(
                "E0213",
                what,
                span,
                format!("{from}..{to} of a dimension {}", self.axis_text(&axis)),
            );
            self.emit(diagnostic.note("ranges are half-open and positions count from 0"));
            return None;
        }
        let full = from == 0 && to == axis.size as i64;
        let size = (to - from) as usize;
        let kept = if full { axis } else { Axis { size, dim: None, assumed: a || b } };
        Some(Cut { part: Part::Keep(kept), start: from as usize, end: to as usize })
    }

    fn label_position(&mut self, axis: Axis, text: &str, span: Span) -> Option<Cut> {
        let labels = axis.dim.and_then(|d| self.dims[d.0].labels.clone());
        let Some(labels) = labels else {
            // The statement with the labels may be one that could not be read.
            if self.excused(&self.axis_name(&axis)) {
                return None;
            }
            let label = format!("the dimension {} has no labels", self.axis_name(&axis));
            return self.error("E0232", "this dimension has no labels", span, label);
        };
        if let Some(at) = labels.iter().position(|l| l == text) {
            return Some(Cut { part: Part::Drop, start: at, end: at + 1 });
        }
        let name = self.axis_name(&axis);
        let mut diagnostic = Diagnostic::error(
            "E0232",
            format!("\"{text}\" is not a label of `{name}`"),
            span,
            "unknown label",
        );
        diagnostic = match nearest(text, labels.iter().map(String::as_str)) {
            Some(near) => {
                diagnostic.help(format!("did you mean \"{near}\"?")).edit(span, format!("\"{near}\""))
            }
            None => diagnostic.help(format!("its labels are \"{}\"", labels.join("\", \""))),
        };
        self.emit(diagnostic);
        None
    }

    /// One position, a loop's positions, or positions from an array.
    fn position(&mut self, axis: Axis, v: Value, e: &Expr, base: &Expr, taken: &mut Loops) -> Option<Cut> {
        if v.elem != Elem::Int {
            let mut diagnostic = Diagnostic::error(
                "E0214",
                "an index must be a whole number",
                e.span,
                format!("this is {}", self.value_text(&v)),
            );
            if v.elem == Elem::Bool {
                diagnostic =
                    diagnostic.help("to select by a condition, sum with a filter: `sum(e for i in n if c)`");
            }
            self.emit(diagnostic);
            return None;
        }
        let pick = |v: Value| Cut { part: Part::Pick(v), start: 0, end: axis.size };
        let Some(affine) = v.affine.filter(|_| v.rank() == 0) else {
            self.check_later(&v, axis, e, base);
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
            return self.off_the_end(axis, at, e, base);
        };
        let inside = self.loop_inside(axis, index, affine, e, base)?;
        let turns = self.loops[index.0].axis.size;
        if affine.coefficient == 1 && inside && !taken.contains(&index) {
            taken.push(index);
            let start = affine.offset as usize;
            return Some(Cut { part: Part::Turn(index), start, end: start + turns });
        }
        Some(pick(v))
    }

    /// Whether every turn of the loop stays inside the axis; an error where that is certainly not so.
    fn loop_inside(
        &mut self,
        axis: Axis,
        index: LoopId,
        affine: Affine,
        e: &Expr,
        base: &Expr,
    ) -> Option<bool> {
        let info = &self.loops[index.0];
        let (over, start, declared) = (info.axis, info.start, info.span);
        if let (Some(a), Some(b)) = (over.dim, axis.dim)
            && a != b
            && affine.coefficient == 1
            && affine.offset == start
        {
            let (m, n) = (self.axis_name(&over), self.axis_name(&axis));
            let label = format!("this runs over {m}");
            let diagnostic =
                Diagnostic::error("E0203", "an index runs over another dimension", e.span, label)
                    .label(declared, format!("declared over {m} here"))
                    .label(base.span, format!("this dimension is {n}"));
            self.emit(diagnostic.help(format!("if they are meant to be the same, declare `dim {m} = {n}`")));
            return None;
        }
        let last = affine.coefficient * (over.size as i64 - 1) + affine.offset;
        let (low, high) = (affine.offset.min(last), affine.offset.max(last));
        if low >= 0 && high < axis.size as i64 {
            return Some(true);
        }
        if (axis.assumed || over.assumed) && axis.dim != over.dim && low >= 0 {
            return Some(false);
        }
        self.off_the_end(axis, if low < 0 { low } else { high }, e, base)
    }

    fn off_the_end<T>(&mut self, axis: Axis, at: i64, e: &Expr, base: &Expr) -> Option<T> {
        let size = axis.size as i64;
        let text = if axis.assumed && at >= size {
            match at - size {
                0 => format!("the position {}", self.axis_name(&axis)),
                more => format!("the position {} + {more}", self.axis_name(&axis)),
            }
        } else {
            format!("the position {at}")
        };
        let mut diagnostic = Diagnostic::error(
            "E0213",
            "the index runs off the dimension",
            e.span,
            format!("this reaches {text}"),
        )
        .label(base.span, format!("this dimension is {}", self.axis_text(&axis)));
        if at == size {
            diagnostic = diagnostic.note("indices are 0-based: the last position is the size minus one");
        } else if at < 0 {
            let name = self.axis_name(&axis);
            diagnostic =
                diagnostic.help(format!("there are no negative positions; the last is `{name} - 1`"));
        }
        self.emit(diagnostic);
        None
    }

    /// Remembers to look at an index that depends on data, when the data are bound.
    fn check_later(&mut self, v: &Value, axis: Axis, e: &Expr, base: &Expr) {
        if axis.assumed || self.graph.node(v.node).stage != Role::Data {
            return;
        }
        let what = format!("`{}` has the size {}", self.source_text(base.span), self.axis_text(&axis));
        let check = IndexCheck { node: v.node, size: axis.size, what, span: e.span, calls: self.calls() };
        self.index_checks.push(check);
    }

    /// Cuts, turns and picks.
    fn take(&mut self, value: &Value, cuts: Vec<Cut>, span: Span) -> Option<Value> {
        let (node, labels) = self.cut(value, &cuts);
        let picked: Vec<usize> = (0..cuts.len()).filter(|&k| matches!(cuts[k].part, Part::Pick(_))).collect();
        let mut loops = value.loops.clone();
        let mut shape = Axes::new();
        let mut own = Vec::new();
        for (k, cut) in cuts.iter().enumerate() {
            match &cut.part {
                Part::Drop => {}
                Part::Turn(index) => loops = union(&loops, &Loops::from_slice(&[*index])),
                Part::Keep(axis) => {
                    shape.push(*axis);
                    own.push(Label::Own(k));
                }
                Part::Pick(v) => {
                    loops = union(&loops, &v.loops);
                    for (j, axis) in v.shape.iter().enumerate() {
                        shape.push(*axis);
                        own.push(Label::Own(FROM_INDEX + j));
                    }
                }
            }
        }
        loops.sort_unstable();
        let out: Vec<Label> = loops.iter().map(|&l| Label::Loop(l)).chain(own).collect();
        let (node, labels) = if picked.is_empty() {
            (node, labels)
        } else {
            let picks: Vec<(usize, &Value)> = picked
                .iter()
                .filter_map(|&k| match &cuts[k].part {
                    Part::Pick(v) => Some((k, v)),
                    _ => None,
                })
                .collect();
            if picks.iter().filter(|(_, v)| v.rank() > 0).count() > 1 {
                return self.unsupported("indexing one array with two index arrays is", span);
            }
            self.pick(node, &labels, &picks)
        };
        let node = self.arrange(node, &labels, &out);
        Some(self.value(node, loops, shape))
    }

    /// Slices every axis to its stretch and drops single positions; labels the remaining axes.
    fn cut(&mut self, value: &Value, cuts: &[Cut]) -> (NodeId, Vec<Label>) {
        let outer = self.sizes(&value.loops, &[]);
        let start: Vec<usize> = outer.iter().map(|_| 0).chain(cuts.iter().map(|c| c.start)).collect();
        let end: Vec<usize> = outer.iter().copied().chain(cuts.iter().map(|c| c.end)).collect();
        let node = self.graph.slice(value.node, &start, &end);
        let mut labels: Vec<Label> = value.loops.iter().map(|&l| Label::Loop(l)).collect();
        let mut sizes = outer;
        for (k, cut) in cuts.iter().enumerate() {
            labels.push(match cut.part {
                Part::Drop => continue,
                Part::Turn(index) => Label::Loop(index),
                Part::Keep(_) | Part::Pick(_) => Label::Own(k),
            });
            sizes.push(cut.end - cut.start);
        }
        (self.graph.reshape(node, &sizes), labels)
    }

    /// Gathers along the picked axes, combined into one. Indices of several axes become one linear index.
    fn pick(&mut self, node: NodeId, labels: &[Label], picks: &[(usize, &Value)]) -> (NodeId, Vec<Label>) {
        let size_of = |c: &Self, label: &Label| {
            labels.iter().position(|l| l == label).map_or(1, |p| c.graph.shape(node)[p])
        };
        let mut position = picks[0].1.clone();
        for (axis, next) in &picks[1..] {
            let size = size_of(self, &Label::Own(*axis)) as i64;
            position = self.linear(&position, size, next);
        }
        let batch: Vec<Label> =
            position.loops.iter().map(|&l| Label::Loop(l)).filter(|l| labels.contains(l)).collect();
        let gathered: Vec<Label> = picks.iter().map(|(k, _)| Label::Own(*k)).collect();
        let rest: Vec<Label> =
            labels.iter().copied().filter(|l| !batch.contains(l) && !gathered.contains(l)).collect();
        let order: Vec<Label> = batch.iter().chain(&gathered).chain(&rest).copied().collect();
        let mut sizes: Vec<usize> = batch.iter().map(|l| size_of(self, l)).collect();
        sizes.push(gathered.iter().map(|l| size_of(self, l)).product());
        sizes.extend(rest.iter().map(|l| size_of(self, l)));
        let operand = self.arrange(node, labels, &order);
        let operand = self.graph.reshape(operand, &sizes);
        let own = Self::labels(&position, |k| FROM_INDEX + k);
        let others: Vec<Label> = own.iter().copied().filter(|l| !batch.contains(l)).collect();
        let order: Vec<Label> = batch.iter().chain(&others).copied().collect();
        let index = self.arrange(position.node, &own, &order);
        let node = self.graph.gather(operand, index, batch.len());
        (node, order.into_iter().chain(rest).collect())
    }

    /// `position · size + next`.
    fn linear(&mut self, position: &Value, size: i64, next: &Value) -> Value {
        let loops = union(&position.loops, &next.loops);
        let shape = if position.rank() > 0 { position.shape.clone() } else { next.shape.clone() };
        let a = self.spread(position, &loops, &shape);
        let b = self.spread(next, &loops, &shape);
        let sizes = self.sizes(&loops, &shape);
        let factor = self.graph.int(size);
        let factor = self.graph.broadcast_scalar(factor, &sizes);
        let scaled = self.graph.mul(a, factor);
        let node = self.graph.add(scaled, b);
        self.value(node, loops, shape)
    }
}

fn index_span(index: &Index) -> Span {
    match index {
        Index::All(span) | Index::Range { span, .. } => *span,
        Index::At(e) => e.span,
    }
}
