//! Places buffers in memory. What must survive lies side by side; what passes within one stage shares the space after it,
//! by first fit over live ranges; and so does what passes within one tile, in the memory of a worker.

use rustc_hash::FxHashMap;

use crate::ir::loops::{Buffer, BufferId, Home, Loops, Step};

const ALIGNMENT: usize = 64;

/// Sets the first byte of every buffer and the size of the memory.
pub fn place(loops: &mut Loops) {
    let width = loops.width;
    let bytes = |b: &Buffer| (b.len * width.bytes(b.cell)).next_multiple_of(ALIGNMENT);
    let mut end = 0;
    for buffer in loops.buffers.iter_mut().filter(|b| !matches!(b.home, Home::Passing | Home::Own)) {
        buffer.byte = end;
        end += bytes(buffer);
    }
    let own_start = loops.scratch[1].map_or(0, |id| bytes(loops.buffer(id)));
    let mut places = Vec::new();
    for list in loops.lists() {
        places.extend(fit(&loops.buffers, list, Home::Passing, end, &bytes));
        for step in list {
            if let Step::Tiled(tiled) = step {
                places.extend(fit(&loops.buffers, &tiled.steps, Home::Own, own_start, &bytes));
            }
        }
    }
    (loops.bytes, loops.own_bytes) = (end, own_start);
    for (id, byte) in places {
        let buffer = &mut loops.buffers[id.0 as usize];
        buffer.byte = byte;
        let top = if buffer.home == Home::Own { &mut loops.own_bytes } else { &mut loops.bytes };
        *top = (*top).max(byte + bytes(buffer));
    }
}

/// First bytes for the buffers of one list of steps that pass, in the sense of `home`.
fn fit(
    buffers: &[Buffer],
    steps: &[Step],
    home: Home,
    base: usize,
    bytes: &dyn Fn(&Buffer) -> usize,
) -> Vec<(BufferId, usize)> {
    let passing = |id: &BufferId| buffers[id.0 as usize].home == home;
    // First write and last use, in order of the first write.
    let mut ranges: Vec<(BufferId, usize, usize)> = Vec::new();
    let mut known: FxHashMap<BufferId, usize> = FxHashMap::default();
    for (k, step) in steps.iter().enumerate() {
        for id in step.writes().into_iter().chain(step.reads()).filter(passing) {
            let range = *known.entry(id).or_insert(ranges.len());
            match ranges.get_mut(range) {
                Some(range) => range.2 = k,
                None => ranges.push((id, k, k)),
            }
        }
    }
    // What is taken while the current buffer is written, in order of place: first byte, end, last use.
    let mut taken: Vec<(usize, usize, usize)> = Vec::new();
    let mut result = Vec::new();
    for (id, first, last) in ranges {
        let size = bytes(&buffers[id.0 as usize]);
        taken.retain(|t| first <= t.2);
        let mut at = base;
        for &(start, end, _) in &taken {
            if at + size <= start {
                break;
            }
            at = at.max(end);
        }
        let place = taken.partition_point(|t| t.0 <= at);
        taken.insert(place, (at, at + size, last));
        result.push((id, at));
    }
    result
}
