//! The steps the runtime does itself: products, rows, gather and scatter, running sums, positions of extremes, the order of
//! rows, dense linear algebra, sparse products.
//! Their slots were checked when the program was built; none of them allocates. Most of them also run inside of tiles, on
//! cells that a [`Lane`] finds.

use blo_kernels::dense::{Dense, Workspace};
use blo_kernels::sparse::Sparse;

use super::element::{Element, Real};
use super::spec::Matrix;
use crate::kernel::tiles::{Group, Lane, TileSlot, Worker};
use crate::kernel::{Bound, Memory, Product, Slot, Strided, Word};

/// How cells are named: in the program's memory, or in the current tile.
pub trait Naming {
    /// A run of cells.
    type Slot<T: Word>: Copy;
}

/// In the program's memory.
pub enum InMemory {}
impl Naming for InMemory {
    type Slot<T: Word> = Slot<T>;
}

/// In the current tile.
pub enum InTile {}
impl Naming for InTile {
    type Slot<T: Word> = TileSlot<T>;
}

/// Where cells are found by their names.
pub trait Cells<N: Naming> {
    /// Two runs to read and one to write, which must not overlap them.
    fn split<A: Word, B: Word, C: Word>(
        &mut self,
        a: N::Slot<A>,
        b: N::Slot<B>,
        c: N::Slot<C>,
    ) -> (&[A], &[B], &mut [C]);

    /// Whether a product that accumulates finds the sum of earlier tiles.
    fn continues(&self) -> bool;

    /// Whether a tile as large as this one follows in memory.
    fn whole_follows(&self) -> bool;
}

impl Cells<InMemory> for Memory {
    fn split<A: Word, B: Word, C: Word>(
        &mut self,
        a: Slot<A>,
        b: Slot<B>,
        c: Slot<C>,
    ) -> (&[A], &[B], &mut [C]) {
        Memory::split(self, a, b, c)
    }

    fn continues(&self) -> bool {
        false
    }

    fn whole_follows(&self) -> bool {
        false
    }
}

impl Cells<InTile> for Lane<'_> {
    fn split<A: Word, B: Word, C: Word>(
        &mut self,
        a: TileSlot<A>,
        b: TileSlot<B>,
        c: TileSlot<C>,
    ) -> (&[A], &[B], &mut [C]) {
        Lane::split(self, a, b, c)
    }

    fn continues(&self) -> bool {
        !self.is_first()
    }

    fn whole_follows(&self) -> bool {
        Lane::whole_follows(self)
    }
}

/// A step ready to run.
pub enum Step<T: Real> {
    /// A compiled kernel.
    Kernel(Bound),
    /// One of the runtime's own steps.
    Host(Host<InMemory, T>),
    /// Dense linear algebra.
    Dense(DenseStep<T>),
    /// A product with a sparse matrix; see [`super::spec::HostStep::Sparse`].
    Sparse {
        /// Which.
        kind: Sparse,
        /// The width of dense rows.
        width: usize,
        /// Columns, starts and ends.
        places: [Slot<i64>; 3],
        /// The other operands.
        operands: [Slot<T>; 2],
        /// Result.
        out: Slot<T>,
    },
    /// Steps that run tile by tile.
    Tiled(Box<TiledStep<T>>),
}

/// Steps that run tile by tile; see [`super::spec::TiledSpec`].
pub struct TiledStep<T: Real> {
    /// Where they find their cells.
    pub group: Group,
    /// The steps of a whole tile, and of a shorter last one.
    pub steps: [Box<[TileStep<T>]>; 2],
}

/// A step of a tile.
pub enum TileStep<T: Real> {
    /// A compiled kernel, by its number in the group.
    Kernel(usize),
    /// One of the runtime's own steps.
    Host(Host<InTile, T>),
}

/// One of the runtime's own steps.
pub enum Host<N: Naming, T: Real> {
    /// On reals.
    Real(Moving<N, T>),
    /// On whole numbers.
    Int(Moving<N, i64>),
    /// Rows of reals.
    Rows {
        /// Which function.
        name: &'static str,
        /// How many rows.
        rows: usize,
        /// Their length.
        len: usize,
        /// Operand.
        x: N::Slot<T>,
        /// Result.
        out: N::Slot<T>,
    },
}

/// A factorisation or a solve for every matrix of a batch; see [`super::spec::HostStep::Dense`].
pub struct DenseStep<T> {
    kind: Dense,
    sizes: [usize; 3],
    transposed: bool,
    factor: Option<Slot<T>>,
    x: (Slot<T>, Matrix),
    out: Slot<T>,
    work: Workspace,
}

