//! Gradients as expressions, and cutting them off.
//!
//! `grad(e, x)` inside a comprehension is a gradient for every turn. The expression is then worked out once more with a copy
//! of the variable per turn in place of the variable; since a turn reads only its own copy, the gradient of the sum over the
//! turns by the copies is all of them at once. Where the expression reads the variable through a value that was worked out
//! outside (an argument of a function), there are no copies, and the turns are differentiated one after the other.

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::super::Checker;
use super::super::arithmetic::union;
use super::super::value::{Loops, Value};
use super::Call;
use crate::ir::graph::NodeId;
use crate::passes::differentiate::gradient;
use crate::passes::simplify::simplify;
use crate::passes::substitute::substitute;
use crate::types::{Elem, Type};

/// The most turns that are differentiated one after the other.
const MOST_TURNS: usize = 64;

/// `stop_gradient(e)`: the value of `e`, constant to every derivative.
pub fn stop_gradient(c: &mut Checker, _call: &Call, values: &[Value]) -> Option<Value> {
    // Whole numbers and truth values are constant to every derivative already.
    if values[0].elem != Elem::Real {
        return Some(values[0].clone());
    }
    let node = c.graph.stop_gradient(values[0].node);
    Some(c.value(node, values[0].loops.clone(), values[0].shape.clone()))
}

/// `grad(e, x)`: the gradient of a real scalar by a variable, with the variable's shape.
pub fn grad(c: &mut Checker, call: &Call) -> Option<Value> {
    let (e, x) = (c.expr(call.arguments[0]), c.expr(call.arguments[1]));
    let (e, x) = (e?, x?);
    let (e_span, x_span) = (call.arguments[0].span, call.arguments[1].span);
    if e.rank() > 0 || e.elem != Elem::Real {
        let label = format!("this is a {}", c.value_text(&e));
        let diagnostic = Diagnostic::error("E0233", "`grad` needs a real scalar", e_span, label);
        c.emit(diagnostic.help("reduce it with `sum`, `mean` or `sumsq`"));
        return None;
    }
    let copied = c.copies.iter().any(|(_, copy)| copy.node == x.node);
    if !copied && !c.vars.iter().any(|v| v.var.node == x.node) {
        let label = "this is not a whole variable";
        let diagnostic = Diagnostic::error("E0233", "`grad` needs a variable", x_span, label);
        let [e, x] = [e_span, x_span].map(|span| c.source_text(span));
        c.emit(match x.split_once('[') {
            Some((name, index)) => diagnostic.help(format!("write `grad({e}, {name})[{index}`")),
            None => diagnostic.help("write the name of a variable"),
        });
        return None;
    }
    if e.loops.iter().all(|l| x.loops.contains(l)) {
        return c.gradient_of(&e, &x, e_span);
    }
    let loops = union(&e.loops, &x.loops);
    let copy = c.copy_of(&x, &loops);
    c.copies.push((x.node, copy.clone()));
    let known = std::mem::take(&mut c.copied_lets);
    let inner = c.expr(call.arguments[0]);
    c.copied_lets = known;
    c.copies.pop();
    let inner = inner?;
    if c.graph.reachable(&[inner.node]).contains(&x.node) {
        return c.turn_by_turn(&e, &x, call.span);
    }
    let found = c.gradient_of(&inner, &copy, e_span)?;
    let whole = c.spread(&x, &loops, &x.shape);
    let node = substitute(&mut c.graph, found.node, copy.node, whole);
    Some(c.value(node, loops, x.shape))
}

impl Checker<'_> {
    /// The copy that stands for a variable while a gradient is taken turn by turn; any other value as it is.
    pub fn copy_for_turns(&self, value: Value) -> Value {
        self.copies
            .iter()
            .fold(value, |value, (of, copy)| if value.node == *of { copy.clone() } else { value })
    }

    /// A fresh input with the variable's role: one copy of it per turn.
    fn copy_of(&mut self, x: &Value, loops: &Loops) -> Value {
        let role = self.stage(x.node);
        let ty = Type::new(Elem::Real, self.sizes(loops, &x.shape));
        let (_, node) = self.graph.add_input("copy", role, ty);
        self.value(node, loops.clone(), x.shape.clone())
    }

    /// The gradient of the sum of `e` over its loops by `x`, which has all of these loops.
    fn gradient_of(&mut self, e: &Value, x: &Value, span: Span) -> Option<Value> {
        let turns: Vec<usize> = (0..e.loops.len()).collect();
        let total = self.graph.sum(e.node, &turns);
        // As for objectives: what overflows only as it is written has a derivative.
        let simple = simplify(&mut self.graph, &[total])[0];
        match gradient(&mut self.graph, simple, &[x.node]) {
            Ok(nodes) => Some(self.value(nodes[0], x.loops.clone(), x.shape.clone())),
            Err(why) => {
                let at = self.graph.node(why.node).span.unwrap_or(span);
                let message = "the expression has no gradient";
                let diagnostic = Diagnostic::error("E0233", message, span, why.reason);
                self.emit(diagnostic.label(at, "because of this"));
                None
            }
        }
    }

    /// One gradient for each turn of the loops of `e`, by a variable without loops.
    fn turn_by_turn(&mut self, e: &Value, x: &Value, span: Span) -> Option<Value> {
        let sizes = self.sizes(&e.loops, &[]);
        let turns: usize = sizes.iter().product();
        if turns > MOST_TURNS || !x.loops.is_empty() {
            let label = format!("{turns} turns");
            let diagnostic = Diagnostic::error(
                "E0233",
                "a gradient for so many turns cannot be formed",
                span,
                label,
            )
            .note(format!(
                "the expression reads the variable through an argument of a function, so its turns are \
                     differentiated one after the other, at most {MOST_TURNS} of them"
            ));
            self.emit(diagnostic.help("call `grad` where the variable itself is written"));
            return None;
        }
        let flat = self.graph.reshape(e.node, &[turns]);
        let mut parts: Vec<NodeId> = Vec::new();
        for turn in 0..turns {
            let one = self.graph.slice(flat, &[turn], &[turn + 1]);
            let one = self.graph.reshape(one, &[]);
            let one = self.scalar(one);
            let part = self.gradient_of(&one, x, span)?;
            let row = [&[1], self.sizes(&Loops::new(), &x.shape).as_slice()].concat();
            parts.push(self.graph.reshape(part.node, &row));
        }
        let node = self.graph.concat(&parts, 0);
        let all = self.sizes(&e.loops, &x.shape);
        let node = self.graph.reshape(node, &all);
        Some(self.value(node, e.loops.clone(), x.shape.clone()))
    }
}
