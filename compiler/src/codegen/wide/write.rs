//! The function of a run: a loop over blocks of vectors, the vectors that are left, a masked tail, and the folding of sums.
//! One copy of the run's operations is written per vector, over and over, by one pass that gives out registers.

use super::code::{ADDRESSES, FREE, INDEX, Memory, Operand, Register};
use super::registers::Bank;
use super::select::{Order, Select, TAIL};
use super::{Run, Store, Sum, Term, Value};
use crate::ops::{Instruction, Reduction};
use crate::types::Elem;

/// The code of a run, or `None` if it needs more registers than there are.
pub fn function(run: &Run, evex: bool) -> Option<Vec<u8>> {
    let mut writer = Writer::new(run, evex, 64)?;
    writer.elements(0, 0, false)?;
    if !run.len.is_multiple_of(writer.select.lanes()) {
        writer.elements(0, 0, true)?;
    }
    let peak = writer.bank.peak;
    Writer::new(run, evex, registers(evex))?.function(registers(evex).saturating_sub(peak), peak)
}

/// Vector registers to give out; at AVX2 one holds the mask of the tail.
fn registers(evex: bool) -> usize {
    if evex { 32 } else { usize::from(TAIL[0]) }
}

struct Writer<'r> {
    run: &'r Run,
    select: Select,
    bank: Bank,
    /// By mask register, the value in it (AVX-512); the first three have other uses.
    masks: [Option<usize>; 8],
    /// By sum, its accumulators.
    accumulators: Vec<Vec<Register>>,
    /// By stream, the register of its address.
    addresses: Vec<Register>,
    /// Whether addresses have an index.
    indexed: bool,
    /// Bytes of a stream before the current copy, apart from the index.
    shift: i32,
    tail: bool,
}

impl<'r> Writer<'r> {
    fn new(run: &'r Run, evex: bool, count: usize) -> Option<Self> {
        let mut uses: Vec<Vec<usize>> = vec![Vec::new(); run.values.len()];
        let mut at = 0;
        let mut used = |values: &[usize], at: usize| values.iter().for_each(|&v| uses[v].push(at));
        for (value, _) in &run.values {
            if let Value::Op(_, args) = value {
                used(args, at);
            }
            at += 1;
        }
        for term in run.sums.iter().map(|s| s.term).chain(run.stores.iter().map(|s| s.term)) {
            match term {
                Term::Value(v) => used(&[v], at),
                Term::Product(a, b) => used(&[a, b], at),
            }
            at += 1;
        }
        let leaf: Vec<bool> = run.values.iter().map(|(v, _)| !matches!(v, Value::Op(..))).collect();
        let select = Select { code: Default::default(), evex, width: run.width };
        let mut bank = Bank::new(count, uses, leaf);
        let each = (run.lanes / select.lanes()).max(1);
        let mut accumulators = Vec::new();
        for _ in &run.sums {
            let claim = |_| bank.claim().map(|(r, _)| r);
            accumulators.push((0..each).map(claim).collect::<Option<Vec<_>>>()?);
        }
        // Lanes are folded by instructions that know the first sixteen registers, with two more for the moment.
        if each * run.sums.len() + 2 > 15 {
            return None;
        }
        let streams = run.streams();
        let addresses: Vec<Register> = ADDRESSES.iter().copied().take(streams).collect();
        (addresses.len() == streams).then_some(Writer {
            run,
            select,
            bank,
            masks: [None; 8],
            accumulators,
            addresses,
            indexed: false,
            shift: 0,
            tail: false,
        })
    }