/// Sizes and slots of a step on cells of one type; see [`super::spec::HostStep`] for what each computes.
pub enum Moving<N: Naming, T: Word> {
    /// Matrix product; the operands' places are resolved to slots.
    Gemm {
        sizes: [usize; 4],
        lhs: (N::Slot<T>, Matrix),
        rhs: (N::Slot<T>, Matrix),
        out: N::Slot<T>,
        how: Product<f64>,
    },
    /// Indexed read.
    Gather { sizes: [usize; 4], x: N::Slot<T>, index: N::Slot<i64>, out: N::Slot<T> },
    /// Indexed sum.
    Scatter { sizes: [usize; 4], x: N::Slot<T>, index: N::Slot<i64>, out: N::Slot<T> },
    /// Running sum.
    Scan { sizes: [usize; 3], reverse: bool, x: N::Slot<T>, out: N::Slot<T> },
    /// Position of an extreme.
    ArgReduce { sizes: [usize; 3], largest: bool, x: N::Slot<T>, out: N::Slot<i64> },
    /// The order of rows.
    ArgSort { sizes: [usize; 2], x: N::Slot<T>, out: N::Slot<i64> },
}

impl<T: Real> Step<T> {
    /// Runs the step, on as many threads as there are workers.
    pub fn run(&mut self, memory: &mut Memory, workers: &mut [Worker]) {
        match self {
            Step::Kernel(bound) => memory.call(bound),
            Step::Host(step) => step.run(memory, workers.len()),
            Step::Dense(step) => step.run(memory, workers.len()),
            Step::Sparse { kind, width, places, operands, out } => {
                let (around, out) = memory.around(*out);
                let (places, operands) = (places.map(|s| around.read(s)), operands.map(|s| around.read(s)));
                T::sparse(*kind, *width, places, operands, out);
            }
            Step::Tiled(step) => step.run(memory, workers),
        }
    }
}

impl<T: Real> TiledStep<T> {
    fn run(&mut self, memory: &mut Memory, workers: &mut [Worker]) {
        let steps = &self.steps;
        self.group.run(memory, workers, |lane| {
            for step in &steps[usize::from(lane.is_rest())] {
                match step {
                    TileStep::Kernel(kernel) => lane.call(*kernel),
                    TileStep::Host(step) => step.run(lane, 1),
                }
            }
        });
    }
}

impl<N: Naming, T: Real> Host<N, T> {
    fn run(&self, cells: &mut impl Cells<N>, threads: usize) {
        match self {
            Host::Real(step) => step.run(cells, threads),
            Host::Int(step) => step.run(cells, threads),
            Host::Rows { name, rows, len, x, out } => {
                let (x, _, out) = cells.split(*x, *x, *out);
                T::rows(name, *rows, *len, out, x);
            }
        }
    }
}

impl<T: Real> DenseStep<T> {
    /// A step with memory to work in.
    pub fn new(
        kind: Dense,
        sizes: [usize; 3],
        transposed: bool,
        factor: Option<Slot<T>>,
        x: (Slot<T>, Matrix),
        out: Slot<T>,
    ) -> Self {
        DenseStep { kind, sizes, transposed, factor, x, out, work: T::workspace(kind, sizes[1]) }
    }

    fn run(&mut self, memory: &mut Memory, threads: usize) {
        let [batch, n, k] = self.sizes;
        let cells = self.kind.cells(n, k);
        if cells == 0 {
            return;
        }
        let (factor, x, out) = memory.split(self.factor.unwrap_or(self.x.0), self.x.0, self.out);
        let stride = self.kind.factor_cells(n);
        for (i, out) in out.chunks_exact_mut(cells).take(batch).enumerate() {
            let factor = &factor[i * stride..(i + 1) * stride];
            let x = Strided { cells: &x[i * self.x.1.batch..], row: self.x.1.row, col: self.x.1.col };
            T::dense(self.kind, [n, k], self.transposed, factor, x, out, &mut self.work, threads);
        }
    }
}

