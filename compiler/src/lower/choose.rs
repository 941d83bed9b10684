//! Which nodes get buffers. Products, reductions and the other steps always do; elementwise nodes only when several readers
//! would repeat dear work, when a later stage reads them, or when a reader needs memory with a regular layout.

use super::expand::groups;
use super::view::{View, collapse, is_contiguous, is_view, view};
use crate::ir::graph::{Attrs, Graph, NodeId, Role};
use crate::ops::{Instruction, Lowering};
use crate::types::{Axes, Elem};

/// Work that is repeated rather than stored.
const CHEAP: usize = 4;
/// The most expressions that are fused into one value.
const LARGEST: usize = 48;

/// Marks in `stored` the nodes of one entry that get buffers; marks that are set already stay.
pub fn choose(g: &Graph, outputs: &[NodeId], stored: &mut [bool]) {
    let needed = g.reachable(outputs);
    for &id in &needed {
        if has_own_step(g.node(id).op.0.lowering) {
            stored[id.0 as usize] = true;
        }
    }
    by_cost(g, &needed, outputs, stored);
    by_stage(g, &needed, stored);
    while by_layout(g, &needed, outputs, stored) {}
}

fn has_own_step(lowering: Lowering) -> bool {
    use Lowering::{
        ArgReduce, ArgSort, Dense, Dot, Gather, Input, Place, Reduce, Rows, Scan, ScatterAdd, Sparse,
    };
    matches!(
        lowering,
        Input
            | Reduce(_)
            | ArgReduce(_)
            | ArgSort
            | Rows(_)
            | Place
            | Dot
            | Gather
            | ScatterAdd
            | Scan
            | Dense(_)
            | Sparse
    )
}

/// What computing one element costs, apart from its operands.
fn own_cost(lowering: Lowering) -> usize {
    match lowering {
        Lowering::Kernel(_) => 20,
        Lowering::Instruction(
            Instruction::Div | Instruction::Sqrt | Instruction::IntDiv | Instruction::IntMod,
        ) => 4,
        Lowering::Instruction(_) => 1,
        _ => 0,
    }
}

/// The elementwise node under a chain of views, if it is not stored.
fn source(g: &Graph, stored: &[bool], mut id: NodeId) -> Option<NodeId> {
    loop {
        let node = g.node(id);
        if stored[id.0 as usize] {
            return None;
        }
        match node.op.0.lowering {
            Lowering::View => id = node.inputs[0],
            Lowering::Instruction(_) | Lowering::Kernel(_) => return Some(id),
            _ => return None,
        }
    }
}

fn by_cost(g: &Graph, needed: &[NodeId], outputs: &[NodeId], stored: &mut [bool]) {
    let mut uses = vec![0usize; g.len()];
    let operands = needed.iter().flat_map(|&id| &g.node(id).inputs);
    operands.chain(outputs).for_each(|i| uses[i.0 as usize] += 1);
    // Cost per element and number of expressions of what is fused into a node.
    let mut fused = vec![(0usize, 0usize); g.len()];
    for &id in needed {
        let node = g.node(id);
        let (mut cost, mut size) = (own_cost(node.op.0.lowering), 1);
        for i in node.inputs.iter().filter(|i| !stored[i.0 as usize]) {
            cost += fused[i.0 as usize].0;
            size += fused[i.0 as usize].1;
        }
        let several = uses[id.0 as usize] > 1;
        match node.op.0.lowering {
            Lowering::Instruction(_) | Lowering::Kernel(_) => {
                stored[id.0 as usize] |= (several && cost > CHEAP) || size > LARGEST;
            }
            Lowering::View => {
                let from = g.ty(node.inputs[0]).len();
                let repeats = node.ty.len() > 512 && node.ty.len() >= 4 * from && cost > 2;
                if ((several && cost > CHEAP) || repeats)
                    && let Some(s) = source(g, stored, id)
                {
                    stored[s.0 as usize] = true;
                    cost = 0;
                }
            }
            _ => {}
        }
        fused[id.0 as usize] = if stored[id.0 as usize] { (0, 1) } else { (cost, size) };
    }
}

/// Stores what a later stage reads. Views, constants and comparisons are repeated in the later stage instead, so what they
/// read is what crosses.
fn by_stage(g: &Graph, needed: &[NodeId], stored: &mut [bool]) {
    let mut latest = vec![Role::Data; g.len()];
    for &id in needed.iter().rev() {
        let node = g.node(id);
        let k = id.0 as usize;
        let crosses = latest[k] > node.stage;
        let repeated = match node.op.0.lowering {
            Lowering::View | Lowering::Constant | Lowering::Iota => true,
            Lowering::Instruction(_) => node.ty.elem == Elem::Bool,
            _ => false,
        };
        if crosses && !repeated {
            stored[k] = true;
        }
        let stage = if stored[k] { node.stage } else { node.stage.max(latest[k]) };
        for i in &node.inputs {
            latest[i.0 as usize] = latest[i.0 as usize].max(stage);
        }
    }
}

