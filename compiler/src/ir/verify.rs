//! The verifier. Invariants of a graph:
//!
//! 1. The operands of a node come before it, so there are no cycles and ids are a topological order.
//! 2. A node's type is what its operator's shape rule gives for its parameters and its operands' types; so the parameters are
//!    of the variant that the operator takes.
//! 3. An input node reads a declared input and has its type.
//! 4. A node's stage is the latest of its operands' stages; an input's is its role; a constant's is [`Role::Data`].
//! 5. No two nodes have the same operator, parameters and operands.
//! 6. Bool and int constants hold a truth value or a whole number.

use rustc_hash::FxHashSet;

use crate::ir::graph::{Attrs, Graph, Node, NodeId, Role};
use crate::types::{Elem, Type};

/// Checks every node; the error says which one breaks which invariant.
pub fn verify(graph: &Graph) -> Result<(), String> {
    let mut seen = FxHashSet::default();
    for (id, node) in graph.iter() {
        let checked = check_operands(id, node).and_then(|()| check_type(graph, node)).and_then(|()| {
            check_stage(graph, node)?;
            check_constant(node)?;
            if seen.insert((node.op, &node.attrs, &node.inputs)) {
                Ok(())
            } else {
                Err("there is an equal node before it".to_string())
            }
        });
        checked.map_err(|why| format!("node %{} = {}: {why}", id.0, node.op.0.name))?;
    }
    Ok(())
}

fn check_operands(id: NodeId, node: &Node) -> Result<(), String> {
    match node.inputs.iter().find(|&&input| input >= id) {
        Some(input) => Err(format!("operand %{} does not come before it", input.0)),
        None => Ok(()),
    }
}

fn check_type(graph: &Graph, node: &Node) -> Result<(), String> {
    let expected = match node.attrs {
        Attrs::Input(input) => match graph.inputs().get(input.0 as usize) {
            Some(info) => info.ty.clone(),
            None => return Err(format!("there is no input {}", input.0)),
        },
        ref attrs => {
            let operands: Vec<&Type> = node.inputs.iter().map(|&input| graph.ty(input)).collect();
            (node.op.0.shape)(attrs, &operands)?
        }
    };
    if node.ty == expected { Ok(()) } else { Err(format!("has type {}, not {expected}", node.ty)) }
}

fn check_stage(graph: &Graph, node: &Node) -> Result<(), String> {
    let expected = match node.attrs {
        Attrs::Input(input) => graph.input_info(input).role,
        _ => node.inputs.iter().map(|&input| graph.node(input).stage).max().unwrap_or(Role::Data),
    };
    if node.stage == expected { Ok(()) } else { Err(format!("has stage {:?}, not {expected:?}", node.stage)) }
}

fn check_constant(node: &Node) -> Result<(), String> {
    let Attrs::Constant { bits, elem } = node.attrs else { return Ok(()) };
    let value = f64::from_bits(bits);
    let fits = match elem {
        Elem::Bool => value == 0.0 || value == 1.0,
        Elem::Int => value == value.trunc() && value.is_finite(),
        Elem::Real => true,
    };
    if fits { Ok(()) } else { Err(format!("{value} does not fit {}", elem.name())) }
}
