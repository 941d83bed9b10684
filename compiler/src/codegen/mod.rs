//! From loops to a program: compiles the nests, binds the data, and hands the plan to the runtime. The only part of blo that
//! knows Cranelift.

mod contract;
mod direct;
mod function;
mod instruction;
mod jit;
mod kept;
mod nest;
mod run;
mod segment;
mod wide;

use std::borrow::Cow;

pub use self::direct::Choice;
use self::function::Target;
pub use blo_kernels::Level;

use blo_runtime::frozen::program::freeze;
use blo_runtime::kernel::Kernel;
use blo_runtime::program::Program;
use blo_runtime::program::spec::{
    BufferSpec, DataSpec, EntrySpec, ProgramError, ProgramSpec, StepSpec, TiledSpec,
};

use crate::ir::cost::of_entry;
use crate::ir::eval::Bindings;
use crate::ir::loops::{BufferId, Home, Loops, Nest, Step};
use crate::session::{Cpu, Phase, Surroundings};

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

/// What code for these processors asks of them, by the names of the standard library.
pub fn features(cpu: Cpu) -> Result<Vec<String>, CodegenError> {
    function::features(cpu)
}

/// Compiles loops for this machine, copies the data in, and runs what depends on data alone.
pub fn jit(loops: &Loops, data: &Bindings) -> Result<Program, CodegenError> {
    jit_choosing(loops, data, Choice::Small)
}

/// As [`jit`], with a say in which entries are compiled whole.
pub fn jit_choosing(loops: &Loops, data: &Bindings, choice: Choice) -> Result<Program, CodegenError> {
    program(loops, data, choice, Level::detect(), Surroundings::none())
}

/// As [`jit_choosing`], with code for registers no wider than those of a level, which the machine must have. The results are
/// the same.
pub fn jit_at(loops: &Loops, data: &Bindings, choice: Choice, level: Level) -> Result<Program, CodegenError> {
    program(loops, data, choice, level, Surroundings::none())
}

/// As [`jit`], with an observer of its phases and a cache for code.
pub fn jit_in(loops: &Loops, data: &Bindings, around: Surroundings<'_>) -> Result<Program, CodegenError> {
    program(loops, data, Choice::Small, Level::detect(), around)
}

fn program(
    loops: &Loops,
    data: &Bindings,
    choice: Choice,
    level: Level,
    around: Surroundings<'_>,
) -> Result<Program, CodegenError> {
    around.observer.begins(Phase::Generate);
    let target = Target::new(around.keep.unwrap_or_default(), level);
    let machine = jit::machine(loops, choice, target, around.cache)?;
    around.observer.begins(Phase::Load);
    let kernel = |nest: &Nest| machine.kernel(nest);
    let steps = |list: &[Step]| steps(loops, &kernel, list, false);
    let mut entries = Vec::with_capacity(loops.entries.len());
    for (entry, direct) in loops.entries.iter().zip(&machine.entries) {
        let (stages, joint) = if direct.is_some() {
            ([vec![], vec![], vec![]], None)
        } else {
            let [first, second, last] = &entry.stages;
            let joint = entry.joint.as_deref().map(steps).transpose()?;
            ([steps(first)?, steps(second)?, steps(last)?], joint)
        };
        let (outputs, direct) = (entry.outputs.clone(), direct.clone());
        let work = of_entry(loops, entry).operations;
        entries.push(EntrySpec { quantity: entry.quantity, stages, joint, outputs, direct, work });
    }
    let buffers = loops.buffers.iter().map(|b| BufferSpec {
        cell: b.cell,
        len: b.len,
        byte: b.byte,
        own: b.home == Home::Own,
    });
    let buffers = buffers.collect();
    let spec = ProgramSpec {
        width: loops.width,
        bytes: loops.bytes,
        own_bytes: loops.own_bytes,
        buffers,
        vectors: [0, 1, 2, 3].map(|which| loops.vector(which)),
        batches: loops.batches(),
        lens: loops.lens,
        data: bind(loops, data)?,
        setup: steps(&loops.setup)?,
        entries,
    };
    let program = Program::new(&spec).map_err(|e| match e {
        ProgramError::Memory(_) => CodegenError::Memory(e.to_string()),
        _ => CodegenError::Internal(e.to_string()),
    })?;
    Ok(match around.keep {
        Some(_) => program.keeping(freeze(&machine.image()?, &spec)),
        None => program,
    })
}

/// The steps of a list with the kernels of their nests; `tiled` in those of a tile.
fn steps(
    loops: &Loops,
    kernel: &dyn Fn(&Nest) -> Option<Kernel>,
    list: &[Step],
    tiled: bool,
) -> Result<Vec<StepSpec>, CodegenError> {
    let step = |step: &Step| match step {
        Step::Host(host) => Ok(StepSpec::Host(host.clone())),
        Step::Nest(nest) => {
            let Some(kernel) = kernel(nest) else {
                return Err(CodegenError::Internal("a nest was not compiled".into()));
            };
            let scratch = if nest.tiles > 0 { loops.scratch[usize::from(tiled)] } else { None };
            Ok(StepSpec::Kernel(kernel, nest.args.iter().map(|a| a.0).chain(scratch).collect()))
        }
        Step::Tiled(inner) => Ok(StepSpec::Tiled(TiledSpec {
            whole: inner.rows / inner.tile,
            chunk: inner.chunk,
            steps: steps(loops, kernel, &inner.steps, true)?,
            rest: steps(loops, kernel, &inner.rest, true)?,
            shifts: inner.shifts.clone(),
        })),
    };
    list.iter().map(step).collect()
}

/// The values of the data inputs, in buffer order.
fn bind<'a>(loops: &Loops, data: &'a Bindings) -> Result<Vec<DataSpec<'a>>, CodegenError> {
    let mut bound = Vec::new();
    for (i, buffer) in loops.buffers.iter().enumerate() {
        let Home::Data(input) = buffer.home else { continue };
        let Some(value) = data.get(input) else { return Err(CodegenError::MissingData(buffer.name.clone())) };
        if value.len() != buffer.len {
            return Err(CodegenError::DataSize(buffer.name.clone()));
        }
        let values =
            value.as_slice().map_or_else(|| Cow::Owned(value.iter().copied().collect()), Cow::Borrowed);
        bound.push(DataSpec { name: buffer.name.clone(), buffer: BufferId(i as u32), values });
    }
    Ok(bound)
}

/// The functions as Cranelift's intermediate code, for `--emit clif`.
pub fn clif_text(loops: &Loops) -> String {
    jit::text(loops, Choice::Small).unwrap_or_else(|e| format!("; {e}\n"))
}
