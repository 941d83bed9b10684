//! Symbolic derivatives: reverse mode (cotangents flow from results to operands) and forward mode (tangents flow from operands
//! to results). Both read the rules in the operator records, append nodes to the graph, and can be applied to their own
//! results, so second derivatives are products of two passes. Only nodes between the outputs and the differentiated nodes are
//! visited, so the cost is linear in their number; sums of cotangents are taken in the order of descending users.

use crate::ir::graph::{Graph, NodeId};
use crate::ops::Derivative;
use crate::passes::mask;
use crate::types::Elem;

/// A node without derivative lies between the output and what it is differentiated by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivativeError {
    /// The node.
    pub node: NodeId,
    /// Why it has no derivative.
    pub reason: &'static str,
}

/// The gradient of the real scalar `y` by the real nodes `wrt`, each with the shape of its node; zeros where `y` does not
/// depend on it.
pub fn gradient(g: &mut Graph, y: NodeId, wrt: &[NodeId]) -> Result<Vec<NodeId>, DerivativeError> {
    let one = g.constant(1.0);
    vjp(g, &[(y, one)], wrt)
}

/// The transposed Jacobian applied to a cotangent of each output: one result per node of `wrt`, with its shape.
///
/// A node of `wrt` that another one is computed from gets its whole derivative, the way through the other one included.
pub fn vjp(
    g: &mut Graph,
    outputs: &[(NodeId, NodeId)],
    wrt: &[NodeId],
) -> Result<Vec<NodeId>, DerivativeError> {
    let roots: Vec<NodeId> = outputs.iter().map(|&(output, _)| output).collect();
    let order = active_nodes(g, &roots, wrt);
    let mut active = vec![false; g.len()];
    for &id in &order {
        active[id.0 as usize] = true;
    }
    let mut cotangents: Vec<Option<NodeId>> = vec![None; g.len()];
    let unbounded = unbounded_nodes(g, &order);
    for &(output, cotangent) in outputs {
        if active[output.0 as usize] {
            accumulate(g, &mut cotangents, output, cotangent);
        }
    }
    let outer = g.set_span(None);
    for &id in order.iter().rev() {
        let Some(cotangent) = cotangents[id.0 as usize] else { continue };
        let span = g.node(id).span;
        g.set_span(span);
        let inputs = g.node(id).inputs.clone();
        for (k, &input) in inputs.iter().enumerate() {
            if active[input.0 as usize]
                && let Some(part) = operand_cotangent(g, id, k, cotangent, unbounded[input.0 as usize])?
            {
                accumulate(g, &mut cotangents, input, part);
            }
        }
    }
    g.set_span(outer);
    Ok(wrt.iter().map(|&x| cotangents[x.0 as usize].unwrap_or_else(|| g.zeros_like(x))).collect())
}

/// The Jacobian applied to a tangent of each node in `tangents`: one result per output, with its shape; zeros where an output
/// depends on none of them.
pub fn jvp(
    g: &mut Graph,
    outputs: &[NodeId],
    tangents: &[(NodeId, NodeId)],
) -> Result<Vec<NodeId>, DerivativeError> {
    let wrt: Vec<NodeId> = tangents.iter().map(|&(x, _)| x).collect();
    let order = active_nodes(g, outputs, &wrt);
    let mut found: Vec<Option<NodeId>> = vec![None; g.len()];
    for &(x, tangent) in tangents {
        accumulate(g, &mut found, x, tangent);
    }
    let outer = g.set_span(None);
    for &id in &order {
        let span = g.node(id).span;
        g.set_span(span);
        let inputs = g.node(id).inputs.clone();
        let operands: Vec<Option<NodeId>> = inputs.iter().map(|input| found[input.0 as usize]).collect();
        if operands.iter().any(Option::is_some)
            && let Some(tangent) = result_tangent(g, id, &operands)?
        {
            accumulate(g, &mut found, id, tangent);
        }
    }
    g.set_span(outer);
    Ok(outputs.iter().map(|&y| found[y.0 as usize].unwrap_or_else(|| g.zeros_like(y))).collect())
}

