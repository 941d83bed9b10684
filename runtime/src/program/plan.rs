//! A program bound to its memory, in one precision: checks a [`ProgramSpec`] once, then runs entries without allocating,
//! hashing or checking lengths. Steps that depend on `x` alone, or on `(x, y)`, run again only when those changed.

use super::element::Real;
use super::spec::{
    BufferId, BufferSpec, Cell, DataSpec, DirectSpec, EntrySpec, HostStep, Matrix, Place, ProgramError,
    ProgramSpec, Shift, StepSpec, TiledSpec, Width,
};
use super::steps::{DenseStep, Host, InMemory, InTile, Moving, Naming, Step, TileStep, TiledStep};
use crate::derivatives::Quantity;
use crate::kernel::tiles::{Area, Cut, Moves, TileSlot, Tiles, Worker};
use crate::kernel::{Memory, Product, Slot, Word};

/// One entry, ready to run.
struct Entry<T: Real> {
    stages: [Box<[Step<T>]>; 3],
    /// Instead of the last two stages when both must run.
    joint: Option<Box<[Step<T>]>>,
    outputs: Box<[Box<[Slot<T>]>]>,
    direct: Option<DirectSpec>,
    work: f64,
    /// The generations of `x` and of `(x, y)` at which the first two stages last ran.
    seen: [u64; 2],
    calls: u64,
    runs: [u64; 3],
}

/// The terms that are taken of a sampled sum; absent where nothing reads them.
struct Batch<T: Real> {
    rows: Option<Slot<i64>>,
    weights: Option<Slot<T>>,
}

/// A program in one precision.
pub struct Plan<T: Real> {
    memory: Memory,
    /// One for each thread.
    workers: Vec<Worker>,
    own_bytes: usize,
    vectors: [Option<Slot<T>>; 4],
    /// Positions and weights of the terms of sampled sums.
    batches: Box<[Batch<T>]>,
    generation: [u64; 2],
    entries: [Option<Box<Entry<T>>>; Quantity::ALL.len()],
    /// Where data with a name lie.
    data: Box<[(String, Datum<T>)]>,
    /// What depends on data alone.
    setup: Box<[Step<T>]>,
}

/// The place of an array of data.
enum Datum<T: Real> {
    Real(Slot<T>),
    Int(Slot<i64>),
}

impl<T: Real> Plan<T> {
    /// Lays out the memory, binds every step, copies the data and runs the steps that depend on nothing else.
    pub fn new(spec: &ProgramSpec<'_>) -> Result<Self, ProgramError> {
        let mut binder =
            Binder { memory: Memory::new(spec.bytes).ok_or(ProgramError::Memory(spec.bytes))?, spec };
        for id in (0..spec.buffers.len()).map(|i| BufferId(i as u32)) {
            binder.check_buffer(id)?;
        }
        let mut vectors = [None; 4];
        for (k, id) in spec.vectors.iter().enumerate() {
            vectors[k] =
                id.map(|id| binder.slot(Place { buffer: id, offset: 0 }, spec.lens[k % 2])).transpose()?;
        }
        let whole = |id: BufferId| binder.buffer(id).map(|b| (Place { buffer: id, offset: 0 }, b.len));
        let slots = |[rows, weights]: &[Option<BufferId>; 2]| -> Result<_, ProgramError> {
            let rows = rows.map(|id| whole(id).and_then(|(at, len)| binder.slot(at, len))).transpose()?;
            let weights =
                weights.map(|id| whole(id).and_then(|(at, len)| binder.slot(at, len))).transpose()?;
            Ok(Batch { rows, weights })
        };
        let batches = spec.batches.iter().map(slots).collect::<Result<Box<[_]>, _>>()?;
        let setup = spec.setup.iter().map(|s| binder.step::<T>(s)).collect::<Result<_, _>>()?;
        let mut entries = [const { None }; Quantity::ALL.len()];
        for entry in &spec.entries {
            entries[entry.quantity as usize] = Some(Box::new(binder.entry(entry)?));
        }
        let mut data = Vec::new();
        for DataSpec { name, buffer, values } in &spec.data {
            let datum = binder.datum::<T>(*buffer, values.len())?;
            datum.fill(&mut binder.memory, values);
            if !name.is_empty() {
                data.push((name.clone(), datum));
            }
        }
        let memory = binder.memory;
        let own_bytes = spec.own_bytes;
        let workers = vec![Worker::new(own_bytes).ok_or(ProgramError::Memory(own_bytes))?];
        let (data, generation) = (data.into(), [0; 2]);
        let mut plan =
            Plan { memory, workers, own_bytes, vectors, batches, generation, entries, data, setup };
        plan.renew();
        Ok(plan)
    }

