//! The threads that large steps share. Programs use those of the rayon pool they are made in. A process that wants one
//! pool for everything says how many threads it may have ([`allow`]); the pool is started by the first program large enough to
//! use it, and the thread that makes this program becomes its first member, so that no call has to enter it.
//!
//! Results do not depend on the number of threads.

use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

static ALLOWED: AtomicUsize = AtomicUsize::new(1);
static START: Once = Once::new();

/// Below so many bytes a program has no step that is worth sharing.
const LARGE: usize = 1 << 20;

/// Allows so many threads (at least 1, the default) to programs that are made outside of any pool, from the next one on.
pub fn allow(threads: usize) {
    ALLOWED.store(threads.max(1), Ordering::Relaxed);
}

/// The threads for a new program that needs so many bytes.
pub(crate) fn for_program(bytes: usize) -> usize {
    let allowed = ALLOWED.load(Ordering::Relaxed);
    if bytes < LARGE {
        return 1;
    }
    if rayon::current_thread_index().is_none() && allowed > 1 {
        START.call_once(|| {
            // Where threads cannot be had, this one does all the work.
            drop(rayon::ThreadPoolBuilder::new().num_threads(allowed).use_current_thread().build_global());
        });
    }
    if rayon::current_thread_index().is_some() { rayon::current_num_threads() } else { 1 }
}

/// The threads for a large step that is no program's: those of the pool the caller is in.
pub(crate) fn here() -> usize {
    if rayon::current_thread_index().is_some() { rayon::current_num_threads() } else { 1 }
}
