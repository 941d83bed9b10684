//! The functions of a program in memory. Equal nests share one function; all functions of a program live in one module, whose
//! memory is freed with the last kernel. How one function is compiled is left to [`super::function`].

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use blo_runtime::kernel::direct::{Direct, DirectCode};
use blo_runtime::kernel::image::{Hole, Image, Piece};
use blo_runtime::kernel::{Code, CodeMemory, Kernel, Reach};
use blo_runtime::program::spec::DirectSpec;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{AbiParam, LibCall, types};
use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, ModuleReloc, ModuleRelocTarget, default_libcall_names};
use rustc_hash::FxHashMap;

use super::CodegenError;
use super::direct::{self, Choice, Whole};
use super::function::{self, Function, Job, Relocation, Symbol, Target, compile_all};
use super::kept;
use crate::ir::loops::{BufferId, Cell, Loops, Nest, Step, TILE_STRIDE, Width};
use crate::session::{CodeCache, Cpu};

/// Address space reserved for the code of one program.
const RESERVED: usize = 64 << 20;

/// The nests of a program without repetition.
struct Distinct<'l> {
    /// The position in `nests` of a nest with its buffers taken out.
    by_shape: FxHashMap<Nest, usize>,
    nests: Vec<&'l Nest>,
}

impl<'l> Distinct<'l> {
    fn of(steps: impl Iterator<Item = &'l Step>) -> Self {
        let mut distinct = Distinct { by_shape: FxHashMap::default(), nests: Vec::new() };
        for step in steps {
            let Step::Nest(nest) = step else { continue };
            distinct.by_shape.entry(shape_of(nest)).or_insert_with(|| {
                distinct.nests.push(nest);
                distinct.nests.len() - 1
            });
        }
        distinct
    }
}

/// The kernel of a nest depends on what its buffers hold, not on which they are.
fn shape_of(nest: &Nest) -> Nest {
    let mut shape = nest.clone();
    shape.args.iter_mut().for_each(|a| a.0 = BufferId(0));
    shape
}

fn internal(error: impl std::fmt::Display) -> CodegenError {
    CodegenError::Internal(error.to_string())
}

/// What a program's functions are made of.
struct Parts<'l> {
    /// Per entry its functions, where it is compiled whole.
    entries: Vec<Option<direct::Functions<'l>>>,
    /// The nests of the setup and of the other entries.
    distinct: Distinct<'l>,
}

impl<'l> Parts<'l> {
    fn of(loops: &'l Loops, choice: Choice) -> Self {
        let entries: Vec<_> = loops.entries.iter().map(|e| direct::functions(loops, e, choice)).collect();
        let others = loops.entries.iter().zip(&entries).filter(|(_, whole)| whole.is_none());
        let lists = others.flat_map(|(entry, _)| entry.stages.iter().chain(&entry.joint));
        let steps = std::iter::once(&loops.setup).chain(lists).flatten().flat_map(Step::leaves);
        let distinct = Distinct::of(steps);
        Parts { entries, distinct }
    }

    fn wholes(&self) -> impl Iterator<Item = &Whole<'l>> {
        self.entries.iter().flatten().flat_map(|f| std::iter::once(&f.whole).chain(&f.slim))
    }

    /// The functions, in the order of their code.
    fn jobs(&self) -> Vec<Job<'_>> {
        let nests = self.distinct.nests.iter().map(|nest| Job::Nest(nest));
        nests.chain(self.wholes().map(Job::Whole)).collect()
    }
}

/// The machine code of a program.
pub struct Machine {
    by_shape: FxHashMap<Nest, usize>,
    kernels: Vec<Kernel>,
    /// Per entry, where it is compiled whole.
    pub entries: Vec<Option<DirectSpec>>,
    /// The functions of kernels and entries, by their numbers.
    functions: Vec<Function>,
}

impl Machine {
    /// The kernel of a nest of the setup, or of an entry that is not compiled whole.
    pub fn kernel(&self, nest: &Nest) -> Option<Kernel> {
        self.by_shape.get(&shape_of(nest)).map(|&k| self.kernels[k].clone())
    }

