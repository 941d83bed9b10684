//! A hash-consed graph of typed, shaped tensor expressions. Nodes are immutable and only ever appended, so an operand
//! always has a smaller id than its user, and equal expressions are one node (common subexpressions are shared by construction).

use std::hash::{Hash, Hasher};

use blo_grammar::span::Span;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::ops::Operator;
use crate::types::{Axes, Elem, Shape, Type};

/// Index of a node in its [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// Index of an input in its [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InputId(pub u32);

/// A reference to an operator record; records are statics, so identity is equality.
#[derive(Clone, Copy)]
pub struct OpRef(pub &'static Operator);

impl PartialEq for OpRef {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}
impl Eq for OpRef {}
impl Hash for OpRef {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}
impl std::fmt::Debug for OpRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

/// The static parameters of a node. Which variant an operator takes is stated in its record's definition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Attrs {
    /// No parameters.
    None,
    /// `input`: which one.
    Input(InputId),
    /// `constant`: a scalar, as the bits of an `f64` (whole numbers and truth values are stored as numbers too).
    Constant {
        /// `f64::to_bits` of the value.
        bits: u64,
        /// The element type.
        elem: Elem,
    },
    /// `iota`: the int array `0, 1, …, len - 1`.
    Iota {
        /// Its length.
        len: usize,
    },
    /// Reductions: the axes that disappear, ascending.
    Axes(Axes),
    /// Operators along one axis that stays or, for `argmax`/`argmin`, disappears.
    Axis(usize),
    /// `cumsum`: along `axis`, from the end when `reverse`.
    Scan {
        /// The axis.
        axis: usize,
        /// From the last element to the first.
        reverse: bool,
    },
    /// `transpose`: result axis `k` is operand axis `perm[k]`.
    Permutation(Axes),
    /// `broadcast`: operand axis `k` becomes result axis `map[k]` (ascending) with the same size; other result axes repeat.
    Broadcast {
        /// Result sizes.
        shape: Shape,
        /// Where each operand axis goes.
        map: Axes,
    },
    /// `reshape`: the result sizes.
    Shape(Shape),
    /// `slice`: `start[k]..end[k]` of every axis.
    Slice {
        /// First position per axis.
        start: Axes,
        /// One past the last position per axis.
        end: Axes,
    },
    /// `pad`: zeros put before and after every axis; the adjoint of `slice`.
    Pad {
        /// How many before, per axis.
        before: Axes,
        /// How many after, per axis.
        after: Axes,
    },
    /// `dot`: contraction. Result axes: batch, then free axes of the left, then free axes of the right, each in operand order.
    Dot(Box<DotAxes>),
    /// `gather`: operand `B ++ [K] ++ R`, int indices `B ++ I`, result `B ++ I ++ R`; `B` is the first `batch` axes.
    Gather {
        /// How many leading axes operand and indices share.
        batch: usize,
    },
    /// `scatter_add`: updates `B ++ I ++ R`, int indices `B ++ I`, result `B ++ [size] ++ R`; the adjoint of `gather`.
    Scatter {
        /// How many leading axes updates and indices share.
        batch: usize,
        /// Length of the new axis.
        size: usize,
    },
    /// `solve` and its relatives: whether with the transpose.
    Transposed(bool),
    /// `cast`: the new element type.
    Cast(Elem),
    /// `sparse` and `sparse_dot`: the matrix has this many columns; whether the product is with its transpose.
    Sparse {
        /// The number of columns.
        columns: usize,
        /// With the transpose.
        transposed: bool,
    },
}

/// The axes of a contraction: `batch` and `contract` pair an axis of the left with one of the right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DotAxes {
    /// Paired axes that stay and lead the result: `(left, right)`.
    pub batch: SmallVec<[(usize, usize); 2]>,
    /// Paired axes that are summed over: `(left, right)`.
    pub contract: SmallVec<[(usize, usize); 2]>,
}

/// What an input stands for. The order is the order of staging: a node belongs to the latest of its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Data, parameters and literals: fixed for the whole run.
    Data,
    /// Which terms of a sampled sum are taken, and how they are weighted: known before every evaluation.
    Batch,
    /// An upper variable: fixed while the lower level is solved.
    Upper,
    /// A lower variable.
    Lower,
    /// A multiplier of a lower constraint. To what is compiled it is one more lower variable.
    Multiplier,
    /// A direction in the space of the upper variables (for second-order products).
    UpperDirection,
    /// A direction in the space of the lower variables.
    LowerDirection,
}

