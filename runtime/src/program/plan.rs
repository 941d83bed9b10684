//! A program bound to its memory, in one precision: checks a [`ProgramSpec`] once, then runs entries without allocating,
//! hashing or checking lengths. Steps that depend on `x` alone, or on `(x, y)`, run again only when those changed.

use super::element::Real;
use super::spec::{
    BufferId, BufferSpec, Cell, EntrySpec, HostStep, Matrix, Place, ProgramError, ProgramSpec, StepSpec,
    Width,
};
use super::steps::{DenseStep, Host, Step};
use crate::derivatives::Quantity;
use crate::kernel::{Memory, Slot, Word};

/// One entry, ready to run.
struct Entry<T> {
    stages: [Box<[Step<T>]>; 3],
    outputs: Box<[Box<[Slot<T>]>]>,
    /// The generations of `x` and of `(x, y)` at which the first two stages last ran.
    seen: [u64; 2],
    calls: u64,
    runs: [u64; 3],
}

/// A program in one precision.
pub struct Plan<T> {
    memory: Memory,
    vectors: [Option<Slot<T>>; 4],
    generation: [u64; 2],
    entries: [Option<Box<Entry<T>>>; Quantity::ALL.len()],
    threads: usize,
}

impl<T: Real> Plan<T> {
    /// Lays out the memory, binds every step, copies the data and runs the steps that depend on nothing else.
    pub fn new(spec: &ProgramSpec<'_>, threads: usize) -> Result<Self, ProgramError> {
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
        let mut setup = spec.setup.iter().map(|s| binder.step::<T>(s)).collect::<Result<Vec<_>, _>>()?;
        let mut entries = [const { None }; Quantity::ALL.len()];
        for entry in &spec.entries {
            entries[entry.quantity as usize] = Some(Box::new(binder.entry(entry)?));
        }
        for (id, values) in &spec.data {
            binder.fill::<T>(*id, values)?;
        }
        let mut memory = binder.memory;
        for step in &mut setup {
            step.run(&mut memory, threads);
        }
        Ok(Plan { memory, vectors, generation: [1; 2], entries, threads })
    }

    /// Sets how many threads a large product may use.
    pub fn set_threads(&mut self, threads: usize) {
        self.threads = threads.max(1);
    }