impl<N: Naming, T: Element> Moving<N, T> {
    fn run(&self, cells: &mut impl Cells<N>, threads: usize) {
        match self {
            Moving::Gemm { sizes, lhs, rhs, out, how } => {
                let accumulate = how.accumulate && cells.continues();
                let ahead = if cells.whole_follows() { how.ahead } else { 0 };
                let (a, b, c) = cells.split(lhs.0, rhs.0, *out);
                let how = Product { accumulate, ahead, threads, ..*how };
                gemm(*sizes, (a, &lhs.1), (b, &rhs.1), c, how);
            }
            Moving::Gather { sizes, x, index, out } => {
                let (x, index, out) = cells.split(*x, *index, *out);
                gather(*sizes, x, index, out);
            }
            Moving::Scatter { sizes, x, index, out } => {
                let (x, index, out) = cells.split(*x, *index, *out);
                scatter(*sizes, x, index, out);
            }
            Moving::Scan { sizes, reverse, x, out } => {
                let (x, _, out) = cells.split(*x, *x, *out);
                scan(*sizes, *reverse, x, out);
            }
            Moving::ArgReduce { sizes, largest, x, out } => {
                let (x, _, out) = cells.split(*x, *x, *out);
                arg_reduce(*sizes, *largest, x, out);
            }
            Moving::ArgSort { sizes: [rows, len], x, out } => {
                let (x, _, out) = cells.split(*x, *x, *out);
                arg_sort([*rows, *len], x, out);
            }
        }
    }
}

fn gemm<T: Element>(
    [batch, m, n, k]: [usize; 4],
    (a, lhs): (&[T], &Matrix),
    (b, rhs): (&[T], &Matrix),
    c: &mut [T],
    how: Product<f64>,
) {
    if m * n == 0 {
        return;
    }
    if k == 0 {
        if !how.accumulate {
            c.fill(T::ZERO);
        }
        return;
    }
    for (i, c) in c.chunks_exact_mut(m * n).take(batch).enumerate() {
        let a = Strided { cells: &a[i * lhs.batch..], row: lhs.row, col: lhs.col };
        let b = Strided { cells: &b[i * rhs.batch..], row: rhs.row, col: rhs.col };
        T::gemm([m, n, k], c, a, b, how);
    }
}

/// The position an index means, if it is one of `0..len`.
fn position(index: i64, len: usize) -> Option<usize> {
    usize::try_from(index).ok().filter(|&i| i < len)
}

fn gather<T: Element>([batch, count, rows, row]: [usize; 4], x: &[T], index: &[i64], out: &mut [T]) {
    for b in 0..batch {
        let x = &x[b * rows * row..(b + 1) * rows * row];
        let at = b * count..(b + 1) * count;
        if row == 1 {
            for (to, &i) in out[at.clone()].iter_mut().zip(&index[at]) {
                *to = position(i, rows).map_or(T::MISSING, |i| x[i]);
            }
            continue;
        }
        for i in at {
            let to = &mut out[i * row..(i + 1) * row];
            match position(index[i], rows) {
                Some(p) => to.copy_from_slice(&x[p * row..(p + 1) * row]),
                None => to.fill(T::MISSING),
            }
        }
    }
}

fn scatter<T: Element>([batch, count, rows, row]: [usize; 4], x: &[T], index: &[i64], out: &mut [T]) {
    out.fill(T::ZERO);
    for b in 0..batch {
        let out = &mut out[b * rows * row..(b + 1) * rows * row];
        for i in b * count..(b + 1) * count {
            if let Some(p) = position(index[i], rows) {
                for (to, &from) in out[p * row..(p + 1) * row].iter_mut().zip(&x[i * row..(i + 1) * row]) {
                    *to = to.plus(from);
                }
            }
        }
    }
}

fn scan<T: Element>([outer, len, inner]: [usize; 3], reverse: bool, x: &[T], out: &mut [T]) {
    for o in 0..outer {
        for step in 0..len {
            let k = if reverse { len - 1 - step } else { step };
            let at = (o * len + k) * inner;
            for j in at..at + inner {
                out[j] = match (step, reverse) {
                    (0, _) => x[j],
                    (_, false) => out[j - inner].plus(x[j]),
                    (_, true) => out[j + inner].plus(x[j]),
                };
            }
        }
    }
}

fn arg_reduce<T: Element>([outer, len, inner]: [usize; 3], largest: bool, x: &[T], out: &mut [i64]) {
    for o in 0..outer {
        for j in 0..inner {
            let at = |k: usize| x[(o * len + k) * inner + j];
            let mut best = 0;
            for k in 1..len {
                if at(k).beyond(at(best), largest) {
                    best = k;
                }
            }
            out[o * inner + j] = best as i64;
        }
    }
}

fn arg_sort<T: Element>([rows, len]: [usize; 2], x: &[T], out: &mut [i64]) {
    if len == 0 {
        return;
    }
    for (x, out) in x.chunks_exact(len).zip(out.chunks_exact_mut(len)).take(rows) {
        out.iter_mut().zip(0..).for_each(|(place, k)| *place = k);
        // Positions break ties, so the order is that of a stable sort, which would need memory.
        out.sort_unstable_by(|&a, &b| x[a as usize].order(x[b as usize]).then(a.cmp(&b)));
    }
}
