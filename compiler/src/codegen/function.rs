//! The machine code of one function: bytes, and the names they refer to. Functions are compiled apart from each other and from
//! the module they go to, so several threads can work at once; the code is the same for any number of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use cranelift_codegen::Context;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{
    AbiParam, ExtFuncData, ExternalName, FuncRef, InstBuilder, LibCall, Signature, Type, UserExternalName,
    UserFuncName, types,
};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{FinalizedMachReloc, FinalizedRelocTarget};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use rustc_hash::FxHashMap;

use super::contract::contract;
use super::direct::Whole;
use super::nest::Emitter;
use super::run::{self, Calls};
use super::{CodegenError, Level};
use crate::ir::loops::{Expr, Nest, Width};
use crate::session::Cpu;

/// Expressions, over all nests, from which a second thread pays for its start.
const WORTH_A_THREAD: usize = 200;

/// A compiled function.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its machine code, with holes where addresses go.
    pub code: Vec<u8>,
    /// The alignment of its first byte.
    pub alignment: u64,
    /// The holes.
    pub relocations: Vec<Relocation>,
}

/// A place in a function that holds an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Relocation {
    /// Bytes from the start of the function.
    pub offset: u32,
    /// How the address is written.
    pub kind: Reloc,
    /// Whose address.
    pub symbol: Symbol,
    /// Added to it.
    pub addend: i64,
}

/// What a function refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// A precompiled kernel, by its link name.
    Kernel(String),
    /// A routine of the platform that stands for an instruction the machine does not have.
    Routine(LibCall),
}

/// What x86-64-v3 adds to the architecture, by Cranelift's names.
const V3: [&str; 11] = [
    "has_cmpxchg16b",
    "has_sse3",
    "has_ssse3",
    "has_sse41",
    "has_sse42",
    "has_popcnt",
    "has_avx",
    "has_avx2",
    "has_fma",
    "has_bmi1",
    "has_bmi2",
];

/// An instruction set, found once.
pub fn isa(cpu: Cpu) -> Result<OwnedTargetIsa, CodegenError> {
    static ISAS: [OnceLock<Result<OwnedTargetIsa, String>>; 3] = [const { OnceLock::new() }; 3];
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
        let mut builder = match cpu {
            Cpu::Native => cranelift_native::builder()?,
            Cpu::V3 | Cpu::Baseline => cranelift_native::builder_with_options(false)?,
        };
        if cpu == Cpu::V3 {
            V3.iter().try_for_each(|name| builder.enable(name)).map_err(|e| e.to_string())?;
        }
        builder.finish(settings::Flags::new(flags)).map_err(|e| e.to_string())
    };
    ISAS[cpu as usize].get_or_init(|| find().map_err(|e: String| e)).clone().map_err(CodegenError::Machine)
}

/// What code for these processors asks of them, by the names of the standard library.
pub fn features(cpu: Cpu) -> Result<Vec<String>, CodegenError> {
    let isa = isa(cpu)?;
    let set = isa.isa_flags().into_iter().filter(|flag| flag.as_bool() == Some(true));
    let name = |flag: settings::Value| match flag.name.strip_prefix("has_")? {
        "sse41" => Some("sse4.1".to_owned()),
        "sse42" => Some("sse4.2".to_owned()),
        name => Some(name.to_owned()),
    };
    Ok(set.filter_map(name).collect())
}

/// Whether a product and a sum are one instruction.
fn fused(isa: &dyn TargetIsa) -> bool {
    let has = |flag: &str| isa.isa_flags().iter().any(|f| f.name == flag && f.as_bool() == Some(true));
    !cfg!(target_arch = "x86_64") || (has("has_avx") && has("has_fma"))
}

/// The link name of a block kernel.
fn block_kernel(name: &str, width: Width) -> String {
    format!("blo_k_{name}_{}", if width == Width::Double { "f64" } else { "f32" })
}

/// What code is compiled for.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The processors.
    pub cpu: Cpu,
    /// The widest registers.
    pub level: Level,
}

impl Target {
    /// These processors, with registers no wider than those of a level.
    pub fn new(cpu: Cpu, level: Level) -> Self {
        let widest = match cpu {
            Cpu::Native => level,
            Cpu::V3 => level.min(Level::Avx2),
            Cpu::Baseline => level.min(Level::Sse2),
        };
        Target { cpu, level: widest }
    }
}

/// What becomes a function.
#[derive(Clone, Copy)]
pub enum Job<'a> {
    /// One nest; its parameter is the table of its buffers.
    Nest(&'a Nest),
    /// All steps of an entry; see [`Whole::emit`] for the parameters.
    Whole(&'a Whole<'a>),
}

