//! Views: how the elements of a node lie in the buffer of the node it rearranges, as an offset and a stride per axis.

use smallvec::SmallVec;

use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::ops::Lowering;

/// Strides, one per axis.
pub type Strides = SmallVec<[usize; 4]>;

/// Where the elements of a node are found.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The node with the buffer.
    pub base: NodeId,
    /// The position of the first element.
    pub offset: usize,
    /// Distances between neighbours, by axis.
    pub strides: Strides,
}

/// Strides of a row-major array.
pub fn row_major(shape: &[usize]) -> Strides {
    let mut strides = Strides::from_elem(1, shape.len());
    for k in (0..shape.len().saturating_sub(1)).rev() {
        strides[k] = strides[k + 1] * shape[k + 1];
    }
    strides
}

/// Whether a node only rearranges its operand.
pub fn is_view(g: &Graph, id: NodeId) -> bool {
    matches!(g.node(id).op.0.lowering, Lowering::View)
}

/// The view that a node is, given which nodes have buffers; `None` if it must be computed or its elements are not at regular
/// distances.
pub fn view(g: &Graph, stored: &[bool], id: NodeId) -> Option<View> {
    let node = g.node(id);
    if stored[id.0 as usize] {
        return Some(View { base: id, offset: 0, strides: row_major(&node.ty.shape) });
    }
    if !is_view(g, id) {
        return None;
    }
    let from = node.inputs[0];
    let View { base, mut offset, strides: old } = view(g, stored, from)?;
    let strides = match &node.attrs {
        Attrs::Broadcast { shape, map } => {
            let mut strides = Strides::from_elem(0, shape.len());
            map.iter().enumerate().for_each(|(k, &to)| strides[to] = old[k]);
            strides
        }
        Attrs::Permutation(perm) => perm.iter().map(|&p| old[p]).collect(),
        Attrs::Slice { start, .. } => {
            offset += start.iter().zip(&old).map(|(s, d)| s * d).sum::<usize>();
            old
        }
        Attrs::Shape(shape) => reshape(g.shape(from), &old, shape)?,
        _ => old,
    };
    Some(View { base, offset, strides })
}

/// Strides after a reshape without moving anything, if there are any.
pub fn reshape(shape: &[usize], strides: &[usize], to: &[usize]) -> Option<Strides> {
    if to.contains(&0) {
        return Some(row_major(to));
    }
    let old: Vec<(usize, usize)> =
        shape.iter().copied().zip(strides.iter().copied()).filter(|a| a.0 != 1).collect();
    let mut result = Strides::from_elem(0, to.len());
    let (mut i, mut j) = (0, 0);
    while i < old.len() {
        // The shortest run of old axes with the size of a run of new ones.
        let (first_old, first_new) = (i, j);
        let (mut size, mut new_size) = (old[i].0, 1);
        i += 1;
        while size != new_size {
            if new_size < size {
                new_size *= to[j];
                j += 1;
            } else {
                size *= old[i].0;
                i += 1;
            }
        }
        if old[first_old..i].windows(2).any(|w| w[0].1 != w[1].0 * w[1].1) {
            return None;
        }
        let mut stride = old[i - 1].1;
        for k in (first_new..j).rev() {
            result[k] = stride;
            stride *= to[k];
        }
    }
    Some(result)
}

/// The axes in this order as one axis: its size and stride, if the distances between neighbours are regular.
pub fn collapse(shape: &[usize], strides: &[usize], axes: &[usize]) -> Option<(usize, usize)> {
    let mut merged: Option<(usize, usize)> = None;
    for &k in axes.iter().rev().filter(|&&k| shape[k] != 1) {
        merged = match merged {
            None => Some((shape[k], strides[k])),
            Some((size, stride)) if strides[k] == size * stride => Some((shape[k] * size, stride)),
            Some(_) => return None,
        };
    }
    Some(merged.unwrap_or((1, 0)))
}

/// Whether the elements lie row-major without gaps.
pub fn is_contiguous(shape: &[usize], strides: &[usize]) -> bool {
    let full = row_major(shape);
    shape.contains(&0) || (0..shape.len()).all(|k| shape[k] == 1 || strides[k] == full[k])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshapes_without_copy_are_found_and_no_others() {
        let of = |shape: &[usize], strides: &[usize], to: &[usize]| {
            reshape(shape, strides, to).map(|s| s.to_vec())
        };
        assert_eq!(of(&[4, 6], &[6, 1], &[24]), Some(vec![1]));
        assert_eq!(of(&[4, 6], &[6, 1], &[2, 2, 3, 2]), Some(vec![12, 6, 2, 1]));
        assert_eq!(of(&[6, 4], &[1, 6], &[24]), None);
        assert_eq!(of(&[6, 4], &[1, 6], &[3, 2, 4]), Some(vec![2, 1, 6]));
        assert_eq!(of(&[5, 1, 2], &[4, 9, 2], &[10, 1]).map(|s| s[0]), Some(2));
        assert_eq!(of(&[1], &[1], &[]), Some(vec![]));
    }
}