    /// Gives an array of data other values, as far as this program reads it; [`Plan::renew`] has to follow.
    ///
    /// # Panics
    /// When their number is another.
    pub fn set_data(&mut self, name: &str, values: &[f64]) {
        for (_, datum) in self.data.iter().filter(|(own, _)| own == name) {
            datum.fill(&mut self.memory, values);
        }
    }

    /// Runs what depends on data alone; everything else runs anew when it is asked for.
    pub fn renew(&mut self) {
        for step in &mut self.setup {
            step.run(&mut self.memory, &mut self.workers);
        }
        self.generation = self.generation.map(|generation| generation + 1);
    }

    /// Sets how many threads a large step may use; fewer, where there is no memory for so many.
    pub fn set_threads(&mut self, threads: usize) {
        self.workers.truncate(threads.max(1));
        let more = threads.saturating_sub(self.workers.len());
        self.workers.extend((0..more).map_while(|_| Worker::new(self.own_bytes)));
    }

    /// Takes the solver's vectors over and counts their changes.
    fn take(&mut self, vectors: [Option<&[f64]>; 4]) {
        let changed =
            |memory: &mut Memory, slot: Option<Slot<T>>, values: Option<&[f64]>| match (slot, values) {
                (Some(slot), Some(values)) => load(memory.write(slot), values),
                _ => false,
            };
        let x_changed = changed(&mut self.memory, self.vectors[0], vectors[0]);
        let y_changed = changed(&mut self.memory, self.vectors[1], vectors[1]);
        changed(&mut self.memory, self.vectors[2], vectors[2]);
        changed(&mut self.memory, self.vectors[3], vectors[3]);
        self.generation[0] += u64::from(x_changed);
        self.generation[1] += u64::from(x_changed || y_changed);
    }

    /// Sets the terms that are taken of a sampled sum: those at `rows`, each `weight` times; places that are left over repeat the
    /// first of them with weight 0.
    pub fn select(&mut self, sum: usize, rows: &[i64], weight: f64) {
        let Some(Batch { rows: places, weights }) = self.batches.get(sum) else { return };
        let mut changed = false;
        if let Some(slot) = places {
            let to = self.memory.write(*slot);
            assert!(rows.len() <= to.len(), "a batch has more terms than the program was compiled for");
            let rest = rows.first().copied().unwrap_or(0);
            for (to, from) in to.iter_mut().zip(rows.iter().copied().chain(std::iter::repeat(rest))) {
                changed |= std::mem::replace(to, from) != from;
            }
        }
        if let Some(slot) = weights {
            let to = self.memory.write(*slot);
            let taken = std::iter::repeat_n(weight, rows.len()).chain(std::iter::repeat(0.0));
            for (to, from) in to.iter_mut().zip(taken) {
                let from = T::from_f64(from);
                changed |= !from.same(*to);
                *to = from;
            }
        }
        self.generation[0] += u64::from(changed);
        self.generation[1] += u64::from(changed);
    }

    /// Whether a quantity is compiled whole.
    #[inline]
    pub fn is_whole(&self, quantity: Quantity) -> bool {
        matches!(&self.entries[quantity as usize], Some(entry) if entry.direct.is_some())
    }

    /// Evaluates a quantity that is compiled whole: `vectors` are `x`, `y` and, where it takes them, directions. The first
    /// output may be left out unless it is `valued`.
    #[inline(always)]
    pub fn enter(
        &mut self,
        quantity: Quantity,
        vectors: [&[f64]; 4],
        outputs: [&mut [f64]; 3],
        valued: bool,
    ) {
        let staged =
            self.entries[quantity as usize].as_ref().and_then(|e| e.direct.as_ref()).map(|d| d.staged);
        let stale = if staged == Some(true) { self.stale(quantity, vectors) } else { 3 };
        let Some(entry) = &mut self.entries[quantity as usize] else { return };
        let Some(direct) = &entry.direct else { return };
        entry.calls += 1;
        let code = match &direct.slim {
            Some(slim) if !valued => slim,
            _ => &direct.whole,
        };
        self.memory.enter(code, vectors, outputs, stale);
    }

