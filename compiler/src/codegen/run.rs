//! Segments in wide registers: what one computes as a [`Run`], and the call of the code that [`super::wide`] makes of it. The
//! function from Cranelift keeps the loops, the addresses, and all that is the same along the innermost axis.

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{
    AbiParam, ExtFuncData, ExternalName, FuncRef, Function, InstBuilder, MemFlagsData, Signature, StackSlot,
    StackSlotData, StackSlotKind, UserExternalName, Value, types,
};
use cranelift_codegen::{FinalizedMachReloc, FinalizedRelocTarget};
use rustc_hash::FxHashMap;

use super::nest::Emitter;
use super::segment::{Frame, Phase};
use super::wide::{self, Level, Run, Store, Sum, Term, covers, virtual_lanes};
use crate::ir::loops::{Cell, Expr, ExprId};
use crate::types::Elem;

/// The namespace of the names of runs; block kernels have 0.
const NAMESPACE: u32 = 1;

/// The alignment of a run's code: a cache line.
const ALIGNMENT: usize = 64;

/// The runs that a function calls.
pub struct Calls {
    level: Level,
    /// Whether the machine has fused products.
    pub fused: bool,
    known: Vec<(Run, Option<FuncRef>)>,
    /// Where tables of arguments are put, and how many entries it holds.
    table: Option<(StackSlot, usize)>,
    /// The code of every run, by its name's index.
    pub code: Vec<Vec<u8>>,
}

impl Calls {
    /// None yet.
    pub fn new(level: Level, fused: bool) -> Self {
        Calls { level, fused, known: Vec::new(), table: None, code: Vec::new() }
    }
}

impl Emitter<'_, '_> {
    /// A phase over `len` elements as a run, if all it touches are reals that lie side by side, and the expressions whose
    /// numbers are in its table.
    pub fn run(&self, phase: &Phase, len: usize) -> Option<(Run, Vec<usize>)> {
        let (nest, width) = (self.nest, self.lanes.width);
        let inner = nest.extents.len() - 1;
        if len * width.bytes(Cell::Real) < wide::SHORTEST {
            return None;
        }
        let mut values = Vec::new();
        let mut of: FxHashMap<usize, usize> = FxHashMap::default();
        let mut streams = 0;
        for &k in &phase.varying {
            let elem = nest.exprs[k].1;
            let value = match &nest.exprs[k].0 {
                Expr::Load(_, access) if elem == Elem::Real && access.strides[inner] == 1 => {
                    streams += 1;
                    wide::Value::Stream(streams - 1)
                }
                Expr::Call(..) => {
                    streams += 1;
                    wide::Value::Stream(streams - 1)
                }
                _ => continue,
            };
            of.insert(k, values.len());
            values.push((value, elem));
        }
        let pointers = streams + phase.tiles.len() + phase.stores.len();
        let used = self.used(phase);
        let mut numbers = Vec::new();
        for &k in phase.fixed.iter().filter(|&&k| used[k] && nest.exprs[k].1 == Elem::Real) {
            let value = match &nest.exprs[k].0 {
                Expr::Const(bits) => wide::Value::Const(f64::from_bits(*bits)),
                _ => {
                    numbers.push(k);
                    wide::Value::Scalar(pointers + numbers.len() - 1)
                }
            };
            of.insert(k, values.len());
            values.push((value, Elem::Real));
        }
        for &k in phase.varying.iter().filter(|k| !of.contains_key(k)).collect::<Vec<_>>() {
            let (Expr::Op(op, args), elem) = &nest.exprs[k] else { return None };
            let from = nest.exprs[args[args.len() - 1].0 as usize].1;
            if !covers(*op, from, *elem) {
                return None;
            }
            let operands = args.iter().map(|a| of.get(&(a.0 as usize)).copied());
            let operands = operands.collect::<Option<_>>()?;
            of.insert(k, values.len());
            values.push((wide::Value::Op(*op, operands), *elem));
        }
        let real =
            |id: ExprId| if self.elem(id) == Elem::Real { of.get(&(id.0 as usize)).copied() } else { None };
        let term = |s: usize| match self.products[s] {
            Some([a, b]) => Some(Term::Product(real(a)?, real(b)?)),
            None => Some(Term::Value(real(nest.sinks[s].value)?)),
        };
        let mut run = Run {
            width,
            len,
            values,
            stores: Vec::new(),
            sums: Vec::new(),
            lanes: virtual_lanes(width, phase.varying.len()),
        };
        for (k, &tile) in phase.tiles.iter().enumerate() {
            run.stores.push(Store { term: Term::Value(real(tile)?), stream: streams + k, reduce: None });
        }
        for (k, &s) in phase.stores.iter().enumerate() {
            let sink = &nest.sinks[s];
            if sink.access.strides[inner] != 1 || self.elem(sink.value) != Elem::Real {
                return None;
            }
            let stream = streams + phase.tiles.len() + k;
            run.stores.push(Store { term: term(s)?, stream, reduce: sink.reduce });
        }
        for (k, &s) in phase.sums.iter().enumerate() {
            let total = pointers + numbers.len() + k;
            run.sums.push(Sum { term: term(s)?, reduce: nest.sinks[s].reduce?, total });
        }
        Some((run, numbers))
    }

