//! The code of one segment of the innermost axis: values that do not vary along it are computed first, then blocks of vectors
//! in a loop, the vectors that are left, and single elements. Sums run in several vector accumulators, which are folded in a
//! fixed order.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value, types};

use super::instruction::{Lanes, combine, emit, int, join, neutral, splat};
use super::nest::{Emitter, Slot, Span, flags};
use crate::ir::loops::{Access, Expr, ExprId, Sink};
use crate::ops::Reduction;
use crate::types::Elem;

/// What is done in one phase of a segment.
pub struct Phase {
    level: usize,
    /// Needed expressions that vary, in order.
    pub varying: Vec<usize>,
    /// Needed expressions that do not.
    pub fixed: Vec<usize>,
    /// Operands of block kernels to put into tiles.
    pub tiles: Vec<ExprId>,
    /// Positions of the sinks that store.
    pub stores: Vec<usize>,
    /// Positions of the sinks that accumulate along the axis.
    pub sums: Vec<usize>,
}

/// Addresses and scalars that hold throughout a segment.
pub struct Frame {
    /// By expression, its value if it does not vary.
    pub scalars: Vec<Option<Value>>,
    /// By expression, the address of its first element if it is read from memory.
    pub bases: Vec<Option<Value>>,
    /// The addresses of the tiles.
    pub tiles: Vec<Value>,
    /// The addresses of the stores.
    pub stores: Vec<Value>,
}

/// Where in a segment a block of elements is: `index` (a multiple of a vector, `None` for 0) plus `shift`.
#[derive(Clone, Copy)]
struct Spot {
    lanes: Lanes,
    index: Option<Value>,
    shift: usize,
}

impl Emitter<'_, '_> {
    /// Everything of one level over a span.
    pub fn segment(&mut self, span: &Span<'_>, level: usize) {
        let phase = self.phase(level);
        if phase.tiles.is_empty() && phase.stores.is_empty() && phase.sums.is_empty() {
            return;
        }
        let frame = self.frame(&phase, span);
        let lanes = self.lanes;
        let run = self.run(&phase, span.len);
        if let Some(run) = &run
            && let Some(totals) = self.call_run(run, &phase, &frame)
        {
            for (&s, total) in phase.sums.iter().zip(totals) {
                self.finish_sum(&self.nest.sinks[s], total, span);
            }
            return;
        }
        let unroll = match (&run, phase.varying.len()) {
            // Sums have the order that wide registers would give them.
            (Some((run, _)), _) if !phase.sums.is_empty() => run.lanes / lanes.count,
            (_, 0..=8) => 4,
            (_, 9..=20) => 2,
            _ => 1,
        };
        let unroll = unroll.min((span.len / lanes.count).max(1));
        let block = unroll * lanes.count;
        let mut sums: Vec<Vec<Value>> =
            phase.sums.iter().map(|&s| vec![self.start(s, lanes); unroll]).collect();
        let blocks = span.len / block;
        if blocks > 1 {
            self.blocks(&phase, &frame, blocks * block, unroll, &mut sums);
        } else if blocks == 1 {
            self.block(&phase, &frame, None, unroll, &mut sums);
        }
        let mut done = blocks * block;
        for k in 0.. {
            if done + lanes.count > span.len || lanes.count == 1 {
                break;
            }
            self.elements(&phase, &frame, Spot { lanes, index: None, shift: done }, &mut sums, k % unroll);
            done += lanes.count;
        }
        let scalar = Lanes { count: 1, ..lanes };
        for shift in done..span.len {
            // The lane that a vector here would have had.
            let (part, lane) = (shift % block / lanes.count, shift % lanes.count);
            let spot = Spot { lanes: scalar, index: None, shift };
            let mut single: Vec<Vec<Value>> =
                sums.iter().map(|parts| vec![self.lane(parts[part], lane)]).collect();
            self.elements(&phase, &frame, spot, &mut single, 0);
            for (parts, single) in sums.iter_mut().zip(single) {
                parts[part] = if lanes.count == 1 {
                    single[0]
                } else {
                    self.b.ins().insertlane(parts[part], single[0], lane as u8)
                };
            }
        }
        for (&s, parts) in phase.sums.iter().zip(&sums) {
            let total = self.fold(s, parts);
            self.finish_sum(&self.nest.sinks[s], total, span);
        }
    }

