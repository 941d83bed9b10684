//! Loops: what a program executes, before machine code. Buffers with places in memory, and per entry and stage a list of
//! steps: fused loop nests ([`Nest`]), and steps of the runtime such as matrix products. Made by `lower`, compiled by
//! `codegen`; the printer and the verifier are in the submodules.

mod print;
mod verify;

use blo_runtime::derivatives::Quantity;
pub use blo_runtime::program::spec::{BufferId, Cell, Dense, HostStep, Matrix, Place, Shift, Sparse, Width};
use smallvec::SmallVec;

use crate::ir::graph::InputId;
use crate::ops::{Instruction, Reduction};
use crate::types::Elem;

/// Elements of a tile: the unit in which nests with block kernels work.
pub const TILE: usize = 256;

/// Distance between tiles of scratch: equal positions of different tiles do not meet in the same cache set.
pub const TILE_STRIDE: usize = TILE + 24;

/// Elements of a reduction that are summed in vector accumulators before they join the total.
pub const CHUNK: usize = 4096;

/// Why a buffer exists.
#[derive(Clone, Debug, PartialEq)]
pub enum Home {
    /// Holds a data input.
    Data(InputId),
    /// Holds one of the solver's vectors: `x`, `y`, a direction in the space of `x`, of `y`.
    Vector(usize),
    /// Holds the positions (even) or weights (odd) of the terms of a sampled sum.
    Batch(usize),
    /// Holds a value for longer than one run of one stage.
    Kept,
    /// Holds a value within one run of one stage; its memory is shared with others that are not live at the same time.
    Passing,
    /// Tiles of intermediate values, shared by all nests.
    Scratch,
    /// Holds the rows of one tile of a [`Tiled`] step. It lies in a worker's own memory, of which every worker has one.
    Own,
}

/// A buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// Where its content comes from, for readers of the printed loops.
    pub name: String,
    /// What it holds.
    pub cell: Cell,
    /// How many cells.
    pub len: usize,
    /// Its first byte in the program's memory, or in a worker's own.
    pub byte: usize,
    /// Why it exists.
    pub home: Home,
}

/// Index of an expression in its [`Nest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExprId(pub u32);

/// A position as a function of the loop indices: `offset + Σ strides[k] · i_k`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// At the origin.
    pub offset: usize,
    /// By loop index.
    pub strides: SmallVec<[usize; 4]>,
}

impl Access {
    /// The largest position over an iteration space, which must not be empty.
    pub fn last(&self, extents: &[usize]) -> usize {
        self.offset + self.strides.iter().zip(extents).map(|(s, e)| s * (e - 1)).sum::<usize>()
    }
}

/// What a nest computes at each point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expr {
    /// A number, as the bits of an `f64`.
    Const(u64),
    /// A position, as a whole number.
    Index(Access),
    /// A cell of the nest's `k`-th buffer.
    Load(usize, Access),
    /// An instruction.
    Op(Instruction, SmallVec<[ExprId; 3]>),
    /// A block kernel, by name, on reals.
    Call(&'static str, SmallVec<[ExprId; 3]>),
}

impl Expr {
    /// The expressions it uses.
    pub fn operands(&self) -> &[ExprId] {
        match self {
            Expr::Op(_, args) | Expr::Call(_, args) => args,
            _ => &[],
        }
    }
}

/// Where a value goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sink {
    /// The value.
    pub value: ExprId,
    /// The position among the nest's buffers.
    pub arg: usize,
    /// The cell at each point; reductions have stride 0 along the axes they reduce.
    pub access: Access,
    /// How values that meet in a cell are combined; `None` if there is one.
    pub reduce: Option<Reduction>,
}

/// Loops over an iteration space around straight-line expressions. All axes are wanted in order, the last one innermost.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nest {
    /// Sizes of the axes; never empty.
    pub extents: Vec<usize>,
    /// Expressions with their element types, operands first.
    pub exprs: Vec<(Expr, Elem)>,
    /// Where values go.
    pub sinks: Vec<Sink>,
    /// Buffers, and what they hold; those of sinks occur in no load.
    pub args: Vec<(BufferId, Cell)>,
    /// How many tiles of reals it needs as scratch.
    pub tiles: usize,
}

