//! Builds a nest: reads nodes at positions that are functions of the loop indices, folding views into the positions and
//! elementwise operators into the expressions, down to nodes with buffers.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::choose::splits;
use super::view::{is_view, row_major, view};
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::ir::loops::{Access, BufferId, Cell, Expr, ExprId, Nest, Place, Sink};
use crate::ops::Lowering;
use crate::types::Elem;

/// The index along one axis of a node: `offset + Σ factor · i_axis`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Index {
    offset: usize,
    terms: SmallVec<[(usize, usize); 2]>,
}

/// Indices for all axes of a node.
pub type Map = SmallVec<[Index; 4]>;

/// The map of a node whose axes are the loops.
pub fn identity(rank: usize) -> Map {
    (0..rank).map(|k| Index { offset: 0, terms: SmallVec::from_slice(&[(k, 1)]) }).collect()
}

/// The position under `map` for strides and an offset of the node's own axes.
pub fn position(map: &Map, offset: usize, strides: &[usize], rank: usize) -> Access {
    let mut access = Access { offset, strides: SmallVec::from_elem(0, rank) };
    for (index, &stride) in map.iter().zip(strides) {
        access.offset += index.offset * stride;
        for &(axis, factor) in &index.terms {
            access.strides[axis] += factor * stride;
        }
    }
    access
}

/// The map of the operand of a view that is not stored.
fn through(g: &Graph, id: NodeId, map: &Map) -> Map {
    let node = g.node(id);
    let from = g.shape(node.inputs[0]);
    match &node.attrs {
        Attrs::Broadcast { map: to, .. } => to.iter().map(|&k| map[k].clone()).collect(),
        Attrs::Permutation(perm) => {
            let mut old = map.clone();
            perm.iter().enumerate().for_each(|(k, &p)| old[p] = map[k].clone());
            old
        }
        Attrs::Slice { start, .. } => {
            let shift = |(i, s): (&Index, &usize)| Index { offset: i.offset + s, terms: i.terms.clone() };
            map.iter().zip(start).map(shift).collect()
        }
        Attrs::Shape(to) => {
            let Some(parts) = splits(from, to) else { crate::bug!("a reshape that merges axes was fused") };
            parts.iter().map(|axes| merged(map, to, axes)).collect()
        }
        _ => map.clone(),
    }
}

/// The index along an axis that is split into several.
fn merged(map: &Map, shape: &[usize], axes: &[usize]) -> Index {
    let mut index = Index { offset: 0, terms: SmallVec::new() };
    let mut factor = 1;
    for &k in axes.iter().rev() {
        index.offset += map[k].offset * factor;
        index.terms.extend(map[k].terms.iter().map(|&(axis, f)| (axis, f * factor)));
        factor *= shape[k];
    }
    index
}

/// What a fused read ends in: a stored node and the map it is read at, or the base of a view.
pub struct Leaf {
    /// The stored node.
    pub node: NodeId,
    /// Whether it is read directly (not through a view), and at which indices.
    pub map: Option<Map>,
}

/// The stored nodes that computing `id` at `map` reads.
pub fn leaves(g: &Graph, stored: &[bool], id: NodeId, map: &Map) -> Vec<Leaf> {
    let mut found = Vec::new();
    let mut seen = rustc_hash::FxHashSet::default();
    let mut stack: Vec<(NodeId, Map)> = operands(g, id, map);
    while let Some((id, map)) = stack.pop() {
        if !seen.insert((id, map.clone())) {
            continue;
        }
        if stored[id.0 as usize] {
            found.push(Leaf { node: id, map: Some(map) });
        } else if let Some(v) = view(g, stored, id) {
            found.push(Leaf { node: v.base, map: None });
        } else {
            stack.extend(operands(g, id, &map));
        }
    }
    found
}

fn operands(g: &Graph, id: NodeId, map: &Map) -> Vec<(NodeId, Map)> {
    let inputs = &g.node(id).inputs;
    if is_view(g, id) {
        return vec![(inputs[0], through(g, id, map))];
    }
    inputs.iter().map(|&i| (i, map.clone())).collect()
}