    /// The functions with the names of what they call.
    pub fn image(&self) -> Result<Image, CodegenError> {
        let hole = |relocation: &Relocation| {
            let name = match &relocation.symbol {
                Symbol::Kernel(name) => name.clone(),
                Symbol::Routine(routine) => routine_name(*routine)?,
            };
            let whole = relocation.kind == Reloc::Abs8;
            whole.then_some(Hole { offset: relocation.offset, addend: relocation.addend, name })
        };
        let piece = |function: &Function| {
            let holes = function.relocations.iter().map(hole).collect::<Option<Vec<_>>>()?;
            Some(Piece { code: function.code.clone(), alignment: function.alignment as usize, holes })
        };
        let pieces = self.functions.iter().map(piece).collect::<Option<Vec<_>>>();
        let pieces = pieces.ok_or_else(|| {
            CodegenError::Machine("code for this processor cannot be kept in a file".to_owned())
        })?;
        Ok(Image { pieces })
    }
}

/// Compiles every nest once, and the entries of the choice whole, and makes the code executable.
pub fn machine(
    loops: &Loops,
    choice: Choice,
    target: Target,
    cache: Option<&dyn CodeCache>,
) -> Result<Machine, CodegenError> {
    let parts = Parts::of(loops, choice);
    let jobs = parts.jobs();
    let functions = match cache {
        Some(cache) => kept::functions(cache, &jobs, loops, target)?,
        None => compile_all(&jobs, loops.width, target)?,
    };
    let mut module = module(&functions, target.cpu)?;
    let ids = define(&mut module, &functions)?;
    module.finalize_definitions().map_err(internal)?;
    let addresses: Vec<*const u8> = ids.iter().map(|id| module.get_finalized_function(*id)).collect();
    let memory: Arc<dyn CodeMemory> = Arc::new(JitMemory(Mutex::new(Some(module))));
    let mut addresses = (0..).zip(addresses);
    let kernels = parts
        .distinct
        .nests
        .iter()
        .zip(addresses.by_ref())
        .map(|(nest, (k, code))| hand_over(code, &reach(nest, loops.width), &memory).numbered(k))
        .collect();
    let mut next = |whole: &Whole<'_>| {
        let direct = addresses.next().map(|(k, code)| hand_over_whole(code, whole, &memory).numbered(k));
        direct.ok_or_else(|| CodegenError::Internal("an entry was not compiled".into()))
    };
    let mut entries = Vec::with_capacity(parts.entries.len());
    for functions in &parts.entries {
        entries.push(match functions {
            None => None,
            Some(direct::Functions { whole, slim }) => Some(DirectSpec {
                whole: next(whole)?,
                slim: slim.as_ref().map(&mut next).transpose()?,
                staged: whole.staged(),
            }),
        });
    }
    Ok(Machine { by_shape: parts.distinct.by_shape, kernels, entries, functions })
}

/// The readable form of every function.
pub fn text(loops: &Loops, choice: Choice) -> Result<String, CodegenError> {
    let parts = Parts::of(loops, choice);
    let mut text = String::new();
    let nests = parts.distinct.nests.iter().enumerate().map(|(k, nest)| name(k, nest));
    let entries = loops.entries.iter().zip(&parts.entries).flat_map(|(entry, functions)| {
        let name = entry.quantity.name();
        let slim = functions.iter().filter(|f| f.slim.is_some()).map(move |_| format!("{name}_only"));
        functions.iter().map(move |_| name.to_string()).chain(slim)
    });
    let names = nests.chain(entries);
    for (function, name) in function::text(&parts.jobs(), loops.width)?.iter().zip(names) {
        let _ = writeln!(text, "; {name}\n{function}");
    }
    Ok(text)
}

/// An empty module that knows the kernels which the functions call.
fn module(functions: &[Function], cpu: Cpu) -> Result<JITModule, CodegenError> {
    let mut builder = JITBuilder::with_isa(function::isa(cpu)?, default_libcall_names());
    let (known, singles) = (blo_kernels::symbols(), blo_kernels::singles());
    let blocks = known.iter().map(|s| (s.name, s.address));
    let known: Vec<(&str, *const u8)> =
        blocks.chain(singles.iter().map(|s| (s.name.as_str(), s.address))).collect();
    for relocation in functions.iter().flat_map(|f| &f.relocations) {
        let Symbol::Kernel(name) = &relocation.symbol else { continue };
        // A name that is not in the list would be searched in the whole process, and stop it if it is nowhere.
        let Some((name, address)) = known.iter().find(|s| s.0 == name) else {
            return Err(CodegenError::Internal(format!("there is no block kernel `{name}`")));
        };
        builder.symbol(*name, *address);
    }
    let memory = ArenaMemoryProvider::new_with_size(RESERVED).map_err(internal)?;
    builder.memory_provider(Box::new(memory));
    Ok(JITModule::new(builder))
}

