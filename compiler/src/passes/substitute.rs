//! Putting nodes in the place of others: what lies above them is built again in the same graph.

use rustc_hash::FxHashMap;

use crate::ir::graph::{Graph, NodeId};

/// `root` with `from` replaced by `to`, which has the same type; nodes that do not depend on `from` are shared.
pub fn substitute(g: &mut Graph, root: NodeId, from: NodeId, to: NodeId) -> NodeId {
    substitute_all(g, &[root], &[(from, to)])[0]
}

/// As [`substitute`], for several roots and several pairs `(from, to)` at once. A replacement is not looked into.
pub fn substitute_all(g: &mut Graph, roots: &[NodeId], pairs: &[(NodeId, NodeId)]) -> Vec<NodeId> {
    debug_assert!(pairs.iter().all(|&(from, to)| g.ty(from) == g.ty(to)));
    let mut replaced: FxHashMap<NodeId, NodeId> = pairs.iter().copied().collect();
    let outer = g.set_span(None);
    for id in g.reachable(roots) {
        let node = g.node(id);
        if replaced.contains_key(&id) || !node.inputs.iter().any(|input| replaced.contains_key(input)) {
            continue;
        }
        let (op, attrs, span) = (node.op.0, node.attrs.clone(), node.span);
        let inputs: Vec<NodeId> =
            node.inputs.iter().map(|i| replaced.get(i).copied().unwrap_or(*i)).collect();
        g.set_span(span);
        let new = g.apply(op, attrs, &inputs);
        replaced.insert(id, new);
    }
    g.set_span(outer);
    roots.iter().map(|root| replaced.get(root).copied().unwrap_or(*root)).collect()
}
