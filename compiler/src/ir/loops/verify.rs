//! The invariants of [`Loops`]:
//! 1. every buffer lies in the memory, and buffers that are kept overlap no other;
//! 2. every step stays inside the buffers it names, and they hold what it expects;
//! 3. every buffer is written before it is read: by the setup, an earlier stage, or an earlier step of the same stage, with
//!    no write to memory it shares in between;
//! 4. no step writes a buffer it also reads, and every expression uses earlier ones;
//! 5. tiles do not meet: what a step of a tile writes is the worker's own, or moves by at least as much as a tile uses of it; the
//!    tiles cover all rows, and buffers that are a worker's own occur in tiles alone;
//! 6. a joint list leaves behind what the last stage by itself needs.

use super::{BufferId, Cell, Expr, Home, Loops, Nest, Shift, Step, Tiled};

/// The first broken invariant, in words.
pub fn verify(loops: &Loops) -> Result<(), String> {
    memory(loops)?;
    for step in loops.lists().flatten() {
        match step {
            Step::Tiled(tiled) => tiles(loops, tiled)?,
            _ => bounds(loops, step, None)?,
        }
    }
    order(loops)
}

fn is_own(loops: &Loops, id: BufferId) -> bool {
    loops.buffer(id).home == Home::Own
}

fn bytes(loops: &Loops, id: BufferId) -> std::ops::Range<usize> {
    let b = loops.buffer(id);
    b.byte..b.byte + b.len * loops.width.bytes(b.cell)
}

fn memory(loops: &Loops) -> Result<(), String> {
    let mut ranges: Vec<_> =
        (0..loops.buffers.len()).map(|i| (bytes(loops, BufferId(i as u32)), i)).collect();
    let own = |i: usize| is_own(loops, BufferId(i as u32));
    if let Some((_, i)) = ranges.iter().find(|(r, i)| own(*i) && r.end > loops.own_bytes) {
        return Err(format!("buffer {i} ends outside the memory of a worker"));
    }
    ranges.retain(|(r, i)| !r.is_empty() && !own(*i));
    ranges.sort_by_key(|(r, _)| r.start);
    let mut end = (0, None);
    for (range, i) in ranges {
        if range.end > loops.bytes {
            return Err(format!("buffer {i} ends outside the memory"));
        }
        let passing = |i: usize| loops.buffers[i].home == Home::Passing;
        if let (last, Some(before)) = end
            && range.start < last
            && !(passing(i) && passing(before))
        {
            return Err(format!("buffers {before} and {i} overlap"));
        }
        if range.end > end.0 {
            end = (range.end, Some(i));
        }
    }
    Ok(())
}

/// What a step uses: buffer, cell, and one past the last cell.
fn extents(step: &Step) -> Vec<(BufferId, Cell, usize)> {
    match step {
        Step::Nest(nest) => {
            nest.args.iter().zip(nest.extents_of_args()).map(|(a, end)| (a.0, a.1, end)).collect()
        }
        Step::Host(host) => host.reads().into_iter().chain([host.writes()]).collect(),
        Step::Tiled(_) => Vec::new(),
    }
}

/// Checks a step by itself, or as one that is in the last of the tiles it occurs in.
fn bounds(loops: &Loops, step: &Step, tile: Option<(&Tiled, usize)>) -> Result<(), String> {
    let writes = step.writes();
    if let Step::Nest(nest) = step {
        expressions(nest)?;
    }
    for (id, cell, end) in extents(step) {
        let Some(buffer) = loops.buffers.get(id.0 as usize) else {
            return Err(format!("no buffer {}", id.0));
        };
        let own = buffer.home == Home::Own;
        let mut moved = 0;
        if let Some((tiled, last)) = tile {
            let (shift, by) = match tiled.shift(id) {
                Some(Shift::Tile(cells)) => (Some(cells), cells * last),
                Some(Shift::Chunk(cells)) => (Some(cells), cells * (tiled.chunks() - 1)),
                None => (None, 0),
            };
            moved = by;
            let apart = shift.is_some_and(|s| s >= end);
            if (own && shift.is_some())
                || (!own && tiled.steps.iter().any(|s| s.writes().contains(&id)) && !apart)
            {
                return Err(format!("tiles meet in buffer {} ({})", id.0, buffer.name));
            }
        } else if own {
            return Err(format!("buffer {} is a worker's own outside of tiles", id.0));
        }
        if buffer.cell != cell || buffer.len < end + moved {
            return Err(format!("a step uses {end} cells of {cell:?} of buffer {} ({})", id.0, buffer.name));
        }
    }
    let reads = step.reads();
    match writes.iter().find(|w| reads.contains(w)) {
        Some(w) => Err(format!("a step reads and writes buffer {}", w.0)),
        None => Ok(()),
    }
}

