//! Elementwise instructions as CLIF, on one element or on a 128-bit vector of them.
//!
//! In a register a real is `F64`/`F32` or a vector of them, a whole number `I64` or `I64X2`; a truth value is an `I8` of 0 or 1
//! when scalar, and in vectors a mask of all ones or zeros in lanes as wide as a real.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Type, Value, types};
use cranelift_frontend::FunctionBuilder;

use crate::ir::loops::Width;
use crate::ops::{Instruction, Reduction};
use crate::types::Elem;

/// The kind of registers code is being written for.
#[derive(Clone, Copy)]
pub struct Lanes {
    /// The precision of reals.
    pub width: Width,
    /// Elements per register; 1 is scalar.
    pub count: usize,
}

impl Lanes {
    /// The scalar type of reals.
    pub fn real(self) -> Type {
        if self.width == Width::Double { types::F64 } else { types::F32 }
    }

    /// How many reals a 128-bit register holds.
    pub fn full(width: Width) -> usize {
        if width == Width::Double { 2 } else { 4 }
    }

    /// The register type of an element type.
    pub fn ty(self, elem: Elem) -> Type {
        match (elem, self.count, self.width) {
            (Elem::Real, 1, _) => self.real(),
            (Elem::Real, _, Width::Double) => types::F64X2,
            (Elem::Real, _, Width::Single) => types::F32X4,
            (Elem::Int, 1, _) => types::I64,
            (Elem::Bool, 1, _) => types::I8,
            (_, _, Width::Double) => types::I64X2,
            (_, _, Width::Single) => types::I32X4,
        }
    }

    fn scalar(self) -> bool {
        self.count == 1
    }
}

fn cast(b: &mut FunctionBuilder<'_>, ty: Type, x: Value) -> Value {
    if b.func.dfg.value_type(x) == ty {
        return x;
    }
    b.ins().bitcast(ty, MemFlagsData::new().with_endianness(Endianness::Little), x)
}

/// A real constant in every lane.
pub fn real(b: &mut FunctionBuilder<'_>, lanes: Lanes, x: f64) -> Value {
    let v = if lanes.width == Width::Double { b.ins().f64const(x) } else { b.ins().f32const(x as f32) };
    if lanes.scalar() { v } else { b.ins().splat(lanes.ty(Elem::Real), v) }
}

/// A whole-number constant in every lane.
pub fn int(b: &mut FunctionBuilder<'_>, lanes: Lanes, x: i64) -> Value {
    let v = b.ins().iconst(types::I64, x);
    if lanes.scalar() { v } else { b.ins().splat(types::I64X2, v) }
}

/// A scalar value in every lane.
pub fn splat(b: &mut FunctionBuilder<'_>, lanes: Lanes, elem: Elem, x: Value) -> Value {
    if lanes.scalar() {
        return x;
    }
    if elem != Elem::Bool {
        return b.ins().splat(lanes.ty(elem), x);
    }
    let lane = if lanes.width == Width::Double { types::I64 } else { types::I32 };
    let wide = b.ins().uextend(lane, x);
    let mask = b.ins().ineg(wide);
    b.ins().splat(lanes.ty(elem), mask)
}

/// Whether the instruction on operands of this type has a vector form.
pub fn has_vector_form(op: Instruction, operand: Elem, width: Width) -> bool {
    match (op, operand) {
        (Instruction::IntDiv | Instruction::IntMod, _) => false,
        (Instruction::Lt | Instruction::Le, Elem::Bool) => false,
        (_, Elem::Int) => width == Width::Double,
        _ => true,
    }
}

/// `c ? x : y` for values of one type.
pub fn select(b: &mut FunctionBuilder<'_>, c: Value, x: Value, y: Value) -> Value {
    let ty = b.func.dfg.value_type(x);
    if b.func.dfg.value_type(c).is_vector() {
        let c = cast(b, ty, c);
        b.ins().bitselect(c, x, y)
    } else {
        b.ins().select(c, x, y)
    }
}

/// One instruction; `elem` is the type of its first operand (of the values, for a choice).
pub fn emit(
    b: &mut FunctionBuilder<'_>,
    lanes: Lanes,
    op: Instruction,
    from: Elem,
    to: Elem,
    x: &[Value],
) -> Value {
    match (op, from) {
        (Instruction::Select, _) => select(b, x[0], x[1], x[2]),
        (Instruction::Cast, _) => widen(b, lanes, from, to, x[0]),
        (Instruction::And, _) => b.ins().band(x[0], x[1]),
        (Instruction::Or, _) => b.ins().bor(x[0], x[1]),
        (Instruction::Not, _) if lanes.scalar() => b.ins().bxor_imm_u(x[0], 1),
        (Instruction::Not, _) => b.ins().bnot(x[0]),
        (_, Elem::Real) => on_reals(b, lanes, op, x),
        _ => on_ints(b, lanes, op, from, x),
    }
}