    /// Which of the first two stages of an entry must run again, as bits.
    #[inline(never)]
    fn stale(&mut self, quantity: Quantity, vectors: [&[f64]; 4]) -> u64 {
        // Directions are read where they are.
        self.take([Some(vectors[0]), Some(vectors[1]), None, None]);
        let Some(entry) = &mut self.entries[quantity as usize] else { return 3 };
        let mut stale = 0;
        for stage in 0..2 {
            let now = self.generation[stage];
            let changed = std::mem::replace(&mut entry.seen[stage], now) != now;
            entry.runs[stage] += u64::from(changed);
            stale |= u64::from(changed) << stage;
        }
        entry.runs[2] += 1;
        stale
    }

    /// Evaluates a quantity step by step: `vectors` are `x`, `y` and, where it takes them, directions; `outputs` are filled in
    /// order.
    pub fn run(&mut self, quantity: Quantity, vectors: [Option<&[f64]>; 4], outputs: &mut [&mut [f64]]) {
        self.take(vectors);
        let Some(entry) = &mut self.entries[quantity as usize] else {
            panic!("this is a bug in blo, please report it: {} was not compiled", quantity.name());
        };
        entry.calls += 1;
        let mut run = |steps: &mut [Step<T>]| {
            steps.iter_mut().for_each(|step| step.run(&mut self.memory, &mut self.workers));
        };
        let stale = [0, 1].map(|k| entry.seen[k] != self.generation[k]);
        entry.seen = self.generation;
        for (runs, stale) in entry.runs.iter_mut().zip(stale.into_iter().chain([true])) {
            *runs += u64::from(stale);
        }
        let [first, second, last] = &mut entry.stages;
        if stale[0] {
            run(first);
        }
        match &mut entry.joint {
            Some(joint) if stale[1] => run(joint),
            _ => {
                if stale[1] {
                    run(second);
                }
                run(last);
            }
        }
        for (pieces, out) in entry.outputs.iter().zip(outputs) {
            let mut rest = &mut **out;
            for piece in pieces {
                let (to, tail) = rest.split_at_mut(piece.len());
                to.iter_mut().zip(self.memory.read(*piece)).for_each(|(to, from)| *to = from.to_f64());
                rest = tail;
            }
        }
    }

    /// How often an entry was called, and each of its stages run; `None` if it was not compiled.
    pub fn counts(&self, quantity: Quantity) -> Option<(u64, [u64; 3])> {
        let entry = self.entries[quantity as usize].as_ref()?;
        // What is compiled whole and not staged runs whole.
        let always = entry.direct.as_ref().is_some_and(|d| !d.staged);
        Some((entry.calls, if always { [entry.calls; 3] } else { entry.runs }))
    }

    /// Operations of an evaluation; `None` if it was not compiled.
    pub fn work(&self, quantity: Quantity) -> Option<f64> {
        self.entries[quantity as usize].as_ref().map(|entry| entry.work)
    }

    /// The length of an output vector of an entry.
    pub fn output_len(&self, quantity: Quantity, output: usize) -> Option<usize> {
        let entry = self.entries[quantity as usize].as_ref()?;
        Some(entry.outputs.get(output)?.iter().map(Slot::len).sum())
    }
}

/// Copies a vector into its buffer and tells whether any bit of it changed.
fn load<T: Real>(to: &mut [T], from: &[f64]) -> bool {
    assert_eq!(to.len(), from.len(), "a vector given to a program has the wrong length");
    let mut changed = false;
    for (to, &from) in to.iter_mut().zip(from) {
        let from = T::from_f64(from);
        changed |= !from.same(*to);
        *to = from;
    }
    changed
}

impl<T: Real> Datum<T> {
    fn fill(&self, memory: &mut Memory, values: &[f64]) {
        match self {
            Datum::Int(slot) => {
                let to = memory.write(*slot);
                assert_eq!(to.len(), values.len(), "data given to a program have the wrong length");
                to.iter_mut().zip(values).for_each(|(to, &from)| *to = from as i64);
            }
            Datum::Real(slot) => {
                let to = memory.write(*slot);
                assert_eq!(to.len(), values.len(), "data given to a program have the wrong length");
                to.iter_mut().zip(values).for_each(|(to, &from)| *to = T::from_f64(from));
            }
        }
    }
}

/// Turns places into slots of a memory, and checks them.
struct Binder<'a> {
    memory: Memory,
    spec: &'a ProgramSpec<'a>,
}

