//! Gradients as expressions, and cutting them off.

use blo_grammar::diagnostic::Diagnostic;

use super::super::Checker;
use super::super::value::{Loops, Value};
use super::Call;
use crate::passes::differentiate::gradient;
use crate::passes::simplify::simplify;
use crate::types::Elem;

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
pub fn grad(c: &mut Checker, call: &Call, values: &[Value]) -> Option<Value> {
    let (e, x) = (&values[0], &values[1]);
    let (e_span, x_span) = (call.arguments[0].span, call.arguments[1].span);
    if !e.loops.is_empty() {
        return c.unsupported("a gradient for each turn of a loop is", call.span);
    }
    if e.rank() > 0 || e.elem != Elem::Real {
        let label = format!("this is a {}", c.value_text(e));
        return c.error("E0233", "`grad` needs a real scalar", e_span, label);
    }
    if !c.vars.iter().any(|v| v.var.node == x.node) {
        return c.error("E0233", "`grad` needs a variable", x_span, "this is not a whole variable");
    }
    // As for objectives: what overflows only as it is written has a derivative.
    let simple = simplify(&mut c.graph, &[e.node])[0];
    match gradient(&mut c.graph, simple, &[x.node]) {
        Ok(nodes) => Some(c.value(nodes[0], Loops::new(), x.shape.clone())),
        Err(why) => {
            let at = c.graph.node(why.node).span.unwrap_or(e_span);
            let diagnostic = Diagnostic::error("E0233", "the expression has no gradient", e_span, why.reason)
                .label(at, "because of this");
            c.emit(diagnostic);
            None
        }
    }
}
