//! What an expression is elaborated to: a graph node whose leading axes are loop indices and whose other axes are its own,
//! with names of dimensions and, for whole numbers, the value where it is known.

use smallvec::SmallVec;

use crate::ir::graph::NodeId;
use crate::types::Elem;

/// Index into the checker's dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DimId(pub usize);

/// Index into the checker's loops. An inner loop has a larger id than the loops around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoopId(pub usize);

/// One axis of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// Its size.
    pub size: usize,
    /// The dimension it runs over, where it has a name.
    pub dim: Option<DimId>,
    /// Whether the size was made up because no data is bound.
    pub assumed: bool,
}

impl Axis {
    /// An axis without a name.
    pub fn of(size: usize) -> Self {
        Axis { size, dim: None, assumed: false }
    }
}

/// Loop indices, ascending.
pub type Loops = SmallVec<[LoopId; 2]>;

/// A value's own axes.
pub type Axes = SmallVec<[Axis; 4]>;

/// A whole number whose value is known: `coefficient · position + offset`, where `position` counts a loop's turns from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// The loop; `None` for a constant.
    pub index: Option<LoopId>,
    /// 0 for a constant.
    pub coefficient: i64,
    /// The constant part.
    pub offset: i64,
}

impl Affine {
    /// A constant.
    pub fn constant(offset: i64) -> Self {
        Affine { index: None, coefficient: 0, offset }
    }

    /// The sum or, with `sign` -1, the difference; `None` when two loops meet or numbers overflow.
    pub fn plus(self, other: Affine, sign: i64) -> Option<Affine> {
        let index = match (self.index, other.index) {
            (Some(a), Some(b)) if a != b => return None,
            (a, b) => a.or(b),
        };
        let coefficient = self.coefficient.checked_add(other.coefficient.checked_mul(sign)?)?;
        let offset = self.offset.checked_add(other.offset.checked_mul(sign)?)?;
        Some(Affine { index: index.filter(|_| coefficient != 0), coefficient, offset })
    }

    /// The product; `None` unless one of them is a constant.
    pub fn times(self, other: Affine) -> Option<Affine> {
        let (a, k) = match (self.index, other.index) {
            (_, None) => (self, other.offset),
            (None, _) => (other, self.offset),
            _ => return None,
        };
        let coefficient = a.coefficient.checked_mul(k)?;
        Some(Affine {
            index: a.index.filter(|_| coefficient != 0),
            coefficient,
            offset: a.offset.checked_mul(k)?,
        })
    }
}

/// An elaborated expression.
#[derive(Clone, Debug)]
pub struct Value {
    /// The node; its axes are `loops` and then `shape`.
    pub node: NodeId,
    /// The loop indices it depends on.
    pub loops: Loops,
    /// Its own axes.
    pub shape: Axes,
    /// What it holds.
    pub elem: Elem,
    /// Its value, for whole numbers where known.
    pub affine: Option<Affine>,
    /// Whether the known value rests on a made-up size.
    pub assumed: bool,
}

impl Value {
    /// The number of its own axes.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The value of a constant whole number.
    pub fn constant(&self) -> Option<i64> {
        self.affine.filter(|a| a.index.is_none()).map(|a| a.offset)
    }
}

/// The name of a node's axis while it is being rearranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// A loop index.
    Loop(LoopId),
    /// An own axis; numbers are local to the operation.
    Own(usize),
}