/// A nest under construction. Its axes are those of one shape; they are merged only when it is finished.
pub struct Builder {
    shape: SmallVec<[usize; 4]>,
    exprs: Vec<(Expr, Elem)>,
    unique: FxHashMap<(Expr, Elem), ExprId>,
    values: FxHashMap<(NodeId, Map), ExprId>,
    args: Vec<(BufferId, Cell)>,
    sinks: Vec<Sink>,
}

/// What a builder needs to know to read nodes.
pub struct Source<'a> {
    /// The graph.
    pub g: &'a Graph,
    /// Which nodes have buffers.
    pub stored: &'a [bool],
    /// Where.
    pub place: &'a dyn Fn(NodeId) -> Place,
}

impl Builder {
    /// A nest over `shape`.
    pub fn new(shape: &[usize]) -> Self {
        Builder {
            shape: SmallVec::from_slice(shape),
            exprs: Vec::new(),
            unique: FxHashMap::default(),
            values: FxHashMap::default(),
            args: Vec::new(),
            sinks: Vec::new(),
        }
    }

    /// The iteration space.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of expressions so far.
    pub fn len(&self) -> usize {
        self.exprs.len()
    }

    /// The number of sinks so far.
    pub fn sinks(&self) -> usize {
        self.sinks.len()
    }

    /// Whether a node's value at these indices is computed here.
    pub fn has(&self, id: NodeId, map: &Map) -> bool {
        self.values.contains_key(&(id, map.clone()))
    }

    fn push(&mut self, expr: Expr, elem: Elem) -> ExprId {
        let next = ExprId(self.exprs.len() as u32);
        let id = *self.unique.entry((expr.clone(), elem)).or_insert(next);
        if id == next {
            self.exprs.push((expr, elem));
        }
        id
    }

    fn arg(&mut self, buffer: BufferId, elem: Elem) -> usize {
        let cell = cell(elem);
        let found = self.args.iter().position(|a| a.0 == buffer);
        found.unwrap_or_else(|| {
            self.args.push((buffer, cell));
            self.args.len() - 1
        })
    }

    fn load(&mut self, at: Place, access: Access, elem: Elem) -> ExprId {
        let arg = self.arg(at.buffer, elem);
        self.push(Expr::Load(arg, Access { offset: access.offset + at.offset, ..access }), elem)
    }

    /// The value of a node at `map`, loaded if it is stored elsewhere.
    pub fn read(&mut self, s: &Source<'_>, id: NodeId, map: &Map) -> ExprId {
        if let Some(&e) = self.values.get(&(id, map.clone())) {
            return e;
        }
        let expr = match view(s.g, s.stored, id) {
            Some(v) => {
                let access = position(map, v.offset, &v.strides, self.shape.len());
                self.load((s.place)(v.base), access, s.g.ty(id).elem)
            }
            None => return self.compute(s, id, map),
        };
        self.values.insert((id, map.clone()), expr);
        expr
    }

    /// The value of a node at `map`, computed from its operands even if it has a buffer.
    pub fn compute(&mut self, s: &Source<'_>, id: NodeId, map: &Map) -> ExprId {
        let node = s.g.node(id);
        let elem = node.ty.elem;
        let expr = match (node.op.0.lowering, &node.attrs) {
            (Lowering::Constant, Attrs::Constant { bits, .. }) => self.push(Expr::Const(*bits), elem),
            (Lowering::Iota, _) => self.push(Expr::Index(position(map, 0, &[1], self.shape.len())), elem),
            (Lowering::View, _) => self.read(s, node.inputs[0], &through(s.g, id, map)),
            (Lowering::Instruction(op), _) => {
                let args = node.inputs.iter().map(|&i| self.read(s, i, map)).collect();
                self.push(Expr::Op(op, args), elem)
            }
            (Lowering::Kernel(name), _) => {
                let args = node.inputs.iter().map(|&i| self.read(s, i, map)).collect();
                self.push(Expr::Call(name, args), elem)
            }
            _ => crate::bug!("`{}` cannot be computed inside a nest", node.op.0.name),
        };
        self.values.insert((id, map.clone()), expr);
        expr
    }

