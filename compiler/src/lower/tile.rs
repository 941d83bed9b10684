//! One pass over the data: steps that go through the same samples become one step that goes tile by tile, so that the rows of a
//! tile are read from memory once and stay in cache for all of them, and so that threads can share the tiles.
//!
//! A step can join when its work falls into parts by sample ([`super::sample`]). What it writes by sample and nothing
//! outside reads becomes a tile of the worker's own. What it sums over the samples becomes partial sums, one for each tile or
//! chunk of tiles, which a nest adds up afterwards in order. Tiles and chunks do not depend on the number of threads, so
//! neither do results.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::smallvec;

use super::sample::{Part, Use, candidates, parts};
use crate::ir::loops::{
    Access, Buffer, BufferId, Cell, Expr, ExprId, Home, HostStep, Loops, Matrix, Nest, Place, Shift, Sink,
    Step, Tiled,
};
use crate::ops::Reduction;
use crate::types::Elem;

/// When steps are tiled, and how large tiles are.
#[derive(Clone, Copy, Debug)]
pub struct Tiling {
    /// The least bytes of rows that make a pass over them worth sharing, among its steps or among threads.
    pub worth: usize,
    /// The bytes that the rows of a tile may fill: a good part of a second-level cache.
    pub cache: usize,
    /// The fewest samples.
    pub samples: usize,
}

impl Default for Tiling {
    fn default() -> Self {
        Tiling { worth: 1 << 20, cache: 320 << 10, samples: 32 }
    }
}

/// The most chunks: what threads share, and how many partial products there are.
const CHUNKS: usize = 16;
/// How much smaller than the rows the partial products of all chunks together stay.
const PARTIAL: usize = 8;
/// Products with fewer columns than this are quicker when what all samples share is transposed.
const THIN: usize = 20;

/// Tiles the stages of every entry, and makes the joint lists.
pub fn tile(loops: &mut Loops, tiling: &Tiling) {
    // What passes is used within one list.
    let none = FxHashSet::default();
    let mut entries = std::mem::take(&mut loops.entries);
    for entry in &mut entries {
        let [_, second, last] = &entry.stages;
        if !second.is_empty() && !last.is_empty() {
            let both: Vec<Step> = second.iter().chain(last).cloned().collect();
            let both = rename_passing(loops, both);
            let joint = list(loops, both, tiling, &none);
            if joint.iter().any(|s| matches!(s, Step::Tiled(_))) {
                entry.joint = Some(joint);
                entry.stages[1] = Vec::new();
            }
        }
        for stage in &mut entry.stages {
            *stage = list(loops, std::mem::take(stage), tiling, &none);
        }
    }
    loops.entries = entries;
}

/// The steps with buffers of their own for what passes, so that the list shares no such buffer with another one.
fn rename_passing(loops: &mut Loops, mut steps: Vec<Step>) -> Vec<Step> {
    let mut new: FxHashMap<BufferId, BufferId> = FxHashMap::default();
    for id in steps.iter_mut().flat_map(Step::buffers_mut) {
        if loops.buffer(*id).home == Home::Passing {
            *id = *new.entry(*id).or_insert_with(|| {
                let buffer = loops.buffer(*id).clone();
                add(loops, buffer)
            });
        }
    }
    steps
}

/// The buffers that steps use.
fn used<'s>(steps: impl Iterator<Item = &'s Step>) -> FxHashSet<BufferId> {
    steps.flat_map(|s| s.reads().into_iter().chain(s.writes())).collect()
}

fn add(loops: &mut Loops, buffer: Buffer) -> BufferId {
    loops.buffers.push(buffer);
    BufferId(loops.buffers.len() as u32 - 1)
}

fn new(loops: &mut Loops, name: String, cell: Cell, len: usize, home: Home) -> BufferId {
    add(loops, Buffer { name, cell, len, byte: 0, home })
}

