//! The functions of a program in memory. Equal nests share one function; all functions of a program live in one module, whose
//! memory is freed with the last kernel. How one function is compiled is left to [`super::function`].

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use blo_runtime::kernel::{Code, CodeMemory, Kernel};
use cranelift_codegen::ir::{AbiParam, types};
use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, ModuleReloc, ModuleRelocTarget, default_libcall_names};
use rustc_hash::FxHashMap;

use super::CodegenError;
use super::function::{self, Function, Symbol, compile_all};
use crate::ir::loops::{BufferId, Cell, Loops, Nest, Step, TILE_STRIDE, Width};

/// Address space reserved for the code of one program.
const RESERVED: usize = 64 << 20;

/// The nests of a program without repetition.
struct Distinct<'l> {
    /// The position in `nests` of a nest with its buffers taken out.
    by_shape: FxHashMap<Nest, usize>,
    nests: Vec<&'l Nest>,
}

impl<'l> Distinct<'l> {
    fn of(loops: &'l Loops) -> Self {
        let mut distinct = Distinct { by_shape: FxHashMap::default(), nests: Vec::new() };
        for step in loops.steps() {
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

/// Compiles every nest once and makes the code executable: for every nest its kernel.
pub fn kernels(loops: &Loops) -> Result<impl Fn(&Nest) -> Option<Kernel>, CodegenError> {
    let Distinct { by_shape, nests } = Distinct::of(loops);
    let functions = compile_all(&nests, loops.width)?;
    let mut module = module(&functions)?;
    let ids = define(&mut module, &functions)?;
    module.finalize_definitions().map_err(internal)?;
    let addresses: Vec<*const u8> = ids.iter().map(|id| module.get_finalized_function(*id)).collect();
    let memory: Arc<dyn CodeMemory> = Arc::new(JitMemory(Mutex::new(Some(module))));
    let kernels: Vec<Kernel> = addresses
        .iter()
        .zip(nests)
        .map(|(&code, nest)| hand_over(code, &extents(nest, loops.width), &memory))
        .collect();
    Ok(move |nest: &Nest| by_shape.get(&shape_of(nest)).map(|&k| kernels[k].clone()))
}

/// The readable form of every function.
pub fn text(loops: &Loops) -> Result<String, CodegenError> {
    let nests = Distinct::of(loops).nests;
    let mut text = String::new();
    for (k, (function, nest)) in function::text(&nests, loops.width)?.iter().zip(&nests).enumerate() {
        let _ = writeln!(text, "; {}\n{function}", name(k, nest));
    }
    Ok(text)
}

/// An empty module that knows the kernels which the functions call.
fn module(functions: &[Function]) -> Result<JITModule, CodegenError> {
    let mut builder = JITBuilder::with_isa(function::isa()?, default_libcall_names());
    let known = blo_kernels::symbols();
    for relocation in functions.iter().flat_map(|f| &f.relocations) {
        let Symbol::Kernel(name) = &relocation.symbol else { continue };
        // A name that is not in the list would be searched in the whole process, and stop it if it is nowhere.
        let Some(symbol) = known.iter().find(|s| s.name == name) else {
            return Err(CodegenError::Internal(format!("there is no block kernel `{name}`")));
        };
        builder.symbol(symbol.name, symbol.address);
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

/// Bytes that a nest's function may touch behind each pointer.
fn extents(nest: &Nest, width: Width) -> Vec<usize> {
    let cells = nest.extents_of_args();
    let mut bytes: Vec<usize> =
        nest.args.iter().zip(cells).map(|((_, cell), n)| n * width.bytes(*cell)).collect();
    if nest.tiles > 0 {
        bytes.push(nest.tiles * TILE_STRIDE * width.bytes(Cell::Real));
    }
    bytes
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
fn hand_over(code: *const u8, extents: &[usize], memory: &Arc<dyn CodeMemory>) -> Kernel {
    // SAFETY: the address is that of a finalized function with this signature in the module that `memory` owns; the emitter
    // accesses arguments only through the nest's accesses, whose extents these are, and emits nothing that unwinds.
    unsafe { Kernel::new(std::mem::transmute::<*const u8, Code>(code), extents, memory.clone()) }
}
