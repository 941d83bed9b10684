//! Elementwise operations: bringing operands to common loops and a common shape, and the infix operators.

use blo_grammar::ast::{BinaryOp, Expr};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Checker;
use super::value::{Affine, Axes, Axis, Loops, Value};
use crate::ir::graph::NodeId;
use crate::ops;
use crate::types::Elem;

/// An operand with the expression it came from.
pub type Operand<'v> = (&'v Value, &'v Expr);

/// The union of two sets of loops.
pub fn union(a: &Loops, b: &Loops) -> Loops {
    let mut all = a.clone();
    all.extend(b.iter().copied().filter(|l| !a.contains(l)));
    all.sort_unstable();
    all
}

/// One axis that stands for both, when they are the same dimension.
pub fn same_axis(a: &Axis, b: &Axis) -> Option<Axis> {
    match (a.dim, b.dim) {
        (Some(x), Some(y)) => (x == y).then_some(*a),
        _ if a.size != b.size => None,
        (Some(_), None) => Some(*a),
        _ => Some(*b),
    }
}

/// The common shape: the longer one, when the other is a scalar or agrees with its last axes.
pub fn join(a: &[Axis], b: &[Axis]) -> Option<Axes> {
    if b.len() > a.len() {
        return join(b, a);
    }
    let skip = a.len() - b.len();
    let mut shape: Axes = a.iter().copied().collect();
    for (k, axis) in b.iter().enumerate() {
        shape[skip + k] = same_axis(&a[skip + k], axis)?;
    }
    Some(shape)
}

