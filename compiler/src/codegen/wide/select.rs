//! One instruction of a run as machine code, at either level. Operands are registers, or memory for the last one.

use super::code::{Code, INDEX, Masked, Memory, Opcode, Operand, Register, Size};
use crate::ir::loops::Width;
use crate::ops::{Instruction, Reduction};

/// The mask of the lanes that a tail covers: a mask register at AVX-512, a vector register at AVX2.
pub const TAIL: [Register; 2] = [15, 1];
/// A mask register for the moment.
pub const PASSING: Register = 2;

const EQUAL: u8 = 0x00;
const UNORDERED: u8 = 0x03;
const UNEQUAL: u8 = 0x04;
const LESS: u8 = 0x11;
const LESS_EQUAL: u8 = 0x12;
const GREATER: u8 = 0x1e;

/// Writes instructions of one level and precision.
pub struct Select {
    /// The code.
    pub code: Code,
    /// AVX-512 rather than AVX2.
    pub evex: bool,
    /// The precision.
    pub width: Width,
}

impl Select {
    /// The widest registers.
    pub fn size(&self) -> Size {
        if self.evex { Size::Z } else { Size::Y }
    }

    /// Elements of the widest registers.
    pub fn lanes(&self) -> usize {
        self.size().bytes() / self.unit()
    }

    /// Bytes of an element.
    pub fn unit(&self) -> usize {
        if self.width == Width::Double { 8 } else { 4 }
    }

    fn double(&self) -> bool {
        self.width == Width::Double
    }

    /// A constant: one element at AVX-512, where instructions repeat it, a whole vector at AVX2.
    pub fn constant(&mut self, x: f64) -> Operand {
        let bits = if self.double() { x.to_bits() } else { u64::from((x as f32).to_bits()) };
        self.bits(bits)
    }

    fn bits(&mut self, bits: u64) -> Operand {
        let one = &bits.to_le_bytes()[..self.unit()];
        if self.evex {
            Operand::Each(self.code.constant(one))
        } else {
            Operand::Mem(self.code.constant(&one.repeat(self.lanes())))
        }
    }

    /// The sign bits, or all the others.
    fn sign_bits(&mut self, others: bool) -> Operand {
        let sign = 1u64 << (8 * self.unit() - 1);
        self.bits(if others { sign - 1 } else { sign })
    }

    /// An instruction of the packed kind: its prefix, or its W bit, tells the precision.
    fn packed(&self, byte: u8) -> Opcode {
        Opcode { prefix: u8::from(self.double()), map: 1, byte, w: self.double() }
    }

    fn emit(&mut self, op: Opcode, d: Register, a: Register, last: Operand, immediate: Option<u8>) {
        if self.evex {
            self.code.evex(op, Size::Z, d, a, last, Masked::No, immediate);
        } else {
            self.code.vex(vex(op), Size::Y, d, a, last, immediate);
        }
    }

    /// `d = x` from a register or memory.
    pub fn load(&mut self, d: Register, x: Operand) {
        match x {
            Operand::Each(_) => self.spread(d, x, Masked::No),
            _ => self.emit(self.packed(0x10), d, 0, x, None),
        }
    }

    /// One element of memory in every lane.
    fn spread(&mut self, d: Register, x: Operand, masked: Masked) {
        let (Operand::Each(from) | Operand::Mem(from)) = x else { crate::bug!("an element is in memory") };
        let byte = 0x18 + u8::from(self.double());
        let op = Opcode { prefix: 1, map: 2, byte, w: self.double() && self.evex };
        if self.evex {
            // Its displacement counts in elements, as that of `Each`, but the instruction has no such bit.
            self.code.evex_element(op, Size::Z, d, from, masked);
        } else {
            self.code.vex(op, Size::Y, d, 0, Operand::Mem(from), None);
        }
    }

    /// One number of the table in every lane.
    pub fn load_scalar(&mut self, d: Register, from: Memory) {
        self.spread(d, Operand::Each(from), Masked::No);
    }

    /// A whole vector to memory.
    pub fn store(&mut self, x: Register, to: Memory) {
        self.emit(self.packed(0x11), x, 0, Operand::Mem(to), None);
    }

    /// The lanes of the tail from memory; the others are zero.
    pub fn load_tail(&mut self, d: Register, from: Memory) {
        let mask = TAIL[usize::from(self.evex)];
        if self.evex {
            let op = self.packed(0x10);
            self.code.evex(op, Size::Z, d, 0, Operand::Mem(from), Masked::Zero(mask), None);
        } else {
            let byte = 0x2c + u8::from(self.double());
            let op = Opcode { prefix: 1, map: 2, byte, w: false };
            self.code.vex(op, Size::Y, d, mask, Operand::Mem(from), None);
        }
    }

