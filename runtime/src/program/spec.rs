//! A compiled program as plain data: where buffers lie, which steps run at which stage, what an entry returns. Made by the
//! compiler, turned into a runnable plan (and checked) by [`super::Program::new`].

use std::borrow::Cow;

pub use blo_kernels::dense::Dense;
pub use blo_kernels::sparse::Sparse;

use crate::derivatives::Quantity;
use crate::kernel::Kernel;
use crate::kernel::direct::Direct;

/// Index of a buffer of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub u32);

/// What a buffer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cell {
    /// Reals in the program's precision.
    Real,
    /// Whole numbers and truth values (0 and 1) as `i64`.
    Int,
}

/// The storage of reals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// 32-bit.
    Single,
    /// 64-bit.
    Double,
}

impl Width {
    /// Bytes of one cell.
    pub fn bytes(self, cell: Cell) -> usize {
        match (self, cell) {
            (Width::Single, Cell::Real) => 4,
            _ => 8,
        }
    }
}

/// A buffer: `len` cells from byte `byte` of the program's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferSpec {
    /// What it holds.
    pub cell: Cell,
    /// How many cells.
    pub len: usize,
    /// The first byte.
    pub byte: usize,
    /// Whether it lies in a worker's own memory rather than in the program's.
    pub own: bool,
}

/// How far a buffer moves, in cells, from tile to tile or from chunk to chunk of a tiled step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shift {
    /// From tile to tile.
    Tile(usize),
    /// From chunk to chunk.
    Chunk(usize),
}

/// A position in a buffer, in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The buffer.
    pub buffer: BufferId,
    /// The first cell.
    pub offset: usize,
}

/// An operand of a product: where it starts, and how far apart neighbours along batch, rows and columns are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Matrix {
    /// The first element.
    pub at: Place,
    /// Distance between matrices of the batch.
    pub batch: usize,
    /// Distance between rows.
    pub row: usize,
    /// Distance between columns.
    pub col: usize,
}

impl Matrix {
    /// One past the last cell that is read.
    pub fn extent(&self, batch: usize, rows: usize, cols: usize) -> usize {
        if batch * rows * cols == 0 {
            return self.at.offset;
        }
        self.at.offset + (batch - 1) * self.batch + (rows - 1) * self.row + (cols - 1) * self.col + 1
    }
}

/// A step done by the runtime itself rather than by compiled code.
#[derive(Clone, Debug, PartialEq)]
pub enum HostStep {
    /// `out[b] = alpha · lhs[b] · rhs[b]`; `lhs`: batch × m × k, `rhs`: batch × k × n, `out`: batch × m × n, row-major.
    Gemm {
        /// Of all three.
        cell: Cell,
        /// Sizes: batch, m, n, k.
        sizes: [usize; 4],
        /// Left operand.
        lhs: Matrix,
        /// Right operand.
        rhs: Matrix,
        /// Result.
        out: Place,
        /// Factor (reals only).
        alpha: f64,
        /// Inside of a tiled step: whether the product is added to that of the chunk's tiles before.
        accumulate: bool,
        /// Inside of a tiled step: whether the rows of the next tile, which follow in memory, are fetched by this product if it
        /// accumulates, and are there already if it does not.
        ahead: bool,
    },
    /// A function of every row: `softmax`, `log_softmax` (rows × len), `logsumexp` (rows).
    Rows {
        /// Which.
        name: &'static str,
        /// How many rows.
        rows: usize,
        /// Their length.
        len: usize,
        /// rows × len.
        x: Place,
        /// The result.
        out: Place,
    },
    /// `out[b, i, ·] = x[b, index[b, i], ·]`; reals are NaN and whole numbers 0 where the index is out of range.
    Gather {
        /// Of `x` and `out`.
        cell: Cell,
        /// Sizes: batch, indices, rows of `x`, row length.
        sizes: [usize; 4],
        /// batch × rows × row length.
        x: Place,
        /// batch × indices, whole numbers.
        index: Place,
        /// batch × indices × row length.
        out: Place,
    },
    /// `out = 0`, then `out[b, index[b, i], ·] += x[b, i, ·]` in order; indices out of range add nothing.
    Scatter {
        /// Of `x` and `out`.
        cell: Cell,
        /// Sizes: batch, indices, rows of `out`, row length.
        sizes: [usize; 4],
        /// batch × indices × row length.
        x: Place,
        /// batch × indices, whole numbers.
        index: Place,
        /// batch × rows × row length.
        out: Place,
    },
    /// Running sum along the middle axis.
    Scan {
        /// Of `x` and `out`.
        cell: Cell,
        /// Sizes: outer, len, inner.
        sizes: [usize; 3],
        /// From the last to the first.
        reverse: bool,
        /// The operand.
        x: Place,
        /// The result, of the same sizes.
        out: Place,
    },
    /// Position of the first extreme value along the middle axis; NaN is passed over.
    ArgReduce {
        /// Of `x`.
        cell: Cell,
        /// Sizes: outer, len, inner.
        sizes: [usize; 3],
        /// The largest rather than the smallest.
        largest: bool,
        /// The operand.
        x: Place,
        /// outer × inner, whole numbers.
        out: Place,
    },
    /// The order of every row: positions of its elements from the smallest to the largest, equal ones as they stand, NaN last.
    ArgSort {
        /// Sizes: rows, length.
        sizes: [usize; 2],
        /// rows × length, reals.
        x: Place,
        /// rows × length, whole numbers.
        out: Place,
    },
    /// Dense linear algebra on every n × n matrix of a batch; reals. See [`Dense`] for what is read and written.
    Dense {
        /// Which.
        kind: Dense,
        /// Sizes: batch, n, and the columns of the right-hand side (0 for a factorisation).
        sizes: [usize; 3],
        /// Solves with the transpose.
        transposed: bool,
        /// batch × the packed factors or the triangular matrix, row-major; `None` for a factorisation.
        factor: Option<Place>,
        /// The matrices to factorise (n × n), or the right-hand sides (n × columns).
        x: Matrix,
        /// The results, row-major.
        out: Place,
    },
    /// A product with a sparse matrix; see [`Sparse`] and [`blo_kernels::sparse`].
    Sparse {
        /// Which.
        kind: Sparse,
        /// Sizes: rows, columns, nonzeros, and the width of dense rows.
        sizes: [usize; 4],
        /// The column of every nonzero, and the first and one past the last nonzero of every row; whole numbers.
        places: [Place; 3],
        /// The other two operands; reals.
        operands: [Place; 2],
        /// The result.
        out: Place,
    },
}