/// The list with tiled steps in place of those worth it. `elsewhere` are buffers that steps outside of the list use.
fn list(loops: &mut Loops, steps: Vec<Step>, tiling: &Tiling, elsewhere: &FxHashSet<BufferId>) -> Vec<Step> {
    let bytes = |id: BufferId| loops.buffer(id).len * loops.width.bytes(loops.buffer(id).cell);
    let named = used(steps.iter());
    if named.iter().map(|&id| bytes(id)).sum::<usize>() < tiling.worth {
        return steps;
    }
    let groups = candidates(&steps).into_iter().filter(|&n| n >= tiling.samples);
    let groups = groups.map(|n| Split::new(steps.clone(), n));
    // The last of equals: candidates are in ascending order, and more samples make more tiles.
    let best =
        groups.map(|g| (g.bytes(loops), g)).filter(|(b, _)| *b >= tiling.worth).max_by_key(|(b, _)| *b);
    let Some((bytes, split)) = best else { return steps };
    let Split { samples, before, group, after, .. } = split;
    let parts = [used(before.iter()), used(group.iter().map(|(step, _)| step)), used(after.iter())];
    let others = |k: usize| -> FxHashSet<BufferId> {
        let rest = parts.iter().enumerate().filter(|(i, _)| *i != k).flat_map(|(_, part)| part);
        rest.chain(elsewhere).copied().collect()
    };
    let group = Group::new(loops, samples, group, &others(1), bytes, tiling);
    let Emitted { transposes, tiled, sums } = group.emit(loops);
    let mut all = list(loops, before, tiling, &others(0));
    all.extend(transposes);
    all.push(Step::Tiled(Box::new(tiled)));
    all.extend(sums);
    all.extend(list(loops, after, tiling, &others(2)));
    all
}

/// A list cut in three: the steps that run tile by tile, those that can run before, and those that must run after.
struct Split {
    samples: usize,
    before: Vec<Step>,
    group: Vec<(Step, Part)>,
    after: Vec<Step>,
    /// How the group uses buffers, and whether it writes them.
    held: FxHashMap<BufferId, (Use, bool)>,
}

impl Split {
    fn new(steps: Vec<Step>, samples: usize) -> Self {
        let held = FxHashMap::default();
        let mut split = Split { samples, before: vec![], group: vec![], after: vec![], held };
        // What is there only after the tiles: sums over samples, and what later steps write.
        let mut late: FxHashSet<BufferId> = FxHashSet::default();
        for step in steps {
            let (reads, writes) = (step.reads(), step.writes());
            let waits = reads.iter().chain(&writes).any(|b| late.contains(b));
            let part = if waits { None } else { parts(&step, samples).into_iter().find(|p| split.fits(p)) };
            if let Some(part) = part {
                for &(id, used, written) in &part.uses {
                    match split.held.entry(id) {
                        std::collections::hash_map::Entry::Occupied(mut held) => {
                            let (before, wrote) = *held.get();
                            held.insert((before.with(used).unwrap_or(before), wrote || written));
                        }
                        std::collections::hash_map::Entry::Vacant(held) => _ = held.insert((used, written)),
                    }
                    if matches!(used, Use::Sum(_)) {
                        late.insert(id);
                    }
                }
                split.group.push((step, part));
            } else if waits
                || reads.iter().any(|b| split.held.get(b).is_some_and(|(_, written)| *written))
                || writes.iter().any(|b| split.held.contains_key(b))
            {
                late.extend(writes);
                split.after.push(step);
            } else {
                split.before.push(step);
            }
        }
        split
    }

    /// Whether a step's uses agree with those of the group so far.
    fn fits(&self, part: &Part) -> bool {
        part.uses.iter().all(|&(id, used, written)| match self.held.get(&id) {
            None => true,
            Some(&(before, wrote)) => match before.with(used) {
                Some(Use::Rows { local, .. }) => local || !(written || wrote),
                Some(Use::Whole) => !(written || wrote),
                _ => false,
            },
        })
    }

    /// Bytes of everything that the group goes through row by row.
    fn bytes(&self, loops: &Loops) -> usize {
        self.held.iter().map(|(&id, (used, _))| used.stride() * self.samples * width(loops, id)).sum()
    }
}

fn width(loops: &Loops, id: BufferId) -> usize {
    loops.width.bytes(loops.buffer(id).cell)
}

/// What is summed over the samples.
struct Total {
    out: BufferId,
    partial: BufferId,
    count: usize,
    reduce: Reduction,
    /// Rows and columns of a product that is kept transposed.
    transposed: Option<[usize; 2]>,
}

/// The steps of a group with what is known of its tiles.
struct Group {
    samples: usize,
    tile: usize,
    chunk: usize,
    steps: Vec<(Step, Part)>,
    /// Buffers of the group that take the place of others.
    new: FxHashMap<BufferId, BufferId>,
    shifts: Vec<(BufferId, Shift)>,
    totals: Vec<Total>,
    transposes: Vec<Step>,
    /// Transposed copies of what all samples share.
    copies: FxHashMap<Matrix, BufferId>,
}

