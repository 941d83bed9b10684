//! From graph to loops: which nodes get buffers (`choose`), what is fused into which nest (`schedule`, `fuse`), how views
//! become offsets and strides (`view`), what runs tile by tile along the samples (`tile`, `sample`), and where buffers lie
//! (`memory`).
//!
//! Work is split by stage. What depends on data alone is computed once, for all entries together. What depends on `x` alone, or
//! on `(x, y)`, is a stage of its own in every entry, so that the program can skip it while `x`, or `(x, y)`, stays.

mod choose;
mod expand;
mod fuse;
mod memory;
mod sample;
mod schedule;
mod tile;
mod view;

use rustc_hash::{FxHashMap, FxHashSet};

use self::schedule::{Item, Scheduler, Store};
pub use self::tile::Tiling;
use crate::entry::{Entry, Layout};
use crate::ir::graph::{Attrs, Graph, InputId, NodeId, Role};
use crate::ir::loops::{Buffer, BufferId, Cell, Home, LoopEntry, Loops, Place, Step, TILE_STRIDE, Width};
use crate::model::Precision;
use crate::ops;

/// Lowers entries to loops. The graph gains the nodes that operators are written out in.
pub fn lower(g: &mut Graph, layout: &Layout, entries: &[Entry], precision: Precision) -> Loops {
    lower_with(g, layout, entries, precision, &Tiling::default())
}

/// As [`lower`], with a choice of when to tile.
pub fn lower_with(
    g: &mut Graph,
    layout: &Layout,
    entries: &[Entry],
    precision: Precision,
    tiling: &Tiling,
) -> Loops {
    let flat: Vec<NodeId> = entries.iter().flat_map(|e| e.outputs.iter().flatten().copied()).collect();
    let mut new = expand::expand(g, &flat).into_iter();
    let outputs: Vec<Vec<Vec<NodeId>>> = entries
        .iter()
        .map(|e| e.outputs.iter().map(|o| new.by_ref().take(o.len()).collect()).collect())
        .collect();
    let stored = stored(g, &outputs);
    let mut program = Draft::new(g, layout, &outputs);
    program.setup(&outputs, &stored);
    for (k, entry) in entries.iter().enumerate() {
        program.entry(entry, &outputs[k], &stored[k]);
    }
    let width = if precision == Precision::F64 { Width::Double } else { Width::Single };
    let lens = [&layout.upper, &layout.lower].map(|v| v.iter().map(|&i| g.input_info(i).ty.len()).sum());
    let mut loops = program.finish(width, lens);
    tile::tile(&mut loops, tiling);
    renumber(&mut loops);
    scratch(&mut loops);
    memory::place(&mut loops);
    debug_assert_eq!(loops.verify(), Ok(()));
    loops
}

/// Per entry, which nodes have buffers. Entries agree on what depends on data alone.
fn stored(g: &Graph, outputs: &[Vec<Vec<NodeId>>]) -> Vec<Vec<bool>> {
    let roots: Vec<Vec<NodeId>> = outputs.iter().map(|o| o.concat()).collect();
    let needed: Vec<Vec<NodeId>> = roots.iter().map(|r| g.reachable(r)).collect();
    let mut stored = vec![vec![false; g.len()]; outputs.len()];
    loop {
        let mut shared = vec![false; g.len()];
        for (roots, stored) in roots.iter().zip(&mut stored) {
            choose::choose(g, roots, stored);
            (0..g.len()).for_each(|i| shared[i] |= stored[i] && g.node(NodeId(i as u32)).stage == Role::Data);
        }
        let mut changed = false;
        for (needed, stored) in needed.iter().zip(&mut stored) {
            for i in needed.iter().map(|id| id.0 as usize).filter(|&i| shared[i]) {
                changed |= !std::mem::replace(&mut stored[i], true);
            }
        }
        if !changed {
            return stored;
        }
    }
}

/// The program while buffers are still being added.
struct Draft<'a> {
    g: &'a Graph,
    buffers: Vec<Buffer>,
    /// Places of inputs and of what depends on data alone.
    shared: FxHashMap<NodeId, Place>,
    setup: Vec<Item>,
    entries: Vec<DraftEntry>,
}

struct DraftEntry {
    quantity: blo_runtime::derivatives::Quantity,
    stages: [Vec<Item>; 3],
    outputs: Vec<Vec<(Place, usize)>>,
}

/// Buffers of the setup or of one entry.
struct Unit<'d> {
    buffers: &'d mut Vec<Buffer>,
    shared: &'d FxHashMap<NodeId, Place>,
    own: FxHashMap<NodeId, Place>,
}

impl Store for Unit<'_> {
    fn place(&self, id: NodeId) -> Place {
        match self.own.get(&id).or_else(|| self.shared.get(&id)) {
            Some(&place) => place,
            None => crate::bug!("node %{} is read before it is computed", id.0),
        }
    }

    fn create(&mut self, id: NodeId, name: String, cell: Cell, len: usize) -> BufferId {
        let buffer = BufferId(self.buffers.len() as u32);
        self.buffers.push(Buffer { name, cell, len, byte: 0, home: Home::Passing });
        self.own.insert(id, Place { buffer, offset: 0 });
        buffer
    }
}