impl HostStep {
    /// What is read: place, cell, and one past the last cell.
    pub fn reads(&self) -> Vec<(BufferId, Cell, usize)> {
        let at = |p: &Place, cell, len: usize| (p.buffer, cell, p.offset + len);
        match self {
            HostStep::Gemm { cell, sizes: [b, m, n, k], lhs, rhs, .. } => {
                vec![
                    (lhs.at.buffer, *cell, lhs.extent(*b, *m, *k)),
                    (rhs.at.buffer, *cell, rhs.extent(*b, *k, *n)),
                ]
            }
            HostStep::Rows { rows, len, x, .. } | HostStep::ArgSort { sizes: [rows, len], x, .. } => {
                vec![at(x, Cell::Real, rows * len)]
            }
            HostStep::Gather { cell, sizes: [b, i, n, r], x, index, .. } => {
                vec![at(x, *cell, b * n * r), at(index, Cell::Int, b * i)]
            }
            HostStep::Scatter { cell, sizes: [b, i, _, r], x, index, .. } => {
                vec![at(x, *cell, b * i * r), at(index, Cell::Int, b * i)]
            }
            HostStep::Scan { cell, sizes, x, .. } | HostStep::ArgReduce { cell, sizes, x, .. } => {
                vec![at(x, *cell, sizes.iter().product())]
            }
            HostStep::Dense { kind, sizes: [b, n, k], factor, x, .. } => {
                let cols = if factor.is_some() { *k } else { *n };
                let factor = factor.iter().map(|f| at(f, Cell::Real, b * kind.factor_cells(*n)));
                factor.chain([(x.at.buffer, Cell::Real, x.extent(*b, *n, cols))]).collect()
            }
            HostStep::Sparse { kind, sizes, places, operands, .. } => {
                let [rows, _, nonzeros, _] = *sizes;
                let ints = places.iter().zip([nonzeros, rows, rows]).map(|(p, len)| at(p, Cell::Int, len));
                let lens = kind.lens(*sizes).0;
                ints.chain(operands.iter().zip(lens).map(|(p, len)| at(p, Cell::Real, len))).collect()
            }
        }
    }

    /// All places it names.
    pub fn places_mut(&mut self) -> Vec<&mut Place> {
        match self {
            HostStep::Gemm { lhs, rhs, out, .. } => vec![&mut lhs.at, &mut rhs.at, out],
            HostStep::Gather { x, index, out, .. } | HostStep::Scatter { x, index, out, .. } => {
                vec![x, index, out]
            }
            HostStep::Rows { x, out, .. }
            | HostStep::Scan { x, out, .. }
            | HostStep::ArgReduce { x, out, .. }
            | HostStep::ArgSort { x, out, .. } => {
                vec![x, out]
            }
            HostStep::Dense { factor, x, out, .. } => factor.iter_mut().chain([&mut x.at, out]).collect(),
            HostStep::Sparse { places, operands, out, .. } => {
                places.iter_mut().chain(operands).chain([out]).collect()
            }
        }
    }

