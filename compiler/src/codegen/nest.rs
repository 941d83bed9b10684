//! The code of a nest: the loops over its axes. The innermost axis is cut into segments (tiles when block kernels are called,
//! chunks when it is summed over); [`super::segment`] writes what happens in one of them.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, FuncRef, InstBuilder, MemFlagsData, Type, Value, types};
use cranelift_frontend::FunctionBuilder;
use rustc_hash::FxHashMap;

use super::contract::{Contracted, varies};
use super::instruction::{Lanes, has_vector_form, int, neutral, real};
use super::run::Calls;
use crate::ir::loops::{Access, CHUNK, Cell, Expr, ExprId, Nest, Sink, TILE, TILE_STRIDE, Width};
use crate::ops::Reduction;
use crate::types::Elem;

/// Inner axes shorter than this share tiles between rows.
const SHORT: usize = 64;

/// Where values that pass through tiles lie.
#[derive(Clone, Copy, PartialEq)]
pub enum Slot {
    /// A tile of scratch.
    Tile(usize),
    /// The buffer of a sink itself.
    Sink(usize),
    /// The buffer of a load itself.
    Load,
}

/// Writes the code of one nest.
pub struct Emitter<'e, 'b> {
    /// The function.
    pub b: &'e mut FunctionBuilder<'b>,
    /// The nest.
    pub nest: &'e Nest,
    /// By sink, the factors of what it sums, if they join the sum in one instruction.
    pub products: &'e [Option<[ExprId; 2]>],
    /// The registers used for whole vectors.
    pub lanes: Lanes,
    /// Block kernels by name.
    pub kernels: &'e FxHashMap<&'static str, FuncRef>,
    /// By expression: how many block kernels its value has passed through.
    pub level: Vec<usize>,
    /// By expression: whether it differs along the innermost axis.
    pub varies: Vec<bool>,
    /// By expression: where the results and operands of block kernels are.
    pub slots: Vec<Option<Slot>>,
    /// The runs that are called.
    pub calls: &'e mut Calls,
    args: Vec<Value>,
    scratch: Option<Value>,
    /// Whether a tile holds several rows.
    pub rows: bool,
    /// Whether reductions along the innermost axis see every element of a cell in one segment.
    pub direct: bool,
}

/// The part of the iteration space that one piece of code covers.
pub struct Span<'i> {
    /// Indices of the outer axes, `None` for 0.
    pub outer: &'i [Option<Value>],
    /// The first index of the innermost axis.
    pub start: Option<Value>,
    /// Its length.
    pub len: usize,
    /// The position in tiles.
    pub row: Option<Value>,
}

