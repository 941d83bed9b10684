//! How tightly operators bind. One row per infix spelling; the parser and the formatter both read this table.

use crate::ast::{BinaryOp, UnaryOp};

/// `if c then a else b`: binds loosest.
pub const IF: u8 = 0;
/// Prefix `not`: looser than a comparison, tighter than `and`.
pub const NOT: u8 = 3;
/// A comparison.
pub const COMPARISON: u8 = 4;
/// Prefix `-`: looser than `^`, so `-x^2` is `-(x^2)`, and tighter than `@`.
pub const NEG: u8 = 8;
/// Names, numbers, brackets, and whatever `'`, `(…)` and `[…]` follow.
pub const POSTFIX: u8 = 10;

/// Which way equal operators lean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Associativity {
    /// `a - b - c` is `(a - b) - c`.
    Left,
    /// `a ^ b ^ c` is `a ^ (b ^ c)`.
    Right,
    /// `a < b < c` is refused.
    None,
}

/// One infix operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Infix {
    /// The operator; [`BinaryOp::spelling`] is how it is written.
    pub op: BinaryOp,
    /// Higher binds tighter.
    pub level: u8,
    /// Which way equal operators lean.
    pub associativity: Associativity,
}

const fn row(op: BinaryOp, level: u8, associativity: Associativity) -> Infix {
    Infix { op, level, associativity }
}

/// All infix operators, loosest first.
pub const INFIX: &[Infix] = &[
    row(BinaryOp::Or, 1, Associativity::Left),
    row(BinaryOp::And, 2, Associativity::Left),
    row(BinaryOp::Eq, COMPARISON, Associativity::None),
    row(BinaryOp::Ne, COMPARISON, Associativity::None),
    row(BinaryOp::Lt, COMPARISON, Associativity::None),
    row(BinaryOp::Le, COMPARISON, Associativity::None),
    row(BinaryOp::Gt, COMPARISON, Associativity::None),
    row(BinaryOp::Ge, COMPARISON, Associativity::None),
    row(BinaryOp::Add, 5, Associativity::Left),
    row(BinaryOp::Sub, 5, Associativity::Left),
    row(BinaryOp::Mul, 6, Associativity::Left),
    row(BinaryOp::Div, 6, Associativity::Left),
    row(BinaryOp::MatMul, 7, Associativity::Left),
    row(BinaryOp::Pow, 9, Associativity::Right),
];

/// The row of an operator.
pub fn infix(op: BinaryOp) -> Infix {
    INFIX[op as usize]
}

/// The row of a spelling; `None` when it is no infix operator.
pub fn infix_spelled(text: &str) -> Option<Infix> {
    INFIX.iter().copied().find(|row| row.op.spelling() == text)
}

/// How tightly a prefix operator binds its operand.
pub fn prefix(op: UnaryOp) -> u8 {
    match op {
        UnaryOp::Neg => NEG,
        UnaryOp::Not => NOT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_at_its_own_place() {
        for row in INFIX {
            assert_eq!(infix(row.op), *row);
            assert_eq!(infix_spelled(row.op.spelling()), Some(*row));
        }
        assert!(INFIX.windows(2).all(|pair| pair[0].level <= pair[1].level));
    }
}