impl Binder<'_> {
    fn buffer(&self, id: BufferId) -> Result<&BufferSpec, ProgramError> {
        self.spec.buffers.get(id.0 as usize).ok_or(ProgramError::Buffer(id))
    }

    fn check_buffer(&self, id: BufferId) -> Result<(), ProgramError> {
        let buffer = self.buffer(id)?;
        if buffer.own {
            return Ok(());
        }
        let fits = match (self.spec.width, buffer.cell) {
            (_, Cell::Int) => self.memory.slot::<i64>(buffer.byte, buffer.len).is_some(),
            (Width::Double, Cell::Real) => self.memory.slot::<f64>(buffer.byte, buffer.len).is_some(),
            (Width::Single, Cell::Real) => self.memory.slot::<f32>(buffer.byte, buffer.len).is_some(),
        };
        if fits { Ok(()) } else { Err(ProgramError::Buffer(id)) }
    }

    /// The slot of `len` cells of type `C` at a place.
    fn slot<C: Word>(&self, at: Place, len: usize) -> Result<Slot<C>, ProgramError> {
        let buffer = self.buffer(at.buffer)?;
        if buffer.own || at.offset + len > buffer.len || self.spec.width.bytes(buffer.cell) != size_of::<C>()
        {
            return Err(ProgramError::Extent(at.buffer));
        }
        let byte = buffer.byte + at.offset * size_of::<C>();
        self.memory.slot(byte, len).ok_or(ProgramError::Buffer(at.buffer))
    }

    fn datum<T: Real>(&self, id: BufferId, len: usize) -> Result<Datum<T>, ProgramError> {
        let buffer = *self.buffer(id)?;
        if buffer.len != len {
            return Err(ProgramError::Extent(id));
        }
        let at = Place { buffer: id, offset: 0 };
        Ok(match buffer.cell {
            Cell::Int => Datum::Int(self.slot(at, len)?),
            Cell::Real => Datum::Real(self.slot(at, len)?),
        })
    }

    fn entry<T: Real>(&self, entry: &EntrySpec) -> Result<Entry<T>, ProgramError> {
        let stage = |steps: &[StepSpec]| steps.iter().map(|s| self.step(s)).collect::<Result<Box<[_]>, _>>();
        let [first, second, last] = &entry.stages;
        let pieces = |pieces: &Vec<(Place, usize)>| {
            pieces.iter().map(|&(at, len)| self.slot(at, len)).collect::<Result<Box<[_]>, _>>()
        };
        let outputs = entry.outputs.iter().map(pieces).collect::<Result<Box<[_]>, _>>()?;
        let lens: Vec<usize> = outputs.iter().map(|o| o.iter().map(Slot::len).sum()).collect();
        if !outputs_fit(entry.quantity, &lens, self.spec.lens) {
            return Err(ProgramError::Outputs(entry.quantity));
        }
        let stages = [stage(first)?, stage(second)?, stage(last)?];
        let joint = entry.joint.as_deref().map(stage).transpose()?;
        let direct = entry.direct.clone();
        let kinds = direct.iter().flat_map(|d| std::iter::once(&d.whole).chain(&d.slim));
        for code in kinds {
            let given = code.outputs();
            let fits = (0..given.len()).all(|k| given[k] == lens.get(k).copied().unwrap_or(0));
            if code.bytes() > self.spec.bytes || !fits {
                return Err(ProgramError::Outputs(entry.quantity));
            }
        }
        let work = entry.work;
        Ok(Entry { stages, joint, outputs, direct, work, seen: [0; 2], calls: 0, runs: [0; 3] })
    }

    fn step<T: Real>(&self, step: &StepSpec) -> Result<Step<T>, ProgramError> {
        match step {
            StepSpec::Kernel(kernel, args) => {
                let mut buffers = Vec::with_capacity(args.len());
                for &id in args {
                    let b = self.buffer(id)?;
                    if b.own {
                        return Err(ProgramError::Buffer(id));
                    }
                    buffers.push((b.byte, b.len * self.spec.width.bytes(b.cell)));
                }
                let bound = self.memory.bind(kernel, &buffers);
                Ok(Step::Kernel(bound.map_err(|e| ProgramError::Kernel(format!("{e:?} of {args:?}")))?))
            }
            StepSpec::Host(HostStep::Dense {
                kind,
                sizes: sizes @ [b, n, k],
                transposed,
                factor,
                x,
                out,
            }) => {
                let cols = if factor.is_some() { *k } else { *n };
                let cells = self.slot(x.at, x.extent(*b, *n, cols) - x.at.offset)?;
                let factor = factor.map(|f| self.slot(f, b * kind.factor_cells(*n))).transpose()?;
                let out = self.slot(*out, b * kind.cells(*n, *k))?;
                Ok(Step::Dense(DenseStep::new(*kind, *sizes, *transposed, factor, (cells, *x), out)))
            }
            StepSpec::Host(HostStep::Sparse { kind, sizes, places, operands, out }) => {
                let [rows, _, nonzeros, width] = *sizes;
                let ([first, second], len) = kind.lens(*sizes);
                let [columns, start, end] = *places;
                Ok(Step::Sparse {
                    kind: *kind,
                    width,
                    places: [self.slot(columns, nonzeros)?, self.slot(start, rows)?, self.slot(end, rows)?],
                    operands: [self.slot(operands[0], first)?, self.slot(operands[1], second)?],
                    out: self.slot(*out, len)?,
                })
            }
            StepSpec::Host(step) => Ok(Step::Host(host(step, &mut &*self)?)),
            StepSpec::Tiled(spec) => self.tiled(spec).map(|step| Step::Tiled(Box::new(step))),
        }
    }

    fn tiled<T: Real>(&self, spec: &TiledSpec) -> Result<TiledStep<T>, ProgramError> {
        let cut = Cut { whole: spec.whole, rest: !spec.rest.is_empty(), chunk: spec.chunk };
        let tiles = Tiles::new(cut, &self.memory, self.spec.own_bytes);
        let mut binder = TileBinder { all: self, spec, tiles, rest: false };
        let whole = spec.steps.iter().map(|s| binder.step(s)).collect::<Result<Box<[_]>, _>>()?;
        binder.rest = true;
        let rest = spec.rest.iter().map(|s| binder.step(s)).collect::<Result<Box<[_]>, _>>()?;
        let meet = |byte| ProgramError::Kernel(format!("tiles meet in the buffer at byte {byte}"));
        let group = binder.tiles.finish().map_err(meet)?;
        Ok(TiledStep { group, steps: [whole, rest] })
    }
}