    fn phase(&self, level: usize) -> Phase {
        let nest = self.nest;
        let inner = nest.extents.len() - 1;
        let mut phase =
            Phase { level, varying: vec![], fixed: vec![], tiles: vec![], stores: vec![], sums: vec![] };
        for (k, sink) in nest.sinks.iter().enumerate() {
            let straight = self.slots[sink.value.0 as usize] == Some(Slot::Sink(k));
            if self.level[sink.value.0 as usize] == level && !straight {
                let along = sink.reduce.is_some() && sink.access.strides[inner] == 0;
                if along { phase.sums.push(k) } else { phase.stores.push(k) }
            }
        }
        for (expr, _) in &nest.exprs {
            if let Expr::Call(_, args) = expr {
                for &a in args {
                    let tile = matches!(self.slots[a.0 as usize], Some(Slot::Tile(_)));
                    let called = matches!(nest.exprs[a.0 as usize].0, Expr::Call(..));
                    if self.level[a.0 as usize] == level && tile && !called && !phase.tiles.contains(&a) {
                        phase.tiles.push(a);
                    }
                }
            }
        }
        let mut needed = vec![false; nest.exprs.len()];
        phase.tiles.iter().for_each(|t| needed[t.0 as usize] = true);
        for &s in phase.stores.iter().chain(&phase.sums) {
            match self.products[s] {
                Some(factors) => factors.iter().for_each(|f| needed[f.0 as usize] = true),
                None => needed[nest.sinks[s].value.0 as usize] = true,
            }
        }
        for k in (0..needed.len()).rev().filter(|&k| needed[k]).collect::<Vec<_>>() {
            self.need(k, &mut needed);
        }
        let needed = (0..needed.len()).filter(|&k| needed[k]);
        (phase.varying, phase.fixed) = needed.partition(|&k| self.varies[k]);
        phase
    }

    /// Marks what an expression uses; results of block kernels are read from tiles.
    fn need(&self, k: usize, needed: &mut [bool]) {
        needed[k] = true;
        let expr = &self.nest.exprs[k].0;
        if !matches!(expr, Expr::Call(..)) {
            expr.operands().iter().for_each(|o| self.need(o.0 as usize, needed));
        }
    }

    fn frame(&mut self, phase: &Phase, span: &Span<'_>) -> Frame {
        let nest = self.nest;
        let scalar = Lanes { count: 1, ..self.lanes };
        let mut frame = Frame {
            scalars: vec![None; nest.exprs.len()],
            bases: vec![None; nest.exprs.len()],
            tiles: vec![],
            stores: vec![],
        };
        for &k in &phase.fixed {
            let (expr, elem) = &nest.exprs[k];
            let value = match expr {
                Expr::Const(bits) => self.constant(scalar, *bits, *elem),
                Expr::Index(access) => self.index(access, span),
                Expr::Load(arg, access) => {
                    let at = self.address(*arg, access, *elem, span);
                    self.load(scalar, *elem, at, 0)
                }
                Expr::Op(op, args) => {
                    let values: Vec<Value> =
                        args.iter().filter_map(|a| frame.scalars[a.0 as usize]).collect();
                    emit(self.b, scalar, *op, nest.exprs[args[args.len() - 1].0 as usize].1, *elem, &values)
                }
                Expr::Call(..) => crate::bug!("the result of a block kernel does not vary"),
            };
            frame.scalars[k] = Some(value);
        }
        for &k in &phase.varying {
            frame.bases[k] = match &nest.exprs[k] {
                (Expr::Load(arg, access), elem) => Some(self.address(*arg, access, *elem, span)),
                (Expr::Index(access), _) => Some(self.index(access, span)),
                (Expr::Call(..), _) => Some(self.slot_address(ExprId(k as u32), span)),
                _ => None,
            };
        }
        frame.tiles = phase.tiles.iter().map(|&t| self.slot_address(t, span)).collect();
        for &s in &phase.stores {
            let sink = &nest.sinks[s];
            let at = self.address(sink.arg, &sink.access, self.elem(sink.value), span);
            frame.stores.push(at);
        }
        frame
    }