impl Job<'_> {
    /// How many expressions are compiled.
    fn len(&self) -> usize {
        match self {
            Job::Nest(nest) => nest.exprs.len(),
            Job::Whole(whole) => whole.len(),
        }
    }

    /// The number of its parameters.
    fn params(&self) -> usize {
        match self {
            Job::Nest(_) => 1,
            Job::Whole(_) => 9,
        }
    }
}

/// The functions of some jobs, in their order, compiled on as many threads as pay.
pub fn compile_all(jobs: &[Job<'_>], width: Width, target: Target) -> Result<Vec<Function>, CodegenError> {
    let expressions: usize = jobs.iter().map(Job::len).sum();
    let machine = std::thread::available_parallelism().map_or(1, usize::from);
    compile_on((1 + expressions / WORTH_A_THREAD).min(machine).min(jobs.len()), jobs, width, target)
}

fn compile_on(
    threads: usize,
    jobs: &[Job<'_>],
    width: Width,
    Target { cpu, level }: Target,
) -> Result<Vec<Function>, CodegenError> {
    let isa = isa(cpu)?;
    if threads <= 1 {
        let mut workshop = Workshop::new(&*isa, level);
        return jobs.iter().map(|job| workshop.compile(job, width)).collect();
    }
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<Result<Function, CodegenError>>>> =
        jobs.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        let mut workshop = Workshop::new(&*isa, level);
        loop {
            let k = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(k) else { break };
            *done[k].lock().unwrap_or_else(PoisonError::into_inner) = Some(workshop.compile(job, width));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let taken = done.into_iter().map(|d| d.into_inner().unwrap_or_else(PoisonError::into_inner));
    taken.map(|f| f.unwrap_or_else(|| crate::bug!("a function was left out"))).collect()
}

/// The readable form of the functions of some jobs, in their order.
pub fn text(jobs: &[Job<'_>], width: Width) -> Result<Vec<String>, CodegenError> {
    let isa = isa(Cpu::Native)?;
    let mut workshop = Workshop::new(&*isa, Level::detect());
    let text = |job: &Job<'_>| {
        workshop.build(job, width);
        let text = workshop.context.func.display().to_string();
        workshop.context.clear();
        text
    };
    Ok(jobs.iter().map(text).collect())
}

/// Declares what a function calls.
struct Imports<'n> {
    names: &'n mut Vec<String>,
    convention: CallConv,
}

impl Imports<'_> {
    /// A function of this link name and these parameters.
    fn declare(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        name: String,
        params: &[Type],
        result: Option<Type>,
    ) -> FuncRef {
        let place = UserExternalName { namespace: 0, index: self.names.len() as u32 };
        self.names.push(name);
        let mut signature = Signature::new(self.convention);
        signature.params.extend(params.iter().copied().map(AbiParam::new));
        signature.returns.extend(result.map(AbiParam::new));
        let name = ExternalName::user(b.func.declare_imported_user_function(place));
        let signature = b.func.import_signature(signature);
        b.func.import_function(ExtFuncData { name, signature, colocated: false, patchable: false })
    }
}

/// What a function calls: kernels over arrays, and their forms on numbers in registers. By plain name.
#[derive(Default)]
pub struct Callees {
    /// Over arrays.
    pub blocks: FxHashMap<&'static str, FuncRef>,
    /// On numbers.
    pub singles: FxHashMap<&'static str, FuncRef>,
}

impl Callees {
    /// Declares what a job calls.
    fn of(job: &Job<'_>, width: Width, declare: &mut Declare<'_>) -> Self {
        let mut callees = Callees::default();
        let [blocks, singles] = match job {
            Job::Nest(nest) => {
                let calls = nest.exprs.iter().filter_map(|(expr, _)| match expr {
                    Expr::Call(name, args) => Some((*name, args.len())),
                    _ => None,
                });
                [calls.collect(), vec![]]
            }
            Job::Whole(whole) => whole.calls(),
        };
        for (name, operands) in blocks {
            callees
                .blocks
                .entry(name)
                .or_insert_with(|| declare(block_kernel(name, width), &vec![types::I64; 2 + operands], None));
        }
        for (name, operands) in singles {
            callees.singles.entry(name).or_insert_with(|| {
                let link_name = blo_kernels::single_name(name, blo_kernels::Precision::Double);
                declare(link_name, &vec![types::F64; operands], Some(types::F64))
            });
        }
        callees
    }
}

/// Declares a function by link name, parameters and result.
type Declare<'d> = dyn FnMut(String, &[Type], Option<Type>) -> FuncRef + 'd;

/// What one thread compiles with, used for function after function.
struct Workshop<'i> {
    isa: &'i dyn TargetIsa,
    context: Context,
    builder: FunctionBuilderContext,
    /// Link names of the kernels that the function in the context calls.
    imports: Vec<String>,
    level: Level,
}

