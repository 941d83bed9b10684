//! The code of an entry compiled whole: its loops one after another in one function. Loops of a few points are written out on
//! scalars, and what they leave in a cell stays in a register for those that read it.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use cranelift_frontend::FunctionBuilder;
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

use super::super::contract::{Contracted, contract};
use super::super::function::Callees;
use super::super::instruction::{Lanes, combine, emit, int, neutral, real};
use super::super::nest::{Emitter, flags};
use super::super::run::Calls;
use super::{Whole, vector};
use crate::ir::loops::{Access, BufferId, Cell, Expr, ExprId, Nest, Sink, TILE_STRIDE, Width};
use crate::types::Elem;

/// Bytes of a cell; entries compiled whole are in double precision.
const CELL: usize = 8;

/// Registers of one number.
const SCALAR: Lanes = Lanes { width: Width::Double, count: 1 };

/// Points up to which loops are written out: with calls, which are on one number then, and without.
const UNROLLED: [usize; 2] = [2, 8];

/// Expressions, over all points, that may be written out for one nest.
const LONGEST: usize = 128;

/// Whether a nest is written out.
fn is_unrolled(nest: &Nest) -> bool {
    let calls = nest.exprs.iter().any(|(e, _)| matches!(e, Expr::Call(..)));
    let points = nest.points();
    points <= UNROLLED[usize::from(!calls)] && points * nest.exprs.len() <= LONGEST
}

impl Whole<'_> {
    /// What it calls, with the number of operands: kernels over arrays, and forms on numbers.
    pub fn calls(&self) -> [Vec<(&'static str, usize)>; 2] {
        let mut calls = [vec![], vec![]];
        for nest in self.stages.iter().flatten() {
            let list = &mut calls[usize::from(is_unrolled(nest))];
            for (expr, _) in &nest.exprs {
                if let Expr::Call(name, args) = expr
                    && !list.contains(&(*name, args.len()))
                {
                    list.push((*name, args.len()));
                }
            }
        }
        calls
    }

    /// One past the last byte of the program's memory that is used.
    pub fn bytes(&self) -> usize {
        let end = |id: BufferId| {
            let buffer = self.loops.buffer(id);
            buffer.byte + buffer.len * CELL
        };
        let pieces = self.outputs.iter().flatten().map(|p| p.0.buffer);
        let args = self.stages.iter().flatten().flat_map(|n| n.args.iter().map(|a| a.0));
        args.chain(pieces).chain(self.loops.scratch[0]).map(end).max().unwrap_or(0)
    }

    /// Writes the body. The first block is current; its parameters are the four vectors, the three outputs, the memory, and the
    /// bits of the stages that must run.
    pub fn emit(&self, b: &mut FunctionBuilder<'_>, callees: &Callees, calls: &mut Calls, params: &[Value]) {
        let &[x, y, u, v, first, second, third, memory, stale] = params else {
            crate::bug!("an entry compiled whole has other parameters")
        };
        let mut writer = Writer {
            b,
            whole: self,
            callees,
            calls,
            memory,
            outputs: [first, second, third],
            bases: FxHashMap::default(),
            known: FxHashMap::default(),
            called: FxHashMap::default(),
        };
        writer.bases([x, y, u, v]);
        for (k, stage) in self.stages.iter().enumerate() {
            if stage.is_empty() {
                continue;
            }
            if self.staged && k < 2 {
                writer.when(stale, k, stage);
            } else {
                stage.iter().for_each(|nest| writer.nest(nest));
            }
        }
        writer.copies();
    }
}

struct Writer<'e, 'b, 'w> {
    b: &'e mut FunctionBuilder<'b>,
    whole: &'e Whole<'w>,
    callees: &'e Callees,
    calls: &'e mut Calls,
    memory: Value,
    outputs: [Value; 3],
    /// The addresses of buffers.
    bases: FxHashMap<BufferId, Value>,
    /// What cells hold, as far as it is in registers.
    known: FxHashMap<(BufferId, usize), Value>,
    /// Results of calls.
    called: FxHashMap<(&'static str, SmallVec<[Value; 3]>), Value>,
}