impl Nest {
    /// The number of points.
    pub fn points(&self) -> usize {
        self.extents.iter().product()
    }

    /// Positions, among the arguments, that are written.
    pub fn written(&self) -> impl Iterator<Item = usize> + '_ {
        self.sinks.iter().map(|s| s.arg)
    }

    /// One past the last cell used of every argument.
    pub fn extents_of_args(&self) -> Vec<usize> {
        let mut extents = vec![0; self.args.len()];
        if self.points() > 0 {
            for (expr, _) in &self.exprs {
                if let Expr::Load(arg, access) = expr {
                    extents[*arg] = extents[*arg].max(access.last(&self.extents) + 1);
                }
            }
        }
        for sink in &self.sinks {
            extents[sink.arg] = extents[sink.arg].max(self.cells(sink));
        }
        extents
    }

    /// One past the last cell that a sink writes. A reduction over nothing still writes its result.
    pub fn cells(&self, sink: &Sink) -> usize {
        let reduced = |k: usize| sink.reduce.is_some() && sink.access.strides[k] == 0;
        let extents: Vec<usize> =
            self.extents.iter().enumerate().map(|(k, &e)| if reduced(k) { 1 } else { e }).collect();
        if extents.contains(&0) { 0 } else { sink.access.last(&extents) + 1 }
    }
}

/// Steps that run tile by tile along the samples, so that a tile of the data is read from memory once and stays in cache for
/// all of them.
///
/// The samples are cut into tiles, and the tiles into chunks of a fixed number, which threads may take in any order. Every step
/// is written for one tile; where it finds the rows of its tile is in `shifts`. Buffers without a shift are only read, or
/// are the worker's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Tiled {
    /// How many samples there are.
    pub rows: usize,
    /// Samples of a tile.
    pub tile: usize,
    /// Tiles of a chunk.
    pub chunk: usize,
    /// The steps of a whole tile.
    pub steps: Vec<Step>,
    /// The steps of the last tile where it is shorter; otherwise empty.
    pub rest: Vec<Step>,
    /// How far buffers move from tile to tile, or from chunk to chunk.
    pub shifts: Vec<(BufferId, Shift)>,
}

impl Tiled {
    /// The number of tiles.
    pub fn tiles(&self) -> usize {
        self.rows.div_ceil(self.tile)
    }

    /// The number of chunks.
    pub fn chunks(&self) -> usize {
        self.tiles().div_ceil(self.chunk)
    }

    /// The shift of a buffer, if it has one.
    pub fn shift(&self, id: BufferId) -> Option<Shift> {
        self.shifts.iter().find(|(b, _)| *b == id).map(|(_, shift)| *shift)
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Fused loops.
    Nest(Nest),
    /// Done by the runtime.
    Host(HostStep),
    /// Several, tile by tile.
    Tiled(Box<Tiled>),
}

impl Step {
    /// The buffers it names, as often as it does.
    pub fn buffers_mut(&mut self) -> Vec<&mut BufferId> {
        match self {
            Step::Nest(nest) => nest.args.iter_mut().map(|a| &mut a.0).collect(),
            Step::Host(host) => host.places_mut().into_iter().map(|p| &mut p.buffer).collect(),
            Step::Tiled(tiled) => {
                let inner = tiled.steps.iter_mut().chain(&mut tiled.rest).flat_map(Step::buffers_mut);
                inner.chain(tiled.shifts.iter_mut().map(|s| &mut s.0)).collect()
            }
        }
    }

    /// The steps of a tile, or the step itself.
    pub fn leaves(&self) -> impl Iterator<Item = &Step> {
        let (itself, inner) = match self {
            Step::Tiled(tiled) => (None, Some(tiled.steps.iter().chain(&tiled.rest))),
            _ => (Some(self), None),
        };
        itself.into_iter().chain(inner.into_iter().flatten())
    }