impl Checker<'_> {
    /// The sizes of loops and own axes together.
    pub fn sizes(&self, loops: &Loops, shape: &[Axis]) -> Vec<usize> {
        let loops = loops.iter().map(|l| self.loops[l.0].axis.size);
        loops.chain(shape.iter().map(|a| a.size)).collect()
    }

    /// The value's node repeated over more loops and leading axes.
    pub fn spread(&mut self, value: &Value, loops: &Loops, shape: &[Axis]) -> NodeId {
        let sizes = self.sizes(loops, shape);
        let skip = loops.len() + shape.len() - value.shape.len();
        let outer = value.loops.iter().map(|l| match loops.iter().position(|m| m == l) {
            Some(position) => position,
            None => crate::bug!("a loop index outside its loop"),
        });
        let map: Vec<usize> = outer.chain((0..value.shape.len()).map(|k| skip + k)).collect();
        self.graph.broadcast(value.node, &sizes, &map)
    }

    /// Applies an elementwise binary operator of the graph after making both sides equal in loops and shape.
    pub fn pairwise(
        &mut self,
        build: impl FnOnce(&mut Self, NodeId, NodeId) -> NodeId,
        what: &str,
        operator: Span,
        (a, left): Operand,
        (b, right): Operand,
    ) -> Option<Value> {
        let Some(shape) = join(&a.shape, &b.shape) else {
            return self.shapes_differ(what, operator, (a, left), (b, right));
        };
        let loops = union(&a.loops, &b.loops);
        let x = self.spread(a, &loops, &shape);
        let y = self.spread(b, &loops, &shape);
        let node = build(self, x, y);
        Some(self.value(node, loops, shape))
    }

    /// The error for shapes that do not match elementwise.
    pub fn shapes_differ<T>(
        &mut self,
        what: &str,
        operator: Span,
        (a, left): Operand,
        (b, right): Operand,
    ) -> Option<T> {
        let mut diagnostic = Diagnostic::error(
            "E0203",
            format!("shapes do not match in {what}"),
            operator,
            format!("{} and {}", self.value_text(a), self.value_text(b)),
        )
        .label(left.span, format!("this is {}", self.value_text(a)))
        .label(right.span, format!("this is {}", self.value_text(b)));
        let pairs = a.shape.iter().rev().zip(b.shape.iter().rev());
        let differing = pairs.into_iter().find(|(x, y)| same_axis(x, y).is_none());
        if let Some((x, y)) = differing {
            diagnostic = diagnostic.note(format!("{} is not {}", self.axis_text(x), self.axis_text(y)));
            if x.dim.is_some() && y.dim.is_some() && x.size == y.size && !x.assumed {
                let (m, n) = (self.axis_name(y), self.axis_name(x));
                diagnostic =
                    diagnostic.help(format!("if they are meant to be the same, declare `dim {m} = {n}`"));
            }
        }
        let product = super::product::contracts(&a.shape, &b.shape);
        let turned = b.rank() == 2 && join(&a.shape, &[b.shape[1], b.shape[0]]).is_some();
        if what == "`*`" && product {
            let text = format!("{} @ {}", self.source_text(left.span), self.source_text(right.span));
            diagnostic = diagnostic.help(format!("the matrix product is `{text}`")).edit(operator, "@");
        } else if let ([rows, _], [axis]) = (a.shape.as_slice(), b.shape.as_slice())
            && same_axis(rows, axis).is_some()
            && what.len() == 3
        {
            let [l, r] = [left, right].map(|e| self.source_text(e.span));
            let (n, sign) = (self.axis_name(axis), what.trim_matches('`'));
            let by_rows = format!("[{l}[i] {sign} {r}[i] for i in {n}]");
            diagnostic = diagnostic.help(format!("`{r}` has one element for each row: write `{by_rows}`"));
        } else if turned {
            diagnostic = diagnostic.help(format!("`{}'` has the right shape", self.source_text(right.span)));
        }
        self.emit(diagnostic);
        None
    }

    /// An infix operator other than `@`.
    pub fn infix(&mut self, op: BinaryOp, operator: Span, left: Operand, right: Operand) -> Option<Value> {
        let what = format!("`{}`", op.spelling());
        match op {
            BinaryOp::And | BinaryOp::Or => {
                let a = self.truth(left.0.clone(), left.1.span, &what);
                let b = self.truth(right.0.clone(), right.1.span, &what);
                let build = |c: &mut Self, x, y| match op {
                    BinaryOp::And => c.graph.and(x, y),
                    _ => c.graph.or(x, y),
                };
                self.pairwise(build, &what, operator, (&a?, left.1), (&b?, right.1))
            }
            BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                self.comparison(op, &what, operator, left, right)
            }
            _ => {
                let a = self.numeric(left.0.clone(), left.1.span, &what);
                let b = self.numeric(right.0.clone(), right.1.span, &what);
                self.arithmetic(op, &what, operator, (&a?, left.1), (&b?, right.1))
            }
        }
    }

    fn comparison(
        &mut self,
        op: BinaryOp,
        what: &str,
        operator: Span,
        left: Operand,
        right: Operand,
    ) -> Option<Value> {
        let (a, b) = self.promote(left.0, right.0);
        if (a.elem == Elem::Bool) != (b.elem == Elem::Bool) {
            let label = format!("{} and {}", self.value_text(&a), self.value_text(&b));
            return self.error(
                "E0204",
                format!("{what} compares numbers with truth values"),
                operator,
                label,
            );
        }
        let (a, b) = if a.elem == Elem::Bool { (self.whole(&a), self.whole(&b)) } else { (a, b) };
        let build = |c: &mut Self, x, y| match op {
            BinaryOp::Eq => c.graph.binary(&ops::EQ, x, y),
            BinaryOp::Ne => c.graph.binary(&ops::NE, x, y),
            BinaryOp::Lt => c.graph.binary(&ops::LT, x, y),
            BinaryOp::Le => c.graph.binary(&ops::LE, x, y),
            BinaryOp::Gt => c.graph.binary(&ops::LT, y, x),
            _ => c.graph.binary(&ops::LE, y, x),
        };
        self.pairwise(build, what, operator, (&a, left.1), (&b, right.1))
    }

    fn arithmetic(
        &mut self,
        op: BinaryOp,
        what: &str,
        operator: Span,
        left: Operand,
        right: Operand,
    ) -> Option<Value> {
        let whole = left.0.elem == Elem::Int && right.0.elem == Elem::Int;
        let affine = if whole { known(op, left.0, right.0) } else { None };
        let assumed = left.0.assumed || right.0.assumed;
        if let Some(Affine { index: None, offset, .. }) = affine {
            return Some(Value { assumed, ..self.int(offset) });
        }
        let stays_whole = whole && matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul);
        let (a, b) = if stays_whole {
            (left.0.clone(), right.0.clone())
        } else {
            (self.real(left.0), self.real(right.0))
        };
        let build = |c: &mut Self, x, y| match op {
            BinaryOp::Add => c.graph.add(x, y),
            BinaryOp::Sub => c.graph.sub(x, y),
            BinaryOp::Mul => c.graph.mul(x, y),
            BinaryOp::Div => c.graph.div(x, y),
            _ => c.graph.pow(x, y),
        };
        let value = self.pairwise(build, what, operator, (&a, left.1), (&b, right.1))?;
        Some(Value { affine, assumed, ..value })
    }

    /// Both as reals when one is; unchanged otherwise.
    pub fn promote(&mut self, a: &Value, b: &Value) -> (Value, Value) {
        match (a.elem, b.elem) {
            (Elem::Real, Elem::Int) => (a.clone(), self.real(b)),
            (Elem::Int, Elem::Real) => (self.real(a), b.clone()),
            _ => (a.clone(), b.clone()),
        }
    }

    /// Truth values as 0 and 1.
    pub fn whole(&mut self, value: &Value) -> Value {
        let node = self.graph.cast(value.node, Elem::Int);
        self.value(node, value.loops.clone(), value.shape.clone())
    }
}

/// The value of whole-number arithmetic on known operands.
fn known(op: BinaryOp, a: &Value, b: &Value) -> Option<Affine> {
    let (x, y) = (a.affine?, b.affine?);
    match op {
        BinaryOp::Add => x.plus(y, 1),
        BinaryOp::Sub => x.plus(y, -1),
        BinaryOp::Mul => x.times(y),
        BinaryOp::Pow => {
            let power = a.constant()?.checked_pow(u32::try_from(b.constant()?).ok()?)?;
            Some(Affine::constant(power))
        }
        _ => None,
    }
}