    /// The lanes of the tail to memory.
    pub fn store_tail(&mut self, x: Register, to: Memory) {
        let mask = TAIL[usize::from(self.evex)];
        if self.evex {
            let op = self.packed(0x11);
            self.code.evex(op, Size::Z, x, 0, Operand::Mem(to), Masked::Merge(mask), None);
        } else {
            let byte = 0x2e + u8::from(self.double());
            let op = Opcode { prefix: 1, map: 2, byte, w: false };
            self.code.vex(op, Size::Y, x, mask, Operand::Mem(to), None);
        }
    }

    /// Sets the mask of a tail of `count` lanes.
    pub fn set_tail(&mut self, count: usize) {
        let mask = TAIL[usize::from(self.evex)];
        if self.evex {
            self.code.set_general(INDEX, (1 << count) - 1);
            let kmovw = Opcode { prefix: 0, map: 1, byte: 0x92, w: false };
            self.code.vex(kmovw, Size::X, mask, 0, Operand::Reg(INDEX), None);
        } else {
            let lanes =
                (0..self.lanes()).flat_map(|k| [if k < count { 0xff } else { 0 }].repeat(self.unit()));
            let bytes: Vec<u8> = lanes.collect();
            let all = Operand::Mem(self.code.constant(&bytes));
            self.load(mask, all);
        }
    }

    /// An instruction of one real operand, apart from `Sign`; `d` may be `x`.
    pub fn unary(&mut self, op: Instruction, d: Register, x: Operand) {
        match op {
            Instruction::Sqrt => self.emit(self.packed(0x51), d, 0, x, None),
            Instruction::Floor => {
                let byte = 0x08 + u8::from(self.double());
                let round = Opcode { prefix: 1, map: 3, byte, w: self.double() && self.evex };
                self.emit(round, d, 0, x, Some(9));
            }
            Instruction::Neg | Instruction::Abs => {
                let Operand::Reg(x) = x else { crate::bug!("a sign changes in a register") };
                let abs = op == Instruction::Abs;
                let bits = self.sign_bits(abs);
                if self.evex {
                    let op = Opcode { prefix: 1, ..self.packed(if abs { 0xdb } else { 0xef }) };
                    self.emit(op, d, x, bits, None);
                } else {
                    self.emit(self.packed(if abs { 0x54 } else { 0x57 }), d, x, bits, None);
                }
            }
            _ => crate::bug!("{op:?} has another number of operands"),
        }
    }

    /// `d = a op b` for the four operations; `d` may be `a` or `b`.
    pub fn arithmetic(&mut self, op: Instruction, size: Size, d: Register, a: Register, b: Operand) {
        let byte = match op {
            Instruction::Add => 0x58,
            Instruction::Mul => 0x59,
            Instruction::Sub => 0x5c,
            Instruction::Div => 0x5e,
            _ => crate::bug!("{op:?} is not one of the four operations"),
        };
        self.sized(self.packed(byte), size, d, a, b);
    }

    fn sized(&mut self, op: Opcode, size: Size, d: Register, a: Register, b: Operand) {
        if size == Size::Z {
            self.emit(op, d, a, b, None);
        } else {
            self.code.vex(vex(op), size, d, a, b, None);
        }
    }

    /// The smaller or larger: of equal ones `b`, NaN if either is. `d` is not `a`, and `passing` is neither if it is needed.
    pub fn extreme(
        &mut self,
        smaller: bool,
        size: Size,
        d: Register,
        a: Register,
        b: Operand,
        passing: Register,
    ) {
        self.sized(self.packed(if smaller { 0x5d } else { 0x5f }), size, d, a, b);
        if size == Size::Z {
            self.compare_into(PASSING, a, Operand::Reg(a), UNORDERED);
            let op = self.packed(0x28);
            self.code.evex(op, Size::Z, d, 0, Operand::Reg(a), Masked::Merge(PASSING), None);
        } else {
            let op = vex(self.packed(0xc2));
            self.code.vex(op, size, passing, a, Operand::Reg(a), Some(UNORDERED));
            self.blend_vex(size, d, d, Operand::Reg(a), passing);
        }
    }

    fn compare_into(&mut self, d: Register, a: Register, b: Operand, how: u8) {
        self.emit(self.packed(0xc2), d, a, b, Some(how));
    }