/// One input of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The name in the model; directions carry their variable's name.
    pub name: String,
    /// What it stands for.
    pub role: Role,
    /// Its type.
    pub ty: Type,
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The operator.
    pub op: OpRef,
    /// Its static parameters.
    pub attrs: Attrs,
    /// Operands.
    pub inputs: SmallVec<[NodeId; 3]>,
    /// The type, by the operator's shape rule.
    pub ty: Type,
    /// The latest role among the inputs it depends on; [`Role::Data`] for constants.
    pub stage: Role,
    /// The source expression this node came from, first writer wins. Not part of its identity.
    pub span: Option<Span>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key(OpRef, Attrs, SmallVec<[NodeId; 3]>);

/// The graph.
#[derive(Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    inputs: Vec<Input>,
    unique: FxHashMap<Key, NodeId>,
    span: Option<Span>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the source expression that nodes added from now on come from; returns the previous one.
    pub fn set_span(&mut self, span: Option<Span>) -> Option<Span> {
        std::mem::replace(&mut self.span, span)
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// A node's type.
    pub fn ty(&self, id: NodeId) -> &Type {
        &self.node(id).ty
    }

    /// A node's sizes.
    pub fn shape(&self, id: NodeId) -> &Shape {
        &self.node(id).ty.shape
    }

    /// Whether the node is an application of `op`.
    pub fn is(&self, id: NodeId, op: &'static Operator) -> bool {
        self.node(id).op == OpRef(op)
    }

    /// All nodes in order of creation, operands first.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(i, n)| (NodeId(i as u32), n))
    }

    /// The inputs.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// One input.
    pub fn input_info(&self, id: InputId) -> &Input {
        &self.inputs[id.0 as usize]
    }

    /// Declares an input and returns the node that reads it.
    pub fn add_input(&mut self, name: impl Into<String>, role: Role, ty: Type) -> (InputId, NodeId) {
        let id = InputId(self.inputs.len() as u32);
        self.inputs.push(Input { name: name.into(), role, ty });
        (id, self.apply(&crate::ops::INPUT, Attrs::Input(id), &[]))
    }

    /// Adds (or finds) the application of an operator.
    ///
    /// The operands must satisfy the operator's shape rule: the checker has looked at everything a user wrote, so a
    /// violation here is a bug in blo and stops the program.
    pub fn apply(&mut self, op: &'static Operator, attrs: Attrs, inputs: &[NodeId]) -> NodeId {
        let key = Key(OpRef(op), attrs, SmallVec::from_slice(inputs));
        if let Some(&id) = self.unique.get(&key) {
            return id;
        }
        let ty = match &key.1 {
            Attrs::Input(id) => self.inputs[id.0 as usize].ty.clone(),
            attrs => {
                let operands: SmallVec<[&Type; 3]> = inputs.iter().map(|&i| self.ty(i)).collect();
                match (op.shape)(attrs, &operands) {
                    Ok(ty) => ty,
                    Err(why) => {
                        crate::bug!("`{}` cannot be applied to {operands:?} with {attrs:?}: {why}", op.name)
                    }
                }
            }
        };
        let stage = match &key.1 {
            Attrs::Input(id) => self.inputs[id.0 as usize].role,
            _ => inputs.iter().map(|&i| self.node(i).stage).max().unwrap_or(Role::Data),
        };
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node {
            op: OpRef(op),
            attrs: key.1.clone(),
            inputs: key.2.clone(),
            ty,
            stage,
            span: self.span,
        });
        self.unique.insert(key, id);
        id
    }

    /// The nodes that `roots` depend on, operands first, without duplicates.
    pub fn reachable(&self, roots: &[NodeId]) -> Vec<NodeId> {
        let mut seen = vec![false; self.nodes.len()];
        let mut stack: Vec<NodeId> = roots.to_vec();
        while let Some(id) = stack.pop() {
            if !std::mem::replace(&mut seen[id.0 as usize], true) {
                stack.extend(self.node(id).inputs.iter().copied());
            }
        }
        (0..self.nodes.len()).filter(|&i| seen[i]).map(|i| NodeId(i as u32)).collect()
    }
}
