//! Code for runs in AVX-512 or AVX2 registers, which Cranelift does not use: it knows vectors of 128 bits. A [`Run`] is what
//! one segment of a nest's innermost axis computes, when all it touches are reals that lie side by side; [`emit`] makes a
//! function of it, which the code from Cranelift calls. The function is one piece of position-independent bytes.
//!
//! Cranelift's code for the same segment gives the same bits: products are contracted with sums before either is written
//! (`contract`), reductions have the same virtual lanes and the same order of folding ([`virtual_lanes`]), and every instruction is
//! rounded once at any width.

mod code;
mod registers;
mod select;
mod write;

use smallvec::SmallVec;

pub use blo_kernels::Level;

use crate::ir::loops::Width;
use crate::ops::{Instruction, Reduction};
use crate::types::Elem;

/// Runs shorter than this many bytes of reals are left to Cranelift: the call costs more than it saves.
pub const SHORTEST: usize = 128;

/// A value of a run; operands are earlier values.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The elements behind a pointer of the table.
    Stream(usize),
    /// One number for all elements, from an entry of the table.
    Scalar(usize),
    /// A constant.
    Const(f64),
    /// An instruction.
    Op(Instruction, SmallVec<[usize; 3]>),
}

/// What is stored or accumulated: a value, or the product of two, which is rounded together with the sum it joins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Term {
    /// A value.
    Value(usize),
    /// A product, in sums only.
    Product(usize, usize),
}

/// A stream that is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Store {
    /// What is written.
    pub term: Term,
    /// The pointer's entry in the table.
    pub stream: usize,
    /// How it joins what is there.
    pub reduce: Option<Reduction>,
}

/// A reduction over the whole run.
#[derive(Clone, Debug, PartialEq)]
pub struct Sum {
    /// What is combined.
    pub term: Term,
    /// How.
    pub reduce: Reduction,
    /// The entry of the table for the total.
    pub total: usize,
}

/// A run of `len` elements. Its function has one argument, a table of 8-byte entries: pointers, numbers, and totals.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The precision of reals.
    pub width: Width,
    /// The number of elements.
    pub len: usize,
    /// Values with their element types, operands first.
    pub values: Vec<(Value, Elem)>,
    /// What is written. No stream that is read overlaps one that is written, unless they are equal.
    pub stores: Vec<Store>,
    /// Reductions.
    pub sums: Vec<Sum>,
    /// Accumulated elements: how many sums of every `virtual_lanes`-th element are kept apart.
    pub lanes: usize,
}

impl Run {
    /// The number of pointers in the table.
    fn streams(&self) -> usize {
        let read =
            self.values.iter().filter_map(|(v, _)| if let Value::Stream(s) = v { Some(*s) } else { None });
        read.chain(self.stores.iter().map(|s| s.stream)).max().map_or(0, |last| last + 1)
    }
}

/// How many partial results a reduction of reals keeps: element `i` joins the `i mod lanes`-th, and at the end the upper half
/// of them joins the lower half until one is left. `size` is the number of values that are computed per element.
pub fn virtual_lanes(width: Width, size: usize) -> usize {
    let registers = if size <= 8 { 128 } else { 64 };
    registers / width.bytes(crate::ir::loops::Cell::Real)
}

/// Whether an instruction has a form in wide registers. `from` is the type of its last operand.
pub fn covers(op: Instruction, from: Elem, to: Elem) -> bool {
    use Instruction as I;
    match op {
        I::IntDiv | I::IntMod => false,
        I::And | I::Or | I::Not => true,
        I::Cast => from == to || (from == Elem::Bool && to == Elem::Real),
        _ => from == Elem::Real,
    }
}

/// The code of a run at a level; `None` if the level has none, or the run needs more registers than there are.
pub fn emit(run: &Run, level: Level) -> Option<Vec<u8>> {
    // The calling convention is that of System V.
    let possible = cfg!(all(target_arch = "x86_64", unix)) && level >= Level::Avx2;
    if possible { write::function(run, level >= Level::Avx512) } else { None }
}