    /// Evaluates a quantity: `vectors` are `x`, `y` and, where it takes them, directions; `outputs` are filled in order.
    pub fn run(&mut self, quantity: Quantity, vectors: [Option<&[f64]>; 4], outputs: &mut [&mut [f64]]) {
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
        let Some(entry) = &mut self.entries[quantity as usize] else {
            panic!("this is a bug in blo, please report it: {} was not compiled", quantity.name());
        };
        entry.calls += 1;
        for stage in 0..3 {
            if stage < 2
                && std::mem::replace(&mut entry.seen[stage], self.generation[stage]) == self.generation[stage]
            {
                continue;
            }
            entry.runs[stage] += 1;
            for step in &mut entry.stages[stage] {
                step.run(&mut self.memory, self.threads);
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
        self.entries[quantity as usize].as_ref().map(|e| (e.calls, e.runs))
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
        if at.offset + len > buffer.len || self.spec.width.bytes(buffer.cell) != size_of::<C>() {
            return Err(ProgramError::Extent(at.buffer));
        }
        let byte = buffer.byte + at.offset * size_of::<C>();
        self.memory.slot(byte, len).ok_or(ProgramError::Buffer(at.buffer))
    }

    fn fill<T: Real>(&mut self, id: BufferId, values: &[f64]) -> Result<(), ProgramError> {
        let buffer = *self.buffer(id)?;
        if buffer.len != values.len() {
            return Err(ProgramError::Extent(id));
        }
        let at = Place { buffer: id, offset: 0 };
        match buffer.cell {
            Cell::Int => {
                let slot = self.slot::<i64>(at, buffer.len)?;
                self.memory.write(slot).iter_mut().zip(values).for_each(|(to, &from)| *to = from as i64);
            }
            Cell::Real => {
                let slot = self.slot::<T>(at, buffer.len)?;
                self.memory
                    .write(slot)
                    .iter_mut()
                    .zip(values)
                    .for_each(|(to, &from)| *to = T::from_f64(from));
            }
        }
        Ok(())
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
        Ok(Entry { stages, outputs, seen: [0; 2], calls: 0, runs: [0; 3] })
    }

    fn step<T: Real>(&self, step: &StepSpec) -> Result<Step<T>, ProgramError> {
        match step {
            StepSpec::Kernel(kernel, args) => {
                let mut buffers = Vec::with_capacity(args.len());
                for &id in args {
                    let b = self.buffer(id)?;
                    buffers.push((b.byte, b.len * self.spec.width.bytes(b.cell)));
                }
                let bound = self.memory.bind(kernel, &buffers);
                Ok(Step::Kernel(bound.map_err(|e| ProgramError::Kernel(format!("{e:?} of {args:?}")))?))
            }
            StepSpec::Host(HostStep::Rows { name, rows, len, x, out }) => {
                let out_len = if *name == "logsumexp" { *rows } else { rows * len };
                Ok(Step::Rows {
                    name,
                    rows: *rows,
                    len: *len,
                    x: self.slot(*x, rows * len)?,
                    out: self.slot(*out, out_len)?,
                })
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
            StepSpec::Host(host) => match host.reads()[0].1 {
                Cell::Real => Ok(Step::Real(self.host(host)?)),
                Cell::Int => Ok(Step::Int(self.host(host)?)),
            },
        }
    }

    fn host<C: Word>(&self, step: &HostStep) -> Result<Host<C>, ProgramError> {
        Ok(match step {
            HostStep::Gemm { sizes: sizes @ [b, m, n, k], lhs, rhs, out, alpha, .. } => {
                let operand = |x: &Matrix, rows, cols| -> Result<(Slot<C>, Matrix), ProgramError> {
                    Ok((self.slot(x.at, x.extent(*b, rows, cols) - x.at.offset)?, *x))
                };
                let (lhs, rhs) = (operand(lhs, *m, *k)?, operand(rhs, *k, *n)?);
                Host::Gemm { sizes: *sizes, lhs, rhs, out: self.slot(*out, b * m * n)?, alpha: *alpha }
            }
            HostStep::Gather { sizes: sizes @ [b, i, n, r], x, index, out, .. } => Host::Gather {
                sizes: *sizes,
                x: self.slot(*x, b * n * r)?,
                index: self.slot(*index, b * i)?,
                out: self.slot(*out, b * i * r)?,
            },
            HostStep::Scatter { sizes: sizes @ [b, i, n, r], x, index, out, .. } => Host::Scatter {
                sizes: *sizes,
                x: self.slot(*x, b * i * r)?,
                index: self.slot(*index, b * i)?,
                out: self.slot(*out, b * n * r)?,
            },
            HostStep::Scan { sizes, reverse, x, out, .. } => {
                let len = sizes.iter().product();
                Host::Scan {
                    sizes: *sizes,
                    reverse: *reverse,
                    x: self.slot(*x, len)?,
                    out: self.slot(*out, len)?,
                }
            }
            HostStep::ArgReduce { sizes, largest, x, out, .. } => Host::ArgReduce {
                sizes: *sizes,
                largest: *largest,
                x: self.slot(*x, sizes.iter().product())?,
                out: self.slot(*out, sizes[0] * sizes[2])?,
            },
            HostStep::ArgSort { sizes: sizes @ [rows, len], x, out } => Host::ArgSort {
                sizes: *sizes,
                x: self.slot(*x, rows * len)?,
                out: self.slot(*out, rows * len)?,
            },
            HostStep::Rows { x, .. }
            | HostStep::Dense { x: Matrix { at: x, .. }, .. }
            | HostStep::Sparse { out: x, .. } => {
                return Err(ProgramError::Extent(x.buffer));
            }
        })
    }
}

/// Whether the lengths of an entry's output vectors are those its quantity promises; reports may have any length.
fn outputs_fit(quantity: Quantity, lens: &[usize], [n, m]: [usize; 2]) -> bool {
    match quantity {
        Quantity::LowerValue | Quantity::UpperValue => lens == [1],
        Quantity::LowerGradient => lens == [1, m],
        Quantity::LowerGradients | Quantity::UpperGradients => lens == [1, n, m],
        Quantity::LowerHessian | Quantity::LowerCross => lens == [m],
        Quantity::LowerSecondOrder | Quantity::UpperSecondOrder => lens == [m, m, n],
        Quantity::Reports => lens.len() == 1,
    }
}