impl Writer<'_, '_, '_> {
    /// Finds the addresses of all buffers; they hold in every block that follows.
    fn bases(&mut self, vectors: [Value; 4]) {
        let whole = self.whole;
        let args = whole.stages.iter().flatten().flat_map(|n| n.args.iter().map(|a| a.0));
        let pieces = whole.outputs.iter().flatten().map(|p| p.0.buffer);
        for id in args.chain(pieces) {
            if self.bases.contains_key(&id) {
                continue;
            }
            let base = match (vector(whole.loops, id), whole.redirected.get(&id)) {
                (Some(which), _) => vectors[which],
                (None, Some(&(k, at))) => self.b.ins().iadd_imm_s(self.outputs[k], (at * CELL) as i64),
                (None, None) => {
                    let byte = whole.loops.buffer(id).byte;
                    self.b.ins().iadd_imm_s(self.memory, byte as i64)
                }
            };
            self.bases.insert(id, base);
        }
    }

    /// A stage that runs when its bit is set. What is in registers does not outlive it.
    fn when(&mut self, stale: Value, bit: usize, stage: &[std::borrow::Cow<'_, Nest>]) {
        let (run, on) = (self.b.create_block(), self.b.create_block());
        let set = self.b.ins().band_imm_u(stale, 1 << bit);
        self.b.ins().brif(set, run, &[], on, &[]);
        self.b.switch_to_block(run);
        self.forget();
        stage.iter().for_each(|nest| self.nest(nest));
        self.forget();
        self.b.ins().jump(on, &[]);
        self.b.switch_to_block(on);
    }

    fn forget(&mut self) {
        self.known.clear();
        self.called.clear();
    }

    fn nest(&mut self, nest: &Nest) {
        if is_unrolled(nest) {
            self.unrolled(nest);
            return;
        }
        let args: Vec<Value> = nest.args.iter().map(|a| self.bases[&a.0]).collect();
        self.looped(nest, args);
        let written: Vec<BufferId> = nest.written().map(|k| nest.args[k].0).collect();
        self.known.retain(|(buffer, _), _| !written.contains(buffer));
    }

    fn looped(&mut self, nest: &Nest, args: Vec<Value>) {
        let scratch = match self.whole.loops.scratch[0] {
            Some(id) if nest.tiles > 0 => {
                debug_assert!(nest.tiles * TILE_STRIDE <= self.whole.loops.buffer(id).len);
                let byte = self.whole.loops.buffer(id).byte;
                Some(self.b.ins().iadd_imm_s(self.memory, byte as i64))
            }
            _ => None,
        };
        let nest = contract(nest, self.calls.fused);
        Emitter::emit_at(self.b, &nest, Width::Double, &self.callees.blocks, self.calls, (args, scratch));
    }

    /// A nest point by point.
    fn unrolled(&mut self, nest: &Nest) {
        let Contracted { nest, products } = &contract(nest, self.calls.fused);
        let mut totals: Vec<FxHashMap<usize, Value>> = vec![FxHashMap::default(); nest.sinks.len()];
        for (sink, totals) in nest.sinks.iter().zip(&mut totals) {
            if let Some(r) = sink.reduce {
                let elem = nest.exprs[sink.value.0 as usize].1;
                let start = neutral(self.b, SCALAR, r, elem);
                totals.extend((0..nest.cells(sink)).map(|cell| (cell, start)));
            }
        }
        for point in points(&nest.extents) {
            let at = |access: &Access| {
                access.offset + access.strides.iter().zip(&point).map(|(s, i)| s * i).sum::<usize>()
            };
            let mut values = Vec::with_capacity(nest.exprs.len());
            for (expr, elem) in &nest.exprs {
                let value = self.value(nest, expr, *elem, &values, &at);
                values.push(value);
            }
            for ((sink, factors), totals) in nest.sinks.iter().zip(products).zip(&mut totals) {
                let (value, elem) = (values[sink.value.0 as usize], nest.exprs[sink.value.0 as usize].1);
                let cell = at(&sink.access);
                match (sink.reduce, totals.get_mut(&cell)) {
                    (Some(r), Some(total)) => {
                        *total = match factors.map(|f| f.map(|f| values[f.0 as usize])) {
                            Some([p, q]) => self.b.ins().fma(p, q, *total),
                            None => combine(self.b, SCALAR, r, elem, *total, value),
                        }
                    }
                    _ => self.store(nest, sink, elem, cell, value),
                }
            }
        }
        for (sink, totals) in nest.sinks.iter().zip(&totals) {
            let elem = nest.exprs[sink.value.0 as usize].1;
            for cell in 0..if sink.reduce.is_some() { nest.cells(sink) } else { 0 } {
                self.store(nest, sink, elem, cell, totals[&cell]);
            }
        }
    }

    fn value(
        &mut self,
        nest: &Nest,
        expr: &Expr,
        elem: Elem,
        values: &[Value],
        at: &dyn Fn(&Access) -> usize,
    ) -> Value {
        let operands =
            |args: &[ExprId]| -> SmallVec<[Value; 3]> { args.iter().map(|a| values[a.0 as usize]).collect() };
        match expr {
            Expr::Const(bits) => self.constant(f64::from_bits(*bits), elem),
            Expr::Index(access) => int(self.b, SCALAR, at(access) as i64),
            Expr::Load(arg, access) => self.load(nest.args[*arg].0, at(access), elem),
            Expr::Op(op, args) => {
                let from = nest.exprs[args[args.len() - 1].0 as usize].1;
                emit(self.b, SCALAR, *op, from, elem, &operands(args))
            }
            Expr::Call(name, args) => {
                let key = (*name, operands(args));
                if let Some(&value) = self.called.get(&key) {
                    return value;
                }
                let call = self.b.ins().call(self.callees.singles[name], &key.1);
                let value = self.b.inst_results(call)[0];
                self.called.insert(key, value);
                value
            }
        }
    }

    fn constant(&mut self, x: f64, elem: Elem) -> Value {
        match elem {
            Elem::Real => real(self.b, SCALAR, x),
            Elem::Int => int(self.b, SCALAR, x as i64),
            Elem::Bool => self.b.ins().iconst(types::I8, i64::from(x != 0.0)),
        }
    }

    fn load(&mut self, buffer: BufferId, cell: usize, elem: Elem) -> Value {
        if let Some(&value) = self.known.get(&(buffer, cell)) {
            return value;
        }
        let ty = if elem == Elem::Real { types::F64 } else { types::I64 };
        let mut value = self.b.ins().load(ty, flags(), self.bases[&buffer], (cell * CELL) as i32);
        if elem == Elem::Bool {
            value = self.b.ins().icmp_imm_s(IntCC::NotEqual, value, 0);
        }
        self.known.insert((buffer, cell), value);
        value
    }

    fn store(&mut self, nest: &Nest, sink: &Sink, elem: Elem, cell: usize, value: Value) {
        let buffer = nest.args[sink.arg].0;
        self.known.insert((buffer, cell), value);
        let stored = if elem == Elem::Bool { self.b.ins().uextend(types::I64, value) } else { value };
        self.b.ins().store(flags(), stored, self.bases[&buffer], (cell * CELL) as i32);
    }

    /// Copies the pieces of the outputs that were not written in place.
    fn copies(&mut self) {
        let whole = self.whole;
        for (k, pieces) in whole.outputs.iter().enumerate().skip(whole.first) {
            let mut at = 0;
            for (place, len) in pieces {
                if whole.redirected.get(&place.buffer) != Some(&(k, at)) {
                    let to = self.b.ins().iadd_imm_s(self.outputs[k], (at * CELL) as i64);
                    self.copy(place.buffer, place.offset, to, *len);
                }
                at += len;
            }
        }
    }

    fn copy(&mut self, buffer: BufferId, offset: usize, to: Value, len: usize) {
        if len <= UNROLLED[1] {
            for k in 0..len {
                let value = self.load(buffer, offset + k, Elem::Real);
                self.b.ins().store(flags(), value, to, (k * CELL) as i32);
            }
            return;
        }
        let along = |offset| Access { offset, strides: smallvec![1] };
        let sink = Sink { value: ExprId(0), arg: 1, access: along(0), reduce: None };
        let nest = Nest {
            extents: vec![len],
            exprs: vec![(Expr::Load(0, along(offset)), Elem::Real)],
            sinks: vec![sink],
            args: vec![(buffer, Cell::Real); 2],
            tiles: 0,
        };
        let from = self.bases[&buffer];
        self.looped(&nest, vec![from, to]);
    }
}

/// All points of an iteration space, the last axis fastest.
fn points(extents: &[usize]) -> Vec<SmallVec<[usize; 4]>> {
    let mut points = vec![SmallVec::new()];
    for &extent in extents {
        let longer = points.iter().flat_map(|p| {
            (0..extent).map(move |i| {
                let mut p = p.clone();
                p.push(i);
                p
            })
        });
        points = longer.collect();
    }
    points
}
