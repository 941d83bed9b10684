//! The unsafe door of the runtime: the memory that compiled programs work in, and the calls into machine code. A [`Kernel`]
//! keeps its code alive; binding it to a [`Memory`] checks every length once, so that calling it checks nothing but the
//! memory. What kernels compute, and in which order they run, is decided elsewhere. Calls from several threads at once, tile
//! by tile, are in [`tiles`].

#![allow(unsafe_code)]

pub mod direct;
pub mod image;
pub mod tiles;

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::marker::PhantomData;
use std::sync::Arc;

/// The alignment of a [`Memory`] in bytes: a cache line, and the widest vector register.
pub const ALIGNMENT: usize = 64;

/// The signature of compiled code: a table of pointers to its buffers.
pub type Code = unsafe extern "C" fn(*const *mut u8);

/// What keeps the machine code of kernels in memory; dropping it frees the code.
pub trait CodeMemory: Send + Sync {}

/// What compiled code does behind one of its pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// How many bytes it uses at most.
    pub bytes: usize,
    /// Whether it writes there.
    pub writes: bool,
}

/// Compiled code with the lengths it relies on. Cloning is cheap; the code is freed with the last clone.
#[derive(Clone)]
pub struct Kernel {
    code: Code,
    reach: Arc<[Reach]>,
    memory: Arc<dyn CodeMemory>,
    number: u32,
}

impl Kernel {
    /// Wraps code that uses at most `reach[k]` behind its `k`-th pointer.
    ///
    /// # Safety
    /// `code` must stay callable as long as `memory` lives, must keep to `reach`, may be called from several threads at once on
    /// memory that is not shared, and must not unwind.
    pub unsafe fn new(code: Code, reach: &[Reach], memory: Arc<dyn CodeMemory>) -> Self {
        Kernel { code, reach: reach.into(), memory, number: 0 }
    }

    /// The same, as the function of this number of its program's [`image::Image`].
    pub fn numbered(self, number: u32) -> Self {
        Kernel { number, ..self }
    }

    /// Its number.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// What it does behind each pointer.
    pub fn reach(&self) -> &[Reach] {
        &self.reach
    }
}

/// Why a kernel cannot be bound to buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindError {
    /// The kernel takes another number of buffers.
    Count,
    /// The buffer at this position is shorter than the kernel's extent, outside the memory, or misaligned.
    Extent(usize),
    /// Tiles that run at the same time would meet in the buffer at this position.
    Shared(usize),
}

/// A kernel with the addresses of its buffers in one [`Memory`].
pub struct Bound {
    code: Code,
    args: Box<[*mut u8]>,
    base: *mut u8,
    _keep: Arc<dyn CodeMemory>,
}

// SAFETY: the pointers are addresses inside a `Memory`; they are used only by `Memory::call` with that memory borrowed mutably.
unsafe impl Send for Bound {}

/// Element types of buffers: `f32`, `f64`, `i64`. All bit patterns are values.
pub trait Word: Copy + PartialEq + Send + Sync + 'static + private::Sealed {}
impl Word for f32 {}
impl Word for f64 {}
impl Word for i64 {}

mod private {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for i64 {}
}

/// A run of elements in a [`Memory`], checked when it was made.
pub struct Slot<T> {
    byte: usize,
    len: usize,
    elem: PhantomData<T>,
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Slot<T> {}

impl<T: Word> Slot<T> {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn end(&self) -> usize {
        self.byte + self.len * size_of::<T>()
    }
}

/// One zeroed, aligned allocation that holds all buffers of a program.
pub struct Memory {
    base: *mut u8,
    layout: Layout,
}

// SAFETY: `Memory` owns its allocation, and hands out references only through its own borrow.
unsafe impl Send for Memory {}

impl Memory {
    /// Allocates `bytes` zero bytes; `None` where the machine does not have them.
    pub fn new(bytes: usize) -> Option<Self> {
        let bytes = bytes.max(ALIGNMENT).checked_next_multiple_of(ALIGNMENT)?;
        let layout = Layout::from_size_align(bytes, ALIGNMENT).ok()?;
        // SAFETY: the size is not zero.
        let base = unsafe { alloc_zeroed(layout) };
        (!base.is_null()).then_some(Memory { base, layout })
    }

    /// The run of `len` elements from byte `byte`; `None` if it leaves the memory or is misaligned.
    pub fn slot<T: Word>(&self, byte: usize, len: usize) -> Option<Slot<T>> {
        let end = len.checked_mul(size_of::<T>())?.checked_add(byte)?;
        (end <= self.layout.size() && byte.is_multiple_of(size_of::<T>())).then_some(Slot {
            byte,
            len,
            elem: PhantomData,
        })
    }

