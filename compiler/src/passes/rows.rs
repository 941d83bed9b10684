//! Some positions along one axis of an array, computed from those positions of what it is made of: the gather is moved down to
//! data and variables, so that nothing is computed at positions that are not wanted. Where an operator mixes positions, or has no
//! rule here, all of it is computed and the positions are read from it.

use rustc_hash::FxHashMap;

use super::simplify::is_elementwise;
use crate::ir::graph::{Attrs, DotAxes, Graph, NodeId, Role};
use crate::ops::{self, Operator};
use crate::types::Axes;

/// The positions `index` (b, whole numbers) along an axis; remembers what it has built.
pub struct Rows {
    index: NodeId,
    /// Whether what depends on data alone is computed from rows of data too.
    data: bool,
    known: FxHashMap<(NodeId, usize), NodeId>,
    /// The same for other positions, which a slice led to, by how far they are shifted.
    shifted: FxHashMap<usize, Rows>,
}

impl Rows {
    /// For these positions.
    pub fn new(index: NodeId) -> Self {
        Rows { index, data: false, known: FxHashMap::default(), shifted: FxHashMap::default() }
    }

    /// For these positions, which are read of data themselves wherever the operators allow it.
    pub fn down_to_data(index: NodeId) -> Self {
        Rows { data: true, ..Rows::new(index) }
    }

    /// The positions of `axis` of `id`: the same shape but for that axis, which has the length of the index.
    pub fn of(&mut self, g: &mut Graph, id: NodeId, axis: usize) -> NodeId {
        if let Some(&known) = self.known.get(&(id, axis)) {
            return known;
        }
        let outer = g.set_span(g.node(id).span);
        let made = self.through(g, id, axis).unwrap_or_else(|| self.read(g, id, axis));
        g.set_span(outer);
        self.known.insert((id, axis), made);
        made
    }

    /// Reads the positions from the whole.
    fn read(&self, g: &mut Graph, id: NodeId, axis: usize) -> NodeId {
        let rank = g.shape(id).len();
        let first: Axes = std::iter::once(axis).chain((0..rank).filter(|&k| k != axis)).collect();
        let front = g.transpose(id, &first);
        let rows = g.gather(front, self.index, 0);
        let back: Axes = (0..rank).map(|k| if k == axis { 0 } else { k + usize::from(k < axis) }).collect();
        g.transpose(rows, &back)
    }

    /// Applies the operator of `id` to other operands.
    fn again(&mut self, g: &mut Graph, id: NodeId, attrs: Attrs, inputs: &[NodeId]) -> NodeId {
        let op = g.node(id).op.0;
        g.apply(op, attrs, inputs)
    }

    /// As `id`, every operand at the positions of its axis `axes[k]`, or whole.
    fn with(&mut self, g: &mut Graph, id: NodeId, attrs: Attrs, axes: &[Option<usize>]) -> NodeId {
        let inputs: Vec<NodeId> = g.node(id).inputs.to_vec();
        let inputs: Vec<NodeId> = inputs
            .iter()
            .zip(axes)
            .map(|(&input, axis)| axis.map_or(input, |axis| self.of(g, input, axis)))
            .collect();
        self.again(g, id, attrs, &inputs)
    }

    /// The positions computed from those of the operands, where the operator keeps positions apart.
    fn through(&mut self, g: &mut Graph, id: NodeId, axis: usize) -> Option<NodeId> {
        let node = g.node(id).clone();
        let len = g.shape(self.index)[0];
        let cut = |shape: &[usize]| -> Axes {
            shape.iter().enumerate().map(|(k, &n)| if k == axis { len } else { n }).collect()
        };
        // What depends on data alone is computed once, so that it is read rather than computed again; but not what is small before
        // it is repeated.
        if !self.data
            && node.stage == Role::Data
            && !matches!(node.attrs, Attrs::Broadcast { .. } | Attrs::Iota { .. })
        {
            return None;
        }
        let kept = |removed: &[usize]| -> Option<usize> {
            let rank = g.shape(node.inputs[0]).len();
            (0..rank).filter(|k| !removed.contains(k)).nth(axis)
        };
        let op = node.op.0;
        Some(match &node.attrs {
            Attrs::Iota { .. } => self.index,
            Attrs::None | Attrs::Cast(_) if is_elementwise(op) || g.is(id, &ops::STOP_GRADIENT) => {
                self.with(g, id, node.attrs.clone(), &vec![Some(axis); node.inputs.len()])
            }
            Attrs::Broadcast { shape, map } => {
                let from = map.iter().position(|&k| k == axis);
                let attrs = Attrs::Broadcast { shape: cut(shape), map: map.clone() };
                self.with(g, id, attrs, &[from])
            }
            Attrs::Permutation(perm) => self.with(g, id, node.attrs.clone(), &[Some(perm[axis])]),
            Attrs::Axes(removed) => {
                let from = kept(removed)?;
                let removed = removed.clone();
                self.with(g, id, Attrs::Axes(removed), &[Some(from)])
            }
            Attrs::Axis(along) if g.is(id, &ops::CONCAT) => (*along != axis).then(|| {
                let parts = vec![Some(axis); node.inputs.len()];
                self.with(g, id, node.attrs.clone(), &parts)
            })?,
            Attrs::Axis(along) => {
                let stays = g.shape(id).len() == g.shape(node.inputs[0]).len();
                let from = if stays { (*along != axis).then_some(axis)? } else { kept(&[*along])? };
                self.with(g, id, node.attrs.clone(), &[Some(from)])
            }
            Attrs::Scan { axis: along, .. } => {
                (*along != axis).then(|| self.with(g, id, node.attrs.clone(), &[Some(axis)]))?
            }
            Attrs::Shape(shape) => {
                let from = preserved(g.shape(node.inputs[0]), shape, axis)?;
                let attrs = Attrs::Shape(cut(shape));
                self.with(g, id, attrs, &[Some(from)])
            }
            Attrs::Slice { start, end } => return self.slice(g, id, axis, start, end),
            Attrs::Pad { before, after } => (before[axis] == 0 && after[axis] == 0)
                .then(|| self.with(g, id, node.attrs.clone(), &[Some(axis)]))?,
            Attrs::Dot(axes) => {
                let sides = operand_axes(g, &node.inputs, axes, axis);
                self.with(g, id, node.attrs.clone(), &sides)
            }
            Attrs::Gather { batch } => {
                let sides = gather_axes(g, &node.inputs, *batch, axis);
                self.with(g, id, node.attrs.clone(), &sides)
            }
            Attrs::Scatter { batch, .. } => {
                let sides = scatter_axes(g, &node.inputs, *batch, axis)?;
                self.with(g, id, node.attrs.clone(), &sides)
            }
            // Every matrix of a batch by itself.
            Attrs::None | Attrs::Transposed(_) if is_batched(op) => {
                let batch = g.shape(node.inputs[0]).len().checked_sub(2)?;
                (axis < batch)
                    .then(|| self.with(g, id, node.attrs.clone(), &vec![Some(axis); node.inputs.len()]))?
            }
            _ => return None,
        })
    }

