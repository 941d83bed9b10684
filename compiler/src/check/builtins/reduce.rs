//! Reductions: over everything, over one own axis, and over the loops of a comprehension.

use blo_grammar::ast::Expr;
use blo_grammar::span::Span;

use super::super::Checker;
use super::super::arithmetic::union;
use super::super::value::{Axes, Loops, Value};
use super::Call;
use crate::ir::graph::{Attrs, NodeId};
use crate::ops;
use crate::types::Elem;

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reducer {
    /// Σ; truth values count.
    Sum,
    /// Σ divided by the number of terms.
    Mean,
    /// Π
    Prod,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// log Σ exp
    LogSumExp,
    /// Whether one holds.
    Any,
    /// Whether all hold.
    All,
}

/// The names of the reductions over indices.
pub static NAMES: &[&str] = &["sum", "mean", "prod", "max", "min", "logsumexp", "any", "all"];

/// The reduction of this name.
pub fn reducer(name: &str) -> Option<Reducer> {
    use Reducer::{All, Any, LogSumExp, Max, Mean, Min, Prod, Sum};
    let all = [Sum, Mean, Prod, Max, Min, LogSumExp, Any, All];
    NAMES.iter().position(|n| *n == name).map(|k| all[k])
}

impl Reducer {
    fn of_truth(self) -> bool {
        matches!(self, Reducer::Any | Reducer::All)
    }

    /// The term that changes nothing.
    fn neutral(self) -> f64 {
        match self {
            Reducer::Sum | Reducer::Mean | Reducer::Any => 0.0,
            Reducer::Prod | Reducer::All => 1.0,
            Reducer::Max | Reducer::LogSumExp => f64::NEG_INFINITY,
            Reducer::Min => f64::INFINITY,
        }
    }
}

/// `sum(x)`, `sum(x, axis)` and their like.
pub fn over_axes(c: &mut Checker, call: &Call) -> Option<Value> {
    let Some(reducer) = reducer(&call.name.name) else { crate::bug!("no reduction `{}`", call.name.name) };
    let (value, axes) = operand(c, call)?;
    let value = c.terms(reducer, &value, call.arguments[0].span)?;
    Some(c.reduce_own(reducer, &value, &axes))
}

/// `max(x)` over everything, `max(x, y)` element by element.
pub fn extreme(c: &mut Checker, call: &Call) -> Option<Value> {
    if call.arguments.len() == 1 {
        return over_axes(c, call);
    }
    let values: Vec<Option<Value>> = call.arguments.iter().map(|e| c.expr(e)).collect();
    let values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
    let op = if call.name.name == "max" { &ops::MAX } else { &ops::MIN };
    c.elementwise(op, call, &values)
}

/// The mean squared distance from the mean.
pub fn variance(c: &mut Checker, call: &Call) -> Option<Value> {
    let (value, axes) = operand(c, call)?;
    let value = c.terms(Reducer::Mean, &value, call.arguments[0].span)?;
    let mean = c.reduce_own(Reducer::Mean, &value, &axes);
    let sizes = c.sizes(&value.loops, &value.shape);
    let outer = value.loops.len();
    let kept = (0..sizes.len()).filter(|k| *k < outer || !axes.contains(&(k - outer)));
    let kept: Vec<usize> = kept.collect();
    let mean = c.graph.broadcast(mean.node, &sizes, &kept);
    let away = c.graph.sub(value.node, mean);
    let square = c.graph.mul(away, away);
    let square = c.value(square, value.loops, value.shape);
    Some(c.reduce_own(Reducer::Mean, &square, &axes))
}

/// `norm`, `norm1`, `sumsq`.
pub fn norms(c: &mut Checker, call: &Call) -> Option<Value> {
    let (value, axes) = operand(c, call)?;
    let value = c.numeric(value, call.arguments[0].span, &format!("`{}`", call.name.name))?;
    let value = c.real(&value);
    let terms = if call.name.name == "norm1" {
        c.graph.unary(&ops::ABS, value.node)
    } else {
        c.graph.mul(value.node, value.node)
    };
    let terms = c.value(terms, value.loops, value.shape);
    let sum = c.reduce_own(Reducer::Sum, &terms, &axes);
    if call.name.name != "norm" {
        return Some(sum);
    }
    // The derivative of `sqrt` knows a sum of squares and is 0 where it is 0.
    let node = c.graph.unary(&ops::SQRT, sum.node);
    Some(c.value(node, sum.loops, sum.shape))
}

/// The array and the own axes to reduce: one, or all.
fn operand(c: &mut Checker, call: &Call) -> Option<(Value, Vec<usize>)> {
    let value = c.expr(call.arguments[0])?;
    let axes = match call.arguments.get(1) {
        Some(e) => vec![c.axis_argument(e, value.rank())?],
        None => (0..value.rank()).collect(),
    };
    Some((value, axes))
}