fn on_reals(b: &mut FunctionBuilder<'_>, lanes: Lanes, op: Instruction, x: &[Value]) -> Value {
    match op {
        Instruction::Add => b.ins().fadd(x[0], x[1]),
        Instruction::Sub => b.ins().fsub(x[0], x[1]),
        Instruction::Mul => b.ins().fmul(x[0], x[1]),
        Instruction::Div => b.ins().fdiv(x[0], x[1]),
        Instruction::MulAdd => b.ins().fma(x[0], x[1], x[2]),
        Instruction::MulSub => {
            let minus = b.ins().fneg(x[2]);
            b.ins().fma(x[0], x[1], minus)
        }
        Instruction::NegMulAdd => {
            let minus = b.ins().fneg(x[0]);
            b.ins().fma(minus, x[1], x[2])
        }
        Instruction::Neg => b.ins().fneg(x[0]),
        Instruction::Abs => b.ins().fabs(x[0]),
        Instruction::Sqrt => b.ins().sqrt(x[0]),
        Instruction::Floor => b.ins().floor(x[0]),
        // The comparison picks the second operand on NaN; a NaN in the first is put back.
        Instruction::Min | Instruction::Max => {
            let (p, q) = if op == Instruction::Min { (x[0], x[1]) } else { (x[1], x[0]) };
            let less = b.ins().fcmp(FloatCC::LessThan, p, q);
            let extreme = select(b, less, x[0], x[1]);
            let nan = b.ins().fcmp(FloatCC::Unordered, x[0], x[0]);
            select(b, nan, x[0], extreme)
        }
        Instruction::Sign => {
            let [zero, one, minus] = [0.0, 1.0, -1.0].map(|c| real(b, lanes, c));
            let above = b.ins().fcmp(FloatCC::LessThan, zero, x[0]);
            let below = b.ins().fcmp(FloatCC::LessThan, x[0], zero);
            let rest = select(b, below, minus, x[0]);
            select(b, above, one, rest)
        }
        Instruction::Eq => b.ins().fcmp(FloatCC::Equal, x[0], x[1]),
        Instruction::Ne => b.ins().fcmp(FloatCC::NotEqual, x[0], x[1]),
        Instruction::Lt => b.ins().fcmp(FloatCC::LessThan, x[0], x[1]),
        Instruction::Le => b.ins().fcmp(FloatCC::LessThanOrEqual, x[0], x[1]),
        _ => crate::bug!("{op:?} on reals"),
    }
}

fn on_ints(b: &mut FunctionBuilder<'_>, lanes: Lanes, op: Instruction, from: Elem, x: &[Value]) -> Value {
    match op {
        Instruction::Add => b.ins().iadd(x[0], x[1]),
        Instruction::Sub => b.ins().isub(x[0], x[1]),
        Instruction::Mul => b.ins().imul(x[0], x[1]),
        Instruction::Neg => b.ins().ineg(x[0]),
        Instruction::Abs => {
            let zero = int(b, lanes, 0);
            let below = b.ins().icmp(IntCC::SignedLessThan, x[0], zero);
            let minus = b.ins().ineg(x[0]);
            select(b, below, minus, x[0])
        }
        Instruction::Min | Instruction::Max => {
            let less = b.ins().icmp(IntCC::SignedLessThan, x[0], x[1]);
            if op == Instruction::Min { select(b, less, x[0], x[1]) } else { select(b, less, x[1], x[0]) }
        }
        Instruction::Sign => {
            let [zero, one, minus] = [0, 1, -1].map(|c| int(b, lanes, c));
            let above = b.ins().icmp(IntCC::SignedGreaterThan, x[0], zero);
            let below = b.ins().icmp(IntCC::SignedLessThan, x[0], zero);
            let rest = select(b, below, minus, zero);
            select(b, above, one, rest)
        }
        Instruction::Floor => x[0],
        Instruction::Eq => b.ins().icmp(IntCC::Equal, x[0], x[1]),
        Instruction::Ne => b.ins().icmp(IntCC::NotEqual, x[0], x[1]),
        Instruction::Lt | Instruction::Le => {
            let code = match (op, from) {
                (Instruction::Lt, Elem::Bool) => IntCC::UnsignedLessThan,
                (Instruction::Lt, _) => IntCC::SignedLessThan,
                (_, Elem::Bool) => IntCC::UnsignedLessThanOrEqual,
                _ => IntCC::SignedLessThanOrEqual,
            };
            b.ins().icmp(code, x[0], x[1])
        }
        Instruction::IntDiv | Instruction::IntMod => divide(b, op, x[0], x[1]),
        _ => crate::bug!("{op:?} on whole numbers"),
    }
}