impl<'e, 'b> Emitter<'e, 'b> {
    /// Writes the body of the function; its first block is current and its parameter is the table of pointers. The code of the
    /// runs it calls is left to be put behind it.
    pub fn emit(
        b: &'e mut FunctionBuilder<'b>,
        contracted: &'e Contracted,
        width: Width,
        kernels: &'e FxHashMap<&'static str, FuncRef>,
        calls: &'e mut Calls,
        table: Value,
    ) {
        let nest = &contracted.nest;
        let count = nest.args.len() + usize::from(nest.tiles > 0);
        let pointer = |k: usize, b: &mut FunctionBuilder<'b>| {
            b.ins().load(types::I64, MemFlagsData::trusted().with_readonly(), table, 8 * k as i32)
        };
        let mut args: Vec<Value> = (0..count).map(|k| pointer(k, b)).collect();
        let scratch = if nest.tiles > 0 { args.pop() } else { None };
        Self::emit_at(b, contracted, width, kernels, calls, (args, scratch));
    }

    /// As [`Emitter::emit`], with the addresses of the buffers, and of the tiles if there are any.
    pub fn emit_at(
        b: &'e mut FunctionBuilder<'b>,
        Contracted { nest, products }: &'e Contracted,
        width: Width,
        kernels: &'e FxHashMap<&'static str, FuncRef>,
        calls: &'e mut Calls,
        (args, scratch): (Vec<Value>, Option<Value>),
    ) {
        let inner = nest.extents.len() - 1;
        let mut depth: Vec<usize> = Vec::with_capacity(nest.exprs.len());
        for (expr, _) in &nest.exprs {
            let operands = expr.operands().iter().map(|o| depth[o.0 as usize]).max().unwrap_or(0);
            depth.push(operands + usize::from(matches!(expr, Expr::Call(..))));
        }
        let varies = varies(nest);
        let count = if vectorisable(nest, width, &varies) { Lanes::full(width) } else { 1 };
        let n = nest.extents[inner];
        let rows = nest.tiles > 0 && n < SHORT && inner > 0;
        let direct = inner_only(nest) && n <= if nest.tiles > 0 { TILE } else { CHUNK };
        let lanes = Lanes { width, count };
        let slots = vec![None; nest.exprs.len()];
        let level = depth;
        let mut e = Emitter {
            b,
            nest,
            products,
            lanes,
            kernels,
            level,
            varies,
            slots,
            calls,
            args,
            scratch,
            rows,
            direct,
        };
        e.assign_slots();
        e.body();
    }

    fn body(&mut self) {
        for sink in &self.nest.sinks {
            if let Some(r) = sink.reduce
                && !(self.direct && self.nest.points() > 0)
            {
                self.fill(sink, r);
            }
        }
        if self.nest.points() == 0 {
            return;
        }
        let outer = self.nest.extents.len() - 1 - usize::from(self.rows);
        self.outer_loops(&mut Vec::with_capacity(outer), outer);
    }

    /// Sets the cells of a reduction to its neutral value. They are a whole buffer.
    fn fill(&mut self, sink: &Sink, r: Reduction) {
        let elem = self.elem(sink.value);
        let scalar = Lanes { count: 1, ..self.lanes };
        let value = neutral(self.b, scalar, r, elem);
        let size = self.size(elem) as i64;
        let base = self.args[sink.arg];
        self.repeat(self.nest.cells(sink), 1, &mut |e, i| {
            let at = e.shifted(base, i, size);
            e.b.ins().store(flags(), value, at, 0);
        });
    }

    fn outer_loops(&mut self, outer: &mut Vec<Option<Value>>, depth: usize) {
        if outer.len() < depth {
            let extent = self.nest.extents[outer.len()];
            self.repeat(extent, 1, &mut |e, i| {
                outer.push(i);
                e.outer_loops(outer, depth);
                outer.pop();
            });
            return;
        }
        let inner = self.nest.extents.len() - 1;
        let n = self.nest.extents[inner];
        let sums = self.nest.sinks.iter().any(|s| s.reduce.is_some() && s.access.strides[inner] == 0);
        if self.rows {
            let m = self.nest.extents[inner - 1];
            let per_tile = (TILE / n).clamp(1, m);
            self.cut(m, per_tile, &mut |e, first, rows| e.row_tile(outer, first, rows));
        } else {
            let longest = if self.nest.tiles > 0 {
                TILE
            } else if sums {
                CHUNK
            } else {
                n
            };
            self.cut(n, longest.min(n), &mut |e, start, len| {
                let span = Span { outer, start, len, row: None };
                e.tile(&span, len, &mut |e, level| e.segment(&span, level));
            });
        }
    }

    /// One tile that holds `rows` whole rows from `first` on.
    fn row_tile(&mut self, outer: &[Option<Value>], first: Option<Value>, rows: usize) {
        let n = self.nest.extents[self.nest.extents.len() - 1];
        let whole = Span { outer, start: None, len: n, row: None };
        self.tile(&whole, rows * n, &mut |e, level| {
            e.repeat(rows, 1, &mut |e, r| {
                let row = e.sum(first, r);
                let outer: Vec<Option<Value>> = outer.iter().copied().chain([row]).collect();
                let position = r.map(|r| e.b.ins().imul_imm_s(r, n as i64));
                e.segment(&Span { outer: &outer, start: None, len: n, row: position }, level);
            });
        });
    }

    /// The phases of a tile of `len` elements: what happens between calls of block kernels, and the calls.
    fn tile(&mut self, span: &Span<'_>, len: usize, segment: &mut dyn FnMut(&mut Self, usize)) {
        let last = self.level.iter().copied().max().unwrap_or(0);
        for level in 0..=last {
            segment(self, level);
            self.kernel_calls(span, len, level + 1);
        }
    }

    /// Calls the block kernels whose results have this level.
    fn kernel_calls(&mut self, span: &Span<'_>, len: usize, level: usize) {
        for k in 0..self.nest.exprs.len() {
            let Expr::Call(name, args) = &self.nest.exprs[k].0 else { continue };
            if self.level[k] != level {
                continue;
            }
            let out = self.slot_address(ExprId(k as u32), span);
            let count = self.b.ins().iconst(types::I64, len as i64);
            let mut values = vec![count, out];
            values.extend(args.iter().map(|&a| self.slot_address(a, span)));
            self.b.ins().call(self.kernels[name], &values);
        }
    }

    /// Decides where operands and results of block kernels lie. An operand that is an array in memory is used in place, and a
    /// result that is only stored goes straight to its buffer.
    fn assign_slots(&mut self) {
        let inner = self.nest.extents.len() - 1;
        let mut tiles = 0;
        let mut tile = || {
            tiles += 1;
            Some(Slot::Tile(tiles - 1))
        };
        let mut uses = vec![0; self.nest.exprs.len()];
        self.nest.exprs.iter().flat_map(|(e, _)| e.operands()).for_each(|o| uses[o.0 as usize] += 1);
        for (k, (expr, _)) in self.nest.exprs.iter().enumerate() {
            let Expr::Call(_, args) = expr else { continue };
            for a in args.iter().map(|a| a.0 as usize) {
                let in_place =
                    matches!(&self.nest.exprs[a].0, Expr::Load(_, a) if a.strides[inner] == 1) && !self.rows;
                if self.slots[a].is_none() {
                    self.slots[a] = if in_place { Some(Slot::Load) } else { tile() };
                }
            }
            let mut sinks = self.nest.sinks.iter().enumerate().filter(|(_, s)| s.value.0 as usize == k);
            let straight = match (sinks.next(), sinks.next()) {
                (Some((i, s)), None) if s.reduce.is_none() && s.access.strides[inner] == 1 => Some(i),
                _ => None,
            };
            self.slots[k] = match straight {
                Some(i) if !self.rows && uses[k] == 0 => Some(Slot::Sink(i)),
                _ => tile(),
            };
        }
    }

    /// The address of a value in its slot, at the first element of a span.
    pub fn slot_address(&mut self, id: ExprId, span: &Span<'_>) -> Value {
        let size = self.size(Elem::Real);
        match self.slots[id.0 as usize] {
            Some(Slot::Tile(k)) => {
                let Some(scratch) = self.scratch else {
                    crate::bug!("a nest with block kernels has no tiles")
                };
                let tile = self.b.ins().iadd_imm_s(scratch, (k * TILE_STRIDE * size) as i64);
                self.shifted(tile, span.row, size as i64)
            }
            Some(Slot::Sink(k)) => {
                let sink = &self.nest.sinks[k];
                self.address(sink.arg, &sink.access, Elem::Real, span)
            }
            Some(Slot::Load) => {
                let Expr::Load(arg, access) = &self.nest.exprs[id.0 as usize].0 else {
                    crate::bug!("no load")
                };
                self.address(*arg, access, Elem::Real, span)
            }
            None => crate::bug!("an operand of a block kernel has no tile"),
        }
    }

    /// The address of a cell at the first element of a span.
    pub fn address(&mut self, arg: usize, access: &Access, elem: Elem, span: &Span<'_>) -> Value {
        let size = self.size(elem);
        let position = self.position(access, span, size);
        let base = self.args[arg];
        match position {
            (None, 0) => base,
            (None, c) => self.b.ins().iadd_imm_s(base, c),
            (Some(v), c) => {
                let at = self.b.ins().iadd(base, v);
                if c == 0 { at } else { self.b.ins().iadd_imm_s(at, c) }
            }
        }
    }

    /// A position at the first element of a span, times `unit`, as a value and a constant.
    pub fn position(&mut self, access: &Access, span: &Span<'_>, unit: usize) -> (Option<Value>, i64) {
        let mut sum = None;
        let indices = span.outer.iter().chain([&span.start]);
        for (&index, &stride) in indices.zip(&access.strides) {
            if let (Some(i), true) = (index, stride != 0) {
                let term = self.b.ins().imul_imm_s(i, (stride * unit) as i64);
                sum = self.sum(sum, Some(term));
            }
        }
        (sum, (access.offset * unit) as i64)
    }

    fn sum(&mut self, a: Option<Value>, b: Option<Value>) -> Option<Value> {
        match (a, b) {
            (Some(a), Some(b)) => Some(self.b.ins().iadd(a, b)),
            (a, b) => a.or(b),
        }
    }

    /// `base + index · unit`
    pub fn shifted(&mut self, base: Value, index: Option<Value>, unit: i64) -> Value {
        let Some(index) = index else { return base };
        let bytes = if unit > 0 && unit & (unit - 1) == 0 {
            self.b.ins().ishl_imm_s(index, i64::from(unit.trailing_zeros()))
        } else {
            self.b.ins().imul_imm_s(index, unit)
        };
        self.b.ins().iadd(base, bytes)
    }

    /// The element type of an expression.
    pub fn elem(&self, id: ExprId) -> Elem {
        self.nest.exprs[id.0 as usize].1
    }

    /// Bytes of a cell that holds the element type.
    pub fn size(&self, elem: Elem) -> usize {
        self.lanes.width.bytes(if elem == Elem::Real { Cell::Real } else { Cell::Int })
    }

    /// The type in memory of the element type.
    pub fn cell_type(&self, elem: Elem) -> Type {
        if elem == Elem::Real { self.lanes.real() } else { types::I64 }
    }

    /// A constant.
    pub fn constant(&mut self, lanes: Lanes, bits: u64, elem: Elem) -> Value {
        let x = f64::from_bits(bits);
        match elem {
            Elem::Real => real(self.b, lanes, x),
            Elem::Int => int(self.b, lanes, x as i64),
            Elem::Bool => {
                let v = self.b.ins().iconst(types::I8, i64::from(x != 0.0));
                super::instruction::splat(self.b, lanes, elem, v)
            }
        }
    }

    /// `0..n` in pieces of `piece`, and a last shorter one: calls `body` with the start and the length.
    fn cut(&mut self, n: usize, piece: usize, body: &mut dyn FnMut(&mut Self, Option<Value>, usize)) {
        let full = n / piece;
        self.repeat(full * piece, piece, &mut |e, start| body(e, start, piece));
        if n > full * piece {
            let start = (full > 0).then(|| self.b.ins().iconst(types::I64, (full * piece) as i64));
            body(self, start, n - full * piece);
        }
    }

    /// A loop over `0, step, … < end`, bottom-tested; without a loop if there is one pass.
    fn repeat(&mut self, end: usize, step: usize, body: &mut dyn FnMut(&mut Self, Option<Value>)) {
        if end == 0 {
            return;
        }
        if end <= step {
            body(self, None);
            return;
        }
        let (header, exit) = (self.b.create_block(), self.b.create_block());
        let i = self.b.append_block_param(header, types::I64);
        let zero = self.b.ins().iconst(types::I64, 0);
        self.b.ins().jump(header, &[BlockArg::from(zero)]);
        self.b.switch_to_block(header);
        body(self, Some(i));
        let next = self.b.ins().iadd_imm_s(i, step as i64);
        let last = self.b.ins().iconst(types::I64, end as i64);
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, next, last);
        self.b.ins().brif(more, header, &[BlockArg::from(next)], exit, &[]);
        self.b.switch_to_block(exit);
    }
}