    /// A comparison into a mask.
    pub fn compare(&mut self, op: Instruction, d: Register, a: Register, b: Operand) {
        let how = match op {
            Instruction::Eq => EQUAL,
            Instruction::Ne => UNEQUAL,
            Instruction::Lt => LESS,
            Instruction::Le => LESS_EQUAL,
            _ => crate::bug!("{op:?} is not a comparison"),
        };
        self.compare_into(d, a, b, how);
    }

    /// `and`, `or` or `not` of masks in registers.
    pub fn logic(&mut self, op: Instruction, d: Register, a: Register, b: Register) {
        let not = op == Instruction::Not;
        if self.evex {
            let byte = if not { 0x44 } else { 0x41 + 4 * u8::from(op == Instruction::Or) };
            let op = Opcode { prefix: 0, map: 1, byte, w: false };
            let (size, first) = if not { (Size::X, 0) } else { (Size::Y, a) };
            self.code.vex(op, size, d, first, Operand::Reg(b), None);
        } else if not {
            let all = self.bits(u64::MAX);
            self.emit(self.packed(0x57), d, b, all, None);
        } else {
            self.emit(
                self.packed(if op == Instruction::Or { 0x56 } else { 0x54 }),
                d,
                a,
                Operand::Reg(b),
                None,
            );
        }
    }

    /// `d = mask ? x : y`
    pub fn select(&mut self, d: Register, mask: Register, x: Operand, y: Register) {
        if self.evex {
            let op = Opcode { prefix: 1, map: 2, byte: 0x65, w: self.double() };
            self.code.evex(op, Size::Z, d, y, x, Masked::Merge(mask), None);
        } else {
            self.blend_vex(Size::Y, d, y, x, mask);
        }
    }

    fn blend_vex(&mut self, size: Size, d: Register, y: Register, x: Operand, mask: Register) {
        let byte = 0x4a + u8::from(self.double());
        let op = Opcode { prefix: 1, map: 3, byte, w: false };
        self.code.vex(op, size, d, y, x, Some(mask << 4));
    }

    /// 1 where the mask holds, else 0.
    pub fn truth(&mut self, d: Register, mask: Register) {
        let one = self.constant(1.0);
        if self.evex {
            self.spread(d, one, Masked::Zero(mask));
        } else {
            self.emit(self.packed(0x54), d, mask, one, None);
        }
    }

    /// -1, 0 or 1; `d` is not `x`, nor is `passing` either of them.
    pub fn sign(&mut self, d: Register, x: Register, passing: Register) {
        self.load(d, Operand::Reg(x));
        for (how, value) in [(GREATER, 1.0), (LESS, -1.0)] {
            let (zero, value) = (self.constant(0.0), self.constant(value));
            if self.evex {
                self.compare_into(PASSING, x, zero, how);
                self.spread(d, value, Masked::Merge(PASSING));
            } else {
                self.compare_into(passing, x, zero, how);
                self.blend_vex(Size::Y, d, d, value, passing);
            }
        }
    }

    /// A product and a sum, rounded once. `order` is that of the instruction: with 213, `d = a·d + b`; 231, `d = a·b + d`; 132,
    /// `d = d·b + a`; and with `MulSub` the sum's second part is subtracted, with `NegMulAdd` the product.
    pub fn fused(&mut self, op: Instruction, order: Order, d: Register, a: Register, b: Operand) {
        self.emit(self.fused_opcode(op, order), d, a, b, None);
    }

    fn fused_opcode(&self, op: Instruction, order: Order) -> Opcode {
        let kind = match op {
            Instruction::MulAdd => 0x8,
            Instruction::MulSub => 0xa,
            Instruction::NegMulAdd => 0xc,
            _ => crate::bug!("{op:?} is not a fused product"),
        };
        Opcode { prefix: 1, map: 2, byte: order as u8 | kind, w: self.double() }
    }

