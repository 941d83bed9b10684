//! Compiles nests to machine code with Cranelift. Equal nests share one function; all functions of a program live in one
//! module, whose memory is freed with the last kernel.

use std::fmt::Write;
use std::sync::{Arc, Mutex, OnceLock};

use blo_runtime::kernel::{Code, CodeMemory, Kernel, Reach};
use cranelift_codegen::Context;
use cranelift_codegen::ir::{AbiParam, InstBuilder, UserFuncName, types};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};
use rustc_hash::FxHashMap;

use super::CodegenError;
use super::nest::Emitter;
use crate::ir::loops::{BufferId, Cell, Expr, Loops, Nest, Step, TILE_STRIDE, Width};

/// Address space reserved for the code of one program.
const RESERVED: usize = 64 << 20;

/// The functions of a program's nests.
pub struct Functions {
    module: JITModule,
    /// By nest, with its buffers taken out.
    by_shape: FxHashMap<Nest, usize>,
    functions: Vec<(FuncId, Vec<Reach>)>,
    text: Option<String>,
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

/// The instruction set of this machine, found once.
fn isa() -> Result<OwnedTargetIsa, CodegenError> {
    static ISA: OnceLock<Result<OwnedTargetIsa, String>> = OnceLock::new();
    let find = || {
        let mut flags = settings::builder();
        let verifier = if cfg!(debug_assertions) { "true" } else { "false" };
        let chosen = [
            ("opt_level", "speed"),
            ("is_pic", "false"),
            ("use_colocated_libcalls", "false"),
            ("enable_verifier", verifier),
            ("enable_probestack", "false"),
            ("unwind_info", "false"),
        ];
        for (name, value) in chosen {
            flags.set(name, value).map_err(|e| e.to_string())?;
        }
        let builder = cranelift_native::builder()?;
        builder.finish(settings::Flags::new(flags)).map_err(|e| e.to_string())
    };
    ISA.get_or_init(|| find().map_err(|e: String| e)).clone().map_err(CodegenError::Machine)
}

/// The link name and the number of operands of a block kernel.
fn block_kernel(name: &str, width: Width) -> String {
    format!("blo_k_{name}_{}", if width == Width::Double { "f64" } else { "f32" })
}

fn module(loops: &Loops) -> Result<JITModule, CodegenError> {
    let mut builder = JITBuilder::with_isa(isa()?, default_libcall_names());
    for symbol in blo_kernels::symbols() {
        builder.symbol(symbol.name, symbol.address);
    }
    // A name that is not in the list would be searched in the whole process, and stop it if it is nowhere.
    let known: Vec<&str> = blo_kernels::symbols().iter().map(|s| s.name).collect();
    for step in loops.steps() {
        let Step::Nest(nest) = step else { continue };
        for (expr, _) in &nest.exprs {
            if let Expr::Call(name, _) = expr
                && !known.contains(&block_kernel(name, loops.width).as_str())
            {
                return Err(CodegenError::Internal(format!("there is no block kernel `{name}`")));
            }
        }
    }
    let memory = ArenaMemoryProvider::new_with_size(RESERVED).map_err(internal)?;
    builder.memory_provider(Box::new(memory));
    Ok(JITModule::new(builder))
}

impl Functions {
    /// Compiles every nest once; with `text`, keeps the readable form of the functions and compiles none.
    pub fn new(loops: &Loops, text: bool) -> Result<Self, CodegenError> {
        let mut functions = Functions {
            module: module(loops)?,
            by_shape: FxHashMap::default(),
            functions: Vec::new(),
            text: text.then(String::new),
        };
        let mut context = functions.module.make_context();
        let mut builder = FunctionBuilderContext::new();
        for step in loops.steps() {
            let Step::Nest(nest) = step else { continue };
            let shape = shape_of(nest);
            if !functions.by_shape.contains_key(&shape) {
                let id = functions.function(&mut context, &mut builder, nest, loops.width)?;
                functions.by_shape.insert(shape, functions.functions.len());
                functions.functions.push((id, reach(nest, loops.width)));
            }
        }
        Ok(functions)
    }

    /// The readable form.
    pub fn text(self) -> String {
        let text = self.text.unwrap_or_default();
        free(self.module);
        text
    }

    fn function(
        &mut self,
        context: &mut Context,
        builder: &mut FunctionBuilderContext,
        nest: &Nest,
        width: Width,
    ) -> Result<FuncId, CodegenError> {
        let name = name(self.functions.len(), nest);
        let mut signature = self.module.make_signature();
        signature.params.push(AbiParam::new(types::I64));
        let id = self.module.declare_function(&name, Linkage::Export, &signature).map_err(internal)?;
        context.func.signature = signature;
        context.func.name = UserFuncName::user(0, id.as_u32());
        let mut b = FunctionBuilder::new(&mut context.func, builder);
        let mut kernels = FxHashMap::default();
        for (expr, _) in &nest.exprs {
            let Expr::Call(name, args) = expr else { continue };
            if !kernels.contains_key(name) {
                let mut signature = self.module.make_signature();
                signature.params.resize(2 + args.len(), AbiParam::new(types::I64));
                let callee = block_kernel(name, width);
                let callee =
                    self.module.declare_function(&callee, Linkage::Import, &signature).map_err(internal)?;
                kernels.insert(*name, self.module.declare_func_in_func(callee, b.func));
            }
        }
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let table = b.block_params(entry)[0];
        Emitter::emit(&mut b, nest, width, &kernels, table);
        b.ins().return_(&[]);
        b.seal_all_blocks();
        b.finalize(self.module.target_config());
        match &mut self.text {
            Some(text) => {
                let _ = writeln!(text, "; {name}\n{}", context.func.display());
            }
            None => self
                .module
                .define_function(id, context)
                .map_err(|e| CodegenError::Internal(format!("{e:?}")))?,
        }
        self.module.clear_context(context);
        Ok(id)
    }

    /// Makes the code executable and hands it over: for every nest its kernel.
    pub fn finish(mut self) -> Result<impl Fn(&Nest) -> Option<Kernel>, CodegenError> {
        self.module.finalize_definitions().map_err(internal)?;
        let addresses: Vec<*const u8> =
            self.functions.iter().map(|(id, _)| self.module.get_finalized_function(*id)).collect();
        let memory: Arc<dyn CodeMemory> = Arc::new(JitMemory(Mutex::new(Some(self.module))));
        let kernels: Vec<Kernel> = addresses
            .iter()
            .zip(&self.functions)
            .map(|(&code, (_, reach))| hand_over(code, reach, &memory))
            .collect();
        let by_shape = self.by_shape;
        Ok(move |nest: &Nest| by_shape.get(&shape_of(nest)).map(|&k| kernels[k].clone()))
    }
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
    // SAFETY: no kernel of the module is left: it is dropped with the last one, or none was made.
    unsafe { module.free_memory() }
}

#[allow(unsafe_code)]
fn hand_over(code: *const u8, reach: &[Reach], memory: &Arc<dyn CodeMemory>) -> Kernel {
    // SAFETY: the address is that of a finalized function with this signature in the module that `memory` owns; the emitter
    // accesses arguments only through the nest's accesses, whose reach this is, keeps no state, and emits nothing that unwinds.
    unsafe { Kernel::new(std::mem::transmute::<*const u8, Code>(code), reach, memory.clone()) }
}