    /// The whole function. One copy of the operations uses `peak` registers if it can, and `spare` are left over for constants.
    fn function(mut self, spare: usize, peak: usize) -> Option<Vec<u8>> {
        let (lanes, unit, len) = (self.select.lanes(), self.select.unit(), self.run.len);
        i32::try_from(len * unit).ok()?;
        let saved: Vec<Register> = self.addresses.iter().copied().skip(FREE).collect();
        saved.iter().for_each(|&r| self.select.code.push(r));
        let scalars = self.run.values.iter().filter(|(v, _)| matches!(v, Value::Scalar(_))).count();
        let stacked = peak > registers(self.select.evex) || (!self.select.evex && scalars > 0);
        let frame = stacked.then(|| self.select.code.reserve(0));
        for (stream, &register) in self.addresses.iter().enumerate() {
            self.select.code.load_general(register, Memory::table(stream));
        }
        self.start(spare)?;
        let block = self.unroll();
        let blocks = len / (lanes * block);
        let step = (lanes * block * unit) as i32;
        let mut shift = 0;
        if blocks > 1 {
            self.indexed = true;
            self.select.code.set_general(INDEX, 0);
            self.select.code.align(32);
            let top = self.select.code.here();
            self.block(block)?;
            self.select.code.advance(step);
            self.select.code.repeat_below(step * blocks as i32, top);
        } else if blocks == 1 {
            self.block(block)?;
            shift = step;
        }
        let left = len - blocks * block * lanes;
        for k in 0..left / lanes {
            self.elements(k, shift, false)?;
            shift += (lanes * unit) as i32;
        }
        if !left.is_multiple_of(lanes) {
            // The mask is set by way of the index register.
            if self.indexed {
                shift += step * blocks as i32;
                self.indexed = false;
            }
            self.select.set_tail(left % lanes);
            self.elements(left / lanes, shift, true)?;
        }
        self.fold();
        let bytes = (self.bank.deepest * self.select.size().bytes()) as i32;
        match frame {
            Some(frame) => {
                self.select.code.set(frame, bytes);
                self.select.code.reserve(-bytes);
            }
            None if bytes > 0 => crate::bug!("a run uses a stack that it has not reserved"),
            None => {}
        }
        saved.iter().rev().for_each(|&r| self.select.code.pop(r));
        self.select.code.leave();
        Some(self.select.code.finish())
    }

    /// Vectors per pass of the loop.
    fn unroll(&self) -> usize {
        let copies = match self.run.values.len() {
            0..=8 => 4,
            9..=20 => 2,
            _ => 1,
        };
        copies.max(self.accumulators.first().map_or(1, Vec::len))
    }

    /// Accumulators at their neutral element; numbers and constants into registers or, at AVX2, onto the stack.
    fn start(&mut self, spare: usize) -> Option<()> {
        for (sum, registers) in self.run.sums.iter().zip(&self.accumulators) {
            let start = self.select.constant(neutral(sum.reduce));
            registers.iter().for_each(|&r| self.select.load(r, start));
        }
        let fixed = |v: &usize| matches!(self.run.values[*v].0, Value::Scalar(_) | Value::Const(_));
        let mut fixed: Vec<usize> = (0..self.run.values.len()).filter(fixed).collect();
        fixed.sort_by_key(|&v| std::cmp::Reverse(self.bank.uses(v)));
        for (k, &v) in fixed.iter().enumerate() {
            self.bank.step(0);
            if k < spare {
                self.register(v)?;
                self.bank.homes[v].pinned = true;
            } else if let (Value::Scalar(entry), false) = (&self.run.values[v].0, self.select.evex) {
                let (r, _) = self.bank.claim()?;
                self.select.load_scalar(r, Memory::table(*entry));
                let slot = self.bank.settle(v);
                self.select.store(r, self.stack(slot));
                self.bank.free(r);
            }
        }
        Some(())
    }

    fn block(&mut self, copies: usize) -> Option<()> {
        let vector = self.select.size().bytes() as i32;
        (0..copies).try_for_each(|k| self.elements(k, k as i32 * vector, false))
    }

