//! Orders the work of one stage into steps, fusing what runs over the same iteration space into one nest: a value joins an
//! earlier nest when everything it reads was written before that nest, or is computed in it at the same point.

use rustc_hash::FxHashMap;

use super::choose::matrix_axes;
use super::expand::groups;
use super::fuse::{Builder, Leaf, Map, Source, cell, identity, leaves, row_major_access};
use super::view::{View, collapse, row_major, view};
use crate::ir::graph::{Attrs, Graph, NodeId};
use crate::ir::loops::{Access, BufferId, Cell, Dense, HostStep, Matrix, Place, Sparse};
use crate::ops::{Lowering, Reduction};
use crate::types::{Axes, Elem};

/// The most expressions and sinks of one nest.
const LARGEST: (usize, usize) = (96, 8);

/// A step under construction.
pub enum Item {
    /// A nest; with the axes its reductions remove, if it has any.
    Nest(Box<Builder>, Option<Axes>),
    /// A finished step.
    Host(HostStep),
}

/// Where nodes have their buffers, and how to make one.
pub trait Store {
    /// The place of a stored node.
    fn place(&self, id: NodeId) -> Place;
    /// A new buffer for a node.
    fn create(&mut self, id: NodeId, name: String, cell: Cell, len: usize) -> BufferId;
}

/// The steps of one stage.
pub struct Scheduler<'a> {
    g: &'a Graph,
    stored: &'a [bool],
    items: Vec<Item>,
    /// The last item that writes a node of this stage.
    writer: FxHashMap<NodeId, usize>,
}

impl<'a> Scheduler<'a> {
    /// An empty stage.
    pub fn new(g: &'a Graph, stored: &'a [bool]) -> Self {
        Scheduler { g, stored, items: Vec::new(), writer: FxHashMap::default() }
    }

    /// The steps.
    pub fn finish(self) -> Vec<Item> {
        self.items
    }

    /// Adds the steps that compute a stored node; its operands are done.
    pub fn add(&mut self, store: &mut dyn Store, id: NodeId) {
        let g = self.g;
        let node = g.node(id);
        let name = format!("{} %{}", node.op.0.name, id.0);
        let out = store.create(id, name, cell(node.ty.elem), node.ty.len());
        match node.op.0.lowering {
            Lowering::Reduce(r) => self.reduce(store, id, out, r),
            Lowering::Place => self.place(store, id, out),
            Lowering::Dot => self.dot(store, id, out),
            Lowering::Rows(name) => {
                let shape = g.shape(node.inputs[0]);
                let len = shape[shape.len() - 1];
                let rows = shape[..shape.len() - 1].iter().product();
                let x = self.contiguous(store, node.inputs[0]);
                self.host(id, HostStep::Rows { name, rows, len, x, out: start(out) });
            }
            Lowering::ArgSort => {
                let shape = g.shape(node.inputs[0]);
                let (&len, rows) = shape.split_last().unwrap_or((&1, &[]));
                let x = self.contiguous(store, node.inputs[0]);
                let sizes = [rows.iter().product(), len];
                self.host(id, HostStep::ArgSort { sizes, x, out: start(out) });
            }
            Lowering::Gather | Lowering::ScatterAdd => self.indexed(store, id, out),
            Lowering::Scan | Lowering::ArgReduce(_) => self.along(store, id, out),
            Lowering::Dense(kind) => self.dense(store, id, kind, out),
            Lowering::Sparse => self.sparse(store, id, out),
            _ => {
                let map = identity(node.ty.rank());
                let access = row_major_access(&node.ty.shape);
                let write = Write { node: id, out, access, reduce: None, axes: None };
                self.sink(store, id, true, &node.ty.shape.clone(), &map, write);
            }
        }
    }

    fn host(&mut self, id: NodeId, step: HostStep) {
        self.writer.insert(id, self.items.len());
        self.items.push(Item::Host(step));
    }

    fn view(&self, id: NodeId) -> View {
        match view(self.g, self.stored, id) {
            Some(v) => v,
            None => crate::bug!("node %{} has no buffer", id.0),
        }
    }

    fn contiguous(&self, store: &dyn Store, id: NodeId) -> Place {
        let v = self.view(id);
        let at = store.place(v.base);
        Place { buffer: at.buffer, offset: at.offset + v.offset }
    }

    /// Computes `root` (a stored node itself when `compute`) over `shape` and writes it, in an existing nest if possible.
    fn sink(
        &mut self,
        store: &dyn Store,
        root: NodeId,
        compute: bool,
        shape: &[usize],
        map: &Map,
        write: Write,
    ) {
        let index = self.find(root, compute, shape, map, &write.axes).unwrap_or(self.items.len());
        if index == self.items.len() {
            self.items.push(Item::Nest(Box::new(Builder::new(shape)), None));
        }
        let source = Source { g: self.g, stored: self.stored, place: &|id| store.place(id) };
        let Item::Nest(builder, axes) = &mut self.items[index] else {
            crate::bug!("a value joined a step that is no nest")
        };
        let value =
            if compute { builder.compute(&source, root, map) } else { builder.read(&source, root, map) };
        builder.store(value, write.out, write.access, write.reduce);
        if write.axes.is_some() {
            *axes = write.axes;
        }
        let last = self.writer.entry(write.node).or_insert(index);
        *last = (*last).max(index);
    }