    fn index(&mut self, access: &Access, span: &Span<'_>) -> Value {
        let (value, constant) = self.position(access, span, 1);
        match value {
            Some(v) => self.b.ins().iadd_imm_s(v, constant),
            None => self.b.ins().iconst(types::I64, constant),
        }
    }

    /// The loop over blocks of vectors.
    fn blocks(&mut self, phase: &Phase, frame: &Frame, end: usize, unroll: usize, sums: &mut [Vec<Value>]) {
        let (header, exit) = (self.b.create_block(), self.b.create_block());
        let i = self.b.append_block_param(header, types::I64);
        let zero = self.b.ins().iconst(types::I64, 0);
        let mut first = vec![BlockArg::from(zero)];
        for sum in sums.iter_mut().flatten() {
            first.push(BlockArg::from(*sum));
            let ty = self.b.func.dfg.value_type(*sum);
            *sum = self.b.append_block_param(header, ty);
        }
        self.b.ins().jump(header, &first);
        self.b.switch_to_block(header);
        self.block(phase, frame, Some(i), unroll, sums);
        let next = self.b.ins().iadd_imm_s(i, (unroll * self.lanes.count) as i64);
        let last = self.b.ins().iconst(types::I64, end as i64);
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, next, last);
        let results: Vec<BlockArg> = sums.iter().flatten().map(|&s| BlockArg::from(s)).collect();
        let again: Vec<BlockArg> =
            std::iter::once(BlockArg::from(next)).chain(results.iter().copied()).collect();
        for sum in sums.iter_mut().flatten() {
            let ty = self.b.func.dfg.value_type(*sum);
            *sum = self.b.append_block_param(exit, ty);
        }
        self.b.ins().brif(more, header, &again, exit, &results);
        self.b.switch_to_block(exit);
    }

    fn block(
        &mut self,
        phase: &Phase,
        frame: &Frame,
        index: Option<Value>,
        unroll: usize,
        sums: &mut [Vec<Value>],
    ) {
        for k in 0..unroll {
            let spot = Spot { lanes: self.lanes, index, shift: k * self.lanes.count };
            self.elements(phase, frame, spot, sums, k);
        }
    }

    /// One register's worth of elements; sums go to their `part`-th accumulator.
    fn elements(&mut self, phase: &Phase, frame: &Frame, spot: Spot, sums: &mut [Vec<Value>], part: usize) {
        let nest = self.nest;
        let mut values = vec![None; nest.exprs.len()];
        for &k in &phase.varying {
            let (expr, elem) = &nest.exprs[k];
            let value = match (expr, frame.bases[k]) {
                (Expr::Load(_, access), Some(base)) => {
                    let stride = access.strides[nest.extents.len() - 1];
                    self.load_at(spot, *elem, base, stride)
                }
                (Expr::Index(access), Some(base)) => {
                    let stride = access.strides[nest.extents.len() - 1];
                    self.index_at(spot, base, stride)
                }
                (Expr::Call(..), Some(base)) => self.load_at(spot, Elem::Real, base, 1),
                (Expr::Op(op, args), _) => {
                    let operands: Vec<Value> =
                        args.iter().map(|&a| self.value(frame, &values, spot, a)).collect();
                    let from = nest.exprs[args[args.len() - 1].0 as usize].1;
                    emit(self.b, spot.lanes, *op, from, *elem, &operands)
                }
                _ => crate::bug!("an expression of level {} has no address", phase.level),
            };
            values[k] = Some(value);
        }
        for (&tile, &base) in phase.tiles.iter().zip(&frame.tiles) {
            let value = self.value(frame, &values, spot, tile);
            self.store_at(spot, Elem::Real, base, 1, value);
        }
        for (&s, &base) in phase.stores.iter().zip(&frame.stores) {
            let sink = &nest.sinks[s];
            let elem = self.elem(sink.value);
            let stride = sink.access.strides[nest.extents.len() - 1];
            let value = match sink.reduce {
                Some(r) => {
                    let before = self.load_at(spot, elem, base, stride);
                    self.join(frame, &values, spot, (s, r), before)
                }
                None => self.value(frame, &values, spot, sink.value),
            };
            self.store_at(spot, elem, base, stride, value);
        }
        for (&s, parts) in phase.sums.iter().zip(sums) {
            if let Some(r) = nest.sinks[s].reduce {
                parts[part] = self.join(frame, &values, spot, (s, r), parts[part]);
            }
        }
    }

    /// What a sink's reduction makes of `before` and the value at a spot.
    fn join(
        &mut self,
        frame: &Frame,
        values: &[Option<Value>],
        spot: Spot,
        (sink, reduce): (usize, Reduction),
        before: Value,
    ) -> Value {
        if let Some(factors) = self.products[sink] {
            let [a, b] = factors.map(|f| self.value(frame, values, spot, f));
            return self.b.ins().fma(a, b, before);
        }
        let value = self.nest.sinks[sink].value;
        let elem = self.elem(value);
        let value = self.value(frame, values, spot, value);
        combine(self.b, spot.lanes, reduce, elem, before, value)
    }

    fn value(&mut self, frame: &Frame, values: &[Option<Value>], spot: Spot, id: ExprId) -> Value {
        let k = id.0 as usize;
        match (values[k], frame.scalars[k]) {
            (Some(v), _) => v,
            (None, Some(s)) => splat(self.b, spot.lanes, self.elem(id), s),
            (None, None) => crate::bug!("expression {k} is used before it is computed"),
        }
    }

    /// The address of a spot and a constant displacement.
    fn spot(&mut self, spot: Spot, base: Value, stride: usize, elem: Elem) -> (Value, i32) {
        let unit = (stride * self.size(elem)) as i64;
        let at = if stride == 0 { base } else { self.shifted(base, spot.index, unit) };
        match i32::try_from(unit * spot.shift as i64) {
            Ok(shift) => (at, shift),
            Err(_) => (self.b.ins().iadd_imm_s(at, unit * spot.shift as i64), 0),
        }
    }

    fn load_at(&mut self, spot: Spot, elem: Elem, base: Value, stride: usize) -> Value {
        let (at, shift) = self.spot(spot, base, stride, elem);
        if spot.lanes.count == 1 || stride == 1 {
            return self.load(spot.lanes, elem, at, shift);
        }
        let scalar = self.cell_type(elem);
        let unit = (stride * self.size(elem)) as i64;
        let cells: Vec<Value> = (0..spot.lanes.count as i64)
            .map(|k| {
                let at = self.b.ins().iadd_imm_s(at, unit * k);
                self.b.ins().load(scalar, flags(), at, shift)
            })
            .collect();
        let ty = spot.lanes.ty(if elem == Elem::Bool { Elem::Int } else { elem });
        let v = join(self.b, ty, &cells);
        self.truth(spot.lanes, elem, v)
    }

    fn load(&mut self, lanes: Lanes, elem: Elem, at: Value, shift: i32) -> Value {
        let ty = lanes.ty(if elem == Elem::Bool { Elem::Int } else { elem });
        let v = self.b.ins().load(ty, flags(), at, shift);
        self.truth(lanes, elem, v)
    }

    /// A truth value from its cell.
    fn truth(&mut self, lanes: Lanes, elem: Elem, v: Value) -> Value {
        if elem != Elem::Bool {
            return v;
        }
        let zero = int(self.b, lanes, 0);
        self.b.ins().icmp(IntCC::NotEqual, v, zero)
    }

    fn store_at(&mut self, spot: Spot, elem: Elem, base: Value, stride: usize, value: Value) {
        let (at, shift) = self.spot(spot, base, stride, elem);
        let value = match (elem, spot.lanes.count) {
            (Elem::Bool, 1) => self.b.ins().uextend(types::I64, value),
            (Elem::Bool, _) => {
                let one = int(self.b, spot.lanes, 1);
                self.b.ins().band(value, one)
            }
            _ => value,
        };
        if spot.lanes.count == 1 || stride == 1 {
            self.b.ins().store(flags(), value, at, shift);
            return;
        }
        let unit = (stride * self.size(elem)) as i64;
        for k in 0..spot.lanes.count {
            let cell = self.b.ins().extractlane(value, k as u8);
            let at = self.b.ins().iadd_imm_s(at, unit * k as i64);
            self.b.ins().store(flags(), cell, at, shift);
        }
    }

    fn index_at(&mut self, spot: Spot, base: Value, stride: usize) -> Value {
        let first = self.shifted(base, spot.index, stride as i64);
        let first = self.b.ins().iadd_imm_s(first, (stride * spot.shift) as i64);
        if spot.lanes.count == 1 {
            return first;
        }
        let steps: Vec<Value> =
            (0..spot.lanes.count).map(|k| self.b.ins().iconst(types::I64, (k * stride) as i64)).collect();
        let steps = join(self.b, types::I64X2, &steps);
        let first = self.b.ins().splat(types::I64X2, first);
        self.b.ins().iadd(first, steps)
    }

    fn start(&mut self, sink: usize, lanes: Lanes) -> Value {
        let Sink { value, reduce, .. } = self.nest.sinks[sink];
        let elem = self.elem(value);
        match reduce {
            Some(r) => neutral(self.b, lanes, r, elem),
            None => crate::bug!("a sink that only stores has no accumulator"),
        }
    }

    /// One element of a register.
    fn lane(&mut self, v: Value, lane: usize) -> Value {
        if self.lanes.count == 1 { v } else { self.b.ins().extractlane(v, lane as u8) }
    }

    /// The accumulators as one number: the upper half joins the lower half, of the registers and then of the lanes.
    fn fold(&mut self, sink: usize, parts: &[Value]) -> Value {
        let Sink { value, reduce, .. } = self.nest.sinks[sink];
        let (elem, lanes) = (self.elem(value), self.lanes);
        let Some(r) = reduce else { crate::bug!("a sink that only stores has no accumulator") };
        let scalar = Lanes { count: 1, ..lanes };
        let parts = self.halve(lanes, r, elem, parts.to_vec());
        let parts = (0..lanes.count).map(|k| self.lane(parts, k)).collect();
        self.halve(scalar, r, elem, parts)
    }

    fn halve(&mut self, lanes: Lanes, r: Reduction, elem: Elem, mut parts: Vec<Value>) -> Value {
        while parts.len() > 1 {
            let half = parts.len().div_ceil(2);
            for k in half..parts.len() {
                parts[k - half] = combine(self.b, lanes, r, elem, parts[k - half], parts[k]);
            }
            parts.truncate(half);
        }
        parts[0]
    }

    /// Puts a segment's total into its cell.
    fn finish_sum(&mut self, sink: &Sink, total: Value, span: &Span<'_>) {
        let elem = self.elem(sink.value);
        let at = self.address(sink.arg, &sink.access, elem, span);
        let scalar = Lanes { count: 1, ..self.lanes };
        let mut total = total;
        if let (Some(r), false) = (sink.reduce, self.direct) {
            let before = self.load(scalar, elem, at, 0);
            total = combine(self.b, scalar, r, elem, before, total);
        }
        self.b.ins().store(flags(), total, at, 0);
    }
}