    /// One copy of the operations; its sums join the `part`-th accumulators, counted around.
    fn elements(&mut self, part: usize, shift: i32, tail: bool) -> Option<()> {
        let run = self.run;
        (self.shift, self.tail) = (shift, tail);
        self.bank.restart();
        self.masks = [None; 8];
        let mut at = 0;
        for (k, (value, elem)) in run.values.iter().enumerate() {
            self.bank.step(at);
            if let Value::Op(op, args) = value {
                self.operation(k, *op, args, *elem)?;
            }
            at += 1;
        }
        for k in 0..run.sums.len() {
            self.bank.step(at);
            let parts = &self.accumulators[k];
            self.accumulate(&run.sums[k], parts[part % parts.len()])?;
            at += 1;
        }
        for store in &run.stores {
            self.bank.step(at);
            self.store(store)?;
            at += 1;
        }
        Some(())
    }

    fn operation(&mut self, k: usize, op: Instruction, args: &[usize], elem: Elem) -> Option<()> {
        use Instruction as I;
        let from = self.run.values[args[args.len() - 1]].1;
        match op {
            I::And | I::Or | I::Not => {
                let (a, b) = (self.mask(args[0])?, self.mask(args[args.len() - 1])?);
                let d = self.mask_result(k, args)?;
                self.select.logic(op, d, a, b);
            }
            I::Cast if from == elem => {
                let x = self.last(args[0])?;
                let d = self.result(k, args)?;
                self.select.load(d, x);
            }
            I::Cast => {
                let mask = self.mask(args[0])?;
                let d = self.result(k, args)?;
                self.select.truth(d, mask);
                self.release_masks(args);
            }
            I::Eq | I::Ne | I::Lt | I::Le => {
                let a = self.register(args[0])?;
                let b = self.last(args[1])?;
                let d = self.mask_result(k, args)?;
                self.select.compare(op, d, a, b);
            }
            I::Select => {
                let (mask, y) = (self.mask(args[0])?, self.register(args[2])?);
                let x = self.last(args[1])?;
                let d = self.result(k, args)?;
                self.select.select(d, mask, x, y);
                self.release_masks(args);
            }
            I::MulAdd | I::MulSub | I::NegMulAdd => self.fused(k, op, args)?,
            I::Min | I::Max => {
                let a = self.register(args[0])?;
                let b = self.last(args[1])?;
                let d = self.own_result(k)?;
                let passing = self.claim()?;
                self.select.extreme(op == I::Min, self.select.size(), d, a, b, passing);
                self.done(args, passing);
            }
            I::Sign => {
                let x = self.register(args[0])?;
                let d = self.own_result(k)?;
                let passing = self.claim()?;
                self.select.sign(d, x, passing);
                self.done(args, passing);
            }
            I::Neg | I::Abs => {
                let x = Operand::Reg(self.register(args[0])?);
                let d = self.result(k, args)?;
                self.select.unary(op, d, x);
            }
            I::Sqrt | I::Floor => {
                let x = self.last(args[0])?;
                let d = self.result(k, args)?;
                self.select.unary(op, d, x);
            }
            I::Add | I::Mul | I::Sub | I::Div => {
                let commutes = matches!(op, I::Add | I::Mul) && self.bank.homes[args[0]].register.is_none();
                let (a, b) = if commutes { (args[1], args[0]) } else { (args[0], args[1]) };
                let a = self.register(a)?;
                let b = self.last(b)?;
                let d = self.result(k, args)?;
                self.select.arithmetic(op, self.select.size(), d, a, b);
            }
            I::IntDiv | I::IntMod => return None,
        }
        Some(())
    }