impl Checker<'_> {
    /// The terms in the element type that the reduction works on.
    fn terms(&mut self, reducer: Reducer, value: &Value, span: Span) -> Option<Value> {
        let what = match reducer {
            Reducer::Any => "`any`",
            Reducer::All => "`all`",
            _ => "this reduction",
        };
        if reducer.of_truth() {
            return self.truth(value.clone(), span, what);
        }
        Some(match (reducer, value.elem) {
            (Reducer::Sum, Elem::Bool) => self.whole(value),
            (Reducer::Mean, Elem::Bool | Elem::Int) => self.real(value),
            (Reducer::Prod | Reducer::Max | Reducer::Min | Reducer::LogSumExp, Elem::Bool) => {
                return self.numeric(value.clone(), span, what);
            }
            (Reducer::Prod | Reducer::LogSumExp, Elem::Int) => self.real(value),
            _ => value.clone(),
        })
    }

    /// Reduces own axes.
    fn reduce_own(&mut self, reducer: Reducer, value: &Value, axes: &[usize]) -> Value {
        let outer = value.loops.len();
        let positions: Vec<usize> = axes.iter().map(|a| outer + a).collect();
        let node = self.reduce_node(reducer, value.node, &positions);
        let kept = value.shape.iter().enumerate().filter(|(k, _)| !axes.contains(k));
        let shape: Axes = kept.map(|(_, axis)| *axis).collect();
        self.value(node, value.loops.clone(), shape)
    }

    /// Reduces axes of a node (ascending).
    fn reduce_node(&mut self, reducer: Reducer, node: NodeId, axes: &[usize]) -> NodeId {
        if axes.is_empty() {
            return node;
        }
        match reducer {
            Reducer::Sum => self.graph.sum(node, axes),
            Reducer::Prod => self.graph.prod(node, axes),
            Reducer::Max => self.graph.max_over(node, axes),
            Reducer::Min => self.graph.min_over(node, axes),
            Reducer::Mean => {
                let terms: usize = axes.iter().map(|&a| self.graph.shape(node)[a]).product();
                let sum = self.graph.sum(node, axes);
                self.graph.scale(sum, 1.0 / terms as f64)
            }
            Reducer::LogSumExp => {
                axes.iter().rev().fold(node, |n, &a| self.graph.apply(&ops::LOGSUMEXP, Attrs::Axis(a), &[n]))
            }
            Reducer::Any | Reducer::All => {
                let whole = self.graph.cast(node, Elem::Int);
                let extreme = if reducer == Reducer::Any {
                    self.graph.max_over(whole, axes)
                } else {
                    self.graph.min_over(whole, axes)
                };
                let shape = self.graph.shape(extreme).clone();
                let zero = self.graph.fill_int(0, &shape);
                self.graph.binary(&ops::NE, extreme, zero)
            }
        }
    }

    /// Reduces the loops of a comprehension, keeping only terms that pass the filter.
    pub fn reduce_loops(
        &mut self,
        reducer: Reducer,
        body: &Value,
        filter: Option<&Value>,
        loops: &Loops,
        written: &Expr,
        span: Span,
    ) -> Option<Value> {
        let body = self.terms(reducer, body, written.span)?;
        self.summed = None;
        self.graph.set_span(Some(span));
        let Some(condition) = filter else { return Some(self.reduce_all_terms(reducer, &body, loops)) };
        let condition = condition.clone();
        let neutral = match body.elem {
            Elem::Bool => {
                let node = self.graph.boolean(reducer == Reducer::All);
                self.scalar(node)
            }
            // Whole numbers have no infinity.
            Elem::Int if reducer == Reducer::Sum => self.int(0),
            _ => {
                let node = self.graph.constant(reducer.neutral());
                self.scalar(node)
            }
        };
        let body = if neutral.elem == Elem::Real { self.real(&body) } else { body };
        let everywhere = Value { loops: union(&body.loops, loops), ..body.clone() };
        let node = self.spread(&body, &everywhere.loops, &body.shape);
        let spread = Value { node, ..everywhere };
        let kept = self.select(&condition, &spread, &neutral, &body.shape);
        if reducer != Reducer::Mean {
            return Some(self.reduce_all_terms(reducer, &kept, loops));
        }
        let sum = self.reduce_all_terms(Reducer::Sum, &kept, loops);
        let all = union(&condition.loops, loops);
        let node = self.spread(&condition, &all, &[]);
        let counted = self.value(node, all, Axes::new());
        let counted = self.real(&counted);
        let number = self.reduce_all_terms(Reducer::Sum, &counted, loops);
        let outer = union(&sum.loops, &number.loops);
        let (x, y) = (self.spread(&sum, &outer, &sum.shape), self.spread(&number, &outer, &sum.shape));
        let node = self.graph.div(x, y);
        Some(self.value(node, outer, sum.shape))
    }

    /// Reduces loops; a term that does not depend on a loop counts once per turn.
    fn reduce_all_terms(&mut self, reducer: Reducer, body: &Value, loops: &Loops) -> Value {
        let absent: Loops = loops.iter().copied().filter(|l| !body.loops.contains(l)).collect();
        let repeat = matches!(reducer, Reducer::Prod | Reducer::LogSumExp)
            || (reducer == Reducer::Sum && body.elem != Elem::Real);
        let body = if repeat && !absent.is_empty() {
            let all = union(&body.loops, loops);
            let node = self.spread(body, &all, &body.shape);
            self.value(node, all, body.shape.clone())
        } else {
            body.clone()
        };
        let axes: Vec<usize> = (0..body.loops.len()).filter(|&k| loops.contains(&body.loops[k])).collect();
        let mut node = self.reduce_node(reducer, body.node, &axes);
        if matches!(reducer, Reducer::Sum | Reducer::Mean) && !axes.is_empty() && self.summed.is_none() {
            self.summed = Some((self.graph.sum(body.node, &axes), body.loops.clone()));
        }
        if reducer == Reducer::Sum && !repeat {
            let turns: usize = absent.iter().map(|l| self.loops[l.0].axis.size).product();
            if turns != 1 {
                node = self.graph.scale(node, turns as f64);
            }
        }
        let outer: Loops = body.loops.iter().copied().filter(|l| !loops.contains(l)).collect();
        self.value(node, outer, body.shape)
    }
}