    /// Stores a value into a buffer, at the positions of a row-major array with an axis per loop.
    pub fn store(
        &mut self,
        value: ExprId,
        buffer: BufferId,
        access: Access,
        reduce: Option<crate::ops::Reduction>,
    ) {
        let arg = self.arg(buffer, self.exprs[value.0 as usize].1);
        self.sinks.push(Sink { value, arg, access, reduce });
    }

    /// Stores zeros everywhere in a buffer with one cell per point.
    pub fn zero(&mut self, buffer: BufferId, elem: Elem) {
        let value = self.push(Expr::Const(0.0f64.to_bits()), elem);
        let access = row_major_access(&self.shape);
        self.store(value, buffer, access, None);
    }

    /// Drops the stores into buffers that nothing reads, and what was computed for them alone; true if something is left.
    pub fn keep(&mut self, wanted: &dyn Fn(BufferId) -> bool) -> bool {
        let args = std::mem::take(&mut self.args);
        self.sinks.retain(|s| wanted(args[s.arg].0));
        let mut live = vec![false; self.exprs.len()];
        self.sinks.iter().for_each(|s| live[s.value.0 as usize] = true);
        for k in (0..self.exprs.len()).rev() {
            if live[k] {
                self.exprs[k].0.operands().iter().for_each(|o| live[o.0 as usize] = true);
            }
        }
        let mut new = vec![ExprId(0); self.exprs.len()];
        let exprs = std::mem::take(&mut self.exprs);
        for (k, (mut expr, elem)) in exprs.into_iter().enumerate().filter(|(k, _)| live[*k]) {
            match &mut expr {
                Expr::Load(arg, _) => *arg = self.arg(args[*arg].0, elem),
                Expr::Op(_, ops) | Expr::Call(_, ops) => ops.iter_mut().for_each(|o| *o = new[o.0 as usize]),
                _ => {}
            }
            new[k] = ExprId(self.exprs.len() as u32);
            self.exprs.push((expr, elem));
        }
        for i in 0..self.sinks.len() {
            let value = new[self.sinks[i].value.0 as usize];
            let arg = self.arg(args[self.sinks[i].arg].0, self.exprs[value.0 as usize].1);
            self.sinks[i] = Sink { value, arg, ..self.sinks[i].clone() };
        }
        !self.sinks.is_empty()
    }

    /// The finished nest, with neighbouring axes merged where every access allows it.
    pub fn finish(self) -> Nest {
        let Builder { shape, mut exprs, mut sinks, args, .. } = self;
        let mut extents = shape.to_vec();
        let empty = extents.contains(&0);
        let mut accesses: Vec<&mut Access> = Vec::new();
        for (e, _) in &mut exprs {
            if let Expr::Load(_, a) | Expr::Index(a) = e {
                accesses.push(a);
            }
        }
        accesses.extend(sinks.iter_mut().map(|s| &mut s.access));
        let mut k = 0;
        while k < extents.len() && !empty {
            if extents[k] == 1 {
                extents.remove(k);
                accesses.iter_mut().for_each(|a| _ = a.strides.remove(k));
            } else if k > 0 && accesses.iter().all(|a| a.strides[k - 1] == a.strides[k] * extents[k]) {
                extents[k - 1] *= extents[k];
                extents.remove(k);
                accesses.iter_mut().for_each(|a| _ = a.strides.remove(k - 1));
            } else {
                k += 1;
            }
        }
        if extents.is_empty() {
            extents.push(1);
            accesses.iter_mut().for_each(|a| a.strides.push(0));
        }
        let tiles = exprs.iter().map(|(e, _)| if let Expr::Call(_, a) = e { 1 + a.len() } else { 0 }).sum();
        Nest { extents, exprs, sinks, args, tiles }
    }
}

/// What a buffer of these elements holds.
pub fn cell(elem: Elem) -> Cell {
    if elem == Elem::Real { Cell::Real } else { Cell::Int }
}

/// The access of a row-major array over a nest's own axes.
pub fn row_major_access(shape: &[usize]) -> Access {
    Access { offset: 0, strides: row_major(shape) }
}
