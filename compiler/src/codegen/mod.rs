//! From loops to a program: compiles the nests, binds the data, and hands the plan to the runtime. The only part of blo that
//! knows Cranelift.

mod function;
mod instruction;
mod jit;
mod nest;
mod segment;

use std::borrow::Cow;

use blo_runtime::program::Program;
use blo_runtime::program::spec::{BufferSpec, EntrySpec, ProgramError, ProgramSpec, StepSpec};

use crate::ir::eval::Bindings;
use crate::ir::loops::{BufferId, Home, Loops, Step};

/// Why loops cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodegenError {
    /// A data input without a value; its name.
    MissingData(String),
    /// A value with another number of elements than its input; its name.
    DataSize(String),
    /// There is no code generator for this machine.
    Machine(String),
    /// The program needs more memory than there is; what the runtime says of it.
    Memory(String),
    /// A fault of blo.
    Internal(String),
}

impl std::fmt::Display for CodegenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CodegenError::MissingData(name) => write!(f, "`{name}` has no value"),
            CodegenError::DataSize(name) => write!(f, "the value of `{name}` has the wrong size"),
            CodegenError::Machine(why) => write!(f, "cannot generate code for this machine: {why}"),
            CodegenError::Memory(why) => f.write_str(why),
            CodegenError::Internal(why) => write!(f, "code generation failed: {why}"),
        }
    }
}

impl std::error::Error for CodegenError {}

/// Compiles loops for this machine, copies the data in, and runs what depends on data alone.
pub fn jit(loops: &Loops, data: &Bindings) -> Result<Program, CodegenError> {
    let kernel = jit::kernels(loops)?;
    let step = |step: &Step| match step {
        Step::Host(host) => Ok(StepSpec::Host(host.clone())),
        Step::Nest(nest) => {
            let Some(kernel) = kernel(nest) else {
                return Err(CodegenError::Internal("a nest was not compiled".into()));
            };
            let scratch = if nest.tiles > 0 { loops.scratch } else { None };
            Ok(StepSpec::Kernel(kernel, nest.args.iter().map(|a| a.0).chain(scratch).collect()))
        }
    };
    let steps = |list: &[Step]| list.iter().map(step).collect::<Result<Vec<_>, _>>();
    let mut entries = Vec::with_capacity(loops.entries.len());
    for entry in &loops.entries {
        let [first, second, last] = &entry.stages;
        let stages = [steps(first)?, steps(second)?, steps(last)?];
        entries.push(EntrySpec { quantity: entry.quantity, stages, outputs: entry.outputs.clone() });
    }
    let buffers =
        loops.buffers.iter().map(|b| BufferSpec { cell: b.cell, len: b.len, byte: b.byte }).collect();
    let spec = ProgramSpec {
        width: loops.width,
        bytes: loops.bytes,
        buffers,
        vectors: [0, 1, 2, 3].map(|which| loops.vector(which)),
        lens: loops.lens,
        data: bind(loops, data)?,
        setup: steps(&loops.setup)?,
        entries,
    };
    Program::new(&spec).map_err(|e| match e {
        ProgramError::Memory(_) => CodegenError::Memory(e.to_string()),
        _ => CodegenError::Internal(e.to_string()),
    })
}

/// A data buffer and its values.
type Bound<'a> = (BufferId, Cow<'a, [f64]>);

/// The values of the data inputs, in buffer order.
fn bind<'a>(loops: &Loops, data: &'a Bindings) -> Result<Vec<Bound<'a>>, CodegenError> {
    let mut bound = Vec::new();
    for (i, buffer) in loops.buffers.iter().enumerate() {
        let Home::Data(input) = buffer.home else { continue };
        let Some(value) = data.get(input) else { return Err(CodegenError::MissingData(buffer.name.clone())) };
        if value.len() != buffer.len {
            return Err(CodegenError::DataSize(buffer.name.clone()));
        }
        let values =
            value.as_slice().map_or_else(|| Cow::Owned(value.iter().copied().collect()), Cow::Borrowed);
        bound.push((BufferId(i as u32), values));
    }
    Ok(bound)
}

/// The functions as Cranelift's intermediate code, for `--emit clif`.
pub fn clif_text(loops: &Loops) -> String {
    jit::text(loops).unwrap_or_else(|e| format!("; {e}\n"))
}
