//! Index ranges. A range whose ends are known is a loop of that many turns. One whose ends depend on earlier indices is a loop
//! over the smallest box that holds all of its turns, with a condition that tells the real ones from the rest.

use blo_grammar::ast::{Binder, Expr, ExprKind, IndexRange};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::arithmetic::union;
use super::scope::{Kind, Local, Meaning};
use super::value::{Affine, Axes, Axis, LoopId, Loops, Value};
use super::{Checker, Loop};
use crate::ir::eval::{EvalError, evaluate};
use crate::ir::graph::{NodeId, Role};
use crate::ops::{self, Operator};
use crate::types::Elem;

/// The length of a range whose ends were made up: a prime that no made-up size has.
const STAND_IN: i64 = 991;

/// What an index runs over.
struct Turns {
    axis: Axis,
    /// The first value of the index.
    start: i64,
    /// Ends that depend on earlier indices: the index is at least the first and below the second.
    ends: [Option<Value>; 2],
}

/// The loops of a comprehension.
#[derive(Default)]
pub struct Bound {
    /// The new loops.
    pub loops: Loops,
    /// Which turns are real, where ranges depend on earlier indices.
    pub real: Option<Value>,
    /// The first binder with such a range.
    pub changing: Option<Span>,
}

impl Checker<'_> {
    /// Adds the binders' loops to the scope for the duration of `work`.
    pub fn with_binders<T>(
        &mut self,
        binders: &[Binder],
        work: impl FnOnce(&mut Self, &Bound) -> Option<T>,
    ) -> Option<T> {
        let depth = self.frame().locals.len();
        let guards = self.guards.len();
        let mut bound = Some(Bound::default());
        for binder in binders {
            let turns = self.range(&binder.range);
            let value = turns.as_ref().map(|t| self.add_loop(t.axis, t.start, binder.span));
            match (&mut bound, &value, turns) {
                (Some(all), Some(v), Some(turns)) => {
                    all.loops.extend(v.loops.iter().copied());
                    if turns.ends.iter().any(Option::is_some) {
                        all.changing = all.changing.or(Some(binder.span));
                    }
                    for condition in self.between(v, turns.ends) {
                        self.guards.push(condition.clone());
                        let real = all.real.take();
                        all.real = Some(self.both(real, condition));
                    }
                }
                _ => bound = None,
            }
            self.bind(&binder.name, Local::Value(value), depth);
        }
        // The body is looked at even after a bad range, for its own errors.
        let result = match &bound {
            Some(bound) => work(self, bound),
            None => {
                work(self, &Bound::default());
                None
            }
        };
        self.guards.truncate(guards);
        self.frame().locals.truncate(depth);
        result
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

    /// The conditions that an index lies between ends that change from turn to turn.
    fn between(&mut self, index: &Value, [start, end]: [Option<Value>; 2]) -> Vec<Value> {
        let low = start.map(|start| self.ordered(&ops::LE, &start, index));
        let high = end.map(|end| self.ordered(&ops::LT, index, &end));
        low.into_iter().chain(high).collect()
    }

    /// A comparison of two whole scalars.
    fn ordered(&mut self, op: &'static Operator, a: &Value, b: &Value) -> Value {
        let loops = union(&a.loops, &b.loops);
        let (x, y) = (self.spread(a, &loops, &[]), self.spread(b, &loops, &[]));
        let node = self.graph.binary(op, x, y);
        self.value(node, loops, Axes::new())
    }

    /// Both of two conditions without own axes.
    pub fn both(&mut self, a: Option<Value>, b: Value) -> Value {
        let Some(a) = a else { return b };
        let loops = union(&a.loops, &b.loops);
        let (x, y) = (self.spread(&a, &loops, &[]), self.spread(&b, &loops, &[]));
        let node = self.graph.and(x, y);
        self.value(node, loops, Axes::new())
    }

    /// Runs `work` with positions looked at only where a condition holds, if that is known before the solve.
    pub fn guarded<T>(&mut self, condition: Option<&Value>, work: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.guards.len();
        let known =
            condition.filter(|c| c.rank() == 0 && c.elem == Elem::Bool && self.stage(c.node) == Role::Data);
        self.guards.extend(known.cloned());
        let result = work(self);
        self.guards.truncate(depth);
        result
    }

    /// What a node depends on.
    pub fn stage(&self, node: NodeId) -> Role {
        self.graph.node(node).stage
    }

    fn range(&mut self, range: &IndexRange) -> Option<Turns> {
        let fixed = |axis, start| Turns { axis, start, ends: [None, None] };
        let (a, b) = match range {
            IndexRange::Count(e) if self.names_dimension(e) => return Some(fixed(self.dimension(e)?, 0)),
            IndexRange::Count(e) => (None, e),
            IndexRange::Range(a, b) => (Some(a), b),
        };
        let span = a.map_or(b.span, |a| a.span.to(b.span));
        let (start, end) = (a.map(|a| self.expr(a)), self.expr(b));
        let start = match start {
            Some(start) => start?,
            None => self.int(0),
        };
        let end = end?;
        if !start.loops.is_empty() || !end.loops.is_empty() {
            let named = if self.names_dimension(b) { self.dimension(b) } else { None };
            self.index_end(&start, a.map_or(span, |a| a.span), "the start of a range")?;
            self.index_end(&end, b.span, "the end of a range")?;
            return self.dependent(start, end, named, span);
        }
        let Some(a) = a else {
            return Some(fixed(self.dimension(b)?, 0));
        };
        let start = self.whole_number_of(&start, a.span, "the start of a range");
        let end = self.whole_number_of(&end, b.span, "the end of a range");
        let ((start, x), (end, y)) = (start?, end?);
        // A size that was made up says nothing about the range; any length stands in for it.
        let end = if end <= start && (x || y) { start + STAND_IN } else { end };
        if end <= start {
            let label = format!("{start}..{end} holds no numbers");
            let diagnostic = Diagnostic::error("E0213", "the range is empty", span, label);
            let help = format!("a range leaves out its end: `{start}..{}` holds {start} alone", start + 1);
            self.emit(diagnostic.help(help));
            return None;
        }
        let size = (end - start) as usize;
        let dim = match &b.kind {
            ExprKind::Name(_) if start == 0 => self.dimension(b)?.dim,
            _ => None,
        };
        Some(fixed(Axis { size, dim, assumed: x || y }, start))
    }

    /// Whether an expression is the name of a dimension, or one that means nothing.
    pub fn names_dimension(&mut self, e: &Expr) -> bool {
        let ExprKind::Name(path) = &e.kind else { return false };
        let [name] = path.as_slice() else { return false };
        match self.meaning(&name.name) {
            None | Some(Meaning::Local(Local::Dim(_))) => true,
            Some(Meaning::Decl(id)) => matches!(self.decls[id.0].kind, Kind::Dim(_)),
            Some(Meaning::Local(_)) => false,
        }
    }

    /// Refuses an end that is not one whole number per turn, known before the solve.
    fn index_end(&mut self, value: &Value, span: Span, what: &str) -> Option<()> {
        let found = if value.elem != Elem::Int || value.rank() > 0 {
            format!("this is {}", self.value_text(value))
        } else if self.stage(value.node) != Role::Data {
            "this depends on variables".to_owned()
        } else {
            return Some(());
        };
        self.error("E0215", format!("{what} must be a whole number known before the solve"), span, found)
    }

    /// A range with ends that change from turn to turn.
    fn dependent(&mut self, start: Value, end: Value, named: Option<Axis>, span: Span) -> Option<Turns> {
        let loops = union(&start.loops, &end.loops);
        let assumed = start.assumed || end.assumed || loops.iter().any(|l| self.loops[l.0].axis.assumed);
        // Turns that are not real themselves do not count, where that shows in the same loops.
        let guards: Vec<Value> =
            (self.guards.iter()).filter(|g| g.loops.iter().all(|l| loops.contains(l))).cloned().collect();
        let mut nodes = vec![self.spread(&start, &loops, &[]), self.spread(&end, &loops, &[])];
        for guard in &guards {
            nodes.push(self.spread(guard, &loops, &[]));
        }
        let changing = |v: Value| (!v.loops.is_empty()).then_some(v);
        let ends = [changing(start), changing(end)];
        self.decided_by(&nodes);
        let arrays = match evaluate(&self.graph, &nodes, &self.bindings) {
            Ok(arrays) => arrays,
            Err(EvalError::Memory(ty)) => {
                let label = format!("a {ty} does not fit into memory");
                return self.error("E0235", "an array is too large", span, label);
            }
            // The ends are data that are not bound: one turn stands for all.
            Err(_) => {
                let axis = Axis { size: 1, dim: None, assumed: true };
                return Some(Turns { axis, start: 0, ends });
            }
        };
        let mut each: Vec<_> = arrays.iter().map(|a| a.iter().copied()).collect();
        let (mut low, mut high) = (i64::MAX, i64::MIN);
        while let (Some(from), Some(to)) = (each[0].next(), each[1].next()) {
            let reached = each[2..].iter_mut().all(|guard| guard.next() != Some(0.0));
            if reached && from < to {
                low = low.min(from as i64);
                high = high.max(to as i64);
            }
        }
        if low > high && assumed {
            // Sizes that are made up say nothing about how many turns there are.
            let axis = Axis { size: 1, dim: None, assumed: true };
            return Some(Turns { axis, start: 0, ends });
        }
        if low > high {
            let diagnostic =
                Diagnostic::error("E0213", "the range is empty", span, "it holds no number in any turn");
            self.emit(diagnostic);
            return None;
        }
        let size = (high - low) as usize;
        let dim = named.filter(|axis| low == 0 && axis.size == size).and_then(|axis| axis.dim);
        Some(Turns { axis: Axis { size, dim, assumed }, start: low, ends })
    }
}