/// Copies the functions into the module.
fn define(module: &mut JITModule, functions: &[Function]) -> Result<Vec<FuncId>, CodegenError> {
    let mut signature = module.make_signature();
    signature.params.push(AbiParam::new(types::I64));
    let mut ids = Vec::with_capacity(functions.len());
    for (k, function) in functions.iter().enumerate() {
        let id = module.declare_function(&format!("k{k}"), Linkage::Export, &signature).map_err(internal)?;
        let mut relocations = Vec::with_capacity(function.relocations.len());
        for relocation in &function.relocations {
            let name = match &relocation.symbol {
                // The signature of a callee is of no use once the call is compiled.
                Symbol::Kernel(name) => {
                    module.declare_function(name, Linkage::Import, &signature).map_err(internal)?.into()
                }
                Symbol::Routine(routine) => ModuleRelocTarget::LibCall(*routine),
            };
            let (offset, kind, addend) = (relocation.offset, relocation.kind, relocation.addend);
            relocations.push(ModuleReloc { offset, kind, name, addend });
        }
        module
            .define_function_bytes(id, function.alignment, &function.code, &relocations)
            .map_err(internal)?;
        ids.push(id);
    }
    Ok(ids)
}

/// What a nest's function does behind each pointer.
fn reach(nest: &Nest, width: Width) -> Vec<Reach> {
    let cells = nest.extents_of_args();
    let arg = |(k, n): (usize, usize)| Reach {
        bytes: n * width.bytes(nest.args[k].1),
        writes: nest.written().any(|w| w == k),
    };
    let mut reach: Vec<Reach> = cells.into_iter().enumerate().map(arg).collect();
    if nest.tiles > 0 {
        reach.push(Reach { bytes: nest.tiles * TILE_STRIDE * width.bytes(Cell::Real), writes: true });
    }
    reach
}

/// The runtime's name of a routine.
fn routine_name(routine: LibCall) -> Option<String> {
    let name = match routine {
        LibCall::CeilF32 => "ceil_f32",
        LibCall::CeilF64 => "ceil_f64",
        LibCall::FloorF32 => "floor_f32",
        LibCall::FloorF64 => "floor_f64",
        LibCall::TruncF32 => "trunc_f32",
        LibCall::TruncF64 => "trunc_f64",
        LibCall::NearestF32 => "nearest_f32",
        LibCall::NearestF64 => "nearest_f64",
        LibCall::FmaF32 => "fma_f32",
        LibCall::FmaF64 => "fma_f64",
        _ => return None,
    };
    Some(name.to_owned())
}

/// `k3_map_5000x10`
fn name(number: usize, nest: &Nest) -> String {
    let kind = match (nest.tiles > 0, nest.sinks.iter().any(|s| s.reduce.is_some())) {
        (true, false) => "tile",
        (true, true) => "tile_reduce",
        (false, true) => "reduce",
        (false, false) => "map",
    };
    let sizes: Vec<String> = nest.extents.iter().map(usize::to_string).collect();
    format!("k{number}_{kind}_{}", sizes.join("x"))
}

/// The module of a program whose kernels are in use.
struct JitMemory(Mutex<Option<JITModule>>);

impl CodeMemory for JitMemory {}

impl Drop for JitMemory {
    fn drop(&mut self) {
        let module = self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        module.into_iter().for_each(free);
    }
}

#[allow(unsafe_code)]
fn free(module: JITModule) {
    // SAFETY: no kernel of the module is left: it is dropped with the last one.
    unsafe { module.free_memory() }
}

#[allow(unsafe_code)]
fn hand_over(code: *const u8, reach: &[Reach], memory: &Arc<dyn CodeMemory>) -> Kernel {
    // SAFETY: the address is that of a finalized function with this signature in the module that `memory` owns; the emitter
    // accesses arguments only through the nest's accesses, whose reach this is, keeps no state, and emits nothing that unwinds.
    unsafe { Kernel::new(std::mem::transmute::<*const u8, Code>(code), reach, memory.clone()) }
}

#[allow(unsafe_code)]
fn hand_over_whole(code: *const u8, whole: &Whole<'_>, memory: &Arc<dyn CodeMemory>) -> Direct {
    let (inputs, outputs, bytes) = (whole.inputs(), whole.lens(), whole.bytes());
    // SAFETY: as in `hand_over`; the function reads vectors and memory through accesses that lie inside the buffers, whose
    // lengths and ends these are, and writes the outputs piece by piece.
    unsafe {
        let code = std::mem::transmute::<*const u8, DirectCode>(code);
        Direct::new(code, inputs, outputs, bytes, memory.clone())
    }
}