fn tiles(loops: &Loops, tiled: &Tiled) -> Result<(), String> {
    let Tiled { rows, tile, chunk, steps, rest, .. } = tiled;
    if *tile == 0 || *chunk == 0 || rows < tile || rest.is_empty() != rows.is_multiple_of(*tile) {
        return Err(format!("tiles of {tile} do not cover {rows} rows"));
    }
    let whole = rows / tile;
    let lists = [(steps, whole - 1), (rest, whole)];
    for (list, last) in lists.into_iter().filter(|(list, _)| !list.is_empty()) {
        let mut defined: Vec<bool> = loops.buffers.iter().map(|b| b.home != Home::Own).collect();
        run(loops, list, &mut defined, "a tile")?;
        list.iter().try_for_each(|step| bounds(loops, step, Some((tiled, last))))?;
    }
    Ok(())
}

fn expressions(nest: &Nest) -> Result<(), String> {
    if nest.extents.is_empty() {
        return Err("a nest has no axis".into());
    }
    for (k, (expr, _)) in nest.exprs.iter().enumerate() {
        if expr.operands().iter().any(|o| o.0 as usize >= k) {
            return Err(format!("expression {k} uses a later one"));
        }
        match expr {
            Expr::Load(arg, _) if *arg >= nest.args.len() => {
                return Err(format!("expression {k} loads from no buffer"));
            }
            Expr::Load(_, a) | Expr::Index(a) if a.strides.len() != nest.extents.len() => {
                return Err(format!("expression {k} has strides of another rank"));
            }
            _ => {}
        }
    }
    let sound = |s: &super::Sink| {
        (s.value.0 as usize) < nest.exprs.len()
            && s.arg < nest.args.len()
            && s.access.strides.len() == nest.extents.len()
    };
    if nest.sinks.iter().all(sound) { Ok(()) } else { Err("a sink of a nest is malformed".into()) }
}

fn order(loops: &Loops) -> Result<(), String> {
    let given = |i: usize| matches!(loops.buffers[i].home, Home::Data(_) | Home::Vector(_) | Home::Batch(_));
    let mut after_setup: Vec<bool> = (0..loops.buffers.len()).map(given).collect();
    run(loops, &loops.setup, &mut after_setup, "setup")?;
    for entry in &loops.entries {
        let mut defined = after_setup.clone();
        for (stage, steps) in entry.stages.iter().enumerate() {
            // What merely passes does not survive to the next stage: another entry may have run in between.
            let passing = |i: usize| loops.buffers[i].home == Home::Passing;
            (0..defined.len()).filter(|&i| passing(i)).for_each(|i| defined[i] = false);
            let name = format!("stage {stage} of {}", entry.quantity.name());
            if stage == 1
                && let Some(joint) = &entry.joint
            {
                run(loops, joint, &mut defined, &name)?;
                (0..defined.len()).filter(|&i| passing(i)).for_each(|i| defined[i] = false);
                for (place, _) in entry.outputs.iter().flatten() {
                    if !defined[place.buffer.0 as usize] {
                        return Err(format!("an output of {} is not written jointly", entry.quantity.name()));
                    }
                }
            }
            run(loops, steps, &mut defined, &name)?;
        }
        for (place, _) in entry.outputs.iter().flatten() {
            if !defined[place.buffer.0 as usize] {
                return Err(format!("an output of {} is never written", entry.quantity.name()));
            }
        }
    }
    Ok(())
}

fn run(loops: &Loops, steps: &[Step], defined: &mut [bool], what: &str) -> Result<(), String> {
    for (k, step) in steps.iter().enumerate() {
        for id in step.reads() {
            if !defined[id.0 as usize] {
                return Err(format!("step {k} of {what} reads buffer {} before it is written", id.0));
            }
        }
        for id in step.writes() {
            let range = bytes(loops, id);
            for (other, defined) in defined.iter_mut().enumerate() {
                let o = bytes(loops, BufferId(other as u32));
                let together = is_own(loops, id) == is_own(loops, BufferId(other as u32));
                if *defined
                    && together
                    && o.start < range.end
                    && range.start < o.end
                    && other != id.0 as usize
                {
                    *defined = false;
                }
            }
        }
        step.writes().iter().for_each(|id| defined[id.0 as usize] = true);
    }
    Ok(())
}