/// Scalar division rounded towards minus infinity, without trapping: the divisors 0 (result 0) and -1 (whose quotient can
/// overflow) are replaced before dividing.
fn divide(b: &mut FunctionBuilder<'_>, op: Instruction, x: Value, y: Value) -> Value {
    let [zero, one, minus] = [0, 1, -1].map(|c| b.ins().iconst(types::I64, c));
    let by_zero = b.ins().icmp(IntCC::Equal, y, zero);
    let by_minus = b.ins().icmp(IntCC::Equal, y, minus);
    let special = b.ins().bor(by_zero, by_minus);
    let safe = b.ins().select(special, one, y);
    let q = b.ins().sdiv(x, safe);
    let product = b.ins().imul(q, safe);
    let r = b.ins().isub(x, product);
    // A remainder whose sign is not the divisor's means the quotient was rounded up.
    let mixed = b.ins().bxor(r, safe);
    let signs = b.ins().icmp(IntCC::SignedLessThan, mixed, zero);
    let inexact = b.ins().icmp(IntCC::NotEqual, r, zero);
    let adjust = b.ins().band(signs, inexact);
    let (exact, lowered) =
        if op == Instruction::IntDiv { (q, b.ins().isub(q, one)) } else { (r, b.ins().iadd(r, safe)) };
    let result = b.ins().select(adjust, lowered, exact);
    let opposite = if op == Instruction::IntDiv { b.ins().ineg(x) } else { zero };
    let result = b.ins().select(by_minus, opposite, result);
    b.ins().select(by_zero, zero, result)
}

fn widen(b: &mut FunctionBuilder<'_>, lanes: Lanes, from: Elem, to: Elem, x: Value) -> Value {
    match (from, to) {
        (Elem::Bool, Elem::Int) if lanes.scalar() => b.ins().uextend(types::I64, x),
        (Elem::Bool, Elem::Int) => {
            let one = int(b, lanes, 1);
            b.ins().band(x, one)
        }
        (Elem::Bool, Elem::Real) => {
            let (one, zero) = (real(b, lanes, 1.0), real(b, lanes, 0.0));
            select(b, x, one, zero)
        }
        (Elem::Int, Elem::Real) if lanes.scalar() => b.ins().fcvt_from_sint(lanes.real(), x),
        (Elem::Int, Elem::Real) => {
            let scalars: Vec<Value> = (0..lanes.count)
                .map(|k| {
                    let lane = b.ins().extractlane(x, k as u8);
                    b.ins().fcvt_from_sint(lanes.real(), lane)
                })
                .collect();
            join(b, lanes.ty(Elem::Real), &scalars)
        }
        _ => x,
    }
}

/// A vector of scalars.
pub fn join(b: &mut FunctionBuilder<'_>, ty: Type, scalars: &[Value]) -> Value {
    let mut v = b.ins().splat(ty, scalars[0]);
    for (k, &s) in scalars.iter().enumerate().skip(1) {
        v = b.ins().insertlane(v, s, k as u8);
    }
    v
}

/// The value that changes nothing when combined.
pub fn neutral(b: &mut FunctionBuilder<'_>, lanes: Lanes, r: Reduction, elem: Elem) -> Value {
    match (r, elem) {
        (Reduction::Sum, Elem::Real) => real(b, lanes, 0.0),
        (Reduction::Prod, Elem::Real) => real(b, lanes, 1.0),
        (Reduction::Max, Elem::Real) => real(b, lanes, f64::NEG_INFINITY),
        (Reduction::Min, Elem::Real) => real(b, lanes, f64::INFINITY),
        (Reduction::Sum, _) => int(b, lanes, 0),
        (Reduction::Prod, _) => int(b, lanes, 1),
        (Reduction::Max, _) => int(b, lanes, i64::MIN),
        (Reduction::Min, _) => int(b, lanes, i64::MAX),
    }
}

/// Two values that meet in one cell; of equal extremes `x` stays.
pub fn combine(
    b: &mut FunctionBuilder<'_>,
    lanes: Lanes,
    r: Reduction,
    elem: Elem,
    x: Value,
    y: Value,
) -> Value {
    match r {
        Reduction::Sum => emit(b, lanes, Instruction::Add, elem, elem, &[x, y]),
        Reduction::Prod => emit(b, lanes, Instruction::Mul, elem, elem, &[x, y]),
        Reduction::Max => emit(b, lanes, Instruction::Max, elem, elem, &[y, x]),
        Reduction::Min => emit(b, lanes, Instruction::Min, elem, elem, &[y, x]),
    }
}