    /// Through a slice: the same positions, further on.
    fn slice(
        &mut self,
        g: &mut Graph,
        id: NodeId,
        axis: usize,
        start: &[usize],
        end: &[usize],
    ) -> Option<NodeId> {
        let (from, to) = (start[axis], end[axis]);
        let input = g.node(id).inputs[0];
        let rows = if from == 0 {
            self.of(g, input, axis)
        } else {
            let (index, data) = (self.index, self.data);
            let rows = match self.shifted.entry(from) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(place) => {
                    let shape = g.shape(index).clone();
                    let shift = g.fill_int(from as i64, &shape);
                    let moved = g.add(index, shift);
                    place.insert(Rows { data, ..Rows::new(moved) })
                }
            };
            rows.of(g, input, axis)
        };
        // Positions beyond the slice's end are never asked for: they are outside of the loop that the index belongs to.
        debug_assert!(to <= g.shape(input)[axis]);
        let len = g.shape(self.index)[0];
        let mut start: Axes = start.into();
        let mut end: Axes = end.into();
        (start[axis], end[axis]) = (0, len);
        Some(g.slice(rows, &start, &end))
    }
}

/// Whether an operator works on the matrices of a batch one by one.
fn is_batched(op: &'static Operator) -> bool {
    [&ops::SOLVE, &ops::INV, &ops::LOGDET, &ops::CHOLESKY, &ops::TRIANGULAR_SOLVE]
        .into_iter()
        .any(|batched| std::ptr::eq(batched, op))
}

/// The operand axis that an axis of a reshaped array is, if it is one of them.
fn preserved(from: &[usize], to: &[usize], axis: usize) -> Option<usize> {
    let before: usize = to[..axis].iter().product();
    let mut product = 1;
    for (k, &n) in from.iter().enumerate() {
        if product == before && n == to[axis] {
            return Some(k);
        }
        product *= n;
    }
    None
}

/// The axes of the two operands of a contraction that an axis of the result comes from.
fn operand_axes(g: &Graph, inputs: &[NodeId], axes: &DotAxes, axis: usize) -> [Option<usize>; 2] {
    if let Some(&(left, right)) = axes.batch.get(axis) {
        return [Some(left), Some(right)];
    }
    let free = |side: usize| -> Axes {
        let of = |pair: &(usize, usize)| if side == 0 { pair.0 } else { pair.1 };
        let used = |k: &usize| axes.batch.iter().chain(&axes.contract).any(|pair| of(pair) == *k);
        (0..g.shape(inputs[side]).len()).filter(|k| !used(k)).collect()
    };
    let rest = axis - axes.batch.len();
    let left = free(0);
    match left.get(rest) {
        Some(&k) => [Some(k), None],
        None => [None, free(1).get(rest - left.len()).copied()],
    }
}

/// The axes of array and positions that an axis of a gather comes from.
fn gather_axes(g: &Graph, inputs: &[NodeId], batch: usize, axis: usize) -> [Option<usize>; 2] {
    let indices = g.shape(inputs[1]).len();
    match axis {
        _ if axis < batch => [Some(axis), Some(axis)],
        _ if axis < indices => [None, Some(axis)],
        _ => [Some(axis + 1 + batch - indices), None],
    }
}

/// The axes of terms and positions that an axis of a scatter comes from; `None` for the axis of the sums.
fn scatter_axes(g: &Graph, inputs: &[NodeId], batch: usize, axis: usize) -> Option<[Option<usize>; 2]> {
    let indices = g.shape(inputs[1]).len();
    match axis {
        _ if axis < batch => Some([Some(axis), Some(axis)]),
        _ if axis == batch => None,
        _ => Some([Some(axis + indices - batch - 1), None]),
    }
}
