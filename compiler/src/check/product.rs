//! Matrix products and transposes. Axes carry labels; a product contracts the label that only the operands have, and loops
//! that both sides share are batch axes, so a product under a comprehension is the same contraction as on whole arrays.

use blo_grammar::ast::Expr;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::Checker;
use super::arithmetic::{same_axis, union};
use super::value::{Axes, Axis, Label, Value};
use crate::ir::graph::NodeId;
use crate::types::Elem;

/// Whether `@` would accept these shapes.
pub fn contracts(a: &[Axis], b: &[Axis]) -> bool {
    match (a.last(), b.len()) {
        (Some(x), 1) => same_axis(x, &b[0]).is_some(),
        (Some(x), n) if n > 1 => same_axis(x, &b[n - 2]).is_some(),
        _ => false,
    }
}

impl Checker<'_> {
    /// The labels of a value's axes, own axes numbered by `own`.
    pub fn labels(value: &Value, own: impl Fn(usize) -> usize) -> Vec<Label> {
        let loops = value.loops.iter().map(|&l| Label::Loop(l));
        loops.chain((0..value.rank()).map(|k| Label::Own(own(k)))).collect()
    }

    /// Reorders axes from one list of labels to another.
    pub fn arrange(&mut self, node: NodeId, from: &[Label], to: &[Label]) -> NodeId {
        let find = |label: &Label| match from.iter().position(|f| f == label) {
            Some(position) => position,
            None => crate::bug!("a lost axis {label:?} in {from:?}"),
        };
        let permutation: Vec<usize> = to.iter().map(find).collect();
        self.graph.transpose(node, &permutation)
    }

    /// Σ of products: labels of both operands that the result lacks are summed over.
    pub fn einsum(
        &mut self,
        (a, la): (NodeId, &[Label]),
        (b, lb): (NodeId, &[Label]),
        out: &[Label],
    ) -> NodeId {
        let mut batch = Vec::new();
        let mut contract = Vec::new();
        for (i, label) in la.iter().enumerate() {
            if let Some(j) = lb.iter().position(|l| l == label) {
                if out.contains(label) { batch.push((i, j)) } else { contract.push((i, j)) }
            }
        }
        let node = self.graph.contract(a, b, &batch, &contract);
        let mut labels: Vec<Label> = batch.iter().map(|&(i, _)| la[i]).collect();
        let free = |side: &[Label], other: &[Label]| -> Vec<Label> {
            side.iter().copied().filter(|l| !other.contains(l)).collect()
        };
        labels.extend(free(la, lb));
        labels.extend(free(lb, la));
        self.arrange(node, &labels, out)
    }

    /// `a @ b`.
    pub fn matmul(
        &mut self,
        a: &Value,
        b: &Value,
        operator: Span,
        left: &Expr,
        right: &Expr,
    ) -> Option<Value> {
        for (value, e) in [(a, left), (b, right)] {
            self.numeric(value.clone(), e.span, "`@`")?;
            if value.rank() == 0 {
                let diagnostic = Diagnostic::error("E0203", "`@` needs arrays", e.span, "this is a scalar");
                self.emit(diagnostic.help("scalars multiply with `*`"));
                return None;
            }
        }
        if !contracts(&a.shape, &b.shape) {
            return self.products_differ(operator, (a, left), (b, right));
        }
        let (a, b) = (self.real(a), self.real(b));
        let (ra, rb) = (a.rank(), b.rank());
        // Own labels: 0 is contracted, 1 the rows, 2 the columns, and 10 + k the k-th batch axis from the right.
        let own_a = |k: usize| {
            if k + 1 == ra {
                0
            } else if k + 2 == ra {
                1
            } else {
                10 + ra - 3 - k
            }
        };
        let own_b = |k: usize| {
            if rb == 1 || k + 2 == rb {
                0
            } else if k + 1 == rb {
                2
            } else {
                10 + rb - 3 - k
            }
        };
        let (la, lb) = (Self::labels(&a, own_a), Self::labels(&b, own_b));
        let depth = ra.max(rb).saturating_sub(2);
        let mut shape = Axes::new();
        let mut out: Vec<Label> = Vec::new();
        for k in (0..depth).rev() {
            let from_a = (ra >= 3 + k).then(|| a.shape[ra - 3 - k]);
            let from_b = (rb >= 3 + k).then(|| b.shape[rb - 3 - k]);
            let axis = match (from_a, from_b) {
                (Some(x), Some(y)) => match same_axis(&x, &y) {
                    Some(axis) => axis,
                    None => return self.products_differ(operator, (&a, left), (&b, right)),
                },
                (x, y) => match x.or(y) {
                    Some(axis) => axis,
                    None => crate::bug!("a batch axis of neither operand"),
                },
            };
            shape.push(axis);
            out.push(Label::Own(10 + k));
        }
        if ra >= 2 {
            shape.push(a.shape[ra - 2]);
            out.push(Label::Own(1));
        }
        if rb >= 2 {
            shape.push(b.shape[rb - 1]);
            out.push(Label::Own(2));
        }
        let loops = union(&a.loops, &b.loops);
        let all: Vec<Label> = loops.iter().map(|&l| Label::Loop(l)).chain(out).collect();
        let node = self.einsum((a.node, &la), (b.node, &lb), &all);
        Some(self.value(node, loops, shape))
    }

    fn products_differ(
        &mut self,
        operator: Span,
        (a, left): (&Value, &Expr),
        (b, right): (&Value, &Expr),
    ) -> Option<Value> {
        let inner_b = if b.rank() == 1 { 0 } else { b.rank() - 2 };
        let (x, y) = (a.shape[a.rank() - 1], b.shape[inner_b]);
        let message = "shapes do not match in `@`";
        let label = if same_axis(&x, &y).is_some() {
            "the batch dimensions differ".to_owned()
        } else {
            format!("{} does not match {}", self.axis_text(&x), self.axis_text(&y))
        };
        let side = if b.rank() == 1 { "the dimension" } else { "the second to last dimension" };
        let mut diagnostic = Diagnostic::error("E0203", message, operator, label)
            .label(
                left.span,
                format!("the last dimension of this {} is {}", self.value_text(a), self.axis_name(&x)),
            )
            .label(right.span, format!("{side} of this {} is {}", self.value_text(b), self.axis_name(&y)));
        let (l, r) = (self.source_text(left.span), self.source_text(right.span));
        let turn = |s: &[Axis]| -> Option<Vec<Axis>> { (s.len() == 2).then(|| vec![s[1], s[0]]) };
        let help = if contracts(&b.shape, &a.shape) && (a.rank() == 1 || b.rank() == 1) {
            Some(format!("{r} @ {l}"))
        } else if turn(&b.shape).is_some_and(|t| contracts(&a.shape, &t)) {
            Some(format!("{l} @ {r}'"))
        } else if turn(&a.shape).is_some_and(|t| contracts(&t, &b.shape)) {
            Some(format!("{l}' @ {r}"))
        } else if contracts(&b.shape, &a.shape) {
            Some(format!("{r} @ {l}"))
        } else {
            None
        };
        if let Some(product) = help {
            diagnostic =
                diagnostic.help(format!("`{product}` matches")).edit(left.span.to(right.span), product);
        }
        self.emit(diagnostic);
        None
    }

    /// `x'`: swaps the last two axes.
    pub fn transpose(&mut self, operand: &Expr, span: Span) -> Option<Value> {
        let value = self.expr(operand)?;
        let rank = value.rank();
        if rank < 2 {
            let what = if rank == 0 { "a scalar" } else { "a vector" };
            let mut diagnostic = Diagnostic::error(
                "E0231",
                format!("{what} has no transpose"),
                span,
                format!("this is {}", self.value_text(&value)),
            );
            if rank == 1 {
                diagnostic = diagnostic
                    .help("`@` takes vectors on either side as they are; `outer(x, y)` is the outer product");
            }
            self.emit(diagnostic);
            return None;
        }
        let total = value.loops.len() + rank;
        let mut permutation: Vec<usize> = (0..total).collect();
        permutation.swap(total - 1, total - 2);
        let node = self.graph.transpose(value.node, &permutation);
        let mut shape = value.shape.clone();
        shape.swap(rank - 1, rank - 2);
        Some(self.value(node, value.loops, shape))
    }

    /// The inner product of everything in two values of one shape; used by `dot`.
    pub fn inner(&mut self, a: &Value, b: &Value) -> Value {
        debug_assert!(a.elem == Elem::Real && b.elem == Elem::Real);
        let (la, lb) = (Self::labels(a, |k| k), Self::labels(b, |k| k));
        let loops = union(&a.loops, &b.loops);
        let out: Vec<Label> = loops.iter().map(|&l| Label::Loop(l)).collect();
        let node = self.einsum((a.node, &la), (b.node, &lb), &out);
        self.value(node, loops, Axes::new())
    }
}