impl<'i> Workshop<'i> {
    fn new(isa: &'i dyn TargetIsa, level: Level) -> Self {
        let (context, builder) = (Context::new(), FunctionBuilderContext::new());
        Workshop { isa, context, builder, imports: Vec::new(), level }
    }

    fn compile(&mut self, job: &Job<'_>, width: Width) -> Result<Function, CodegenError> {
        let runs = self.build(job, width);
        let internal = |e: String| CodegenError::Internal(e);
        let compiled = self
            .context
            .compile(self.isa, &mut ControlPlane::default())
            .map_err(|e| internal(format!("{:?}", e.inner)))?;
        let (mut code, alignment) = (compiled.code_buffer().to_vec(), u64::from(compiled.buffer.alignment));
        let mut relocations = compiled.buffer.relocs().to_vec();
        let alignment = alignment.max(run::append(&mut code, &mut relocations, &self.context.func, &runs));
        let relocations = relocations.iter().map(|r| self.relocation(r)).collect::<Result<_, _>>()?;
        self.context.clear();
        Ok(Function { code, alignment, relocations })
    }

    /// Writes the body of a job's function into the context; the code of the runs it calls.
    fn build(&mut self, job: &Job<'_>, width: Width) -> Vec<Vec<u8>> {
        let convention = self.isa.default_call_conv();
        let mut signature = Signature::new(convention);
        signature.params.resize(job.params(), AbiParam::new(types::I64));
        self.context.func.signature = signature;
        self.context.func.name = UserFuncName::user(0, 0);
        self.imports.clear();
        let mut b = FunctionBuilder::new(&mut self.context.func, &mut self.builder);
        let mut imports = Imports { names: &mut self.imports, convention };
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let callees =
            Callees::of(job, width, &mut |name, of, result| imports.declare(&mut b, name, of, result));
        let params = b.block_params(entry).to_vec();
        let mut calls = Calls::new(self.level, fused(self.isa));
        match job {
            Job::Nest(nest) => {
                let nest = contract(nest, calls.fused);
                Emitter::emit(&mut b, &nest, width, &callees.blocks, &mut calls, params[0]);
            }
            Job::Whole(whole) => whole.emit(&mut b, &callees, &mut calls, &params),
        }
        b.ins().return_(&[]);
        b.seal_all_blocks();
        b.finalize(self.isa.frontend_config());
        calls.code
    }

    /// Names what a relocation refers to.
    fn relocation(&self, reloc: &FinalizedMachReloc) -> Result<Relocation, CodegenError> {
        let symbol = match &reloc.target {
            FinalizedRelocTarget::ExternalName(ExternalName::User(place)) => {
                let index = self.context.func.params.user_named_funcs()[*place].index as usize;
                Symbol::Kernel(self.imports[index].clone())
            }
            FinalizedRelocTarget::ExternalName(ExternalName::LibCall(routine)) => Symbol::Routine(*routine),
            other => return Err(CodegenError::Internal(format!("code refers to {other:?}"))),
        };
        Ok(Relocation { offset: reloc.offset, kind: reloc.kind, symbol, addend: reloc.addend })
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;
    use crate::ir::loops::{Access, BufferId, Cell, ExprId, Sink};
    use crate::types::Elem;

    /// `out[i] = exp(x[i])` for `len` elements.
    fn nest(len: usize) -> Nest {
        let access = Access { offset: 0, strides: smallvec![1] };
        Nest {
            extents: vec![len],
            exprs: vec![
                (Expr::Load(0, access.clone()), Elem::Real),
                (Expr::Call("exp", smallvec![ExprId(0)]), Elem::Real),
            ],
            sinks: vec![Sink { value: ExprId(1), arg: 1, access, reduce: None }],
            args: vec![(BufferId(0), Cell::Real), (BufferId(1), Cell::Real)],
            tiles: 0,
        }
    }

    #[test]
    fn the_code_is_the_same_for_any_number_of_threads() {
        let nests: Vec<Nest> = (1..40).map(nest).collect();
        let nests: Vec<Job<'_>> = nests.iter().map(Job::Nest).collect();
        let alone = compile_on(1, &nests, Width::Double, Target::new(Cpu::Native, Level::detect())).unwrap();
        assert_eq!(alone[7].relocations[0].symbol, Symbol::Kernel("blo_k_exp_f64".into()));
        for threads in [2, 3, 64] {
            assert_eq!(
                compile_on(threads, &nests, Width::Double, Target::new(Cpu::Native, Level::detect()))
                    .unwrap(),
                alone,
                "{threads} threads"
            );
        }
    }
}