/// The nodes that the outputs depend on and that depend on a node of `wrt` in a differentiable way, operands first.
fn active_nodes(g: &Graph, outputs: &[NodeId], wrt: &[NodeId]) -> Vec<NodeId> {
    let mut active = vec![false; g.len()];
    for x in wrt {
        active[x.0 as usize] = true;
    }
    let mut order = g.reachable(outputs);
    order.retain(|&id| {
        let node = g.node(id);
        if node.ty.elem == Elem::Real && !matches!(node.op.0.derivative, Derivative::Zero) {
            active[id.0 as usize] |= node.inputs.iter().any(|input| active[input.0 as usize]);
        }
        active[id.0 as usize]
    });
    order
}

/// Marks the active nodes (operands first) that are, or are computed from, one whose derivative can be infinite.
fn unbounded_nodes(g: &Graph, order: &[NodeId]) -> Vec<bool> {
    let mut unbounded = vec![false; g.len()];
    for &id in order {
        let node = g.node(id);
        let below = node.inputs.iter().any(|input| unbounded[input.0 as usize]);
        unbounded[id.0 as usize] = below || mask::unbounded(node.op);
    }
    unbounded
}

fn accumulate(g: &mut Graph, sums: &mut [Option<NodeId>], id: NodeId, part: NodeId) {
    let sum = match sums[id.0 as usize] {
        Some(sum) => {
            let last = g.node(id).inputs.is_empty();
            mask::plus(g, sum, part, last)
        }
        None => part,
    };
    sums[id.0 as usize] = Some(sum);
}

fn operand_cotangent(
    g: &mut Graph,
    id: NodeId,
    k: usize,
    cotangent: NodeId,
    guard: bool,
) -> Result<Option<NodeId>, DerivativeError> {
    match g.node(id).op.0.derivative {
        Derivative::Partials(partial) => {
            Ok(partial(g, id, k).map(|partial| mask::times(g, cotangent, partial)))
        }
        Derivative::Linear(transposed) => Ok(mask::through(g, id, k, cotangent, guard, &|g, cotangent| {
            Some(transposed(g, id, cotangent, k))
        })),
        Derivative::Rule { vjp, .. } => {
            Ok(mask::through(g, id, k, cotangent, guard, &|g, cotangent| vjp(g, id, cotangent, k)))
        }
        Derivative::Zero => Ok(None),
        Derivative::Undefined(reason) => Err(DerivativeError { node: id, reason }),
    }
}

fn result_tangent(
    g: &mut Graph,
    id: NodeId,
    tangents: &[Option<NodeId>],
) -> Result<Option<NodeId>, DerivativeError> {
    match g.node(id).op.0.derivative {
        Derivative::Partials(partial) => {
            let mut sum = None;
            for (k, tangent) in tangents.iter().enumerate() {
                let Some(tangent) = *tangent else { continue };
                let Some(partial) = partial(g, id, k) else { continue };
                let part = mask::times(g, tangent, partial);
                sum = Some(match sum {
                    Some(sum) => mask::plus(g, sum, part, true),
                    None => part,
                });
            }
            Ok(sum)
        }
        Derivative::Linear(_) => {
            let node = g.node(id);
            let (op, attrs, mut inputs) = (node.op, node.attrs.clone(), node.inputs.clone());
            for (input, tangent) in inputs.iter_mut().zip(tangents) {
                if g.ty(*input).elem == Elem::Real {
                    *input = tangent.unwrap_or_else(|| g.zeros_like(*input));
                }
            }
            Ok(Some(g.apply(op.0, attrs, &inputs)))
        }
        Derivative::Rule { jvp, .. } => Ok(jvp(g, id, tangents)),
        Derivative::Zero => Ok(None),
        Derivative::Undefined(reason) => Err(DerivativeError { node: id, reason }),
    }
}
