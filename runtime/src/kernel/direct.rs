//! The way into entries compiled whole: one function that reads the solver's vectors where they are and writes the outputs in place,
//! beside the program's memory.

use std::sync::Arc;

use super::{CodeMemory, Memory};

/// The signature of an entry compiled whole: the solver's vectors, the outputs, the program's memory, and which of the first two
/// stages must run again (bits 0 and 1).
pub type DirectCode = unsafe extern "C" fn(
    *const f64,
    *const f64,
    *const f64,
    *const f64,
    *mut f64,
    *mut f64,
    *mut f64,
    *mut u8,
    u64,
);

/// An entry compiled whole: it reads the solver's vectors where they are and writes the outputs in place.
#[derive(Clone)]
pub struct Direct {
    code: DirectCode,
    inputs: [usize; 4],
    outputs: [usize; 3],
    bytes: usize,
    number: u32,
    _keep: Arc<dyn CodeMemory>,
}

impl Direct {
    /// Wraps code that reads at most `inputs[k]` cells of the `k`-th vector, writes at most `outputs[k]` cells of the `k`-th
    /// output, and touches at most `bytes` of the program's memory.
    ///
    /// # Safety
    /// `code` must stay callable as long as `memory` lives, must keep to these lengths, and must not unwind.
    pub unsafe fn new(
        code: DirectCode,
        inputs: [usize; 4],
        outputs: [usize; 3],
        bytes: usize,
        memory: Arc<dyn CodeMemory>,
    ) -> Self {
        Direct { code, inputs, outputs, bytes, number: 0, _keep: memory }
    }

    /// The same, as the function of this number of its program's [`super::image::Image`].
    pub fn numbered(self, number: u32) -> Self {
        Direct { number, ..self }
    }

    /// Its number, and the lengths it relies on: of inputs, of outputs, of the memory.
    pub(crate) fn parts(&self) -> (u32, ([usize; 4], [usize; 3], usize)) {
        (self.number, (self.inputs, self.outputs, self.bytes))
    }

    /// How many bytes of the program's memory it needs.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The lengths of the outputs, 0 for those it does not have.
    pub fn outputs(&self) -> [usize; 3] {
        self.outputs
    }
}

impl Memory {
    /// Runs an entry compiled whole; `stale` as in [`DirectCode`].
    ///
    /// # Panics
    /// If a vector, an output or the memory is shorter than the entry needs.
    #[inline(always)]
    pub fn enter(
        &mut self,
        direct: &Direct,
        [x, y, u, v]: [&[f64]; 4],
        [a, b, c]: [&mut [f64]; 3],
        stale: u64,
    ) {
        let Direct { code, inputs, outputs, bytes, .. } = direct;
        // One branch for all of it: a call may take no longer than this check.
        let long_enough = (x.len() >= inputs[0])
            & (y.len() >= inputs[1])
            & (u.len() >= inputs[2])
            & (v.len() >= inputs[3])
            & (a.len() >= outputs[0])
            & (b.len() >= outputs[1])
            & (c.len() >= outputs[2])
            & (*bytes <= self.layout.size());
        assert!(long_enough, "a vector given to a program has the wrong length");
        let (x, y, u, v) = (x.as_ptr(), y.as_ptr(), u.as_ptr(), v.as_ptr());
        let (a, b, c) = (a.as_mut_ptr(), b.as_mut_ptr(), c.as_mut_ptr());
        // SAFETY: every pointer has the length that the code keeps to by the contract of `Direct::new`, just checked; the
        // outputs and the memory are borrowed mutably, so nothing overlaps; `direct` keeps the code alive.
        unsafe { code(x, y, u, v, a, b, c, self.base, stale) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Static;
    impl CodeMemory for Static {}

    unsafe extern "C" fn total(
        x: *const f64,
        _: *const f64,
        _: *const f64,
        v: *const f64,
        _: *mut f64,
        out: *mut f64,
        _: *mut f64,
        memory: *mut u8,
        stale: u64,
    ) {
        // SAFETY: called with vectors of two and one, an output of one and a memory that begins with a number.
        unsafe { *out = *x + *x.add(1) + *v + *memory.cast::<f64>() + stale as f64 }
    }

    fn direct() -> Direct {
        // SAFETY: `total` is a static function and keeps to these lengths.
        unsafe { Direct::new(total, [2, 0, 0, 1], [0, 1, 0], 8, Arc::new(Static)) }
    }

    #[test]
    fn a_whole_entry_gets_vectors_outputs_and_the_memory() {
        let mut memory = Memory::new(64).unwrap();
        let slot = memory.slot::<f64>(0, 1).unwrap();
        memory.write(slot)[0] = 10.0;
        let mut out = [0.0];
        memory.enter(&direct(), [&[1.0, 2.0], &[], &[], &[100.0]], [&mut [], &mut out, &mut []], 3);
        assert_eq!(out, [116.0]);
    }

    #[test]
    #[should_panic(expected = "wrong length")]
    fn a_whole_entry_refuses_a_short_vector() {
        let mut memory = Memory::new(64).unwrap();
        memory.enter(&direct(), [&[1.0], &[], &[], &[0.0]], [&mut [], &mut [0.0], &mut []], 0);
    }

    #[test]
    #[should_panic(expected = "wrong length")]
    fn a_whole_entry_refuses_a_missing_output() {
        let mut memory = Memory::new(64).unwrap();
        memory.enter(&direct(), [&[1.0, 2.0], &[], &[], &[0.0]], [&mut [0.0], &mut [], &mut []], 0);
    }
}