struct Emitted {
    transposes: Vec<Step>,
    tiled: Tiled,
    sums: Vec<Step>,
}

impl Group {
    fn new(
        loops: &mut Loops,
        samples: usize,
        steps: Vec<(Step, Part)>,
        outside: &FxHashSet<BufferId>,
        bytes: usize,
        tiling: &Tiling,
    ) -> Self {
        let products: usize = steps
            .iter()
            .flat_map(|(step, part)| part.uses.iter().map(move |u| (step, u)))
            .filter(|(step, u)| matches!(u.1, Use::Sum(_)) && matches!(step, Step::Host(_)))
            .map(|(_, u)| loops.buffer(u.0).len * width(loops, u.0))
            .sum();
        let tile =
            tile_size(samples, (tiling.cache / (bytes / samples).max(1)).min(samples.div_ceil(CHUNKS)));
        let tiles = samples.div_ceil(tile);
        let chunks = (bytes / (PARTIAL * products.max(1))).clamp(1, CHUNKS);
        let chunk = tiles.div_ceil(chunks);
        let mut group = Group {
            samples,
            tile,
            chunk,
            steps,
            new: FxHashMap::default(),
            shifts: Vec::new(),
            totals: Vec::new(),
            transposes: Vec::new(),
            copies: FxHashMap::default(),
        };
        group.assign(loops, outside);
        group
    }

    /// Decides where everything the group uses lies.
    fn assign(&mut self, loops: &mut Loops, outside: &FxHashSet<BufferId>) {
        let written: FxHashSet<BufferId> = self.steps.iter().flat_map(|(s, _)| s.writes()).collect();
        let mut seen = FxHashSet::default();
        let uses: Vec<(usize, BufferId, Use)> = self
            .steps
            .iter()
            .enumerate()
            .flat_map(|(k, (_, part))| part.uses.iter().map(move |&(id, used, _)| (k, id, used)))
            .filter(|&(_, id, _)| seen.insert(id))
            .collect();
        for (k, id, used) in uses {
            let buffer = loops.buffer(id).clone();
            match used {
                Use::Whole => {}
                Use::Rows { stride, .. } => {
                    let passes =
                        buffer.home == Home::Passing && written.contains(&id) && !outside.contains(&id);
                    if passes && buffer.len == stride * self.samples {
                        let own = new(loops, buffer.name, buffer.cell, stride * self.tile, Home::Own);
                        self.new.insert(id, own);
                    } else {
                        self.shifts.push((id, Shift::Tile(stride * self.tile)));
                    }
                }
                Use::Sum(reduce) => {
                    let tiles = self.samples.div_ceil(self.tile);
                    let product = matches!(self.steps[k].0, Step::Host(_));
                    let count = if product { tiles.div_ceil(self.chunk) } else { tiles };
                    let name = format!("parts of {}", buffer.name);
                    let partial = new(loops, name, buffer.cell, count * buffer.len, Home::Passing);
                    let shift = if product { Shift::Chunk(buffer.len) } else { Shift::Tile(buffer.len) };
                    self.shifts.push((partial, shift));
                    self.new.insert(id, partial);
                    let transposed = self.steps[k].1.transposed(&self.steps[k].0);
                    self.totals.push(Total { out: id, partial, count, reduce, transposed });
                }
            }
        }
    }

    fn emit(mut self, loops: &mut Loops) -> Emitted {
        let steps = std::mem::take(&mut self.steps);
        let [mut whole, rest] = [self.tile, self.samples % self.tile].map(|rows| {
            let steps = if rows > 0 { &steps[..] } else { &[] };
            steps.iter().map(|(step, part)| self.step(loops, part.of(step, rows))).collect::<Vec<Step>>()
        });
        fetch_ahead(&mut whole, &self.shifts);
        let sums = self.totals.iter().flat_map(|t| total(loops, t)).collect();
        let Group { samples: rows, tile, chunk, shifts, transposes, .. } = self;
        Emitted { transposes, tiled: Tiled { rows, tile, chunk, steps: whole, rest, shifts }, sums }
    }