    /// `acc = acc + value` or another reduction; in a tail, on its lanes only. `passing` are two registers for the moment at AVX2.
    pub fn accumulate(
        &mut self,
        reduce: Reduction,
        acc: Register,
        value: Register,
        tail: bool,
        passing: [Register; 2],
    ) {
        let mask = TAIL[usize::from(self.evex)];
        if !self.evex {
            let d = if tail { passing[0] } else { acc };
            self.combine(reduce, Size::Y, d, acc, value, passing[1]);
            if tail {
                self.blend_vex(Size::Y, acc, acc, Operand::Reg(d), mask);
            }
            return;
        }
        let masked = if tail { Masked::Merge(mask) } else { Masked::No };
        let byte = match reduce {
            Reduction::Sum => 0x58,
            Reduction::Prod => 0x59,
            Reduction::Min => 0x5d,
            Reduction::Max => 0x5f,
        };
        let op = self.packed(byte);
        if matches!(reduce, Reduction::Sum | Reduction::Prod) {
            self.code.evex(op, Size::Z, acc, acc, Operand::Reg(value), masked, None);
            return;
        }
        self.code.evex(op, Size::Z, acc, value, Operand::Reg(acc), masked, None);
        let compare = self.packed(0xc2);
        self.code.evex(compare, Size::Z, PASSING, value, Operand::Reg(value), masked, Some(UNORDERED));
        let copy = self.packed(0x28);
        self.code.evex(copy, Size::Z, acc, 0, Operand::Reg(value), Masked::Merge(PASSING), None);
    }

    /// `acc = acc + a·b`, rounded once; in a tail, on its lanes only.
    pub fn accumulate_product(
        &mut self,
        acc: Register,
        a: Register,
        b: Operand,
        tail: bool,
        passing: Register,
    ) {
        let mask = TAIL[usize::from(self.evex)];
        let op = self.fused_opcode(Instruction::MulAdd, Order::Addend);
        match (self.evex, tail) {
            (true, true) => self.code.evex(op, Size::Z, acc, a, b, Masked::Merge(mask), None),
            (false, true) => {
                self.load(passing, Operand::Reg(acc));
                self.emit(op, passing, a, b, None);
                self.blend_vex(Size::Y, acc, acc, Operand::Reg(passing), mask);
            }
            _ => self.emit(op, acc, a, b, None),
        }
    }

    /// `d = acc + value` or another reduction, on registers below 16 unless the size is 512 bits; extremes need `passing`, and
    /// that `d` is not `value`.
    pub fn combine(
        &mut self,
        reduce: Reduction,
        size: Size,
        d: Register,
        acc: Register,
        value: Register,
        passing: Register,
    ) {
        let op = match reduce {
            Reduction::Sum => Instruction::Add,
            Reduction::Prod => Instruction::Mul,
            Reduction::Min | Reduction::Max => {
                return self.extreme(reduce == Reduction::Min, size, d, value, Operand::Reg(acc), passing);
            }
        };
        self.arithmetic(op, size, d, acc, Operand::Reg(value));
    }

    /// Joins the lanes of an accumulator, upper half to lower half, and stores the one that is left. Registers below 16.
    pub fn fold_lanes(&mut self, reduce: Reduction, acc: Register, passing: [Register; 2], to: Memory) {
        let [half, other] = passing;
        if self.evex {
            let extract = Opcode { prefix: 1, map: 3, byte: 0x1b, w: true };
            self.code.evex(extract, Size::Z, acc, 0, Operand::Reg(half), Masked::No, Some(1));
            self.combine(reduce, Size::Y, acc, acc, half, other);
        }
        let extract = Opcode { prefix: 1, map: 3, byte: 0x19, w: false };
        self.code.vex(extract, Size::Y, acc, 0, Operand::Reg(half), Some(1));
        self.combine(reduce, Size::X, acc, acc, half, other);
        let moves: &[(u8, u8)] = if self.double() { &[(1, 0x15)] } else { &[(0, 0x12), (2, 0x16)] };
        for &(prefix, byte) in moves {
            let op = Opcode { prefix, map: 1, byte, w: false };
            // The move of odd lanes has no first operand.
            let first = if byte == 0x16 { 0 } else { acc };
            self.code.vex(op, Size::X, half, first, Operand::Reg(acc), None);
            self.combine(reduce, Size::X, acc, acc, half, other);
        }
        let op = Opcode { prefix: if self.double() { 3 } else { 2 }, map: 1, byte: 0x11, w: false };
        self.code.vex(op, Size::X, acc, 0, Operand::Mem(to), None);
    }
}

/// Which operand of a fused product the destination holds beforehand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// The first factor; the middle operand is the addend (132).
    FactorLast = 0x90,
    /// The second factor; the last operand is the addend (213).
    Factor = 0xa0,
    /// The addend (231).
    Addend = 0xb0,
}

/// The opcode with VEX, where packed instructions have no W bit.
fn vex(op: Opcode) -> Opcode {
    Opcode { w: op.w && op.map != 1, ..op }
}