    /// What is written: place, cell, and one past the last cell.
    pub fn writes(&self) -> (BufferId, Cell, usize) {
        let (out, cell, len) = match self {
            HostStep::Gemm { cell, sizes: [b, m, n, _], out, .. } => (out, *cell, b * m * n),
            HostStep::Rows { name, rows, len, out, .. } => {
                (out, Cell::Real, if *name == "logsumexp" { *rows } else { rows * len })
            }
            HostStep::Gather { cell, sizes: [b, i, _, r], out, .. } => (out, *cell, b * i * r),
            HostStep::Scatter { cell, sizes: [b, _, n, r], out, .. } => (out, *cell, b * n * r),
            HostStep::Scan { cell, sizes, out, .. } => (out, *cell, sizes.iter().product()),
            HostStep::ArgReduce { sizes: [o, _, i], out, .. } => (out, Cell::Int, o * i),
            HostStep::ArgSort { sizes: [rows, len], out, .. } => (out, Cell::Int, rows * len),
            HostStep::Dense { kind, sizes: [b, n, k], out, .. } => (out, Cell::Real, b * kind.cells(*n, *k)),
            HostStep::Sparse { kind, sizes, out, .. } => (out, Cell::Real, kind.lens(*sizes).1),
        };
        (out.buffer, cell, out.offset + len)
    }
}

/// One step of a program.
#[derive(Clone)]
pub enum StepSpec {
    /// A compiled kernel and its buffers.
    Kernel(Kernel, Vec<BufferId>),
    /// A step of the runtime.
    Host(HostStep),
    /// Steps that run tile by tile.
    Tiled(TiledSpec),
}

/// Steps that run tile by tile along the samples; see `Tiled` of the compiler's loops.
#[derive(Clone)]
pub struct TiledSpec {
    /// How many whole tiles there are.
    pub whole: usize,
    /// Tiles of a chunk.
    pub chunk: usize,
    /// The steps of a whole tile.
    pub steps: Vec<StepSpec>,
    /// The steps of a last, shorter tile; empty if there is none.
    pub rest: Vec<StepSpec>,
    /// How buffers move; those that do not are only read, or a worker's own.
    pub shifts: Vec<(BufferId, Shift)>,
}

/// An entry compiled whole; see [`Direct`].
#[derive(Clone)]
pub struct DirectSpec {
    /// All of it.
    pub whole: Direct,
    /// Without its first output, for callers that do not use the value; where that saves something.
    pub slim: Option<Direct>,
    /// Whether it takes part in staging. If not, all stages run in every call.
    pub staged: bool,
}

/// One entry: what is computed for a quantity.
#[derive(Clone)]
pub struct EntrySpec {
    /// The quantity.
    pub quantity: Quantity,
    /// Steps that depend on `x` alone, on `x` and `y`, and the rest, which always runs.
    pub stages: [Vec<StepSpec>; 3],
    /// What runs instead of the last two stages when both must run, if it is not simply these.
    pub joint: Option<Vec<StepSpec>>,
    /// For every output vector the pieces it is made of, with their lengths.
    pub outputs: Vec<Vec<(Place, usize)>>,
    /// Runs instead of the stages, which are then empty.
    pub direct: Option<DirectSpec>,
    /// Operations on numbers of one evaluation in which everything changed.
    pub work: f64,
}

/// An array that is known before the run.
pub struct DataSpec<'a> {
    /// What the model calls it; empty where it has no name.
    pub name: String,
    /// Where it lies.
    pub buffer: BufferId,
    /// Its values, as `f64`.
    pub values: Cow<'a, [f64]>,
}

/// A whole program.
pub struct ProgramSpec<'a> {
    /// The storage of reals.
    pub width: Width,
    /// Bytes of memory.
    pub bytes: usize,
    /// Bytes of a worker's own memory.
    pub own_bytes: usize,
    /// The buffers.
    pub buffers: Vec<BufferSpec>,
    /// The buffers of `x`, `y`, a direction in the upper and one in the lower space; absent where nothing reads them.
    pub vectors: [Option<BufferId>; 4],
    /// For every sampled sum the buffers of the positions of its terms and of their weights.
    pub batches: Vec<[Option<BufferId>; 2]>,
    /// The numbers of upper and lower coordinates.
    pub lens: [usize; 2],
    /// What is known before the run.
    pub data: Vec<DataSpec<'a>>,
    /// Steps that depend on data alone; they run once, and again when data are given other values.
    pub setup: Vec<StepSpec>,
    /// The entries.
    pub entries: Vec<EntrySpec>,
}

/// What is wrong with a [`ProgramSpec`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramError {
    /// The machine does not have this many bytes.
    Memory(usize),
    /// A buffer lies outside the memory or is misaligned.
    Buffer(BufferId),
    /// A step needs more cells of a buffer than it has, or cells of another type.
    Extent(BufferId),
    /// An operand of a kernel does not fit; the text says which.
    Kernel(String),
    /// A quantity's outputs have the wrong number or lengths.
    Outputs(Quantity),
}

impl std::fmt::Display for ProgramError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ProgramError::Memory(bytes) => {
                write!(
                    f,
                    "it needs {:.1} GB of memory, which this machine does not give",
                    *bytes as f64 / 1e9
                )
            }
            ProgramError::Buffer(b) => write!(f, "buffer {} lies outside the memory", b.0),
            ProgramError::Extent(b) => write!(f, "a step does not fit buffer {}", b.0),
            ProgramError::Kernel(what) => f.write_str(what),
            ProgramError::Outputs(q) => write!(f, "the outputs of {} have wrong lengths", q.name()),
        }
    }
}
impl std::error::Error for ProgramError {}