    /// A step of one tile with the group's buffers.
    fn step(&mut self, loops: &mut Loops, mut step: Step) -> Step {
        if let Step::Host(HostStep::Gemm { sizes: [1, _, n, k], rhs, cell: Cell::Real, .. }) = &mut step
            && !self.shifts.iter().any(|(b, _)| *b == rhs.at.buffer)
            && !self.new.contains_key(&rhs.at.buffer)
            && (2..=THIN).contains(n)
            && rhs.row != 1
        {
            let copy = *self.copies.entry(*rhs).or_insert_with(|| {
                let name = format!("{} transposed", loops.buffer(rhs.at.buffer).name);
                let copy = new(loops, name, Cell::Real, *n * *k, Home::Passing);
                self.transposes.push(transpose(*rhs, [*k, *n], copy));
                copy
            });
            *rhs = Matrix { at: Place { buffer: copy, offset: 0 }, batch: 0, row: 1, col: *k };
        }
        for id in step.buffers_mut() {
            if let Some(&new) = self.new.get(id) {
                *id = new;
            }
        }
        step
    }
}

/// Samples of a tile: about `most`, without a remainder or at least in whole blocks of registers where that is possible.
fn tile_size(samples: usize, most: usize) -> usize {
    let most = most.clamp(1, samples.max(1));
    let near = most - most / 4..=most + most / 8;
    near.rev().find(|t| t.is_multiple_of(4) && samples.is_multiple_of(*t)).unwrap_or(if most >= 8 {
        most - most % 8
    } else {
        most
    })
}

/// Marks the products that share rows of data: the first one that sums over the samples fetches the next tile for all of them.
fn fetch_ahead(steps: &mut [Step], shifts: &[(BufferId, Shift)]) {
    let by_tile = |x: &Matrix| shifts.iter().any(|(b, s)| *b == x.at.buffer && matches!(s, Shift::Tile(_)));
    let mut fetched = FxHashSet::default();
    for step in &mut *steps {
        if let Step::Host(HostStep::Gemm { rhs, accumulate: true, ahead, .. }) = step {
            *ahead = by_tile(rhs) && fetched.insert(rhs.at.buffer);
        }
    }
    for step in steps {
        if let Step::Host(HostStep::Gemm { lhs, accumulate: false, ahead, .. }) = step {
            *ahead = by_tile(lhs) && fetched.contains(&lhs.at.buffer);
        }
    }
}

fn real(exprs: &[Expr]) -> Vec<(Expr, Elem)> {
    exprs.iter().map(|e| (e.clone(), Elem::Real)).collect()
}

/// `out[j, i] = x[i, j]`, row-major.
fn transpose(x: Matrix, [rows, cols]: [usize; 2], out: BufferId) -> Step {
    let load = Access { offset: x.at.offset, strides: smallvec![x.row, x.col] };
    let store = Access { offset: 0, strides: smallvec![1, rows] };
    Step::Nest(Nest {
        extents: vec![rows, cols],
        exprs: real(&[Expr::Load(0, load)]),
        sinks: vec![Sink { value: ExprId(0), arg: 1, access: store, reduce: None }],
        args: vec![(x.at.buffer, Cell::Real), (out, Cell::Real)],
        tiles: 0,
    })
}

/// The steps that add up the parts of a sum.
fn total(loops: &mut Loops, total: &Total) -> Vec<Step> {
    let Buffer { cell, len, .. } = *loops.buffer(total.out);
    let elem = if cell == Cell::Real { Elem::Real } else { Elem::Int };
    let to = match total.transposed {
        Some(_) => new(loops, String::from("sum"), cell, len, Home::Passing),
        None => total.out,
    };
    let (extents, load, store) = if len == 1 {
        (vec![total.count], smallvec![1], smallvec![0])
    } else {
        (vec![total.count, len], smallvec![len, 1], smallvec![0, 1])
    };
    let sink = Sink {
        value: ExprId(0),
        arg: 1,
        access: Access { offset: 0, strides: store },
        reduce: Some(total.reduce),
    };
    let sum = Step::Nest(Nest {
        extents,
        exprs: vec![(Expr::Load(0, Access { offset: 0, strides: load }), elem)],
        sinks: vec![sink],
        args: vec![(total.partial, cell), (to, cell)],
        tiles: 0,
    });
    let back = total.transposed.map(|[rows, cols]| {
        let x = Matrix { at: Place { buffer: to, offset: 0 }, batch: 0, row: cols, col: 1 };
        transpose(x, [rows, cols], total.out)
    });
    std::iter::once(sum).chain(back).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_have_no_remainder_where_that_is_possible() {
        assert_eq!(tile_size(5000, 49), 40);
        assert_eq!(tile_size(5000, 98), 100);
        assert_eq!(tile_size(5003, 49), 48);
        assert_eq!(tile_size(64, 5), 4);
        assert_eq!(tile_size(7, 5), 5);
        assert_eq!(tile_size(3, 0), 1);
    }
}