    /// The elements of a slot.
    pub fn read<T: Word>(&self, slot: Slot<T>) -> &[T] {
        assert!(slot.end() <= self.layout.size());
        // SAFETY: in bounds, aligned (both checked), initialised (zeroed, and every bit pattern is a value), borrowed from self.
        unsafe { std::slice::from_raw_parts(self.base.add(slot.byte).cast(), slot.len) }
    }

    /// The elements of a slot, to be written.
    pub fn write<T: Word>(&mut self, slot: Slot<T>) -> &mut [T] {
        assert!(slot.end() <= self.layout.size());
        // SAFETY: as in `read`, and borrowed mutably from self.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(slot.byte).cast(), slot.len) }
    }

    fn bytes(&self) -> usize {
        self.layout.size()
    }

    /// Two slots to read and one to write, which must not overlap them.
    pub fn split<A: Word, B: Word, C: Word>(
        &mut self,
        a: Slot<A>,
        b: Slot<B>,
        c: Slot<C>,
    ) -> (&[A], &[B], &mut [C]) {
        assert!(
            a.end() <= self.layout.size() && b.end() <= self.layout.size() && c.end() <= self.layout.size()
        );
        assert!(a.end() <= c.byte || c.end() <= a.byte, "a step writes what it reads");
        assert!(b.end() <= c.byte || c.end() <= b.byte, "a step writes what it reads");
        // SAFETY: in bounds and aligned as in `read`; the mutable slice is disjoint from both shared ones.
        unsafe {
            (
                std::slice::from_raw_parts(self.base.add(a.byte).cast(), a.len),
                std::slice::from_raw_parts(self.base.add(b.byte).cast(), b.len),
                std::slice::from_raw_parts_mut(self.base.add(c.byte).cast(), c.len),
            )
        }
    }

    /// A slot to write, and the memory around it to read.
    pub fn around<C: Word>(&mut self, out: Slot<C>) -> (Around<'_>, &mut [C]) {
        assert!(out.end() <= self.layout.size());
        let around = Around {
            base: self.base,
            size: self.layout.size(),
            hole: out.byte..out.end(),
            memory: PhantomData,
        };
        // SAFETY: in bounds and aligned as in `read`, borrowed mutably from self; `Around` reads nothing of it.
        (around, unsafe { std::slice::from_raw_parts_mut(self.base.add(out.byte).cast(), out.len) })
    }

    /// Binds a kernel to buffers given as (first byte, bytes).
    pub fn bind(&self, kernel: &Kernel, buffers: &[(usize, usize)]) -> Result<Bound, BindError> {
        if buffers.len() != kernel.reach.len() {
            return Err(BindError::Count);
        }
        let mut args = Vec::with_capacity(buffers.len());
        for (k, (&(byte, bytes), reach)) in buffers.iter().zip(kernel.reach.iter()).enumerate() {
            let inside = byte.checked_add(bytes).is_some_and(|end| end <= self.layout.size());
            if reach.bytes > bytes || !inside || !byte.is_multiple_of(4) {
                return Err(BindError::Extent(k));
            }
            args.push(self.base.wrapping_add(byte));
        }
        Ok(Bound { code: kernel.code, args: args.into(), base: self.base, _keep: kernel.memory.clone() })
    }

    /// Calls a kernel that was bound to this memory.
    pub fn call(&mut self, bound: &Bound) {
        assert!(std::ptr::eq(bound.base, self.base), "a kernel is called with the memory it was bound to");
        // SAFETY: the pointers lie in this memory, which is borrowed mutably, with the lengths the kernel needs (`bind`); the
        // code is alive because `bound` holds its memory, and keeps to its extents by the contract of `Kernel::new`.
        unsafe { (bound.code)(bound.args.as_ptr()) }
    }
}

/// A memory but for one slot, which is being written.
pub struct Around<'a> {
    base: *mut u8,
    size: usize,
    hole: std::ops::Range<usize>,
    memory: PhantomData<&'a Memory>,
}

impl<'a> Around<'a> {
    /// The elements of a slot, which must not overlap the one that is written.
    pub fn read<T: Word>(&self, slot: Slot<T>) -> &'a [T] {
        assert!(slot.end() <= self.size);
        assert!(slot.end() <= self.hole.start || self.hole.end <= slot.byte, "a step writes what it reads");
        // SAFETY: in bounds and aligned as in `Memory::read`, disjoint from the slot that is written, and the memory stays
        // borrowed.
        unsafe { std::slice::from_raw_parts(self.base.add(slot.byte).cast(), slot.len) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, freed once.
        unsafe { dealloc(self.base, self.layout) }
    }
}