    /// The buffers it reads and does not write itself.
    pub fn reads(&self) -> Vec<BufferId> {
        match self {
            Step::Nest(nest) => {
                let written: Vec<usize> = nest.written().collect();
                (0..nest.args.len()).filter(|k| !written.contains(k)).map(|k| nest.args[k].0).collect()
            }
            Step::Host(host) => host.reads().into_iter().map(|(b, ..)| b).collect(),
            Step::Tiled(tiled) => {
                let writes = self.writes();
                let mut reads: Vec<BufferId> = tiled.steps.iter().flat_map(Step::reads).collect();
                reads.retain(|b| !writes.contains(b));
                reads.sort_unstable();
                reads.dedup();
                reads
            }
        }
    }

    /// The buffers it writes.
    pub fn writes(&self) -> Vec<BufferId> {
        match self {
            Step::Nest(nest) => nest.written().map(|k| nest.args[k].0).collect(),
            Step::Host(host) => vec![host.writes().0],
            Step::Tiled(tiled) => tiled.steps.iter().flat_map(Step::writes).collect(),
        }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct LoopEntry {
    /// What it evaluates.
    pub quantity: Quantity,
    /// Steps that depend on `x` alone, on `(x, y)`, and the rest. An entry without directions has no second stage: what
    /// depends on `y` is its rest.
    pub stages: [Vec<Step>; 3],
    /// The last two stages as one list, for when both must run, if there is data that they read together. It leaves behind what
    /// the last stage alone reads of the second, which never runs by itself and is empty then.
    pub joint: Option<Vec<Step>>,
    /// The pieces of every output vector: place and length.
    pub outputs: Vec<Vec<(Place, usize)>>,
}

/// A lowered program.
#[derive(Clone, Debug, PartialEq)]
pub struct Loops {
    /// The storage of reals.
    pub width: Width,
    /// All buffers.
    pub buffers: Vec<Buffer>,
    /// Bytes of memory for them, apart from those that are a worker's own.
    pub bytes: usize,
    /// Bytes of a worker's own memory.
    pub own_bytes: usize,
    /// The numbers of upper and lower coordinates.
    pub lens: [usize; 2],
    /// The buffer of block kernels' tiles, if any nest needs one; and a worker's own, for nests of [`Tiled`] steps.
    pub scratch: [Option<BufferId>; 2],
    /// Steps that depend on data alone.
    pub setup: Vec<Step>,
    /// The entries.
    pub entries: Vec<LoopEntry>,
}

impl Loops {
    /// A buffer.
    pub fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0 as usize]
    }

    /// All lists of steps, the setup first.
    pub fn lists(&self) -> impl Iterator<Item = &Vec<Step>> {
        std::iter::once(&self.setup).chain(self.entries.iter().flat_map(|e| e.stages.iter().chain(&e.joint)))
    }

    /// All lists of steps, to be changed.
    pub fn lists_mut(&mut self) -> impl Iterator<Item = &mut Vec<Step>> {
        let entries = self.entries.iter_mut().flat_map(|e| e.stages.iter_mut().chain(&mut e.joint));
        std::iter::once(&mut self.setup).chain(entries)
    }

    /// All nests and steps of the runtime, those inside of tiles among them.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.lists().flatten().flat_map(Step::leaves)
    }

    /// The buffer of one of the solver's vectors.
    pub fn vector(&self, which: usize) -> Option<BufferId> {
        self.home(&Home::Vector(which))
    }

    /// For every sampled sum the buffers of positions and weights of its terms.
    pub fn batches(&self) -> Vec<[Option<BufferId>; 2]> {
        let last =
            self.buffers.iter().filter_map(|b| if let Home::Batch(k) = b.home { Some(k) } else { None });
        let sums = last.max().map_or(0, |k| k / 2 + 1);
        (0..sums).map(|k| [0, 1].map(|which| self.home(&Home::Batch(2 * k + which)))).collect()
    }

    /// The buffer with this home, of those that have one for themselves.
    pub fn home(&self, home: &Home) -> Option<BufferId> {
        let position = self.buffers.iter().position(|b| b.home == *home);
        position.map(|i| BufferId(i as u32))
    }

    /// The first broken invariant, in words; see the module `verify` for the list.
    pub fn verify(&self) -> Result<(), String> {
        verify::verify(self)
    }
}