    /// By expression, whether what a phase computes for every element uses it.
    fn used(&self, phase: &Phase) -> Vec<bool> {
        let mut used = vec![false; self.nest.exprs.len()];
        let mut mark = |id: &ExprId| used[id.0 as usize] = true;
        for &k in &phase.varying {
            if let Expr::Op(_, args) = &self.nest.exprs[k].0 {
                args.iter().for_each(&mut mark);
            }
        }
        phase.tiles.iter().for_each(&mut mark);
        for &s in phase.stores.iter().chain(&phase.sums) {
            match &self.products[s] {
                Some(factors) => factors.iter().for_each(&mut mark),
                None => mark(&self.nest.sinks[s].value),
            }
        }
        used
    }

    /// Calls the code of a run; its totals, or `None` if it has no code.
    pub fn call_run(
        &mut self,
        (run, numbers): &(Run, Vec<usize>),
        phase: &Phase,
        frame: &Frame,
    ) -> Option<Vec<Value>> {
        let function = self.function(run)?;
        let loads = phase.varying.iter().filter_map(|&k| frame.bases[k]);
        let pointers = loads.chain(frame.tiles.iter().copied()).chain(frame.stores.iter().copied());
        let numbers = numbers.iter().filter_map(|&k| frame.scalars[k]);
        let entries: Vec<Value> = pointers.chain(numbers).collect();
        let table = self.table(entries.len() + run.sums.len());
        for (k, &entry) in entries.iter().enumerate() {
            self.b.ins().stack_store(types::I64, entry, table, 8 * k as i32);
        }
        let address = self.b.ins().stack_addr(types::I64, table, 0);
        self.b.ins().call(function, &[address]);
        let real = self.lanes.real();
        let total = |s: &Sum, e: &mut Self| {
            e.b.ins().load(real, MemFlagsData::trusted(), address, 8 * s.total as i32)
        };
        Some(run.sums.iter().map(|s| total(s, self)).collect())
    }

    fn function(&mut self, run: &Run) -> Option<FuncRef> {
        if let Some((_, function)) = self.calls.known.iter().find(|(known, _)| known == run) {
            return *function;
        }
        let function = wide::emit(run, self.calls.level).map(|code| {
            let name = UserExternalName { namespace: NAMESPACE, index: self.calls.code.len() as u32 };
            self.calls.code.push(code);
            let mut signature = Signature::new(self.b.func.signature.call_conv);
            signature.params.push(AbiParam::new(types::I64));
            let signature = self.b.func.import_signature(signature);
            let name = ExternalName::user(self.b.func.declare_imported_user_function(name));
            self.b.func.import_function(ExtFuncData { name, signature, colocated: true, patchable: false })
        });
        self.calls.known.push((run.clone(), function));
        function
    }

    /// A table on the stack with room for so many entries.
    fn table(&mut self, entries: usize) -> StackSlot {
        match self.calls.table {
            Some((slot, room)) if room >= entries => slot,
            _ => {
                let data = StackSlotData::new(StackSlotKind::ExplicitSlot, 8 * entries as u32, 3);
                let slot = self.b.create_sized_stack_slot(data);
                self.calls.table = Some((slot, entries));
                slot
            }
        }
    }
}

/// Puts the code of runs behind that of the function which calls them, and the distances into the calls; the alignment that
/// the code of runs needs.
pub fn append(
    code: &mut Vec<u8>,
    relocations: &mut Vec<FinalizedMachReloc>,
    function: &Function,
    runs: &[Vec<u8>],
) -> u64 {
    if runs.is_empty() {
        return 1;
    }
    let starts: Vec<usize> = runs
        .iter()
        .map(|run| {
            code.resize(code.len().next_multiple_of(ALIGNMENT), 0);
            code.extend_from_slice(run);
            code.len() - run.len()
        })
        .collect();
    relocations.retain(|r| {
        let FinalizedRelocTarget::ExternalName(ExternalName::User(name)) = &r.target else { return true };
        let name = &function.params.user_named_funcs()[*name];
        if name.namespace != NAMESPACE {
            return true;
        }
        if r.kind != Reloc::X86CallPCRel4 {
            crate::bug!("a run is called by {:?}", r.kind);
        }
        let at = r.offset as usize;
        let distance = starts[name.index as usize] as i64 + r.addend - at as i64;
        code[at..at + 4].copy_from_slice(&(distance as i32).to_le_bytes());
        false
    });
    ALIGNMENT as u64
}