/// A matrix as the cells from its first on, the distance between rows, and that between columns.
#[derive(Clone, Copy)]
pub struct Strided<'a, T> {
    /// From the first element on.
    pub cells: &'a [T],
    /// Distance between rows.
    pub row: usize,
    /// Distance between columns.
    pub col: usize,
}

impl<T> Strided<'_, T> {
    fn holds(&self, rows: usize, cols: usize) -> bool {
        rows * cols == 0 || (rows - 1) * self.row + (cols - 1) * self.col < self.cells.len()
    }
}

/// How a product is computed.
#[derive(Clone, Copy, Debug)]
pub struct Product<T> {
    /// Its factor.
    pub alpha: T,
    /// Whether it is added to what is in the result.
    pub accumulate: bool,
    /// Rows of a matrix read tile by tile that follow this tile in memory; see [`blo_kernels::gemm_tile`].
    pub ahead: usize,
    /// How many threads of the current pool a large one may use.
    pub threads: usize,
}

/// `out = alpha · lhs · rhs`, or this added to `out`, with `lhs: m × k`, `rhs: k × n` and a row-major `out: m × n`.
///
/// # Panics
/// If an operand has too few cells for its sizes.
pub fn gemm<T: blo_kernels::Float>(
    [m, n, k]: [usize; 3],
    out: &mut [T],
    lhs: Strided<'_, T>,
    rhs: Strided<'_, T>,
    how: Product<T>,
) {
    assert!(lhs.holds(m, k) && rhs.holds(k, n) && out.len() >= m * n, "an operand of a product is too short");
    let (a, b, c) = (lhs.cells.as_ptr(), rhs.cells.as_ptr(), out.as_mut_ptr());
    let Product { alpha, accumulate, ahead, threads } = how;
    // SAFETY: the strides stay inside the slices (just checked); `out` is row-major, so its elements are distinct, and as a
    // mutable slice it does not overlap the operands.
    unsafe {
        if ahead > 0 {
            let (c, a, b) = ((c, n, 1), (a, lhs.row, lhs.col), (b, rhs.row, rhs.col));
            blo_kernels::gemm_tile((m, n, k), c, a, b, alpha, accumulate, ahead);
        } else {
            blo_kernels::gemm(
                m, n, k, c, n, 1, a, lhs.row, lhs.col, b, rhs.row, rhs.col, alpha, accumulate, threads,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Static;
    impl CodeMemory for Static {}

    unsafe extern "C" fn double(args: *const *mut u8) {
        // SAFETY: called with one pointer to two numbers.
        unsafe {
            let x = (*args).cast::<f64>();
            *x *= 2.0;
            *x.add(1) *= 2.0;
        }
    }

    #[test]
    fn a_slot_is_written_while_the_rest_is_read() {
        let mut memory = Memory::new(128).unwrap();
        let (a, b) = (memory.slot::<f64>(0, 2).unwrap(), memory.slot::<i64>(16, 1).unwrap());
        memory.write(a).copy_from_slice(&[1.0, 2.0]);
        let (around, out) = memory.around(b);
        out[0] = around.read(a)[1] as i64;
        assert_eq!(memory.read(b), [2]);
    }

    #[test]
    #[should_panic(expected = "a step writes what it reads")]
    fn what_is_written_is_not_read() {
        let mut memory = Memory::new(128).unwrap();
        let (a, b) = (memory.slot::<f64>(0, 2).unwrap(), memory.slot::<f64>(8, 2).unwrap());
        memory.around(b).0.read(a);
    }

    #[test]
    fn a_kernel_runs_only_on_buffers_that_are_long_enough() {
        let mut memory = Memory::new(128).unwrap();
        // SAFETY: `double` is a static function and touches 16 bytes.
        let kernel = unsafe { Kernel::new(double, &[Reach { bytes: 16, writes: true }], Arc::new(Static)) };
        let slot = memory.slot::<f64>(64, 2).unwrap();
        memory.write(slot).copy_from_slice(&[1.5, -2.0]);
        let bound = memory.bind(&kernel, &[(64, 16)]).unwrap_or_else(|e| panic!("{e:?}"));
        memory.call(&bound);
        assert_eq!(memory.read(slot), [3.0, -4.0]);
        assert_eq!(memory.bind(&kernel, &[(64, 8)]).err(), Some(BindError::Extent(0)));
        assert_eq!(memory.bind(&kernel, &[(120, 16)]).err(), Some(BindError::Extent(0)));
        assert_eq!(memory.bind(&kernel, &[]).err(), Some(BindError::Count));
        assert!(memory.slot::<f64>(64, 9).is_none() && memory.slot::<f64>(4, 1).is_none());
    }
}
