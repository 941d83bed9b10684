//! Putting one node in the place of another.

use rustc_hash::FxHashMap;

use crate::ir::graph::{Graph, NodeId};

/// `root` with `from` replaced by `to`, which has the same type; nodes that do not depend on `from` are shared.
pub fn substitute(g: &mut Graph, root: NodeId, from: NodeId, to: NodeId) -> NodeId {
    debug_assert_eq!(g.ty(from), g.ty(to));
    let mut replaced: FxHashMap<NodeId, NodeId> = FxHashMap::default();
    replaced.insert(from, to);
    let outer = g.set_span(None);
    for id in g.reachable(&[root]) {
        let node = g.node(id);
        if id == from || !node.inputs.iter().any(|input| replaced.contains_key(input)) {
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
    replaced.get(&root).copied().unwrap_or(root)
}
