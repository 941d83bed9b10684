//! The invariants of [`Loops`]:
//! 1. every buffer lies in the memory, and buffers that are kept overlap no other;
//! 2. every step stays inside the buffers it names, and they hold what it expects;
//! 3. every buffer is written before it is read: by the setup, an earlier stage, or an earlier step of the same stage, with
//!    no write to memory it shares in between;
//! 4. no step writes a buffer it also reads, and every expression uses earlier ones.

use super::{BufferId, Expr, Home, Loops, Nest, Step};

/// The first broken invariant, in words.
pub fn verify(loops: &Loops) -> Result<(), String> {
    memory(loops)?;
    for step in loops.steps() {
        bounds(loops, step)?;
    }
    order(loops)
}

fn bytes(loops: &Loops, id: BufferId) -> std::ops::Range<usize> {
    let b = loops.buffer(id);
    b.byte..b.byte + b.len * loops.width.bytes(b.cell)
}

fn memory(loops: &Loops) -> Result<(), String> {
    let mut ranges: Vec<_> =
        (0..loops.buffers.len()).map(|i| (bytes(loops, BufferId(i as u32)), i)).collect();
    ranges.retain(|(r, _)| !r.is_empty());
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

fn bounds(loops: &Loops, step: &Step) -> Result<(), String> {
    let check = |id: BufferId, cell, end: usize| {
        let Some(buffer) = loops.buffers.get(id.0 as usize) else {
            return Err(format!("no buffer {}", id.0));
        };
        if buffer.cell != cell || buffer.len < end {
            return Err(format!("a step uses {end} cells of {cell:?} of buffer {} ({})", id.0, buffer.name));
        }
        Ok(())
    };
    match step {
        Step::Nest(nest) => {
            expressions(nest)?;
            for (&(id, cell), end) in nest.args.iter().zip(nest.extents_of_args()) {
                check(id, cell, end)?;
            }
        }
        Step::Host(host) => {
            for (id, cell, end) in host.reads().into_iter().chain([host.writes()]) {
                check(id, cell, end)?;
            }
        }
    }
    let (reads, writes) = (step.reads(), step.writes());
    match writes.iter().find(|w| reads.contains(w)) {
        Some(w) => Err(format!("a step reads and writes buffer {}", w.0)),
        None => Ok(()),
    }
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
    let given = |i: usize| matches!(loops.buffers[i].home, Home::Data(_) | Home::Vector(_));
    let mut after_setup: Vec<bool> = (0..loops.buffers.len()).map(given).collect();
    run(loops, &loops.setup, &mut after_setup, "setup")?;
    for entry in &loops.entries {
        let mut defined = after_setup.clone();
        for (stage, steps) in entry.stages.iter().enumerate() {
            // What merely passes does not survive to the next stage: another entry may have run in between.
            let passing = |i: usize| loops.buffers[i].home == Home::Passing;
            (0..defined.len()).filter(|&i| passing(i)).for_each(|i| defined[i] = false);
            run(loops, steps, &mut defined, &format!("stage {stage} of {}", entry.quantity.name()))?;
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
                if *defined && o.start < range.end && range.start < o.end && other != id.0 as usize {
                    *defined = false;
                }
            }
        }
        step.writes().iter().for_each(|id| defined[id.0 as usize] = true);
    }
    Ok(())
}
