//! x86-64 machine code as bytes: the few instructions that runs need, in their VEX and EVEX encodings, and the constants
//! behind the code. Nothing here knows what is being computed. Encodings are those of the Intel manual, volume 2, section 2.3
//! (VEX) and 2.7 (EVEX).

/// A vector register, a mask register, or a general one, by number.
pub type Register = u8;

/// The general registers with a part of their own.
pub const INDEX: Register = 0;
/// The pointer to the table of arguments: the first argument of a call.
pub const TABLE: Register = 7;
const STACK: Register = 4;

/// Registers for addresses: first those that a callee may use freely, then those that it must restore.
pub const ADDRESSES: [Register; 13] = [6, 2, 1, 8, 9, 10, 11, 3, 5, 12, 13, 14, 15];
/// How many of them may be used freely.
pub const FREE: usize = 7;

/// How much of a vector register an instruction uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// 128 bits.
    X,
    /// 256 bits.
    Y,
    /// 512 bits.
    Z,
}

impl Size {
    /// In bytes.
    pub fn bytes(self) -> usize {
        16 << self as usize
    }
}

/// A place in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Memory {
    /// `[base + displacement]`, and `+ INDEX` if asked for.
    At(Register, bool, i32),
    /// A constant behind the code, by its first byte there.
    Pool(usize),
}

impl Memory {
    /// An entry of the table of arguments.
    pub fn table(entry: usize) -> Memory {
        Memory::At(TABLE, false, 8 * entry as i32)
    }

    /// Bytes from the end of the stack.
    pub fn stack(byte: usize) -> Memory {
        Memory::At(STACK, false, byte as i32)
    }
}

/// The last operand of an instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    /// A register.
    Reg(Register),
    /// A whole vector in memory.
    Mem(Memory),
    /// One element in memory, for every lane (EVEX).
    Each(Memory),
}

/// An instruction on vectors without its operands: mandatory prefix (1 is 66, 2 is F3, 3 is F2), opcode map, opcode, W bit.
#[derive(Clone, Copy, Debug)]
pub struct Opcode {
    /// The mandatory prefix.
    pub prefix: u8,
    /// 1 is `0F`, 2 is `0F38`, 3 is `0F3A`.
    pub map: u8,
    /// The opcode.
    pub byte: u8,
    /// The W bit.
    pub w: bool,
}

impl Opcode {
    /// Bytes of an element of an EVEX instruction.
    fn element(self) -> i32 {
        if self.w { 8 } else { 4 }
    }
}

/// Lanes that an EVEX instruction writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Masked {
    /// All.
    No,
    /// Those of the mask; the others stay.
    Merge(Register),
    /// Those of the mask; the others become zero.
    Zero(Register),
}

/// Code under construction.
#[derive(Default)]
pub struct Code {
    bytes: Vec<u8>,
    pool: Vec<u8>,
    /// Places of 32-bit displacements to constants, the end of their instruction, and the constant's first byte.
    holes: Vec<(usize, usize, usize)>,
}

impl Code {
    /// A constant's place behind the code.
    pub fn constant(&mut self, bytes: &[u8]) -> Memory {
        let found = self.pool.chunks(bytes.len()).position(|c| c == bytes);
        Memory::Pool(found.map_or_else(
            || {
                self.pool.resize(self.pool.len().next_multiple_of(bytes.len()), 0);
                self.pool.extend_from_slice(bytes);
                self.pool.len() - bytes.len()
            },
            |k| k * bytes.len(),
        ))
    }

    /// Where the next instruction starts.
    pub fn here(&self) -> usize {
        self.bytes.len()
    }

    /// Does nothing up to the next multiple of `alignment` bytes.
    pub fn align(&mut self, alignment: usize) {
        const NOPS: [&[u8]; 4] = [&[0x90], &[0x66, 0x90], &[0x0f, 0x1f, 0x00], &[0x0f, 0x1f, 0x40, 0x00]];
        let mut missing = self.bytes.len().next_multiple_of(alignment) - self.bytes.len();
        while missing > 0 {
            let nop = NOPS[missing.min(NOPS.len()) - 1];
            self.bytes.extend_from_slice(nop);
            missing -= nop.len();
        }
    }

