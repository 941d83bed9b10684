//! Indexing. A constant index cuts one position out; a loop index that has not been used on the array yet turns the axis into
//! that loop's axis (a slice and a new label, no data moved); everything else is a gather whose shared loops are batch axes.
//! Index arrays keep their own axes, each in the place of the axis it indexes, as slices do. Which positions an index reaches
//! is found out in [`super::position`].

use blo_grammar::ast::{Expr, ExprKind, Index};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Checker;
use super::arithmetic::union;
use super::messages::count;
use super::value::{Axes, Axis, Label, LoopId, Loops, Value};
use crate::ir::graph::{NodeId, Role};
use crate::ops;

/// What becomes of one axis of the array.
pub enum Part {
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
pub struct Cut {
    /// What becomes of the axis.
    pub part: Part,
    /// The first position that is used.
    pub start: usize,
    /// The one after the last.
    pub end: usize,
}

/// Own axes that come from index arrays are numbered from here, in the order of the arrays.
const FROM_INDEX: usize = 1000;

impl Checker<'_> {
    /// `base[indices]`.
    pub fn index(&mut self, base: &Expr, indices: &[Index]) -> Option<Value> {
        let value = self.expr(base);
        let mut items = Vec::new();
        for index in indices {
            items.push(match index {
                Index::At(e) if !is_label(e) => self.expr(e),
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
            let kept: Vec<String> =
                indices[..value.rank()].iter().map(|i| self.source_text(index_span(i))).collect();
            let base = self.source_text(base.span);
            let help = match kept.is_empty() {
                true => format!("a scalar has no positions: write `{base}`"),
                false => format!("write `{base}[{}]`", kept.join(", ")),
            };
            self.emit(diagnostic.help(help));
            return None;
        }
        let mut taken = value.loops.clone();
        let mut cuts = Vec::new();
        for (k, (index, item)) in indices.iter().zip(items).enumerate() {
            let axis = value.shape[k];
            cuts.push(match index {
                Index::All(_) => Some(Cut { part: Part::Keep(axis), start: 0, end: axis.size }),
                Index::Range { start, end, span } => {
                    self.stretch(axis, start.as_ref(), end.as_ref(), *span, base)
                }
                Index::At(e) if is_label(e) => self.labelled(axis, e),
                Index::At(e) => item.and_then(|v| self.position(axis, v, e, base, &mut taken)),
            });
        }
        let mut cuts: Vec<Cut> = cuts.into_iter().collect::<Option<_>>()?;
        for axis in &value.shape[indices.len()..] {
            cuts.push(Cut { part: Part::Keep(*axis), start: 0, end: axis.size });
        }
        Some(self.take(&value, &cuts))
    }

    /// Cuts, turns and picks.
    fn take(&mut self, value: &Value, cuts: &[Cut]) -> Value {
        let (node, labels) = self.cut(value, cuts);
        let mut loops = value.loops.clone();
        let mut shape = Axes::new();
        let mut own = Vec::new();
        let mut picks: Vec<(usize, &Value)> = Vec::new();
        let mut from_index = FROM_INDEX;
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
                    for axis in &v.shape {
                        shape.push(*axis);
                        own.push(Label::Own(from_index));
                        from_index += 1;
                    }
                    picks.push((k, v));
                }
            }
        }
        let out: Vec<Label> = loops.iter().map(|&l| Label::Loop(l)).chain(own).collect();
        let (node, labels) = if picks.is_empty() { (node, labels) } else { self.pick(node, &labels, &picks) };
        let node = self.arrange(node, &labels, &out);
        self.value(node, loops, shape)
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

    /// Gathers along the picked axes, combined into one. Indices of several axes become one linear index, whose own axes are
    /// those of all index arrays, so that only the elements of the result are read.
    fn pick(&mut self, node: NodeId, labels: &[Label], picks: &[(usize, &Value)]) -> (NodeId, Vec<Label>) {
        let size_of = |c: &Self, label: &Label| {
            labels.iter().position(|l| l == label).map_or(1, |p| c.graph.shape(node)[p])
        };
        let mut position = picks[0].1.clone();
        let mut reach = size_of(self, &Label::Own(picks[0].0));
        for (axis, next) in &picks[1..] {
            let size = size_of(self, &Label::Own(*axis));
            position = self.linear((&position, reach), (next, size));
            reach *= size;
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

    /// `position · size + next`, with the own axes of both behind each other. `reach` positions and `size` ones are there; a
    /// position that depends on variables and is outside must not become another one that is inside.
    fn linear(&mut self, (position, reach): (&Value, usize), (next, size): (&Value, usize)) -> Value {
        let loops = union(&position.loops, &next.loops);
        let shape: Axes = position.shape.iter().chain(&next.shape).copied().collect();
        let sizes = self.sizes(&loops, &shape);
        let a = self.spread_at(position, &loops, 0, &sizes);
        let b = self.spread_at(next, &loops, position.rank(), &sizes);
        let factor = self.graph.fill_int(size as i64, &sizes);
        let scaled = self.graph.mul(a, factor);
        let mut node = self.graph.add(scaled, b);
        for (value, index, end) in [(position, a, reach), (next, b, size)] {
            if self.stage(value.node) != Role::Data {
                let (zero, end) = (self.graph.fill_int(0, &sizes), self.graph.fill_int(end as i64, &sizes));
                let from = self.graph.binary(&ops::LE, zero, index);
                let to = self.graph.binary(&ops::LT, index, end);
                let inside = self.graph.and(from, to);
                let outside = self.graph.fill_int(-1, &sizes);
                node = self.graph.select(inside, node, outside);
            }
        }
        self.value(node, loops, shape)
    }

    /// The value over these loops, its own axes from the `first` own axis on.
    fn spread_at(&mut self, value: &Value, loops: &Loops, first: usize, sizes: &[usize]) -> NodeId {
        let outer = value.loops.iter().map(|l| match loops.iter().position(|m| m == l) {
            Some(position) => position,
            None => crate::bug!("a loop index outside its loop"),
        });
        let map: Vec<usize> = outer.chain((0..value.rank()).map(|k| loops.len() + first + k)).collect();
        self.graph.broadcast(value.node, sizes, &map)
    }
}

/// Whether an index is a label or a list of labels.
fn is_label(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Text(_) => true,
        ExprKind::Array(items) => items.iter().any(|item| matches!(item.kind, ExprKind::Text(_))),
        _ => false,
    }
}

fn index_span(index: &Index) -> Span {
    match index {
        Index::All(span) | Index::Range { span, .. } => *span,
        Index::At(e) => e.span,
    }
}