/// Stores what is read by a step that needs a regular layout; true if anything was added.
fn by_layout(g: &Graph, needed: &[NodeId], outputs: &[NodeId], stored: &mut [bool]) -> bool {
    let before = stored.iter().filter(|s| **s).count();
    for &id in outputs {
        demand(g, stored, id, &|shape, v| is_contiguous(shape, &v.strides));
    }
    for &id in needed {
        let node = g.node(id);
        match node.op.0.lowering {
            Lowering::Dot => {
                let groups = groups(g, id);
                demand(g, stored, node.inputs[0], &|shape, v| is_matrix(shape, v, &groups.lhs));
                demand(g, stored, node.inputs[1], &|shape, v| is_matrix(shape, v, &groups.rhs));
            }
            Lowering::Dense(_) => {
                if let [factor, _] = *node.inputs {
                    demand(g, stored, factor, &|shape, v| is_contiguous(shape, &v.strides));
                }
                if let Some(&x) = node.inputs.last() {
                    let groups = matrix_axes(g.shape(x).len());
                    demand(g, stored, x, &|shape, v| is_matrix(shape, v, &groups));
                }
            }
            Lowering::Rows(_)
            | Lowering::Gather
            | Lowering::ScatterAdd
            | Lowering::Scan
            | Lowering::ArgReduce(_)
            | Lowering::ArgSort
            | Lowering::Sparse => {
                for &i in &node.inputs {
                    demand(g, stored, i, &|shape, v| is_contiguous(shape, &v.strides));
                }
            }
            Lowering::View if merges(g, id) && view(g, stored, id).is_none() => {
                store(g, stored, node.inputs[0]);
            }
            _ => {}
        }
    }
    stored.iter().filter(|s| **s).count() > before
}

/// Makes `id` a view with a property, storing its source where that is enough and the node itself otherwise.
fn demand(g: &Graph, stored: &mut [bool], id: NodeId, fits: &dyn Fn(&[usize], &View) -> bool) {
    let shape = g.shape(id);
    let good = |stored: &[bool]| view(g, stored, id).is_some_and(|v| fits(shape, &v));
    if good(stored) {
        return;
    }
    let mut at = id;
    while !stored[at.0 as usize]
        && is_view(g, at)
        && matches!(g.node(at).attrs, Attrs::Permutation(_) | Attrs::Shape(_) | Attrs::None)
    {
        at = g.node(at).inputs[0];
    }
    if !stored[at.0 as usize] && !is_view(g, at) {
        stored[at.0 as usize] = true;
        if good(stored) {
            return;
        }
        stored[at.0 as usize] = false;
    }
    store(g, stored, id);
}

/// Stores a node. A reshape that merges axes cannot be computed by indices; with its operand stored it is a view.
fn store(g: &Graph, stored: &mut [bool], mut id: NodeId) {
    while merges(g, id) {
        id = g.node(id).inputs[0];
    }
    stored[id.0 as usize] = true;
}

/// Whether the node is a reshape that merges axes.
fn merges(g: &Graph, id: NodeId) -> bool {
    let node = g.node(id);
    matches!(&node.attrs, Attrs::Shape(to) if splits(g.shape(node.inputs[0]), to).is_none())
}

/// The axes of a batch of matrices in groups: batch, rows, columns.
pub fn matrix_axes(rank: usize) -> [Axes; 3] {
    [(0..rank - 2).collect(), Axes::from_slice(&[rank - 2]), Axes::from_slice(&[rank - 1])]
}

/// Whether groups of axes collapse to batch, rows and columns at regular, nonzero distances.
fn is_matrix(shape: &[usize], view: &View, groups: &[Axes; 3]) -> bool {
    groups.iter().enumerate().all(|(k, axes)| match collapse(shape, &view.strides, axes) {
        Some((size, stride)) => k == 0 || size <= 1 || stride > 0,
        None => false,
    })
}

/// For a reshape that only splits axes (and adds or drops axes of size 1): for every old axis the new axes it is split into.
pub fn splits(from: &[usize], to: &[usize]) -> Option<Vec<Axes>> {
    if to.contains(&0) {
        return None;
    }
    let mut next = 0;
    let mut parts = Vec::with_capacity(from.len());
    for &size in from {
        let (mut axes, mut product) = (Axes::new(), 1);
        while product < size {
            product *= to[next];
            axes.push(next);
            next += 1;
        }
        if product != size {
            return None;
        }
        parts.push(axes);
    }
    Some(parts)
}