impl<'a> Draft<'a> {
    /// Buffers for the solver's vectors and the data that the outputs need.
    fn new(g: &'a Graph, layout: &Layout, outputs: &[Vec<Vec<NodeId>>]) -> Self {
        let mut draft = Draft {
            g,
            buffers: Vec::new(),
            shared: FxHashMap::default(),
            setup: Vec::new(),
            entries: Vec::new(),
        };
        let mut nodes: FxHashMap<InputId, NodeId> = FxHashMap::default();
        for id in g.reachable(&outputs.concat().concat()) {
            if let Attrs::Input(input) = g.node(id).attrs {
                nodes.insert(input, id);
            }
        }
        let vectors = [&layout.upper, &layout.lower, &layout.upper_direction, &layout.lower_direction];
        for (which, inputs) in vectors.into_iter().enumerate() {
            let buffer = BufferId(draft.buffers.len() as u32);
            let mut offset = 0;
            for input in inputs {
                if let Some(node) = nodes.remove(input) {
                    draft.shared.insert(node, Place { buffer, offset });
                }
                offset += g.input_info(*input).ty.len();
            }
            let name = ["x", "y", "direction in x", "direction in y"][which].to_string();
            draft.buffers.push(Buffer {
                name,
                cell: Cell::Real,
                len: offset,
                byte: 0,
                home: Home::Vector(which),
            });
        }
        for (k, inputs) in layout.batches.iter().enumerate() {
            for (which, input) in inputs.iter().enumerate() {
                let Some(node) = nodes.remove(input) else { continue };
                let buffer = BufferId(draft.buffers.len() as u32);
                let info = g.input_info(*input);
                draft.buffers.push(Buffer {
                    name: info.name.clone(),
                    cell: fuse::cell(info.ty.elem),
                    len: info.ty.len(),
                    byte: 0,
                    home: Home::Batch(2 * k + which),
                });
                draft.shared.insert(node, Place { buffer, offset: 0 });
            }
        }
        let mut data: Vec<(InputId, NodeId)> = nodes.into_iter().collect();
        data.sort_unstable();
        for (input, node) in data {
            let info = g.input_info(input);
            let buffer = BufferId(draft.buffers.len() as u32);
            let (cell, len) = (fuse::cell(info.ty.elem), info.ty.len());
            draft.buffers.push(Buffer {
                name: info.name.clone(),
                cell,
                len,
                byte: 0,
                home: Home::Data(input),
            });
            draft.shared.insert(node, Place { buffer, offset: 0 });
        }
        draft
    }

    /// The steps that depend on data alone, for all entries.
    fn setup(&mut self, outputs: &[Vec<Vec<NodeId>>], stored: &[Vec<bool>]) {
        let g = self.g;
        let mut all = vec![false; g.len()];
        stored.iter().for_each(|s| (0..g.len()).for_each(|i| all[i] |= s[i]));
        let needed = g.reachable(&outputs.concat().concat());
        let mut unit = Unit { buffers: &mut self.buffers, shared: &self.shared, own: FxHashMap::default() };
        let mut scheduler = Scheduler::new(g, &all);
        for id in needed.into_iter().filter(|id| all[id.0 as usize] && g.node(*id).stage == Role::Data) {
            if !g.is(id, &ops::INPUT) {
                scheduler.add(&mut unit, id);
            }
        }
        let own = unit.own;
        self.setup = scheduler.finish();
        self.shared.extend(own);
    }

    fn entry(&mut self, entry: &Entry, outputs: &[Vec<NodeId>], stored: &[bool]) {
        let g = self.g;
        let needed = g.reachable(&outputs.concat());
        let directed = needed.iter().any(|&id| g.node(id).stage > Role::Multiplier);
        let mut unit = Unit { buffers: &mut self.buffers, shared: &self.shared, own: FxHashMap::default() };
        let stages = [0, 1, 2].map(|stage| {
            let mut scheduler = Scheduler::new(g, stored);
            for &id in needed.iter().filter(|id| stored[id.0 as usize]) {
                let node = g.node(id);
                let belongs = match node.stage {
                    Role::Data => false,
                    Role::Batch | Role::Upper => stage == 0,
                    Role::Lower | Role::Multiplier => stage == if directed { 1 } else { 2 },
                    Role::UpperDirection | Role::LowerDirection => stage == 2,
                };
                if belongs && !g.is(id, &ops::INPUT) {
                    scheduler.add(&mut unit, id);
                }
            }
            scheduler.finish()
        });
        let piece = |&id: &NodeId| {
            let Some(v) = view::view(g, stored, id) else { crate::bug!("an output has no buffer") };
            let at = unit.place(v.base);
            (Place { buffer: at.buffer, offset: at.offset + v.offset }, g.ty(id).len())
        };
        let outputs = outputs.iter().map(|o| o.iter().map(piece).collect()).collect();
        self.entries.push(DraftEntry { quantity: entry.quantity, stages, outputs });
    }

