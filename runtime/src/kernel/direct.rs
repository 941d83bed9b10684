//! The way into entries compiled whole: one function that reads the solver's vectors where they are and writes the outputs in place,
//! beside the program's memory.

use std::sync::Arc;

use super::{CodeMemory, Memory};

/// The signature of an entry compiled whole: pointers to the solver's vectors, pointers to the outputs, the program's memory,
/// and which of the first two stages must run again (bits 0 and 1).
pub type DirectCode = unsafe extern "C" fn(*const *const f64, *const *mut f64, *mut u8, u64);

/// Outputs of one entry, at most.
const OUTPUTS: usize = 3;

/// An entry compiled whole: it reads the solver's vectors where they are and writes the outputs in place.
#[derive(Clone)]
pub struct Direct {
    code: DirectCode,
    inputs: [usize; 4],
    outputs: Box<[usize]>,
    bytes: usize,
    _keep: Arc<dyn CodeMemory>,
}

impl Direct {
    /// Wraps code that reads at most `inputs[k]` cells of the `k`-th vector, writes at most `outputs[k]` cells of the `k`-th
    /// output, and touches at most `bytes` of the program's memory. `None` if there are too many outputs.
    ///
    /// # Safety
    /// `code` must stay callable as long as `memory` lives, must keep to these lengths, and must not unwind.
    pub unsafe fn new(
        code: DirectCode,
        inputs: [usize; 4],
        outputs: &[usize],
        bytes: usize,
        memory: Arc<dyn CodeMemory>,
    ) -> Option<Self> {
        (outputs.len() <= OUTPUTS).then(|| Direct {
            code,
            inputs,
            outputs: outputs.into(),
            bytes,
            _keep: memory,
        })
    }

    /// How many bytes of the program's memory it needs.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The lengths of the outputs.
    pub fn outputs(&self) -> &[usize] {
        &self.outputs
    }
}

impl Memory {
    /// Runs an entry compiled whole; `stale` as in [`DirectCode`].
    ///
    /// # Panics
    /// If a vector, an output or the memory is shorter than the entry needs, or an output is missing.
    #[inline]
    pub fn enter(&mut self, direct: &Direct, inputs: [&[f64]; 4], outputs: &mut [&mut [f64]], stale: u64) {
        assert!(direct.bytes <= self.layout.size() && outputs.len() == direct.outputs.len());
        for (given, &needed) in inputs.iter().zip(&direct.inputs) {
            assert!(given.len() >= needed, "a vector given to a program has the wrong length");
        }
        let from = inputs.map(<[f64]>::as_ptr);
        let mut to = [std::ptr::null_mut(); OUTPUTS];
        for ((to, given), &needed) in to.iter_mut().zip(outputs).zip(&direct.outputs) {
            assert!(given.len() >= needed, "an output of a program has the wrong length");
            *to = given.as_mut_ptr();
        }
        // SAFETY: every pointer has the length that the code keeps to by the contract of `Direct::new`, just checked; the
        // outputs and the memory are borrowed mutably, so nothing overlaps; `direct` keeps the code alive.
        unsafe { (direct.code)(from.as_ptr(), to.as_ptr(), self.base, stale) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Static;
    impl CodeMemory for Static {}

    unsafe extern "C" fn total(from: *const *const f64, to: *const *mut f64, memory: *mut u8, stale: u64) {
        // SAFETY: called with a vector of two, an output of one and a memory that begins with a number.
        unsafe {
            let x = *from;
            **to = *x + *x.add(1) + *memory.cast::<f64>() + stale as f64;
        }
    }

    #[test]
    fn a_whole_entry_gets_vectors_outputs_and_the_memory() {
        let mut memory = Memory::new(64).unwrap();
        let slot = memory.slot::<f64>(0, 1).unwrap();
        memory.write(slot)[0] = 10.0;
        // SAFETY: `total` is a static function and keeps to these lengths.
        let make = |outputs: &[usize]| unsafe {
            Direct::new(total, [2, 0, 0, 0], outputs, 8, Arc::new(Static))
        };
        let direct = make(&[1]).unwrap();
        let mut out = [0.0];
        memory.enter(&direct, [&[1.0, 2.0], &[], &[], &[]], &mut [&mut out], 3);
        assert_eq!(out, [16.0]);
        assert!(make(&[1; 4]).is_none());
    }

    #[test]
    #[should_panic(expected = "wrong length")]
    fn a_whole_entry_refuses_short_vectors() {
        let mut memory = Memory::new(64).unwrap();
        // SAFETY: as above.
        let direct = unsafe { Direct::new(total, [2, 0, 0, 0], &[1], 8, Arc::new(Static)) }.unwrap();
        memory.enter(&direct, [&[1.0], &[], &[], &[]], &mut [&mut [0.0]], 0);
    }
}