/// Loads and stores that cannot trap and need no alignment.
pub fn flags() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

/// Whether every reduction is along the innermost axis alone.
fn inner_only(nest: &Nest) -> bool {
    let inner = nest.extents.len() - 1;
    let alone = |s: &Sink| {
        s.access.strides[inner] == 0 && (0..inner).all(|k| nest.extents[k] == 1 || s.access.strides[k] != 0)
    };
    nest.sinks.iter().filter(|s| s.reduce.is_some()).all(alone)
}

/// Whether everything that varies has a vector form.
fn vectorisable(nest: &Nest, width: Width, varies: &[bool]) -> bool {
    let wide = width == Width::Double;
    let exprs = nest.exprs.iter().zip(varies).all(|((expr, elem), varies)| match expr {
        _ if !varies => true,
        Expr::Load(..) | Expr::Index(_) => *elem == Elem::Real || wide,
        Expr::Op(op, args) => {
            let from = nest.exprs[args[args.len() - 1].0 as usize].1;
            (*elem != Elem::Int || wide) && has_vector_form(*op, from, width)
        }
        _ => true,
    });
    let sinks = nest.sinks.iter().all(|s| {
        let elem = nest.exprs[s.value.0 as usize].1;
        elem == Elem::Real || (wide && s.reduce.is_none())
    });
    exprs && sinks
}