    /// Drops what nothing reads, decides which buffers are kept, and numbers the rest.
    fn finish(self, width: Width, lens: [usize; 2]) -> Loops {
        let Draft { mut buffers, setup, entries, .. } = self;
        let mut read = vec![false; buffers.len()];
        let mut kept = vec![false; buffers.len()];
        let mut done = Vec::new();
        for entry in entries {
            let mut wanted = vec![false; buffers.len()];
            for (place, _) in entry.outputs.iter().flatten() {
                wanted[place.buffer.0 as usize] = true;
                kept[place.buffer.0 as usize] = true;
            }
            let [first, second, last] = entry.stages;
            let last = live(last, &mut wanted);
            let second = live(second, &mut wanted);
            let first = live(first, &mut wanted);
            let stages = [first, second, last];
            stages.iter().for_each(|steps| keep_foreign(steps, &mut kept));
            (0..wanted.len()).for_each(|i| read[i] |= wanted[i]);
            done.push(LoopEntry { quantity: entry.quantity, stages, joint: None, outputs: entry.outputs });
        }
        let setup = live(setup, &mut read);
        for (buffer, kept) in buffers.iter_mut().zip(&kept) {
            if *kept && buffer.home == Home::Passing {
                buffer.home = Home::Kept;
            }
        }
        Loops { width, buffers, bytes: 0, own_bytes: 0, lens, scratch: [None; 2], setup, entries: done }
    }
}

/// Marks what a stage reads and another one wrote.
fn keep_foreign(steps: &[Step], kept: &mut [bool]) {
    let mut foreign: Vec<BufferId> = steps.iter().flat_map(Step::reads).collect();
    let written: FxHashSet<BufferId> = steps.iter().flat_map(Step::writes).collect();
    foreign.retain(|b| !written.contains(b));
    foreign.iter().for_each(|b| kept[b.0 as usize] = true);
}

/// The steps whose results are wanted; what they read becomes wanted.
fn live(items: Vec<Item>, wanted: &mut [bool]) -> Vec<Step> {
    let mut steps = Vec::new();
    for item in items.into_iter().rev() {
        let step = match item {
            Item::Nest(mut builder, _) => {
                if !builder.keep(&|b| wanted[b.0 as usize]) {
                    continue;
                }
                Step::Nest(builder.finish())
            }
            Item::Host(host) if wanted[host.writes().0.0 as usize] => Step::Host(host),
            Item::Host(_) => continue,
        };
        step.reads().iter().for_each(|b| wanted[b.0 as usize] = true);
        steps.push(step);
    }
    steps.reverse();
    steps
}

/// Removes the buffers that nothing names.
fn renumber(loops: &mut Loops) {
    let mut buffers = std::mem::take(&mut loops.buffers);
    let mut used = vec![false; buffers.len()];
    for id in loops.lists_mut().flatten().flat_map(Step::buffers_mut) {
        used[id.0 as usize] = true;
    }
    loops
        .entries
        .iter()
        .flat_map(|e| e.outputs.iter().flatten())
        .for_each(|p| used[p.0.buffer.0 as usize] = true);
    let mut new = vec![BufferId(0); used.len()];
    let kept = new.iter_mut().zip(&used).filter(|(_, used)| **used);
    kept.zip(0..).for_each(|((new, _), count)| *new = BufferId(count));
    let mut kept = used.iter();
    buffers.retain(|_| kept.next() == Some(&true));
    loops.buffers = buffers;
    loops.lists_mut().flatten().flat_map(Step::buffers_mut).for_each(|id| *id = new[id.0 as usize]);
    let outputs = loops.entries.iter_mut().flat_map(|e| e.outputs.iter_mut().flatten());
    outputs.for_each(|(place, _)| place.buffer = new[place.buffer.0 as usize]);
}

/// Adds the buffers of tiles for block kernels: one for nests that run by themselves, one for those in [`Step::Tiled`].
fn scratch(loops: &mut Loops) {
    let mut most = [0; 2];
    for step in loops.lists().flatten() {
        let which = usize::from(matches!(step, Step::Tiled(_)));
        for leaf in step.leaves() {
            if let Step::Nest(nest) = leaf {
                most[which] = most[which].max(nest.tiles);
            }
        }
    }
    for (which, home) in [Home::Scratch, Home::Own].into_iter().enumerate().filter(|(k, _)| most[*k] > 0) {
        loops.scratch[which] = Some(BufferId(loops.buffers.len() as u32));
        let len = most[which] * TILE_STRIDE;
        loops.buffers.push(Buffer { name: String::from("tiles"), cell: Cell::Real, len, byte: 0, home });
    }
}
