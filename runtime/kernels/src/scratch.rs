//! Working memory of the products, one block per thread that only grows, so that repeated products do not allocate.

use crate::real::Real;
use std::cell::Cell;

/// A cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

thread_local! {
    static LINES: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
}

/// Calls `f` with memory for `count` numbers, aligned to a cache line. The numbers are initialised but arbitrary.
///
/// A call inside a call gets memory of its own.
pub fn with<T: Real, R>(count: usize, f: impl FnOnce(*mut T) -> R) -> R {
    let mut lines = LINES.take();
    let needed = (count * size_of::<T>()).div_ceil(size_of::<Line>());
    if lines.len() < needed {
        lines.resize(needed, Line([0; 64]));
    }
    // Any bit pattern is a number, so memory of an earlier call may be seen.
    let result = f(lines.as_mut_ptr().cast());
    LINES.set(lines);
    result
}