    /// The finished code with its constants.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len().next_multiple_of(32), 0xcc);
        let pool = self.bytes.len();
        for (at, end, constant) in std::mem::take(&mut self.holes) {
            let distance = (pool + constant - end) as i32;
            self.bytes[at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        self.bytes.extend_from_slice(&self.pool);
        self.bytes
    }

    /// An instruction `reg = op(first, last)` with VEX; the registers are below 16. Instructions without a `first` take 0.
    pub fn vex(
        &mut self,
        op: Opcode,
        size: Size,
        reg: Register,
        first: Register,
        last: Operand,
        immediate: Option<u8>,
    ) {
        let (index, base) = extension(last);
        let w = u8::from(op.w) << 7;
        let tail = (!first & 15) << 3 | (size as u8) << 2 | op.prefix;
        if op.map == 1 && !op.w && !index && !base {
            self.bytes.extend([0xc5, inverted(reg, 3) | tail]);
        } else {
            let ext = inverted(reg, 3) | u8::from(!index) << 6 | u8::from(!base) << 5;
            self.bytes.extend([0xc4, ext | op.map, w | tail]);
        }
        self.bytes.push(op.byte);
        self.operand(reg, last, 1, immediate);
    }

    /// An instruction `reg = op(first, last)` with EVEX, on lanes of 8 bytes if W is set, of 4 if not. Instructions without a
    /// `first` take 0.
    #[allow(clippy::too_many_arguments, reason = "the fields of the encoding")]
    pub fn evex(
        &mut self,
        op: Opcode,
        size: Size,
        reg: Register,
        first: Register,
        last: Operand,
        masked: Masked,
        immediate: Option<u8>,
    ) {
        let each = matches!(last, Operand::Each(_));
        self.evex_prefix(op, size, reg, first, last, masked, each);
        let unit = if each { op.element() } else { size.bytes() as i32 };
        self.operand(reg, last, unit, immediate);
    }

    /// An EVEX instruction that reads one element of memory.
    pub fn evex_element(&mut self, op: Opcode, size: Size, reg: Register, from: Memory, masked: Masked) {
        self.evex_prefix(op, size, reg, 0, Operand::Mem(from), masked, false);
        self.operand(reg, Operand::Mem(from), op.element(), None);
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of the encoding")]
    fn evex_prefix(
        &mut self,
        op: Opcode,
        size: Size,
        reg: Register,
        first: Register,
        last: Operand,
        masked: Masked,
        each: bool,
    ) {
        let (index, base) = extension(last);
        let ext = inverted(reg, 3) | u8::from(!index) << 6 | u8::from(!base) << 5 | inverted(reg, 4) >> 3;
        let (mask, zero) = match masked {
            Masked::No => (0, 0),
            Masked::Merge(k) => (k, 0),
            Masked::Zero(k) => (k, 0x80),
        };
        self.bytes.extend([
            0x62,
            ext | op.map,
            u8::from(op.w) << 7 | (!first & 15) << 3 | 4 | op.prefix,
            zero | (size as u8) << 5 | u8::from(each) << 4 | inverted(first, 4) >> 4 | mask,
            op.byte,
        ]);
    }

    /// ModRM, SIB, displacement and immediate. Short displacements count in `unit` bytes.
    fn operand(&mut self, reg: Register, last: Operand, unit: i32, immediate: Option<u8>) {
        let reg = (reg & 7) << 3;
        let mut hole = None;
        match last {
            Operand::Reg(r) => self.bytes.push(0xc0 | reg | r & 7),
            Operand::Mem(Memory::Pool(constant)) | Operand::Each(Memory::Pool(constant)) => {
                self.bytes.push(reg | 5);
                hole = Some((self.bytes.len(), constant));
                self.bytes.extend([0; 4]);
            }
            Operand::Mem(Memory::At(base, index, by)) | Operand::Each(Memory::At(base, index, by)) => {
                let short = (by % unit == 0).then(|| i8::try_from(by / unit).ok()).flatten();
                let mode = match short {
                    Some(0) if base & 7 != 5 => 0,
                    Some(_) => 0x40,
                    None => 0x80,
                };
                if index || base & 7 == STACK {
                    let none = STACK << 3;
                    let index = if index { INDEX << 3 } else { none };
                    self.bytes.extend([mode | reg | 4, index | base & 7]);
                } else {
                    self.bytes.push(mode | reg | base & 7);
                }
                match (mode, short) {
                    (0, _) => {}
                    (_, Some(by)) => self.bytes.push(by as u8),
                    (_, None) => self.bytes.extend(by.to_le_bytes()),
                }
            }
        }
        self.bytes.extend(immediate);
        if let Some((at, constant)) = hole {
            self.holes.push((at, self.bytes.len(), constant));
        }
    }

    /// `reg = [memory]`, 64 bits.
    pub fn load_general(&mut self, reg: Register, from: Memory) {
        let (_, base) = extension(Operand::Mem(from));
        self.bytes.extend([0x48 | (reg >> 3) << 2 | u8::from(base), 0x8b]);
        self.operand(reg, Operand::Mem(from), 1, None);
    }

    /// `reg = value`, 32 bits; the upper half becomes zero.
    pub fn set_general(&mut self, reg: Register, value: u32) {
        self.bytes.push(0xb8 | reg & 7);
        self.bytes.extend(value.to_le_bytes());
    }

    /// `INDEX += step`
    pub fn advance(&mut self, step: i32) {
        self.bytes.extend([0x48, 0x05]);
        self.bytes.extend(step.to_le_bytes());
    }

    /// Back to `start` while `INDEX < end`.
    pub fn repeat_below(&mut self, end: i32, start: usize) {
        self.bytes.extend([0x48, 0x3d]);
        self.bytes.extend(end.to_le_bytes());
        self.bytes.extend([0x0f, 0x82]);
        let distance = start as i32 - (self.bytes.len() as i32 + 4);
        self.bytes.extend(distance.to_le_bytes());
    }

    /// Saves a general register on the stack.
    pub fn push(&mut self, reg: Register) {
        if reg >= 8 {
            self.bytes.push(0x41);
        }
        self.bytes.push(0x50 | reg & 7);
    }

    /// Restores a general register.
    pub fn pop(&mut self, reg: Register) {
        if reg >= 8 {
            self.bytes.push(0x41);
        }
        self.bytes.push(0x58 | reg & 7);
    }

    /// Makes room on the stack, or gives it back if negative. The place of the number of bytes, to be set when it is known.
    pub fn reserve(&mut self, bytes: i32) -> usize {
        self.bytes.extend([0x48, 0x81, 0xec]);
        self.bytes.extend(bytes.to_le_bytes());
        self.bytes.len() - 4
    }

    /// Sets a number that was left open.
    pub fn set(&mut self, place: usize, number: i32) {
        self.bytes[place..place + 4].copy_from_slice(&number.to_le_bytes());
    }

    /// The end of a function that used wide registers.
    pub fn leave(&mut self) {
        self.bytes.extend([0xc5, 0xf8, 0x77, 0xc3]);
    }
}

/// Bit `bit` of a register's number, inverted, as the highest bit of a byte.
fn inverted(reg: Register, bit: u8) -> u8 {
    (!(reg >> bit) & 1) << 7
}

/// The bits of the last operand that stand in the prefix: of the index (or bit 4 of a register), and of the base.
fn extension(last: Operand) -> (bool, bool) {
    match last {
        Operand::Reg(r) => (r & 16 != 0, r & 8 != 0),
        Operand::Mem(Memory::At(base, ..)) | Operand::Each(Memory::At(base, ..)) => (false, base & 8 != 0),
        Operand::Mem(Memory::Pool(_)) | Operand::Each(Memory::Pool(_)) => (false, false),
    }
}