    /// A fused product: the destination is an operand that is not used again, or a copy of one.
    fn fused(&mut self, k: usize, op: Instruction, args: &[usize]) -> Option<()> {
        let [a, b, c] = [args[0], args[1], args[2]];
        let held = |w: &Self, v: usize| w.bank.homes[v].register.is_some();
        let ends = |w: &Self, v: usize| held(w, v) && w.bank.dies(v);
        // The operand that becomes the result, and the other two in the order of the instruction.
        let (old, order, first, last) = if ends(self, c) && c != a && c != b {
            (c, Order::Addend, a, b)
        } else if ends(self, a) && a != b && a != c {
            (a, Order::Factor, b, c)
        } else if ends(self, b) && b != a && b != c {
            (b, Order::Factor, a, c)
        } else {
            let (first, last) = if held(self, a) { (a, b) } else { (b, a) };
            let (first, last, from) = (self.register(first)?, self.last(last)?, self.last(c)?);
            let d = self.own_result(k)?;
            self.select.load(d, from);
            self.bank.release(args);
            self.select.fused(op, Order::Addend, d, first, last);
            return Some(());
        };
        let old_register = self.register(old)?;
        let (order, first, last) = match order {
            // The factor that is in memory comes last.
            Order::Addend if !held(self, first) => (order, last, first),
            // The addend comes last, unless the other factor is the one in memory.
            Order::Factor if held(self, last) && !held(self, first) => (Order::FactorLast, last, first),
            _ => (order, first, last),
        };
        let (first, last) = (self.register(first)?, self.last(last)?);
        self.bank.replace(old, k)?;
        self.bank.release(args);
        self.select.fused(op, order, old_register, first, last);
        Some(())
    }

    fn accumulate(&mut self, sum: &Sum, acc: Register) -> Option<()> {
        match sum.term {
            Term::Value(v) => {
                let value = self.register(v)?;
                let passing = [self.claim()?, self.claim()?];
                self.select.accumulate(sum.reduce, acc, value, self.tail, passing);
                self.done(&[v], passing[0]);
                self.done(&[v], passing[1]);
            }
            Term::Product(a, b) => {
                let swap = self.bank.homes[a].register.is_none();
                let (a, b) = if swap { (b, a) } else { (a, b) };
                let (first, last) = (self.register(a)?, self.last(b)?);
                let passing = self.claim()?;
                self.select.accumulate_product(acc, first, last, self.tail, passing);
                self.done(&[a, b], passing);
            }
        }
        Some(())
    }

    fn store(&mut self, store: &Store) -> Option<()> {
        let to = self.stream(store.stream);
        let result = match (store.term, store.reduce) {
            (Term::Value(v), None) => self.register(v)?,
            (Term::Value(v), Some(reduce)) => {
                let value = self.register(v)?;
                let before = self.claim()?;
                self.load_stream(before, to);
                let passing = self.claim()?;
                self.select.combine(reduce, self.select.size(), before, before, value, passing);
                self.done(&[], passing);
                before
            }
            (Term::Product(a, b), _) => {
                let (first, last) = (self.register(a)?, self.last(b)?);
                let before = self.claim()?;
                self.load_stream(before, to);
                self.select.fused(Instruction::MulAdd, Order::Addend, before, first, last);
                before
            }
        };
        if self.tail {
            self.select.store_tail(result, to)
        } else {
            self.select.store(result, to)
        }
        match store.term {
            Term::Value(v) if store.reduce.is_none() => self.bank.release(&[v]),
            Term::Value(v) => self.done(&[v], result),
            Term::Product(a, b) => self.done(&[a, b], result),
        }
        Some(())
    }

    /// Joins the accumulators and stores the totals.
    fn fold(&mut self) {
        let run = self.run;
        let used = self.accumulators.iter().flatten().copied().max().map_or(0, |r| r + 1);
        let passing = [used, used + 1];
        for (sum, parts) in run.sums.iter().zip(&self.accumulators) {
            let mut half = parts.len() / 2;
            while half > 0 {
                for k in 0..half {
                    let size = self.select.size();
                    self.select.combine(sum.reduce, size, parts[k], parts[k], parts[k + half], passing[0]);
                }
                half /= 2;
            }
            self.select.fold_lanes(sum.reduce, parts[0], passing, Memory::table(sum.total));
        }
    }

    fn stream(&self, stream: usize) -> Memory {
        Memory::At(self.addresses[stream], self.indexed, self.shift)
    }

    fn stack(&self, slot: usize) -> Memory {
        Memory::stack(slot * self.select.size().bytes())
    }