/// Binds the steps of tiles.
struct TileBinder<'a> {
    all: &'a Binder<'a>,
    spec: &'a TiledSpec,
    tiles: Tiles,
    /// Whether the steps are those of the last, shorter tile.
    rest: bool,
}

impl TileBinder<'_> {
    fn area(&self, id: BufferId) -> Result<Area, ProgramError> {
        let b = self.all.buffer(id)?;
        let width = self.all.spec.width.bytes(b.cell);
        let moves = match self.spec.shifts.iter().find(|(buffer, _)| *buffer == id) {
            None => Moves::Not,
            Some((_, Shift::Tile(cells))) => Moves::ByTile(cells * width),
            Some((_, Shift::Chunk(cells))) => Moves::ByChunk(cells * width),
        };
        Ok(Area { byte: b.byte, bytes: b.len * width, own: b.own, moves })
    }

    fn step<T: Real>(&mut self, step: &StepSpec) -> Result<TileStep<T>, ProgramError> {
        match step {
            StepSpec::Kernel(kernel, args) => {
                let areas = args.iter().map(|&id| self.area(id)).collect::<Result<Vec<_>, _>>()?;
                let bound = self.tiles.kernel(kernel, &areas, self.rest);
                Ok(TileStep::Kernel(
                    bound.map_err(|e| ProgramError::Kernel(format!("{e:?} of {args:?} in a tile")))?,
                ))
            }
            StepSpec::Host(step) => Ok(TileStep::Host(host(step, self)?)),
            StepSpec::Tiled(_) => Err(ProgramError::Kernel("tiles inside of tiles".into())),
        }
    }
}

/// Turns places into names of cells.
trait Namer<N: Naming> {
    fn name<C: Word>(&mut self, at: Place, len: usize, writes: bool) -> Result<N::Slot<C>, ProgramError>;
}

impl Namer<InMemory> for &Binder<'_> {
    fn name<C: Word>(&mut self, at: Place, len: usize, _: bool) -> Result<Slot<C>, ProgramError> {
        self.slot(at, len)
    }
}

impl Namer<InTile> for TileBinder<'_> {
    fn name<C: Word>(&mut self, at: Place, len: usize, writes: bool) -> Result<TileSlot<C>, ProgramError> {
        let area = self.area(at.buffer)?;
        if self.all.spec.width.bytes(self.all.buffer(at.buffer)?.cell) != size_of::<C>() {
            return Err(ProgramError::Extent(at.buffer));
        }
        let slot = self.tiles.slot(area, at.offset * size_of::<C>(), len, writes, self.rest);
        slot.ok_or(ProgramError::Extent(at.buffer))
    }
}

