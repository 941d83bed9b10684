//! What is to be compiled: for every quantity a solver asked for, the graph nodes of its outputs, and how the flat vectors of
//! the solver are laid over the graph's inputs.

use blo_runtime::derivatives::Quantity;
use blo_runtime::proximal::Proximal;

use crate::ir::graph::{InputId, NodeId};

/// The inputs behind the flat vectors: each vector is these inputs, flattened row-major, one after another.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Of `x`.
    pub upper: Vec<InputId>,
    /// Of `y`.
    pub lower: Vec<InputId>,
    /// Of a direction in the space of `x`.
    pub upper_direction: Vec<InputId>,
    /// Of a direction in the space of `y`.
    pub lower_direction: Vec<InputId>,
    /// Positions and weights of the terms that are taken of every sampled sum.
    pub batches: Vec<[InputId; 2]>,
    /// What the weights of the proximal part are weights of, where there is one.
    pub proximal: Option<Proximal>,
}

/// One entry point of a compiled program.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The quantity it evaluates.
    pub quantity: Quantity,
    /// Its output vectors in the order of [`Quantity`]'s description; each is the concatenation of flattened nodes.
    pub outputs: Vec<Vec<NodeId>>,
}