    fn load_stream(&mut self, d: Register, from: Memory) {
        if self.tail { self.select.load_tail(d, from) } else { self.select.load(d, Operand::Mem(from)) }
    }

    /// A register for the current instruction.
    fn claim(&mut self) -> Option<Register> {
        let (register, spill) = self.bank.claim()?;
        if let Some(spill) = spill {
            self.select.store(spill.register, self.stack(spill.slot));
        }
        Some(register)
    }

    /// After an instruction: frees a register for the moment and the operands that are not used again.
    fn done(&mut self, args: &[usize], passing: Register) {
        self.bank.free(passing);
        self.bank.release(args);
    }

    /// The register of a value, which is loaded if it is in memory.
    fn register(&mut self, v: usize) -> Option<Register> {
        if let Some(r) = self.bank.homes[v].register {
            self.bank.lock(r);
            return Some(r);
        }
        let r = self.claim()?;
        match (&self.run.values[v].0, self.bank.homes[v].slot) {
            (_, Some(slot)) => self.select.load(r, Operand::Mem(self.stack(slot))),
            (Value::Stream(s), None) => self.load_stream(r, self.stream(*s)),
            (Value::Scalar(entry), None) => self.select.load_scalar(r, Memory::table(*entry)),
            (Value::Const(x), None) => {
                let constant = self.select.constant(*x);
                self.select.load(r, constant);
            }
            (Value::Op(..), None) => crate::bug!("value {v} of a run is lost"),
        }
        self.bank.take(r, Some(v));
        Some(r)
    }

    /// A value as the last operand of an instruction: from memory if it is there and this is its last use.
    fn last(&mut self, v: usize) -> Option<Operand> {
        let home = self.bank.homes[v];
        if home.register.is_none() {
            match (&self.run.values[v].0, home.slot) {
                (_, Some(slot)) => return Some(Operand::Mem(self.stack(slot))),
                (Value::Stream(s), None) if !self.tail && self.bank.dies(v) => {
                    return Some(Operand::Mem(self.stream(*s)));
                }
                (Value::Scalar(entry), None) => return Some(Operand::Each(Memory::table(*entry))),
                (Value::Const(x), None) => return Some(self.select.constant(*x)),
                _ => {}
            }
        }
        Some(Operand::Reg(self.register(v)?))
    }

    /// The register of a result that is written after the operands were read.
    fn result(&mut self, k: usize, args: &[usize]) -> Option<Register> {
        self.bank.release(args);
        self.own_result(k)
    }

    /// The register of a result that is written while operands are still needed.
    fn own_result(&mut self, k: usize) -> Option<Register> {
        let r = self.claim()?;
        self.bank.take(r, Some(k));
        Some(r)
    }

    /// The register of a mask.
    fn mask(&mut self, v: usize) -> Option<Register> {
        if !self.select.evex {
            return self.register(v);
        }
        self.masks.iter().position(|m| *m == Some(v)).map(|k| k as Register)
    }

    /// The register of a result that is a mask.
    fn mask_result(&mut self, k: usize, args: &[usize]) -> Option<Register> {
        if !self.select.evex {
            return self.result(k, args);
        }
        self.bank.release(args);
        self.release_masks(args);
        let free = (3..8).find(|&m| self.masks[m].is_none())?;
        self.masks[free] = Some(k);
        Some(free as Register)
    }

    fn release_masks(&mut self, args: &[usize]) {
        for mask in &mut self.masks {
            if mask.is_some_and(|v| args.contains(&v) && self.bank.dies(v)) {
                *mask = None;
            }
        }
    }
}

/// Where accumulators start, as in the code from Cranelift.
fn neutral(reduce: Reduction) -> f64 {
    match reduce {
        Reduction::Sum => 0.0,
        Reduction::Prod => 1.0,
        Reduction::Min => f64::INFINITY,
        Reduction::Max => f64::NEG_INFINITY,
    }
}
