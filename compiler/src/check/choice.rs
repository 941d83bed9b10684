//! `if c then a else b`, element by element.

use blo_grammar::ast::Expr;
use blo_grammar::diagnostic::Diagnostic;

use super::Checker;
use super::arithmetic::{join, union};
use super::value::Value;
use crate::types::Elem;

impl Checker<'_> {
    /// Elaborates a choice.
    pub fn choice(&mut self, condition: &Expr, then: &Expr, otherwise: &Expr) -> Option<Value> {
        let c = self.expr(condition);
        // Positions in a branch matter only where the branch is taken.
        let opposite = c.clone().filter(|c| c.elem == Elem::Bool).map(|c| {
            let node = self.graph.not(c.node);
            self.value(node, c.loops, c.shape)
        });
        let a = self.guarded(c.as_ref(), |this| this.expr(then));
        let b = self.guarded(opposite.as_ref(), |this| this.expr(otherwise));
        let c = self.truth(c?, condition.span, "a condition");
        let (a, b) = (a?, b?);
        if (a.elem == Elem::Bool) != (b.elem == Elem::Bool) {
            let diagnostic = Diagnostic::error(
                "E0204",
                "the two branches hold different things",
                otherwise.span,
                format!("this is {}", self.value_text(&b)),
            )
            .label(then.span, format!("this is {}", self.value_text(&a)));
            self.emit(diagnostic.help("both are numbers, or both are truth values"));
            return None;
        }
        let (a, b) = self.promote(&a, &b);
        let c = c?;
        let Some(shape) = join(&a.shape, &b.shape) else {
            return self.shapes_differ("the branches of `if`", otherwise.span, (&a, then), (&b, otherwise));
        };
        let Some(shape) = join(&shape, &c.shape) else {
            return self.shapes_differ("`if`", condition.span, (&c, condition), (&a, then));
        };
        Some(self.select(&c, &a, &b, &shape))
    }

    /// `c ? a : b` over the loops of all three and this shape, which covers all three.
    pub fn select(&mut self, c: &Value, a: &Value, b: &Value, shape: &[super::value::Axis]) -> Value {
        let loops = union(&union(&a.loops, &b.loops), &c.loops);
        let nodes = [c, a, b].map(|v| self.spread(v, &loops, shape));
        let node = self.graph.select(nodes[0], nodes[1], nodes[2]);
        self.value(node, loops, shape.iter().copied().collect())
    }
}