/// One of the runtime's own steps, on cells named in any way.
fn host<N: Naming, T: Real>(step: &HostStep, names: &mut impl Namer<N>) -> Result<Host<N, T>, ProgramError> {
    match step {
        HostStep::Rows { name, rows, len, x, out } => {
            let out_len = if *name == "logsumexp" { *rows } else { rows * len };
            Ok(Host::Rows {
                name,
                rows: *rows,
                len: *len,
                x: names.name(*x, rows * len, false)?,
                out: names.name(*out, out_len, true)?,
            })
        }
        _ => match step.reads()[0].1 {
            Cell::Real => Ok(Host::Real(moving(step, names)?)),
            Cell::Int => Ok(Host::Int(moving(step, names)?)),
        },
    }
}

fn moving<N: Naming, C: Word>(
    step: &HostStep,
    names: &mut impl Namer<N>,
) -> Result<Moving<N, C>, ProgramError> {
    Ok(match step {
        HostStep::Gemm { sizes: sizes @ [b, m, n, k], lhs, rhs, out, alpha, accumulate, ahead, .. } => {
            let mut operand = |x: &Matrix, rows, cols| -> Result<(N::Slot<C>, Matrix), ProgramError> {
                Ok((names.name(x.at, x.extent(*b, rows, cols) - x.at.offset, false)?, *x))
            };
            let (lhs, rhs) = (operand(lhs, *m, *k)?, operand(rhs, *k, *n)?);
            let out = names.name(*out, b * m * n, true)?;
            let rows = if !ahead {
                0
            } else if *accumulate {
                *k
            } else {
                *m
            };
            let how = Product { alpha: *alpha, accumulate: *accumulate, ahead: rows, threads: 1 };
            Moving::Gemm { sizes: *sizes, lhs, rhs, out, how }
        }
        HostStep::Gather { sizes: sizes @ [b, i, n, r], x, index, out, .. } => Moving::Gather {
            sizes: *sizes,
            x: names.name(*x, b * n * r, false)?,
            index: names.name(*index, b * i, false)?,
            out: names.name(*out, b * i * r, true)?,
        },
        HostStep::Scatter { sizes: sizes @ [b, i, n, r], x, index, out, .. } => Moving::Scatter {
            sizes: *sizes,
            x: names.name(*x, b * i * r, false)?,
            index: names.name(*index, b * i, false)?,
            out: names.name(*out, b * n * r, true)?,
        },
        HostStep::Scan { sizes, reverse, x, out, .. } => {
            let len = sizes.iter().product();
            let (x, out) = (names.name(*x, len, false)?, names.name(*out, len, true)?);
            Moving::Scan { sizes: *sizes, reverse: *reverse, x, out }
        }
        HostStep::ArgReduce { sizes, largest, x, out, .. } => Moving::ArgReduce {
            sizes: *sizes,
            largest: *largest,
            x: names.name(*x, sizes.iter().product(), false)?,
            out: names.name(*out, sizes[0] * sizes[2], true)?,
        },
        HostStep::ArgSort { sizes: sizes @ [rows, len], x, out } => Moving::ArgSort {
            sizes: *sizes,
            x: names.name(*x, rows * len, false)?,
            out: names.name(*out, rows * len, true)?,
        },
        HostStep::Rows { x, .. }
        | HostStep::Dense { x: Matrix { at: x, .. }, .. }
        | HostStep::Sparse { out: x, .. } => {
            return Err(ProgramError::Extent(x.buffer));
        }
    })
}

/// Whether the lengths of an entry's output vectors are those its quantity promises; reports and weights may have any length.
fn outputs_fit(quantity: Quantity, lens: &[usize], [n, m]: [usize; 2]) -> bool {
    match quantity {
        Quantity::LowerValue | Quantity::UpperValue => lens == [1],
        Quantity::LowerGradient | Quantity::SmoothGradient => lens == [1, m],
        Quantity::LowerGradients | Quantity::UpperGradients => lens == [1, n, m],
        Quantity::LowerGradientX | Quantity::UpperGradientX => lens == [1, n],
        Quantity::LowerHessian | Quantity::SmoothHessian | Quantity::LowerCross => lens == [m],
        Quantity::LowerSecondOrder | Quantity::UpperSecondOrder => lens == [m, n],
        Quantity::LowerDirections => lens == [m, m, n],
        Quantity::Reports | Quantity::ProximalWeights => lens.len() == 1,
    }
}
