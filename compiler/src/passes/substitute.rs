//! Replacing nodes by others: the expressions above them are built again in the same graph.

use rustc_hash::FxHashMap;

use crate::ir::graph::{Attrs, Graph, NodeId};

/// The roots with every node of `replace` (from, to) replaced, wherever they read it. A replacement is not looked into.
pub fn substitute(graph: &mut Graph, roots: &[NodeId], replace: &[(NodeId, NodeId)]) -> Vec<NodeId> {
    let mut map: FxHashMap<NodeId, NodeId> = replace.iter().copied().collect();
    let outer = graph.set_span(None);
    for id in graph.reachable(roots) {
        if map.contains_key(&id) {
            continue;
        }
        let node = graph.node(id);
        let inputs: Vec<NodeId> = node.inputs.iter().map(|i| map[i]).collect();
        let (op, attrs, span) = (node.op.0, node.attrs.clone(), node.span);
        let same = matches!(attrs, Attrs::Input(_)) || inputs == node.inputs.as_slice();
        let image = if same {
            id
        } else {
            graph.set_span(span);
            graph.apply(op, attrs, &inputs)
        };
        map.insert(id, image);
    }
    graph.set_span(outer);
    roots.iter().map(|root| map[root]).collect()
}