    /// The first nest that the value can join.
    fn find(
        &self,
        root: NodeId,
        compute: bool,
        shape: &[usize],
        map: &Map,
        reduced: &Option<Axes>,
    ) -> Option<usize> {
        let reads = match view(self.g, self.stored, root) {
            Some(v) if !compute => vec![Leaf { node: v.base, map: (v.base == root).then(|| map.clone()) }],
            _ => leaves(self.g, self.stored, root, map),
        };
        let earliest = reads.iter().filter_map(|l| self.writer.get(&l.node)).max().copied().unwrap_or(0);
        (earliest..self.items.len()).take(64).find(|&i| {
            let Item::Nest(builder, axes) = &self.items[i] else { return false };
            let room = builder.len() <= LARGEST.0 && builder.sinks() < LARGEST.1;
            let same_space = builder.shape() == shape;
            let same_axes = reduced.is_none() || axes.is_none() || axes == reduced;
            // What this very nest writes may be used only where it is computed.
            let ready = reads.iter().all(|l| {
                self.writer.get(&l.node) != Some(&i) || l.map.as_ref().is_some_and(|m| builder.has(l.node, m))
            });
            room && same_space && same_axes && ready
        })
    }

    fn reduce(&mut self, store: &dyn Store, id: NodeId, out: BufferId, reduction: Reduction) {
        let node = self.g.node(id);
        let Attrs::Axes(axes) = &node.attrs else { crate::bug!("`{}` has no axes", node.op.0.name) };
        let x = node.inputs[0];
        let shape = self.g.shape(x).clone();
        let kept: Vec<usize> = (0..shape.len()).filter(|k| !axes.contains(k)).collect();
        let mut access = Access { offset: 0, strides: smallvec::SmallVec::from_elem(0, shape.len()) };
        let strides = row_major(&node.ty.shape);
        kept.iter().zip(&strides).for_each(|(&k, &s)| access.strides[k] = s);
        let write = Write { node: id, out, access, reduce: Some(reduction), axes: Some(axes.clone()) };
        self.sink(store, x, false, &shape, &identity(shape.len()), write);
    }

    /// `concat` and `pad`: every operand is written to its part; a pad is filled with zeros first.
    fn place(&mut self, store: &mut dyn Store, id: NodeId, out: BufferId) {
        let node = self.g.node(id);
        let strides = row_major(&node.ty.shape);
        let mut offset = 0;
        let axis = match &node.attrs {
            Attrs::Pad { before, .. } => {
                self.fill(out, node.ty.elem, node.ty.len());
                offset = before.iter().zip(&strides).map(|(b, s)| b * s).sum();
                None
            }
            Attrs::Axis(axis) => Some(*axis),
            _ => crate::bug!("`{}` has no axis", node.op.0.name),
        };
        for &x in &node.inputs {
            let shape = self.g.shape(x).clone();
            let access = Access { offset, strides: strides.clone() };
            let write = Write { node: id, out, access, reduce: None, axes: None };
            if axis.is_none() {
                // After the zeros: a nest of its own.
                let source = Source { g: self.g, stored: self.stored, place: &|id| store.place(id) };
                let mut builder = Builder::new(&shape);
                let value = builder.read(&source, x, &identity(shape.len()));
                builder.store(value, out, write.access, None);
                self.writer.insert(id, self.items.len());
                self.items.push(Item::Nest(Box::new(builder), None));
            } else {
                self.sink(store, x, false, &shape, &identity(shape.len()), write);
            }
            offset += axis.map_or(0, |a| shape[a] * strides[a]);
        }
    }

    fn fill(&mut self, out: BufferId, elem: Elem, len: usize) {
        let mut builder = Builder::new(&[len]);
        builder.zero(out, elem);
        self.items.push(Item::Nest(Box::new(builder), None));
    }

    fn dot(&mut self, store: &dyn Store, id: NodeId, out: BufferId) {
        let node = self.g.node(id);
        let groups = groups(self.g, id);
        let mut sizes = [1; 4];
        let operand = |x, groups| self.matrix(store, x, groups);
        let ([batch, free, sum], at) = operand(node.inputs[0], &groups.lhs);
        let lhs = Matrix { at, batch: batch.1, row: free.1, col: sum.1 };
        [sizes[0], sizes[1], sizes[3]] = [batch.0, free.0, sum.0];
        let ([batch, free, sum], at) = operand(node.inputs[1], &groups.rhs);
        let rhs = Matrix { at, batch: batch.1, row: sum.1, col: free.1 };
        sizes[2] = free.0;
        let cell = cell(node.ty.elem);
        self.host(
            id,
            HostStep::Gemm {
                cell,
                sizes,
                lhs,
                rhs,
                out: start(out),
                alpha: 1.0,
                accumulate: false,
                ahead: false,
            },
        );
    }

