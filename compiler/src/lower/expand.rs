//! Rewrites a graph into the operators that loops are made of: operators defined by others are written out, row operators get
//! their axis last, and operands of products get an order of axes that is a batch, rows and columns.

use smallvec::SmallVec;

use crate::ir::graph::{Attrs, DotAxes, Graph, NodeId};
use crate::ops::{self, Lowering};
use crate::types::Axes;

/// The roots, rewritten; new nodes are added to the same graph.
pub fn expand(g: &mut Graph, roots: &[NodeId]) -> Vec<NodeId> {
    let mut expander = Expander { new: vec![None; g.len()] };
    expander.rewrite(g, roots);
    roots.iter().map(|r| expander.get(*r)).collect()
}

struct Expander {
    new: Vec<Option<NodeId>>,
}

impl Expander {
    fn get(&self, id: NodeId) -> NodeId {
        self.new.get(id.0 as usize).copied().flatten().unwrap_or(id)
    }

    fn set(&mut self, id: NodeId, to: NodeId) {
        let len = self.new.len().max(id.0 as usize + 1);
        self.new.resize(len, None);
        self.new[id.0 as usize] = Some(to);
    }

    fn done(&self, id: NodeId) -> bool {
        self.new.get(id.0 as usize).is_some_and(Option::is_some)
    }

    fn rewrite(&mut self, g: &mut Graph, roots: &[NodeId]) {
        for id in g.reachable(roots) {
            if self.done(id) {
                continue;
            }
            let node = g.node(id).clone();
            let operands: SmallVec<[NodeId; 3]> = node.inputs.iter().map(|&i| self.get(i)).collect();
            let outer = g.set_span(node.span);
            let same =
                if operands == node.inputs { id } else { g.apply(node.op.0, node.attrs.clone(), &operands) };
            let to = match node.op.0.lowering {
                Lowering::Expand(write) => {
                    let written = write(g, same);
                    self.rewrite(g, &[written]);
                    self.get(written)
                }
                Lowering::Rows(_) | Lowering::ArgSort => axis_last(g, same),
                Lowering::Dot => order_operands(g, same),
                _ => same,
            };
            g.set_span(outer);
            self.set(id, to);
            // What a rewrite made is in its final form.
            self.set(to, to);
        }
    }
}

/// A row operator along any axis as one along the last axis of a transposed operand.
fn axis_last(g: &mut Graph, id: NodeId) -> NodeId {
    let node = g.node(id).clone();
    let Attrs::Axis(axis) = node.attrs else { crate::bug!("`{}` has no axis", node.op.0.name) };
    let x = node.inputs[0];
    let rank = g.shape(x).len();
    if axis + 1 == rank {
        return id;
    }
    let perm: Axes = (0..rank).filter(|&k| k != axis).chain([axis]).collect();
    let turned = g.apply(&ops::TRANSPOSE, Attrs::Permutation(perm.clone()), &[x]);
    let rows = g.apply(node.op.0, Attrs::Axis(rank - 1), &[turned]);
    if node.ty.rank() < rank {
        return rows;
    }
    let mut back = Axes::from_elem(0, rank);
    perm.iter().enumerate().for_each(|(k, &p)| back[p] = k);
    g.apply(&ops::TRANSPOSE, Attrs::Permutation(back), &[rows])
}

/// The axes of the operands of a product in groups: batch, free, contracted, each in the order of the result or of the other
/// operand.
pub struct Groups {
    /// Of the left operand.
    pub lhs: [Axes; 3],
    /// Of the right operand.
    pub rhs: [Axes; 3],
}

/// The groups of a product's axes. Contracted axes are taken in the order of the left operand.
pub fn groups(g: &Graph, id: NodeId) -> Groups {
    let node = g.node(id);
    let Attrs::Dot(axes) = &node.attrs else { crate::bug!("`dot` has no axes") };
    let mut contract = axes.contract.clone();
    contract.sort_unstable();
    let side = |rank: usize, pick: fn(&(usize, usize)) -> usize| {
        let batch: Axes = axes.batch.iter().map(pick).collect();
        let sum: Axes = contract.iter().map(pick).collect();
        let free: Axes = (0..rank).filter(|k| !batch.contains(k) && !sum.contains(k)).collect();
        [batch, free, sum]
    };
    let rank = |k: usize| g.shape(node.inputs[k]).len();
    Groups { lhs: side(rank(0), |p| p.0), rhs: side(rank(1), |p| p.1) }
}

/// Transposes operands whose groups of axes are not runs of neighbours.
fn order_operands(g: &mut Graph, id: NodeId) -> NodeId {
    let Groups { lhs, rhs } = groups(g, id);
    let node = g.node(id).clone();
    let run = |axes: &Axes| axes.windows(2).all(|w| w[1] == w[0] + 1);
    let neat = |groups: &[Axes; 3]| groups.iter().all(run);
    if neat(&lhs) && neat(&rhs) {
        return id;
    }
    let mut turn = |x: NodeId, groups: &[Axes; 3]| {
        let perm: Axes = groups.iter().flatten().copied().collect();
        g.apply(&ops::TRANSPOSE, Attrs::Permutation(perm), &[x])
    };
    let (a, b) = (turn(node.inputs[0], &lhs), turn(node.inputs[1], &rhs));
    // Both are now batch, free, contracted.
    let pairs = |from: [usize; 2], len: usize| (0..len).map(|k| (from[0] + k, from[1] + k)).collect();
    let (batch, sum) = (lhs[0].len(), lhs[2].len());
    let axes = DotAxes {
        batch: pairs([0, 0], batch),
        contract: pairs([batch + lhs[1].len(), batch + rhs[1].len()], sum),
    };
    g.apply(&ops::DOT, Attrs::Dot(Box::new(axes)), &[a, b])
}
