//! Places buffers in memory. What must survive lies side by side; what passes within one stage shares the space after it,
//! by first fit over live ranges.

use rustc_hash::FxHashMap;

use crate::ir::loops::{Buffer, BufferId, Home, Loops, Step};

const ALIGNMENT: usize = 64;

/// Sets the first byte of every buffer and the size of the memory.
pub fn place(loops: &mut Loops) {
    let width = loops.width;
    let bytes = |b: &Buffer| (b.len * width.bytes(b.cell)).next_multiple_of(ALIGNMENT);
    let mut end = 0;
    for buffer in loops.buffers.iter_mut().filter(|b| b.home != Home::Passing) {
        buffer.byte = end;
        end += bytes(buffer);
    }
    let mut top = end;
    let lists = std::iter::once(&loops.setup).chain(loops.entries.iter().flat_map(|e| &e.stages));
    for list in lists {
        for (id, byte) in fit(&loops.buffers, list, end, &bytes) {
            let buffer = &mut loops.buffers[id.0 as usize];
            buffer.byte = byte;
            top = top.max(byte + bytes(buffer));
        }
    }
    loops.bytes = top;
}

/// First bytes for the passing buffers of one list of steps.
fn fit(
    buffers: &[Buffer],
    steps: &[Step],
    base: usize,
    bytes: &dyn Fn(&Buffer) -> usize,
) -> Vec<(BufferId, usize)> {
    let passing = |id: &BufferId| buffers[id.0 as usize].home == Home::Passing;
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