    /// Sizes and strides of an operand's groups of axes, and its place.
    fn matrix(&self, store: &dyn Store, x: NodeId, groups: &[Axes; 3]) -> ([(usize, usize); 3], Place) {
        let v = self.view(x);
        let at = store.place(v.base);
        let axis = |k: usize| match collapse(self.g.shape(x), &v.strides, &groups[k]) {
            Some(axis) => axis,
            None => crate::bug!("an operand of a product is not a matrix"),
        };
        ([axis(0), axis(1), axis(2)], Place { buffer: at.buffer, offset: at.offset + v.offset })
    }

    fn dense(&mut self, store: &dyn Store, id: NodeId, kind: Dense, out: BufferId) {
        let node = self.g.node(id);
        let (factor, x) = match *node.inputs {
            [factor, x] => (Some(self.contiguous(store, factor)), x),
            [x] => (None, x),
            _ => crate::bug!("`{}` has other operands", node.op.0.name),
        };
        let ([batch, rows, cols], at) = self.matrix(store, x, &matrix_axes(node.ty.rank()));
        let columns = if factor.is_some() { cols.0 } else { 0 };
        let step = HostStep::Dense {
            kind,
            sizes: [batch.0, rows.0, columns],
            transposed: matches!(node.attrs, Attrs::Transposed(true)),
            factor,
            x: Matrix { at, batch: batch.1, row: rows.1, col: cols.1 },
            out: start(out),
        };
        self.host(id, step);
    }

    fn sparse(&mut self, store: &dyn Store, id: NodeId, out: BufferId) {
        let node = self.g.node(id);
        let size = |k: usize| self.g.shape(node.inputs[k]);
        let at = |k: usize| self.contiguous(store, node.inputs[k]);
        let width = |k: usize| size(k)[1..].iter().product();
        let (kind, sizes, places, operands) = match node.attrs {
            Attrs::Sparse { columns, transposed } => {
                let kind = if transposed { Sparse::Transposed } else { Sparse::Product };
                (kind, [size(2)[0], columns, size(0)[0], width(4)], [at(1), at(2), at(3)], [at(0), at(4)])
            }
            _ => {
                let sizes = [size(1)[0], size(4)[0], size(0)[0], width(3)];
                (Sparse::Outer, sizes, [at(0), at(1), at(2)], [at(3), at(4)])
            }
        };
        self.host(id, HostStep::Sparse { kind, sizes, places, operands, out: start(out) });
    }

    fn indexed(&mut self, store: &dyn Store, id: NodeId, out: BufferId) {
        let node = self.g.node(id);
        let (x, index) = (node.inputs[0], node.inputs[1]);
        let (shape, indices) = (self.g.shape(x), self.g.shape(index));
        let (x_at, index_at) = (self.contiguous(store, x), self.contiguous(store, index));
        let count = |batch: usize| indices[batch..].iter().product::<usize>();
        let cell = cell(node.ty.elem);
        let out = start(out);
        let step = match node.attrs {
            Attrs::Gather { batch } => {
                let row = shape[batch + 1..].iter().product();
                let sizes = [shape[..batch].iter().product(), count(batch), shape[batch], row];
                HostStep::Gather { cell, sizes, x: x_at, index: index_at, out }
            }
            Attrs::Scatter { batch, size } => {
                let row = shape[indices.len()..].iter().product();
                let sizes = [shape[..batch].iter().product(), count(batch), size, row];
                HostStep::Scatter { cell, sizes, x: x_at, index: index_at, out }
            }
            _ => crate::bug!("`{}` has no batch", node.op.0.name),
        };
        self.host(id, step);
    }

    fn along(&mut self, store: &dyn Store, id: NodeId, out: BufferId) {
        let node = self.g.node(id);
        let x = node.inputs[0];
        let shape = self.g.shape(x);
        let around =
            |axis: usize| [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()];
        let at = self.contiguous(store, x);
        let cell = cell(self.g.ty(x).elem);
        let out = start(out);
        let step = match (&node.attrs, node.op.0.lowering) {
            (Attrs::Scan { axis, reverse }, _) => {
                HostStep::Scan { cell, sizes: around(*axis), reverse: *reverse, x: at, out }
            }
            (Attrs::Axis(axis), Lowering::ArgReduce(r)) => {
                HostStep::ArgReduce { cell, sizes: around(*axis), largest: r == Reduction::Max, x: at, out }
            }
            _ => crate::bug!("`{}` has no axis", node.op.0.name),
        };
        self.host(id, step);
    }
}

/// Where a value of a nest goes.
struct Write {
    node: NodeId,
    out: BufferId,
    access: Access,
    reduce: Option<Reduction>,
    axes: Option<Axes>,
}

fn start(buffer: BufferId) -> Place {
    Place { buffer, offset: 0 }
}
