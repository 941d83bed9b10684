//! Gradients as expressions, and cutting them off.

use super::super::Checker;
use super::super::value::Value;
use super::Call;

/// `stop_gradient(e)`: the value of `e`, constant to every derivative.
pub fn stop_gradient(c: &mut Checker, _call: &Call, values: &[Value]) -> Option<Value> {
    let node = c.graph.stop_gradient(values[0].node);
    Some(c.value(node, values[0].loops.clone(), values[0].shape.clone()))
}
